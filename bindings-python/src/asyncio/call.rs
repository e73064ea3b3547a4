//! The object that a call of `AsyncClient` returns. It behaves like a coroutine.

use super::completions::{Collected, CompletionQueue, Outcome, Running, Work};
use crate::{
    call::Response,
    error::{Failure, import},
    lock::lock,
    log::Log,
};
use proxymesh::{Error, Pending, process, runtime};
use pyo3::{
    exceptions::{PyRuntimeError, PyRuntimeWarning, PyStopIteration},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};
use std::{
    io,
    sync::{Arc, Mutex},
};

/// The awaitable that a call of `AsyncClient` returns. Await it once. The request is sent when it is first awaited.
///
/// asyncio treats it like any other coroutine.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct Call {
    name: &'static str,
    /// The module that is needed to convert the result.
    module: Option<&'static str>,
    log: Option<Arc<Log>>,
    /// Returned instead of the result.
    instead: Option<Py<PyAny>>,
    state: Mutex<State>,
    /// The process that created the call. A process forked later must not use the client's connections.
    process: u32,
}

enum State {
    New(&'static str, Work),
    Running(Running),
    /// The outcome is already known.
    Ready(Outcome),
    Done,
}

impl Call {
    /// A call that does not wait. `outcome` runs when it is awaited.
    pub(crate) fn at_once(
        name: &'static str,
        outcome: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        Self::new(name, None, None, State::Ready(Box::new(outcome)))
    }

    /// A call that waits for `reply`. `call` is its name in errors.
    pub(crate) fn of<T: Response>(
        name: &'static str,
        call: &'static str,
        log: Option<Arc<Log>>,
        reply: Pending<T>,
    ) -> Self {
        Self::new(name, T::MODULE, log, State::New(call, work(reply)))
    }

    fn new(name: &'static str, module: Option<&'static str>, log: Option<Arc<Log>>, state: State) -> Self {
        Self { name, module, log, instead: None, state: Mutex::new(state), process: process::id() }
    }

    /// The same call, but it returns `object` if it succeeds.
    pub(crate) fn returning(self, object: Py<PyAny>) -> Self {
        // A call has a `Drop` of its own, so its fields cannot be moved.
        let state = self.take();
        let mut call = Self::new(self.name, self.module, self.log.clone(), state);
        call.instead = Some(object);
        call
    }

    fn take(&self) -> State {
        std::mem::replace(&mut *lock(&self.state), State::Done)
    }

    fn put(&self, state: State) {
        *lock(&self.state) = state;
    }

    /// Runs as far as possible. Returns a future to wait for, raises `StopIteration` with the result, or raises an error.
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let outcome = match self.take() {
            State::New(..) | State::Running(_) if self.process != process::id() => {
                return Err(PyRuntimeError::new_err(
                    "the call was created before this process was forked; create it in this process",
                ));
            }
            State::New(call, work) => {
                let event_loop = running_loop(py)?;
                let lacking = |error: io::Error| Failure::Core(Error::lacking(call, &error)).into();
                if let Some(module) = self.module {
                    import(py, module)?;
                }
                let worker = runtime::worker().map_err(lacking)?;
                let queue = CompletionQueue::of(&event_loop, lacking)?;
                let future = event_loop.call_method0(intern!(py, "create_future"))?;
                if let Some(log) = &self.log {
                    let queue = queue.clone();
                    log.awaited(py, move |log| queue.log(log))?;
                }
                self.put(State::Running(queue.start(&worker, work, future.clone().unbind())));
                return wait_for(future);
            }
            State::Running(running) => match running.queue.collect(running.number) {
                Collected::Outcome(outcome) => outcome,
                Collected::Nothing(future) => {
                    let future = future.into_bound(py);
                    // `result` raises if someone else has cancelled the future.
                    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
                        future.call_method0(intern!(py, "result"))?;
                    }
                    self.put(State::Running(running));
                    return wait_for(future);
                }
                Collected::Gone => return Err(PyRuntimeError::new_err("the event loop is closed")),
            },
            State::Ready(outcome) => outcome,
            State::Done => return Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine")),
        };
        if let Some(log) = &self.log {
            log.flush(py)?;
        }
        let result = outcome(py)?;
        let result = self.instead.as_ref().map_or(result, |instead| instead.clone_ref(py));
        Err(PyStopIteration::new_err((result,)))
    }
}

/// Makes the task wait for `future`, as `Future.__await__` does.
fn wait_for(future: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    future.setattr(intern!(future.py(), "_asyncio_future_blocking"), true)?;
    Ok(future)
}

fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RUNNING.import(py, "asyncio", "get_running_loop")?.call0().map_err(|error| {
        let clear = PyRuntimeError::new_err(
            "proxymesh.AsyncClient needs a running asyncio event loop; \
             under trio or curio, use proxymesh.Client in a thread",
        );
        clear.set_cause(py, Some(error));
        clear
    })
}

#[pymethods]
impl Call {
    #[getter]
    fn __name__(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.name
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py)
    }

    fn send<'py>(&self, py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let _ = value;
        self.step(py)
    }

    /// Abandons the call and raises.
    #[pyo3(signature = (kind, value=None, traceback=None))]
    fn throw<'py>(
        &self,
        kind: &Bound<'py, PyAny>,
        value: Option<Bound<'py, PyAny>>,
        traceback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = kind.py();
        drop(self.take());
        if let Some(log) = &self.log {
            log.flush(py)?;
        }
        let raised = match (kind.cast::<PyType>(), value) {
            (Err(_), _) => kind.clone(),
            (Ok(_), Some(value)) if value.is_instance(kind)? => value,
            (Ok(_), Some(value)) => kind.call1((value,))?,
            (Ok(_), None) => kind.call0()?,
        };
        if let Some(traceback) = traceback.filter(|traceback| !traceback.is_none()) {
            raised.setattr("__traceback__", traceback)?;
        }
        Err(PyErr::from_value(raised))
    }

    /// Abandons the call.
    fn close(&self) {
        drop(self.take());
    }

    fn __repr__(&self) -> String {
        format!("<proxymesh call {}>", self.name)
    }
}

impl Drop for Call {
    /// A call that was never awaited was never sent. This warns about it, as Python does for its own coroutines.
    fn drop(&mut self) {
        if let State::New(..) | State::Ready(_) = self.take() {
            let name = self.name;
            Python::try_attach(|py| {
                let raised = PyErr::take(py);
                let message = std::ffi::CString::new(format!("coroutine '{name}' was never awaited"));
                let category = py.get_type::<PyRuntimeWarning>();
                if let Err(error) = PyErr::warn(py, &category, &message.unwrap_or_default(), 1) {
                    error.write_unraisable(py, None);
                }
                if let Some(raised) = raised {
                    raised.restore(py);
                }
            });
        }
    }
}

fn work<T: Response>(reply: Pending<T>) -> Work {
    Box::pin(async move {
        let result = reply.await;
        Box::new(move |py: Python<'_>| match result {
            Ok(response) => response.into_python(py).map(Bound::unbind),
            Err(error) => Err(Failure::Core(error).into()),
        }) as Outcome
    })
}
