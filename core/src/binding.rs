//! What the bindings for other languages share. Their input may lack a value, or have a number out of range. This is not part of
//! the public API and may change in any release.
#![allow(missing_docs, reason = "the names are those of the public API")]

pub use crate::{
    lease::{Follow, Lease, Unreleased, stays_authorised, warn},
    observer::Event,
    pool::{HandedOut, Pool, Wanted},
    proxy::Tunnel,
};

use crate::{
    error::{Error, Result},
    lease::{AuthorizedIp, FollowedIp},
    model::{NewIp, NewSubAccount, SubAccountEdit, TokenRequest},
    observer::Observer,
    pool::{Order, Outcome, PoolOptions, Report},
    proxy::{ExitChoice, Proxy, ProxyHost},
    resource::{Dispatch, Hostnames, HostnamesOf, Ips, Tokens},
    settings::{Options, Settings},
};
use secrecy::SecretString;
use std::{fmt::Display, net::IpAddr, path::PathBuf, time::Duration};

/// Calls the setter for each value that is present.
macro_rules! set {
    ($form:expr, $( $setter:ident: $value:expr ),+ $(,)?) => {{
        let form = $form;
        $( let form = match $value {
            Some(value) => form.$setter(value),
            None => form,
        }; )+
        form
    }};
    // The setters validate.
    ($form:expr, ? $( $setter:ident: $value:expr ),+ $(,)?) => {{
        let form = $form;
        $( let form = match $value {
            Some(value) => form.$setter(value)?,
            None => form,
        }; )+
        form
    }};
}

/// The settings of a client. `None` means the environment, then the default.
#[derive(Default)]
pub struct SettingParts {
    pub username: Option<String>,
    pub password: Option<SecretString>,
    pub token: Option<SecretString>,
    pub base_url: Option<String>,
    pub timeout: Option<f64>,
    pub connect_timeout: Option<f64>,
    pub max_retries: Option<i64>,
    pub max_connections: Option<i64>,
    pub ca_file: Option<PathBuf>,
    pub trust_env: bool,
    pub share_state: Option<bool>,
    pub user_agent: Option<String>,
}

impl SettingParts {
    pub fn check(self) -> Result<Settings> {
        let connect_timeout = self.connect_timeout.map(|value| seconds("connect_timeout", value));
        let mut settings = set!(
            Settings::new().trust_env(self.trust_env),
            username: self.username,
            password: self.password,
            token: self.token,
            base_url: self.base_url,
            connect_timeout: connect_timeout.transpose()?,
            max_connections: self.max_connections.map(connections).transpose()?,
            share_state: self.share_state,
            ca_file: self.ca_file,
            user_agent: self.user_agent,
        );
        settings.options = options(self.timeout, self.max_retries)?;
        Ok(settings)
    }
}

/// An observer that also gets warnings.
pub fn observer(tell: impl Fn(Event) + Send + Sync + 'static) -> Observer {
    Observer::of(tell)
}

/// Options for calls. `None` keeps the client's value.
pub fn options(timeout: Option<f64>, max_retries: Option<i64>) -> Result<Options> {
    Ok(set!(
        Options::new(),
        timeout: timeout.map(|value| seconds("timeout", value)).transpose()?,
        max_retries: max_retries.map(retries).transpose()?,
    ))
}

/// The fields of a sub-account that can be set. `None` is not sent.
#[derive(Default)]
pub struct SubAccountParts<'a> {
    pub password: Option<&'a str>,
    pub first_name: Option<&'a str>,
    pub last_name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub monthly_limit: Option<i64>,
    pub total_limit: Option<i64>,
}

impl SubAccountParts<'_> {
    pub fn create(self, username: &str) -> Result<NewSubAccount> {
        let new = set!(
            NewSubAccount::new(username)?,
            ? password: self.password,
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
        );
        let limit = |field, value: Option<i64>| value.map(|value| gigabytes(field, value)).transpose();
        Ok(set!(
            new,
            monthly_limit: limit("monthly_limit", self.monthly_limit)?,
            total_limit: limit("total_limit", self.total_limit)?,
        ))
    }

    pub fn edit(self, username: &str) -> Result<SubAccountEdit> {
        let NewSubAccount { username, fields } = self.create(username)?;
        Ok(SubAccountEdit { username, fields })
    }
}

