//! The two clients and their settings.

use crate::{
    blocking::{Account, Caller},
    bridge::{self, wire},
    error::Failure,
    follower::{Follower, FollowerOptions},
    lease::{Lease, LeaseOptions},
    log::{Log, observer},
    model::Response,
    pool::{Pool, PoolOptions},
    proxy::{Proxy, ProxyInput},
};
use arc_swap::ArcSwapOption;
use proxymesh::{
    Pending,
    binding::{self, SettingParts},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// The settings of a client. A setting that is not given comes from its environment variable, if there is one, or else from its
/// default.
#[derive(uniffi::Record)]
pub struct Settings {
    /// The username of the account or of a sub-account. It requires a password.
    pub username: Option<String>,
    /// The password for the username. It requires a username.
    pub password: Option<String>,
    /// A token (`pm_…`), instead of a username and password. The token calls do not accept it.
    pub token: Option<String>,
    /// The base URL of the service; `https://proxymesh.com` by default.
    pub base_url: Option<String>,
    /// The time limit for one attempt, in seconds; 30 by default.
    pub timeout: Option<f64>,
    /// The time limit for connecting, in seconds; 10 by default.
    pub connect_timeout: Option<f64>,
    /// How many times a call may be retried, if that is safe; 2 by default.
    pub max_retries: Option<i64>,
    /// How many connections the client may have open at a time. Further calls wait for one. By default, it is a quarter of the file
    /// descriptors that the process may open, but at least 64 and at most 256.
    pub max_connections: Option<i64>,
    /// A PEM file with additional CA certificates to trust.
    pub ca_file: Option<String>,
    /// Whether to use the environment variables `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`.
    pub trust_env: bool,
    /// Whether the processes of this user share what they know about the credentials.
    pub share_state: bool,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

impl Settings {
    fn check(self) -> proxymesh::Result<proxymesh::Settings> {
        let parts = SettingParts {
            username: self.username,
            password: self.password.map(Into::into),
            token: self.token.map(Into::into),
            base_url: self.base_url,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            max_retries: self.max_retries,
            max_connections: self.max_connections,
            ca_file: self.ca_file.map(Into::into),
            trust_env: self.trust_env,
            share_state: Some(self.share_state),
            user_agent: self.user_agent,
        };
        parts.check()
    }
}

/// Options for the calls of a client. Options that are not given stay the same.
#[derive(uniffi::Record)]
pub struct Options {
    /// The time limit for one attempt, in seconds.
    pub timeout: Option<f64>,
    /// How many times a call may be retried, if that is safe.
    pub max_retries: Option<i64>,
}

impl Options {
    fn check(self) -> proxymesh::Result<proxymesh::Options> {
        binding::options(self.timeout, self.max_retries)
    }
}

/// A client whose calls are async. They run on a thread of this library. Dropping the future of a call ends the call and closes
/// its connection.
#[cfg_attr(feature = "description", derive(uniffi::Object))]
pub struct Client {
    /// `None` after the client is shut down.
    account: ArcSwapOption<proxymesh::Client>,
}

impl Client {
    fn of(account: proxymesh::Client) -> Self {
        Self { account: ArcSwapOption::from_pointee(account) }
    }

    pub(crate) fn account(&self) -> proxymesh::Result<Arc<proxymesh::Client>> {
        self.account.load_full().ok_or_else(binding::closed)
    }

    /// The same client, with the records of its calls kept in this log.
    pub(crate) fn logged(self: Arc<Self>, log: &Arc<dyn Log>) -> Arc<Self> {
        match self.account.load_full() {
            Some(account) => Arc::new(Self::of(account.with_observer(observer(log.clone())))),
            None => self,
        }
    }

    /// Prepares a call for the worker. `T` is the type that the description gives its response.
    pub(crate) fn pending<T, A: Response<Described = T>>(
        &self,
        call: impl FnOnce(&proxymesh::Client) -> proxymesh::Result<Pending<A>> + Send + 'static,
    ) -> bridge::Pending {
        let account = self.account();
        Box::pin(async move {
            let response: proxymesh::Result<A> = async { call(&*account?)?.await }.await;
            response.map_or_else(|error| wire::failure(error.into()), wire::response)
        })
    }
}

#[cfg_attr(feature = "description", uniffi::export)]
impl Client {
    /// Creates a client. Nothing is sent.
    #[cfg_attr(feature = "description", uniffi::constructor)]
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self::of(proxymesh::Client::new(settings.check()?)?))
    }

    /// Returns a client with different options for its calls. It shares this client's connections, but is shut down separately.
    /// Options that are not given stay the same.
    pub fn with_options(&self, options: Options) -> Result<Arc<Self>, Failure> {
        let options = options.check()?;
        Ok(Arc::new(Self::of(self.account()?.with_options(options)?)))
    }

    /// Shuts the client down. Later calls fail with `Config`; calls in progress continue. The connections close with the last
    /// client that shares them. A client may be shut down twice.
    pub fn shut_down(&self) {
        self.account.store(None);
    }

    /// The base URL of the service, without a trailing slash; none after the client is shut down.
    #[must_use]
    pub fn base_url(&self) -> Option<String> {
        self.account.load().as_ref().map(|account| account.base_url().to_owned())
    }
}

