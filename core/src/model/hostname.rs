//! Hostnames that may use the proxies.

use super::rule;
use crate::error::{Error, Result};

/// A DNS name, such as `crawler.example.com`: at most 253 letters, digits, hyphens and dots. Its last part must not be a
/// number, because the name would then be read as an IP address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hostname(String);

impl Hostname {
    /// Checks a DNS name.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `domain` if it is not one.
    pub fn new(value: &str) -> Result<Self> {
        rule::dns_name("domain", value)?;
        if value.parse::<std::net::Ipv4Addr>().is_ok() {
            return Err(Error::validation("domain", "is an IP address; use the ips calls"));
        }
        Ok(Self(value.to_owned()))
    }
}

rule::validated_text!(Hostname);
