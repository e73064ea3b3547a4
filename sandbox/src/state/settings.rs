//! What the account is at the start, and again after a reset.

use std::fmt;

use crate::plan::Plan;
use crate::state::proxies::Ports;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) plan: Plan,
    /// The most GB a month for the parent with all its sub-accounts; 0 is no limit.
    pub(crate) monthly_limit: u32,
    /// Where the proxies are, if the sandbox serves them.
    pub(crate) ports: Option<Ports>,
    /// Whether others than this machine can reach it.
    pub(crate) exposed: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("username", &self.username)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
