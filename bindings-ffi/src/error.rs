//! The core's errors for the other languages, with the same kinds, fields and texts.

use proxymesh::Error;
use std::{any::Any, collections::HashMap, fmt, time::Duration};

/// Why a call failed. There is one variant for each kind of the core's `Error`, and two more for this library.
#[derive(Debug, uniffi::Error)]
pub enum Failure {
    /// The client cannot be created or used: the base URL is invalid, credentials are missing, invalid or contradictory, another
    /// setting is invalid, or the client is shut down. The text says which.
    Config {
        /// The error's text.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// An input is invalid. Nothing was sent.
    Validation {
        /// The error's text.
        text: String,
        /// The parameter's name in the API, such as `monthly_limit`.
        field: String,
        /// Why the input is invalid.
        reason: String,
    },
    /// A client with a token made a token call. Nothing was sent. The token calls require the parent account's username and
    /// password.
    BasicAuthRequired {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
    },
    /// Too many authentications have failed in the last five minutes: two with these credentials, or three in this process.
    /// Nothing was sent. Four failures ban the caller for three hours, so the client stops before that.
    AuthenticationBlocked {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// The seconds until the next attempt is allowed.
        retry_after: f64,
    },
    /// 401: the service rejected the credentials, or has banned the caller. The call is never retried.
    Authentication {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 400: invalid or contradictory input.
    BadRequest {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 402: the plan does not allow this.
    PlanLimit {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 403: the resource is not yours, or only the parent account may do this.
    PermissionDenied {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 404: the resource does not exist.
    NotFound {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 429: too many requests. If the service says how long to wait, `retry_after` is set.
    RateLimited {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 5xx: a server error.
    Server {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// Any other status, including redirects (3xx), which are never followed.
    UnexpectedStatus {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// No response arrived within the time limit, or another process held the lock of `ips.authorized` for too long.
    Timeout {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// What the call waited for, and for how long.
        reason: String,
        /// How many times the call was tried.
        attempts: i32,
    },
    /// The client could not connect, or the connection broke: for example, a DNS or TLS error, or a refused or reset connection.
    Connection {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// The error of the network or of TLS.
        reason: String,
        /// How many times the call was tried.
        attempts: i32,
    },
    /// The service reported success, but the client could not read the response. If the call was a write, the client has looked
    /// it up, and it was not carried out. If the client cannot find that out, the error is `OutcomeUnknown` instead.
    Decode {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// The HTTP status.
        status: i32,
        /// What is wrong with the response.
        reason: String,
        /// The first 4 KiB of the response, as text.
        body: String,
    },
    /// A pool has no proxy to hand out: all are cooling down after failures, or the account has no authorised proxy.
    PoolExhausted {
        /// The error's text.
        text: String,
        /// Why there is none.
        reason: String,
        /// The seconds until the first proxy has cooled down; 0 if the account has no authorised proxy.
        retry_after: f64,
    },
    /// A write was sent, but it is unknown whether it was carried out. `recovery_hint` says how to find out.
    OutcomeUnknown {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// Why it is unknown, such as a time-out or a server error.
        reason: String,
        /// How to find out whether the write was carried out.
        recovery_hint: String,
    },
    /// The call was cancelled, or its thread was interrupted. The packages turn this into the cancellation error of the language.
    Aborted {
        /// The error's text.
        text: String,
    },
    /// The library itself failed with a panic.
    Internal {
        /// The error's text.
        text: String,
    },
}

/// What the service said when it refused a call.
#[derive(Debug, uniffi::Record)]
pub struct Refusal {
    /// The call.
    pub call: String,
    /// The HTTP status.
    pub status: i32,
    /// Why the service refused the call, in one line. This is the reason in the response, or else what the status means for this
    /// call.
    pub reason: String,
    /// The reasons for each form field, if the response names fields.
    pub field_errors: HashMap<String, Vec<String>>,
    /// The first 4 KiB of the response, as text.
    pub body: String,
    /// How many seconds the service asks you to wait, if it does.
    pub retry_after: Option<f64>,
    /// How many times the call was tried. 0 if it was not sent, because the service rejected the same credentials for another
    /// call.
    pub attempts: i32,
}

impl Failure {
    pub(crate) fn aborted() -> Self {
        Self::Aborted { text: "the call was cancelled".to_owned() }
    }

    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().copied();
        let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::internal(&format!("panic: {}", said.unwrap_or("no message")))
    }

    pub(crate) fn internal(what: &str) -> Self {
        Self::Internal { text: format!("internal error in the ProxyMesh library, please report it: {what}") }
    }

    fn text(&self) -> &str {
        match self {
            Self::Config { text, .. }
            | Self::Validation { text, .. }
            | Self::BasicAuthRequired { text, .. }
            | Self::AuthenticationBlocked { text, .. }
            | Self::Authentication { text, .. }
            | Self::BadRequest { text, .. }
            | Self::PlanLimit { text, .. }
            | Self::PermissionDenied { text, .. }
            | Self::NotFound { text, .. }
            | Self::RateLimited { text, .. }
            | Self::Server { text, .. }
            | Self::UnexpectedStatus { text, .. }
            | Self::Timeout { text, .. }
            | Self::Connection { text, .. }
            | Self::Decode { text, .. }
            | Self::PoolExhausted { text, .. }
            | Self::OutcomeUnknown { text, .. }
            | Self::Aborted { text }
            | Self::Internal { text } => text,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Failure {}

fn seconds(wait: Duration) -> f64 {
    wait.as_secs_f64()
}

fn count(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

fn crossed(core: proxymesh::Refusal) -> Box<Refusal> {
    Box::new(Refusal {
        call: core.call.to_owned(),
        status: core.status.into(),
        reason: core.reason,
        field_errors: core.field_errors.into_iter().collect(),
        body: core.body,
        retry_after: core.retry_after.map(seconds),
        attempts: count(core.attempts),
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let owned = str::to_owned;
        match error {
            Error::Config { reason } => Self::Config { text, reason },
            Error::Validation { field, reason } => Self::Validation { text, field: owned(field), reason },
            Error::BasicAuthRequired { call } => Self::BasicAuthRequired { text, call: owned(call) },
            Error::AuthenticationBlocked { call, retry_after } => {
                Self::AuthenticationBlocked { text, call: owned(call), retry_after: seconds(retry_after) }
            }
            Error::Authentication(refusal) => Self::Authentication { text, refusal: crossed(*refusal) },
            Error::BadRequest(refusal) => Self::BadRequest { text, refusal: crossed(*refusal) },
            Error::PlanLimit(refusal) => Self::PlanLimit { text, refusal: crossed(*refusal) },
            Error::PermissionDenied(refusal) => Self::PermissionDenied { text, refusal: crossed(*refusal) },
            Error::NotFound(refusal) => Self::NotFound { text, refusal: crossed(*refusal) },
            Error::RateLimited(refusal) => Self::RateLimited { text, refusal: crossed(*refusal) },
            Error::Server(refusal) => Self::Server { text, refusal: crossed(*refusal) },
            Error::UnexpectedStatus(refusal) => Self::UnexpectedStatus { text, refusal: crossed(*refusal) },
            Error::Timeout { call, reason, attempts } => {
                Self::Timeout { text, call: owned(call), reason, attempts: count(attempts) }
            }
            Error::Connection { call, reason, attempts } => {
                Self::Connection { text, call: owned(call), reason, attempts: count(attempts) }
            }
            Error::Decode { call, status, reason, body } => {
                Self::Decode { text, call: owned(call), status: status.into(), reason, body }
            }
            Error::PoolExhausted { reason, retry_after } => {
                Self::PoolExhausted { text, reason, retry_after: seconds(retry_after) }
            }
            Error::OutcomeUnknown { call, reason, recovery_hint } => {
                Self::OutcomeUnknown { text, call: owned(call), reason, recovery_hint: owned(recovery_hint) }
            }
            // A new kind in the core must be added above. A test checks this.
            other => Self::internal(&other.to_string()),
        }
    }
}
