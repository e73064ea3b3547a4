//! Everything that can go wrong, as one enum with one text per case.
//!
//! The bindings show the same kinds, fields and texts. Every error text that a user reads, in any language, is written here.

use std::{collections::BTreeMap, convert::Infallible, fmt, time::Duration};

/// A [`std::result::Result`] with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// The text ([`Display`](fmt::Display)) says what went wrong and what to do. No error ever contains a password, a token or an
/// `Authorization` header, even if the service echoed one.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be created or used: the base URL is invalid, credentials are missing, invalid or contradictory, or
    /// another setting is invalid. The text says which.
    #[error("{reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// An input is invalid. Nothing was sent.
    #[error("{field}: {reason}")]
    Validation {
        /// The parameter's name in the API, such as `monthly_limit`.
        field: &'static str,
        /// Why the input is invalid.
        reason: String,
    },
    /// A client with a token made a token call. Nothing was sent. The token calls require the parent account's username and
    /// password.
    #[error(
        "{call} requires the account's username and password, not a token: use a client created with both"
    )]
    BasicAuthRequired {
        /// The call, such as `tokens.list`.
        call: &'static str,
    },
    /// Too many authentications have failed in the last five minutes: two with these credentials, or three in this process.
    /// Nothing was sent. Four failures ban the caller for three hours, so the client stops before that.
    #[error(
        "{call} was not sent: too many failed authentications (four ban the caller for 3 hours); correct the credentials, or wait {} s",
        whole_seconds(.retry_after)
    )]
    AuthenticationBlocked {
        /// The call, such as `ips.list`.
        call: &'static str,
        /// How long until the next attempt is allowed.
        retry_after: Duration,
    },
    /// 401: the service rejected the credentials, or has banned the caller. The call is never retried. 407: a proxy does not
    /// recognise the caller.
    #[error("{0}")]
    Authentication(Box<Refusal>),
    /// 400: invalid or contradictory input.
    #[error("{0}")]
    BadRequest(Box<Refusal>),
    /// 402: the plan does not allow this.
    #[error("{0}")]
    PlanLimit(Box<Refusal>),
    /// 403: the resource is not yours, or only the parent account may do this.
    #[error("{0}")]
    PermissionDenied(Box<Refusal>),
    /// 404: the resource does not exist.
    #[error("{0}")]
    NotFound(Box<Refusal>),
    /// 429: too many requests. If the service says how long to wait, `retry_after` is set.
    #[error("{0}")]
    RateLimited(Box<Refusal>),
    /// 5xx: a server error.
    #[error("{0}")]
    Server(Box<Refusal>),
    /// Any other status, including redirects (3xx), which are never followed.
    #[error("{0}")]
    UnexpectedStatus(Box<Refusal>),
    /// No response arrived within the time limit, or another process held the lock of `ips.authorized` for too long.
    #[error("{call}: timed out: {reason}{}", after(*.attempts))]
    Timeout {
        /// The call, such as `geo.open`.
        call: &'static str,
        /// What the call waited for, and for how long.
        reason: String,
        /// How many times the call was tried; 0 if it was not sent.
        attempts: u32,
    },
    /// The client could not connect, or the connection broke: for example, a DNS or TLS error, or a refused or reset connection.
    #[error("{call}: connection failed: {reason}{}", after(*.attempts))]
    Connection {
        /// The call, such as `geo.open`.
        call: &'static str,
        /// The network or TLS error.
        reason: String,
        /// How many times the call was tried; 0 if it was not sent.
        attempts: u32,
    },
    /// The service reported success, but the client could not read the response. If the call was a write, the client has looked
    /// it up, and it was not carried out. If the client cannot find that out, the error is
    /// [`OutcomeUnknown`](Self::OutcomeUnknown) instead.
    #[error("{call}: could not read the response ({status}): {reason}")]
    Decode {
        /// The call, such as `geo.open`.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// What is wrong with the response.
        reason: String,
        /// The first 4 KiB of the response, as text.
        body: String,
    },
    /// A pool has no proxy to hand out: all are cooling down after failures, or the account has no authorised proxy.
    #[error("{reason}")]
    PoolExhausted {
        /// Why there is none.
        reason: String,
        /// How long until the first proxy has cooled down; zero if the account has no authorised proxy.
        retry_after: Duration,
    },
    /// A write was sent, but it is unknown whether it was carried out. `recovery_hint` says how to find out.
    #[error("{call}: {reason}, so the call may or may not have taken effect; {recovery_hint}")]
    OutcomeUnknown {
        /// The call, such as `sub_accounts.create`.
        call: &'static str,
        /// Why it is unknown, such as a time-out or a server error.
        reason: String,
        /// How to find out whether the write was carried out.
        recovery_hint: &'static str,
    },
}

