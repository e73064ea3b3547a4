//! Does what must wait for the GIL: wakes the event loops that watch no descriptor, and logs what happens between calls.

use crate::lock::lock;
use proxymesh::process::PerProcess;
use pyo3::prelude::*;
use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex, mpsc},
    thread,
};

type Task = Box<dyn FnOnce(Python<'_>) + Send>;

/// The thread that wakes the event loops that watch no descriptor, and logs what happens between calls. Our other threads never wait
/// for the GIL.
pub(crate) struct Waker {
    tasks: Mutex<mpsc::Sender<Task>>,
}

static WAKER: PerProcess<Waker> = PerProcess::empty();

/// Whether the thread may attach to the interpreter. It holds the lock while it is attached. False once the interpreter exits, also for
/// a thread that starts afterwards.
static MAY_ATTACH: PerProcess<Mutex<bool>> = PerProcess::empty();

fn may_attach() -> Arc<Mutex<bool>> {
    match MAY_ATTACH.get_or_try_init(|_| Ok::<_, Infallible>(Mutex::new(true))) {
        Ok(may_attach) => may_attach,
        Err(never) => match never {},
    }
}

impl Waker {
    /// Runs `task` on the thread.
    pub(crate) fn run(task: impl FnOnce(Python<'_>) + Send + 'static) {
        if let Ok(waker) = Self::get() {
            let _ = lock(&waker.tasks).send(Box::new(task));
        }
    }

    /// Ensures that the thread exists.
    pub(super) fn start() -> io::Result<()> {
        Self::get().map(drop)
    }

    fn get() -> io::Result<Arc<Self>> {
        WAKER.get_or_try_init(|_| Self::new())
    }

    fn new() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Task>();
        let attach = may_attach();
        thread::Builder::new().name("proxymesh-waker".into()).spawn(move || {
            for task in receiver {
                let may_attach = lock(&attach);
                if *may_attach {
                    Python::try_attach(task);
                }
                drop(may_attach);
            }
        })?;
        Ok(Self { tasks: Mutex::new(sender) })
    }

    /// Call this before the interpreter exits. Attaching to an interpreter that is exiting crashes. Before Python 3.13, there is no way
    /// to detect that in time. Since then, the only way is unreliable.
    pub(crate) fn stop(py: Python<'_>) {
        py.detach(|| *lock(&may_attach()) = false);
    }
}
