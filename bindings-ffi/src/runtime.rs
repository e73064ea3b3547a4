//! The threads on which the calls of [`Client`](crate::Client) run.

use crate::error::Failure;
use proxymesh::Error;
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Mutex, OnceLock, PoisonError},
    task::Poll,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// Started by the first call of the process, and never stopped.
fn runtime() -> proxymesh::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("proxymesh")
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Error::Config { reason: format!("the runtime cannot be made: {error}") })?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

/// The task of a call, which ends with the future that waits for it.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `call` on the runtime, until it ends, `aborted` turns true, or the future of this function is dropped.
pub(crate) async fn run<T: Send + 'static>(
    mut aborted: watch::Receiver<bool>,
    call: impl Future<Output = proxymesh::Result<T>> + Send + 'static,
) -> Result<T, Failure> {
    let (give, mut given) = oneshot::channel();
    // Without the future's type from here on: what drives it is compiled once, not once a call.
    let call: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        let mut aborted = pin!(aborted.wait_for(|aborted| *aborted));
        let mut call = pin!(call);
        let result = poll_fn(|context| {
            if aborted.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(Failure::aborted()));
            }
            call.as_mut().poll(context).map_err(Failure::from)
        });
        let _ = give.send(result.await);
    });
    let mut task = Task(runtime()?.spawn(call));
    match (&mut task.0).await {
        Ok(()) => given.try_recv().unwrap_or_else(|_| Err(Failure::aborted())),
        Err(error) => Err(match error.try_into_panic() {
            Ok(panic) => Failure::panicked(panic.as_ref()),
            Err(_) => Failure::aborted(),
        }),
    }
}
