//! What wakes the loops that watch no descriptor.

use super::lock;
use proxymesh::process::PerProcess;
use pyo3::prelude::*;
use std::{
    io,
    sync::{Arc, Mutex, mpsc},
    thread,
};

type Task = Box<dyn FnOnce(Python<'_>) + Send>;

/// The thread that wakes the loops that watch no descriptor. Only it waits for the GIL.
pub(crate) struct Waker {
    tasks: Mutex<mpsc::Sender<Task>>,
    /// Held while the thread has to do with Python: there is none left to have to do with once the interpreter exits.
    may_attach: Arc<Mutex<bool>>,
}

static WAKER: PerProcess<Waker> = PerProcess::empty();

impl Waker {
    /// Has the thread do this.
    pub(super) fn run(task: impl FnOnce(Python<'_>) + Send + 'static) {
        if let Ok(waker) = Self::get() {
            let _ = lock(&waker.tasks).send(Box::new(task));
        }
    }

    /// Makes sure that there is the thread.
    pub(super) fn start() -> io::Result<()> {
        Self::get().map(drop)
    }

    fn get() -> io::Result<Arc<Self>> {
        WAKER.get_or_try_init(|_| Self::new())
    }

    fn new() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Task>();
        let may_attach = Arc::new(Mutex::new(true));
        let attach = may_attach.clone();
        thread::Builder::new().name("proxymesh-waker".into()).spawn(move || {
            for task in receiver {
                let may_attach = lock(&attach);
                if *may_attach {
                    Python::try_attach(task);
                }
                drop(may_attach);
            }
        })?;
        Ok(Self { tasks: Mutex::new(sender), may_attach })
    }

    /// Before the interpreter exits. To attach to one that is exiting crashes: before Python 3.13 nobody can tell in time,
    /// and from then on only nearly.
    pub(crate) fn stop(py: Python<'_>) {
        if let Ok(waker) = WAKER.get_or_try_init(|_| Err(())) {
            py.detach(|| *lock(&waker.may_attach) = false);
        }
    }
}
