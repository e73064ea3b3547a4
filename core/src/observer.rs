//! What is reported to `tracing` and to a client's observer: each attempt, and warnings.

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

/// One line for a log, such as `geo.open: GET /api/geoips/open/: 200 after 1.3 ms (attempt 1)`.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, number, status, failure, elapsed, retry_in } = self;
        write!(f, "{}: {} {}: ", call.name, call.method, call.path)?;
        match status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str(failure.as_deref().unwrap_or_default())?,
        }
        write!(f, " after {:.1} ms (attempt {number})", elapsed.as_secs_f64() * 1000.0)?;
        match retry_in {
            Some(wait) => write!(f, ", retrying in {:.2} s", wait.as_secs_f64()),
            None => Ok(()),
        }
    }
}

/// What the log of a binding contains. The texts contain no query, no form and no credentials.
#[derive(Clone, Debug)]
pub enum Event {
    /// An attempt, at debug level.
    Attempt(Attempt),
    /// Something that a program may want to know.
    Info(String),
    /// Something that a program should know.
    Warning(String),
}

/// A function that is called after every attempt, on the thread that drives the call.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(Event) + Send + Sync>);

impl Observer {
    /// Creates an observer that calls `tell`. The function must neither block nor panic.
    pub fn new(tell: impl Fn(Attempt) + Send + Sync + 'static) -> Self {
        Self::of(move |event| {
            if let Event::Attempt(attempt) = event {
                tell(attempt);
            }
        })
    }

    /// An observer of all events.
    pub(crate) fn of(tell: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.0)(event);
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
    if let Some(observer) = observer {
        observer.tell(Event::Attempt(attempt));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::CALLS;

    #[test]
    fn an_attempt_is_one_line() {
        let call = CALLS.iter().find(|call| call.name == "ips.add").unwrap();
        let (elapsed, retry_in) = (Duration::from_micros(1_260), Some(Duration::from_millis(250)));
        let mut attempt =
            Attempt { call, number: 1, status: None, failure: Some("reset".to_owned()), elapsed, retry_in };
        let line = "ips.add: POST /api/ip/add/: reset after 1.3 ms (attempt 1), retrying in 0.25 s";
        assert_eq!(attempt.to_string(), line);
        attempt = Attempt { number: 2, status: Some(200), failure: None, retry_in: None, ..attempt };
        assert_eq!(attempt.to_string(), "ips.add: POST /api/ip/add/: 200 after 1.3 ms (attempt 2)");
    }
}
