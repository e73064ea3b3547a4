//! The parts of a call that do not depend on who drives it: the core's client, the caller, and the conversion of the result.

use crate::{error::Result, log::Log};
use arc_swap::ArcSwapOption;
use proxymesh::{Options, Settings, binding, process::PerProcess, resource};
use pyo3::prelude::*;
use std::sync::Arc;

/// How a client makes its calls: blocking or awaited. A value of this type holds the core's client for one process.
pub(crate) trait Mode: Send + Sync + 'static {
    fn new(client: proxymesh::Client) -> proxymesh::Result<Self>
    where
        Self: Sized;

    fn client(&self) -> &proxymesh::Client;
}

/// The result of a call, which can be converted into a Python object.
pub(crate) trait Response: Send + 'static {
    /// The module that the conversion needs, if any. It is imported before the call is sent, because a result that cannot be converted
    /// would be lost.
    const MODULE: Option<&'static str> = None;

    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>>;
}

/// What a client and its handles share: the core's client, or nothing once the client is closed.
pub(crate) struct Shared<M> {
    account: ArcSwapOption<PerProcess<M>>,
    options: Options,
}

impl<M: Mode> Shared<M> {
    pub(crate) fn new(settings: Settings) -> Result<Arc<Self>> {
        let mode = M::new(proxymesh::Client::new(settings)?)?;
        let account = ArcSwapOption::from_pointee(PerProcess::new(mode));
        Ok(Arc::new(Self { account, options: Options::new() }))
    }

    /// The core's client for this process. A forked process creates its own.
    pub(crate) fn open(&self) -> Result<Arc<M>> {
        let account = self.account.load();
        let account = account.as_ref().ok_or_else(binding::closed)?;
        let open = account.get_or_try_init(|inherited| match inherited {
            Some(inherited) => M::new(inherited.client().renewed()?),
            None => Err(binding::closed()),
        });
        Ok(open?)
    }

    pub(crate) fn with_options(&self, options: Options) -> Result<Arc<Self>> {
        let options = options.over(self.options);
        self.open()?.client().with_options(options)?;
        Ok(Arc::new(Self { account: ArcSwapOption::new(self.account.load_full()), options }))
    }

    pub(crate) fn options(&self) -> Options {
        self.options
    }

    pub(crate) fn close(&self) {
        self.account.store(None);
    }

    pub(crate) fn state(&self) -> String {
        self.open().map_or_else(|_| "closed".to_owned(), |open| open.client().base_url().to_owned())
    }
}

/// Makes one call for Python.
pub(crate) struct Caller<'py, M> {
    pub(crate) py: Python<'py>,
    pub(crate) mode: Arc<M>,
    pub(crate) client: proxymesh::Client,
    pub(crate) log: Option<Arc<Log>>,
}

impl<'py, M: Mode> Caller<'py, M>
where
    Self: resource::Dispatch,
{
    pub(crate) fn new(py: Python<'py>, shared: &Shared<M>) -> Result<Self> {
        Self::of(py, shared.open()?, shared.options)
    }

    /// The same for a client that may have been closed since.
    pub(crate) fn of(py: Python<'py>, mode: Arc<M>, options: Options) -> Result<Self> {
        let client = mode.client().with_options(options)?;
        let log = Log::wanted(py)?;
        let client = match &log {
            Some(log) => client.with_observer(log.observer()),
            None => client,
        };
        Ok(Self { py, mode, client, log })
    }

    /// Logs the core's warnings too, even if attempts are not logged.
    pub(crate) fn warning(mut self) -> Self {
        if self.log.is_none() {
            let log = Arc::<Log>::default();
            self.client = self.client.with_observer(log.observer());
            self.log = Some(log);
        }
        self
    }

    pub(crate) fn sub_accounts(&self) -> resource::SubAccounts<'_, Self> {
        resource::SubAccounts::new(self)
    }

    pub(crate) fn ips(&self) -> resource::Ips<'_, Self> {
        resource::Ips::new(self)
    }

    pub(crate) fn hostnames(&self) -> resource::Hostnames<'_, Self> {
        resource::Hostnames::new(self)
    }

    pub(crate) fn proxies(&self) -> resource::Proxies<'_, Self> {
        resource::Proxies::new(self)
    }

    pub(crate) fn tokens(&self) -> resource::Tokens<'_, Self> {
        resource::Tokens::new(self)
    }

    pub(crate) fn geo(&self) -> resource::Geo<'_, Self> {
        resource::Geo::new(self)
    }
}
