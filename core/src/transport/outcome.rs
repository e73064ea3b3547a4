//! What can come of one attempt.

use crate::{endpoint::Call, observer::Attempt};
use bytes::Bytes;
use std::time::Duration;

/// What came of one attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The service answered.
    Answered(Answer),
    /// Nothing was sent: no connection, or no time left to make one.
    Unsent(Cause),
    /// The request went out, at least in part, and no whole answer came back.
    Unanswered(Cause),
}

impl Outcome {
    /// As an observer is told of it.
    pub(super) fn told(
        &self,
        call: &'static Call,
        number: u32,
        elapsed: Duration,
        retry_in: Option<Duration>,
    ) -> Attempt {
        let (status, failure) = match self {
            Self::Answered(answer) => (Some(answer.status), None),
            Self::Unsent(cause) | Self::Unanswered(cause) => (None, Some(cause.reason.clone())),
        };
        Attempt { call, number, status, failure, elapsed, retry_in }
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// None where a successful answer is larger than may be read.
    pub(super) body: Option<Bytes>,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Its body; nothing of one that is too large.
    pub(super) fn bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) timed_out: bool,
    /// It will be the same next time.
    pub(super) lasting: bool,
    pub(super) reason: String,
}

impl Cause {
    pub(super) fn timed_out(limit: Duration) -> Self {
        Self { timed_out: true, lasting: false, reason: format!("gave up after {} s", limit.as_secs_f64()) }
    }

    /// Of a request whose answer nobody waits for any more.
    pub(super) fn given_up() -> Self {
        Self { timed_out: true, lasting: false, reason: "the call was abandoned".to_owned() }
    }
}
