//! The auth gate: keeps wrong credentials from being sprayed at the service.
//!
//! Four failed authentications in a short period ban the account for three hours (api.md,
//! "Authentication"), and one wrong password in a script with a thread pool is four in a millisecond. So:
//!
//! * Until credentials have succeeded once, at most one request with them is in flight; the
//!   others wait for its outcome, and a 401 is given to all of them.
//! * At most [`PER_CREDENTIALS`] failures of the same credentials, and [`PER_PROCESS`] of all, reach one service in
//!   [`WINDOW`]; after that calls fail locally until the window has passed. A request with credentials not yet
//!   proven that got no answer may have been a failure, and counts for the process.
//!
//! The gate is shared by every client of the process with the same base URL and credentials. A forked process has one
//! of its own, which knows of the failures before the fork.
//!
//! Calls that are in flight together with proven credentials cannot be held back: if the password is changed meanwhile,
//! each of them fails. Those after them are held back again.

use super::outgoing::Sent;
use crate::{
    credentials::Credentials,
    error::{Error, Refusal, Result},
    process::PerProcess,
};
use std::{
    collections::HashMap,
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// "A short period" is taken as five minutes (api.md, A1).
const WINDOW: Duration = Duration::from_secs(5 * 60);
const PER_CREDENTIALS: usize = 2;
const PER_PROCESS: usize = 3;

/// For so long a 401 also answers calls that start after it: of many threads started together, the last may get
/// to run only when the first has its answer.
const STANDS_FOR: Duration = Duration::from_secs(1);

/// The gate as one set of credentials sees it.
pub(crate) struct Gate {
    service: Arc<Service>,
    credentials: u64,
    proven: Arc<AtomicBool>,
}

/// Every service that this process has to do with.
#[derive(Default)]
struct Services {
    /// Credentials are remembered as a keyed hash, never as themselves.
    key: RandomState,
    by_base_url: Mutex<HashMap<String, Arc<Service>>>,
}

impl Services {
    /// Those of a forked process: the failures that its parent has had count for it too, as the service counts them.
    /// What another thread was just changing at the time of the fork stays locked for ever, and is passed over.
    fn after(parents: Option<&Self>) -> Self {
        let Some(Self { key, by_base_url }) = parents else {
            return Self::default();
        };
        let mut inherited = HashMap::new();
        for (base_url, service) in by_base_url.try_lock().iter().flat_map(|services| services.iter()) {
            if let Ok(state) = service.state.try_lock() {
                inherited.insert(base_url.clone(), Arc::new(Service { state: Mutex::new(state.failures()) }));
            }
        }
        Self { key: key.clone(), by_base_url: Mutex::new(inherited) }
    }
}

/// The failures and the credentials of one service (one base URL).
#[derive(Default)]
struct Service {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    credentials: HashMap<u64, Entry>,
}

#[derive(Default)]
struct Entry {
    proven: Arc<AtomicBool>,
    /// When they were answered 401; those in the window.
    failures: Vec<Instant>,
    /// When a trial got no answer, since they were last accepted; those in the window.
    unanswered: Vec<Instant>,
    /// The request that is trying these credentials; dead once its permit is gone.
    trial: Option<Trial>,
    rejection: Option<(Instant, Arc<Refusal>)>,
}

/// What is known of a trial: nothing yet, or its verdict. Closed without one when it ended without.
type Trial = watch::Receiver<Option<Verdict>>;

#[derive(Clone)]
enum Verdict {
    Accepted,
    Rejected(Arc<Refusal>),
}

/// Leave to send one request. Dropped without a word while the request was on its way, that may have failed.
pub(super) struct Permit<'a> {
    gate: &'a Gate,
    sent: Option<Sent>,
    trial: Option<watch::Sender<Option<Verdict>>>,
}

enum Admission {
    Admitted(Option<watch::Sender<Option<Verdict>>>),
    Rejected(Arc<Refusal>),
    Blocked(Duration),
    Wait { trial: Trial, own: bool },
}

