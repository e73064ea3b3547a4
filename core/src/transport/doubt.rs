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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        endpoint::{Endpoint, ip, sub_account},
        error::Refusal,
    };
    use std::time::Duration;

    const CALL: &str = "ips.add";

    fn status(status: u16) -> Error {
        Refusal { status, ..Refusal::elsewhere(CALL) }.into_error()
    }

    fn blocked() -> Error {
        Error::AuthenticationBlocked { call: CALL, retry_after: Duration::from_secs(1) }
    }

    fn timeout() -> Error {
        Error::Timeout { call: CALL, reason: "gave up".to_owned(), attempts: 3 }
    }

    fn connection(reason: &str) -> Error {
        Error::Connection { call: CALL, reason: reason.to_owned(), attempts: 3 }
    }

    fn unreadable() -> Error {
        Error::Decode { call: CALL, status: 200, reason: "it is empty".to_owned(), body: String::new() }
    }

    /// What a call returns whose last error is `error`, and which is in doubt because of `doubt`.
    fn returns(call: &'static Call, error: Error, doubt: Option<&Error>) -> &'static str {
        let kind = error.kind();
        match (Failure { error, doubt: doubt.map(Doubt::of) }).next(call) {
            Next::Ends(Error::OutcomeUnknown { .. }) => "unknown",
            Next::Ends(error) => {
                assert_eq!(error.kind(), kind);
                "the error"
            }
            Next::LookUp { retries: true, .. } => "a look-up",
            Next::LookUp { retries: false, .. } => "a look-up once",
        }
    }

    #[test]
    fn a_call_in_doubt_is_looked_up_unless_its_last_error_settles_it() {
        type Row = (fn() -> Error, [&'static str; 4]);
        let table: [Row; 12] = [
            (|| status(400), ["the error", "the error", "a look-up", "unknown"]),
            (|| status(401), ["the error", "unknown", "unknown", "unknown"]),
            (blocked, ["the error", "unknown", "unknown", "unknown"]),
            (|| status(402), ["the error", "the error", "the error", "unknown"]),
            (|| status(403), ["the error", "unknown", "a look-up", "unknown"]),
            (|| status(404), ["the error", "the error", "the error", "unknown"]),
            (|| status(408), ["the error", "unknown", "a look-up", "unknown"]),
            (|| status(429), ["the error", "unknown", "a look-up", "unknown"]),
            (|| status(500), ["the error", "unknown", "a look-up", "unknown"]),
            (timeout, ["the error", "unknown", "a look-up once", "unknown"]),
            (|| connection("reset"), ["the error", "unknown", "a look-up once", "unknown"]),
            (unreadable, ["the error", "unknown", "a look-up", "unknown"]),
        ];
        let calls = [ip::List::CALL, sub_account::Edit::CALL, ip::Add::CALL, sub_account::Create::CALL];
        for (error, expected) in table {
            for (call, expected) in calls.into_iter().zip(expected) {
                let message = || format!("{} after {:?}", call.name, error());
                assert_eq!(returns(call, error(), None), "the error", "{}", message());
                assert_eq!(returns(call, error(), Some(&timeout())), expected, "{}", message());
                // An idempotent call may report a server error if each attempt got a response.
                let expected = match call.replay {
                    Replay::Idempotent if error().kind() == "Server" => "the error",
                    _ => expected,
                };
                assert_eq!(returns(call, error(), Some(&status(503))), expected, "{}", message());
            }
        }
    }

    #[test]
    fn the_reason_for_doubt_is_the_last_attempt_that_got_no_response() {
        let reason = |last: &Error, earlier: &Error| Doubt::of(last).after(Some(Doubt::of(earlier))).reason;
        let (server, gateway) = (Doubt::of(&status(500)).reason, Doubt::of(&status(504)).reason);
        assert_ne!(server, gateway);
        assert_eq!(reason(&status(504), &status(500)), gateway);
        assert_eq!(reason(&status(504), &connection("reset")), "reset");
        assert_eq!(reason(&connection("reset"), &status(504)), "reset");
        assert_eq!(reason(&connection("refused"), &connection("reset")), "refused");
        assert_eq!(Doubt::of(&status(504)).after(None).reason, gateway);
    }
}