/// A client whose calls block until they are done.
#[cfg_attr(feature = "description", derive(uniffi::Object))]
pub struct BlockingClient {
    /// `None` after the client is shut down.
    account: ArcSwapOption<Account>,
}

impl BlockingClient {
    fn of(account: Account) -> Self {
        Self { account: ArcSwapOption::from_pointee(account) }
    }

    fn account(&self) -> proxymesh::Result<Arc<Account>> {
        self.account.load_full().ok_or_else(binding::closed)
    }

    /// The same client, with the records of its calls kept in this log.
    pub(crate) fn logged(self: Arc<Self>, log: &Arc<dyn Log>) -> Arc<Self> {
        match self.account.load_full() {
            Some(account) => Arc::new(Self::of(account.with_observer(observer(log.clone())))),
            None => self,
        }
    }

    /// Makes a call on this thread, until `interrupted` returns true. Turns a panic into an error.
    pub(crate) fn make<A>(
        &self,
        interrupted: Option<&bridge::Interrupted<'_>>,
        call: impl FnOnce(&Caller<'_>) -> proxymesh::Result<Result<A, Failure>>,
    ) -> Result<A, Failure> {
        let account = self.account()?;
        catch_unwind(AssertUnwindSafe(|| call(&Caller::new(&account, interrupted))?))
            .unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref())))
    }

    /// Returns an async client with the same settings, for calls that must not block their thread. It has connections of its own.
    pub(crate) fn apart(&self) -> Result<Client, Failure> {
        Ok(Client::of(self.account()?.apart()?))
    }
}

/// A client of either kind.
#[derive(Clone)]
pub(crate) enum Via {
    Client(Arc<Client>),
    BlockingClient(Arc<BlockingClient>),
}

impl Via {
    /// The core's client for calls on the worker.
    pub(crate) fn for_worker(&self) -> proxymesh::Result<proxymesh::Client> {
        match self {
            Self::Client(client) => Ok((*client.account()?).clone()),
            Self::BlockingClient(client) => client.account()?.apart(),
        }
    }

    /// The same client, but shutting down the first one does not shut it down.
    pub(crate) fn kept(&self) -> proxymesh::Result<Self> {
        Ok(match self {
            Self::Client(client) => Self::Client(Arc::new(Client::of((*client.account()?).clone()))),
            Self::BlockingClient(client) => {
                Self::BlockingClient(Arc::new(BlockingClient::of((*client.account()?).clone())))
            }
        })
    }
}

/// What both clients create.
macro_rules! creates {
    ($client:ident) => {
        #[cfg_attr(feature = "description", uniffi::export)]
        impl $client {
            /// Creates a pool of the account's proxies. Nothing is sent.
            pub fn pool(self: Arc<Self>, options: PoolOptions) -> Result<Arc<Pool>, Failure> {
                Ok(Arc::new(Pool::new(Via::$client(self), options)?))
            }

            /// Creates a lease of an IP. Nothing is sent.
            pub fn lease(self: Arc<Self>, options: LeaseOptions) -> Result<Arc<Lease>, Failure> {
                Ok(Arc::new(Lease::new(&Via::$client(self), &options)?))
            }

            /// Creates a follower of this machine's address. Nothing is sent.
            pub fn follower(self: Arc<Self>, options: FollowerOptions) -> Result<Arc<Follower>, Failure> {
                Ok(Arc::new(Follower::new(&Via::$client(self), &options)?))
            }

            /// Returns a proxy with this client's credentials.
            pub fn using_own(&self, proxy: ProxyInput) -> Result<Proxy, Failure> {
                Ok(proxy.check()?.using(self.account()?.credentials().clone()).into())
            }
        }
    };
}
creates!(Client);
creates!(BlockingClient);

#[cfg_attr(feature = "description", uniffi::export)]
impl BlockingClient {
    /// Creates a client. Nothing is sent.
    #[cfg_attr(feature = "description", uniffi::constructor)]
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self::of(Account::new(settings.check()?)?))
    }

    /// Returns a client with different options for its calls. It shares this client's connections, but is shut down separately.
    /// Options that are not given stay the same.
    pub fn with_options(&self, options: Options) -> Result<Arc<Self>, Failure> {
        let options = options.check()?;
        Ok(Arc::new(Self::of(self.account()?.with_options(options)?)))
    }

    /// Shuts the client down. Later calls fail with `Config`; calls in progress continue. The connections close with the last
    /// client that shares them. A client may be shut down twice.
    pub fn shut_down(&self) {
        self.account.store(None);
    }

    /// The base URL of the service, without a trailing slash; none after the client is shut down.
    #[must_use]
    pub fn base_url(&self) -> Option<String> {
        self.account.load().as_ref().map(|account| account.base_url().to_owned())
    }
}
