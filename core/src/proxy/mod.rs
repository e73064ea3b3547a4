//! Proxies: their addresses, the choice of an exit IP, and a check of whether they accept a connection.

mod adapter;
mod check;
mod exit;
mod session;

#[cfg(feature = "hyper-util")]
pub use adapter::ProxyTunnel;
pub use check::{Check, Tunnel};
pub use exit::ExitChoice;

use crate::{
    credentials::Credentials,
    error::{Error, Result},
    model::{read, rule},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use std::{hash::Hash, net::IpAddr, sync::Arc};

/// Everything except the unreserved characters of RFC 3986, section 2.3, so that a username may hold `@`.
const USERINFO: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The name of a proxy, in one of three forms: a host (`us-ca`), a domain (`us-ca.proxymesh.com`) or `domain:port`. It is sent
/// as given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProxyHost(String);

impl ProxyHost {
    /// Checks a proxy's name.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `proxy` if it has none of these forms.
    pub fn new(value: &str) -> Result<Self> {
        rule::length("proxy", value, 1, 259)?;
        if value.contains("://") || value.contains('@') {
            return Err(Error::validation(
                "proxy",
                "must be a host (us-ca), a domain (us-ca.proxymesh.com) or domain:port, not a URL",
            ));
        }
        let host = match value.split_once(':') {
            None => value,
            Some((host, port)) => {
                port_number(port)
                    .ok_or_else(|| Error::validation("proxy", "the port must be a number from 1 to 65535"))?;
                if !host.contains('.') {
                    return Err(Error::validation("proxy", "has a port after a bare host; use domain:port"));
                }
                host
            }
        };
        rule::dns_name("proxy", host)?;
        Ok(Self(value.to_owned()))
    }

    /// Whether this is the name of the proxy. A name without a port is that of a proxy on any port.
    #[must_use]
    pub fn names(&self, proxy: &Proxy) -> bool {
        let (host, port) = match self.0.split_once(':') {
            Some((host, port)) => (host, port_number(port)),
            None => (self.0.as_str(), None),
        };
        let name = if host.contains('.') { proxy.host() } else { proxy.name() };
        name.eq_ignore_ascii_case(host) && port.is_none_or(|port| port == proxy.port())
    }
}

rule::validated_text!(ProxyHost);

fn port_number(text: &str) -> Option<u16> {
    // `parse` would accept a plus sign.
    let digits = text.bytes().try_fold(0_u16, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u16::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    });
    digits.filter(|port| *port > 0)
}

impl From<&Proxy> for ProxyHost {
    fn from(proxy: &Proxy) -> Self {
        Self(proxy.to_string())
    }
}

impl From<Proxy> for ProxyHost {
    fn from(proxy: Proxy) -> Self {
        Self::from(&proxy)
    }
}

/// A proxy server that the account may use.
///
/// A proxy that the service lists has no credentials. It works as it is on a machine whose IP or hostname is authorised.
/// [`using`](Self::using) returns it with credentials, and [`steer`](Self::steer) with an exit choice.
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// let proxy: proxymesh::Proxy = "us-ca.proxymesh.com:31280".parse()?;
/// assert_eq!(proxy.name(), "us-ca");
/// assert_eq!(proxy.plain_url(), "http://us-ca.proxymesh.com:31280");
/// assert_eq!(proxy.url_with("me@ex.com", "a b"), "http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280");
/// # Ok(()) }
/// ```
///
/// Two proxies are equal if their hosts, ports, credentials and exit choices are equal, and both rotate or neither does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// `None` if the proxy has neither credentials nor an exit choice. Most proxies of a list have none, and those of a pool share
    /// the same ones.
    access: Option<Arc<Access>>,
}

/// How to authenticate to a proxy, and which exit IP to ask it for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Access {
    credentials: Option<Credentials>,
    exit: ExitChoice,
    rotating: bool,
}

impl Hash for Proxy {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.host, self.port, self.exit_choice(), self.is_rotating()).hash(state);
    }
}

/// The port of the service's proxies.
const PORT: u16 = 31280;

