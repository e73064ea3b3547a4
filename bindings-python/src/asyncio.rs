//! How `AsyncClient` makes a call: a worker thread of our own drives it, and the event loop is told when it has ended.
//!
//! The worker never waits for the GIL. It puts what came of a call into the queue of the event loop that awaits it
//! ([`Drain`]) and wakes the loop, once for all that is in the queue; the loop then empties it. The worker holds no
//! Python object, so it does not matter to it when the interpreter goes away.

use crate::{
    client::{Caller, Mode, Shared},
    error::{exception, import},
    log::Log,
    model::Answer,
};
use proxymesh::{
    Client, Error, Pending,
    endpoint::Endpoint,
    process::{self, PerProcess},
    resource::Dispatch,
    runtime,
};
use pyo3::{
    exceptions::{PyNotImplementedError, PyRuntimeError, PyRuntimeWarning, PyStopIteration},
    intern,
    panic::PanicException,
    prelude::*,
    sync::PyOnceLock,
    types::{PyType, PyWeakrefMethods, PyWeakrefReference},
};
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};
use tokio::{runtime::Handle, task::AbortHandle};

/// A client whose calls are driven by the worker thread.
pub(crate) struct Awaited(Client);

impl Mode for Awaited {
    fn new(client: Client) -> proxymesh::Result<Self> {
        Ok(Self(client))
    }

    fn client(&self) -> &Client {
        &self.0
    }
}

/// An answer to wait for, and the call that it is the answer to.
pub(crate) struct Reply<T> {
    call: &'static str,
    answer: Pending<T>,
}

impl Dispatch for Caller<'_, Awaited> {
    type Reply<T: Send + 'static> = Reply<T>;

    fn dispatch<E: Endpoint>(&self, endpoint: proxymesh::Result<E>) -> Reply<E::Answer> {
        Reply { call: E::CALL.name, answer: self.client.dispatch(endpoint) }
    }
}

impl<'py> Caller<'py, Awaited> {
    /// Gives what to await for the answer of a call. Nothing is sent before, and bad input is told then, too.
    pub(crate) fn make<T: Answer>(
        py: Python<'py>,
        shared: &Shared<Awaited>,
        name: &'static str,
        call: impl FnOnce(&Self) -> PyResult<Reply<T>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let made = Self::new(py, shared).and_then(|caller| Ok((call(&caller)?, caller.log)));
        let (state, log) = match made {
            Ok((reply, log)) => (State::New(reply.call, work(reply.answer)), log),
            Err(error) => (State::Ready(Box::new(move |_| Err(error))), None),
        };
        Ok(Bound::new(py, Call::new(name, T::MODULE, log, state))?.into_any())
    }
}

/// A call under way, its answer's type forgotten.
type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What came of it, to be turned into Python's objects by a thread that may.
type Outcome = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

fn work<T: Answer>(reply: Pending<T>) -> Work {
    Box::pin(async move {
        let result = reply.await;
        Box::new(move |py: Python<'_>| match result {
            Ok(answer) => answer.into_python(py).map(Bound::unbind),
            Err(error) => Err(exception(py, &error)),
        }) as Outcome
    })
}

/// What a call of `AsyncClient` gives: to be awaited, once. It is sent when it is first awaited.
///
/// For asyncio it is a coroutine like any other.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct Call {
    name: &'static str,
    /// What its answer needs.
    module: Option<&'static str>,
    log: Option<Arc<Log>>,
    state: Mutex<State>,
    /// Its client's connections are not for a process forked since.
    process: u32,
}

enum State {
    New(&'static str, Work),
    Running(Running),
    /// There is nothing to wait for.
    Ready(Outcome),
    Done,
}

/// A call that the worker drives. Dropped, it is given up: the worker drops the request, which closes its connection.
struct Running {
    drain: Arc<Drain>,
    number: u64,
}

impl Call {
    /// One that need not wait for anything: `outcome` happens when it is awaited.
    pub(crate) fn at_once(
        name: &'static str,
        outcome: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        Self::new(name, None, None, State::Ready(Box::new(outcome)))
    }

