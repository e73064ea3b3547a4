//! The ban: four failed authentications within 5 minutes ban a caller for 3 hours (docs/assumptions.md, A1).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::state::clock::Moment;

/// How many failures cause a ban.
pub(crate) const FAILURES: usize = 4;
/// The "short period" they must fall into.
pub(crate) const WINDOW: Duration = Duration::from_secs(5 * 60);
/// How long the ban lasts.
pub(crate) const LASTS: Duration = Duration::from_secs(3 * 60 * 60);

#[derive(Debug, Default)]
struct Record {
    failures: Vec<Moment>,
    banned_until: Option<Moment>,
}

/// The failures and the ban of each caller. A caller is a client's IP address.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    callers: HashMap<IpAddr, Record>,
}

impl Bans {
    /// The end of the caller's ban, if it is banned.
    pub(crate) fn until(&self, caller: IpAddr, now: Moment) -> Option<Moment> {
        let record = self.callers.get(&caller)?;
        record.banned_until.filter(|until| now < *until)
    }

    /// Counts a failure, and returns how many fall into the window. Must not be called during a ban.
    pub(crate) fn fail(&mut self, caller: IpAddr, now: Moment) -> usize {
        let record = self.callers.entry(caller).or_default();
        record.failures.retain(|then| now.since(*then) < WINDOW);
        record.failures.push(now);
        let count = record.failures.len();
        if count >= FAILURES {
            record.failures.clear();
            record.banned_until = Some(now.after(LASTS));
        }
        count
    }

    /// The callers banned now, with the end of each ban.
    pub(crate) fn banned(&self, now: Moment) -> Vec<(IpAddr, Moment)> {
        let callers = self.callers.iter();
        let mut banned: Vec<_> = callers
            .filter_map(|(caller, record)| Some((*caller, record.banned_until?)))
            .filter(|(_, until)| now < *until)
            .collect();
        banned.sort();
        banned
    }

    /// How many failures count at this moment, of all callers together.
    pub(crate) fn failures(&self, now: Moment) -> usize {
        let records = self.callers.values();
        records.flat_map(|record| &record.failures).filter(|then| now.since(**then) < WINDOW).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const OTHER: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn the_fourth_failure_in_five_minutes_bans_for_three_hours() {
        let mut bans = Bans::default();
        for second in [0, 100, 200] {
            bans.fail(CALLER, Moment::at(second));
            assert_eq!(bans.until(CALLER, Moment::at(second)), None);
        }
        assert_eq!(bans.fail(CALLER, Moment::at(299)), 4);

        let end = Moment::at(299).after(LASTS);
        assert_eq!(bans.until(CALLER, Moment::at(299)), Some(end));
        assert_eq!(bans.until(CALLER, Moment::at(299 + 10_799)), Some(end));
        assert_eq!(bans.until(CALLER, end), None);
        assert_eq!(bans.until(OTHER, Moment::at(299)), None);
    }

    #[test]
    fn failures_five_minutes_old_no_longer_count() {
        let mut bans = Bans::default();
        for second in [0, 100, 200] {
            bans.fail(CALLER, Moment::at(second));
        }
        assert_eq!(bans.fail(CALLER, Moment::at(300)), 3);
        assert_eq!(bans.until(CALLER, Moment::at(300)), None);
    }
}