impl Proxy {
    /// The proxy at this host and port. The host may include the port, as the service writes it: `us-ca.proxymesh.com:31280`.
    /// If neither `host` nor `port` gives a port, it is 31280, which all proxies of the service use.
    ///
    /// ```
    /// # fn main() -> proxymesh::Result<()> {
    /// use proxymesh::Proxy;
    ///
    /// assert_eq!(Proxy::at("us-ca.proxymesh.com:31280", None)?, Proxy::at("us-ca.proxymesh.com", Some(31280))?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `proxy` if the host is neither a DNS name nor an IPv4 address, the port is not from
    /// 1 to 65535, or the host includes a port that differs from the one given.
    pub fn at(host: &str, port: Option<i64>) -> Result<Self> {
        if host.contains("://") || host.contains('@') {
            return Err(Error::validation(
                "proxy",
                "must be a domain (us-ca.proxymesh.com) or domain:port, not a URL; give credentials separately",
            ));
        }
        let no_port = || Error::validation("proxy", "the port must be a number from 1 to 65535");
        let given = port.map(|port| u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(no_port));
        let given = given.transpose()?;
        let (host, held) = match host.rsplit_once(':') {
            Some((host, port)) => (host, Some(port_number(port).ok_or_else(no_port)?)),
            None => (host, None),
        };
        if let (Some(held), Some(given)) = (held, given)
            && held != given
        {
            let reason = format!(
                "the host includes port {held}, but the port given is {given}; give only one of them"
            );
            return Err(Error::validation("proxy", reason));
        }
        rule::dns_name("proxy", host)?;
        Ok(Self { host: host.to_owned(), port: held.or(given).unwrap_or(PORT), access: None })
    }

    /// Returns the same proxy with these credentials, such as [a client's](crate::Client::credentials). `None` removes them.
    ///
    /// ```
    /// # fn main() -> proxymesh::Result<()> {
    /// use proxymesh::{Credentials, Proxy};
    ///
    /// let proxy = Proxy::at("us-ca.proxymesh.com", None)?.using(Credentials::basic("me@ex.com", "a b")?);
    /// assert_eq!(proxy.headers()[0].0, "Proxy-Authorization");
    /// assert_eq!(proxy.using(None).credentials(), None);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn using(self, credentials: impl Into<Option<Credentials>>) -> Self {
        let credentials = credentials.into();
        self.with(|access| access.credentials = credentials)
    }

    /// Returns the same proxy with this exit choice. It replaces an earlier choice. If the choice holds an exit IP, the
    /// returned proxy does not [rotate](Self::rotating).
    ///
    /// ```
    /// # fn main() -> proxymesh::Result<()> {
    /// use proxymesh::{ExitChoice, Proxy};
    ///
    /// let proxy = Proxy::at("open.proxymesh.com", None)?.steer(ExitChoice::new().country("DE")?)?;
    /// assert_eq!(proxy.headers()[0].0, "X-ProxyMesh-Country");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `country` if this proxy has no exit IPs in the country and cannot choose one.
    pub fn steer(self, exit: ExitChoice) -> Result<Self> {
        if let Some(country) = exit.wanted_country()
            && !self.chooses_country()
            && self.country().as_deref() != Some(country)
        {
            let reason =
                format!("the proxy {} cannot choose the country {country}; open and world can", self.name());
            return Err(Error::validation("country", reason));
        }
        Ok(self.with(|access| {
            access.rotating &= exit.held_ip().is_none();
            access.exit = exit;
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Access)) -> Self {
        let mut access = self.access.as_deref().cloned().unwrap_or_default();
        change(&mut access);
        self.access = (access != Access::default()).then(|| Arc::new(access));
        self
    }

    /// The credentials with which to authenticate to it, if it has any.
    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        self.access.as_ref()?.credentials.as_ref()
    }

    /// Which exit IP to ask it for.
    #[must_use]
    pub fn exit_choice(&self) -> &ExitChoice {
        self.access.as_ref().map_or(const { &ExitChoice::new() }, |access| &access.exit)
    }

    /// The domain, such as `us-ca.proxymesh.com`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, usually 31280.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The first part of the domain, such as `us-ca`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.host.split_once('.').map_or(self.host.as_str(), |(name, _)| name)
    }

    /// The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`. `None` for
    /// `open` and `world`, which have exit IPs in many countries (docs/assumptions.md, A18).
    #[must_use]
    pub fn country(&self) -> Option<String> {
        let name = self.name();
        let code = name.split_once('-').map_or(name, |(code, _)| code).to_ascii_uppercase();
        let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
        // This is the only name that differs from ISO 3166.
        is_code.then(|| if code == "UK" { "GB".to_owned() } else { code })
    }

    /// Whether an [`ExitChoice`] can choose the country: true for `open` and `world`, which have exit IPs in many countries.
    #[must_use]
    pub fn chooses_country(&self) -> bool {
        ["open", "world"].iter().any(|name| self.name().eq_ignore_ascii_case(name))
    }

    /// The host and port to connect to. For the sandbox's proxies, the host is `localhost`, because few resolvers know that
    /// `us-ca.localhost` is this machine (RFC 6761, section 6.3).
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        let local = self.host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"));
        (if local { "localhost" } else { &self.host }, self.port)
    }

    /// The URL without credentials, for a machine whose IP or hostname is authorised.
    #[must_use]
    pub fn plain_url(&self) -> String {
        let (host, port) = self.address();
        format!("http://{host}:{port}")
    }

    /// The URL for any HTTP library, with the proxy's credentials if it has any. They are percent-encoded, so they may contain `@`
    /// or `:`. The URL then contains the password, so keep it out of logs. An exit choice cannot go into a URL; use
    /// [`headers`](Self::headers).
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] if the credentials are a token. A token cannot go into a URL; use [`headers`](Self::headers).
    pub fn url(&self) -> Result<SecretString> {
        let Some(credentials) = self.credentials() else { return Ok(self.plain_url().into()) };
        let Some((username, password)) = credentials.username_and_password() else {
            let reason = "a token cannot be part of a URL; send it in the Proxy-Authorization header";
            return Err(Error::validation("token", reason));
        };
        Ok(self.url_with(username, password.expose_secret()).into())
    }

    /// The URL with this username and password; see [`url`](Self::url).
    #[must_use]
    pub fn url_with(&self, username: &str, password: &str) -> String {
        let username = utf8_percent_encode(username, USERINFO);
        let password = utf8_percent_encode(password, USERINFO);
        let (host, port) = self.address();
        format!("http://{username}:{password}@{host}:{port}")
    }

    /// The headers to send to the proxy: on the `CONNECT` request for an https target, and on the request itself for an http
    /// target. `Proxy-Authorization` contains the credentials, as Basic in UTF-8 or as Bearer. Keep it out of logs.
    ///
    /// Pass the headers to a library only if it sends them to the proxy alone. If it sends them as ordinary request headers, an
    /// https site gets them, including the password. For some libraries, this crate has [adapters](crate#http-libraries).
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, SecretString)> {
        let mut headers = Vec::new();
        if let Some(credentials) = self.credentials() {
            headers.push(("Proxy-Authorization", SecretString::from(credentials.authorization().as_str())));
        }
        headers.extend(self.exit_headers().into_iter().map(|(name, value)| (name, value.into())));
        headers
    }

    /// The headers that contain the exit choice.
    fn exit_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let exit = self.exit_choice();
        // Other proxies have exit IPs in one country only, which `steer` has checked.
        if let Some(country) = exit.wanted_country().filter(|_| self.chooses_country()) {
            headers.push(("X-ProxyMesh-Country", country.to_owned()));
        }
        if let Some(ip) = exit.preferred_ip() {
            headers.push(("X-ProxyMesh-Prefer-IP", ip.to_string()));
        }
        if !exit.unwanted_ips().is_empty() {
            let list: Vec<String> = exit.unwanted_ips().iter().map(IpAddr::to_string).collect();
            headers.push(("X-ProxyMesh-Not-IP", list.join(",")));
        }
        headers
    }
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl std::str::FromStr for Proxy {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        // The proxies that the service lists have a port.
        let address = value.rsplit_once(':').and_then(|(host, port)| Some((host, port_number(port)?)));
        let Some((host, port)) = address else {
            return Err(Error::validation("proxy", "must be DOMAIN:PORT"));
        };
        match rule::dns_name("proxy", host) {
            Ok(()) => Ok(Self { host: host.to_owned(), port, access: None }),
            // If `value` is a URL, the error of `at` says more.
            Err(_) => Self::at(value, None),
        }
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        read::parsed(input)
    }
}

