//! The account: a parent with its sub-accounts, and what each of them may do.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::plan::Plan;
use crate::state::access::Access;
use crate::state::clock::Moment;
use crate::state::holder::Holder;
use crate::state::proxies::Proxies;
use crate::state::refused::Refused;
use crate::state::settings::Settings;
use crate::state::sub_account::{Changes, SubAccount};
use crate::state::tokens::Tokens;
use crate::state::usage::{Billing, Usage};

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) username: String,
    password: String,
    pub(crate) plan: Plan,
    monthly_limit: u32,
    pub(crate) usage: Usage,
    pub(crate) billing: Billing,
    access: Access,
    pub(crate) sub_accounts: BTreeMap<String, SubAccount>,
    pub(crate) proxies: Proxies,
    pub(crate) tokens: Tokens,
    /// Whether other machines can reach the sandbox.
    pub(crate) exposed: bool,
}

impl Account {
    pub(crate) fn new(settings: &Settings, now: Moment) -> Self {
        Self {
            username: settings.username.clone(),
            password: settings.password.clone(),
            plan: settings.plan,
            monthly_limit: settings.monthly_limit,
            usage: Usage::default(),
            billing: Billing::begin(now),
            access: Access::default(),
            sub_accounts: BTreeMap::new(),
            proxies: Proxies::new(settings.plan, settings.ports),
            tokens: Tokens::new(settings.plan),
            exposed: settings.exposed,
        }
    }

    /// The account with this username and password, whether or not it is active.
    pub(crate) fn with_password(&self, username: &str, password: &str) -> Option<Holder> {
        if username == self.username {
            return (password == self.password).then_some(Holder::Parent);
        }
        let sub_account = self.sub_accounts.get(username)?;
        let right = sub_account.password.as_deref() == Some(password);
        right.then(|| Holder::SubAccount(username.to_owned()))
    }

    /// The account with this token, whether or not it is active. `None` if the token is not valid.
    pub(crate) fn with_token(&self, secret: &str, now: Moment) -> Option<Holder> {
        self.tokens.authenticate(secret, now).cloned()
    }

    /// The account with this authorised IP, whether or not it is active. The parent comes before its sub-accounts.
    pub(crate) fn with_ip(&self, ip: IpAddr) -> Option<Holder> {
        if self.access.has_ip(ip) {
            return Some(Holder::Parent);
        }
        let mut sub_accounts = self.sub_accounts.values();
        let sub_account = sub_accounts.find(|sub_account| sub_account.access.has_ip(ip))?;
        Some(Holder::SubAccount(sub_account.username.clone()))
    }

    /// Whether this is the parent, or a sub-account that is not deactivated.
    pub(crate) fn is_active(&self, holder: &Holder) -> bool {
        match holder {
            Holder::Parent => true,
            Holder::SubAccount(username) => self.sub_accounts.get(username).is_some_and(|sub| sub.active),
        }
    }

    pub(crate) fn name_of<'a>(&'a self, holder: &'a Holder) -> &'a str {
        match holder {
            Holder::Parent => &self.username,
            Holder::SubAccount(username) => username,
        }
    }

    /// A sentence about the bandwidth limit that the account has reached, if any.
    pub(crate) fn limit_reached(&self, holder: &Holder) -> Option<String> {
        let reached = |used: f64, limit: u32| limit > 0 && used >= f64::from(limit);
        if reached(self.usage.monthly, self.monthly_limit) {
            return Some(format!("The account's monthly limit of {} GB is reached.", self.monthly_limit));
        }
        let Holder::SubAccount(username) = holder else { return None };
        let sub = self.sub_accounts.get(username)?;
        if reached(sub.usage.monthly, sub.monthly_limit) {
            let limit = sub.monthly_limit;
            return Some(format!("The sub-account's monthly limit of {limit} GB is reached."));
        }
        let limit = sub.total_limit;
        reached(sub.usage.total, limit)
            .then(|| format!("The sub-account's total limit of {limit} GB is reached."))
    }

    pub(crate) fn create(&mut self, username: String, changes: Changes) -> Result<&SubAccount, Refused> {
        if username == self.username || self.sub_accounts.contains_key(&username) {
            return Err(Refused::UsernameTaken(username));
        }
        let most = self.plan.sub_accounts();
        if self.sub_accounts.len() >= most {
            return Err(Refused::SubAccountLimit(most));
        }
        let mut sub_account = SubAccount::new(username.clone());
        sub_account.apply(changes);
        Ok(self.sub_accounts.entry(username).or_insert(sub_account))
    }

