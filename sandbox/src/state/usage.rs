//! How many GB an account has used, in this billing period and in total.

use std::time::Duration;

use crate::state::clock::Moment;

/// How long a billing period lasts.
pub(crate) const PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) monthly: f64,
    pub(crate) total: f64,
}

impl Usage {
    /// Adds to both. `monthly` never exceeds `total`, because rounding is monotonic.
    pub(crate) fn book(&mut self, gigabytes: f64) {
        self.monthly += gigabytes;
        self.total += gigabytes;
    }
}

/// The current billing period.
#[derive(Debug)]
pub(crate) struct Billing {
    began: Moment,
}

impl Billing {
    pub(crate) fn begin(now: Moment) -> Self {
        Self { began: now }
    }

    pub(crate) fn ends(&self) -> Moment {
        self.began.after(PERIOD)
    }

    /// Begins the period that `now` falls into, and returns whether it is a new one.
    pub(crate) fn turn(&mut self, now: Moment) -> bool {
        let mut turned = false;
        while now >= self.ends() {
            self.began = self.ends();
            turned = true;
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_period_begins_every_thirty_days() {
        let day = 24 * 60 * 60;
        let mut billing = Billing::begin(Moment::at(0));
        assert!(!billing.turn(Moment::at(30 * day - 1)));
        assert!(billing.turn(Moment::at(30 * day)));
        assert!(!billing.turn(Moment::at(59 * day)));
        assert!(billing.turn(Moment::at(125 * day)));
        assert_eq!(billing.ends(), Moment::at(150 * day));
    }
}
