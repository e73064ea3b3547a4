//! The auth gate: keeps wrong credentials from being sprayed at the service.
//!
//! Four failed authentications in a short period ban the account for three hours
//! (docs/api.md, "Authentication"), and one wrong password in a script with a thread pool is four in a millisecond. So:
//!
//! * Until credentials have succeeded once, at most one request with them is in flight: the trial. The others wait for its
//!   verdict, and a 401 is given to all of them.
//! * At most two failures of the same credentials, and three of all, reach one service in five minutes; after that calls
//!   fail locally until the window has passed.
//! * An outage is not a wrong password. A trial that gets no answer delays the next one, and blocks nothing. Only
//!   beside a 401 of the same credentials does it count as a failure, which it may have been.
//! * Leave to send is asked for as the last thing before the first byte ([`Leave`]): once a 401 has arrived, no request
//!   goes out that has not begun to be written.
//!
//! The gate is shared by every client of the process with the same base URL and credentials. A forked process has one
//! of its own, which knows of the failures before the fork. The processes of one user share what they know by a
//! [`Record`].
//!
//! Requests that are in flight together with proven credentials cannot be recalled: if the password is changed meanwhile,
//! each of them fails. A client has as many in flight as it has connections, 100 at most.

#[cfg(test)]
mod interleavings;
mod record;
mod state;

use super::{outcome::Cause, sent::Sent};
use crate::{
    credentials::Credentials,
    error::{Error, Refusal, Result},
    process::PerProcess,
};
use record::{Claim, Claimed, Record};
use state::{Admission, State, Verdict};

