//! The values that calls return, for the other languages.

use crate::UniFfiTag;
use proxymesh::{GeoCounts, binding::ip_text, secrecy::ExposeSecret};
use std::{collections::HashMap, net::IpAddr, time::SystemTime};
use uniffi::Lower;

/// A value that a call of the core returns.
pub(crate) trait Response: Send + 'static {
    /// The type that the description gives it.
    type Described;

    /// Writes it as UniFFI would write the described type, but without a copy of a list.
    fn write(self, out: &mut Vec<u8>);
}

fn write<T: Lower<UniFfiTag>>(value: T, out: &mut Vec<u8>) {
    T::write(value, out);
}

/// Writes how many items follow.
fn write_length(length: usize, out: &mut Vec<u8>) {
    write(i32::try_from(length).unwrap_or(i32::MAX), out);
}

impl Response for () {
    type Described = ();

    fn write(self, _: &mut Vec<u8>) {}
}

/// These are written as they are.
macro_rules! as_is {
    ($($type:ty)*) => {
        $( impl Response for $type {
            type Described = Self;

            fn write(self, out: &mut Vec<u8>) {
                write(self, out);
            }
        } )*
    };
}
as_is!(String bool f64);

impl<A: Response> Response for Option<A> {
    type Described = Option<A::Described>;

    fn write(self, out: &mut Vec<u8>) {
        write(self.is_some(), out);
        if let Some(value) = self {
            value.write(out);
        }
    }
}

impl Response for IpAddr {
    type Described = String;

    fn write(self, out: &mut Vec<u8>) {
        write(ip_text(&self), out);
    }
}

impl Response for GeoCounts {
    type Described = HashMap<String, i64>;

    fn write(self, out: &mut Vec<u8>) {
        write_length(self.len(), out);
        for (country, count) in self {
            write(country, out);
            write(signed(count), out);
        }
    }
}

impl<A: Response> Response for Vec<A> {
    type Described = Vec<A::Described>;

    fn write(self, out: &mut Vec<u8>) {
        write_length(self.len(), out);
        for item in self {
            item.write(out);
        }
    }
}

/// Writes a value of the core as a record.
macro_rules! response {
    ($core:ty => $record:ty) => {
        impl $crate::model::Response for $core {
            type Described = $record;

            fn write(self, out: &mut Vec<u8>) {
                <$record as uniffi::Lower<$crate::UniFfiTag>>::write(self.into(), out);
            }
        }
    };
}
pub(crate) use response;

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A sub-account with its usage and limits.
#[derive(uniffi::Record)]
pub struct SubAccount {
    /// The username. The sub-account logs in with it.
    pub username: String,
    /// Whether it may use the proxies. The proxies respond with 402 to a deactivated sub-account.
    pub active: bool,
    /// The gigabytes used in this billing period.
    pub monthly_bandwidth: f64,
    /// The gigabytes used in total; at least `monthly_bandwidth`.
    pub total_bandwidth: f64,
    /// The limit per billing period in gigabytes; 0 means no limit. Set it with `monthly_limit`.
    pub monthly_bandwidth_limit: i64,
    /// The limit on the total usage in gigabytes; 0 means no limit. Set it with `total_limit`.
    pub total_bandwidth_limit: i64,
    /// The first name, if one was ever set.
    pub first_name: Option<String>,
    /// The last name, if one was ever set.
    pub last_name: Option<String>,
    /// The email address, if one was ever set.
    pub email: Option<String>,
}

response!(proxymesh::SubAccount => SubAccount);

impl From<proxymesh::SubAccount> for SubAccount {
    fn from(core: proxymesh::SubAccount) -> Self {
        Self {
            username: core.username,
            active: core.active,
            monthly_bandwidth: core.monthly_bandwidth,
            total_bandwidth: core.total_bandwidth,
            monthly_bandwidth_limit: signed(core.monthly_bandwidth_limit),
            total_bandwidth_limit: signed(core.total_bandwidth_limit),
            first_name: core.first_name,
            last_name: core.last_name,
            email: core.email,
        }
    }
}

/// An authorised IP and its label.
#[derive(uniffi::Record)]
pub struct LabeledIp {
    /// The address, IPv4 or IPv6.
    pub ip: String,
    /// The label; empty if there is none.
    pub label: String,
}

response!(proxymesh::LabeledIp => LabeledIp);

impl From<proxymesh::LabeledIp> for LabeledIp {
    fn from(core: proxymesh::LabeledIp) -> Self {
        Self { ip: ip_text(&core.ip), label: core.label }
    }
}

/// A token, without its secret.
#[derive(uniffi::Record)]
pub struct Token {
    /// The ID, which the other token calls take.
    pub id: i64,
    /// The label; empty if there is none.
    pub label: String,
    /// Whether it is active. A deactivated token cannot be used.
    pub is_active: bool,
    /// The date on which it expires, in the form `YYYY-MM-DD`; none means never.
    pub expires_at: Option<String>,
    /// When it was created. The service sends no time zone, so UTC is assumed.
    pub created_at: SystemTime,
}

response!(proxymesh::Token => Token);

impl From<proxymesh::Token> for Token {
    fn from(core: proxymesh::Token) -> Self {
        Self {
            id: core.id,
            label: core.label,
            is_active: core.is_active,
            expires_at: core.expires_at.map(|date| date.to_string()),
            // On the supported platforms, no time from the core is out of range.
            created_at: core.created_at.try_into().unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }
}

/// A new token with its secret. The service shows the secret only once.
#[derive(uniffi::Record)]
pub struct NewToken {
    /// The token, as the list call returns it.
    pub token: Token,
    /// The secret, `pm_…`.
    pub secret: String,
}

response!(proxymesh::NewToken => NewToken);

impl From<proxymesh::NewToken> for NewToken {
    fn from(core: proxymesh::NewToken) -> Self {
        Self { secret: core.secret.expose_secret().to_owned(), token: core.details.into() }
    }
}
