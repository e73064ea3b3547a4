//! The possible outcomes of one attempt.

use crate::{endpoint::Call, observer::Attempt};
use bytes::Bytes;
use std::time::Duration;

/// The outcome of one attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The service responded.
    Answered(Response),
    /// Nothing was sent: there was no connection, or no time left to open one.
    Unsent(Cause),
    /// At least part of the request was sent, but no complete response arrived.
    Unanswered(Cause),
}

impl Outcome {
    /// What an observer is told.
    pub(super) fn told(
        &self,
        call: &'static Call,
        number: u32,
        elapsed: Duration,
        retry_in: Option<Duration>,
    ) -> Attempt {
        let (status, failure) = match self {
            Self::Answered(response) => (Some(response.status), None),
            Self::Unsent(cause) | Self::Unanswered(cause) => (None, Some(cause.reason.clone())),
        };
        Attempt { call, number, status, failure, elapsed, retry_in }
    }
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// `None` if a successful response is too large to read.
    pub(super) body: Option<Bytes>,
}

impl Response {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body; empty if it is too large.
    pub(super) fn bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}

/// Why there is no response.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) timed_out: bool,
    /// Whether a retry would fail in the same way.
    pub(super) lasting: bool,
    pub(super) reason: String,
}

impl Cause {
    pub(super) fn timed_out(limit: Duration) -> Self {
        Self { timed_out: true, lasting: false, reason: format!("gave up after {} s", limit.as_secs_f64()) }
    }

    /// A cause that is neither a time-out nor lasting.
    pub(super) fn other(reason: &str) -> Self {
        Self { timed_out: false, lasting: false, reason: reason.to_owned() }
    }

    /// The cause for a request whose response no caller waits for any longer.
    pub(super) fn given_up() -> Self {
        Self { timed_out: true, lasting: false, reason: "the call was abandoned".to_owned() }
    }
}
