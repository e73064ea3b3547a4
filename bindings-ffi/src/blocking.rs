//! How [`BlockingClient`](crate::BlockingClient) makes a call: on the caller's thread, which may be interrupted.

use crate::{bridge::Interrupted, error::Failure};
use proxymesh::{
    Client, Credentials, Exchange, Observer, Options, Result, Settings,
    blocking::Driver,
    endpoint::Endpoint,
    resource::{self, Dispatch},
};
use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How often a call in progress checks whether its thread has been interrupted.
const LOOK: Duration = Duration::from_millis(40);

/// A client whose calls are driven by the threads that make them.
#[derive(Clone)]
pub(crate) struct Account {
    client: Client,
    driver: Arc<Driver>,
    /// The first client, without the options that were set later.
    first: Client,
    apart: Arc<OnceLock<Client>>,
    /// The options that were set after the first client was created.
    options: Vec<Options>,
}

impl Account {
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        let client = Client::new(settings)?;
        Ok(Self {
            first: client.clone(),
            client,
            driver: Arc::new(Driver::new()),
            apart: Arc::default(),
            options: Vec::new(),
        })
    }

    pub(crate) fn with_options(&self, options: Options) -> Result<Self> {
        Ok(Self {
            client: self.client.with_options(options)?,
            driver: self.driver.clone(),
            first: self.first.clone(),
            apart: self.apart.clone(),
            options: self.options.iter().copied().chain([options]).collect(),
        })
    }

    pub(crate) fn with_observer(&self, observer: Observer) -> Self {
        Self { client: self.client.with_observer(observer), ..self.clone() }
    }

    pub(crate) fn base_url(&self) -> &str {
        self.client.base_url()
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        self.client.credentials()
    }

    /// A client for the worker. It has its own connections, because the worker cannot use those of the driver. All clients that
    /// share the driver's connections share these, too.
    pub(crate) fn apart(&self) -> Result<Client> {
        let client = match self.apart.get() {
            Some(client) => client.clone(),
            None => {
                let client = self.first.renewed()?;
                self.apart.get_or_init(|| client).clone()
            }
        };
        self.options.iter().try_fold(client, |client, options| client.with_options(*options))
    }
}

/// Makes one call.
pub(crate) struct Caller<'a> {
    account: &'a Account,
    interrupted: Option<&'a Interrupted<'a>>,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(account: &'a Account, interrupted: Option<&'a Interrupted<'a>>) -> Self {
        Self { account, interrupted }
    }

    /// Makes any call. This is compiled once, not once per call.
    fn answer(
        &self,
        call: &'static str,
        exchange: Pin<Box<dyn Future<Output = Exchange> + Send + '_>>,
    ) -> Result<Exchange, Failure> {
        self.wait(call, async { Ok(exchange.await.answered()?) })
    }

    /// Runs work that this client makes calls for.
    pub(crate) fn wait<T: Send>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let Account { client, driver, .. } = self.account;
        let ended = wait(driver, call, self.interrupted, work);
        if ended.is_err() {
            driver.finish(client);
        }
        ended
    }

    pub(crate) fn client(&self) -> &Client {
        &self.account.client
    }
}

/// Runs work on this thread, until `interrupted` returns true.
pub(crate) fn wait<T: Send>(
    driver: &Driver,
    call: &'static str,
    interrupted: Option<&Interrupted<'_>>,
    work: impl Future<Output = Result<T, Failure>> + Send,
) -> Result<T, Failure> {
    match interrupted {
        None => driver.run(call, work),
        Some(interrupted) => driver
            .run_checked(call, work, LOOK, || if interrupted() { Err(Failure::aborted()) } else { Ok(()) }),
    }
}

impl Dispatch for Caller<'_> {
    type Reply<T: Send + 'static> = Result<T, Failure>;

    fn dispatch<E: Endpoint>(&self, endpoint: Result<E>) -> Result<E::Response, Failure> {
        let endpoint = endpoint?;
        Ok(self.answer(E::CALL.name, self.account.client.exchange(&endpoint))?.read(&endpoint)?)
    }
}

macro_rules! handles {
    ($( $method:ident: $handle:ident ),*) => {
        impl Caller<'_> {
            $( pub(crate) fn $method(&self) -> resource::$handle<'_, Self> { resource::$handle::new(self) } )*
        }
    };
}
handles!(geo: Geo, hostnames: Hostnames, ips: Ips, proxies: Proxies, sub_accounts: SubAccounts, tokens: Tokens);
