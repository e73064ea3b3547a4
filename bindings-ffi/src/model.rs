//! The values that calls give, as they cross.

use proxymesh::{GeoCounts, secrecy::ExposeSecret};
use std::{collections::HashMap, net::IpAddr, time::SystemTime};

/// What a call of the core gives, and what becomes of it here.
pub(crate) trait Answer: Send + 'static {
    type Given;

    fn give(self) -> Self::Given;
}

impl Answer for () {
    type Given = ();

    fn give(self) {}
}

impl Answer for String {
    type Given = String;

    fn give(self) -> String {
        self
    }
}

impl Answer for IpAddr {
    type Given = String;

    fn give(self) -> String {
        self.to_string()
    }
}

impl Answer for GeoCounts {
    type Given = HashMap<String, i64>;

    fn give(self) -> HashMap<String, i64> {
        self.into_iter().map(|(country, count)| (country, signed(count))).collect()
    }
}

impl<A: Answer> Answer for Vec<A> {
    type Given = Vec<A::Given>;

    fn give(self) -> Vec<A::Given> {
        self.into_iter().map(A::give).collect()
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A sub-account, with what it has used and what it may use.
#[derive(uniffi::Record)]
pub struct SubAccount {
    /// Its name, with which it also logs in.
    pub username: String,
    /// Whether it may use the proxies.
    pub active: bool,
    /// Gigabytes used in this billing period.
    pub monthly_bandwidth: f64,
    /// Gigabytes used ever.
    pub total_bandwidth: f64,
    /// Gigabytes it may use in a billing period; 0 is no limit.
    pub monthly_bandwidth_limit: i64,
    /// Gigabytes it may use ever; 0 is no limit.
    pub total_bandwidth_limit: i64,
    /// First name, if one was ever set.
    pub first_name: Option<String>,
    /// Last name, if one was ever set.
    pub last_name: Option<String>,
    /// E-mail address, if one was ever set.
    pub email: Option<String>,
}

impl Answer for proxymesh::SubAccount {
    type Given = SubAccount;

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
    /// The address.
    pub ip: String,
    /// The label; no label is the empty text.
    pub label: String,
}

impl Answer for proxymesh::LabeledIp {
    type Given = LabeledIp;

    fn give(self) -> LabeledIp {
        LabeledIp { ip: self.ip.to_string(), label: self.label }
    }
}

/// A token, without its secret value.
#[derive(uniffi::Record)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Its label; no label is the empty text.
    pub label: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// The date on which it expires, as `YYYY-MM-DD`; none is never.
    pub expires_at: Option<String>,
    /// When it was created.
    pub created_at: SystemTime,
}

impl Answer for proxymesh::Token {
    type Given = Token;

    fn give(self) -> Token {
        Token {
            id: self.id,
            label: self.label,
            is_active: self.is_active,
            expires_at: self.expires_at.map(|date| date.to_string()),
            // No time of the core's is out of range on a platform that these packages are for.
            created_at: self.created_at.try_into().unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }
}

/// A token just created, with its secret value.
#[derive(uniffi::Record)]
pub struct NewToken {
    /// The token as it will be listed.
    pub token: Token,
    /// The secret.
    pub secret: String,
}

impl Answer for proxymesh::NewToken {
    type Given = NewToken;

    fn give(self) -> NewToken {
        NewToken { secret: self.secret.expose_secret().to_owned(), token: self.details.give() }
    }
}
