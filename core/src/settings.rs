//! What a client is built from: explicit settings first, then the environment, then the defaults.

use crate::{
    credentials::{Credentials, bounded},
    error::{Error, Result},
};
use reqwest::Url;
use secrecy::SecretString;
use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

const BASE_URL: &str = "https://proxymesh.com";
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_RETRIES: u32 = 2;
const USERNAME_VARIABLE: &str = "PROXYMESH_USERNAME";
const PASSWORD_VARIABLE: &str = "PROXYMESH_PASSWORD";
const TOKEN_VARIABLE: &str = "PROXYMESH_TOKEN";
const BASE_URL_VARIABLE: &str = "PROXYMESH_BASE_URL";
const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
const SSL_CERT_DIR: &str = "SSL_CERT_DIR";

/// The settings of a client. A setting that is not given comes from its environment variable, if there is one
/// (`PROXYMESH_USERNAME`, `PROXYMESH_PASSWORD`, `PROXYMESH_TOKEN`, `PROXYMESH_BASE_URL`), or else from its default.
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::{Client, Settings};
/// use std::time::Duration;
///
/// let settings = Settings::new().username("me@ex.com").password("secret").timeout(Duration::from_secs(5));
/// let client = Client::new(settings)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Settings {
    username: Option<String>,
    password: Option<SecretString>,
    token: Option<SecretString>,
    base_url: Option<String>,
    connect_timeout: Option<Duration>,
    max_connections: Option<u32>,
    pub(crate) options: Options,
    ca_file: Option<PathBuf>,
    ca_variables: &'static [&'static str],
    trust_env: bool,
    share_state: Option<bool>,
    user_agent: Option<String>,
}

impl Settings {
    /// Creates settings in which nothing is set: everything comes from the environment and the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the username of the account or of a sub-account. It requires a password.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// Sets the password for the username. It requires a username.
    #[must_use]
    pub fn password(mut self, password: impl Into<SecretString>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Sets a token (`pm_…`), instead of a username and password. The token calls do not accept it.
    #[must_use]
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets the base URL of the service; `https://proxymesh.com` by default. Plain http is allowed only to loopback hosts.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets the time limit for one attempt, from connecting to the last byte of the response; 30 s by default.
    ///
    /// A call may take longer. With `max_retries` 2, it makes at most three attempts, and waits at most 60 s between them. If it
    /// is unknown whether a write was carried out, the client then looks it up. Until the credentials have worked once, an
    /// attempt may first wait as long again for another call that is trying them.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Sets the time limit for connecting, including TLS; 10 s by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets how many times a call may be retried, if that is safe; 2 by default.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.options = self.options.max_retries(retries);
        self
    }

