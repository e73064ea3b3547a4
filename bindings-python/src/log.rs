//! Python's `logging`: the logger `proxymesh`, one record at DEBUG per attempt, and records at INFO and WARNING.

use crate::{lock::lock, threads::LOGGER};
use proxymesh::{
    Attempt, Error, Observer,
    binding::{self, Event},
    process,
};
use pyo3::{
    exceptions::PyException,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple},
};
use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Condvar, Mutex, OnceLock},
    thread::{self, ThreadId},
    time::Duration,
};

const DEBUG: u8 = 10;
/// How often a wait looks for signals.
const LOOK: Duration = Duration::from_millis(40);

/// What is still to be logged of one call, or of what goes on between calls. It is queued because the thread that drives the call does
/// not hold the GIL.
#[derive(Default)]
pub(crate) struct Log {
    /// Whether attempts are logged.
    attempts: bool,
    events: Mutex<Events>,
    /// Notified when a thread has logged an event.
    logged: Condvar,
    /// Set if the call is awaited.
    awaited: OnceLock<Awaited>,
}

#[derive(Default)]
struct Events {
    waiting: VecDeque<Event>,
    /// The process and the thread that log an event now.
    logging: Option<(u32, ThreadId)>,
}

struct Awaited {
    /// Called when there is something to log.
    tell: Box<dyn Fn(Arc<Log>) + Send + Sync>,
    /// The task's context variables, because a logging filter may read them. The queue is emptied in another context.
    context: Py<PyAny>,
}

impl Log {
    /// A log for one call, if logging is enabled. A program that has not imported `logging` has not enabled it.
    pub(crate) fn wanted(py: Python<'_>) -> PyResult<Option<Arc<Self>>> {
        let Some(logger) = logger(py)? else { return Ok(None) };
        let enabled = logger.call_method1(intern!(py, "isEnabledFor"), (DEBUG,))?.is_truthy()?;
        Ok(enabled.then(|| Arc::new(Self { attempts: true, ..Self::default() })))
    }

    /// The observer that queues what happens in the call.
    pub(crate) fn observer(self: &Arc<Self>) -> Observer {
        let log = self.clone();
        binding::observer(move |event| {
            if !log.push(event) {
                return;
            }
            if let Some(awaited) = log.awaited.get() {
                (awaited.tell)(log.clone());
            }
        })
    }

    /// The observer of what goes on between calls, such as a follower. A thread that may wait for the GIL logs it.
    pub(crate) fn between_calls(self: &Arc<Self>) -> Observer {
        let log = self.clone();
        binding::observer(move |event| {
            if !log.push(event) {
                return;
            }
            let log = log.clone();
            LOGGER.run(move |py| {
                if let Err(error) = log.flush(py) {
                    error.write_unraisable(py, None);
                }
            });
        })
    }

    /// Queues an event, unless it is not to be logged.
    fn push(&self, event: Event) -> bool {
        let wanted = self.attempts || !matches!(event, Event::Attempt(_));
        if wanted {
            lock(&self.events).waiting.push_back(event);
        }
        wanted
    }

    /// Marks the call as awaited by the current task. `tell` is called when there is something to log.
    pub(crate) fn awaited(
        &self,
        py: Python<'_>,
        tell: impl Fn(Arc<Self>) + Send + Sync + 'static,
    ) -> PyResult<()> {
        static COPY_CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let context = COPY_CONTEXT.import(py, "contextvars", "copy_context")?.call0()?.unbind();
        let _ = self.awaited.set(Awaited { tell: Box::new(tell), context });
        Ok(())
    }

    /// The next event to log. If another thread is logging one, waits for it, so that nothing is left to log afterwards. Its handler may
    /// take long, so Ctrl-C ends the wait.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        let this = (process::id(), thread::current().id());
        // A thread that logged during a fork does not exist in the child.
        let by_another = |events: &Events| events.logging.is_some_and(|by| by.0 == this.0 && by.1 != this.1);
        loop {
            let mut events = lock(&self.events);
            if !by_another(&events) {
                if events.logging == Some(this) {
                    // This is a log handler, and the caller goes on when it returns.
                    return Ok(None);
                }
                let event = events.waiting.pop_front();
                events.logging = event.is_some().then_some(this);
                return Ok(event);
            }
            drop(events);
            py.detach(|| {
                let events = lock(&self.events);
                drop(self.logged.wait_timeout_while(events, LOOK, |events| by_another(events)));
            });
            py.check_signals()?;
        }
    }

    /// Logs what is queued. A failing log handler does not affect the call: its exception goes to `sys.unraisablehook`. Anything
    /// that is not an `Exception` may be Ctrl-C, so it is raised.
    pub(crate) fn flush(&self, py: Python<'_>) -> PyResult<()> {
        while let Some(event) = self.next(py)? {
            let context = || self.awaited.get().map(|awaited| awaited.context.bind(py));
            let logged = match event {
                Event::Attempt(attempt) => record(py, &attempt, context()),
                Event::Info(text) => say(py, "info", text),
                Event::Warning(text) => say(py, "warning", text),
            };
            lock(&self.events).logging = None;
            self.logged.notify_all();
            match logged {
                Err(error) if error.is_instance_of::<PyException>(py) => error.write_unraisable(py, None),
                result => result?,
            }
        }
        Ok(())
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
    // The attribute does not exist yet while `logging` is being imported.
    let Ok(logger) = logging.call_method1("getLogger", ("proxymesh",)) else { return Ok(None) };
    Ok(Some(LOGGER.get_or_init(py, || logger.unbind()).bind(py)))
}

/// Logs a warning.
pub(crate) fn warn(py: Python<'_>, warning: String) -> PyResult<()> {
    say(py, "warning", warning)
}

/// Logs one line, even if the program has not imported `logging`.
fn say(py: Python<'_>, level: &str, line: String) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", ("proxymesh",))?;
    logger.call_method1(level, (line,)).map(drop)
}

/// Logs that an IP stays authorised.
pub(crate) fn stays_authorised(py: Python<'_>, ip: IpAddr, error: &Error) -> PyResult<()> {
    warn(py, binding::stays_authorised(ip, error))
}

fn record(py: Python<'_>, attempt: &Attempt, context: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
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
    let arguments = PyDict::new(py);
    arguments.set_item("extra", fields)?;
    // Without values, `logging` does not interpret a percent sign in the text.
    let values = (attempt.to_string(),).into_pyobject(py)?;
    let debug = logger.getattr(intern!(py, "debug"))?;
    match context {
        None => debug.call(values, Some(&arguments)),
        Some(context) => {
            let values = (debug,).into_pyobject(py)?.add(values)?.cast_into::<PyTuple>()?;
            context.call_method(intern!(py, "run"), values, Some(&arguments))
        }
    }
    .map(drop)
}
