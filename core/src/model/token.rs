//! Bearer tokens: `pm_…` values that stand in for a username and password.

use super::{read, rule};
use crate::error::{Error, Result};
use jiff::{Timestamp, civil::Date};
use secrecy::SecretString;
use serde::Deserialize;
use std::ops::Deref;

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
#[serde(expecting = "a token")]
pub struct Token {
    /// The ID, which the other token calls take.
    pub id: i64,
    /// The label; empty if there is none.
    #[serde(default, deserialize_with = "read::text")]
    pub label: String,
    /// Whether it is active. A deactivated token cannot be used.
    pub is_active: bool,
    /// The date on which it expires; `None` means never.
    #[serde(default, deserialize_with = "read::optional_date")]
    pub expires_at: Option<Date>,
    /// When it was created. The service sends no time zone, so UTC is assumed (docs/assumptions.md, A7).
    #[serde(deserialize_with = "read::moment")]
    pub created_at: Timestamp,
}

/// A new token with its secret. The service shows the secret only once, so store it now.
///
/// It dereferences to the [`Token`]. `Debug` redacts the secret.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "testing", derive(serde::Serialize))]
#[non_exhaustive]
#[serde(expecting = "a new token")]
pub struct NewToken {
    /// The token, as [`list`](crate::resource::Tokens::list) returns it.
    #[serde(flatten)]
    pub details: Token,
    /// The secret, `pm_…`. Pass it to `Settings::token`, or to the proxies as `Proxy-Authorization: Bearer`.
    #[serde(rename = "token")]
    #[cfg_attr(feature = "testing", serde(serialize_with = "crate::testing::expose"))]
    pub secret: SecretString,
}

impl Deref for NewToken {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.details
    }
}

/// A token's ID, from [`Token::id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenId(i64);

impl TokenId {
    /// Checks a token's ID.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `id` if it is negative.
    pub fn new(id: i64) -> Result<Self> {
        if id < 0 { Err(Error::validation("id", "must not be negative")) } else { Ok(Self(id)) }
    }

    /// The ID as a number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl std::str::FromStr for TokenId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.parse().map_err(|_| Error::validation("id", "must be a number")).and_then(Self::new)
    }
}

impl TryFrom<i64> for TokenId {
    type Error = Error;

    fn try_from(id: i64) -> Result<Self> {
        Self::new(id)
    }
}

/// A note that is stored with a token. It has at most 100 characters, and no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenLabel(String);

impl TokenLabel {
    /// Checks a label.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `label` if it is too long or contains a control character.
    pub fn new(value: &str) -> Result<Self> {
        rule::text("label", value, 100)?;
        Ok(Self(value.to_owned()))
    }
}

rule::validated_text!(TokenLabel);

/// The date on which a token expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExpiryDate(Date);

impl ExpiryDate {
    /// Parses a date in the form `YYYY-MM-DD`.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `expires_at` if it is not a calendar date in this form.
    pub fn new(value: &str) -> Result<Self> {
        read::parse_date(value)
            .map(Self)
            .ok_or_else(|| Error::validation("expires_at", "must be a calendar date in the form YYYY-MM-DD"))
    }
}

impl From<Date> for ExpiryDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl TryFrom<&str> for ExpiryDate {
    type Error = Error;

    fn try_from(value: &str) -> Result<Self> {
        Self::new(value)
    }
}

impl std::fmt::Display for ExpiryDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date = self.0;
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

/// A token to create. By default it has no label and never expires.
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::TokenRequest;
///
/// let request = TokenRequest::new().label("ci")?.expires_at("2027-01-31")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest {
    pub(crate) label: Option<TokenLabel>,
    pub(crate) expires_at: Option<ExpiryDate>,
}

impl TokenRequest {
    /// A token without a label, which never expires.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the label, at most 100 characters.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `label` if it is too long or contains a control character.
    pub fn label(mut self, label: &str) -> Result<Self> {
        self.label = Some(TokenLabel::new(label)?);
        Ok(self)
    }

    /// Sets the expiry date: a [`Date`], or text in the form `YYYY-MM-DD`.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `expires_at` if it is not a calendar date in this form.
    pub fn expires_at<D>(mut self, date: D) -> Result<Self>
    where
        D: TryInto<ExpiryDate>,
        Error: From<D::Error>,
    {
        self.expires_at = Some(date.try_into()?);
        Ok(self)
    }
}
