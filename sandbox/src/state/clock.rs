//! The sandbox's own clock: it runs with the real one and can be moved forward, never back.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// How far the clock can be moved in total. The limit keeps every date within the calendar's range.
pub(crate) const FURTHEST: Duration = Duration::from_secs(36_525 * 24 * 60 * 60);

/// A point in time, as the time since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    #[cfg(test)]
    pub(crate) fn at(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// The time since `earlier`, or zero if that is in the future.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The day in UTC.
    pub(crate) fn date(self) -> Date {
        Offset::UTC.to_datetime(self.timestamp()).date()
    }

    pub(crate) fn system_time(self) -> SystemTime {
        UNIX_EPOCH.checked_add(self.0).unwrap_or(UNIX_EPOCH)
    }

    fn timestamp(self) -> Timestamp {
        let seconds = i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }
}

/// The format of `created_at`: to the second, in UTC, with no zone (docs/assumptions.md, A7).
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp().strftime("%Y-%m-%dT%H:%M:%S"))
    }
}

#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Moment,
    started: Instant,
    advanced: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            epoch: Moment(since_1970.unwrap_or_default()),
            started: Instant::now(),
            advanced: Duration::ZERO,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.epoch.after(self.started.elapsed()).after(self.advanced)
    }

    /// Moves the clock forward. If that would exceed [`FURTHEST`], returns `false` and does not move it.
    pub(crate) fn advance(&mut self, by: Duration) -> bool {
        match self.advanced.checked_add(by) {
            Some(advanced) if advanced <= FURTHEST => {
                self.advanced = advanced;
                true
            }
            _ => false,
        }
    }

    /// Moves the clock as far as [`FURTHEST`].
    pub(crate) fn advance_to_the_end(&mut self) {
        self.advanced = FURTHEST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_created_at_does() {
        assert_eq!(Moment::at(1_768_478_400).to_string(), "2026-01-15T12:00:00");
        assert_eq!(Moment::at(1_768_478_400).date().to_string(), "2026-01-15");
    }

    #[test]
    fn the_clock_moves_forward_but_not_out_of_the_calendar() {
        let mut clock = Clock::start();
        let before = clock.now();
        assert!(clock.advance(Duration::from_secs(600)));
        assert!(clock.now().since(before) >= Duration::from_secs(600));
        assert!(!clock.advance(FURTHEST));
        assert!(!clock.advance(Duration::MAX));
    }
}