/// What the service said when it refused a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The call, such as `ips.add`.
    pub call: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Why the service refused the call, in one line. This is the reason in the response, or else what the status means for this
    /// call.
    pub reason: String,
    /// The reasons for each form field, if the response names fields.
    pub field_errors: BTreeMap<String, Vec<String>>,
    /// The first 4 KiB of the response, as text.
    pub body: String,
    /// How long the service asks you to wait, if it does.
    pub retry_after: Option<Duration>,
    /// How many times the call was tried. 0 if it was not sent, because the service rejected the same credentials for another
    /// call.
    pub attempts: u32,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = self.status == 401 || self.retry_after.is_some();
        let summary = self.summary();
        // The service's reason may be a full sentence; ours continues after it.
        let summary = if more { summary.trim_end_matches('.') } else { summary.as_str() };
        write!(f, "{}: {summary}", self.call)?;
        if self.status == 401 {
            f.write_str(
                "; correct the credentials before trying again: four failures ban the caller for 3 hours",
            )?;
        }
        if let Some(wait) = &self.retry_after {
            write!(f, "; the service asks you to wait {} s", whole_seconds(wait))?;
        }
        f.write_str(&after(self.attempts))
    }
}

/// The name of a status's kind, as it appears in an error's text.
fn headline(status: u16) -> &'static str {
    match status {
        300..=399 => "redirect not followed",
        400 => "bad request",
        401 => "authentication failed",
        402 => "the plan does not allow it",
        403 => "permission denied",
        404 => "not found",
        407 => "proxy authentication failed",
        429 => "too many requests",
        500..=599 => "server error",
        _ => "unexpected status",
    }
}

