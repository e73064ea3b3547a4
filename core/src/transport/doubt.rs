//! What becomes of a call that failed, where a write may have been carried out all the same: docs/decisions/0002-a-lost-answer.md's table, in one place.

use crate::{
    endpoint::{Call, Replay},
    error::Error,
};

/// A call that failed for good.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Why the write may have been carried out all the same.
    pub(super) doubt: Option<Doubt>,
}

/// What became of a request that may have been carried out.
pub(super) struct Doubt {
    reason: String,
    /// No answer came, or none that can be read; otherwise it was a server error.
    unanswered: bool,
}

/// What is to be done about a failure.
pub(super) enum Next {
    /// Nothing: this is the call's error.
    Ends(Error),
    /// The write is looked up, if it can be. A service that gives no answer gets one more chance to, not three.
    LookUp { failure: Failure, retries: bool },
}

impl Failure {
    pub(super) fn certain(error: Error) -> Self {
        Self { error, doubt: None }
    }

    /// The last answer itself is what leaves the doubt.
    pub(super) fn in_doubt(error: Error) -> Self {
        Self { doubt: Some(Doubt::of(&error)), error }
    }

    pub(super) fn next(self, call: &'static Call) -> Next {
        let Some(doubt) = &self.doubt else { return Next::Ends(self.error) };
        let refused = matches!(self.error, Error::BadRequest(_) | Error::PlanLimit(_) | Error::NotFound(_));
        let stands = match call.replay {
            Replay::Read => true,
            // Sending it again was harmless, so what the service itself says of the last request stands.
            Replay::Idempotent => refused || (matches!(self.error, Error::Server(_)) && !doubt.unanswered),
            // Only "already so" can be the echo of an earlier attempt; the rest may be a front end's word, or nobody's.
            Replay::Verifiable => {
                refused && !self.error.status().is_some_and(|status| call.already_so.contains(&status))
            }
            Replay::Once => false,
        };
        let unauthenticated =
            matches!(self.error, Error::Authentication(_) | Error::AuthenticationBlocked { .. });
        if stands {
            Next::Ends(self.error)
        } else if call.replay == Replay::Verifiable && !unauthenticated {
            let retries = !matches!(self.error, Error::Timeout { .. } | Error::Connection { .. });
            Next::LookUp { failure: self, retries }
        } else {
            Next::Ends(self.unknown(call))
        }
    }

    /// The error for a write of which nothing could be found out.
    pub(super) fn unknown(self, call: &'static Call) -> Error {
        let doubt = self.doubt.unwrap_or_else(|| Doubt::of(&self.error));
        Error::OutcomeUnknown { call: call.name, reason: doubt.reason, advice: call.find_out }
    }
}

impl Doubt {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Decode { status, reason, .. } => {
                Self { reason: format!("the answer ({status}) cannot be read: {reason}"), unanswered: true }
            }
            error => match error.refusal() {
                // Without what the service says of it, which may be to try again.
                Some(refusal) => Self { reason: refusal.headline(), unanswered: false },
                None => Self { reason: error.reason().unwrap_or_default().to_owned(), unanswered: true },
            },
        }
    }

    /// Of two doubts the later one, but one without an answer before one with.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        earlier.filter(|earlier| earlier.unanswered && !self.unanswered).unwrap_or(self)
    }
}
