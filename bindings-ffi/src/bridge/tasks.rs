//! The calls in progress on the worker.

use super::{Pending, wire};
use crate::error::Failure;
use std::{
    collections::HashMap,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
};
use tokio::{runtime::Handle, task::AbortHandle};

type Tasks = HashMap<i64, AbortHandle>;

static TASKS: LazyLock<Mutex<Tasks>> = LazyLock::new(Mutex::default);

fn tasks() -> MutexGuard<'static, Tasks> {
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number for a new task. Its caller knows it before the task starts, so it needs no lock of its own to cancel it.
pub(crate) fn number() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Starts a call as the task with this number. `done` gets the answer. If the call is cancelled first, `done` is dropped.
pub(crate) fn start(
    number: i64,
    worker: &Handle,
    mut call: Pending,
    done: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    // A call that ends at once waits for this lock, so it finds itself in the map.
    let mut tasks = tasks();
    let task = worker.spawn(async move {
        let answer = poll_fn(|context| {
            catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)))
                .unwrap_or_else(|panic| Poll::Ready(wire::failure(Failure::panicked(panic.as_ref()))))
        })
        .await;
        self::tasks().remove(&number);
        done(answer);
    });
    tasks.insert(number, task.abort_handle());
}

/// Ends a call and closes its connection. A call that has not started or has ended is not in the map.
pub(crate) fn cancel(number: i64) {
    let task = tasks().remove(&number);
    if let Some(task) = task {
        task.abort();
    }
}

/// Whether the task with this number is in progress.
#[cfg(test)]
pub(crate) fn is_in_progress(number: i64) -> bool {
    tasks().contains_key(&number)
}
