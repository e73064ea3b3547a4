//! What is known about credentials, and what follows from it. Nothing here waits, and callers pass in the time.

use super::{Leave, sync::Instant};
use crate::{error::Refusal, transport::outcome::Cause};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::watch;

/// The service's "short period", assumed to be five minutes (docs/assumptions.md, A1).
pub(super) const WINDOW: Duration = Duration::from_secs(5 * 60);
/// How many failures with the same credentials may reach a service within the window.
pub(super) const PER_CREDENTIALS: usize = 2;
const PER_PROCESS: usize = 3;

/// A verdict also applies to calls that start within this time after it. If many threads start together, the last one may
/// run only after the first has its response.
pub(super) const STANDS_FOR: Duration = Duration::from_secs(1);

/// How long a trial continues after its caller has abandoned it.
pub(in crate::transport) const GOES_ON: Duration = Duration::from_secs(5);

/// The delay between a trial without a response and the next one. It doubles with each such trial.
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// What is known about each set of credentials.
#[derive(Default)]
pub(super) struct State {
    credentials: HashMap<u64, Entry>,
}

struct Entry {
    /// Whether the service has accepted them and not refused them since. Shared with the clients that use them.
    proven: Leave,
    /// When the service refused them, within the window.
    failures: Vec<Instant>,
    /// When trials got no response, within the window and since the last one that did.
    unanswered: Vec<Instant>,
    /// Why the last of those got no response.
    cause: Option<Cause>,
    /// The request that is trying these credentials. It is dead once its permit is dropped.
    trial: Option<UnderWay>,
    rejection: Option<(Instant, Arc<Refusal>)>,
}

/// Receives the verdict of a trial. It closes without one if the trial ends without a verdict.
pub(super) type Trial = watch::Receiver<Option<Verdict>>;

struct UnderWay {
    trial: Trial,
    leave: Leave,
    /// The trial has ended by then, unless its event loop no longer runs.
    until: Instant,
}

#[derive(Clone)]
pub(super) enum Verdict {
    Accepted,
    Rejected(Arc<Refusal>),
    /// It was sent, but no response arrived.
    Unanswered(Cause),
    /// The client with this ID could not send it.
    Unsent(Cause, usize),
}

pub(super) enum Admission {
    Proven,
    Trial(watch::Sender<Option<Verdict>>, Leave),
    Rejected(Arc<Refusal>),
    Blocked(Duration),
    Delayed(Duration),
    Wait { trial: Trial, own: bool },
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            proven: Leave::new(false),
            failures: Vec::new(),
            unanswered: Vec::new(),
            cause: None,
            trial: None,
            rejection: None,
        }
    }
}

impl Entry {
    /// When trials failed or may have failed. If there was a 401, each trial without a response may have been another.
    fn doubtful(&self) -> impl Iterator<Item = Instant> {
        let unanswered = if self.failures.is_empty() { &[] } else { self.unanswered.as_slice() };
        self.failures.iter().chain(unanswered).copied()
    }

    /// The trial, if one is under way.
    fn under_way(&self) -> Option<Trial> {
        self.trial.as_ref().filter(|trial| trial.is_alive()).map(|trial| trial.trial.clone())
    }

    /// How much longer the next trial must wait because earlier ones got no response.
    fn delay(&self, now: Instant) -> Option<Duration> {
        let last = self.unanswered.last()?;
        let delay = delay_after(self.unanswered.len());
        delay.checked_sub(now.saturating_duration_since(*last)).filter(|delay| !delay.is_zero())
    }
}

/// The delay before the next trial, after this many trials without a response.
pub(super) fn delay_after(unanswered: usize) -> Duration {
    let doublings = u32::try_from(unanswered.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY)
}

