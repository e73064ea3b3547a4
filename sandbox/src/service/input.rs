//! Checks the value of each parameter (docs/api.md, "Limits on input"). Lengths are in characters.

use std::net::IpAddr;

use jiff::civil::Date;

pub(crate) fn username(value: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".@+-_".contains(c);
    if value.is_empty() || !value.chars().all(allowed) {
        return Err("Enter letters, digits and . @ + - _ only.".to_owned());
    }
    text(value, 30)
}

/// The parent's default password. The documentation contains it, so it is not secret.
pub(crate) const PUBLISHED_PASSWORD: &str = "parent-password";

pub(crate) fn password(value: &str) -> Result<String, String> {
    if value.is_empty() {
        return Err("The password must not be empty.".to_owned());
    }
    text(value, 128)
}

/// A password for a sandbox that other machines can reach.
pub(crate) fn own_password(value: &str) -> Result<String, String> {
    if value == PUBLISHED_PASSWORD {
        return Err("Others can reach this sandbox, and this password is published.".to_owned());
    }
    password(value)
}

/// A first or last name.
pub(crate) fn name(value: &str) -> Result<String, String> {
    text(value, 20)
}

pub(crate) fn email(value: &str) -> Result<String, String> {
    let looks_right = value.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !value.contains(char::is_whitespace)
    });
    if !value.is_empty() && !looks_right {
        return Err("Enter an email address.".to_owned());
    }
    text(value, 255)
}

/// A limit in whole GB, 0 for none (docs/assumptions.md, A16).
pub(crate) fn limit(value: &str) -> Result<u32, String> {
    let limit = whole(value).and_then(|limit| limit.try_into().ok());
    limit.ok_or_else(|| format!("Enter a whole number of GB, from 0 to {}.", u32::MAX))
}

/// The id of a token.
pub(crate) fn id(value: &str) -> Result<u64, String> {
    whole(value).ok_or_else(|| "Enter a whole number.".to_owned())
}

pub(crate) fn ip(value: &str) -> Result<IpAddr, String> {
    let parsed = value.parse();
    parsed.map_err(|_| "Enter an IPv4 or IPv6 address.".to_owned())
}

/// The label of an IP. Any length is accepted, because no limit is documented.
pub(crate) fn ip_label(value: &str) -> Result<String, String> {
    text(value, usize::MAX)
}

pub(crate) fn token_label(value: &str) -> Result<String, String> {
    text(value, 100)
}

/// A DNS name of two or more labels, converted to lower case.
pub(crate) fn domain(value: &str) -> Result<String, String> {
    if value.parse::<IpAddr>().is_ok() {
        return Err("This is an IP address; enter a hostname.".to_owned());
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = value.rsplit('.').next().unwrap_or_default();
    let is_name = value.contains('.') && top.starts_with(|c: char| c.is_ascii_alphabetic());
    if value.len() > 253 || !is_name || !value.split('.').all(is_label) {
        return Err("Enter a hostname, such as host.example.com.".to_owned());
    }
    Ok(value.to_ascii_lowercase())
}

/// Any text. Whether the proxy exists is checked later, against the catalogue.
pub(crate) fn proxy(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

pub(crate) fn date(value: &str) -> Result<Date, String> {
    calendar_date(value).ok_or_else(|| "Enter a date as YYYY-MM-DD.".to_owned())
}

fn calendar_date(value: &str) -> Option<Date> {
    let mut parts = value.split('-');
    let mut next = |length| {
        let part: &str = parts.next()?;
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some(part)
    };
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn whole(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().ok())?
}

fn text(value: &str, most: usize) -> Result<String, String> {
    if value.contains('\0') {
        return Err("NUL characters are not allowed.".to_owned());
    }
    let length = value.chars().count();
    if length > most {
        return Err(format!("Enter at most {most} characters, not {length}."));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_1_to_30_of_the_documented_characters() {
        for good in ["a", "me+1@example.com", "pm_user-2", &"x".repeat(30)] {
            assert_eq!(username(good), Ok(good.to_owned()));
        }
        for bad in ["", "a b", "a:b", "é", "a/b", &"x".repeat(31)] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lengths_are_counted_in_characters_not_bytes() {
        assert!(password(&"ü".repeat(128)).is_ok());
        assert!(password(&"ü".repeat(129)).is_err());
        assert!(name(&"字".repeat(20)).is_ok());
        assert!(name(&"字".repeat(21)).is_err());
        assert!(token_label(&"é".repeat(100)).is_ok());
        assert!(token_label(&"é".repeat(101)).is_err());
        let email_of = |length: usize| format!("é@{}", "x".repeat(length - 2));
        assert!(email(&email_of(255)).is_ok());
        assert!(email(&email_of(256)).is_err());
    }

    #[test]
    fn limits_are_whole_and_not_negative() {
        assert_eq!((limit("0"), limit("007")), (Ok(0), Ok(7)));
        for bad in ["", "-1", "+1", "1.5", "1e3", " 1", "१", "4294967296", "99999999999999999999"] {
            assert!(limit(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn dates_are_real_and_in_one_form() {
        assert!(date("2028-02-29").is_ok());
        for bad in [
            "",
            "2027-02-29",
            "2026-13-01",
            "2026-1-1",
            "20260101",
            "2026-01-01T00:00:00",
            "2026-01-01-01",
            "-026-01-01",
        ] {
            assert!(date(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn emails_look_like_emails_or_are_empty() {
        assert!(email("").is_ok());
        assert!(email("a@b").is_ok());
        for bad in ["a", "@b", "a@", "a b@c"] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn domains_are_dns_names_in_lower_case() {
        assert_eq!(domain("Host.Example.COM"), Ok("host.example.com".to_owned()));
        let long = format!("{}.com", "x".repeat(64));
        for bad in [
            "",
            "localhost",
            "a..b",
            ".a.b",
            "a.b.",
            "-a.b",
            "a_b.c",
            "ü.de",
            "192.0.2.1",
            "a.b:80",
            "a.0",
            "a.0x1",
            &long,
        ] {
            assert!(domain(bad).is_err(), "{bad:?}");
        }
    }
}