impl Gate {
    /// The gate of these credentials at this service; the same one for every client that asks.
    pub(super) fn of(base_url: &str, credentials: &Credentials) -> Self {
        static SERVICES: PerProcess<Services> = PerProcess::empty();

        let Ok(services) = SERVICES.get_or_try_init(|parents| Ok::<_, Infallible>(Services::after(parents)));
        let key = services.key.hash_one(credentials.authorization().as_bytes());
        let service = lock(&services.by_base_url).entry(base_url.to_owned()).or_default().clone();
        let proven = lock(&service.state).register(key, Instant::now());
        Self { service, credentials: key, proven }
    }

    /// Leave to send a request, if the credentials have proven right.
    pub(super) fn pass(&self) -> Option<Permit<'_>> {
        self.proven.load(Ordering::Acquire).then_some(Permit { gate: self, sent: None, trial: None })
    }

    /// Waits for leave to send a request for `call`.
    pub(super) async fn enter(&self, call: &'static str) -> Result<Permit<'_>> {
        loop {
            let admission = lock(&self.service.state).admit(self.credentials, Instant::now());
            match admission {
                Admission::Admitted(trial) => return Ok(Permit { gate: self, sent: None, trial }),
                Admission::Rejected(refusal) => return Err(shared(&refusal, call)),
                Admission::Blocked(retry_after) => {
                    return Err(Error::AuthenticationBlocked { call, retry_after });
                }
                Admission::Wait { mut trial, own } => {
                    // A closed channel is a trial that ended without a verdict: ask again.
                    if let Ok(verdict) = trial.wait_for(Option::is_some).await
                        && let (true, Some(Verdict::Rejected(refusal))) = (own, &*verdict)
                    {
                        return Err(shared(refusal, call));
                    }
                }
            }
        }
    }
}

/// A rejection as another call is given it: its own name, and never sent.
fn shared(refusal: &Refusal, call: &'static str) -> Error {
    Refusal { call, attempts: 0, ..refusal.clone() }.into_error()
}

impl Permit<'_> {
    /// The request that is being sent with it.
    pub(super) fn sends(&mut self, sent: &Sent) {
        self.sent = Some(sent.clone());
    }

    /// The service has accepted the credentials.
    pub(super) fn accepted(mut self) {
        if let Some(trial) = self.trial.take() {
            lock(&self.gate.service.state).accept(self.gate.credentials);
            trial.send_replace(Some(Verdict::Accepted));
        }
    }

    /// The service has answered 401.
    pub(super) fn rejected(mut self, refusal: &Refusal) {
        let refusal = Arc::new(refusal.clone());
        lock(&self.gate.service.state).reject(self.gate.credentials, &refusal, Instant::now());
        if let Some(trial) = self.trial.take() {
            trial.send_replace(Some(Verdict::Rejected(refusal)));
        }
    }

    /// The request was not sent, or answered in a way that says nothing about the credentials.
    pub(super) fn undecided(mut self) {
        self.trial = None;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.trial.is_some() && self.sent.as_ref().is_some_and(Sent::begun) {
            lock(&self.gate.service.state).lose(self.gate.credentials, Instant::now());
        }
    }
}

impl State {
    /// The failures alone: a trial under way is another process's.
    fn failures(&self) -> Self {
        let failures = |entry: &Entry| Entry {
            failures: entry.failures.clone(),
            unanswered: entry.unanswered.clone(),
            rejection: entry.rejection.clone(),
            ..Entry::default()
        };
        Self { credentials: self.credentials.iter().map(|(key, entry)| (*key, failures(entry))).collect() }
    }

    fn register(&mut self, key: u64, now: Instant) -> Arc<AtomicBool> {
        self.forget_stale(now);
        self.entry(key).proven.clone()
    }

    fn entry(&mut self, key: u64) -> &mut Entry {
        self.credentials.entry(key).or_default()
    }

    /// Forgets failures outside the window, and credentials that nobody holds and that have none in it.
    fn forget_stale(&mut self, now: Instant) {
        let recent = |at: &Instant| now.saturating_duration_since(*at) < WINDOW;
        self.credentials.retain(|_, entry| {
            entry.failures.retain(recent);
            entry.unanswered.retain(recent);
            let clean = entry.failures.is_empty() && entry.unanswered.is_empty();
            Arc::strong_count(&entry.proven) > 1 || !clean
        });
    }

