//! What a failed call returns if a write may have been carried out anyway. This is the table in
//! docs/decisions/0002-a-lost-response.md.

use crate::{
    endpoint::{Call, Replay},
    error::Error,
};

/// A call that failed and is not retried.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Why the write may have been carried out anyway.
    pub(super) doubt: Option<Doubt>,
}

/// Why it is unknown whether a write was carried out.
pub(super) struct Doubt {
    reason: String,
    /// Whether there was no readable response. Otherwise it was a server error.
    unanswered: bool,
}

/// What to do about a failure.
pub(super) enum Next {
    /// Nothing: this is the call's error.
    Ends(Error),
    /// Look the write up, if possible. If the service did not respond, it gets one more request, not three.
    LookUp { failure: Failure, retries: bool },
}

impl Failure {
    pub(super) fn certain(error: Error) -> Self {
        Self { error, doubt: None }
    }

    /// The last response itself leaves it unknown whether the write was carried out.
    pub(super) fn in_doubt(error: Error) -> Self {
        Self { doubt: Some(Doubt::of(&error)), error }
    }

    pub(super) fn next(self, call: &'static Call) -> Next {
        let Some(doubt) = &self.doubt else { return Next::Ends(self.error) };
        let refused = matches!(self.error, Error::BadRequest(_) | Error::PlanLimit(_) | Error::NotFound(_));
        let stands = match call.replay {
            Replay::Read => true,
            // Repeating the request was harmless, so the last response counts.
            Replay::Idempotent => refused || (matches!(self.error, Error::Server(_)) && !doubt.unanswered),
            // Only an `already_applied` status can come from an earlier attempt; other refusals count. Any other response may come from
            // a front end.
            Replay::Verifiable => {
                refused && !self.error.status().is_some_and(|status| call.already_applied.contains(&status))
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

    /// The error for a write whose outcome could not be determined.
    pub(super) fn unknown(self, call: &'static Call) -> Error {
        let doubt = self.doubt.unwrap_or_else(|| Doubt::of(&self.error));
        Error::OutcomeUnknown { call: call.name, reason: doubt.reason, recovery_hint: call.recovery_hint }
    }
}

impl Doubt {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Decode { status, reason, .. } => {
                Self { reason: format!("could not read the response ({status}): {reason}"), unanswered: true }
            }
            error => match error.refusal() {
                // The service's own reason is left out, because it may say to try again.
                Some(refusal) => Self { reason: refusal.headline(), unanswered: false },
                None => Self { reason: error.reason().unwrap_or_default().to_owned(), unanswered: true },
            },
        }
    }

    /// The later of two doubts, except that one without a response takes precedence.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        earlier.filter(|earlier| earlier.unanswered && !self.unanswered).unwrap_or(self)
    }
}
