//! The queue between the worker and one event loop.

use super::{descriptor::Descriptor, lock, waker::Waker};
use crate::log::Log;
use proxymesh::process;
use pyo3::{
    exceptions::PyNotImplementedError,
    intern,
    panic::PanicException,
    prelude::*,
    types::{PyWeakrefMethods, PyWeakrefReference},
};
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    thread,
};
use tokio::{runtime::Handle, task::AbortHandle};

/// A call under way, its answer's type forgotten.
pub(super) type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What came of it, to be turned into Python's objects by a thread that may.
pub(super) type Outcome = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// The queue between the worker and one event loop.
pub(super) struct Drain {
    /// A forked process has no worker that would fill it, and shares the loop's descriptors with its parent.
    process: u32,
    arrivals: Mutex<Vec<Arrival>>,
    wake: Wake,
    calls: Mutex<Calls>,
}

enum Arrival {
    Ended(u64, Outcome),
    Attempted(Arc<Log>),
}

/// A call that the worker drives. Dropped, it is given up: the worker drops the request, which closes its connection.
pub(super) struct Running {
    pub(super) drain: Arc<Drain>,
    pub(super) number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drain.give_up(self.number);
    }
}

/// The calls that are awaited on the loop.
#[derive(Default)]
struct Calls {
    number: u64,
    awaited: HashMap<u64, Waiting>,
}

struct Waiting {
    future: Py<PyAny>,
    outcome: Option<Outcome>,
    task: AbortHandle,
}

pub(super) enum Collected {
    Outcome(Outcome),
    Nothing(Py<PyAny>),
    Gone,
}

/// That a call's end will be told, even if it is a panic.
struct Promise {
    drain: Arc<Drain>,
    number: u64,
}

impl Promise {
    fn keep(&self, outcome: Outcome) {
        self.drain.arrive(Arrival::Ended(self.number, outcome));
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep(Box::new(|_| Err(PanicException::new_err("the call panicked"))));
        }
    }
}

/// How a loop is told that there is something in its queue.
enum Wake {
    /// A descriptor that it watches.
    Descriptor(Descriptor),
    /// For a loop that watches none: a thread of its own, which may wait for the GIL.
    Thread(Py<PyWeakrefReference>),
}

thread_local! {
    /// The queues of the loops that have run on this thread. The last one is most often the one wanted.
    static DRAINS: RefCell<Vec<(Py<PyWeakrefReference>, Arc<Drain>)>> = const { RefCell::new(Vec::new()) };
}

