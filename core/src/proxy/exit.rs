//! Which exit IP to ask a proxy for.

use crate::error::{Error, Result};
use std::net::IpAddr;

/// Which exit IP to ask a proxy for. The proxy chooses what you leave open. The choice is sent in the headers
/// `X-ProxyMesh-Country`, `X-ProxyMesh-Prefer-IP` and `X-ProxyMesh-Not-IP` (docs/api.md, "Proxies").
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// let proxy: proxymesh::Proxy = "open.proxymesh.com:31280".parse()?;
/// let proxy = proxy.steer(proxymesh::ExitChoice::new().country("DE")?)?;
/// assert_eq!(proxy.headers()[0].0, "X-ProxyMesh-Country");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExitChoice {
    country: Option<String>,
    prefer_ip: Option<IpAddr>,
    /// Whether no other exit IP is acceptable.
    holds: bool,
    not_ip: Vec<IpAddr>,
}

impl ExitChoice {
    /// Any exit IP: the proxy chooses.
    #[must_use]
    pub const fn new() -> Self {
        Self { country: None, prefer_ip: None, holds: false, not_ip: Vec::new() }
    }

    /// Asks for an exit IP in this country: a two-letter code, as the geo calls return it. Only the proxies `open` and `world`
    /// can choose a country.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `country` if it is not a two-letter code.
    pub fn country(mut self, code: &str) -> Result<Self> {
        if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(Error::validation("country", "must be a two-letter code, such as DE"));
        }
        self.country = Some(code.to_ascii_uppercase());
        Ok(self)
    }

    /// Asks for this exit IP, if the proxy has it. Replaces the address that [`hold_ip`](Self::hold_ip) was given.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `prefer_ip` if it is not an IP address.
    pub fn prefer_ip(mut self, ip: &str) -> Result<Self> {
        (self.prefer_ip, self.holds) = (Some(address("prefer_ip", ip)?), false);
        Ok(self)
    }

    /// Asks for this exit IP, and marks it as the only acceptable one. [`Proxy::session`](crate::Proxy::session) finds an address to
    /// hold. [`Proxy::lost_exit`](crate::Proxy::lost_exit) says whether the proxy no longer has it. Replaces the address that
    /// [`prefer_ip`](Self::prefer_ip) was given.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `hold_ip` if it is not an IP address.
    pub fn hold_ip(mut self, ip: &str) -> Result<Self> {
        self.hold(address("hold_ip", ip)?);
        Ok(self)
    }

    pub(super) fn hold(&mut self, ip: IpAddr) {
        (self.prefer_ip, self.holds) = (Some(ip), true);
    }

    /// Stops holding an exit IP.
    pub(super) fn release(&mut self) {
        self.prefer_ip = self.prefer_ip.filter(|_| !self.holds);
        self.holds = false;
    }

    /// Avoids this exit IP, in addition to those given before.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `not_ip` if it is not an IP address.
    pub fn not_ip(mut self, ip: &str) -> Result<Self> {
        self.not_ip.push(address("not_ip", ip)?);
        Ok(self)
    }

    /// The country code, in upper case.
    #[must_use]
    pub fn wanted_country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// The exit IP to use if the proxy has it, or the one to hold.
    #[must_use]
    pub fn preferred_ip(&self) -> Option<IpAddr> {
        self.prefer_ip
    }

    /// The exit IP to hold.
    #[must_use]
    pub fn held_ip(&self) -> Option<IpAddr> {
        self.prefer_ip.filter(|_| self.holds)
    }

    /// The exit IPs to avoid.
    #[must_use]
    pub fn unwanted_ips(&self) -> &[IpAddr] {
        &self.not_ip
    }

    /// Whether it leaves everything to the proxy.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn address(field: &'static str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| Error::validation(field, "must be an IP address"))
}
