//! The one way in which every blocking call is made: without the GIL, and answering Ctrl-C.

use crate::error::exception;
use proxymesh::{
    Client, Error,
    blocking::Driver,
    endpoint::Endpoint,
    resource::{Dispatch, Geo, Hostnames, Ips, Proxies, SubAccounts, Tokens},
};
use pyo3::prelude::*;
use std::{sync::Arc, time::Duration};

/// How often a call that takes its time asks whether a signal has come.
const SIGNALS: Duration = Duration::from_millis(40);

/// Sends calls for a Python thread, which waits.
pub(crate) struct Caller<'py> {
    py: Python<'py>,
    client: Client,
    driver: Arc<Driver>,
}

/// Why a call ended without its answer.
enum Stop {
    Error(Error),
    /// A signal handler raised, as that of Ctrl-C does.
    Signal(PyErr),
    /// There is no interpreter any more to go back to.
    Exit,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl<'py> Caller<'py> {
    pub(crate) fn new(py: Python<'py>, client: Client, driver: Arc<Driver>) -> Self {
        Self { py, client, driver }
    }

    pub(crate) fn sub_accounts(&self) -> SubAccounts<'_, Self> {
        SubAccounts::new(self)
    }

    pub(crate) fn ips(&self) -> Ips<'_, Self> {
        Ips::new(self)
    }

    pub(crate) fn hostnames(&self) -> Hostnames<'_, Self> {
        Hostnames::new(self)
    }

    pub(crate) fn proxies(&self) -> Proxies<'_, Self> {
        Proxies::new(self)
    }

    pub(crate) fn tokens(&self) -> Tokens<'_, Self> {
        Tokens::new(self)
    }

    pub(crate) fn geo(&self) -> Geo<'_, Self> {
        Geo::new(self)
    }
}

impl Dispatch for Caller<'_> {
    type Reply<T: Send + 'static> = PyResult<T>;

    fn dispatch<E: Endpoint>(&self, endpoint: proxymesh::Result<E>) -> PyResult<E::Answer> {
        let Self { py, client, driver } = self;
        let endpoint = endpoint.map_err(|error| exception(*py, &error))?;
        let call = async { client.call(endpoint).await.map_err(Stop::Error) };
        py.detach(|| driver.run_checked(call, SIGNALS, check_signals)).map_err(|stop| match stop {
            Stop::Error(error) => exception(*py, &error),
            Stop::Signal(raised) => raised,
            Stop::Exit => pyo3::exceptions::PySystemExit::new_err("the interpreter is shutting down"),
        })
    }
}

/// Lets Python run its signal handlers, which may make calls themselves, or raise.
fn check_signals() -> Result<(), Stop> {
    match Python::try_attach(|py| py.check_signals()) {
        Some(Ok(())) => Ok(()),
        Some(Err(raised)) => Err(Stop::Signal(raised)),
        None => Err(Stop::Exit),
    }
}
