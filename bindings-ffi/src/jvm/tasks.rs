//! The calls that the worker is making for Java.

use super::{Pending, wire};
use crate::error::Failure;
use std::{
    collections::HashMap,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    task::Poll,
};
use tokio::{runtime::Handle, task::AbortHandle};

#[derive(Default)]
struct Tasks {
    by_number: HashMap<i64, AbortHandle>,
    count: i64,
}

static TASKS: LazyLock<Mutex<Tasks>> = LazyLock::new(Mutex::default);

fn tasks() -> MutexGuard<'static, Tasks> {
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a call, and returns its number.
pub(crate) fn start(worker: &Handle, mut call: Pending, done: impl FnOnce(&[u8]) + Send + 'static) -> i64 {
    // A call that ends at once waits for this lock, so it finds itself in the map.
    let mut tasks = tasks();
    tasks.count += 1;
    let number = tasks.count;
    let task = worker.spawn(async move {
        let answer = poll_fn(|context| {
            catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)))
                .unwrap_or_else(|panic| Poll::Ready(wire::failure(Failure::panicked(panic.as_ref()))))
        })
        .await;
        self::tasks().by_number.remove(&number);
        done(&answer);
    });
    tasks.by_number.insert(number, task.abort_handle());
    number
}

/// Ends a call and closes its connection. A call that has ended is not in the map.
pub(crate) fn cancel(number: i64) {
    let task = tasks().by_number.remove(&number);
    if let Some(task) = task {
        task.abort();
    }
}
