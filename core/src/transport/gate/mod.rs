//! The auth gate: keeps the client from sending wrong credentials to the service over and over.
//!
//! Four failed authentications in a short period ban the caller for three hours (docs/api.md, "Authentication"). A script
//! with a thread pool and a wrong password makes four in a millisecond. So:
//!
//! * Until a set of credentials has succeeded once, at most one request with it is in flight: the trial. The other requests
//!   wait for its verdict, and a 401 applies to all of them.
//! * In five minutes, at most two failures with the same credentials, and three in all, reach one service. After that, calls
//!   fail locally until the window has passed.
//! * An outage is not a wrong password. A trial that gets no response delays the next one, but blocks nothing. It counts as
//!   a failure only if the same credentials also got a 401, because then it may have been another one.
//! * A request asks for permission just before its first byte is written ([`Leave`]). Once a 401 has arrived, a request that has
//!   not started is not sent.
//!
//! All clients in a process that have the same base URL and credentials share one gate. A forked process has its own, which
//! knows about the failures before the fork. The processes of one user share what they know through a [`Record`].
//!
//! Requests that are already in flight with proven credentials cannot be recalled. If the password changes while they are in
//! flight, each of them fails. A client has at most as many in flight as it may have connections (`max_connections`).

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

/// The primitives that the model checker replaces in tests, so that it can run the gate in every order.
mod sync {
    #[cfg(test)]
    pub(super) use super::interleavings::sleep;
    #[cfg(test)]
    pub(super) use crate::simulated::Instant;
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

/// How often a process checks whether another process has finished its trial.
const ASK_AGAIN: Duration = Duration::from_millis(25);

/// The gate as one client sees it.
pub(super) struct Gate {
    service: Arc<Service>,
    credentials: u64,
    proven: Leave,
    record: Record,
}

/// Permission to send a request. It is checked just before the first byte is written.
#[derive(Clone, Debug)]
pub(super) struct Leave(Arc<AtomicBool>);

/// All services that this process uses.
#[derive(Default)]
struct Services {
    /// Credentials are stored only as a keyed hash.
    key: RandomState,
    by_base_url: Mutex<HashMap<String, Arc<Service>>>,
}

/// What is known about the credentials used with one service.
#[derive(Default)]
struct Service {
    state: Mutex<State>,
}

/// Permission to send one request. Dropping it mid-flight without a verdict counts as a possible failure.
pub(super) struct Permit {
    gate: Arc<Gate>,
    leave: Leave,
    /// Boxed, because it is large and most requests have none.
    trying: Option<Box<Trying>>,
}

/// The request that tries credentials which have not worked yet.
struct Trying {
    verdict: watch::Sender<Option<Verdict>>,
    /// Keeps other processes from trying them at the same time.
    claim: Option<Claim>,
    sent: Option<Sent>,
}

/// Why a request is not sent.
#[derive(Debug)]
pub(super) enum Held {
    /// The credentials are wrong or have failed too often.
    Refused(Error),
    /// The call that tried the credentials got no response, or this call waited too long for its turn. The cause applies to this
    /// call as well.
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

