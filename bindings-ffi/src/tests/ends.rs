//! How calls and clients end: dropped, aborted, shut down, and many at once.

use super::{
    asynchronous, basic, blocking, failure,
    server::{Answer, Reply, Server},
    wait, wait_for,
};
use crate::{Failure, Options, Settings};
use proxymesh_sandbox::{Fault, Sandbox};
use std::{
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

const CLOSED: &str = "the client is closed; create a new one";
const SOON: Duration = Duration::from_millis(500);

/// Responds at once to `geo.world` and never to other calls. A test calls `geo.world` first to prove the credentials. An abandoned call
/// with unproven credentials would continue in the background.
fn hanging() -> Server {
    Server::start(|request| match request.path() {
        "/api/geoips/world/" => Answer::new(200, "{}").into(),
        _ => Reply::Hang,
    })
}

fn is_aborted(failure: &Failure) -> bool {
    matches!(failure, Failure::Aborted { text } if text == "the call was cancelled")
}

#[test]
fn a_call_whose_future_is_dropped_closes_its_connection() {
    let server = hanging();
    let client = asynchronous(basic(server.base_url()));
    wait(client.geo_world()).unwrap();
    assert!(wait_for(client.geo_open(), Duration::from_millis(300)).is_none());
    let dropped = Instant::now();
    server.wait_for_given_up(1);
    assert!(dropped.elapsed() < SOON, "{:?}", dropped.elapsed());
    assert_eq!(server.count(), 2);
}

#[test]
fn abort_ends_a_call_in_progress_and_closes_its_connection() {
    let server = hanging();
    let client = asynchronous(basic(server.base_url()));
    wait(client.geo_world()).unwrap();
    let one = client.abortable();
    let call = thread::spawn({
        let one = one.clone();
        move || failure(wait(one.geo_open()))
    });
    server.wait_for_requests(2);
    let aborted = Instant::now();
    one.abort();
    server.wait_for_given_up(1);
    let failure = call.join().unwrap();
    assert!(aborted.elapsed() < SOON, "{:?}", aborted.elapsed());
    assert!(is_aborted(&failure), "{failure:?}");
}

#[test]
fn abort_closes_the_connection_even_while_nobody_polls_the_call() {
    let server = hanging();
    let one = asynchronous(basic(server.base_url())).abortable();
    wait(one.geo_world()).unwrap();
    let mut call = Box::pin(one.geo_open());
    assert!(wait_for(call.as_mut(), Duration::from_millis(1)).is_none());
    server.wait_for_requests(2);
    one.abort();
    server.wait_for_given_up(1);
    let failure = failure(wait(call));
    assert!(is_aborted(&failure), "{failure:?}");
}

#[test]
fn a_call_that_was_aborted_before_it_began_is_not_sent() {
    let server = hanging();
    let one = asynchronous(basic(server.base_url())).abortable();
    one.abort();
    for _ in 0..100 {
        let failure = failure(wait(one.geo_open()));
        assert!(is_aborted(&failure), "{failure:?}");
    }
    assert_eq!((server.count(), server.connections()), (0, 0));
}

#[test]
fn abort_after_the_end_has_no_effect() {
    let server = Server::always(Answer::new(200, r#"{"US": 1}"#));
    let client = asynchronous(basic(server.base_url()));
    let one = client.abortable();
    assert_eq!(wait(one.geo_open()).unwrap().get("US"), Some(&1));
    one.abort();
    one.abort();
    // It does not affect the client that the object was created from, or other objects created from that client.
    wait(client.geo_open()).unwrap();
    wait(client.abortable().geo_open()).unwrap();
    assert_eq!(server.connections(), 1);
}

#[test]
fn an_abort_at_any_moment_either_ends_the_call_or_has_no_effect() {
    let server = Server::always(Answer::new(200, "{}"));
    let client = asynchronous(basic(server.base_url()));
    wait(client.geo_open()).unwrap();
    let mut ends = [0, 0];
    for moment in 0..400 {
        let one = client.abortable();
        let call = thread::spawn({
            let one = one.clone();
            move || wait(one.geo_open())
        });
        thread::sleep(Duration::from_micros(moment * 5));
        one.abort();
        match call.join().unwrap() {
            Ok(_) => ends[0] += 1,
            Err(failure) => {
                assert!(is_aborted(&failure), "{failure:?}");
                ends[1] += 1;
            }
        }
    }
    assert!(ends[0] > 0 && ends[1] > 0, "{ends:?}");
}

#[test]
fn a_client_that_was_shut_down_makes_no_more_calls() {
    let server = Server::always(Answer::new(200, "{}"));
    let options = || Options { timeout: Some(5.0), max_retries: None };

    let client = asynchronous(basic(server.base_url()));
    let other = client.with_options(options()).unwrap();
    let twin = client.abortable();
    assert_eq!(client.base_url(), Some(server.base_url()));
    client.shut_down();
    client.shut_down();
    assert_eq!(client.base_url(), None);
    for failed in [
        failure(wait(client.geo_open())),
        failure(wait(twin.geo_open())),
        failure(wait(client.abortable().geo_open())),
        failure(client.with_options(options())),
    ] {
        assert!(
            matches!(&failed, Failure::Config { text, reason } if text == CLOSED && reason == CLOSED),
            "{failed:?}"
        );
    }
    assert_eq!(server.count(), 0);
    wait(other.geo_open()).unwrap();

    let client = blocking(basic(server.base_url()));
    let other = client.with_options(options()).unwrap();
    client.shut_down();
    client.shut_down();
    assert_eq!(client.base_url(), None);
    for failed in [failure(client.geo_open()), failure(client.with_options(options()))] {
        assert!(matches!(&failed, Failure::Config { text, .. } if text == CLOSED), "{failed:?}");
    }
    other.geo_open().unwrap();
    assert_eq!(server.count(), 2);
}

#[test]
fn calls_in_progress_continue_when_the_client_is_shut_down() {
    let slow = || {
        Server::start(|_| {
            thread::sleep(SOON);
            Answer::new(200, "{}")
        })
    };
    let server = slow();
    let client = asynchronous(basic(server.base_url()));
    let call = thread::spawn({
        let client = client.clone();
        move || wait(client.geo_open())
    });
    server.wait_for_requests(1);
    client.shut_down();
    call.join().unwrap().unwrap();

    let server = slow();
    let client = blocking(basic(server.base_url()));
    let call = thread::spawn({
        let client = client.clone();
        move || client.geo_open()
    });
    server.wait_for_requests(1);
    client.shut_down();
    call.join().unwrap().unwrap();
}

#[test]
fn options_apply_to_the_client_that_was_created_with_them() {
    let server = hanging();
    let client = asynchronous(basic(server.base_url()));
    let quick = client.with_options(Options { timeout: Some(0.05), max_retries: None }).unwrap();
    let failed = failure(wait(quick.geo_open()));
    assert!(matches!(failed, Failure::Timeout { attempts: 1, .. }), "{failed:?}");
    let twin = failure(wait(quick.abortable().geo_open()));
    assert!(matches!(twin, Failure::Timeout { .. }), "{twin:?}");
    let quick = blocking(basic(server.base_url()))
        .with_options(Options { timeout: Some(0.05), max_retries: None })
        .unwrap();
    let failed = failure(quick.geo_open());
    assert!(matches!(failed, Failure::Timeout { attempts: 1, .. }), "{failed:?}");
}

#[test]
fn tasks_with_a_wrong_password_cost_one_401() {
    let sandbox = Sandbox::start().unwrap();
    let client = asynchronous(Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some("wrong".to_owned()),
        ..basic(sandbox.base_url())
    });
    let start = Arc::new(Barrier::new(256));
    let tasks: Vec<_> = (0..256)
        .map(|_| {
            let (client, start) = (client.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                failure(wait(client.ips_list(None)))
            })
        })
        .collect();
    for task in tasks {
        let failure = task.join().unwrap();
        assert!(matches!(failure, Failure::Authentication { .. }), "{failure:?}");
    }
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_thousand_abandoned_calls_leave_no_thread_and_no_connection() {
    let sandbox = Sandbox::start().unwrap();
    let client = asynchronous(Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some(sandbox.password().to_owned()),
        ..basic(sandbox.base_url())
    });
    wait(client.ips_list(None)).unwrap();
    sandbox.inject(Fault::delay(Duration::from_secs(5)).path("/api/geoips/open/").times(10_000)).unwrap();
    for round in 0..1000 {
        if round % 2 == 0 {
            assert!(wait_for(client.geo_open(), Duration::from_micros(500)).is_none());
        } else {
            let one = client.abortable();
            let call = one.geo_open();
            one.abort();
            assert!(is_aborted(&failure(wait(call))));
        }
    }
    sandbox.clear_faults();
    wait(client.ips_list(None)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while sandbox.open_connections() > 2 {
        assert!(Instant::now() < deadline, "{} connections", sandbox.open_connections());
        thread::sleep(Duration::from_millis(10));
    }
    #[cfg(target_os = "linux")]
    assert_eq!(threads_of_ours(), 1);
}

/// How many threads the runtime has. Blocking clients have none.
#[cfg(target_os = "linux")]
fn threads_of_ours() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "proxymesh").count()
}