    fn admit(&mut self, key: u64, now: Instant) -> Admission {
        self.forget_stale(now);
        let entries = self.credentials.values();
        let mut doubtful: Vec<Instant> =
            entries.flat_map(|entry| entry.failures.iter().chain(&entry.unanswered)).copied().collect();
        doubtful.sort_unstable();
        let under_way: Vec<Trial> =
            self.credentials.values().filter_map(|entry| entry.trial.clone()).filter(alive).collect();
        let entry = self.entry(key);
        if entry.proven.load(Ordering::Acquire) {
            return Admission::Admitted(None);
        }
        if let Some((at, refusal)) = &entry.rejection
            && now.saturating_duration_since(*at) < STANDS_FOR
        {
            return Admission::Rejected(refusal.clone());
        }
        if let Some(trial) = entry.trial.clone().filter(alive) {
            return Admission::Wait { trial, own: true };
        }
        let waits =
            [time_left(&entry.failures, PER_CREDENTIALS, now), time_left(&doubtful, PER_PROCESS, now)];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Admission::Blocked(wait);
        }
        // Each trial of other credentials may be a failure a moment from now.
        if doubtful.len() + under_way.len() >= PER_PROCESS
            && let Some(trial) = under_way.into_iter().next()
        {
            return Admission::Wait { trial, own: false };
        }
        let (sender, receiver) = watch::channel(None);
        entry.trial = Some(receiver);
        Admission::Admitted(Some(sender))
    }

    fn accept(&mut self, key: u64) {
        let entry = self.entry(key);
        entry.unanswered.clear();
        entry.proven.store(true, Ordering::Release);
    }

    fn lose(&mut self, key: u64, now: Instant) {
        self.entry(key).unanswered.push(now);
    }

    fn reject(&mut self, key: u64, refusal: &Arc<Refusal>, now: Instant) {
        let entry = self.entry(key);
        entry.failures.push(now);
        entry.rejection = Some((now, refusal.clone()));
        entry.proven.store(false, Ordering::Release);
    }
}

/// Whether a trial may still give a verdict.
fn alive(trial: &Trial) -> bool {
    trial.borrow().is_none() && trial.has_changed().is_ok()
}

/// How long until fewer than `most` failures are in the window.
fn time_left(failures: &[Instant], most: usize, now: Instant) -> Option<Duration> {
    let oldest_that_counts = failures.len().checked_sub(most).and_then(|i| failures.get(i))?;
    Some(WINDOW.saturating_sub(now.saturating_duration_since(*oldest_that_counts)))
}

