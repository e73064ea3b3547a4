//! The tokens of a parent and of its sub-accounts.

use std::iter::repeat_with;

use jiff::civil::Date;

use crate::plan::Plan;
use crate::state::clock::Moment;
use crate::state::holder::Holder;
use crate::state::refused::Refused;

#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) holder: Holder,
    pub(crate) secret: String,
    pub(crate) label: String,
    pub(crate) is_active: bool,
    /// The last day, in UTC, on which the token is valid.
    pub(crate) expires_at: Option<Date>,
    pub(crate) created_at: Moment,
}

impl Token {
    fn expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|last| now.date() > last)
    }
}

#[derive(Debug)]
pub(crate) struct Tokens {
    most: usize,
    last_id: u64,
    tokens: Vec<Token>,
}

impl Tokens {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { most: plan.tokens(), last_id: 0, tokens: Vec::new() }
    }

    pub(crate) fn create(
        &mut self,
        holder: Holder,
        label: String,
        expires_at: Option<Date>,
        now: Moment,
    ) -> Result<&Token, Refused> {
        if self.most == 0 {
            return Err(Refused::NoTokens);
        }
        if self.tokens.len() >= self.most {
            return Err(Refused::TokenLimit(self.most));
        }
        self.last_id += 1;
        self.tokens.push(Token {
            id: self.last_id,
            holder,
            secret: secret(),
            label,
            is_active: true,
            expires_at,
            created_at: now,
        });
        let created = self.tokens.last();
        created.ok_or(Refused::NoSuchToken(self.last_id))
    }

    pub(crate) fn of(&self, holder: &Holder) -> impl Iterator<Item = &Token> {
        let tokens = self.tokens.iter();
        tokens.filter(move |token| token.holder == *holder)
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(crate) fn deactivate(&mut self, holder: &Holder, id: u64) -> Result<&Token, Refused> {
        let token = self.find(holder, id)?;
        token.is_active = false;
        Ok(token)
    }

    pub(crate) fn activate(&mut self, holder: &Holder, id: u64, now: Moment) -> Result<&Token, Refused> {
        let token = self.find(holder, id)?;
        if token.expired(now) {
            return Err(Refused::TokenExpired(id));
        }
        token.is_active = true;
        Ok(token)
    }

    pub(crate) fn delete(&mut self, holder: &Holder, id: u64) -> Result<(), Refused> {
        self.find(holder, id)?;
        self.tokens.retain(|token| token.id != id);
        Ok(())
    }

    pub(crate) fn delete_all_of(&mut self, holder: &Holder) {
        self.tokens.retain(|token| token.holder != *holder);
    }

    /// The holder of the token with this secret, if the token is valid.
    pub(crate) fn authenticate(&self, secret: &str, now: Moment) -> Option<&Holder> {
        let mut tokens = self.tokens.iter();
        let token = tokens.find(|token| token.secret == secret)?;
        (token.is_active && !token.expired(now)).then_some(&token.holder)
    }

    fn find(&mut self, holder: &Holder, id: u64) -> Result<&mut Token, Refused> {
        let mut tokens = self.tokens.iter_mut();
        tokens.find(|token| token.id == id && token.holder == *holder).ok_or(Refused::NoSuchToken(id))
    }
}

fn secret() -> String {
    let characters = repeat_with(fastrand::alphanumeric).take(40);
    format!("pm_{}", characters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOON: u64 = 1_768_478_400; // 2026-01-15T12:00:00

    #[test]
    fn a_token_is_good_to_the_end_of_its_last_day() {
        let (now, mut tokens) = (Moment::at(NOON), Tokens::new(Plan::ProxyMesh10));
        let today = Some(now.date());
        let token = tokens.create(Holder::Parent, String::new(), today, now);
        let secret = token.unwrap().secret.clone();

        let last_second = now.after(Duration::from_secs(12 * 3600 - 1));
        assert!(tokens.authenticate(&secret, last_second).is_some());
        let midnight = now.after(Duration::from_secs(12 * 3600));
        assert!(tokens.authenticate(&secret, midnight).is_none());
        let refused = tokens.activate(&Holder::Parent, 1, midnight).unwrap_err();
        assert_eq!(refused, Refused::TokenExpired(1));
    }

    #[test]
    fn a_secret_is_pm_and_forty_letters_or_digits() {
        let (one, other) = (secret(), secret());
        let random = one.strip_prefix("pm_").unwrap();
        assert_eq!(random.len(), 40);
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one, other);
    }

    #[test]
    fn ids_are_never_used_again() {
        let (now, mut tokens) = (Moment::at(NOON), Tokens::new(Plan::ProxyMesh10));
        for expected in 1..4 {
            let token = tokens.create(Holder::Parent, String::new(), None, now);
            assert_eq!(token.unwrap().id, expected);
            tokens.delete(&Holder::Parent, expected).unwrap();
        }
    }
}