    /// One that a client has no part in. `call` is its name in errors.
    pub(crate) fn of<T: Answer>(
        name: &'static str,
        call: &'static str,
        reply: impl Future<Output = proxymesh::Result<T>> + Send + 'static,
    ) -> Self {
        Self::new(name, T::MODULE, None, State::New(call, work(Box::pin(reply))))
    }

    fn new(name: &'static str, module: Option<&'static str>, log: Option<Arc<Log>>, state: State) -> Self {
        Self { name, module, log, state: Mutex::new(state), process: process::id() }
    }

    fn take(&self) -> State {
        std::mem::replace(&mut *lock(&self.state), State::Done)
    }

    fn put(&self, state: State) {
        *lock(&self.state) = state;
    }

    /// Goes on as far as it can: gives a future to wait for, or raises `StopIteration` with the answer, or an error.
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let outcome = match self.take() {
            State::New(..) | State::Running(_) if self.process != process::id() => {
                return Err(PyRuntimeError::new_err(
                    "the call was made before this process was forked; make it here",
                ));
            }
            State::New(call, work) => {
                let event_loop = running_loop(py)?;
                let lacking = |error: io::Error| exception(py, &Error::lacking(call, &error));
                if let Some(module) = self.module {
                    import(py, module)?;
                }
                let worker = runtime::worker().map_err(lacking)?;
                let drain = Drain::of(&event_loop, lacking)?;
                let future = event_loop.call_method0(intern!(py, "create_future"))?;
                if let Some(log) = &self.log {
                    log.awaited(py, &drain)?;
                }
                self.put(State::Running(drain.start(&worker, work, future.clone().unbind())));
                return wait_for(future);
            }
            State::Running(running) => match running.drain.collect(running.number) {
                Collected::Outcome(outcome) => outcome,
                Collected::Nothing(future) => {
                    let future = future.into_bound(py);
                    // Raises, if somebody else has cancelled it.
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
        Err(PyStopIteration::new_err((outcome(py)?,)))
    }
}

/// Has the task wait for `future`, as `Future.__await__` does.
fn wait_for(future: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    future.setattr(intern!(future.py(), "_asyncio_future_blocking"), true)?;
    Ok(future)
}

fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RUNNING.import(py, "asyncio", "get_running_loop")?.call0().map_err(|error| {
        let clear = PyRuntimeError::new_err(
            "proxymesh.AsyncClient is for asyncio, and no asyncio event loop is running here; \
             under trio or curio use proxymesh.Client in a thread",
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

    /// Gives the call up, and raises.
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

    /// Gives the call up.
    fn close(&self) {
        drop(self.take());
    }

    fn __repr__(&self) -> String {
        format!("<proxymesh call {}>", self.name)
    }
}

impl Drop for Call {
    /// A call that was never awaited was never made: Python warns of that for its own coroutines, too.
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

impl Drop for Running {
    fn drop(&mut self) {
        self.drain.give_up(self.number);
    }
}

/// The queue between the worker and one event loop.
pub(crate) struct Drain {
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

enum Collected {
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
    Descriptor(descriptor::Descriptor),
    /// For a loop that watches none: a thread of its own, which may wait for the GIL.
    Thread(Py<PyWeakrefReference>),
}

thread_local! {
    /// The queues of the loops that have run on this thread. The last one is most often the one wanted.
    static DRAINS: RefCell<Vec<(Py<PyWeakrefReference>, Arc<Drain>)>> = const { RefCell::new(Vec::new()) };
}

impl Drain {
    /// That of a loop, which runs on this thread. What the system lacks for a new one is told by `lacking`.
    fn of(event_loop: &Bound<'_, PyAny>, lacking: impl Fn(io::Error) -> PyErr) -> PyResult<Arc<Self>> {
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
        if let Some(descriptor) = descriptor::Descriptor::new().map_err(&lacking)? {
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
        Waker::get().map_err(lacking)?;
        Ok(new(Wake::Thread(of.clone_ref(py))))
    }

    fn is_own(&self) -> bool {
        self.process == process::id()
    }

    /// Has the worker drive a call; `future` is set when it has ended.
    fn start(self: &Arc<Self>, worker: &Handle, work: Work, future: Py<PyAny>) -> Running {
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

    pub(crate) fn log(self: &Arc<Self>, log: Arc<Log>) {
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
            Wake::Thread(_) => Waker::wake(self),
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
    fn collect(&self, number: u64) -> Collected {
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

/// The thread that wakes the loops that watch no descriptor. Only it waits for the GIL.
pub(crate) struct Waker {
    drains: Mutex<mpsc::Sender<Arc<Drain>>>,
    /// Held while the thread has to do with Python: there is none left to have to do with once the interpreter exits.
    may_attach: Arc<Mutex<bool>>,
}

static WAKER: PerProcess<Waker> = PerProcess::empty();

impl Waker {
    fn wake(drain: &Arc<Drain>) {
        if let Ok(waker) = Self::get() {
            let _ = lock(&waker.drains).send(drain.clone());
        }
    }

    fn get() -> io::Result<Arc<Self>> {
        WAKER.get_or_try_init(|_| Self::new())
    }

    fn new() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Arc<Drain>>();
        let may_attach = Arc::new(Mutex::new(true));
        let attach = may_attach.clone();
        thread::Builder::new().name("proxymesh-waker".into()).spawn(move || {
            for drain in receiver {
                let may_attach = lock(&attach);
                if *may_attach {
                    Python::try_attach(|py| Self::call_soon(py, &drain));
                }
                drop(may_attach);
            }
        })?;
        Ok(Self { drains: Mutex::new(sender), may_attach })
    }

    /// Before the interpreter exits. To attach to one that is exiting crashes: before Python 3.13 nobody can tell in time,
    /// and from then on only nearly.
    pub(crate) fn stop(py: Python<'_>) {
        if let Ok(waker) = WAKER.get_or_try_init(|_| Err(())) {
            py.detach(|| *lock(&waker.may_attach) = false);
        }
    }

    fn call_soon(py: Python<'_>, drain: &Arc<Drain>) {
        let Wake::Thread(of) = &drain.wake else { return };
        let told = of.bind(py).upgrade().is_some_and(|event_loop| {
            Bound::new(py, Reader(drain.clone()))
                .and_then(|reader| event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (reader,)))
                .is_ok()
        });
        if !told {
            // The loop is closed, or gone.
            drain.give_up_all();
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod descriptor {
    use rustix::{
        event::{EventfdFlags, eventfd},
        fd::{AsRawFd, OwnedFd},
        io::{read, write},
    };
    use std::io;

    /// An event counter of the kernel.
    pub(super) struct Descriptor(OwnedFd);

    impl Descriptor {
        pub(super) fn new() -> io::Result<Option<Self>> {
            Ok(Some(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
        }

        pub(super) fn number(&self) -> i32 {
            self.0.as_raw_fd()
        }

        pub(super) fn wake(&self) {
            let _ = write(&self.0, &1_u64.to_ne_bytes());
        }

        pub(super) fn awake(&self) {
            let _ = read(&self.0, &mut [0; 8]);
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod descriptor {
    use std::{
        io::{self, Read, Write},
        os::{fd::AsRawFd, unix::net::UnixStream},
    };

    /// A pair of sockets: what is written to one makes the other readable.
    pub(super) struct Descriptor {
        readable: UnixStream,
        writable: UnixStream,
    }

    impl Descriptor {
        pub(super) fn new() -> io::Result<Option<Self>> {
            let (readable, writable) = UnixStream::pair()?;
            readable.set_nonblocking(true)?;
            writable.set_nonblocking(true)?;
            Ok(Some(Self { readable, writable }))
        }

        pub(super) fn number(&self) -> i32 {
            self.readable.as_raw_fd()
        }

        pub(super) fn wake(&self) {
            let _ = (&self.writable).write(&[1]);
        }

        pub(super) fn awake(&self) {
            let mut bytes = [0; 64];
            while matches!((&self.readable).read(&mut bytes), Ok(64)) {}
        }
    }
}

#[cfg(not(unix))]
mod descriptor {
    use std::io;

    /// There is none that every loop can watch.
    pub(super) enum Descriptor {}

    impl Descriptor {
        pub(super) fn new() -> io::Result<Option<Self>> {
            Ok(None)
        }

        pub(super) fn number(&self) -> i32 {
            match *self {}
        }

        pub(super) fn wake(&self) {
            match *self {}
        }

        pub(super) fn awake(&self) {
            match *self {}
        }
    }
}

/// What panicked elsewhere has left a whole state: every change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
