//! Everything that a sandbox holds: the account, the bans, the clock, the faults and the log.

use crate::Error;
use crate::fault::FaultQueue;
use crate::log::{Log, ProxiedRequest, RecordedRequest};
use crate::state::account::Account;
use crate::state::ban::Bans;
use crate::state::clock::Clock;
use crate::state::settings::Settings;

pub(crate) struct World {
    settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) account: Account,
    pub(crate) bans: Bans,
    pub(crate) faults: FaultQueue,
    pub(crate) log: Log<RecordedRequest>,
    /// The requests that the proxies received.
    pub(crate) proxied: Log<ProxiedRequest>,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        let clock = Clock::start();
        Self {
            account: Account::new(&settings, clock.now()),
            clock,
            settings,
            bans: Bans::default(),
            faults: FaultQueue::default(),
            log: Log::default(),
            proxied: Log::default(),
        }
    }

    /// Restores the initial state.
    pub(crate) fn reset(&mut self) {
        self.clock = Clock::start();
        self.account = Account::new(&self.settings, self.clock.now());
        self.bans = Bans::default();
        self.faults.clear();
        self.log.reset();
        self.proxied.reset();
    }

    /// Adds traffic to the usage of the parent or a sub-account.
    pub(crate) fn book_usage(&mut self, username: &str, gigabytes: f64) -> Result<(), Error> {
        const MOST: f64 = 1e9;
        if !(0.0..=MOST).contains(&gigabytes) {
            return Err(Error::Invalid("gigabytes must be a number from 0 to 1000000000".to_owned()));
        }
        self.account.turn(self.clock.now());
        if self.account.book(username, gigabytes) {
            Ok(())
        } else {
            Err(Error::UnknownAccount(username.to_owned()))
        }
    }
}
