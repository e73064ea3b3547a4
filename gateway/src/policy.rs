//! Which exit a connection gets. A port has a policy, and a client may complete it with the username that it sends.

use std::fmt;

/// How long the name of a session may be.
const LONGEST_NAME: usize = 64;

/// Which exit the connections get: any one, one in a country, or always the same one.
///
/// As text, a policy is `rotate`, `country-DE`, `session-42`, or `country-DE-session-42`. Colons and commas may stand in place of
/// the hyphens, as in `country:DE,session:42`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    pub(crate) country: Option<String>,
    pub(crate) session: Option<String>,
}

/// A text that is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a policy is rotate, country-DE, session-42, or country-DE-session-42")]
pub struct PolicyError(String);

impl Policy {
    /// Any exit of the account's proxies, which take turns.
    #[must_use]
    pub fn rotate() -> Self {
        Self::default()
    }

    /// Only exits in this country, given as a two-letter code.
    ///
    /// # Errors
    ///
    /// If it is not two letters.
    pub fn country(mut self, code: &str) -> Result<Self, PolicyError> {
        if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(PolicyError("a country is two letters, such as DE".to_owned()));
        }
        self.country = Some(code.to_ascii_uppercase());
        Ok(self)
    }

    /// One exit for all connections with this name. If the proxy loses it, the session gets another one.
    ///
    /// # Errors
    ///
    /// If the name is not 1 to 64 ASCII letters, digits, dots and underscores.
    pub fn session(mut self, name: &str) -> Result<Self, PolicyError> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(good) {
            let reason = "the name of a session is 1 to 64 letters, digits, dots and underscores";
            return Err(PolicyError(reason.to_owned()));
        }
        self.session = Some(name.to_owned());
        Ok(self)
    }

    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// If the text is not a policy.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::rotate().completed_by(text)
    }

    /// This policy with the words of a client, which replace those of the port.
    pub(crate) fn completed_by(&self, words: &str) -> Result<Self, PolicyError> {
        let mut words = words.split(['-', ':', ',']);
        let mut policy = self.clone();
        let (mut country, mut session) = (false, false);
        let mut next = words.next();
        if next == Some("rotate") {
            policy = Self::rotate();
            next = words.next();
            if next.is_some() {
                return Err(PolicyError("nothing can follow rotate".to_owned()));
            }
        }
        while let Some(word) = next {
            let mut value = || words.next().ok_or_else(|| PolicyError(format!("{word} needs a value")));
            policy = match word {
                "country" if !country => policy.country(value()?)?,
                "session" if !session => policy.session(value()?)?,
                "country" | "session" => return Err(PolicyError(format!("{word} is given twice"))),
                // The word may be a secret that was sent here by mistake.
                _ => return Err(PolicyError("that is not a policy".to_owned())),
            };
            (country, session) = (country || word == "country", session || word == "session");
            next = words.next();
        }
        Ok(policy)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.country, &self.session) {
            (None, None) => f.write_str("rotate"),
            (Some(country), None) => write!(f, "country-{country}"),
            (None, Some(session)) => write!(f, "session-{session}"),
            (Some(country), Some(session)) => write!(f, "country-{country}-session-{session}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        for text in ["rotate", "country-DE", "session-42", "country-DE-session-a_b.7"] {
            assert_eq!(Policy::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Policy::parse("session:1,country:de").unwrap().to_string(), "country-DE-session-1");
    }

    #[test]
    fn other_words_are_refused_and_not_repeated() {
        let long = format!("session-{}", "x".repeat(65));
        for text in [
            "",
            "DE",
            "country",
            "country-",
            "country-DEU",
            "country-DE-country-FR",
            "session-",
            "session-a b",
            "rotate-country-DE",
            "hunter2",
            &long,
        ] {
            let error = Policy::parse(text).unwrap_err().to_string();
            assert!(
                !error.contains("hunter2") && error.contains("; a policy is rotate, "),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_client_completes_the_policy_of_the_port() {
        let port = Policy::parse("country-DE").unwrap();
        assert_eq!(port.completed_by("session-7").unwrap().to_string(), "country-DE-session-7");
        assert_eq!(port.completed_by("country-FR").unwrap().to_string(), "country-FR");
        assert_eq!(port.completed_by("rotate").unwrap(), Policy::rotate());
    }
}
