//! The values that calls return, for the other languages.

use crate::UniFfiTag;
use proxymesh::{GeoCounts, binding::ip_text, secrecy::ExposeSecret};
use std::{collections::HashMap, net::IpAddr, time::SystemTime};
use uniffi::Lower;

/// A value that a call of the core returns, and its type here.
pub(crate) trait Response: Send + 'static {
    type Given;

    fn give(self) -> Self::Given;

    /// Writes what `give` returns, as UniFFI would, but without a copy of a list.
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
    type Given = ();

    fn give(self) {}

    fn write(self, _: &mut Vec<u8>) {}
}

impl Response for String {
    type Given = String;

    fn give(self) -> String {
        self
    }

    fn write(self, out: &mut Vec<u8>) {
        write(self, out);
    }
}

impl Response for IpAddr {
    type Given = String;

    fn give(self) -> String {
        ip_text(&self)
    }

    fn write(self, out: &mut Vec<u8>) {
        write(self.give(), out);
    }
}

impl Response for GeoCounts {
    type Given = HashMap<String, i64>;

    fn give(self) -> HashMap<String, i64> {
        self.into_iter().map(|(country, count)| (country, signed(count))).collect()
    }

    fn write(self, out: &mut Vec<u8>) {
        write_length(self.len(), out);
        for (country, count) in self {
            write(country, out);
            write(signed(count), out);
        }
    }
}

impl<A: Response> Response for Vec<A> {
    type Given = Vec<A::Given>;

    fn give(self) -> Vec<A::Given> {
        self.into_iter().map(A::give).collect()
    }

    fn write(self, out: &mut Vec<u8>) {
        write_length(self.len(), out);
        for item in self {
            item.write(out);
        }
    }
}

/// Implements `write` for a record.
macro_rules! record {
    () => {
        fn write(self, out: &mut Vec<u8>) {
            <Self::Given as uniffi::Lower<crate::UniFfiTag>>::write(self.give(), out);
        }
    };
}
pub(crate) use record;

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

impl Response for proxymesh::SubAccount {
    type Given = SubAccount;

    record!();

    fn give(self) -> SubAccount {
        SubAccount {
            username: self.username,
            active: self.active,
            monthly_bandwidth: self.monthly_bandwidth,
            total_bandwidth: self.total_bandwidth,
            monthly_bandwidth_limit: signed(self.monthly_bandwidth_limit),
            total_bandwidth_limit: signed(self.total_bandwidth_limit),
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
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

impl Response for proxymesh::LabeledIp {
    type Given = LabeledIp;

    record!();

    fn give(self) -> LabeledIp {
        LabeledIp { ip: ip_text(&self.ip), label: self.label }
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

impl Response for proxymesh::Token {
    type Given = Token;

    record!();

    fn give(self) -> Token {
        Token {
            id: self.id,
            label: self.label,
            is_active: self.is_active,
            expires_at: self.expires_at.map(|date| date.to_string()),
            // On the supported platforms, no time from the core is out of range.
            created_at: self.created_at.try_into().unwrap_or(SystemTime::UNIX_EPOCH),
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

impl Response for proxymesh::NewToken {
    type Given = NewToken;

    record!();

    fn give(self) -> NewToken {
        NewToken { secret: self.secret.expose_secret().to_owned(), token: self.details.give() }
    }
}
