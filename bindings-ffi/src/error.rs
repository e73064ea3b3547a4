//! The core's errors for the other languages, with the same kinds, fields and texts.

use proxymesh::Error;
use std::{any::Any, collections::HashMap, fmt, time::Duration};

/// Why a call failed. There is one variant for each kind of the core's `Error`, and two for this library.
#[derive(Debug, uniffi::Error)]
pub enum Failure {
    /// The client cannot be created with these settings, or is shut down.
    Config {
        /// The error's text.
        text: String,
        /// What is wrong with the client or its settings.
        reason: String,
    },
    /// An input breaks a rule of the service; nothing was sent.
    Validation {
        /// The error's text.
        text: String,
        /// The parameter's name in the API.
        field: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// A client with a token made a token call; nothing was sent.
    BasicAuthRequired {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
    },
    /// The service has refused the credentials too often; nothing was sent.
    AuthenticationBlocked {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// The seconds until the next attempt is allowed.
        retry_after: f64,
    },
    /// 401.
    Authentication {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 400.
    BadRequest {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 402.
    PlanLimit {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 403.
    PermissionDenied {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 404.
    NotFound {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 429.
    RateLimited {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// 5xx.
    Server {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// Any other status.
    UnexpectedStatus {
        /// The error's text.
        text: String,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// No response came within the time limit.
    Timeout {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// What the call waited for, and for how long.
        reason: String,
        /// How often the call was tried.
        attempts: i32,
    },
    /// The connection failed or broke.
    Connection {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// The network or TLS error.
        reason: String,
        /// How often the call was tried.
        attempts: i32,
    },
    /// The response is not what the call promises.
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
    /// A write was sent, and no readable response came back. Sending it again might do it twice.
    OutcomeUnknown {
        /// The error's text.
        text: String,
        /// The call.
        call: String,
        /// What happened instead of a response.
        reason: String,
        /// How to find out.
        recovery_hint: String,
    },
    /// `abort` ended the call. Each package turns this into the cancellation of its language.
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
    /// Why the service refused, in one line.
    pub reason: String,
    /// The reasons for each form field, if the service names fields.
    pub field_errors: HashMap<String, Vec<String>>,
    /// The first 4 KiB of the response, as text.
    pub body: String,
    /// The seconds that the service asks to wait.
    pub retry_after: Option<f64>,
    /// How often the call was tried.
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

    fn internal(what: &str) -> Self {
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
            Error::OutcomeUnknown { call, reason, recovery_hint } => {
                Self::OutcomeUnknown { text, call: owned(call), reason, recovery_hint: owned(recovery_hint) }
            }
            // A new kind in the core must be added above. A test checks this.
            other => Self::internal(&other.to_string()),
        }
    }
}
