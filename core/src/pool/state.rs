//! Who fetches the list, and what the others do meanwhile. This does no I/O.

use super::{
    Geo, Instant, Mutex, PoolOptions, Proxy, Wanted, lock,
    rotation::{Countries, Rotation},
};
use crate::error::{Error, Result};
use std::{thread::ThreadId, time::Duration};
use tokio::sync::watch;

/// How soon a list is fetched again after a failure, if there is an older one.
const RETRY: Duration = Duration::from_secs(10);
/// How long others wait for the caller that fetches the list. After that, one of them fetches it as well.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a pool knows.
pub(super) struct State {
    pub(super) rotation: Rotation<Instant>,
    /// When the list is due to be fetched. `None` until it has been fetched once.
    due: Option<Instant>,
    is_listed: bool,
    /// Whether anyone has asked for a country.
    with_geo: bool,
    fetch: Option<Fetching>,
    /// How many fetches have started.
    started: u64,
    /// The fetch that failed last, with its error, if none has succeeded since.
    failed: Option<(u64, Error)>,
}

/// A fetch in progress.
#[derive(Clone)]
pub(super) struct Fetching {
    number: u64,
    thread: Option<ThreadId>,
    until: Instant,
    /// The channel closes when the fetch ends.
    progress: watch::Receiver<()>,
}

/// A fetch that has just started.
pub(super) struct Started {
    number: u64,
    progress: watch::Sender<()>,
}

/// What a caller has done so far.
#[derive(Clone, Copy)]
pub(super) enum SoFar {
    Nothing,
    /// It has waited for the fetch with this number.
    WaitedFor(u64),
    /// It has fetched the list itself, so the list is new enough for it, however short the `ttl` is.
    Fetched,
}

/// What a caller does next.
pub(super) enum Next {
    Ready(Result<Proxy>),
    /// Wait until someone else has fetched the list.
    Wait(Fetching),
    Fetch(Started),
}

impl State {
    pub(super) fn is_listed(&self) -> bool {
        self.is_listed
    }

    /// What a forked process knows at first.
    pub(super) fn inherited(&self) -> Self {
        Self { rotation: self.rotation.clone(), fetch: None, failed: None, ..*self }
    }

    fn is_usable(&self, countries: &Countries) -> bool {
        self.is_listed && (countries.is_none() || self.rotation.knows_countries())
    }

    /// The next proxy, if the caller need not wait for the list.
    pub(super) fn ready(
        &mut self,
        options: &PoolOptions,
        wanted: &Wanted,
        now: Instant,
        has_fetched: bool,
    ) -> Option<Result<Proxy>> {
        let is_fresh = has_fetched || self.due.is_some_and(|due| now < due);
        // While one caller fetches the list, the others use the old one.
        let ready = self.is_usable(&wanted.countries) && (is_fresh || self.fetching(now).is_some());
        let wait = |until: Instant| until.saturating_duration_since(now);
        ready.then(|| self.rotation.next(options, &wanted.countries, now, wait))
    }

    /// What the caller does next.
    pub(super) fn next(
        &mut self,
        options: &PoolOptions,
        wanted: &Wanted,
        now: Instant,
        so_far: SoFar,
    ) -> Next {
        if let Some(ready) = self.ready(options, wanted, now, matches!(so_far, SoFar::Fetched)) {
            return Next::Ready(ready);
        }
        if let (SoFar::WaitedFor(waited), Some((failed, error))) = (so_far, &self.failed)
            && waited <= *failed
            && !self.is_usable(&wanted.countries)
        {
            return Next::Ready(Err(error.clone()));
        }
        if let Some(fetching) = self.fetching(now)
            && (wanted.thread.is_none() || fetching.thread != wanted.thread)
        {
            let mut fetching = fetching.clone();
            fetching.progress.mark_unchanged();
            return Next::Wait(fetching);
        }
        let (sender, progress) = watch::channel(());
        self.started += 1;
        self.with_geo |= wanted.countries.is_some();
        let (number, until) = (self.started, now + PATIENCE);
        self.fetch = Some(Fetching { number, thread: wanted.thread, until, progress });
        Next::Fetch(Started { number, progress: sender })
    }

    /// The fetch in progress, unless it takes too long.
    fn fetching(&self, now: Instant) -> Option<&Fetching> {
        self.fetch.as_ref().filter(|fetch| now < fetch.until)
    }

    fn forget(&mut self, number: u64) {
        // Someone else may have lost patience, and fetch the list now.
        self.fetch.take_if(|fetch| fetch.number == number);
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            rotation: Rotation::new(),
            due: None,
            is_listed: false,
            with_geo: false,
            fetch: None,
            started: 0,
            failed: None,
        }
    }
}

impl Fetching {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Waits for news: part of the list has arrived, or the fetch has ended.
    pub(super) async fn progress(&mut self) {
        let _ = self.progress.changed().await;
    }
}

/// A fetch that its owner must carry out. If it is dropped early, another caller fetches the list.
pub(super) struct Fetch<'a> {
    state: &'a Mutex<State>,
    options: &'a PoolOptions,
    started: Started,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(state: &'a Mutex<State>, options: &'a PoolOptions, started: Started) -> Self {
        Self { state, options, started }
    }

    /// The list has arrived. Returns whether the geo counts are needed as well.
    pub(super) fn listed(&self, proxies: Vec<Proxy>) -> bool {
        let mut state = lock(self.state);
        state.rotation.set(self.options, proxies);
        state.is_listed = true;
        let with_geo = state.with_geo;
        drop(state);
        let _ = self.started.progress.send(());
        with_geo
    }

    pub(super) fn counted(&self, geo: Geo) {
        lock(self.state).rotation.set_geo(self.options, geo);
    }

    /// The fetch has ended. Returns whether the caller has a list that it can use.
    pub(super) fn ended(self, result: Result<(), &Error>, wanted: &Wanted) -> bool {
        let number = self.started.number;
        let (wait, failed) = match result {
            Ok(()) => (self.options.ttl, None),
            Err(error) => (self.options.ttl.min(RETRY), Some((number, error.clone()))),
        };
        let mut state = lock(self.state);
        state.forget(number);
        state.due = Some(Instant::now() + wait);
        // Kept here and not sent, so that a caller that is not listening at this moment learns of it, too.
        let is_older = state.failed.as_ref().is_some_and(|(latest, _)| number < *latest);
        if failed.is_none() || !is_older {
            state.failed = failed;
        }
        state.is_usable(&wanted.countries)
    }
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        lock(self.state).forget(self.started.number);
    }
}
