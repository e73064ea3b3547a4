//! The settings of the account at the start and after a reset.

use std::fmt;

use crate::plan::Plan;
use crate::state::proxies::Ports;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) plan: Plan,
    /// The monthly limit for the parent and its sub-accounts together, in GB; 0 means no limit.
    pub(crate) monthly_limit: u32,
    /// The ports of the proxies, if the sandbox runs them.
    pub(crate) ports: Option<Ports>,
    /// Whether other machines can reach the sandbox.
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