impl State {
    /// A copy with only the failures, for a forked process. A trial in progress belongs to the parent.
    pub(super) fn failures(&self) -> Self {
        let failures = |entry: &Entry| Entry {
            failures: entry.failures.clone(),
            unanswered: entry.unanswered.clone(),
            cause: entry.cause.clone(),
            rejection: entry.rejection.clone(),
            ..Entry::default()
        };
        Self { credentials: self.credentials.iter().map(|(key, entry)| (*key, failures(entry))).collect() }
    }

    pub(super) fn register(&mut self, key: u64, now: Instant) -> Leave {
        self.forget_stale(now);
        self.entry(key).proven.clone()
    }

    fn entry(&mut self, key: u64) -> &mut Entry {
        self.credentials.entry(key).or_default()
    }

    /// Forgets everything outside the window, and credentials that no client holds and that have nothing within it.
    fn forget_stale(&mut self, now: Instant) {
        let recent = |at: &Instant| now.saturating_duration_since(*at) < WINDOW;
        self.credentials.retain(|_, entry| {
            entry.failures.retain(recent);
            entry.unanswered.retain(recent);
            let clean = entry.failures.is_empty() && entry.unanswered.is_empty();
            entry.proven.is_held() || !clean
        });
    }

    /// What a call may do if it has been waiting since `since` and its request may take `limit`.
    pub(super) fn admit(&mut self, key: u64, now: Instant, since: Instant, limit: Duration) -> Admission {
        self.forget_stale(now);
        self.give_up_overdue(key, now);
        let mut doubtful: Vec<Instant> = self.credentials.values().flat_map(Entry::doubtful).collect();
        doubtful.sort_unstable();
        let under_way: Vec<Trial> = self.credentials.values().filter_map(Entry::under_way).collect();
        let entry = self.entry(key);
        if entry.proven.holds() {
            return Admission::Proven;
        }
        if let Some((at, refusal)) = &entry.rejection
            && (*at >= since || now.saturating_duration_since(*at) < STANDS_FOR)
        {
            return Admission::Rejected(refusal.clone());
        }
        if let Some(trial) = entry.under_way() {
            return Admission::Wait { trial, own: true };
        }
        let own: Vec<Instant> = entry.doubtful().collect();
        let waits = [time_left(own, PER_CREDENTIALS, now), time_left(doubtful.clone(), PER_PROCESS, now)];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Admission::Blocked(wait);
        }
        if let Some(delay) = entry.delay(now) {
            return Admission::Delayed(delay);
        }
        // Each trial of other credentials may be about to fail.
        if doubtful.len() + under_way.len() >= PER_PROCESS
            && let Some(trial) = under_way.into_iter().next()
        {
            return Admission::Wait { trial, own: false };
        }
        let (sender, trial) = watch::channel(None);
        let leave = Leave::new(true);
        // It may wait as long for another process as for its own response.
        let until = now + (limit.min(WINDOW) + GOES_ON) * 2;
        entry.trial = Some(UnderWay { trial, leave: leave.clone(), until });
        Admission::Trial(sender, leave)
    }

    /// Gives up an overdue trial: its event loop may no longer run, and it must not hold up the others forever. It can no longer
    /// be sent. It counts as a trial without a response, because it may have been sent already.
    fn give_up_overdue(&mut self, key: u64, now: Instant) {
        let entry = self.entry(key);
        if entry.trial.as_ref().is_some_and(|trial| trial.is_alive() && trial.until <= now)
            && let Some(UnderWay { leave, .. }) = entry.trial.take()
        {
            leave.set(false);
            entry.unanswered.push(now);
            entry.cause = Some(Cause::given_up());
        }
    }

    pub(super) fn accept(&mut self, key: u64) {
        self.answered(key);
        self.entry(key).proven.set(true);
    }

    /// The service responded, whatever it said.
    pub(super) fn answered(&mut self, key: u64) {
        self.entry(key).unanswered.clear();
    }

    pub(super) fn lose(&mut self, key: u64, cause: &Cause, now: Instant) {
        let entry = self.entry(key);
        entry.unanswered.push(now);
        entry.cause = Some(cause.clone());
    }

    /// Records a failure, and returns how many are now within the window.
    pub(super) fn reject(&mut self, key: u64, refusal: &Arc<Refusal>, now: Instant) -> usize {
        let entry = self.entry(key);
        entry.proven.set(false);
        entry.failures.push(now);
        entry.rejection = Some((now, refusal.clone()));
        entry.failures.len()
    }

    /// Why a call waited until its time limit.
    pub(super) fn waited(&mut self, key: u64, limit: Duration) -> Cause {
        let seconds = limit.as_secs_f64();
        let entry = self.entry(key);
        let reason = match (&entry.cause, entry.under_way(), entry.unanswered.len()) {
            (Some(cause), None, unanswered @ 1..) => format!(
                "waited {seconds} s to try the credentials: the last call that tried them got no response ({}), and the next \
                 one may start {} s after it",
                cause.reason,
                delay_after(unanswered).as_secs_f64()
            ),
            _ => format!("waited {seconds} s for another call to find out whether the credentials are right"),
        };
        Cause { timed_out: true, lasting: false, reason }
    }
}