    /// Whether a client still holds a copy.
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Services {
    /// The services of a forked process. Its parent's failures count for it too, because the service counts them. State that
    /// another thread was changing during the fork stays locked forever, so it is skipped.
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
    /// The gate for these credentials at this service. All clients share the same state. If `share` is true, so do other processes.
    pub(super) fn of(base_url: &str, credentials: &Credentials, share: bool) -> Self {
        static SERVICES: PerProcess<Services> = PerProcess::empty();

        let Ok(services) = SERVICES.get_or_try_init(|parents| Ok::<_, Infallible>(Services::after(parents)));
        let authorization = credentials.authorization();
        let key = services.key.hash_one(authorization.as_bytes());
        let service = lock(services.by_base_url.lock()).entry(base_url.to_owned()).or_default().clone();
        let record = if share { Record::of(base_url, authorization.as_bytes()) } else { Record::none() };
        Self::at(service, key, record)
    }

    fn at(service: Arc<Service>, credentials: u64, record: Record) -> Self {
        let proven = lock(service.state.lock()).register(credentials, Instant::now());
        Self { service, credentials, proven, record }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(self.service.state.lock())
    }

    /// Permission to send a request, if the credentials are known to be right.
    pub(super) fn pass(self: &Arc<Self>) -> Option<Permit> {
        self.proven.holds().then(|| self.permit(self.proven.clone(), None))
    }

    fn permit(self: &Arc<Self>, leave: Leave, trying: Option<Trying>) -> Permit {
        Permit { gate: self.clone(), leave, trying: trying.map(Box::new) }
    }

    /// Waits up to `limit` for permission to send a request for `call`.
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
                            // The channel closed, so the trial ended without a verdict. Ask again.
                            None | Some(Err(_)) => None,
                            Some(Ok(verdict)) => verdict.clone(),
                        }
                    };
                    match verdict {
                        Some(Verdict::Rejected(refusal)) if own => {
                            return Err(Held::Refused(shared(&refusal, call)));
                        }
                        Some(Verdict::Unanswered(cause)) if own => return Err(Held::Unanswered(cause)),
                        // Another client's failure to connect does not apply to this client, so ask again.
                        Some(Verdict::Unsent(cause, by)) if own && by == self.id() => {
                            return Err(Held::Unanswered(cause));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// Claims the trial among all processes of this user, if they share a record. Returns `None` if the caller has to ask again.
    async fn claim(
        self: &Arc<Self>,
        call: &'static str,
        verdict: watch::Sender<Option<Verdict>>,
        leave: Leave,
        since: Instant,
        limit: Duration,
    ) -> Result<Option<Permit>, Held> {
        // If this future is dropped, dropping the permit lets the next call try.
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

    /// Distinguishes the clients that use the same credentials.
    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// The same rejection for another call, which was not sent itself.
fn shared(refusal: &Refusal, call: &'static str) -> Error {
    Refusal { call, attempts: 0, ..refusal.clone() }.into_error()
}

fn blocked(call: &'static str, retry_after: Duration) -> Held {
    Held::Refused(Error::AuthenticationBlocked { call, retry_after })
}

/// The output of `future`, unless `limit` passes first.
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
    /// What the request checks before it writes its first byte.
    pub(super) fn leave(&self) -> Leave {
        self.leave.clone()
    }

    fn take_trying(&mut self) -> Option<Trying> {
        self.trying.take().map(|trying| *trying)
    }

    /// Whether the request tries credentials that have not worked yet.
    pub(super) fn is_trial(&self) -> bool {
        self.trying.is_some()
    }

    /// Sets the request that is sent with this permit.
    pub(super) fn sends(&mut self, sent: &Sent) {
        if let Some(trying) = &mut self.trying {
            trying.sent = Some(sent.clone());
        }
    }

    /// The service has accepted the credentials.
    pub(super) fn accepted(mut self) {
        if let Some(Trying { verdict, claim, .. }) = self.take_trying() {
            self.gate.state().accept(self.gate.credentials);
            if let Some(claim) = claim {
                claim.accepted(SystemTime::now());
            }
            verdict.send_replace(Some(Verdict::Accepted));
        }
    }

    /// The service returned 401.
    pub(super) fn rejected(mut self, refusal: &Refusal) {
        let refusal = Arc::new(refusal.clone());
        let failures = self.gate.state().reject(self.gate.credentials, &refusal, Instant::now());
        match self.take_trying() {
            Some(Trying { verdict, claim, .. }) => {
                if let Some(claim) = claim {
                    claim.rejected(SystemTime::now());
                }
                verdict.send_replace(Some(Verdict::Rejected(refusal)));
            }
            // If many requests were in flight, recording the first few is enough to block the credentials in every process.
            None if failures <= state::PER_CREDENTIALS => self.gate.record.failed(SystemTime::now()),
            None => {}
        }
    }

    /// The response says nothing about the credentials.
    pub(super) fn undecided(mut self) {
        if let Some(Trying { claim, .. }) = self.take_trying() {
            self.gate.state().answered(self.gate.credentials);
            drop(claim);
        }
    }

    /// The request could not be sent.
    pub(super) fn unsent(mut self, cause: &Cause) {
        if let Some(Trying { verdict, claim, .. }) = self.take_trying() {
            drop(claim);
            verdict.send_replace(Some(Verdict::Unsent(cause.clone(), self.gate.id())));
        }
    }

    /// The request was sent, but no response arrived.
    pub(super) fn unanswered(mut self, cause: &Cause) {
        if let Some(trying) = self.take_trying() {
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
        if let Some(trying) = self.take_trying()
            && trying.sent.as_ref().is_some_and(Sent::begun)
        {
            self.lose(trying, Cause::given_up());
        }
    }
}

/// Ignores poisoning: each change is a single step, so a panic elsewhere leaves the state consistent.
fn lock<T>(locked: LockResult<T>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::Pin,
        task::{Context, Poll, Waker},
    };

    /// A client's gate for these credentials.
    fn client(of: &Arc<Service>, credentials: u64) -> Arc<Gate> {
        Arc::new(Gate::at(of.clone(), credentials, Record::none()))
    }

    fn enters(gate: &Arc<Gate>) -> Pin<Box<dyn Future<Output = Result<Permit, Held>>>> {
        let gate = gate.clone();
        Box::pin(async move { gate.enter("ips.list", Duration::MAX).await })
    }

    /// What a call is told. `None` if it still waits.
    fn told(call: &mut Pin<Box<dyn Future<Output = Result<Permit, Held>>>>) -> Option<String> {
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(Ok(permit)) => {
                Some(if permit.is_trial() { "tries itself" } else { "is sent" }.to_owned())
            }
            Poll::Ready(Err(Held::Refused(error))) => Some(error.kind().to_owned()),
            Poll::Ready(Err(Held::Unanswered(cause))) => Some(cause.reason),
        }
    }

    fn trial(gate: &Arc<Gate>) -> Permit {
        let mut entering = enters(gate);
        match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(permit)) if permit.is_trial() => permit,
            _ => panic!("no other trial is under way"),
        }
    }