pub fn new_ip(ip: &str, label: Option<&str>) -> Result<NewIp> {
    Ok(set!(NewIp::new(ip)?, ? label: label))
}

pub fn authorized_ip(ip: Option<&str>, label: Option<&str>, lookup: Option<&str>) -> Result<AuthorizedIp> {
    Ok(set!(AuthorizedIp::new(), ? ip: ip, label: label, lookup: lookup))
}

/// `interval` is a number of seconds.
pub fn followed_ip(label: Option<&str>, lookup: Option<&str>, interval: Option<f64>) -> Result<FollowedIp> {
    let interval = interval.map(|interval| Duration::try_from_secs_f64(interval).unwrap_or_default());
    Ok(set!(FollowedIp::new(), ? label: label, lookup: lookup, interval: interval))
}

pub fn token_request(label: Option<&str>, expires_at: Option<&str>) -> Result<TokenRequest> {
    Ok(set!(TokenRequest::new(), ? label: label, expires_at: expires_at))
}

/// The options of a pool, with numbers that are not checked yet. `None` means every country, or the default.
pub struct PoolParts<'a> {
    pub countries: Option<Vec<String>>,
    pub exclude: Vec<ProxyHost>,
    pub order: &'a str,
    pub ttl: Option<f64>,
    pub cooldown: Option<f64>,
    pub credentials: bool,
    pub rotating: bool,
}

impl PoolParts<'_> {
    pub fn check(self) -> Result<PoolOptions> {
        let order = match self.order {
            "round_robin" => Order::RoundRobin,
            "random" => Order::Random,
            "fastest" => Order::Fastest,
            _ => return Err(Error::validation("order", "must be round_robin, random or fastest")),
        };
        // The setters refuse zero and cut what is too long.
        let seconds = |value: f64| match value.is_finite() && value > 0.0 {
            true => Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX),
            false => Duration::ZERO,
        };
        let mut options = set!(
            PoolOptions::new().order(order).credentials(self.credentials).rotating(self.rotating),
            ? ttl: self.ttl.map(seconds),
            cooldown: self.cooldown.map(seconds),
        );
        if self.countries.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::validation("country", "name at least one country"));
        }
        for code in self.countries.iter().flatten() {
            options = options.country(code)?;
        }
        self.exclude.into_iter().try_fold(options, PoolOptions::exclude)
    }
}

/// A report about a request. `latency` is a number of seconds.
pub fn report(outcome: Outcome, latency: Option<f64>, bytes: u64) -> Result<Report> {
    let latency = latency.map(Duration::try_from_secs_f64).transpose();
    let latency = latency.map_err(|_| Error::validation("latency", "must be a number of seconds"))?;
    Ok(set!(Report::from(outcome).bytes(bytes), latency: latency))
}

pub fn exit_choice<'a>(
    country: Option<&str>,
    prefer_ip: Option<&str>,
    hold_ip: Option<&str>,
    not_ips: impl IntoIterator<Item = &'a str>,
) -> Result<ExitChoice> {
    if prefer_ip.is_some() && hold_ip.is_some() {
        return Err(Error::validation("hold_ip", "give either prefer_ip or hold_ip"));
    }
    let exit = set!(ExitChoice::new(), ? country: country, prefer_ip: prefer_ip, hold_ip: hold_ip);
    not_ips.into_iter().try_fold(exit, ExitChoice::not_ip)
}

/// A handle whose calls can be made for a sub-account.
pub trait Handle {
    type Narrowed;

    /// The handle for the sub-account with this name; `None` means the caller itself.
    fn of(self, username: Option<&str>) -> Result<Self::Narrowed>;
}

macro_rules! handle {
    ($($handle:ident)+) => {
        $( impl<'a, D: Dispatch> Handle for $handle<'a, D> {
            type Narrowed = Self;

            fn of(self, username: Option<&str>) -> Result<Self> {
                match username {
                    None => Ok(self),
                    Some(username) => $handle::of(&self, username),
                }
            }
        } )+
    };
}
handle!(Ips Tokens);

impl<'a, D: Dispatch> Handle for Hostnames<'a, D> {
    type Narrowed = HostnamesOf<'a, D>;

