//! The name of a sub-account.

use super::rule;
use crate::error::{Error, Result};

/// A sub-account's username, 1 to 30 characters: ASCII letters, digits, and `.` `@` `+` `-` `_`.
///
/// ```
/// use proxymesh::Username;
///
/// assert!(Username::new("me+1@ex.com").is_ok());
/// let error = Username::new("no spaces").unwrap_err();
/// assert_eq!(error.to_string(), "username: may contain only letters, digits and . @ + - _, but this contains ' '");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

impl Username {
    /// Checks a username.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `username` if it breaks a rule.
    pub fn new(value: &str) -> Result<Self> {
        rule::length("username", value, 1, 30)?;
        match value.chars().find(|c| !(c.is_ascii_alphanumeric() || ".@+-_".contains(*c))) {
            Some(c) => Err(Error::validation(
                "username",
                format!("may contain only letters, digits and . @ + - _, but this contains {c:?}"),
            )),
            None => Ok(Self(value.to_owned())),
        }
    }
}

rule::validated_text!(Username);
