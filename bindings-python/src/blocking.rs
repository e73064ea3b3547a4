//! How `Client` makes a call: without the GIL, and interruptible by Ctrl-C.

use crate::{
    call::{Caller, Mode, Response, Shared},
    error::{Failure, Result, import},
    log::Log,
};
use proxymesh::{Client, Exchange, blocking::Driver, endpoint::Endpoint, resource::Dispatch};
use pyo3::prelude::*;
use std::{pin::Pin, sync::Arc, time::Duration};

/// How often a call in progress checks for signals.
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

impl Dispatch for Caller<'_, Blocking> {
    type Reply<T: Send + 'static> = Result<T>;

    fn dispatch<E: Endpoint>(&self, endpoint: proxymesh::Result<E>) -> Result<E::Response> {
        let endpoint = endpoint?;
        Ok(self.answer(E::CALL.name, self.client.exchange(&endpoint))?.read(&endpoint)?)
    }
}

impl<'py> Caller<'py, Blocking> {
    /// Makes any call. This is compiled once, not once per call.
    fn answer(
        &self,
        call: &'static str,
        exchange: Pin<Box<dyn Future<Output = Exchange> + Send + '_>>,
    ) -> Result<Exchange> {
        self.wait(call, async { Ok(exchange.await.answered()?) })
    }

    /// Runs a future that makes calls of this client. `call` is the name of the call, for errors.
    pub(crate) fn wait<T: Send>(
        &self,
        call: &'static str,
        future: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let Self { py, mode, log, .. } = self;
        let log = log.as_deref();
        let result = py.detach(|| mode.driver.run_checked(call, future, SIGNALS, || look_around(log)));
        if result.is_err() {
            mode.driver.finish(&self.client);
        }
        let logged = log.map_or(Ok(()), |log| log.flush(*py));
        // An exception from a signal handler takes precedence over one from a log handler.
        if !matches!(result, Err(Failure::Python(_))) {
            logged?;
        }
        result
    }

    /// Makes a call and returns its result.
    pub(crate) fn make<T: Response>(
        py: Python<'py>,
        shared: &Shared<Blocking>,
        _name: &'static str,
        call: impl FnOnce(&Self) -> Result<Result<T>>,
    ) -> Result<Bound<'py, PyAny>> {
        if let Some(module) = T::MODULE {
            import(py, module)?;
        }
        Ok(call(&Self::new(py, shared)?)??.into_python(py)?)
    }
}

/// Runs something other than a client's call in the same way.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    call: &'static str,
    future: impl Future<Output = proxymesh::Result<T>> + Send,
) -> Result<T> {
    py.detach(|| Driver::new().run_checked(call, async { Ok(future.await?) }, SIGNALS, || look_around(None)))
}

/// Logs what has happened so far, and lets Python run its signal handlers. They may make calls themselves, or raise.
fn look_around(log: Option<&Log>) -> Result<()> {
    let looked = Python::try_attach(|py| {
        if let Some(log) = log {
            log.flush(py)?;
        }
        py.check_signals()
    });
    match looked {
        Some(result) => result.map_err(Failure::Python),
        // The interpreter is gone, so this thread has nothing to return to. It ends with the process.
        None => loop {
            std::thread::park();
        },
    }
}