    fn of(self, username: Option<&str>) -> Result<HostnamesOf<'a, D>> {
        match username {
            None => Ok(self.own()),
            Some(username) => Hostnames::of(&self, username),
        }
    }
}

/// See [`Handle::of`].
pub fn of<H: Handle>(handle: H, username: Option<&str>) -> Result<H::Narrowed> {
    handle.of(username)
}

/// An address as text. For an IPv4 address, this takes a tenth of the time of `to_string`.
pub fn ip_text(ip: &IpAddr) -> String {
    let mut text = String::with_capacity(15);
    write_ip(ip, &mut text);
    text
}

/// Replaces `text` with an address.
pub fn write_ip(ip: &IpAddr, text: &mut String) {
    text.clear();
    match ip {
        IpAddr::V4(ip) => {
            let mut digits = itoa::Buffer::new();
            for (index, octet) in ip.octets().into_iter().enumerate() {
                if index > 0 {
                    text.push('.');
                }
                text.push_str(digits.format(octet));
            }
        }
        IpAddr::V6(ip) => text.push_str(&ip.to_string()),
    }
}

/// Checks a time limit.
pub fn seconds(name: &'static str, value: f64) -> Result<Duration> {
    let limit = Duration::try_from_secs_f64(value).ok().filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| no_seconds(name, value))
}

/// Checks the value of `max_retries`.
fn retries(value: i64) -> Result<u32> {
    u32::try_from(value).map_err(|_| no_retries(value))
}

/// Checks the value of `max_connections`.
fn connections(value: i64) -> Result<u32> {
    u32::try_from(value).ok().filter(|value| *value > 0).ok_or_else(|| no_connections(value))
}

/// Checks a limit of a sub-account.
fn gigabytes(field: &'static str, value: i64) -> Result<u32> {
    let reason = "must be a whole number of gigabytes from 0 (no limit) to 4294967295";
    u32::try_from(value).map_err(|_| Error::validation(field, reason))
}

/// The error for a time limit that is not a number of seconds greater than 0. `given` says briefly what it is instead.
pub fn no_seconds(name: &'static str, given: impl Display) -> Error {
    Error::config(format!("{name} must be a number of seconds greater than 0, not {given}"))
}

/// The same for `max_retries`.
pub fn no_retries(given: impl Display) -> Error {
    Error::config(format!("max_retries must be a whole number from 0 to 4294967295, not {given}"))
}

/// The same for `max_connections`.
pub fn no_connections(given: impl Display) -> Error {
    Error::config(format!("max_connections must be a whole number from 1 to 4294967295, not {given}"))
}

/// The error for a closed client.
pub fn closed() -> Error {
    Error::config("the client is closed; create a new one")
}

/// Asks a proxy to open a tunnel.
pub async fn tunnel(proxy: &Proxy, target: &str, timeout: Duration) -> Result<Tunnel> {
    proxy.tunnel(target, timeout).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_display_writes_it() {
        let mut text = String::from("old");
        for ip in ["0.0.0.0", "203.0.113.7", "255.255.255.255", "::", "2001:db8::7", "::ffff:192.0.2.1"] {
            let ip: IpAddr = ip.parse().unwrap();
            write_ip(&ip, &mut text);
            assert_eq!(text, ip.to_string());
        }
    }

    #[test]
    fn numbers_that_no_setting_accepts_are_rejected() {
        assert_eq!(seconds("timeout", 0.25).unwrap(), Duration::from_millis(250));
        for bad in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e-12] {
            let text = seconds("timeout", bad).unwrap_err().to_string();
            assert_eq!(text, format!("timeout must be a number of seconds greater than 0, not {bad}"));
        }
        assert_eq!(retries(0).unwrap(), 0);
        assert_eq!(retries(4_294_967_295).unwrap(), u32::MAX);
        for bad in [-1, i64::MIN, 4_294_967_296] {
            let text = retries(bad).unwrap_err().to_string();
            assert_eq!(text, format!("max_retries must be a whole number from 0 to 4294967295, not {bad}"));
        }
        assert_eq!(connections(1).unwrap(), 1);
        for bad in [0, -1, 4_294_967_296] {
            let text = connections(bad).unwrap_err().to_string();
            assert_eq!(
                text,
                format!("max_connections must be a whole number from 1 to 4294967295, not {bad}")
            );
        }
    }
}
