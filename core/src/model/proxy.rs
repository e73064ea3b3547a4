//! Proxies, and how they are addressed.

use super::rule;
use crate::error::{Error, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// Everything but the unreserved characters of RFC 3986, section 2.3, so that a username may hold `@`.
const USERINFO: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A proxy to authorise, in one of three forms: a bare host (`us-ca`), a full domain
/// (`us-ca.proxymesh.com`), or `domain:port`. It is sent as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProxyHost(String);

impl ProxyHost {
    /// Checks a proxy's name.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `proxy`.
    pub fn new(value: &str) -> Result<Self> {
        rule::length("proxy", value, 1, 259)?;
        if value.contains("://") || value.contains('@') {
            return Err(Error::validation(
                "proxy",
                "is a URL; give the host (us-ca), the domain (us-ca.proxymesh.com) or domain:port",
            ));
        }
        let host = match value.split_once(':') {
            None => value,
            Some((host, port)) => {
                port_number(port).ok_or_else(|| {
                    Error::validation("proxy", "has a port that is not a number from 1 to 65535")
                })?;
                if !host.contains('.') {
                    return Err(Error::validation(
                        "proxy",
                        "has a port after a bare host; write domain:port",
                    ));
                }
                host
            }
        };
        rule::dns_name("proxy", host)?;
        Ok(Self(value.to_owned()))
    }
}

rule::validated_text!(ProxyHost);

fn port_number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok().filter(|port| *port > 0) } else { None }
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
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// let proxy: proxymesh::Proxy = "us-ca.proxymesh.com:31280".parse()?;
/// assert_eq!(proxy.name(), "us-ca");
/// assert_eq!(proxy.url(), "http://us-ca.proxymesh.com:31280");
/// assert_eq!(proxy.url_with("me@ex.com", "a b"), "http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxy {
    host: String,
    port: u16,
}

impl Proxy {
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

    /// The URL without credentials, for a machine whose IP or hostname is authorised.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// The URL with credentials, percent-encoded, so that an `@` or `:` in them is safe. It holds the password: keep
    /// it out of logs.
    #[must_use]
    pub fn url_with(&self, username: &str, password: &str) -> String {
        let username = utf8_percent_encode(username, USERINFO);
        let password = utf8_percent_encode(password, USERINFO);
        format!("http://{username}:{password}@{}:{}", self.host, self.port)
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
        let parts = value.rsplit_once(':').and_then(|(host, port)| Some((host, port_number(port)?)));
        let Some((host, port)) = parts else {
            return Err(Error::validation("proxy", "is not DOMAIN:PORT"));
        };
        rule::dns_name("proxy", host)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl TryFrom<String> for Proxy {
    type Error = Error;

    fn try_from(value: String) -> Result<Self> {
        value.parse()
    }
}
