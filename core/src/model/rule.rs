//! Rules that several inputs share (docs/api.md, "Limits on input"). Lengths count characters.

use crate::error::{Error, Result};
use std::net::Ipv4Addr;

/// At most `most` characters, and no control characters.
pub(crate) fn text(field: &'static str, value: &str, most: usize) -> Result<()> {
    length(field, value, 0, most)?;
    match value.chars().find(|c| c.is_control()) {
        Some(c) => Err(Error::validation(
            field,
            format!("must not contain control characters, but this contains {}", c.escape_debug()),
        )),
        None => Ok(()),
    }
}

/// Between `least` and `most` characters.
pub(crate) fn length(field: &'static str, value: &str, least: usize, most: usize) -> Result<()> {
    let count = if value.is_ascii() { value.len() } else { value.chars().count() };
    if count < least {
        Err(Error::validation(field, "must not be empty"))
    } else if count > most {
        Err(Error::validation(field, format!("must be at most {most} characters long, but this is {count}")))
    } else {
        Ok(())
    }
}

/// A DNS name in ASCII (RFC 1123, section 2.1): labels of 1 to 63 letters, digits and inner hyphens, at most 253 in all.
pub(crate) fn dns_name(field: &'static str, value: &str) -> Result<()> {
    length(field, value, 1, 253)?;
    let fail = |reason: String| Err(Error::validation(field, reason));
    const EMPTY: &str = "has an empty part: two dots in a row, or a dot at the start or end";
    const HYPHEN: &str = "has a part that starts or ends with a hyphen";
    // Where the current label starts
    let mut start = 0;
    let mut previous = b'.';
    for (index, byte) in value.bytes().enumerate() {
        match (byte, previous) {
            (b'.', b'.') => return fail(EMPTY.into()),
            (b'.', b'-') | (b'-', b'.') => return fail(HYPHEN.into()),
            (b'.', _) => start = index + 1,
            (b'-', _) => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => {
                let c = value.get(index..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                let hint = if c.is_ascii() { "" } else { "; write an international name in its xn-- form" };
                return fail(format!(
                    "may contain only letters, digits, hyphens and dots, but this contains {c:?}{hint}"
                ));
            }
        }
        if byte != b'.' && index - start >= 63 {
            return fail("has a part longer than 63 characters".into());
        }
        previous = byte;
    }
    match previous {
        b'.' => return fail(EMPTY.into()),
        b'-' => return fail(HYPHEN.into()),
        _ => {}
    }
    // A URL parser treats a name that ends in a number as an IP address (WHATWG URL, "ends in a number"), so the name has
    // to be one (docs/assumptions.md, A17).
    let last = value.get(start..).unwrap_or_default();
    let number = match last.strip_prefix("0x").or(last.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => last.bytes().all(|b| b.is_ascii_digit()),
    };
    if number && value.parse::<Ipv4Addr>().is_err() {
        return fail("ends in a number, so it would be read as an IP address".into());
    }
    Ok(())
}

/// Conversions from text, each of which calls `new`.
macro_rules! from_text {
    ($type:ident) => {
        impl TryFrom<&str> for $type {
            type Error = crate::Error;

            fn try_from(value: &str) -> crate::Result<Self> {
                Self::new(value)
            }
        }

        impl TryFrom<&String> for $type {
            type Error = crate::Error;

            fn try_from(value: &String) -> crate::Result<Self> {
                Self::new(value.as_str())
            }
        }

        impl TryFrom<String> for $type {
            type Error = crate::Error;

            fn try_from(value: String) -> crate::Result<Self> {
                Self::new(value.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::Error;

            fn from_str(value: &str) -> crate::Result<Self> {
                Self::new(value)
            }
        }
    };
}
pub(crate) use from_text;

/// The methods and conversions of every validated text.
macro_rules! validated_text {
    ($type:ident) => {
        impl $type {
            /// The value as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        $crate::model::rule::from_text!($type);

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use validated_text;