pub(super) use state::GOES_ON;
use std::{
    collections::HashMap,
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    sync::{Arc, LockResult, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::sync::watch;

/// What the model checker puts in the place of the real thing, so that it can run the gate in every order.
mod sync {
    #[cfg(test)]
    pub(super) use super::interleavings::{Instant, sleep};
    #[cfg(test)]
    pub(super) use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicBool};
    #[cfg(not(test))]
    pub(super) use std::{
        sync::{Mutex, MutexGuard, atomic::AtomicBool},
        time::Instant,
    };
    #[cfg(not(test))]
    pub(super) use tokio::time::sleep;
}
use sync::{AtomicBool, Instant, Mutex, MutexGuard, sleep};

/// How often a process asks whether another one has ended its trial.
const ASK_AGAIN: Duration = Duration::from_millis(25);

/// The gate as one client sees it.
pub(super) struct Gate {
    service: Arc<Service>,
    credentials: u64,
    proven: Leave,
    record: Record,
}

/// Whether a request may still be sent: asked at the moment when its first byte is about to be written.
#[derive(Clone, Debug)]
pub(super) struct Leave(Arc<AtomicBool>);

/// Every service that this process has to do with.
#[derive(Default)]
struct Services {
    /// Credentials are remembered as a keyed hash, never as themselves.
    key: RandomState,
    by_base_url: Mutex<HashMap<String, Arc<Service>>>,
}

/// What is known of the credentials that are used with one service.
#[derive(Default)]
struct Service {
    state: Mutex<State>,
}

/// Leave to send one request. Dropped without a word while the request was on its way, it may have failed.
pub(super) struct Permit {
    gate: Arc<Gate>,
    leave: Leave,
    trying: Option<Trying>,
}

/// The request that tries credentials which have not proven right.
struct Trying {
    verdict: watch::Sender<Option<Verdict>>,
    /// That no other process tries them now.
    claim: Option<Claim>,
    sent: Option<Sent>,
}

/// Why a request is not sent.
#[derive(Debug)]
pub(super) enum Held {
    /// The credentials are wrong, or have failed too often.
    Refused(Error),
    /// The call that tried the credentials got no answer, or no turn came in time: what it says is true of this one, too.
    Unanswered(Cause),
}

impl Leave {
    pub(super) fn new(holds: bool) -> Self {
        Self(Arc::new(AtomicBool::new(holds)))
    }

    pub(super) fn holds(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Acquire)
    }

    fn set(&self, holds: bool) {
        self.0.store(holds, std::sync::atomic::Ordering::Release);
    }

    /// Whether a client holds it.
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
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

impl Gate {
    /// The gate of these credentials at this service; the same one for every client that asks.
    pub(super) fn of(base_url: &str, credentials: &Credentials) -> Self {
        static SERVICES: PerProcess<Services> = PerProcess::empty();

        let Ok(services) = SERVICES.get_or_try_init(|parents| Ok::<_, Infallible>(Services::after(parents)));
        let authorization = credentials.authorization();
        let key = services.key.hash_one(authorization.as_bytes());
        let service = lock(services.by_base_url.lock()).entry(base_url.to_owned()).or_default().clone();
        Self::at(service, key, Record::of(base_url, authorization.as_bytes()))
    }

    fn at(service: Arc<Service>, credentials: u64, record: Record) -> Self {
        let proven = lock(service.state.lock()).register(credentials, Instant::now());
        Self { service, credentials, proven, record }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(self.service.state.lock())
    }

    /// Leave to send a request, if the credentials have proven right.
    pub(super) fn pass(self: &Arc<Self>) -> Option<Permit> {
        self.proven.holds().then(|| self.permit(self.proven.clone(), None))
    }

    fn permit(self: &Arc<Self>, leave: Leave, trying: Option<Trying>) -> Permit {
        Permit { gate: self.clone(), leave, trying }
    }

    /// Waits for leave to send a request for `call`, for no longer than `limit`.
    pub(super) async fn enter(self: &Arc<Self>, call: &'static str, limit: Duration) -> Result<Permit, Held> {
        let since = Instant::now();
        loop {
            let now = Instant::now();
            let left = limit.checked_sub(now.saturating_duration_since(since)).filter(|left| !left.is_zero());
            let Some(left) = left else {
                return Err(Held::Unanswered(self.state().waited(self.credentials, limit)));
            };
            let admission = self.state().admit(self.credentials, now, since, limit);
            match admission {
                Admission::Proven => return Ok(self.permit(self.proven.clone(), None)),
                Admission::Trial(verdict, leave) => {
                    if let Some(permit) = self.claim(call, verdict, leave, since, limit).await? {
                        return Ok(permit);
                    }
                }
                Admission::Rejected(refusal) => return Err(Held::Refused(shared(&refusal, call))),
                Admission::Blocked(retry_after) => return Err(blocked(call, retry_after)),
                Admission::Delayed(delay) => sleep(delay.min(left)).await,
                Admission::Wait { mut trial, own } => {
                    let verdict = {
                        let ended = trial.wait_for(Option::is_some);
                        match within(left, ended).await {
                            // A closed channel is a trial that ended without a verdict: ask again.
                            None | Some(Err(_)) => None,
                            Some(Ok(verdict)) => verdict.clone(),
                        }
                    };
                    match verdict {
                        Some(Verdict::Rejected(refusal)) if own => {
                            return Err(Held::Refused(shared(&refusal, call)));
                        }
                        Some(Verdict::Unanswered(cause)) if own => return Err(Held::Unanswered(cause)),
                        // What kept another client from connecting need not keep this one.
                        Some(Verdict::Unsent(cause, by)) if own && by == self.id() => {
                            return Err(Held::Unanswered(cause));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// Makes a trial the only one among the processes of this user, too, where they share a record. None, if it has to ask again.
    async fn claim(
        self: &Arc<Self>,
        call: &'static str,
        verdict: watch::Sender<Option<Verdict>>,
        leave: Leave,
        since: Instant,
        limit: Duration,
    ) -> Result<Option<Permit>, Held> {
        // Dropped on the way, it makes way for the next call.
        let mut permit = self.permit(leave, Some(Trying { verdict, claim: None, sent: None }));
        let waited = since.elapsed();
        let began = SystemTime::now().checked_sub(waited).unwrap_or(SystemTime::UNIX_EPOCH);
        loop {
            let Some(left) = limit.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) else {
                return Ok(None);
            };
            let wait = match self.record.claim(SystemTime::now(), began, limit) {
                Claimed::Mine(claim) => {
                    if let Some(trying) = &mut permit.trying {
                        trying.claim = Some(claim);
                    }
                    return Ok(Some(permit));
                }
                Claimed::Unavailable => return Ok(Some(permit)),
                Claimed::Accepted => {
                    permit.accepted();
                    return Ok(None);
                }
                Claimed::Rejected => {
                    let refusal = Refusal::elsewhere(call);
                    permit.rejected(&refusal);
                    return Err(Held::Refused(refusal.into_error()));
                }
                Claimed::Blocked(retry_after) => return Err(blocked(call, retry_after)),
                Claimed::Delayed(delay) => delay,
                Claimed::Busy => ASK_AGAIN,
            };
            sleep(wait.min(left)).await;
        }
    }

    /// Tells the clients of the same credentials apart.
    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// A rejection as another call is given it: its own name, and never sent.
fn shared(refusal: &Refusal, call: &'static str) -> Error {
    Refusal { call, attempts: 0, ..refusal.clone() }.into_error()
}

fn blocked(call: &'static str, retry_after: Duration) -> Held {
    Held::Refused(Error::AuthenticationBlocked { call, retry_after })
}

/// What `future` gives, if it does so in time.
async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut over = std::pin::pin!(sleep(limit));
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(given) = future.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(given));
        }
        over.as_mut().poll(context).map(|_| None)
    })
    .await
}

impl Permit {
    /// Asked when the first byte is about to be written.
    pub(super) fn leave(&self) -> Leave {
        self.leave.clone()
    }

    /// Whether the request tries credentials that have not proven right.
    pub(super) fn is_trial(&self) -> bool {
        self.trying.is_some()
    }

    /// The request that is being sent with it.
    pub(super) fn sends(&mut self, sent: &Sent) {
        if let Some(trying) = &mut self.trying {
            trying.sent = Some(sent.clone());
        }
    }

    /// The service has accepted the credentials.
    pub(super) fn accepted(mut self) {
        if let Some(Trying { verdict, claim, .. }) = self.trying.take() {
            self.gate.state().accept(self.gate.credentials);
            if let Some(claim) = claim {
                claim.accepted(SystemTime::now());
            }
            verdict.send_replace(Some(Verdict::Accepted));
        }
    }

    /// The service has answered 401.
    pub(super) fn rejected(mut self, refusal: &Refusal) {
        let refusal = Arc::new(refusal.clone());
        let failures = self.gate.state().reject(self.gate.credentials, &refusal, Instant::now());
        match self.trying.take() {
            Some(Trying { verdict, claim, .. }) => {
                if let Some(claim) = claim {
                    claim.rejected(SystemTime::now());
                }
                verdict.send_replace(Some(Verdict::Rejected(refusal)));
            }
            // Of many that were in flight, the first few block the credentials in any process.
            None if failures <= state::PER_CREDENTIALS => self.gate.record.failed(SystemTime::now()),
            None => {}
        }
    }

    /// The service answered in a way that says nothing about the credentials, or the request was not wanted any more.
    pub(super) fn undecided(mut self) {
        if let Some(Trying { claim, .. }) = self.trying.take() {
            self.gate.state().answered(self.gate.credentials);
            drop(claim);
        }
    }

    /// The request could not be sent.
    pub(super) fn unsent(mut self, cause: &Cause) {
        if let Some(Trying { verdict, claim, .. }) = self.trying.take() {
            drop(claim);
            verdict.send_replace(Some(Verdict::Unsent(cause.clone(), self.gate.id())));
        }
    }

    /// The request was sent, and got no answer.
    pub(super) fn unanswered(mut self, cause: &Cause) {
        if let Some(trying) = self.trying.take() {
            self.lose(trying, cause.clone());
        }
    }

    fn lose(&self, Trying { verdict, claim, .. }: Trying, cause: Cause) {
        self.gate.state().lose(self.gate.credentials, &cause, Instant::now());
        if let Some(claim) = claim {
            claim.unanswered(SystemTime::now());
        }
        verdict.send_replace(Some(Verdict::Unanswered(cause)));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(trying) = self.trying.take()
            && trying.sent.as_ref().is_some_and(Sent::begun)
        {
            self.lose(trying, Cause::given_up());
        }
    }
}

/// A panic elsewhere leaves the state consistent: every change to it is one step.
fn lock<T>(locked: LockResult<T>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}
