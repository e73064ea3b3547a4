//! Sub-accounts, and the fields that can be set on one.

use super::{Username, read, rule};
use crate::error::{Error, Result};
use secrecy::SecretString;
use serde::Deserialize;

/// A sub-account with its usage and limits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
#[serde(expecting = "a sub-account")]
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
    #[serde(default, deserialize_with = "read::whole_gigabytes")]
    pub monthly_bandwidth_limit: u64,
    /// The limit on the total usage in gigabytes; 0 means no limit. Set it with `total_limit`.
    #[serde(default, deserialize_with = "read::whole_gigabytes")]
    pub total_bandwidth_limit: u64,
    /// The first name, if one was ever set.
    pub first_name: Option<String>,
    /// The last name, if one was ever set.
    pub last_name: Option<String>,
    /// The email address, if one was ever set.
    pub email: Option<String>,
}

/// The fields that create and edit share. A field that is not set is not sent
/// (docs/assumptions.md, A9).
#[derive(Clone, Debug, Default)]
pub(crate) struct SubAccountFields {
    pub(crate) password: Option<SecretString>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) monthly_limit: Option<u32>,
    pub(crate) total_limit: Option<u32>,
}

/// The setters that [`NewSubAccount`] and [`SubAccountEdit`] share.
macro_rules! field_setters {
    ($type:ident) => {
        impl $type {
            /// Starts with only the username, 1 to 30 characters: ASCII letters, digits, and `.` `@` `+` `-` `_`.
            ///
            /// # Errors
            ///
            /// [`Error::Validation`] with the field `username` if it breaks a rule.
            pub fn new<U>(username: U) -> Result<Self>
            where
                U: TryInto<Username>,
                Error: From<U::Error>,
            {
                Ok(Self { username: username.try_into()?, fields: SubAccountFields::default() })
            }

            /// Sets the password, 1 to 128 characters.
            ///
            /// # Errors
            ///
            /// [`Error::Validation`] with the field `password` if it is empty, too long or contains a control character.
            /// The error never shows the value.
            pub fn password(mut self, password: &str) -> Result<Self> {
                rule::length("password", password, 1, 128)?;
                if password.chars().any(char::is_control) {
                    return Err(Error::validation("password", "must not contain control characters"));
                }
                self.fields.password = Some(SecretString::from(password));
                Ok(self)
            }

            /// Sets the first name, at most 20 characters. In an edit, an empty string clears it.
            ///
            /// # Errors
            ///
            /// [`Error::Validation`] with the field `first_name` if it is too long or contains a control character.
            pub fn first_name(mut self, name: &str) -> Result<Self> {
                rule::text("first_name", name, 20)?;
                self.fields.first_name = Some(name.to_owned());
                Ok(self)
            }

            /// Sets the last name, at most 20 characters. In an edit, an empty string clears it.
            ///
            /// # Errors
            ///
            /// [`Error::Validation`] with the field `last_name` if it is too long or contains a control character.
            pub fn last_name(mut self, name: &str) -> Result<Self> {
                rule::text("last_name", name, 20)?;
                self.fields.last_name = Some(name.to_owned());
                Ok(self)
            }

            /// Sets the email address, at most 255 characters. In an edit, an empty string clears it.
            ///
            /// # Errors
            ///
            /// [`Error::Validation`] with the field `email` if it is too long or contains a control character.
            pub fn email(mut self, email: &str) -> Result<Self> {
                rule::text("email", email, 255)?;
                self.fields.email = Some(email.to_owned());
                Ok(self)
            }

            /// Sets the limit per billing period in whole gigabytes; 0 means no limit.
            #[must_use]
            pub fn monthly_limit(mut self, gigabytes: u32) -> Self {
                self.fields.monthly_limit = Some(gigabytes);
                self
            }

            /// Sets the limit on the total usage in whole gigabytes; 0 means no limit.
            #[must_use]
            pub fn total_limit(mut self, gigabytes: u32) -> Self {
                self.fields.total_limit = Some(gigabytes);
                self
            }
        }
    };
}

/// A sub-account to create.
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::NewSubAccount;
///
/// let new = NewSubAccount::new("crawler-1")?.password("correct horse")?.monthly_limit(5);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct NewSubAccount {
    pub(crate) username: Username,
    pub(crate) fields: SubAccountFields,
}

field_setters!(NewSubAccount);

rule::from_text!(NewSubAccount);

/// Changes to a sub-account. Fields that are not set keep their values.
#[derive(Clone, Debug)]
pub struct SubAccountEdit {
    pub(crate) username: Username,
    pub(crate) fields: SubAccountFields,
}

field_setters!(SubAccountEdit);
