//! How `Client` makes a call: without the GIL, and answering Ctrl-C.

use crate::{
    client::{Caller, Mode, Shared},
    error::{exception, import},
    log::Log,
    model::Answer,
};
use proxymesh::{Client, Error, Exchange, blocking::Driver, endpoint::Endpoint, resource::Dispatch};
use pyo3::prelude::*;
use std::{sync::Arc, time::Duration};

/// How often a call that takes its time asks whether a signal has come.
const SIGNALS: Duration = Duration::from_millis(40);

/// A client whose calls are driven by the threads that make them.
pub(crate) struct Blocking {
    client: Client,
    driver: Arc<Driver>,
}

impl Mode for Blocking {
    fn new(client: Client) -> proxymesh::Result<Self> {
        Ok(Self { client, driver: Arc::new(Driver::new()) })
    }

    fn client(&self) -> &Client {
        &self.client
    }
}

/// Why a call ended without an answer.
enum Stop {
    Error(Error),
    /// A signal handler raised, as that of Ctrl-C does.
    Signal(PyErr),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Dispatch for Caller<'_, Blocking> {
    type Reply<T: Send + 'static> = PyResult<T>;

    fn dispatch<E: Endpoint>(&self, endpoint: proxymesh::Result<E>) -> PyResult<E::Answer> {
        let raise = |error: Error| exception(self.py, &error);
        let endpoint = endpoint.map_err(raise)?;
        let exchange = self.client.exchange(&endpoint);
        self.wait(E::CALL.name, async { exchange.await.answered().map_err(Stop::Error) })?
            .read(&endpoint)
            .map_err(raise)
    }
}

impl<'py> Caller<'py, Blocking> {
    fn wait(
        &self,
        call: &'static str,
        exchange: impl Future<Output = Result<Exchange, Stop>> + Send,
    ) -> PyResult<Exchange> {
        let Self { py, mode, log, .. } = self;
        let log = log.as_deref();
        let result = py.detach(|| mode.driver.run_checked(call, exchange, SIGNALS, || look_around(log)));
        if result.is_err() {
            mode.driver.finish(&self.client);
        }
        let logged = log.map_or(Ok(()), |log| log.flush(*py));
        match result {
            Err(Stop::Signal(raised)) => Err(raised),
            Err(Stop::Error(error)) => logged.and(Err(exception(*py, &error))),
            Ok(exchange) => logged.map(|()| exchange),
        }
    }

    /// Makes a call, and gives its answer.
    pub(crate) fn make<T: Answer>(
        py: Python<'py>,
        shared: &Shared<Blocking>,
        _name: &'static str,
        call: impl FnOnce(&Self) -> PyResult<PyResult<T>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(module) = T::MODULE {
            import(py, module)?;
        }
        call(&Self::new(py, shared)?)??.into_python(py)
    }
}

/// Runs what is no call of a client, in the same way.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    call: &'static str,
    future: impl Future<Output = proxymesh::Result<T>> + Send,
) -> PyResult<T> {
    let driver = Driver::new();
    let future = async { future.await.map_err(Stop::Error) };
    py.detach(|| driver.run_checked(call, future, SIGNALS, || look_around(None))).map_err(|stop| match stop {
        Stop::Error(error) => exception(py, &error),
        Stop::Signal(raised) => raised,
    })
}

/// Logs what has happened meanwhile, and lets Python run its signal handlers, which may make calls themselves, or raise.
fn look_around(log: Option<&Log>) -> Result<(), Stop> {
    let looked = Python::try_attach(|py| {
        if let Some(log) = log {
            log.flush(py)?;
        }
        py.check_signals()
    });
    match looked {
        Some(result) => result.map_err(Stop::Signal),
        // The interpreter has gone, and there is nothing for this thread to go back to: it ends with the process.
        None => loop {
            std::thread::park();
        },
    }
}
