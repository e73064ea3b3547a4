//! Whether and when a call is retried (docs/decisions/0002-a-lost-response.md).

use super::outcome::{Outcome, Response};
use crate::endpoint::Replay;
use std::time::{Duration, SystemTime};

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// The longest `Retry-After` that is obeyed. If it is longer, the call fails at once, and the error contains it.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How long to wait before the next attempt; `None` if there is none, as after a success.
pub(super) fn wait(replay: Replay, outcome: &Outcome, attempts: u32, max_retries: u32) -> Option<Duration> {
    if attempts > max_retries || !worth_repeating(outcome) {
        return None;
    }
    if replay == Replay::Once && is_ambiguous(outcome) {
        return None;
    }
    match outcome {
        Outcome::Answered(Response { retry_after: Some(wait), .. }) => {
            (*wait <= LONGEST_RETRY_AFTER).then_some(*wait)
        }
        _ => Some(backoff(attempts)),
    }
}

/// Whether the request may have been carried out although there was no usable response.
pub(super) fn is_ambiguous(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(response) => matches!(response.status, 408 | 500 | 502..=504 | 520..=524),
        Outcome::Unanswered(_) => true,
        Outcome::Unsent(_) => false,
    }
}

fn worth_repeating(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(response) => response.status == 429 || is_ambiguous(outcome),
        Outcome::Unanswered(cause) | Outcome::Unsent(cause) => !cause.lasting,
    }
}

/// Exponential backoff with full jitter: between 0 and 0.5 s · 2ⁿ, at most 8 s.
fn backoff(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT).mul_f64(fastrand::f64())
}

/// Parses `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3). A date in the past means no wait.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // A number that does not fit is longer than anyone would wait.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_full_jitter_up_to_eight_seconds() {
        for (attempts, most) in [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 8.0), (u32::MAX, 8.0)] {
            let waits: Vec<f64> = (0..200).map(|_| backoff(attempts).as_secs_f64()).collect();
            assert!(waits.iter().all(|wait| (0.0..=most).contains(wait)));
            assert!(
                waits.iter().any(|wait| *wait > most * 0.8) && waits.iter().any(|wait| *wait < most * 0.2)
            );
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 10:00:00 GMT").unwrap();
        let read = |value| retry_after(value, now);
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("Mon, 23 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Mon, 23 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert!(read("99999999999999999999999").unwrap() > LONGEST_RETRY_AFTER);
        for bad in ["", "soon", "-1", "1.5", "23 Nov 2026"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
