//! What is said, and returned as exit status, if a command fails.

use crate::calls::in_commands;
use proxymesh::Error;
use std::process::ExitCode;

/// The exit statuses. `proxymesh --help` and docs/cli.md list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Failed = 1,
    Usage = 2,
    Authentication = 3,
    PlanLimit = 4,
    NotFound = 5,
    OutcomeUnknown = 6,
    /// As if SIGPIPE had ended the process. Nobody reads the output any more.
    Unread = 141,
}

/// Why a command failed, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    /// `None` if it has been shown already, or nobody would read it.
    text: Option<String>,
    next: Option<String>,
    /// Whether the same would happen with every other name.
    pub(crate) general: bool,
}

impl Failure {
    pub(crate) fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: Some(text.into()), next: None, general: false }
    }

    /// A failure about which nothing is said any more.
    pub(crate) fn silent(status: Status) -> Self {
        Self { status, text: None, next: None, general: false }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Status::Usage, text)
    }

    /// Adds what to do next.
    pub(crate) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status as u8)
    }

    /// Why it failed, if that is still to be said.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use Status::{Authentication, Failed, NotFound, OutcomeUnknown, PlanLimit, Usage};
        const LOG_IN: &str =
            "`proxymesh whoami` shows which credentials were used; `proxymesh login` replaces them";
        let (status, next) = match &error {
            Error::Config { .. } | Error::Validation { .. } => (Usage, None),
            Error::Authentication(_) | Error::AuthenticationBlocked { .. } => {
                (Authentication, Some(LOG_IN.to_owned()))
            }
            Error::BasicAuthRequired { .. } => (
                Authentication,
                Some("set PROXYMESH_USERNAME and PROXYMESH_PASSWORD instead of PROXYMESH_TOKEN".to_owned()),
            ),
            Error::PermissionDenied(_) => (
                Authentication,
                Some("use the credentials of the parent account: `proxymesh whoami`".to_owned()),
            ),
            Error::PlanLimit(_) => {
                (PlanLimit, Some("delete what you no longer need, or change the plan".to_owned()))
            }
            Error::NotFound(refusal) if refusal.call.starts_with("tokens.") => {
                (NotFound, Some("see `proxymesh tokens list`".to_owned()))
            }
            Error::NotFound(_) => (NotFound, Some("check the spelling".to_owned())),
            Error::OutcomeUnknown { recovery_hint, .. } => (OutcomeUnknown, Some(in_commands(recovery_hint))),
            Error::Connection { .. } | Error::Timeout { .. } => {
                (Failed, Some("check this machine's network, then run the command again".to_owned()))
            }
            Error::Server(_) | Error::RateLimited(_) => {
                (Failed, Some("run the command again later".to_owned()))
            }
            _ => (Failed, None),
        };
        let general = matches!(
            error,
            Error::Authentication(_) | Error::AuthenticationBlocked { .. } | Error::BasicAuthRequired { .. }
        );
        Self { status, text: Some(error.to_string()), next, general }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::silent(Status::Unread),
            _ => Self::new(Status::Failed, error.to_string()),
        }
    }
}
