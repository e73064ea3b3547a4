//! Everything that can go wrong, as one enum with one text per case.
//!
//! The bindings show the same kinds, fields and texts: whatever a user reads about an error in any
//! language is written here.

use std::{collections::BTreeMap, convert::Infallible, fmt, time::Duration};

/// A [`std::result::Result`] with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not give its answer.
///
/// The text ([`Display`](fmt::Display)) is a sentence a person can act on. No variant ever holds a
/// password, a token or an `Authorization` header, not even one that the service echoed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be made as asked: a bad base URL, missing or contradictory credentials,
    /// plain http to a host that is not loopback, an unreadable CA file.
    #[error("{reason}")]
    Config {
        /// What is wrong with the settings.
        reason: String,
    },
    /// An input breaks a rule of the service; nothing was sent.
    #[error("{field}: {reason}")]
    Validation {
        /// The parameter, by its name in the API.
        field: &'static str,
        /// Which rule it breaks.
        reason: String,
    },
    /// A token call was made with a Bearer credential; nothing was sent. The token endpoints take
    /// the account's username and password only.
    #[error("{call} takes the account's username and password, never a token: use a client made with both")]
    BasicAuthRequired {
        /// The call, such as `tokens.list`.
        call: &'static str,
    },
    /// The service has refused these credentials twice, or three of this process, in five minutes; nothing was sent. Four
    /// failures ban the account for three hours, so the client stops before that.
    #[error(
        "{call} was not sent: too many authentications have failed (four failures ban the account for 3 hours); correct the credentials, or wait {} s",
        whole_seconds(.retry_after)
    )]
    AuthenticationBlocked {
        /// The call, such as `ips.list`.
        call: &'static str,
        /// When the next attempt is let through.
        retry_after: Duration,
    },
    /// 401: the service does not accept the credentials, or has banned the caller. Never retried.
    #[error("{0}")]
    Authentication(Box<Refusal>),
    /// 400: invalid or contradictory input.
    #[error("{0}")]
    BadRequest(Box<Refusal>),
    /// 402: the plan does not allow it.
    #[error("{0}")]
    PlanLimit(Box<Refusal>),
    /// 403: not yours, or only the parent account may.
    #[error("{0}")]
    PermissionDenied(Box<Refusal>),
    /// 404: there is no such thing.
    #[error("{0}")]
    NotFound(Box<Refusal>),
    /// 429: too many requests; `retry_after` says how long to wait, where the service does.
    #[error("{0}")]
    RateLimited(Box<Refusal>),
    /// 5xx: the service's own trouble.
    #[error("{0}")]
    Server(Box<Refusal>),
    /// Any other status, redirects (3xx) included: they are never followed.
    #[error("{0}")]
    UnexpectedStatus(Box<Refusal>),
    /// No answer within the time limit.
    #[error("{call}: no answer in time: {reason}{}", after(*.attempts))]
    Timeout {
        /// The call, such as `geo.open`.
        call: &'static str,
        /// What was waited for, and for how long.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// No connection, or one that broke: DNS, refused, reset, TLS.
    #[error("{call}: connection failed: {reason}{}", after(*.attempts))]
    Connection {
        /// The call, such as `geo.open`.
        call: &'static str,
        /// What the network or TLS said.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The service answered with success, but not with what the call promises. Of a write it says that it was looked up, and was
    /// not carried out; where that is not known, the write ends as [`OutcomeUnknown`](Self::OutcomeUnknown).
    #[error("{call}: the answer ({status}) cannot be read: {reason}")]
    Decode {
        /// The call, such as `geo.open`.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// What is wrong with the answer.
        reason: String,
        /// The answer's first 4 KiB, as text.
        body: String,
    },
    /// A write went out, and no answer came, or none that can be read. Whether it was carried out has to be looked up.
    #[error("{call}: {reason}, so it may or may not have been carried out; {advice}")]
    OutcomeUnknown {
        /// The call, such as `sub_accounts.create`.
        call: &'static str,
        /// What happened instead of an answer.
        reason: String,
        /// How to find out.
        advice: &'static str,
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
    /// Why, in one line: from the body where it says, else what the status means for this call.
    pub reason: String,
    /// Reasons per form field, where the body names fields.
    pub field_errors: BTreeMap<String, Vec<String>>,
    /// The body's first 4 KiB, as text.
    pub body: String,
    /// How long the service asks to wait.
    pub retry_after: Option<Duration>,
    /// How often the call was tried.
    pub attempts: u32,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = self.status == 401 || self.retry_after.is_some();
        let summary = self.summary();
        // The service's reason may be a whole sentence, after which ours goes on.
        let summary = if more { summary.trim_end_matches('.') } else { summary.as_str() };
        write!(f, "{}: {summary}", self.call)?;
        if self.status == 401 {
            f.write_str(
                "; correct the credentials before trying again, four failures ban the account for 3 hours",
            )?;
        }
        if let Some(wait) = &self.retry_after {
            write!(f, "; the service asks to wait {} s", whole_seconds(wait))?;
        }
        f.write_str(&after(self.attempts))
    }
}

/// The name of the kind that a status belongs to, as it stands in an error's text.
fn headline(status: u16) -> &'static str {
    match status {
        300..=399 => "redirected, which is never followed",
        400 => "bad request",
        401 => "authentication failed",
        402 => "the plan does not allow it",
        403 => "permission denied",
        404 => "not found",
        429 => "too many requests",
        500..=599 => "server error",
        _ => "unexpected status",
    }
}

