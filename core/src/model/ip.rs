//! IP addresses that may use the proxies without credentials.

use super::{read, rule};
use crate::error::{Error, Result};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer,
    },
};
use std::{fmt, net::IpAddr};

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
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
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
pub(crate) struct LabeledIpList(pub(crate) Vec<LabeledIp>);

impl<'de> Deserialize<'de> for LabeledIpList {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let list = Labels { inside: false }.deserialize(input)?;
        list.map(Self).ok_or_else(|| D::Error::custom(Labels::EXPECTED))
    }
}

/// Reads the array, if the value is or holds one.
struct Labels {
    /// Whether the value is inside the object, where other objects are ignored.
    inside: bool,
}

impl Labels {
    const EXPECTED: &str = "expected an array of labelled IPs";

    #[allow(clippy::unnecessary_wraps)]
    fn other<E>(self) -> Result<Option<Vec<LabeledIp>>, E> {
        Ok(None)
    }
}

impl<'de> DeserializeSeed<'de> for Labels {
    type Value = Option<Vec<LabeledIp>>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Labels {
    type Value = Option<Vec<LabeledIp>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of labelled IPs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, ips: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(ips)).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut list = None;
        while fields.next_key::<IgnoredAny>()?.is_some() {
            if self.inside {
                fields.next_value::<IgnoredAny>()?;
            } else if let Some(found) = fields.next_value_seed(Self { inside: true })?
                && list.replace(found).is_some()
            {
                return Err(A::Error::custom("expected one array of labelled IPs, found several"));
            }
        }
        Ok(list)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        self.other()
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        self.other()
    }
}
