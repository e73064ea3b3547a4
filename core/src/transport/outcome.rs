//! The possible outcomes of one attempt.

use super::tls;
use crate::{endpoint::Call, observer::Attempt, runtime::lack};
use bytes::Bytes;
use std::{error::Error as StdError, io, time::Duration};

/// The outcome of one attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The service responded.
    Answered(Response),
    /// Nothing was sent: there was no connection, or no time left to open one.
    Unsent(Cause),
    /// At least part of the request was sent, but no complete response arrived.
    Unanswered(Cause),
}

impl Outcome {
    /// What an observer is told.
    pub(super) fn told(
        &self,
        call: &'static Call,
        number: u32,
        elapsed: Duration,
        retry_in: Option<Duration>,
    ) -> Attempt {
        let (status, failure) = match self {
            Self::Answered(response) => (Some(response.status), None),
            Self::Unsent(cause) | Self::Unanswered(cause) => (None, Some(cause.reason.clone())),
        };
        Attempt { call, number, status, failure, elapsed, retry_in }
    }
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// `None` if a successful response is too large to read.
    pub(super) body: Option<Bytes>,
}

impl Response {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body; empty if it is too large.
    pub(super) fn bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}

/// Why there is no response.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) timed_out: bool,
    /// Whether a retry would fail in the same way.
    pub(super) lasting: bool,
    pub(super) reason: String,
}

impl Cause {
    /// What went wrong, as described by the layers below reqwest. It contains no URL, and so no query. `connecting` says whether it
    /// went wrong before there was a connection.
    pub(super) fn of(error: &(dyn StdError + 'static), connecting: bool) -> Cause {
        let mut timed_out = false;
        let mut words: Vec<String> = Vec::new();
        let mut source = Some(error);
        while let Some(inner) = source {
            source = inner.source();
            if let Some(failure) = tls::failure_in(inner) {
                let lasting = tls::is_lasting(failure, connecting);
                return Cause { timed_out: false, lasting, reason: tls::in_words(failure) };
            }
            // reqwest's own words contain the URL.
            if let Some(error) = inner.downcast_ref::<reqwest::Error>() {
                if error.is_connect() && error.is_timeout() {
                    let reason = "could not connect within connect_timeout".into();
                    return Cause { timed_out: true, lasting: false, reason };
                }
                timed_out = error.is_timeout();
                continue;
            }
            let lacking = inner.downcast_ref::<io::Error>().and_then(lack);
            let word = lacking.map_or_else(|| inner.to_string(), str::to_owned);
            // Layers that only pass on an error repeat its text or say "client error (Connect)".
            let passes_on = word.starts_with("client error (");
            if !passes_on && !words.iter().any(|said| said.contains(&word)) {
                words.push(word);
            }
        }
        // A retry does not help if the proxy requires a password or rejects this one.
        let lasting = words.iter().any(|word| word.ends_with("proxy authorization required"));
        let reason = if words.is_empty() { "unknown cause".to_owned() } else { words.join(": ") };
        Cause { timed_out, lasting, reason }
    }

    pub(super) fn timed_out(limit: Duration) -> Self {
        Self { timed_out: true, lasting: false, reason: format!("gave up after {} s", limit.as_secs_f64()) }
    }

    /// A cause that is neither a time-out nor lasting.
    pub(super) fn other(reason: &str) -> Self {
        Self { timed_out: false, lasting: false, reason: reason.to_owned() }
    }

    /// The cause for a request whose response no caller waits for any longer.
    pub(super) fn given_up() -> Self {
        Self { timed_out: true, lasting: false, reason: "the call was abandoned".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    fn cause(layers: &[&'static str]) -> Cause {
        let inner = layers.iter().rev().fold(None, |inner, text| Some(Box::new(Layer(text, inner))));
        Cause::of(&*inner.unwrap(), true)
    }

    #[test]
    fn a_cause_says_each_thing_once_and_nothing_about_layers() {
        for (layers, reason) in [
            (&["reset"][..], "reset"),
            (&["connection error", "reset by peer"], "connection error: reset by peer"),
            (&["client error (Connect)", "tcp connect error", "refused"], "tcp connect error: refused"),
            (&["refused", "client error (Connect)"], "refused"),
            (&["could not read: reset by peer", "reset by peer"], "could not read: reset by peer"),
            (&["client error (SendRequest)"], "unknown cause"),
        ] {
            let cause = cause(layers);
            assert_eq!(cause.reason, reason);
            assert!(!cause.lasting && !cause.timed_out, "{cause:?}");
        }
        let cause = cause(&["tunnel error", "proxy authorization required"]);
        assert!(cause.lasting, "{cause:?}");
    }
}