impl TryFrom<String> for Proxy {
    type Error = Error;

    fn try_from(value: String) -> Result<Self> {
        value.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(name: &str) -> Proxy {
        format!("{name}.proxymesh.com:31280").parse().unwrap()
    }

    #[test]
    fn the_name_tells_the_country() {
        let countries = [
            ("us-ca", Some("US")),
            ("uk", Some("GB")),
            ("de", Some("DE")),
            ("open", None),
            ("world", None),
            ("usisp", None),
            ("residential", None),
        ];
        for (name, country) in countries {
            assert_eq!(proxy(name).country().as_deref(), country, "{name}");
        }
        assert!(proxy("open").chooses_country() && proxy("world").chooses_country());
        assert!(!proxy("us-ca").chooses_country());
    }

    #[test]
    fn the_port_may_be_in_the_host() {
        let at = |host, port| Proxy::at(host, port).map(|proxy| proxy.to_string()).map_err(|e| e.to_string());
        for (host, port) in [
            ("us-ca.proxymesh.com", None),
            ("us-ca.proxymesh.com", Some(31280)),
            ("us-ca.proxymesh.com:31280", None),
            ("us-ca.proxymesh.com:31280", Some(31280)),
        ] {
            assert_eq!(at(host, port).as_deref(), Ok("us-ca.proxymesh.com:31280"));
        }
        assert_eq!(at("us-ca.localhost:40000", None).as_deref(), Ok("us-ca.localhost:40000"));
        let contradiction =
            "proxy: the host includes port 8080, but the port given is 31280; give only one of them";
        assert_eq!(at("us-ca.proxymesh.com:8080", Some(31280)).unwrap_err(), contradiction);
        for (host, port) in [
            ("us-ca.proxymesh.com", Some(0)),
            ("us-ca.proxymesh.com", Some(-1)),
            ("us-ca.proxymesh.com", Some(65536)),
            ("us-ca.proxymesh.com:", None),
            ("us-ca.proxymesh.com:0", None),
            ("us-ca.proxymesh.com:+1", None),
            ("us-ca.proxymesh.com:65536", None),
        ] {
            assert!(at(host, port).unwrap_err().contains("from 1 to 65535"), "{host} {port:?}");
        }
        for host in ["http://us-ca.proxymesh.com:31280", "me:secret@us-ca.proxymesh.com:31280"] {
            let refused = at(host, None).unwrap_err();
            assert!(refused.contains("not a URL") && !refused.contains("secret"), "{refused}");
        }
        assert!(at("", None).is_err() && at("a:1:2", None).is_err() && at(":1", None).is_err());
    }

    #[test]
    fn names_under_localhost_are_this_machine() {
        let proxy: Proxy = "us-ca.localhost:40000".parse().unwrap();
        assert_eq!((proxy.name(), proxy.plain_url().as_str()), ("us-ca", "http://localhost:40000"));
        assert_eq!(proxy.url_with("a", "b"), "http://a:b@localhost:40000");
        assert_eq!(proxy.to_string(), "us-ca.localhost:40000");
    }

    #[test]
    fn the_headers_for_a_proxy_contain_utf8_credentials_and_the_exit_choice() {
        let shown = |name, credentials: Option<&Credentials>, exit: &ExitChoice| {
            let proxy = proxy(name).using(credentials.cloned()).steer(exit.clone())?;
            let headers = proxy.headers().into_iter();
            Ok::<_, Error>(
                headers.map(|(name, value)| format!("{name}: {}", value.expose_secret())).collect::<Vec<_>>(),
            )
        };
        let basic = Credentials::basic("me+1@ex.com", "@:/% é").unwrap();
        let exit = ExitChoice::new().country("de").unwrap().prefer_ip("1.2.3.4").unwrap();
        let exit = exit.not_ip("5.6.7.8").unwrap().not_ip("::1").unwrap();
        let all = shown("open", Some(&basic), &exit);
        let expected = [
            "Proxy-Authorization: Basic bWUrMUBleC5jb206QDovJSDDqQ==",
            "X-ProxyMesh-Country: DE",
            "X-ProxyMesh-Prefer-IP: 1.2.3.4",
            "X-ProxyMesh-Not-IP: 5.6.7.8,::1",
        ];
        assert_eq!(all.unwrap(), expected);
        let bearer = Credentials::bearer("pm_token").unwrap();
        let country = ExitChoice::new().country("DE").unwrap();
        assert_eq!(shown("de", Some(&bearer), &country).unwrap(), ["Proxy-Authorization: Bearer pm_token"]);
        assert_eq!(shown("us-ca", None, &ExitChoice::new()).unwrap(), [] as [&str; 0]);
        let refused = shown("us-ca", None, &country).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "country: the proxy us-ca cannot choose the country DE; open and world can"
        );
    }

