//! Python's `logging`: the logger `proxymesh`, one record at DEBUG per attempt.

use crate::asyncio::Drain;
use proxymesh::{Attempt, Observer};
use pyo3::{intern, prelude::*, sync::PyOnceLock, types::PyDict};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const DEBUG: u8 = 10;

/// The attempts of one call that are still to be logged: what drives the call holds no GIL.
#[derive(Default)]
pub(crate) struct Log {
    attempts: Mutex<Vec<Attempt>>,
    /// Where to say that there are some, for a call that is awaited.
    drain: OnceLock<Arc<Drain>>,
}

impl Log {
    /// For one call, if anybody wants to see it. Who has not imported `logging` does not.
    pub(crate) fn wanted(py: Python<'_>) -> PyResult<Option<Arc<Self>>> {
        let Some(logger) = logger(py)? else { return Ok(None) };
        let enabled = logger.call_method1(intern!(py, "isEnabledFor"), (DEBUG,))?.is_truthy()?;
        Ok(enabled.then(Arc::default))
    }

    /// What is to be told of the call's attempts.
    pub(crate) fn observer(self: &Arc<Self>) -> Observer {
        let log = self.clone();
        Observer::new(move |attempt| {
            log.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
            if let Some(drain) = log.drain.get() {
                drain.log(log.clone());
            }
        })
    }

    pub(crate) fn told_to(&self, drain: &Arc<Drain>) {
        let _ = self.drain.set(drain.clone());
    }

    /// Logs what there is.
    pub(crate) fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let attempts = std::mem::take(&mut *self.attempts.lock().unwrap_or_else(PoisonError::into_inner));
        attempts.iter().try_for_each(|attempt| record(py, attempt))
    }
}

fn logger(py: Python<'_>) -> PyResult<Option<&Bound<'_, PyAny>>> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Some(logger) = LOGGER.get(py) {
        return Ok(Some(logger.bind(py)));
    }
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        PyResult::Ok(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    let Some(logging) = modules.bind(py).get_item(intern!(py, "logging"))? else { return Ok(None) };
    // None while it is being imported.
    let Ok(logger) = logging.call_method1("getLogger", ("proxymesh",)) else { return Ok(None) };
    Ok(Some(LOGGER.get_or_init(py, || logger.unbind()).bind(py)))
}

fn record(py: Python<'_>, attempt: &Attempt) -> PyResult<()> {
    let Some(logger) = logger(py)? else { return Ok(()) };
    let call = attempt.call;
    let fields = PyDict::new(py);
    fields.set_item("call", call.name)?;
    fields.set_item("method", call.method.to_string())?;
    fields.set_item("path", call.path)?;
    fields.set_item("attempt", attempt.number)?;
    fields.set_item("status", attempt.status)?;
    fields.set_item("failure", attempt.failure.as_deref())?;
    fields.set_item("elapsed", attempt.elapsed.as_secs_f64())?;
    fields.set_item("retry_in", attempt.retry_in.map(|wait| wait.as_secs_f64()))?;
    let outcome = match (attempt.status, &attempt.failure) {
        (Some(status), _) => status.to_string(),
        (None, failure) => failure.clone().unwrap_or_default(),
    };
    let milliseconds = attempt.elapsed.as_secs_f64() * 1000.0;
    let again =
        attempt.retry_in.map_or(String::new(), |wait| format!(", again in {:.2} s", wait.as_secs_f64()));
    let arguments = PyDict::new(py);
    arguments.set_item("extra", fields)?;
    let message = "%s: %s %s: %s after %.1f ms (attempt %d)%s";
    let values = (
        message,
        call.name,
        call.method.to_string(),
        call.path,
        outcome,
        milliseconds,
        attempt.number,
        again,
    );
    logger.call_method(intern!(py, "debug"), values, Some(&arguments)).map(drop)
}
