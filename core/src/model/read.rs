//! Tolerant parsing of single values that the service may send in more than one form.

use jiff::{Timestamp, civil, tz::Offset};
use serde::{
    Deserialize, Deserializer,
    de::{self, Error as _, Visitor},
};
use std::{
    fmt::{self, Display},
    marker::PhantomData,
    str::FromStr,
};

/// Whole gigabytes: an integer, or a fraction that is whole. `null` means no limit, which is 0.
pub(crate) fn whole_gigabytes<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let value = Option::<f64>::deserialize(input)?.unwrap_or(0.0);
    // Up to 2⁵³, an f64 can represent every whole number.
    if value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(value as u64)
    } else {
        Err(D::Error::custom(format!("{value} is not a whole number of gigabytes")))
    }
}

/// Text; `null` means empty text.
pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    // Without an `Option<String>` between, a list of 10,000 IPs is read faster.
    struct Text;

    impl<'de> Visitor<'de> for Text {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_none<E>(self) -> Result<String, E> {
            Ok(String::new())
        }

        fn visit_unit<E>(self) -> Result<String, E> {
            Ok(String::new())
        }

        fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<String, D::Error> {
            input.deserialize_str(self)
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
    }

    input.deserialize_option(Text)
}

/// A value that is parsed from text, without copying the text.
pub(crate) fn parsed<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    input.deserialize_str(Text(PhantomData))
}

/// A timestamp. Without a time zone it is UTC (docs/assumptions.md, A7); otherwise its time zone
/// applies.
pub(crate) fn moment<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(input)?;
    parse_moment(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a date and time")))
}

/// A date, or the date (in UTC) of a timestamp; `None` for `null`.
pub(crate) fn optional_date<'de, D: Deserializer<'de>>(input: D) -> Result<Option<civil::Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(input)? else { return Ok(None) };
    let date = parse_date(&text)
        .or_else(|| parse_moment(&text).map(|moment| Offset::UTC.to_datetime(moment).date()));
    match date {
        Some(date) => Ok(Some(date)),
        None => Err(D::Error::custom(format!("{text:?} is not a date"))),
    }
}

/// Exactly `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<civil::Date> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        });
    if shape { text.parse().ok() } else { None }
}

fn parse_moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    // A bare date is not a timestamp, although jiff would read it as midnight.
    if !text.contains(['T', 't', ' ']) {
        return None;
    }
    let local = text.parse::<civil::DateTime>().ok()?;
    Offset::UTC.to_timestamp(local).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_without_a_time_zone_is_utc_and_a_time_zone_applies() {
        let utc = parse_moment("2026-01-15T12:00:00").unwrap();
        assert_eq!(utc.to_string(), "2026-01-15T12:00:00Z");
        assert_eq!(parse_moment("2026-01-15T12:00:00Z").unwrap(), utc);
        assert_eq!(parse_moment("2026-01-15T14:00:00+02:00").unwrap(), utc);
        assert_eq!(parse_moment("2026-01-15 12:00:00").unwrap(), utc);
        assert_eq!(parse_moment("2026-01-15T12:00:00.250").unwrap().as_millisecond() % 1000, 250);
        for bad in ["", "2026-01-15", "noon", "2026-02-30T00:00:00", "2026-01-15T25:00:00"] {
            assert_eq!(parse_moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_date_has_one_form_and_must_exist() {
        assert!(parse_date("2028-02-29").is_some());
        for bad in
            ["2027-02-29", "2027-13-01", "27-01-01", "2027-1-1", "20270101", "2027-01-01T", "+002027-01", ""]
        {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