    #[test]
    fn credentials_and_exit_choices_count_when_proxies_are_compared() {
        let basic = Credentials::basic("me", "pw").unwrap();
        let (plain, used) = (proxy("open"), proxy("open").using(basic.clone()));
        assert!(plain != used && used == proxy("open").using(basic) && used.clone().using(None) == plain);
        let steered = plain.clone().steer(ExitChoice::new().country("DE").unwrap()).unwrap();
        assert!(steered != plain && steered.steer(ExitChoice::new()).unwrap() == plain);
        assert!(!format!("{used:?}").contains("pw"));
    }

    #[test]
    fn a_url_may_contain_a_password_but_no_token() {
        let basic = Credentials::basic("me+1@ex.com", "@:/% é").unwrap();
        assert_eq!(proxy("us-ca").url().unwrap().expose_secret(), "http://us-ca.proxymesh.com:31280");
        let url = proxy("us-ca").using(basic).url().unwrap();
        let expected = "http://me%2B1%40ex.com:%40%3A%2F%25%20%C3%A9@us-ca.proxymesh.com:31280";
        assert_eq!(url.expose_secret(), expected);
        assert!(proxy("us-ca").using(Credentials::bearer("pm_token").unwrap()).url().is_err());
        for bad in ["", "D", "DEU", "D1", "ÄÖ"] {
            assert!(ExitChoice::new().country(bad).is_err(), "{bad}");
        }
        assert!(ExitChoice::new().prefer_ip("x").is_err() && ExitChoice::new().not_ip("").is_err());
    }
}