/// Waits are shown in whole seconds, rounded up so that nobody retries too early.
fn whole_seconds(wait: &Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

fn after(attempts: u32) -> String {
    if attempts > 1 { format!(" (after {attempts} attempts)") } else { String::new() }
}

impl Refusal {
    /// A 401 that another process received, and that applies to `call` as well.
    pub(crate) fn elsewhere(call: &'static str) -> Self {
        Self {
            call,
            status: 401,
            reason: "wrong credentials, or banned after too many failures".to_owned(),
            field_errors: BTreeMap::new(),
            body: String::new(),
            retry_after: None,
            attempts: 0,
        }
    }

    /// What was refused and why, without the call's name and the recovery hint.
    pub(crate) fn summary(&self) -> String {
        format!("{}: {}", self.headline(), self.reason)
    }

    /// Only what was refused, without the reason.
    pub(crate) fn headline(&self) -> String {
        format!("{} ({})", headline(self.status), self.status)
    }

    /// Converts the refusal into the variant for its status.
    pub(crate) fn into_error(self) -> Error {
        let refusal = Box::new(self);
        match refusal.status {
            400 => Error::BadRequest(refusal),
            401 => Error::Authentication(refusal),
            402 => Error::PlanLimit(refusal),
            403 => Error::PermissionDenied(refusal),
            404 => Error::NotFound(refusal),
            429 => Error::RateLimited(refusal),
            500..=599 => Error::Server(refusal),
            _ => Error::UnexpectedStatus(refusal),
        }
    }
}

impl Error {
    pub(crate) fn config(reason: impl Into<String>) -> Self {
        Self::Config { reason: reason.into() }
    }

    pub(crate) fn validation(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Validation { field, reason: reason.into() }
    }

    /// The variant's name, which is the same in every language.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Config { .. } => "Config",
            Self::Validation { .. } => "Validation",
            Self::BasicAuthRequired { .. } => "BasicAuthRequired",
            Self::AuthenticationBlocked { .. } => "AuthenticationBlocked",
            Self::Authentication(_) => "Authentication",
            Self::BadRequest(_) => "BadRequest",
            Self::PlanLimit(_) => "PlanLimit",
            Self::PermissionDenied(_) => "PermissionDenied",
            Self::NotFound(_) => "NotFound",
            Self::RateLimited(_) => "RateLimited",
            Self::Server(_) => "Server",
            Self::UnexpectedStatus(_) => "UnexpectedStatus",
            Self::Timeout { .. } => "Timeout",
            Self::Connection { .. } => "Connection",
            Self::Decode { .. } => "Decode",
            Self::PoolExhausted { .. } => "PoolExhausted",
            Self::OutcomeUnknown { .. } => "OutcomeUnknown",
        }
    }

    /// What the service said, if it refused the call with a status.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Authentication(refusal)
            | Self::BadRequest(refusal)
            | Self::PlanLimit(refusal)
            | Self::PermissionDenied(refusal)
            | Self::NotFound(refusal)
            | Self::RateLimited(refusal)
            | Self::Server(refusal)
            | Self::UnexpectedStatus(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The call that failed, such as `ips.add`; `None` if a setting or an input is invalid, or if a pool has no proxy.
    #[must_use]
    pub fn call(&self) -> Option<&'static str> {
        match self {
            Self::Config { .. } | Self::Validation { .. } | Self::PoolExhausted { .. } => None,
            Self::BasicAuthRequired { call }
            | Self::AuthenticationBlocked { call, .. }
            | Self::Timeout { call, .. }
            | Self::Connection { call, .. }
            | Self::Decode { call, .. }
            | Self::OutcomeUnknown { call, .. } => Some(call),
            _ => self.refusal().map(|refusal| refusal.call),
        }
    }

    /// The HTTP status, if the error is about a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Decode { status, .. } => Some(*status),
            _ => self.refusal().map(|refusal| refusal.status),
        }
    }

    /// How long to wait before trying again, if known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::AuthenticationBlocked { retry_after, .. } | Self::PoolExhausted { retry_after, .. } => {
                Some(*retry_after)
            }
            _ => self.refusal().and_then(|refusal| refusal.retry_after),
        }
    }

    /// The reason alone, without the call and the kind.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Config { reason }
            | Self::Validation { reason, .. }
            | Self::Timeout { reason, .. }
            | Self::Connection { reason, .. }
            | Self::Decode { reason, .. }
            | Self::PoolExhausted { reason, .. }
            | Self::OutcomeUnknown { reason, .. } => Some(reason),
            _ => self.refusal().map(|refusal| refusal.reason.as_str()),
        }
    }

    /// How to find out whether a write was carried out, if that is unknown.
    #[must_use]
    pub fn recovery_hint(&self) -> Option<&'static str> {
        match self {
            Self::OutcomeUnknown { recovery_hint, .. } => Some(recovery_hint),
            _ => None,
        }
    }

    /// The first 4 KiB of the response, as text, if the error is about a response.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        match self {
            Self::Decode { body, .. } => Some(body),
            _ => self.refusal().map(|refusal| refusal.body.as_str()),
        }
    }

    /// How many times the call was tried, if known.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        match self {
            Self::Timeout { attempts, .. } | Self::Connection { attempts, .. } => Some(*attempts),
            _ => self.refusal().map(|refusal| refusal.attempts),
        }
    }
}

/// Lets `impl TryInto<Username, Error: Into<Error>>` accept a ready-made [`Username`](crate::Username) too.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
