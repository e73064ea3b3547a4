//! The queue between the worker and one event loop.

use super::descriptor::Descriptor;
use crate::{lock::lock, log::Log, threads::WAKER};
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

/// A call in progress, with its result type erased.
pub(super) type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The outcome of a call. A thread that holds the GIL converts it into a Python object.
pub(super) type Outcome = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// The queue between the worker and one event loop.
pub(super) struct CompletionQueue {
    /// The process that created the queue. A forked process has no worker to fill it, and shares the loop's descriptors with its
    /// parent.
    process: u32,
    /// `None` once the loop is closed. An attempt that is reported later would keep the queue, because its log refers to the queue.
    arrivals: Mutex<Option<Vec<Arrival>>>,
    wake: Wake,
    calls: Mutex<Calls>,
}

enum Arrival {
    Ended(u64, Outcome),
    Attempted(Arc<Log>),
}

/// A call that the worker drives. Dropping this abandons the call: the worker drops the request, which closes its connection.
pub(super) struct Running {
    pub(super) queue: Arc<CompletionQueue>,
    pub(super) number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue.give_up(self.number);
    }
}

/// The calls awaited on the loop.
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

/// Ensures that the end of a call is reported, even if it panics.
struct Promise {
    queue: Arc<CompletionQueue>,
    number: u64,
}

impl Promise {
    fn keep(&self, outcome: Outcome) {
        self.queue.arrive(Arrival::Ended(self.number, outcome));
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep(Box::new(|_| Err(PanicException::new_err("the call panicked"))));
        }
    }
}

/// How a loop learns that its queue is not empty.
enum Wake {
    /// A descriptor that the loop watches.
    Descriptor(Descriptor),
    /// For a loop that cannot watch one: a separate thread, which may wait for the GIL.
    Thread(Py<PyWeakrefReference>),
}

thread_local! {
    /// The queues of the loops that have run on this thread. The last one is the most likely to be needed.
    static QUEUES: RefCell<Vec<(Py<PyWeakrefReference>, Arc<CompletionQueue>)>> = const { RefCell::new(Vec::new()) };
}

