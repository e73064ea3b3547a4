//! A sub-account, and what can be changed about it.

use crate::state::access::Access;
use crate::state::usage::Usage;

#[derive(Debug)]
pub(crate) struct SubAccount {
    pub(crate) username: String,
    pub(crate) password: Option<String>,
    pub(crate) active: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) monthly_limit: u32,
    pub(crate) total_limit: u32,
    pub(crate) usage: Usage,
    pub(crate) access: Access,
}

/// The fields of `create` and `edit`. A field that is left out does not change (docs/assumptions.md, A9).
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) password: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) monthly_limit: Option<u32>,
    pub(crate) total_limit: Option<u32>,
}

impl SubAccount {
    pub(crate) fn new(username: String) -> Self {
        Self {
            username,
            password: None,
            active: true,
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            monthly_limit: 0,
            total_limit: 0,
            usage: Usage::default(),
            access: Access::default(),
        }
    }

    pub(crate) fn apply(&mut self, changes: Changes) {
        fn set<T>(field: &mut T, change: Option<T>) {
            if let Some(value) = change {
                *field = value;
            }
        }
        if changes.password.is_some() {
            self.password = changes.password;
        }
        set(&mut self.first_name, changes.first_name);
        set(&mut self.last_name, changes.last_name);
        set(&mut self.email, changes.email);
        set(&mut self.monthly_limit, changes.monthly_limit);
        set(&mut self.total_limit, changes.total_limit);
    }
}