/// A panic elsewhere leaves the state consistent: every change to it is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn refusal() -> Arc<Refusal> {
        Arc::new(Refusal {
            call: "ips.list",
            status: 401,
            reason: "no".into(),
            field_errors: BTreeMap::new(),
            body: String::new(),
            retry_after: None,
            attempts: 1,
        })
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A state that holds these credentials, as their clients would.
    fn state(keys: &[u64], now: Instant) -> (State, Vec<Arc<AtomicBool>>) {
        let mut state = State::default();
        let held = keys.iter().map(|key| state.register(*key, now)).collect();
        (state, held)
    }

    #[test]
    fn one_trial_at_a_time_and_a_dropped_one_makes_way() {
        let now = Instant::now();
        let (mut state, _held) = state(&[1], now);
        let Admission::Admitted(Some(trial)) = state.admit(1, now) else { panic!() };
        assert!(matches!(state.admit(1, now), Admission::Wait { own: true, .. }));
        drop(trial);
        assert!(matches!(state.admit(1, now), Admission::Admitted(Some(_))));
    }

    #[test]
    fn two_failures_of_the_same_credentials_block_them_until_the_window_has_passed() {
        let start = Instant::now();
        let (mut state, _held) = state(&[1, 2], start);
        state.reject(1, &refusal(), start);
        assert!(matches!(state.admit(1, start + seconds(0)), Admission::Rejected(_)));
        assert!(matches!(state.admit(1, start + seconds(2)), Admission::Admitted(Some(_))));
        state.reject(1, &refusal(), start + seconds(10));
        let Admission::Blocked(left) = state.admit(1, start + seconds(20)) else { panic!() };
        assert_eq!(left, seconds(280));
        assert!(matches!(state.admit(2, start + seconds(20)), Admission::Admitted(Some(_))));
        assert!(matches!(state.admit(1, start + seconds(299)), Admission::Blocked(_)));
        assert!(matches!(state.admit(1, start + seconds(300)), Admission::Admitted(Some(_))));
    }

    #[test]
    fn three_failures_block_the_process_and_trials_under_way_count_as_failures() {
        let start = Instant::now();
        let (mut state, _held) = state(&[1, 2, 3, 4], start);
        state.reject(1, &refusal(), start);
        let Admission::Admitted(Some(second)) = state.admit(2, start) else { panic!() };
        let Admission::Admitted(Some(_third)) = state.admit(3, start) else { panic!() };
        assert!(matches!(state.admit(4, start), Admission::Wait { own: false, .. }));
        drop(second);
        assert!(matches!(state.admit(4, start), Admission::Admitted(Some(_))));
        state.reject(2, &refusal(), start);
        state.reject(3, &refusal(), start);
        let later = start + seconds(2);
        assert!(matches!(state.admit(4, later), Admission::Blocked(left) if left == seconds(298)));
    }

    #[test]
    fn trials_without_an_answer_count_for_the_process_until_the_credentials_are_accepted() {
        let start = Instant::now();
        let (mut state, _held) = state(&[1, 2], start);
        for _ in 0..2 {
            assert!(matches!(state.admit(1, start), Admission::Admitted(Some(_))));
            state.lose(1, start);
        }
        state.reject(2, &refusal(), start);
        let later = start + seconds(2);
        assert!(matches!(state.admit(1, later), Admission::Blocked(left) if left == seconds(298)));
        state.accept(1);
        assert!(matches!(state.admit(1, later), Admission::Admitted(None)));
        assert!(matches!(state.admit(2, later), Admission::Admitted(Some(_))));
    }

    #[test]
    fn credentials_that_have_worked_pass_without_a_trial_until_they_fail() {
        let now = Instant::now();
        let (mut state, held) = state(&[1], now);
        held[0].store(true, Ordering::Release);
        assert!(matches!(state.admit(1, now), Admission::Admitted(None)));
        state.reject(1, &refusal(), now);
        assert!(!held[0].load(Ordering::Acquire));
    }

    #[test]
    fn credentials_that_nobody_holds_are_forgotten_but_not_their_failures() {
        let now = Instant::now();
        let (mut state, held) = state(&[1, 2], now);
        state.reject(1, &refusal(), now);
        drop(held);
        state.forget_stale(now + seconds(1));
        assert_eq!(state.credentials.len(), 1);
        state.forget_stale(now + WINDOW);
        assert!(state.credentials.is_empty());
    }

    #[test]
    fn a_forked_process_has_the_failures_of_its_parent_and_no_trial() {
        let now = Instant::now();
        let (mut state, _held) = state(&[1, 2], now);
        state.reject(1, &refusal(), now);
        state.reject(1, &refusal(), now);
        assert!(matches!(state.admit(2, now), Admission::Admitted(Some(_))));
        let parents = Services::default();
        lock(&parents.by_base_url).insert("a".into(), Arc::new(Service { state: Mutex::new(state) }));
        lock(&parents.by_base_url).insert("b".into(), Arc::default());
        let locked = lock(&parents.by_base_url).get("b").cloned();
        let _during_the_fork = locked.as_ref().map(|service| lock(&service.state));

        let own = Services::after(Some(&parents));
        let services = lock(&own.by_base_url);
        assert_eq!(services.keys().collect::<Vec<_>>(), ["a"]);
        let mut state = lock(&services["a"].state);
        let later = now + seconds(2);
        assert!(matches!(state.admit(1, later), Admission::Blocked(_)));
        assert!(matches!(state.admit(2, later), Admission::Admitted(Some(_))));
        assert_eq!(own.key.hash_one(7), parents.key.hash_one(7));
        let _in_the_middle = lock(&parents.by_base_url);
        assert!(lock(&Services::after(Some(&parents)).by_base_url).is_empty());
    }
}
