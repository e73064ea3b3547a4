//! IP addresses that may use the proxies without credentials.

use super::{read, rule};
use crate::error::{Error, Result};
use serde::Deserialize;
use std::net::IpAddr;

/// An IP address, IPv4 or IPv6 (docs/assumptions.md, A8), as the input of a call. It can be created from an [`IpAddr`] or
/// from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpAddress(pub(crate) IpAddr);

impl IpAddress {
    /// Parses an IP address.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `ip` if it is not an IP address.
    pub fn new(value: &str) -> Result<Self> {
        rule::length("ip", value, 1, 45)?;
        let refused = "must be an IP address, such as 203.0.113.7 or 2001:db8::7";
        value.parse().map(Self).map_err(|_| Error::validation("ip", refused))
    }
}

rule::from_text!(IpAddress);

impl From<IpAddr> for IpAddress {
    fn from(ip: IpAddr) -> Self {
        Self(ip)
    }
}

/// A note that is stored with an authorised IP. It has at most 255 characters, and no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpLabel(String);

impl IpLabel {
    /// Checks a label. The service documents no limit, so the limit of 255 characters is our own (docs/assumptions.md, A11).
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `label` if it is too long or contains a control character.
    pub fn new(value: &str) -> Result<Self> {
        rule::text("label", value, 255)?;
        Ok(Self(value.to_owned()))
    }
}

rule::validated_text!(IpLabel);

/// An IP to authorise, with an optional label.
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::NewIp;
///
/// let ip = NewIp::new("203.0.113.7")?.label("office")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIp {
    pub(crate) ip: IpAddr,
    pub(crate) label: Option<IpLabel>,
}

impl NewIp {
    /// An IP without a label.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `ip` if it is not an IP address.
    pub fn new(ip: &str) -> Result<Self> {
        IpAddress::new(ip).map(|IpAddress(ip)| Self::from(ip))
    }

    /// Sets the label, at most 255 characters.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `label` if it is too long or contains a control character.
    pub fn label(mut self, label: &str) -> Result<Self> {
        self.label = Some(IpLabel::new(label)?);
        Ok(self)
    }
}

impl From<IpAddr> for NewIp {
    fn from(ip: IpAddr) -> Self {
        Self { ip, label: None }
    }
}

rule::from_text!(NewIp);

/// An authorised IP and its label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[cfg_attr(feature = "testing", derive(serde::Serialize))]
#[non_exhaustive]
#[serde(expecting = "an object with ip and label")]
pub struct LabeledIp {
    /// The address, IPv4 or IPv6.
    pub ip: IpAddr,
    /// The label; empty if there is none.
    #[serde(default, deserialize_with = "read::text")]
    pub label: String,
}

/// The response `{"ips": [...]}`.
#[derive(Deserialize)]
#[serde(expecting = "an object with ips")]
pub(crate) struct IpList {
    pub(crate) ips: Vec<IpAddr>,
}

/// The response of ip_labels: an array, or an object that holds one array (docs/assumptions.md, A5).
#[derive(Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(crate) struct LabeledIpList(pub(crate) Vec<LabeledIp>);

impl TryFrom<serde_json::Value> for LabeledIpList {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        use serde_json::Value;
        let list = match value {
            Value::Array(_) => value,
            Value::Object(fields) => {
                let mut arrays = fields.into_iter().map(|(_, value)| value).filter(Value::is_array);
                match (arrays.next(), arrays.next()) {
                    (Some(list), None) => list,
                    (None, _) => return Err("expected an array of labelled IPs".into()),
                    (Some(_), Some(_)) => {
                        return Err("expected one array of labelled IPs, found several".into());
                    }
                }
            }
            _ => return Err("expected an array of labelled IPs".into()),
        };
        serde_json::from_value(list).map(Self).map_err(|error| error.to_string())
    }
}
