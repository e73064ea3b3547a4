//! Credentials, and the one header that carries them.

use crate::error::{Error, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// A username and password, or a token. Wiped when dropped.
pub(crate) enum Credentials {
    Basic { username: String, password: SecretString },
    Bearer { token: SecretString },
}

impl Credentials {
    /// RFC 7617, section 2: no colon in the username, no control characters in either.
    pub(crate) fn basic(username: String, password: SecretString) -> Result<Self> {
        if username.is_empty() {
            return Err(Error::config("the username is empty"));
        }
        if username.contains(':') || username.chars().any(char::is_control) {
            return Err(Error::config("the username may not hold a colon or control characters"));
        }
        let secret = password.expose_secret();
        if secret.is_empty() {
            return Err(Error::config("the password is empty"));
        }
        if secret.chars().any(char::is_control) {
            return Err(Error::config("the password may not hold control characters"));
        }
        Ok(Self::Basic { username, password })
    }

    /// RFC 6750, section 2.1: the characters of a token.
    pub(crate) fn bearer(token: SecretString) -> Result<Self> {
        let secret = token.expose_secret();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if secret.is_empty() {
            return Err(Error::config("the token is empty"));
        }
        if !secret.bytes().all(allowed) {
            return Err(Error::config("the token holds a character that no token has (RFC 6750)"));
        }
        Ok(Self::Bearer { token })
    }

    pub(crate) fn is_basic(&self) -> bool {
        matches!(self, Self::Basic { .. })
    }

    #[cfg(test)]
    pub(crate) fn username(&self) -> Option<&str> {
        match self {
            Self::Basic { username, .. } => Some(username),
            Self::Bearer { .. } => None,
        }
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
                format!("Basic {}", Zeroizing::new(STANDARD.encode(pair.as_bytes())).as_str())
            }
            Self::Bearer { token } => format!("Bearer {}", token.expose_secret()),
        })
    }

    /// The same as a header value that prints as `Sensitive` and is wiped with its last copy.
    pub(crate) fn header(&self) -> Result<HeaderValue> {
        let bytes = Bytes::from_owner(Zeroizing::new(self.authorization().as_bytes().to_vec()));
        let mut value = HeaderValue::from_maybe_shared(bytes)
            .map_err(|_| Error::config("the credentials cannot be sent in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Every form in which an answer could echo them.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let authorization = self.authorization();
        let sent = authorization.split_once(' ').map_or("", |(_, sent)| sent);
        let mut secrets = vec![SecretString::from(sent)];
        if let Self::Basic { password, .. } = self {
            secrets.push(password.clone());
        }
        secrets
    }
}
