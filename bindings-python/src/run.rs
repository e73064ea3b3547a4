//! The one way in which every blocking call is made: without the GIL, and answering Ctrl-C.

use crate::error::exception;
use proxymesh::{
    Client, Error,
    blocking::Driver,
    endpoint::Endpoint,
    resource::{Dispatch, Geo, Hostnames, Ips, Proxies, SubAccounts, Tokens},
};
use pyo3::prelude::*;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::time::timeout;

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
        let result = py.detach(|| {
            let mut result = None;
            interruptible(driver, Box::pin(async { result = Some(client.call(endpoint).await) }))?;
            result
                .unwrap_or(Err(Error::Config { reason: "the call was abandoned".into() }))
                .map_err(Stop::Error)
        });
        result.map_err(|stop| match stop {
            Stop::Error(error) => exception(*py, &error),
            Stop::Signal(raised) => raised,
            Stop::Exit => pyo3::exceptions::PySystemExit::new_err("the interpreter is shutting down"),
        })
    }
}

/// Runs `call` to its end, or until a signal handler raises. Handlers run while the driver rests, because they may
/// make calls themselves.
fn interruptible(
    driver: &Driver,
    mut call: Pin<Box<dyn Future<Output = ()> + Send + '_>>,
) -> Result<(), Stop> {
    loop {
        if driver.run(async { Ok::<_, Error>(timeout(SIGNALS, &mut call).await.is_ok()) })? {
            return Ok(());
        }
        let stop = match Python::try_attach(|py| py.check_signals()) {
            Some(Ok(())) => continue,
            Some(Err(raised)) => Stop::Signal(raised),
            None => Stop::Exit,
        };
        // Given up where its connection learns of it, and is closed.
        let _ = driver.run(async move {
            drop(call);
            Ok::<_, Error>(())
        });
        return Err(stop);
    }
}