impl Drain {
    /// That of a loop, which runs on this thread. What the system lacks for a new one is told by `lacking`.
    pub(super) fn of(
        event_loop: &Bound<'_, PyAny>,
        lacking: impl Fn(io::Error) -> PyErr,
    ) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        let known = DRAINS.with_borrow(|drains| {
            let is_of = |(of, drain): &&(Py<PyWeakrefReference>, Arc<Self>)| {
                drain.is_own() && of.bind(py).upgrade().is_some_and(|of| of.is(event_loop))
            };
            drains.iter().rev().find(is_of).map(|(_, drain)| drain.clone())
        });
        if let Some(drain) = known {
            return Ok(drain);
        }
        let of = PyWeakrefReference::new(event_loop)?.unbind();
        let drain = Self::watched_by(event_loop, &of, lacking)?;
        let forgotten = DRAINS.with_borrow_mut(|drains| {
            let (kept, forgotten) = std::mem::take(drains)
                .into_iter()
                .partition(|(of, drain)| drain.is_own() && of.bind(py).upgrade().is_some());
            *drains = kept;
            drains.push((of, drain.clone()));
            forgotten
        });
        drop::<Vec<_>>(forgotten);
        Ok(drain)
    }

    fn watched_by(
        event_loop: &Bound<'_, PyAny>,
        of: &Py<PyWeakrefReference>,
        lacking: impl Fn(io::Error) -> PyErr,
    ) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        let new = |wake| {
            Arc::new(Self {
                process: process::id(),
                arrivals: Mutex::default(),
                wake,
                calls: Mutex::default(),
            })
        };
        if let Some(descriptor) = Descriptor::new().map_err(&lacking)? {
            let number = descriptor.number();
            let drain = new(Wake::Descriptor(descriptor));
            let reader = Bound::new(py, Reader(drain.clone()))?;
            // In a context of its own: the loop would keep that of the task that is the first to call.
            let context = py.import("contextvars")?.getattr("Context")?.call0()?;
            let add_reader = event_loop.getattr(intern!(py, "add_reader"))?;
            match context.call_method1(intern!(py, "run"), (add_reader, number, reader)) {
                Ok(_) => return Ok(drain),
                Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => {}
                Err(error) => return Err(error),
            }
        }
        // Without it nobody would tell the loop that a call has ended.
        Waker::start().map_err(lacking)?;
        Ok(new(Wake::Thread(of.clone_ref(py))))
    }

    fn is_own(&self) -> bool {
        self.process == process::id()
    }

    /// Has the worker drive a call; `future` is set when it has ended.
    pub(super) fn start(self: &Arc<Self>, worker: &Handle, work: Work, future: Py<PyAny>) -> Running {
        let mut calls = lock(&self.calls);
        calls.number += 1;
        let number = calls.number;
        let promise = Promise { drain: self.clone(), number };
        let task = worker.spawn(async move {
            let outcome = work.await;
            promise.keep(outcome);
        });
        calls.awaited.insert(number, Waiting { future, outcome: None, task: task.abort_handle() });
        Running { drain: self.clone(), number }
    }

    pub(super) fn log(self: &Arc<Self>, log: Arc<Log>) {
        self.arrive(Arrival::Attempted(log));
    }

    fn arrive(self: &Arc<Self>, arrival: Arrival) {
        let first = {
            let mut arrivals = lock(&self.arrivals);
            arrivals.push(arrival);
            arrivals.len() == 1
        };
        if first {
            self.wake();
        }
    }

    fn wake(self: &Arc<Self>) {
        match &self.wake {
            Wake::Descriptor(descriptor) => descriptor.wake(),
            Wake::Thread(_) => {
                let drain = self.clone();
                Waker::run(move |py| drain.call_soon(py));
            }
        }
    }

    /// Has the loop empty the queue. It watches no descriptor.
    fn call_soon(self: &Arc<Self>, py: Python<'_>) {
        let Wake::Thread(of) = &self.wake else { return };
        let told = of.bind(py).upgrade().is_some_and(|event_loop| {
            Bound::new(py, Reader(self.clone()))
                .and_then(|reader| event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (reader,)))
                .is_ok()
        });
        if !told {
            // The loop is closed, or gone.
            self.give_up_all();
        }
    }

    /// Empties the queue, on the loop.
    fn empty(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if let Wake::Descriptor(descriptor) = &self.wake {
            descriptor.awake();
        }
        let mut arrivals = VecDeque::from(std::mem::take(&mut *lock(&self.arrivals)));
        while let Some(arrival) = arrivals.pop_front() {
            match arrival {
                Arrival::Attempted(log) => {
                    if let Err(raised) = log.flush(py) {
                        // The loop is told, and then goes on with the rest.
                        lock(&self.arrivals).splice(..0, arrivals);
                        self.wake();
                        return Err(raised);
                    }
                }
                Arrival::Ended(number, outcome) => {
                    let future = {
                        let mut calls = lock(&self.calls);
                        // Not there, if it was given up meanwhile.
                        let Some(call) = calls.awaited.get_mut(&number) else { continue };
                        call.outcome = Some(outcome);
                        call.future.clone_ref(py)
                    };
                    // Fails if it was cancelled a moment ago; its task has been told.
                    let _ = future.call_method1(py, intern!(py, "set_result"), (py.None(),));
                }
            }
        }
        Ok(())
    }

    /// What came of a call, once.
    pub(super) fn collect(&self, number: u64) -> Collected {
        let mut calls = lock(&self.calls);
        match calls.awaited.remove(&number) {
            None => Collected::Gone,
            Some(Waiting { outcome: Some(outcome), future, .. }) => {
                drop(calls);
                drop(future);
                Collected::Outcome(outcome)
            }
            Some(call) => {
                let future = Python::try_attach(|py| call.future.clone_ref(py));
                calls.awaited.insert(number, call);
                future.map_or(Collected::Gone, Collected::Nothing)
            }
        }
    }

    fn give_up(&self, number: u64) {
        if !self.is_own() {
            return;
        }
        let call = lock(&self.calls).awaited.remove(&number);
        if let Some(call) = call {
            call.task.abort();
        }
    }

    /// What is dropped here is dropped without the locks: it may give up calls in turn.
    fn give_up_all(&self) {
        let calls = std::mem::take(&mut lock(&self.calls).awaited);
        let arrivals = std::mem::take(&mut *lock(&self.arrivals));
        drop(arrivals);
        for call in calls.values() {
            call.task.abort();
        }
    }
}

/// What the loop calls to empty the queue. A loop that watches the descriptor drops it when it is closed.
#[pyclass(frozen)]
struct Reader(Arc<Drain>);

#[pymethods]
impl Reader {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.0.empty(py)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.0.is_own() && matches!(self.0.wake, Wake::Descriptor(_)) {
            // The futures hold the loop, and nobody will collect what comes.
            self.0.give_up_all();
        }
    }
}
