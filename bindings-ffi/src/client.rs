//! The two clients, and what they are made from.

use crate::{calls::calls, error::Failure, model::Answer, runtime};
use arc_swap::ArcSwapOption;
use proxymesh::{
    Pending,
    binding::{self, SettingParts},
    blocking,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::sync::watch;

/// The version of this library.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// How to reach the account. What is none comes from the environment, then from the defaults.
#[derive(uniffi::Record)]
pub struct Settings {
    /// The account's username. Goes with a password.
    #[uniffi(default)]
    pub username: Option<String>,
    /// The account's password. Goes with a username.
    #[uniffi(default)]
    pub password: Option<String>,
    /// A token instead of both.
    #[uniffi(default)]
    pub token: Option<String>,
    /// Where the service is.
    #[uniffi(default)]
    pub base_url: Option<String>,
    /// Seconds that one attempt may take; 30 by default.
    #[uniffi(default)]
    pub timeout: Option<f64>,
    /// Seconds that connecting may take; 10 by default.
    #[uniffi(default)]
    pub connect_timeout: Option<f64>,
    /// How often a call may be sent again; 2 by default.
    #[uniffi(default)]
    pub max_retries: Option<i64>,
    /// A PEM file with further CA certificates to trust.
    #[uniffi(default)]
    pub ca_file: Option<String>,
    /// Whether `HTTPS_PROXY` and `NO_PROXY` count.
    #[uniffi(default = false)]
    pub trust_env: bool,
    /// The `User-Agent` to send.
    #[uniffi(default)]
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
            ca_file: self.ca_file.map(Into::into),
            trust_env: self.trust_env,
            user_agent: self.user_agent,
        };
        parts.check()
    }
}

/// Options of the calls made through a client. What is none stays as the client has it.
#[derive(uniffi::Record)]
pub struct Options {
    /// Seconds that one attempt may take.
    #[uniffi(default)]
    pub timeout: Option<f64>,
    /// How often a call may be sent again.
    #[uniffi(default)]
    pub max_retries: Option<i64>,
}

impl Options {
    fn check(self) -> proxymesh::Result<proxymesh::Options> {
        binding::options(self.timeout, self.max_retries)
    }
}

/// The client whose calls are awaited. They run on threads of this library, and a call whose future is dropped is given up:
/// its connection is closed.
#[derive(uniffi::Object)]
pub struct Client {
    /// None once it is shut down.
    account: Arc<ArcSwapOption<proxymesh::Client>>,
    aborted: watch::Sender<bool>,
}

impl Client {
    fn of(account: Arc<ArcSwapOption<proxymesh::Client>>) -> Self {
        Self { account, aborted: watch::Sender::new(false) }
    }

    fn account(&self) -> proxymesh::Result<Arc<proxymesh::Client>> {
        self.account.load_full().ok_or_else(binding::closed)
    }

    /// Makes a call on the runtime, where a panic stays within its task. Every async export goes through here.
    pub(crate) async fn run<A: Answer>(
        &self,
        name: &'static str,
        call: impl FnOnce(&proxymesh::Client) -> proxymesh::Result<Pending<A>> + Send + 'static,
    ) -> Result<A::Given, Failure> {
        let aborted = self.aborted.subscribe();
        let account = self.account();
        let answer = runtime::run(name, aborted, async move { call(&*account?)?.await }).await?;
        Ok(answer.give())
    }
}

#[uniffi::export]
impl Client {
    /// Makes a client. Nothing is sent.
    #[uniffi::constructor]
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        let account = proxymesh::Client::new(settings.check()?)?;
        Ok(Self::of(Arc::new(ArcSwapOption::from_pointee(account))))
    }

    /// The same client with other options for the calls made through it.
    pub fn with_options(&self, options: Options) -> Result<Arc<Self>, Failure> {
        let options = options.check()?;
        let account = self.account()?.with_options(options)?;
        Ok(Arc::new(Self::of(Arc::new(ArcSwapOption::from_pointee(account)))))
    }

    /// The same client, shut down together with this one, whose calls `abort` ends: for languages that do not drop the
    /// future of a call that is given up.
    #[must_use]
    pub fn abortable(&self) -> Arc<Self> {
        Arc::new(Self::of(self.account.clone()))
    }

    /// Ends the calls of this object, those under way and those to come, with `Aborted`; their connections are closed. A
    /// call that has its answer keeps it.
    pub fn abort(&self) {
        self.aborted.send_replace(true);
    }

    /// Drops the connections. Later calls fail with `Config`; calls under way go on. Twice is fine.
    pub fn shut_down(&self) {
        self.account.store(None);
    }

    /// Where the service is; none once it is shut down.
    #[must_use]
    pub fn base_url(&self) -> Option<String> {
        self.account.load().as_ref().map(|account| account.base_url().to_owned())
    }
}

/// The client whose calls return when they are done.
#[derive(uniffi::Object)]
pub struct BlockingClient {
    /// None once it is shut down.
    account: ArcSwapOption<blocking::Client>,
}

impl BlockingClient {
    fn account(&self) -> proxymesh::Result<Arc<blocking::Client>> {
        self.account.load_full().ok_or_else(binding::closed)
    }

    /// Makes a call on this thread. A panic comes back as an error.
    pub(crate) fn run<A: Answer>(
        &self,
        call: impl FnOnce(&blocking::Client) -> proxymesh::Result<proxymesh::Result<A>>,
    ) -> Result<A::Given, Failure> {
        let account = self.account()?;
        match catch_unwind(AssertUnwindSafe(|| call(&account)?)) {
            Ok(answer) => Ok(answer?.give()),
            Err(panic) => Err(Failure::panicked(panic.as_ref())),
        }
    }
}

#[uniffi::export]
impl BlockingClient {
    /// Makes a client. Nothing is sent.
    #[uniffi::constructor]
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        let account = blocking::Client::new(settings.check()?)?;
        Ok(Self { account: ArcSwapOption::from_pointee(account) })
    }

    /// The same client with other options for the calls made through it.
    pub fn with_options(&self, options: Options) -> Result<Arc<Self>, Failure> {
        let options = options.check()?;
        let account = self.account()?.with_options(options)?;
        Ok(Arc::new(Self { account: ArcSwapOption::from_pointee(account) }))
    }

    /// Drops the connections. Later calls fail with `Config`; calls under way go on. Twice is fine.
    pub fn shut_down(&self) {
        self.account.store(None);
    }

    /// Where the service is; none once it is shut down.
    #[must_use]
    pub fn base_url(&self) -> Option<String> {
        self.account.load().as_ref().map(|account| account.base_url().to_owned())
    }
}

calls! {
    /// Panics inside the library, for tests of what becomes of that: `Internal`.
    fn provoke_panic(account) -> () {
        account.proxies().delete(provoked())
    }
}

#[allow(clippy::panic)]
fn provoked() -> &'static str {
    panic!("provoked by a test")
}