    /// Sets how many connections the client may have open at a time. Further calls wait for one, and this wait does not count towards
    /// their time limit. By default, it is a quarter of the file descriptors that the process may open, but at least 64 and at most 256.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// Sets a PEM file with additional CA certificates to trust.
    ///
    /// With an https base URL, environment variables can add more: `SSL_CERT_FILE` names such a file, and `SSL_CERT_DIR` lists
    /// folders of such files. A file or folder that cannot be read is an error. If neither variable is set, the system's
    /// certificates are trusted as well, except on Android and iOS. They are loaded only if the roots in this crate do not verify
    /// a server's certificate.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Sets the names of more environment variables that may name a PEM file or a folder of PEM files. This is for languages
    /// with variables of their own, such as Python's `REQUESTS_CA_BUNDLE`.
    #[must_use]
    pub fn ca_variables(mut self, names: &'static [&'static str]) -> Self {
        self.ca_variables = names;
        self
    }

    /// Sets whether to use the environment variables `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`. Off by default, because
    /// the account's calls should not go through a scraper's proxy. An invalid value is an error, and so is a SOCKS proxy. Calls
    /// over plain http go only to loopback hosts, and never through a proxy.
    #[must_use]
    pub fn trust_env(mut self, trust: bool) -> Self {
        self.trust_env = trust;
        self
    }

    /// Sets whether the processes of this user share what they know about the credentials; true by default. If it is true, several
    /// processes with a wrong password do not each try it. Otherwise, their attempts could get the caller banned. They share a file in
    /// the user's state folder. It contains no name and no secret. If it is false, each process counts its own failures.
    #[must_use]
    pub fn share_state(mut self, share: bool) -> Self {
        self.share_state = Some(share);
        self
    }

    /// Sets the `User-Agent` header; `proxymesh-rust/VERSION` by default.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Fills in the environment and the defaults, and validates everything.
    pub(crate) fn resolve(self) -> Result<Resolved> {
        self.resolve_with(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Error::config(format!("the environment variable {name} is not valid UTF-8")))
            }
        })
    }

    fn resolve_with(self, env: impl Fn(&str) -> Result<Option<String>>) -> Result<Resolved> {
        // A variable set to nothing counts as not set.
        let env = |name| env(name).map(|value| value.filter(|value| !value.is_empty()));
        let credentials = credentials(self.username, self.password, self.token, env)?;
        let base_url = match self.base_url {
            Some(url) => url,
            None => env(BASE_URL_VARIABLE)?.unwrap_or_else(|| BASE_URL.to_owned()),
        };
        let base_url = base(&base_url)?;
        let connect_timeout = self.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        if connect_timeout.is_zero() {
            return Err(Error::config("connect_timeout must be greater than 0 seconds"));
        }
        self.options.check()?;
        if self.max_connections == Some(0) {
            return Err(Error::config("max_connections must be at least 1"));
        }
        if let Some(path) = &self.ca_file {
            // No system accepts such a path, and the error would quote it.
            bounded("ca_file", &path.to_string_lossy(), 32 * 1024)?;
        }
        if let Some(user_agent) = &self.user_agent {
            bounded("user_agent", user_agent, 1024)?;
        }
        Ok(Resolved {
            credentials,
            base_url,
            connect_timeout,
            max_connections: self.max_connections,
            ca_file: self.ca_file,
            ca_variables: CaVariable::all(self.ca_variables),
            trust_env: self.trust_env,
            share_state: self.share_state.unwrap_or(true),
            user_agent: self
                .user_agent
                .unwrap_or_else(|| concat!("proxymesh-rust/", env!("CARGO_PKG_VERSION")).to_owned()),
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A refused URL may hold credentials.
        let base_url = self.base_url.as_deref().map(|url| base(url).map_or("[refused]", |_| url));
        // `SecretString` redacts itself.
        f.debug_struct("Settings")
            .field("username", &self.username)
            .field("password", &self.password)
            .field("token", &self.token)
            .field("base_url", &base_url)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Settings that are complete and checked.
pub(crate) struct Resolved {
    pub(crate) credentials: Credentials,
    pub(crate) base_url: Url,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_connections: Option<u32>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) ca_variables: Vec<CaVariable>,
    pub(crate) trust_env: bool,
    pub(crate) share_state: bool,
    pub(crate) user_agent: String,
}

/// An environment variable that is set and names CA certificates.
pub(crate) struct CaVariable {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    /// Whether its value is a list of folders.
    pub(crate) list: bool,
}

impl CaVariable {
    fn all(more: &[&'static str]) -> Vec<Self> {
        let names = [(SSL_CERT_FILE, false), (SSL_CERT_DIR, true)];
        let names = names.into_iter().chain(more.iter().map(|name| (*name, false)));
        let set = names.filter_map(|(name, list)| {
            let path = std::env::var_os(name).filter(|path| !path.is_empty())?;
            Some(Self { name, path: path.into(), list })
        });
        set.collect()
    }

    /// Whether it replaces the system's own certificates, as it does for OpenSSL.
    pub(crate) fn replaces_system(&self) -> bool {
        matches!(self.name, SSL_CERT_FILE | SSL_CERT_DIR)
    }
}

fn credentials(
    username: Option<String>,
    password: Option<SecretString>,
    token: Option<SecretString>,
    env: impl Fn(&'static str) -> Result<Option<String>>,
) -> Result<Credentials> {
    if let Some(token) = token {
        return match (username, password) {
            (None, None) => Credentials::bearer(token),
            _ => Err(Error::config("give either a token or a username and password, not both")),
        };
    }
    if username.is_none() && password.is_none() {
        let found = (env(USERNAME_VARIABLE)?, env(PASSWORD_VARIABLE)?, env(TOKEN_VARIABLE)?);
        return match found {
            (None, None, Some(token)) => Credentials::bearer(token),
            (Some(username), Some(password), None) => Credentials::basic(username, password),
            (None, None, None) => Err(Error::config(format!(
                "no credentials: give a username and password, or a token, or set {USERNAME_VARIABLE} and {PASSWORD_VARIABLE}, or {TOKEN_VARIABLE}"
            ))),
            (_, _, Some(_)) => Err(Error::config(format!(
                "set either {TOKEN_VARIABLE} or {USERNAME_VARIABLE} and {PASSWORD_VARIABLE}, not both, or give the credentials explicitly"
            ))),
            (None, Some(_), None) => {
                Err(Error::config(format!("{PASSWORD_VARIABLE} is set, but no username")))
            }
            (Some(_), None, None) => {
                Err(Error::config(format!("{USERNAME_VARIABLE} is set, but no password")))
            }
        };
    }
    let Some(username) = (match username {
        Some(username) => Some(username),
        None => env(USERNAME_VARIABLE)?,
    }) else {
        return Err(Error::config("a password is given, but no username"));
    };
    let Some(password) = (match password {
        Some(password) => Some(password),
        None => env(PASSWORD_VARIABLE)?.map(SecretString::from),
    }) else {
        return Err(Error::config("a username is given, but no password"));
    };
    Credentials::basic(username, password)
}

/// Checks a base URL. Its path, if any, becomes a prefix of every call's path.
fn base(text: &str) -> Result<Url> {
    // The text may hold credentials by mistake, so it is not quoted.
    let refuse = |reason: &str| Err(Error::config(format!("base_url {reason}")));
    bounded("base_url", text, 2048)?;
    if !text.is_ascii() {
        return refuse(
            "must contain only ASCII; write an international name in its xn-- form, and percent-encode a path",
        );
    }
    let Ok(mut url) = Url::parse(text) else {
        return refuse("must be a URL, such as https://proxymesh.com");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not contain credentials; give the username and password separately");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("must not have a query or a fragment");
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return refuse(
                "must use https: plain http would expose the credentials, and is allowed only for loopback hosts",
            );
        }
        _ => return refuse("must begin with https://"),
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    // The path of every call already starts with `/api`.
    if let Some(path) = path.strip_suffix("/api") {
        url.set_path(path);
        let right = url.as_str().trim_end_matches('/');
        return refuse(&format!("must not end in /api, which the client adds itself; use {right}"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Options that may differ from call to call; see [`Client::with_options`](crate::Client::with_options).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    timeout: Option<Duration>,
    max_retries: Option<u32>,
}

impl Options {
    /// Creates options in which nothing is set: the client's own options stay the same.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time limit for one attempt; see [`Settings::timeout`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how many times a call may be retried; see [`Settings::max_retries`].
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// Returns these options. Those that are not set are taken from `base`.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        Self { timeout: self.timeout.or(base.timeout), max_retries: self.max_retries.or(base.max_retries) }
    }

    pub(crate) fn check(self) -> Result<()> {
        if self.attempt_timeout().is_zero() {
            return Err(Error::config("timeout must be greater than 0 seconds"));
        }
        Ok(())
    }

    pub(crate) fn attempt_timeout(self) -> Duration {
        self.timeout.unwrap_or(TIMEOUT)
    }

    pub(crate) fn retries(self) -> u32 {
        self.max_retries.unwrap_or(MAX_RETRIES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn username(resolved: &Resolved) -> Option<&str> {
        resolved.credentials.username_and_password().map(|(username, _)| username)
    }

    fn resolve(settings: Settings, env: &[(&str, &str)]) -> Result<Resolved> {
        settings.resolve_with(|name| {
            Ok(env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
        })
    }

    fn refused(settings: Settings, env: &[(&str, &str)]) -> String {
        match resolve(settings, env) {
            Err(error @ Error::Config { .. }) => error.to_string(),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("accepted"),
        }
    }

    fn basic() -> Settings {
        Settings::new().username("me").password("pw")
    }

    const USER: (&str, &str) = (USERNAME_VARIABLE, "env-me");
    const PASS: (&str, &str) = (PASSWORD_VARIABLE, "env-pw");
    const TOKEN: (&str, &str) = (TOKEN_VARIABLE, "pm_env");

    #[test]
    fn given_credentials_take_precedence_over_the_environment() {
        let resolved = resolve(basic(), &[USER, PASS, TOKEN]).unwrap();
        assert_eq!(username(&resolved), Some("me"));
        let resolved = resolve(Settings::new().token("pm_x"), &[USER, PASS]).unwrap();
        assert_eq!(username(&resolved), None);
    }

    #[test]
    fn missing_halves_come_from_the_environment() {
        let resolved = resolve(Settings::new(), &[USER, PASS]).unwrap();
        assert_eq!(username(&resolved), Some("env-me"));
        let resolved = resolve(Settings::new().username("me"), &[USER, PASS, TOKEN]).unwrap();
        assert_eq!(username(&resolved), Some("me"));
        assert!(resolve(Settings::new(), &[TOKEN]).is_ok());
    }

    #[test]
    fn missing_and_contradictory_credentials_are_rejected() {
        assert!(refused(Settings::new(), &[]).starts_with("no credentials"));
        assert!(refused(Settings::new(), &[USER, PASS, TOKEN]).contains("either PROXYMESH_TOKEN or"));
        assert!(refused(Settings::new(), &[USER]).contains("no password"));
        assert!(refused(Settings::new(), &[PASS]).contains("no username"));
        assert!(refused(Settings::new().username("me"), &[]).contains("no password"));
        assert!(refused(Settings::new().password("x"), &[]).contains("no username"));
        assert!(refused(basic().token("pm_x"), &[]).contains("either a token or"));
        assert!(refused(Settings::new(), &[(USERNAME_VARIABLE, ""), PASS]).contains("no username"));
    }

    #[test]
    fn credentials_that_do_not_fit_in_a_header_are_rejected() {
        for (username, password) in [("", "x"), ("a:b", "x"), ("a\nb", "x"), ("a", ""), ("a", "x\r\ny")] {
            let reason = refused(Settings::new().username(username).password(password), &[]);
            assert!(!reason.contains("x\r"), "{reason}");
        }
        for token in ["", "pm x", "pm_\r\nX: y", "pm_é"] {
            refused(Settings::new().token(token), &[]);
        }
    }

    /// Swift's `URL` converts such a name itself.
    #[test]
    fn an_international_name_needs_its_ascii_form() {
        let error = base("https://bücher.example").unwrap_err().to_string();
        assert_eq!(
            error,
            "base_url must contain only ASCII; write an international name in its xn-- form, and percent-encode a path"
        );
        assert_eq!(base("https://xn--bcher-kva.example").unwrap().host_str(), Some("xn--bcher-kva.example"));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in [
            "http://localhost:1",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:1",
            "https://example.com",
            "https://example.com/prefix/",
        ] {
            assert!(resolve(basic().base_url(good), &[]).is_ok(), "{good}");
        }
        for bad in [
            "http://proxymesh.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://0.0.0.0",
            "ftp://proxymesh.com",
            "proxymesh.com",
            "",
            "https://u:p@proxymesh.com",
            "https://proxymesh.com/?a=b",
            "https://proxymesh.com/#a",
            "unix:/tmp/x",
            "https://proxymesh.com/api",
            "https://example.com/prefix/api//",
        ] {
            assert!(refused(basic().base_url(bad), &[]).starts_with("base_url"), "{bad}");
        }
        assert!(refused(basic(), &[(BASE_URL_VARIABLE, "http://proxymesh.com")]).contains("loopback"));
        assert!(
            refused(basic().base_url("https://proxymesh.com/api/"), &[])
                .ends_with("; use https://proxymesh.com")
        );
        assert!(refused(basic().base_url("https://a.test/x/api"), &[]).ends_with("; use https://a.test/x"));
    }

    #[test]
    fn text_that_is_too_long_is_rejected_at_once_and_not_quoted() {
        let long = "x".repeat(100_000_000);
        let start = std::time::Instant::now();
        for (name, settings) in [
            ("the username", basic().username(&long)),
            ("the password", basic().password(long.as_str())),
            ("the token", Settings::new().token(long.as_str())),
            ("base_url", basic().base_url(&long)),
            ("base_url", basic().base_url(format!("https://{long}"))),
            ("ca_file", basic().ca_file(&long)),
            ("user_agent", basic().user_agent(&long)),
        ] {
            let text = refused(settings, &[]);
            assert!(text.starts_with(&format!("{name} is longer than ")) && text.len() < 60, "{name}");
        }
        // Most of the time is spent on wiping the text from memory, which is slow without optimisation.
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    #[test]
    fn time_limits_of_zero_are_rejected() {
        refused(basic().timeout(Duration::ZERO), &[]);
        refused(basic().connect_timeout(Duration::ZERO), &[]);
    }
}