    /// A trial that was sent, or that still waits for its connection, and how it ends.
    type Ends = fn(Permit);

    fn sent(mut permit: Permit) -> Permit {
        let sent = Sent::new();
        assert!(sent.begin(permit.leave().holds()));
        permit.sends(&sent);
        permit
    }

    #[test]
    fn the_end_of_a_trial_means_something_else_to_each_call_that_waits_for_it() {
        // To a call of the same client, of another client with the same credentials, and of one with other credentials
        let table: [(Ends, [&str; 3]); 6] = [
            (|trial| trial.accepted(), ["is sent", "is sent", "tries itself"]),
            (
                |trial| trial.rejected(&Refusal::elsewhere("ips.list")),
                ["Authentication", "Authentication", "AuthenticationBlocked"],
            ),
            (|trial| sent(trial).unanswered(&Cause::other("reset")), ["reset", "reset", "tries itself"]),
            (|trial| drop(sent(trial)), ["the call was abandoned", "the call was abandoned", "tries itself"]),
            (|trial| trial.unsent(&Cause::other("no route")), ["no route", "tries itself", "tries itself"]),
            (|trial| sent(trial).undecided(), ["tries itself", "tries itself", "tries itself"]),
        ];
        for (number, (ends, means)) in table.into_iter().enumerate() {
            for (of, means) in means.into_iter().enumerate() {
                let test = move || {
                    let service = Arc::<Service>::default();
                    // Two failures of others: together with a trial, they make other credentials wait.
                    for failed in [8, 9] {
                        trial(&client(&service, failed)).rejected(&Refusal::elsewhere("ips.list"));
                    }
                    let one = client(&service, 1);
                    let waits = match of {
                        0 => one.clone(),
                        1 => client(&service, 1),
                        _ => client(&service, 2),
                    };
                    let permit = trial(&one);
                    let mut call = enters(&waits);
                    assert_eq!(told(&mut call), None, "{number}, {of}");
                    ends(permit);
                    assert_eq!(told(&mut call).as_deref(), Some(means), "{number}, {of}");
                };
                shuttle::check_random(test, 1);
            }
        }
    }
}
