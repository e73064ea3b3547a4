//! The threads that may wait for the GIL: one wakes the event loops that watch no descriptor, one logs what happens between calls. Our
//! other threads never wait for it.

use crate::lock::lock;
use proxymesh::process::PerProcess;
use pyo3::prelude::*;
use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex, PoisonError, RwLock, mpsc},
    thread,
};

pub(crate) static WAKER: Thread = Thread::named("proxymesh-waker");

/// It runs the program's log handlers, which may take long, so it is not the waker.
pub(crate) static LOGGER: Thread = Thread::named("proxymesh-logger");

/// Whether the threads may attach to the interpreter. They hold the lock while they are attached. False once the interpreter exits,
/// also for a thread that starts afterwards.
static MAY_ATTACH: PerProcess<RwLock<bool>> = PerProcess::empty();

type Task = Box<dyn FnOnce(Python<'_>) + Send>;

/// A thread of this process that does one task after another. The first task starts it.
pub(crate) struct Thread {
    name: &'static str,
    tasks: PerProcess<Mutex<mpsc::Sender<Task>>>,
}

impl Thread {
    const fn named(name: &'static str) -> Self {
        Self { name, tasks: PerProcess::empty() }
    }

    /// Runs `task` on the thread.
    pub(crate) fn run(&self, task: impl FnOnce(Python<'_>) + Send + 'static) {
        if let Ok(tasks) = self.tasks() {
            let _ = lock(&tasks).send(Box::new(task));
        }
    }

    /// Ensures that the thread exists.
    pub(crate) fn start(&self) -> io::Result<()> {
        self.tasks().map(drop)
    }

    fn tasks(&self) -> io::Result<Arc<Mutex<mpsc::Sender<Task>>>> {
        self.tasks.get_or_try_init(|_| {
            let (sender, receiver) = mpsc::channel::<Task>();
            let attach = may_attach();
            thread::Builder::new().name(self.name.into()).spawn(move || {
                for task in receiver {
                    let may_attach = attach.read().unwrap_or_else(PoisonError::into_inner);
                    if *may_attach {
                        Python::try_attach(task);
                    }
                    drop(may_attach);
                }
            })?;
            Ok(Mutex::new(sender))
        })
    }
}

fn may_attach() -> Arc<RwLock<bool>> {
    match MAY_ATTACH.get_or_try_init(|_| Ok::<_, Infallible>(RwLock::new(true))) {
        Ok(may_attach) => may_attach,
        Err(never) => match never {},
    }
}

/// Call this before the interpreter exits. Attaching to an interpreter that is exiting crashes. Before Python 3.13, there is no way to
/// detect that in time. Since then, the only way is unreliable.
pub(crate) fn stop(py: Python<'_>) {
    py.detach(|| *may_attach().write().unwrap_or_else(PoisonError::into_inner) = false);
}
