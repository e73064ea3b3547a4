//! Authenticates the caller with Basic or Bearer credentials, counts failures, and refuses banned clients.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::answer::Refusal;
use crate::log::RecordedAuth;
use crate::service::Call;
use crate::state::account::Account;
use crate::state::ban::{Bans, FAILURES, LASTS, WINDOW};
use crate::state::clock::Moment;
use crate::state::holder::Holder;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Basic,
    Bearer,
}

/// A client's credentials, from `Authorization` or `Proxy-Authorization`.
pub(crate) enum Credentials {
    Basic { username: String, password: String },
    Bearer(String),
    None,
    Unreadable(&'static str),
}

/// The caller, or a 401. A failure counts towards a ban, but not during one.
pub(crate) fn caller(
    account: &Account,
    bans: &mut Bans,
    call: &Call,
    now: Moment,
) -> Result<(Holder, Scheme), Refusal> {
    if let Some(until) = bans.until(call.from, now) {
        let reason = format!("{} until {until} (UTC).", banned());
        return Err(unauthorized(&reason));
    }
    let (found, reason) = match read(&call.authorization) {
        Credentials::Basic { username, password } => {
            let holder = account.with_password(&username, &password);
            let found = holder.map(|holder| (holder, Scheme::Basic));
            (found, "Wrong username or password, or an inactive sub-account")
        }
        Credentials::Bearer(secret) => {
            let holder = account.with_token(&secret, now);
            let found = holder.map(|holder| (holder, Scheme::Bearer));
            (found, "Unknown, deactivated or expired token, or an inactive sub-account")
        }
        Credentials::None => (None, "No Authorization header"),
        Credentials::Unreadable(reason) => (None, reason),
    };
    let found = found.filter(|(holder, _)| account.is_active(holder));
    found.ok_or_else(|| {
        let failures = bans.fail(call.from, now);
        let minutes = minutes(WINDOW);
        let mut text =
            format!("{reason}. Failed authentication {failures} of {FAILURES} within {minutes} minutes.");
        if failures >= FAILURES {
            text.push_str(&format!(" {}.", banned()));
        }
        unauthorized(&text)
    })
}

/// What the log records of the credentials.
pub(crate) fn recorded(authorization: &[String]) -> RecordedAuth {
    match read(authorization) {
        Credentials::Basic { username, .. } => RecordedAuth::Basic { username },
        Credentials::Bearer(_) => RecordedAuth::Bearer,
        Credentials::None => RecordedAuth::None,
        Credentials::Unreadable(_) => RecordedAuth::Other,
    }
}

pub(crate) fn read(authorization: &[String]) -> Credentials {
    let header = match authorization {
        [] => return Credentials::None,
        [header] => header,
        _ => return Credentials::Unreadable("More than one header with credentials"),
    };
    let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::Bearer(value.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Credentials::Unreadable("The credentials are neither Basic nor Bearer");
    }
    let decoded = STANDARD.decode(value).ok().map(String::from_utf8);
    let Some(Ok(pair)) = decoded else {
        return Credentials::Unreadable("The Basic credentials are not Base64 of UTF-8 text");
    };
    match pair.split_once(':') {
        Some((username, password)) => {
            Credentials::Basic { username: username.to_owned(), password: password.to_owned() }
        }
        None => Credentials::Unreadable("The Basic credentials have no colon"),
    }
}

fn unauthorized(reason: &str) -> Refusal {
    let refusal = Refusal::new(401, reason);
    refusal.with_header("www-authenticate", "Basic realm=\"ProxyMesh\"")
}

fn banned() -> String {
    let (hours, minutes) = (minutes(LASTS) / 60, minutes(WINDOW));
    format!("Banned for {hours} hours after {FAILURES} failed authentications within {minutes} minutes")
}

fn minutes(duration: Duration) -> u64 {
    duration.as_secs() / 60
}