    pub(crate) fn sub_account(&mut self, username: &str) -> Result<&mut SubAccount, Refused> {
        let none = self.no_sub_account(username);
        self.sub_accounts.get_mut(username).ok_or(none)
    }

    /// Deletes the sub-account with its IPs, hostnames and tokens.
    pub(crate) fn delete(&mut self, username: &str) -> Result<(), Refused> {
        if self.sub_accounts.remove(username).is_none() {
            return Err(self.no_sub_account(username));
        }
        let holder = Holder::SubAccount(username.to_owned());
        self.tokens.delete_all_of(&holder);
        Ok(())
    }

    /// The account that a call with an optional `username` is about.
    pub(crate) fn meant(&self, caller: &Holder, username: Option<String>) -> Result<Holder, Refused> {
        match username {
            None => Ok(caller.clone()),
            Some(username) if self.sub_accounts.contains_key(&username) => Ok(Holder::SubAccount(username)),
            Some(username) => Err(self.no_sub_account(&username)),
        }
    }

    pub(crate) fn access(&mut self, holder: &Holder) -> Result<&mut Access, Refused> {
        match holder {
            Holder::Parent => Ok(&mut self.access),
            Holder::SubAccount(username) => Ok(&mut self.sub_account(username)?.access),
        }
    }

    /// Why this is not a sub-account (docs/assumptions.md, A3).
    fn no_sub_account(&self, username: &str) -> Refused {
        if username == self.username {
            Refused::NotYours(username.to_owned())
        } else {
            Refused::NoSubAccount(username.to_owned())
        }
    }

    /// Adds traffic to an account's usage. A sub-account's traffic also counts for the parent. `false` if there is no
    /// such account.
    pub(crate) fn book(&mut self, username: &str, gigabytes: f64) -> bool {
        if username != self.username {
            let Some(sub_account) = self.sub_accounts.get_mut(username) else {
                return false;
            };
            sub_account.usage.book(gigabytes);
        }
        self.usage.book(gigabytes);
        true
    }

    /// Begins a new billing period if the last one has ended.
    pub(crate) fn turn(&mut self, now: Moment) {
        if self.billing.turn(now) {
            self.usage.monthly = 0.0;
            for sub_account in self.sub_accounts.values_mut() {
                sub_account.usage.monthly = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::usage::PERIOD;

    fn account() -> Account {
        let settings = Settings {
            username: "parent".to_owned(),
            password: "secret".to_owned(),
            plan: Plan::FreeTrial,
            monthly_limit: 0,
            ports: None,
            exposed: false,
        };
        Account::new(&settings, Moment::at(0))
    }

    #[test]
    fn usage_of_a_sub_account_counts_towards_the_parent_and_restarts_with_the_period() {
        let mut account = account();
        account.create("sub".to_owned(), Changes::default()).unwrap();
        assert!(account.book("sub", 1.5));
        assert!(account.book("parent", 2.0));
        assert!(!account.book("nobody", 2.0));
        assert_eq!((account.usage.monthly, account.usage.total), (3.5, 3.5));

        account.turn(Moment::at(0).after(PERIOD));
        assert_eq!((account.usage.monthly, account.usage.total), (0.0, 3.5));
        let usage = account.sub_account("sub").unwrap().usage;
        assert_eq!((usage.monthly, usage.total), (0.0, 1.5));
    }

    #[test]
    fn a_taken_username_is_reported_before_the_plans_limit() {
        let mut account = account();
        account.create("sub".to_owned(), Changes::default()).unwrap();
        for taken in ["sub", "parent"] {
            let refused = account.create(taken.to_owned(), Changes::default());
            assert_eq!(refused.unwrap_err().status(), 400);
        }
        let refused = account.create("other".to_owned(), Changes::default());
        assert_eq!(refused.unwrap_err(), Refused::SubAccountLimit(1));
    }

    #[test]
    fn an_account_without_a_password_cannot_use_an_empty_one() {
        let mut account = account();
        account.create("sub".to_owned(), Changes::default()).unwrap();
        assert_eq!(account.with_password("sub", ""), None);
    }
}
