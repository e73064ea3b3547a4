//! Credentials, and the one header that carries them.

use crate::error::{Error, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use zeroize::Zeroizing;

/// Anything longer is a mistake, and would result in headers that no server accepts (docs/assumptions.md, A21).
const LONGEST: usize = 1024;

/// A username and password, or a token. They authenticate to the account's API and to the proxies. The password or token is
/// wiped from memory when it is dropped, and `Debug` redacts it.
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// let credentials = proxymesh::Credentials::basic("me@ex.com", "a b")?;
/// assert_eq!(format!("{credentials:?}"), r#"Basic { username: "me@ex.com", password: [redacted] }"#);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Credentials(Kind);

#[derive(Clone)]
enum Kind {
    Basic { username: String, password: SecretString },
    Bearer { token: SecretString },
}

impl Credentials {
    /// Creates credentials from a username and password.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if either is empty, is longer than 1,024 bytes or contains control characters, or if the username
    /// contains a colon (RFC 7617, section 2).
    pub fn basic(username: impl Into<String>, password: impl Into<SecretString>) -> Result<Self> {
        let (username, password) = (username.into(), password.into());
        bounded("the username", &username, LONGEST)?;
        bounded("the password", password.expose_secret(), LONGEST)?;
        if username.is_empty() {
            return Err(Error::config("the username is empty"));
        }
        if username.contains(':') || username.chars().any(char::is_control) {
            return Err(Error::config("the username must not contain a colon or control characters"));
        }
        let secret = password.expose_secret();
        if secret.is_empty() {
            return Err(Error::config("the password is empty"));
        }
        if secret.chars().any(char::is_control) {
            return Err(Error::config("the password must not contain control characters"));
        }
        Ok(Self(Kind::Basic { username, password }))
    }

    /// Creates credentials from a token (`pm_…`).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if it is empty, is longer than 1,024 bytes or contains a character that is not allowed in a token
    /// (RFC 6750, section 2.1).
    pub fn bearer(token: impl Into<SecretString>) -> Result<Self> {
        let token = token.into();
        let secret = token.expose_secret();
        bounded("the token", secret, LONGEST)?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if secret.is_empty() {
            return Err(Error::config("the token is empty"));
        }
        if !secret.bytes().all(allowed) {
            return Err(Error::config(
                "the token contains a character that is not allowed in a token (RFC 6750)",
            ));
        }
        Ok(Self(Kind::Bearer { token }))
    }

    pub(crate) fn is_basic(&self) -> bool {
        matches!(self.0, Kind::Basic { .. })
    }

    /// The username and password; `None` for a token.
    #[must_use]
    pub fn username_and_password(&self) -> Option<(&str, &SecretString)> {
        match &self.0 {
            Kind::Basic { username, password } => Some((username, password)),
            Kind::Bearer { .. } => None,
        }
    }

    /// The token; `None` for a username and password.
    #[must_use]
    pub fn token(&self) -> Option<&SecretString> {
        match &self.0 {
            Kind::Basic { .. } => None,
            Kind::Bearer { token } => Some(token),
        }
    }

    /// The value of the `Authorization` or `Proxy-Authorization` header.
    pub(crate) fn authorization(&self) -> Zeroizing<String> {
        Zeroizing::new(match &self.0 {
            Kind::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
                format!("Basic {}", Zeroizing::new(STANDARD.encode(pair.as_bytes())).as_str())
            }
            Kind::Bearer { token } => format!("Bearer {}", token.expose_secret()),
        })
    }

    /// The same text as a `HeaderValue`, which prints as `Sensitive`. It is wiped when its last copy is dropped.
    pub(crate) fn header(&self) -> Result<HeaderValue> {
        let bytes = Bytes::from_owner(Zeroizing::new(self.authorization().as_bytes().to_vec()));
        let mut value = HeaderValue::from_maybe_shared(bytes)
            .map_err(|_| Error::config("the credentials cannot be sent in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Every form in which a response could echo the credentials.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let authorization = self.authorization();
        let sent = authorization.split_once(' ').map_or("", |(_, sent)| sent);
        let mut secrets = vec![SecretString::from(sent)];
        if let Kind::Basic { password, .. } = &self.0 {
            secrets.push(password.clone());
        }
        secrets
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = format_args!("[redacted]");
        match &self.0 {
            Kind::Basic { username, .. } => {
                f.debug_struct("Basic").field("username", username).field("password", &redacted).finish()
            }
            Kind::Bearer { .. } => f.debug_struct("Bearer").field("token", &redacted).finish(),
        }
    }
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        *self.authorization() == *other.authorization()
    }
}

impl Eq for Credentials {}

/// Rejects text that is longer than any valid one, so that it does not enlarge a header or an error.
pub(crate) fn bounded(name: &str, text: &str, most: usize) -> Result<()> {
    // The length is in bytes, because counting the characters of a huge text takes long.
    if text.len() > most { Err(Error::config(format!("{name} is longer than {most} bytes"))) } else { Ok(()) }
}
