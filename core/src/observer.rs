//! What is reported about each attempt, to `tracing` and to a client's observer.

use crate::endpoint::Call;
use std::{fmt, sync::Arc, time::Duration};

/// One attempt at a call. It never contains a query, a form or credentials.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The call: its name, method and path.
    pub call: &'static Call,
    /// The number of the attempt, starting at 1.
    pub number: u32,
    /// The status of the response; `None` if no complete response arrived.
    pub status: Option<u16>,
    /// Why no complete response arrived; `None` if one did.
    pub failure: Option<String>,
    /// How long the attempt took.
    pub elapsed: Duration,
    /// How long the client waits before the next attempt; `None` if there is none.
    pub retry_in: Option<Duration>,
}

/// A function that is called after every attempt, on the thread that drives the call.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(Attempt) + Send + Sync>);

impl Observer {
    /// Creates an observer that calls `tell`. The function must neither block nor panic.
    pub fn new(tell: impl Fn(Attempt) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// Reports an attempt.
pub(crate) fn tell(observer: Option<&Observer>, attempt: impl FnOnce() -> Attempt) {
    if observer.is_none() && !tracing::enabled!(target: "proxymesh", tracing::Level::DEBUG) {
        return;
    }
    let attempt = attempt();
    let Attempt { call, number, status, ref failure, elapsed, retry_in } = attempt;
    tracing::debug!(
        target: "proxymesh",
        call = call.name,
        method = %call.method,
        path = call.path,
        status,
        failure = failure.as_deref(),
        elapsed_ms = elapsed.as_secs_f64() * 1000.0,
        retry_in_ms = retry_in.map(|wait| wait.as_secs_f64() * 1000.0),
        attempt = number,
        "attempt"
    );
    if let Some(Observer(tell)) = observer {
        tell(attempt);
    }
}
