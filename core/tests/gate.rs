//! The auth gate: wrong credentials cost the account one failed authentication, however many threads or tasks try
//! them, and never the four that ban it.
//!
//! The gate is shared by all clients of the process with the same base URL: each test has a server of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{Client, Error, Result, Settings, blocking};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};
use support::server::{Answer, Reply, Request, Server};
use tokio::task::JoinSet;

const MANY: usize = 256;
/// A rejection also answers the calls of the second after it; this is longer.
const A_ROUND_LATER: Duration = Duration::from_millis(1100);

fn settings(server: &Server, password: &str) -> Settings {
    Settings::new().username("me").password(password).base_url(server.base_url())
}

/// A service that takes one password, and a moment to look at it, so that all who are let through are there at once.
fn service() -> Server {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let right = format!("Basic {}", STANDARD.encode("me:right"));
    Server::start(move |request: &Request| {
        thread::sleep(Duration::from_millis(100));
        if request.header("authorization") == Some(&right) {
            Answer::new(200, r#"{"ips": []}"#)
        } else {
            Answer::new(401, r#"{"error": "Invalid username/password."}"#)
        }
    })
}

/// How many results there are of each kind.
fn kinds(results: Vec<Result<Vec<IpAddr>>>) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for result in results {
        *kinds.entry(result.map_or_else(|error| error.kind(), |_| "answer")).or_default() += 1;
    }
    kinds
}

/// Calls with each client from a thread of its own, all starting together.
fn from_threads(clients: Vec<blocking::Client>) -> Vec<Result<Vec<IpAddr>>> {
    let together = Barrier::new(clients.len());
    thread::scope(|scope| {
        let call = |client: blocking::Client| {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                client.ips().list()
            })
        };
        let threads: Vec<_> = clients.into_iter().map(call).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The same from tokio tasks.
async fn from_tasks(clients: Vec<Client>) -> Vec<Result<Vec<IpAddr>>> {
    let together = Arc::new(tokio::sync::Barrier::new(clients.len()));
    let mut tasks = JoinSet::new();
    for client in clients {
        let together = together.clone();
        tasks.spawn(async move {
            together.wait().await;
            client.ips().list().await
        });
    }
    tasks.join_all().await
}

/// Rounds of many calls with a wrong password: what each costs, and what all are told.
fn rounds(server: &Server, mut round: impl FnMut() -> Vec<Result<Vec<IpAddr>>>) {
    assert_eq!(kinds(round()), BTreeMap::from([("Authentication", MANY)]));
    assert_eq!(server.count(), 1, "the first round costs one failed authentication");

    thread::sleep(A_ROUND_LATER);
    assert_eq!(kinds(round()), BTreeMap::from([("Authentication", MANY)]));
    assert_eq!(server.count(), 2, "the second costs one more");

    for _ in 0..2 {
        thread::sleep(A_ROUND_LATER);
        let results = round();
        for result in &results {
            let error = result.as_ref().unwrap_err();
            let Error::AuthenticationBlocked { call: "ips.list", retry_after } = error else {
                panic!("{error:?}");
            };
            assert!(*retry_after <= Duration::from_secs(300), "{retry_after:?}");
            assert!(*retry_after > Duration::from_secs(200), "{retry_after:?}");
            assert_eq!(error.retry_after(), Some(*retry_after));
        }
        assert_eq!(results.len(), MANY);
        assert_eq!(server.count(), 2, "the third and the fourth cost none");
    }

    let right = support::blocking(settings(server, "right"));
    assert!(right.ips().list().unwrap().is_empty(), "right credentials in a new client work at once");
    assert_eq!(server.count(), 3);
}

#[test]
fn many_threads_with_one_client_cost_one_failed_authentication() {
    let server = service();
    let client = support::blocking(settings(&server, "wrong"));
    rounds(&server, || from_threads(vec![client.clone(); MANY]));
}

#[test]
fn many_threads_with_a_client_each_cost_one_failed_authentication() {
    let server = service();
    let clients: Vec<_> = (0..MANY).map(|_| support::blocking(settings(&server, "wrong"))).collect();
    rounds(&server, || from_threads(clients.clone()));
}

#[test]
fn many_tasks_cost_one_failed_authentication() {
    let server = service();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let client = support::asynchronous(settings(&server, "wrong"));
    rounds(&server, || runtime.block_on(from_tasks(vec![client.clone(); MANY])));
}

#[test]
fn tasks_on_one_thread_and_threads_elsewhere_share_the_gate() {
    let server = service();
    let clients = vec![support::blocking(settings(&server, "wrong")); 16];
    let others = vec![support::asynchronous(settings(&server, "wrong")); 16];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (threads, tasks) = thread::scope(|scope| {
        let threads = scope.spawn(|| from_threads(clients));
        let tasks = runtime.block_on(from_tasks(others));
        (threads.join().unwrap(), tasks)
    });
    assert_eq!(kinds(threads), BTreeMap::from([("Authentication", 16)]));
    assert_eq!(kinds(tasks), BTreeMap::from([("Authentication", 16)]));
    assert_eq!(server.count(), 1);
}

#[test]
fn right_credentials_let_all_through_after_one_has_tried_them() {
    let server = service();
    let client = support::blocking(settings(&server, "right"));
    assert_eq!(kinds(from_threads(vec![client; 32])), BTreeMap::from([("answer", 32)]));
    assert_eq!(server.count(), 32);
}

#[test]
fn three_failures_of_different_credentials_stop_the_process_before_the_fourth() {
    let server = service();
    for wrong in ["wrong 1", "wrong 2", "wrong 3"] {
        let error = support::blocking(settings(&server, wrong)).ips().list().unwrap_err();
        assert!(matches!(error, Error::Authentication(_)), "{error:?}");
    }
    for password in ["wrong 4", "right"] {
        let error = support::blocking(settings(&server, password)).ips().list().unwrap_err();
        assert!(matches!(error, Error::AuthenticationBlocked { .. }), "{error:?}");
    }
    assert_eq!(server.count(), 3);
}

#[test]
fn many_threads_with_as_many_wrong_passwords_cost_three_failed_authentications() {
    let server = service();
    let clients: Vec<_> =
        (0..64).map(|i| support::blocking(settings(&server, &format!("wrong {i}")))).collect();
    let kinds = kinds(from_threads(clients));
    assert_eq!(kinds, BTreeMap::from([("Authentication", 3), ("AuthenticationBlocked", 61)]));
    assert_eq!(server.count(), 3);
}

#[test]
fn credentials_that_worked_before_go_on_when_others_have_used_up_the_failures() {
    let server = service();
    let right = support::blocking(settings(&server, "right"));
    right.ips().list().unwrap();
    for wrong in ["wrong 1", "wrong 2", "wrong 3"] {
        support::blocking(settings(&server, wrong)).ips().list().unwrap_err();
    }
    right.ips().list().unwrap();
}

#[test]
fn a_failed_authentication_is_never_sent_again() {
    let server = Server::always(Answer::new(401, "").header("retry-after", "0"));
    let client = support::blocking(settings(&server, "wrong").max_retries(5));
    let error = client.ips().list().unwrap_err();
    let Error::Authentication(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.status, refusal.attempts, refusal.call), (401, 1, "ips.list"));
    assert_eq!(server.count(), 1);

    // Another call in the same second is given the same rejection, under its own name and unsent.
    let error = client.geo().open().unwrap_err();
    let Error::Authentication(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.attempts, refusal.call), (0, "geo.open"));
    assert_eq!(server.count(), 1);
}

