//! The async client.

use crate::{
    credentials::Credentials,
    endpoint::{Endpoint, Sendable},
    error::Result,
    observer::Observer,
    resource::{Dispatch, handles},
    settings::{Options, Settings},
    transport::{Exchange, Transport},
};
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// The future of a call. It sends nothing until it is polled. Dropping it cancels the call and closes its connection. There is one
/// exception: until the credentials have worked once, the request continues for up to five seconds, because its response shows
/// whether they are right. After a cancellation, it is unknown whether a write was carried out.
///
/// Until the credentials have worked once, one call tries them and the others wait for it. So do not leave a started call unpolled
/// while you await another: spawn it, or await both together.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// The async client. It has a handle for each resource, such as `client.ips()`. It needs a tokio runtime with I/O and time enabled.
///
/// A client is cheap to clone, and clones share their connections. Tasks and threads may share one client.
///
/// ```no_run
/// # async fn example() -> proxymesh::Result<()> {
/// use proxymesh::{Client, Settings};
///
/// let client = Client::new(Settings::new())?; // credentials from the environment
/// let usage = client.sub_accounts().get("crawler-1").await?.monthly_bandwidth;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    options: Options,
    observer: Option<Observer>,
}

impl Client {
    /// Creates a client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) if a setting is missing or invalid, or if settings contradict each other.
    pub fn new(settings: Settings) -> Result<Self> {
        let options = settings.options;
        let transport = Arc::new(Transport::new(settings.resolve()?)?);
        Ok(Self { transport, options, observer: None })
    }

    /// Returns a client with different options for its calls. It shares this client's connections. Options that are not set stay the
    /// same.
    ///
    /// ```no_run
    /// # async fn example(client: proxymesh::Client) -> proxymesh::Result<()> {
    /// use proxymesh::Options;
    /// use std::time::Duration;
    ///
    /// let quick = client.with_options(Options::new().timeout(Duration::from_secs(2)).max_retries(0))?;
    /// quick.geo().open().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) if the timeout is zero.
    pub fn with_options(&self, options: Options) -> Result<Self> {
        let options = options.over(self.options);
        options.check()?;
        Ok(Self { options, ..self.clone() })
    }

    /// Returns a client that calls `observer` after each attempt of its calls. It shares this client's connections.
    #[must_use]
    pub fn with_observer(&self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self.clone() }
    }

    /// The observer of the client's calls.
    #[doc(hidden)]
    #[must_use]
    pub fn observer(&self) -> Option<&Observer> {
        self.observer.as_ref()
    }

    /// Returns a client with the same settings and with connections of its own. This is for a process created by `fork`, which must
    /// not use its parent's connections.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) if the client cannot be created.
    pub fn renewed(&self) -> Result<Self> {
        Ok(Self { transport: Arc::new(self.transport.renewed()?), ..self.clone() })
    }

    /// The client's credentials. They are valid for the proxies as well.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        self.transport.credentials()
    }

    /// The base URL of the service, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.transport.base_url()
    }

    /// An HTTP client for other sites, without credentials and proxies.
    pub(crate) fn anonymous(&self) -> Result<reqwest::ClientBuilder> {
        self.transport.anonymous()
    }

    /// If a call was cancelled while it tried the credentials: a future that ends with that trial. Someone has to run the event loop
    /// until then.
    #[doc(hidden)]
    #[must_use]
    pub fn unfinished(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.transport.unfinished()
    }

    /// Sends any call. The handles use this; prefer them where you can.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error).
    pub async fn call<E: Endpoint>(&self, endpoint: E) -> Result<E::Response> {
        self.exchange(&endpoint).await.read(&endpoint)
    }

    /// Sends any call, and returns a result that has the same type for every call. [`Exchange::read`] returns the typed response.
    /// This is for bindings: the code that drives the call is compiled only once.
    pub fn exchange<'a, E: Endpoint>(
        &self,
        endpoint: &'a E,
    ) -> Pin<Box<dyn Future<Output = Exchange> + Send + 'a>> {
        self.send(endpoint)
    }

    fn send<'a>(&self, endpoint: &'a dyn Sendable) -> Pin<Box<dyn Future<Output = Exchange> + Send + 'a>> {
        Box::pin(self.transport.clone().exchange(endpoint, self.options, self.observer.clone()))
    }
}

handles!(Client);

impl Dispatch for Client {
    type Reply<T: Send + 'static> = Pending<T>;

    fn dispatch<E: Endpoint>(&self, endpoint: Result<E>) -> Pending<E::Response> {
        let client = self.clone();
        Box::pin(async move { client.call(endpoint?).await })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