impl CompletionQueue {
    /// The queue of a loop that runs on this thread. If the system lacks resources for a new one, `lacking` makes the error.
    pub(super) fn of(
        event_loop: &Bound<'_, PyAny>,
        lacking: impl Fn(io::Error) -> PyErr,
    ) -> PyResult<Arc<Self>> {
        let py = event_loop.py();
        let known = QUEUES.with_borrow(|queues| {
            let is_of = |(of, queue): &&(Py<PyWeakrefReference>, Arc<Self>)| {
                queue.is_own() && of.bind(py).upgrade().is_some_and(|of| of.is(event_loop))
            };
            queues.iter().rev().find(is_of).map(|(_, queue)| queue.clone())
        });
        if let Some(queue) = known {
            return Ok(queue);
        }
        let of = PyWeakrefReference::new(event_loop)?.unbind();
        let queue = Self::watched_by(event_loop, &of, lacking)?;
        let forgotten = QUEUES.with_borrow_mut(|queues| {
            let (kept, forgotten) = std::mem::take(queues)
                .into_iter()
                .partition(|(of, queue)| queue.is_own() && of.bind(py).upgrade().is_some());
            *queues = kept;
            queues.push((of, queue.clone()));
            forgotten
        });
        drop::<Vec<_>>(forgotten);
        Ok(queue)
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
                arrivals: Mutex::new(Some(Vec::new())),
                wake,
                calls: Mutex::default(),
            })
        };
        if let Some(descriptor) = Descriptor::new().map_err(&lacking)? {
            let number = descriptor.number();
            let queue = new(Wake::Descriptor(descriptor));
            let reader = Bound::new(py, Reader(queue.clone()))?;
            // `add_reader` runs in a new context. Otherwise the loop would keep the context of the first task that makes a call.
            let context = py.import("contextvars")?.getattr("Context")?.call0()?;
            let add_reader = event_loop.getattr(intern!(py, "add_reader"))?;
            match context.call_method1(intern!(py, "run"), (add_reader, number, reader)) {
                Ok(_) => return Ok(queue),
                Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => {}
                Err(error) => return Err(error),
            }
        }
        // Without this thread, nothing would tell the loop that a call has ended.
        WAKER.start().map_err(lacking)?;
        Ok(new(Wake::Thread(of.clone_ref(py))))
    }

    fn is_own(&self) -> bool {
        self.process == process::id()
    }

    /// Lets the worker drive a call, and sets `future` when the call has ended.
    pub(super) fn start(self: &Arc<Self>, worker: &Handle, work: Work, future: Py<PyAny>) -> Running {
        let mut calls = lock(&self.calls);
        calls.number += 1;
        let number = calls.number;
        let promise = Promise { queue: self.clone(), number };
        let task = worker.spawn(async move {
            let outcome = work.await;
            promise.keep(outcome);
        });
        calls.awaited.insert(number, Waiting { future, outcome: None, task: task.abort_handle() });
        Running { queue: self.clone(), number }
    }

    pub(super) fn log(self: &Arc<Self>, log: Arc<Log>) {
        self.arrive(Arrival::Attempted(log));
    }

    fn arrive(self: &Arc<Self>, arrival: Arrival) {
        let first = {
            let mut arrivals = lock(&self.arrivals);
            let Some(arrivals) = arrivals.as_mut() else { return };
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
                let queue = self.clone();
                WAKER.run(move |py| queue.call_soon(py));
            }
        }
    }

    /// Asks a loop that watches no descriptor to empty the queue.
    fn call_soon(self: &Arc<Self>, py: Python<'_>) {
        let Wake::Thread(of) = &self.wake else { return };
        let told = of.bind(py).upgrade().is_some_and(|event_loop| {
            Bound::new(py, Reader(self.clone()))
                .and_then(|reader| event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (reader,)))
                .is_ok()
        });
        if !told {
            // The loop is closed or gone.
            self.give_up_all();
        }
    }

    /// Empties the queue. The loop calls this through its [`Reader`].
    fn empty(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        if let Wake::Descriptor(descriptor) = &self.wake {
            descriptor.awake();
        }
        let mut arrivals =
            VecDeque::from(lock(&self.arrivals).as_mut().map(std::mem::take).unwrap_or_default());
        while let Some(arrival) = arrivals.pop_front() {
            match arrival {
                Arrival::Attempted(log) => {
                    if let Err(raised) = log.flush(py) {
                        // Report the exception to the loop, and keep the rest for its next turn.
                        if let Some(later) = lock(&self.arrivals).as_mut() {
                            later.splice(..0, arrivals);
                        }
                        self.wake();
                        return Err(raised);
                    }
                }
                Arrival::Ended(number, outcome) => {
                    let future = {
                        let mut calls = lock(&self.calls);
                        // The call is missing if it was abandoned in the meantime.
                        let Some(call) = calls.awaited.get_mut(&number) else { continue };
                        call.outcome = Some(outcome);
                        call.future.clone_ref(py)
                    };
                    // This fails if the future was just cancelled. Its task already knows.
                    let _ = future.call_method1(py, intern!(py, "set_result"), (py.None(),));
                }
            }
        }
        Ok(())
    }

    /// Takes the outcome of a call.
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

    /// Abandons all calls of a closed loop. Drops them outside the locks, because dropping may abandon further calls.
    fn give_up_all(&self) {
        let calls = std::mem::take(&mut lock(&self.calls).awaited);
        let arrivals = lock(&self.arrivals).take();
        drop(arrivals);
        for call in calls.values() {
            call.task.abort();
        }
    }
}

/// The loop calls this to empty the queue. A loop that watches the descriptor drops this object when it closes.
#[pyclass(frozen)]
struct Reader(Arc<CompletionQueue>);

#[pymethods]
impl Reader {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.0.empty(py)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.0.is_own() && matches!(self.0.wake, Wake::Descriptor(_)) {
            // The futures keep the loop alive, and nobody will collect further outcomes.
            self.0.give_up_all();
        }
    }
}