#[test]
fn a_401_in_the_middle_of_retries_ends_them() {
    let mut answers = [Answer::new(503, ""), Answer::new(401, "")].into_iter();
    let server = Server::start(move |_| answers.next().unwrap_or_else(|| Answer::new(599, "")));
    let client = support::blocking(settings(&server, "wrong"));
    let error = client.ips().list().unwrap_err();
    assert!(matches!(error, Error::Authentication(_)), "{error:?}");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_trial_that_is_given_up_lets_the_next_call_through() {
    let mut first = true;
    let server = Server::start(move |_| -> Reply {
        if std::mem::take(&mut first) { Reply::Hang } else { Answer::new(200, r#"{"ips": []}"#).into() }
    });
    let client = support::asynchronous(settings(&server, "right"));
    let trial = tokio::spawn(client.ips().list());
    let watch = server.clone();
    tokio::task::spawn_blocking(move || watch.wait_for_requests(1)).await.unwrap();

    let next = tokio::spawn(client.ips().list());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.count(), 1, "until the first call knows, the second is not sent");

    trial.abort();
    assert!(next.await.unwrap().unwrap().is_empty());
    assert_eq!(server.count(), 2);
}

#[test]
fn a_trial_that_ends_without_a_verdict_decides_nothing() {
    for undecided in [500, 503, 403, 429, 302] {
        let mut answers = vec![Answer::new(401, ""), Answer::new(undecided, "")];
        let server = Server::start(move |_| answers.pop().unwrap_or_else(|| Answer::new(599, "")));
        let client = support::blocking(settings(&server, "wrong").max_retries(0));
        assert_eq!(client.ips().list().unwrap_err().status(), Some(undecided));

        // Still one at a time: of many, one is sent, and its 401 is given to all.
        let results = from_threads(vec![client; 16]);
        assert_eq!(kinds(results), BTreeMap::from([("Authentication", 16)]));
        assert_eq!(server.count(), 2);
    }
}

#[test]
fn a_trial_that_gets_no_answer_lets_the_next_call_through() {
    let mut replies = vec![Reply::from(Answer::new(200, r#"{"ips": []}"#)), Reply::Reset];
    let server = Server::start(move |_| replies.pop().unwrap_or(Reply::Close));
    let client = support::blocking(settings(&server, "right"));
    assert!(client.ips().list().unwrap().is_empty());
    assert_eq!(server.count(), 2);
}

#[test]
fn credentials_revoked_later_are_held_back_like_wrong_ones() {
    let mut answers = vec![Answer::new(200, r#"{"ips": []}"#)];
    let server = Server::start(move |_| answers.pop().unwrap_or_else(|| Answer::new(401, "")));
    let client = support::blocking(settings(&server, "once right"));
    client.ips().list().unwrap();
    for _ in 0..2 {
        let error = client.ips().list().unwrap_err();
        assert!(matches!(error, Error::Authentication(_)), "{error:?}");
        thread::sleep(A_ROUND_LATER);
    }
    let error = client.ips().list().unwrap_err();
    assert!(matches!(error, Error::AuthenticationBlocked { .. }), "{error:?}");
    assert_eq!(server.count(), 3);
}

#[test]
fn a_call_that_waits_for_another_ones_trial_keeps_to_its_time_limit() {
    let server = Server::start(|_| Reply::Hang);
    let client =
        support::blocking(settings(&server, "right").timeout(Duration::from_secs(20)).max_retries(0));
    let hasty = client.with_options(proxymesh::Options::new().timeout(Duration::from_millis(300))).unwrap();
    thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let trial = support::asynchronous(settings(&server, "right").timeout(Duration::from_secs(20)));
        let watch = server.clone();
        scope.spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = trial.ips().list() => panic!("it hangs"),
                    () = tokio::time::sleep(Duration::from_secs(2)) => {}
                }
            });
        });
        watch.wait_for_requests(1);
        let error = hasty.ips().list().unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        assert!(error.to_string().contains("waited 0.3 s for another call"), "{error}");
        assert_eq!(server.count(), 1);
    });
}
