//! Runs the calls of [`Client`](crate::Client) on the core's thread.

use crate::error::Failure;
use proxymesh::{Error, endpoint::CALLS, runtime::worker};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// The task of a call. It ends when the future that waits for it is dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs the call that is exported as `name`, until it ends, `aborted` turns true, or the future of this function is dropped.
pub(crate) async fn run<T: Send + 'static>(
    name: &'static str,
    mut aborted: watch::Receiver<bool>,
    call: impl Future<Output = proxymesh::Result<T>> + Send + 'static,
) -> Result<T, Failure> {
    let (give, mut given) = oneshot::channel();
    // The future is boxed, so the code that drives it is compiled once and not for each call.
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
    let mut task = Task(handle(name)?.spawn(call));
    match (&mut task.0).await {
        Ok(()) => given.try_recv().unwrap_or_else(|_| Err(Failure::aborted())),
        Err(error) => Err(match error.try_into_panic() {
            Ok(panic) => Failure::panicked(panic.as_ref()),
            Err(_) => Failure::aborted(),
        }),
    }
}

/// The worker, for the call that is exported as `name`.
pub(crate) fn handle(name: &'static str) -> Result<Handle, Failure> {
    worker().map_err(|error| Error::lacking(name_of(name), &error).into())
}

/// The call's own name: `ips.add`, exported as `ips_add`.
fn name_of(exported: &'static str) -> &'static str {
    CALLS.iter().map(|call| call.name).find(|name| name.replace('.', "_") == exported).unwrap_or(exported)
}