/// Waits are told in whole seconds, rounded up so that nobody comes back too early.
fn whole_seconds(wait: &Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

fn after(attempts: u32) -> String {
    if attempts > 1 { format!(" (after {attempts} attempts)") } else { String::new() }
}

impl Refusal {
    /// A 401 that another process was given, and that is known to hold for `call` as well.
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

    /// What was refused and why, without the call's name and advice.
    pub(crate) fn summary(&self) -> String {
        format!("{}: {}", self.headline(), self.reason)
    }

    /// What was refused, alone.
    pub(crate) fn headline(&self) -> String {
        format!("{} ({})", headline(self.status), self.status)
    }

    /// Files the refusal under the kind of its status.
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

    /// The variant's name, the same in every language.
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
            Self::OutcomeUnknown { .. } => "OutcomeUnknown",
        }
    }

    /// What the service said, where it refused the call with a status.
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

    /// The call that failed, such as `ips.add`; none for a setting or an input.
    #[must_use]
    pub fn call(&self) -> Option<&'static str> {
        match self {
            Self::Config { .. } | Self::Validation { .. } => None,
            Self::BasicAuthRequired { call }
            | Self::AuthenticationBlocked { call, .. }
            | Self::Timeout { call, .. }
            | Self::Connection { call, .. }
            | Self::Decode { call, .. }
            | Self::OutcomeUnknown { call, .. } => Some(call),
            _ => self.refusal().map(|refusal| refusal.call),
        }
    }

    /// The HTTP status, where the service answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Decode { status, .. } => Some(*status),
            _ => self.refusal().map(|refusal| refusal.status),
        }
    }

    /// How long to wait before trying again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::AuthenticationBlocked { retry_after, .. } => Some(*retry_after),
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
            | Self::OutcomeUnknown { reason, .. } => Some(reason),
            _ => self.refusal().map(|refusal| refusal.reason.as_str()),
        }
    }

    /// How to find out what became of a call whose outcome is unknown.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::OutcomeUnknown { advice, .. } => Some(advice),
            _ => None,
        }
    }

    /// The answer's first 4 KiB, where the service answered.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        match self {
            Self::Decode { body, .. } => Some(body),
            _ => self.refusal().map(|refusal| refusal.body.as_str()),
        }
    }

    /// How often the call was tried, where it was.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        match self {
            Self::Timeout { attempts, .. } | Self::Connection { attempts, .. } => Some(*attempts),
            _ => self.refusal().map(|refusal| refusal.attempts),
        }
    }
}

/// Lets `impl TryInto<Username, Error: Into<Error>>` take a ready [`Username`](crate::Username) too.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
