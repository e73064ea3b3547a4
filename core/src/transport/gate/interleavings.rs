//! The gate under a model checker. shuttle runs callers in many orders against a service that accepts, refuses or loses their
//! requests.
//!
//! It runs the gate's own code, and the body of a request, which asks for permission at its first byte. Only time is simulated:
//! it stands still until a task sleeps.

use super::*;
use crate::simulated::{self, GivenUp};
use bytes::Bytes;
use http_body::Body;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Lets other tasks run, and then advances the time. An endless sleep never returns.
pub(super) async fn sleep(wait: Duration) {
    if wait > Duration::from_secs(u64::MAX / 2) {
        return std::future::pending().await;
    }
    simulated::sleep_until(Instant::now() + wait).await;
}

/// What the service does with a request.
#[derive(Clone, Copy, Debug)]
enum Says {
    Right,
    Wrong,
    Lost,
}

/// What the service has seen.
#[derive(Default)]
struct Tally {
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    wrong: AtomicUsize,
    lost: AtomicUsize,
    /// Requests, other than trials, that started after the gate was told about a 401.
    sprayed: AtomicUsize,
    /// 1 once the gate has been told about a 401, otherwise 0.
    refused: AtomicUsize,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Answered,
    Refused,
    Blocked,
    NoAnswer,
    Cancelled,
}

/// One call, as the transport makes it, but without the network.
async fn call(gate: Arc<Gate>, service: Arc<Tally>, says: impl Fn() -> Says) -> End {
    loop {
        let mut permit = match gate.pass() {
            Some(permit) => permit,
            None => match gate.enter("ips.list", Duration::MAX).await {
                Ok(permit) => permit,
                Err(Held::Refused(Error::Authentication(_))) => return End::Refused,
                Err(Held::Refused(_)) => return End::Blocked,
                Err(Held::Unanswered(_)) => return End::NoAnswer,
            },
        };
        let (body, sent) = super::super::outgoing::Outgoing::new(Bytes::from_static(b"a=b"), permit.leave());
        permit.sends(&sent);
        shuttle::future::yield_now().await; // waits for a connection
        body.is_end_stream(); // the first byte
        if sent.is_held_back() {
            continue;
        }
        let arrived = Arrived::at(&service, permit.is_trial());
        shuttle::future::yield_now().await; // waits for the response
        let says = says();
        match says {
            Says::Right => permit.accepted(),
            Says::Wrong => {
                service.wrong.fetch_add(1, SeqCst);
                permit.rejected(&Refusal::elsewhere("ips.list"));
                service.refused.store(1, SeqCst);
            }
            Says::Lost => {
                service.lost.fetch_add(1, SeqCst);
                permit.unanswered(&Cause::given_up());
            }
        }
        drop(arrived);
        return match says {
            Says::Right => End::Answered,
            Says::Wrong => End::Refused,
            Says::Lost => End::NoAnswer,
        };
    }
}

/// A request at the service, until it gets a response or is abandoned.
struct Arrived<'a>(&'a Tally);

impl<'a> Arrived<'a> {
    fn at(service: &'a Tally, trial: bool) -> Self {
        let now = service.in_flight.fetch_add(1, SeqCst) + 1;
        service.most_in_flight.fetch_max(now, SeqCst);
        if !trial {
            service.sprayed.fetch_add(service.refused.load(SeqCst), SeqCst);
        }
        Self(service)
    }
}

impl Drop for Arrived<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

/// Runs `calls` calls with one set of credentials in one order. `says` decides what the service does with each request.
/// The first `cancelled` calls are dropped at a random time.
fn run(proven: bool, calls: usize, cancelled: usize, says: fn() -> Says) -> (Vec<End>, Arc<Tally>) {
    let known = Arc::<Service>::default();
    let gate = Arc::new(Gate::at(known, 7, Record::none()));
    if proven {
        gate.state().accept(7);
    }
    let service = Arc::<Tally>::default();
    let tasks: Vec<_> = (0..calls)
        .map(|number| {
            let call = call(gate.clone(), service.clone(), says);
            let polls = if number < cancelled { random(6) } else { usize::MAX };
            let call = GivenUp::after(polls, call);
            shuttle::future::spawn(async { call.await.unwrap_or(End::Cancelled) })
        })
        .collect();
    // If a task waits forever, shuttle reports that every task is blocked.
    let ends = shuttle::future::block_on(async move {
        let mut ends = Vec::new();
        for task in tasks {
            ends.push(task.await.unwrap());
        }
        ends
    });
    (ends, service)
}

fn random(below: usize) -> usize {
    use shuttle::rand::Rng;
    shuttle::rand::thread_rng().gen_range(0..below)
}

/// Runs a test in many orders: random ones, and ones with few preemptions, which find bugs that need a particular order.
fn in_many_orders(test: fn()) {
    shuttle::check_random(test, 1_500);
    shuttle::check_pct(test, 1_500, 3);
}

#[test]
fn a_wrong_password_costs_one_401_in_every_order() {
    in_many_orders(|| {
        let (ends, service) = run(false, 3, 0, || Says::Wrong);
        assert_eq!(ends, [End::Refused, End::Refused, End::Refused]);
        assert_eq!(service.wrong.load(SeqCst), 1);
    });
}

#[test]
fn after_one_success_all_calls_are_sent_in_every_order() {
    in_many_orders(|| {
        let (ends, _) = run(false, 3, 0, || Says::Right);
        assert_eq!(ends, [End::Answered, End::Answered, End::Answered]);
    });
}

#[test]
fn cancelled_callers_leave_nobody_waiting_and_cost_no_second_401() {
    in_many_orders(|| {
        let (ends, service) = run(false, 4, 2, || Says::Wrong);
        assert!(ends[2..].iter().all(|end| matches!(end, End::Refused | End::NoAnswer)), "{ends:?}");
        assert!(service.wrong.load(SeqCst) <= 1);
        assert!(service.most_in_flight.load(SeqCst) <= 1);
    });
}

#[test]
fn lost_responses_end_every_call_and_block_none() {
    in_many_orders(|| {
        let (ends, service) = run(false, 3, 0, || Says::Lost);
        assert!(ends.iter().all(|end| *end == End::NoAnswer), "{ends:?}");
        assert!(service.most_in_flight.load(SeqCst) <= 1);
    });
}

#[test]
fn among_lost_responses_wrong_credentials_cost_at_most_two_401s() {
    in_many_orders(|| {
        let (_, service) = run(false, 4, 1, || if random(2) == 0 { Says::Lost } else { Says::Wrong });
        assert!(service.wrong.load(SeqCst) <= 2);
        assert!(service.most_in_flight.load(SeqCst) <= 1);
    });
}

#[test]
fn once_proven_credentials_are_refused_nothing_is_sent_that_had_not_started() {
    in_many_orders(|| {
        let (ends, service) = run(true, 3, 0, || Says::Wrong);
        assert!(ends.iter().all(|end| *end == End::Refused), "{ends:?}");
        assert_eq!(service.sprayed.load(SeqCst), 0);
    });
}

#[test]
fn a_revocation_among_cancelled_calls_and_lost_responses_sprays_nothing() {
    in_many_orders(|| {
        let (_, service) = run(true, 4, 2, || if random(3) == 0 { Says::Lost } else { Says::Wrong });
        assert_eq!(service.sprayed.load(SeqCst), 0);
    });
}
