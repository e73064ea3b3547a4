//! No call fails because the server closes an idle connection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{NewSubAccount, Options, Result};
use std::{
    collections::{HashMap, HashSet},
    thread,
    time::Duration,
};
use support::server::{Answer, Reply, Request, Server};

const CALLS: usize = 200;
/// How long the server keeps an idle connection.
const KEPT: Duration = Duration::from_millis(2);

/// The time between calls. It ranges from zero to well past the server's limit, so that some calls are sent just as the server closes.
fn pause(call: usize) -> Duration {
    Duration::from_micros([0, 1900, 2000, 2100, 2300, 2600, 3000, 5000][call % 8])
}

/// A server that closes connections without announcing it.
fn server() -> Server {
    Server::start(|request: &Request| {
        let answer = match request.path() {
            "/api/ips/" => Answer::new(200, r#"{"ips": []}"#),
            "/api/ip/add/" => Answer::new(200, r#"{"ip": "203.0.113.7"}"#),
            "/api/proxy/add/" => Answer::new(200, r#"{"proxy": "us-ca.proxymesh.com"}"#),
            "/api/sub/create/" => Answer::new(
                200,
                r#"{"username": "x", "active": true, "monthly_bandwidth": 0, "total_bandwidth": 0}"#,
            ),
            other => panic!("{other}"),
        };
        Reply::AnswerThenClose(answer, KEPT)
    })
}

fn check(server: &Server, results: &[Result<()>]) {
    let errors: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(errors.is_empty(), "{} of {}: {errors:#?}", errors.len(), results.len());
    assert_eq!(results.len(), CALLS);

    let mut times = HashMap::new();
    let mut connections = HashSet::new();
    for request in server.requests() {
        if request.path() == "/api/sub/create/" {
            *times.entry(request.form().to_owned()).or_insert(0) += 1;
            assert!(connections.insert(request.connection), "each create has its own connection");
        }
    }
    assert!(times.values().all(|times| *times == 1), "a create was sent twice: {times:?}");
}

fn create(call: usize) -> NewSubAccount {
    NewSubAccount::new(format!("sub-{call}")).unwrap()
}

#[test]
fn the_blocking_client_completes_all_of_200_reads_and_writes() {
    let server = server();
    let client = support::blocking(support::basic(&server));
    let call = |call: usize| {
        thread::sleep(pause(call / 4));
        match call % 4 {
            0 => client.ips().list().map(drop),
            1 => client.ips().add("203.0.113.7").map(drop),
            2 => client.proxies().add("us-ca").map(drop),
            _ => client.sub_accounts().create(create(call)).map(drop),
        }
    };
    check(&server, &(0..CALLS).map(call).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_async_client_completes_all_of_200_reads_and_writes() {
    let server = server();
    let client = support::asynchronous(support::basic(&server));
    let mut results = Vec::new();
    for call in 0..CALLS {
        tokio::time::sleep(pause(call / 4)).await;
        results.push(match call % 4 {
            0 => client.ips().list().await.map(drop),
            1 => client.ips().add("203.0.113.7").await.map(drop),
            2 => client.proxies().add("us-ca").await.map(drop),
            _ => client.sub_accounts().create(create(call)).await.map(drop),
        });
    }
    check(&server, &results);
}

#[test]
fn with_the_blocking_client_a_connection_that_was_closed_before_costs_no_second_attempt() {
    let server = server();
    // There is only one attempt, so anything that is sent on a dead connection is an error.
    let client = support::blocking(support::basic(&server).max_retries(0));
    for call in 0..CALLS {
        client.ips().list().unwrap_or_else(|error| panic!("call {call}: {error:?}"));
        server.wait_for_closed(call + 1);
    }
    assert_eq!((server.count(), server.connections()), (CALLS, CALLS));
}

#[tokio::test]
async fn with_the_async_client_a_connection_that_was_closed_before_costs_no_second_attempt() {
    let server = server();
    let client = support::asynchronous(support::basic(&server).max_retries(0));
    for call in 0..CALLS {
        client.ips().list().await.unwrap_or_else(|error| panic!("call {call}: {error:?}"));
        server.wait_for_closed(call + 1);
        // The runtime has to run once to notice that.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((server.count(), server.connections()), (CALLS, CALLS));
}

#[test]
fn creates_succeed_with_one_attempt_whatever_happens_to_idle_connections() {
    let server = server();
    let client = support::blocking(support::basic(&server));
    let once = client.with_options(Options::new().max_retries(0)).unwrap();
    let creates = (0..CALLS).map(|call| {
        // Afterwards, the server is about to close this connection, which is idle.
        client.ips().list().unwrap();
        thread::sleep(pause(call));
        once.sub_accounts().create(create(call)).map(drop)
    });
    check(&server, &creates.collect::<Vec<_>>());
}

/// Further calls wait for their turn, because the process would otherwise run out of descriptors.
#[tokio::test]
async fn any_number_of_concurrent_calls_needs_only_max_connections() {
    let server = Server::start(|request: &Request| match request.path() {
        "/api/ips/" => Reply::Answer(Answer::new(200, r#"{"ips": []}"#)),
        _ => Reply::Hang,
    });
    let client = support::asynchronous(support::basic(&server).max_connections(100));
    client.ips().list().await.unwrap();
    let crowd: Vec<_> = (0..300).map(|_| tokio::spawn(client.geo().open())).collect();
    let waits = server.clone();
    tokio::task::spawn_blocking(move || waits.wait_for_requests(101)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((server.count(), server.connections()), (101, 100));
    // Cancelled calls make room for others.
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
    client.ips().list().await.unwrap();
}