impl UnderWay {
    /// Whether it can still return a verdict.
    fn is_alive(&self) -> bool {
        self.trial.borrow().is_none() && self.trial.has_changed().is_ok()
    }
}

/// How long until fewer than `most` of these failures are within the window.
fn time_left(mut failures: Vec<Instant>, most: usize, now: Instant) -> Option<Duration> {
    failures.sort_unstable();
    let oldest_that_counts = failures.len().checked_sub(most).and_then(|i| failures.get(i))?;
    Some(WINDOW.saturating_sub(now.saturating_duration_since(*oldest_that_counts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::gate::{Service, Services, lock};
    use std::hash::BuildHasher;

    const LIMIT: Duration = Duration::from_secs(30);

    /// State shared among clients works only inside the model checker.
    fn in_one_order(test: fn()) {
        shuttle::check_random(test, 1);
    }

    fn refusal() -> Arc<Refusal> {
        Arc::new(Refusal::elsewhere("ips.list"))
    }

    fn lost() -> Cause {
        Cause { timed_out: false, lasting: false, reason: "reset".to_owned() }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A state with these credentials registered, and the handles that clients would hold.
    fn state(keys: &[u64], now: Instant) -> (State, Vec<Leave>) {
        let mut state = State::default();
        let held = keys.iter().map(|key| state.register(*key, now)).collect();
        (state, held)
    }

    fn admit(state: &mut State, key: u64, now: Instant) -> Admission {
        state.admit(key, now, now, LIMIT)
    }

    #[test]
    fn there_is_one_trial_at_a_time_and_a_dropped_one_lets_the_next_start() {
        in_one_order(|| {
            let now = Instant::now();
            let (mut state, _held) = state(&[1], now);
            let Admission::Trial(trial, _) = admit(&mut state, 1, now) else { panic!() };
            assert!(matches!(admit(&mut state, 1, now), Admission::Wait { own: true, .. }));
            drop(trial);
            assert!(matches!(admit(&mut state, 1, now), Admission::Trial(..)));
        });
    }

    #[test]
    fn two_failures_of_the_same_credentials_block_them_until_the_window_has_passed() {
        in_one_order(|| {
            let start = Instant::now();
            let (mut state, _held) = state(&[1, 2], start);
            state.reject(1, &refusal(), start);
            assert!(matches!(admit(&mut state, 1, start), Admission::Rejected(_)));
            let almost = start + Duration::from_millis(999);
            assert!(matches!(admit(&mut state, 1, almost), Admission::Rejected(_)));
            assert!(matches!(admit(&mut state, 1, start + STANDS_FOR), Admission::Trial(..)));
            state.reject(1, &refusal(), start + seconds(10));
            let Admission::Blocked(left) = admit(&mut state, 1, start + seconds(20)) else { panic!() };
            assert_eq!(left, seconds(280));
            assert!(matches!(admit(&mut state, 2, start + seconds(20)), Admission::Trial(..)));
            assert!(matches!(admit(&mut state, 1, start + seconds(299)), Admission::Blocked(_)));
            assert!(matches!(admit(&mut state, 1, start + seconds(300)), Admission::Trial(..)));
        });
    }

    #[test]
    fn a_401_applies_to_all_calls_that_were_already_waiting() {
        in_one_order(|| {
            let start = Instant::now();
            let (mut state, _held) = state(&[1], start);
            state.reject(1, &refusal(), start + seconds(1));
            let much_later = start + seconds(60);
            assert!(matches!(state.admit(1, much_later, start, LIMIT), Admission::Rejected(_)));
            assert!(matches!(state.admit(1, much_later, much_later, LIMIT), Admission::Trial(..)));
        });
    }

    #[test]
    fn three_failures_block_the_process_and_trials_in_progress_count_as_failures() {
        in_one_order(|| {
            let start = Instant::now();
            let (mut state, _held) = state(&[1, 2, 3, 4], start);
            state.reject(1, &refusal(), start);
            let Admission::Trial(second, _) = admit(&mut state, 2, start) else { panic!() };
            let Admission::Trial(_third, _) = admit(&mut state, 3, start) else { panic!() };
            assert!(matches!(admit(&mut state, 4, start), Admission::Wait { own: false, .. }));
            drop(second);
            assert!(matches!(admit(&mut state, 4, start), Admission::Trial(..)));
            state.reject(2, &refusal(), start);
            state.reject(3, &refusal(), start);
            let later = start + seconds(2);
            assert!(matches!(admit(&mut state, 4, later), Admission::Blocked(left) if left == seconds(298)));
        });
    }

    #[test]
    fn a_trial_without_a_response_delays_the_next_one_longer_each_time_and_blocks_nothing() {
        in_one_order(|| {
            let mut now = Instant::now();
            let (mut state, _held) = state(&[1, 2], now);
            for milliseconds in [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000] {
                state.lose(1, &lost(), now);
                let Admission::Delayed(delay) = admit(&mut state, 1, now) else { panic!() };
                assert_eq!(delay, Duration::from_millis(milliseconds));
                assert!(
                    matches!(admit(&mut state, 2, now), Admission::Trial(..)),
                    "other credentials are not delayed"
                );
                now = now + delay;
                assert!(matches!(admit(&mut state, 1, now), Admission::Trial(..)));
            }
            state.lose(1, &lost(), now);
            assert!(matches!(admit(&mut state, 1, now), Admission::Delayed(_)));
            state.answered(1);
            assert!(
                matches!(admit(&mut state, 1, now), Admission::Trial(..)),
                "a service that responds is up"
            );
            state.accept(1);
            assert!(matches!(admit(&mut state, 1, now), Admission::Proven));
        });
    }

    #[test]
    fn after_a_401_of_the_same_credentials_an_unanswered_trial_counts_as_another() {
        in_one_order(|| {
            let start = Instant::now();
            let (mut state, _held) = state(&[1, 2], start);
            state.lose(1, &lost(), start);
            state.lose(1, &lost(), start);
            state.reject(2, &refusal(), start);
            let later = start + seconds(2);
            assert!(
                matches!(admit(&mut state, 1, later), Admission::Trial(..)),
                "the 401 was for other credentials"
            );
            state.reject(1, &refusal(), later);
            let even_later = later + seconds(2);
            assert!(matches!(admit(&mut state, 1, even_later), Admission::Blocked(_)));
        });
    }

    #[test]
    fn a_trial_that_nobody_drives_any_more_is_abandoned_and_cannot_be_sent() {
        in_one_order(|| {
            let start = Instant::now();
            let (mut state, _held) = state(&[1], start);
            let Admission::Trial(_trial, leave) = admit(&mut state, 1, start) else { panic!() };
            let end = start + (LIMIT + GOES_ON) * 2;
            let just_before = start + ((LIMIT + GOES_ON) * 2 - Duration::from_millis(1));
            assert!(matches!(admit(&mut state, 1, just_before), Admission::Wait { own: true, .. }));
            assert!(leave.holds());
            assert!(matches!(admit(&mut state, 1, end), Admission::Delayed(_)));
            assert!(!leave.holds());
            assert!(matches!(admit(&mut state, 1, end + seconds(1)), Admission::Trial(..)));
        });
    }

    #[test]
    fn a_call_that_waited_too_long_is_told_why() {
        in_one_order(|| {
            let now = Instant::now();
            let (mut state, _held) = state(&[1], now);
            let other = "waited 3 s for another call to find out whether the credentials are right";
            assert_eq!(state.waited(1, seconds(3)).reason, other);
            state.lose(1, &lost(), now);
            state.lose(1, &lost(), now);
            let cause = state.waited(1, seconds(3));
            assert_eq!(
                cause.reason,
                "waited 3 s to try the credentials: the last call that tried them got no response (reset), and the next one may \
                 start 1 s after it"
            );
            assert!(cause.timed_out && !cause.lasting);
            let Admission::Trial(_trial, _) = admit(&mut state, 1, now + seconds(1)) else { panic!() };
            assert_eq!(state.waited(1, seconds(3)).reason, other);
        });
    }

    #[test]
    fn proven_credentials_pass_without_a_trial_until_they_fail() {
        in_one_order(|| {
            let now = Instant::now();
            let (mut state, held) = state(&[1], now);
            held[0].set(true);
            assert!(matches!(admit(&mut state, 1, now), Admission::Proven));
            state.reject(1, &refusal(), now);
            assert!(!held[0].holds());
        });
    }

    #[test]
    fn credentials_that_no_client_holds_are_forgotten_but_not_their_failures() {
        in_one_order(|| {
            let now = Instant::now();
            let (mut state, held) = state(&[1, 2], now);
            state.reject(1, &refusal(), now);
            drop(held);
            state.forget_stale(now + seconds(1));
            assert_eq!(state.credentials.len(), 1);
            state.forget_stale(now + WINDOW);
            assert!(state.credentials.is_empty());
        });
    }

    #[test]
    fn a_forked_process_has_the_failures_of_its_parent_and_no_trial() {
        in_one_order(|| {
            let now = Instant::now();
            let (mut state, _held) = state(&[1, 2, 3], now);
            state.reject(1, &refusal(), now);
            state.reject(1, &refusal(), now);
            assert!(matches!(admit(&mut state, 2, now), Admission::Trial(..)));
            state.lose(3, &lost(), now);
            let parents = Services::default();
            let service =
                |state| Arc::new(Service { state: crate::transport::gate::sync::Mutex::new(state) });
            lock(parents.by_base_url.lock()).insert("a".into(), service(state));
            lock(parents.by_base_url.lock()).insert("b".into(), service(State::default()));
            let locked = lock(parents.by_base_url.lock()).get("b").cloned();
            let _during_the_fork = locked.as_ref().map(|service| lock(service.state.lock()));

            let own = Services::after(Some(&parents));
            let services = lock(own.by_base_url.lock());
            assert_eq!(services.keys().collect::<Vec<_>>(), ["a"]);
            let mut state = lock(services["a"].state.lock());
            assert!(matches!(admit(&mut state, 1, now), Admission::Rejected(_)));
            assert!(matches!(admit(&mut state, 3, now), Admission::Delayed(_)));
            assert!(state.waited(3, LIMIT).reason.contains("no response (reset)"));
            let later = now + seconds(2);
            assert!(matches!(admit(&mut state, 1, later), Admission::Blocked(_)));
            assert!(matches!(admit(&mut state, 2, later), Admission::Trial(..)));
            assert_eq!(own.key.hash_one(7), parents.key.hash_one(7));
            let _in_the_middle = lock(parents.by_base_url.lock());
            assert!(lock(Services::after(Some(&parents)).by_base_url.lock()).is_empty());
        });
    }
}
