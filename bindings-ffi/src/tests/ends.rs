//! How calls and clients end: cancelled, shut down, and many at once.

use super::{
    GEO_OPEN, GEO_WORLD, Started, asynchronous, basic, blocking, failure,
    server::{Answer, Reply, Server},
};
use crate::{Failure, Options, Settings, bridge::tasks};
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

/// Cancels a call. Returns whether it had its answer.
fn cancel(call: &Started) -> bool {
    tasks::cancel(call.task);
    // The worker drops the sender when it drops the call.
    call.given.recv_timeout(Duration::from_secs(60)).is_ok()
}

#[test]
fn a_cancelled_call_closes_its_connection_at_once() {
    let server = hanging();
    let client = asynchronous(basic(server.base_url()));
    client.count(GEO_WORLD).unwrap();
    let call = client.start(GEO_OPEN, &[]);
    server.wait_for_requests(2);
    let cancelled = Instant::now();
    assert!(!cancel(&call));
    server.wait_for_given_up(1);
    assert!(cancelled.elapsed() < SOON, "{:?}", cancelled.elapsed());
    assert_eq!(server.count(), 2);
}

#[test]
fn to_cancel_a_call_after_its_end_has_no_effect() {
    let server = Server::always(Answer::new(200, r#"{"US": 1}"#));
    let client = asynchronous(basic(server.base_url()));
    let call = client.start(GEO_OPEN, &[]);
    assert!(call.given.recv().is_ok());
    tasks::cancel(call.task);
    tasks::cancel(call.task);
    assert_eq!(client.count(GEO_OPEN).unwrap().get("US"), Some(&1));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_call_that_is_cancelled_at_any_moment_has_its_answer_or_none() {
    let server = Server::always(Answer::new(200, "{}"));
    let client = asynchronous(basic(server.base_url()));
    client.count(GEO_OPEN).unwrap();
    let mut ends = [0, 0];
    for moment in 0..400 {
        let call = client.start(GEO_OPEN, &[]);
        thread::sleep(Duration::from_micros(moment * 5));
        ends[usize::from(cancel(&call))] += 1;
        assert!(!tasks::is_in_progress(call.task));
    }
    assert!(ends[0] > 0 && ends[1] > 0, "{ends:?}");
}

#[test]
fn a_client_that_was_shut_down_makes_no_more_calls() {
    let server = Server::always(Answer::new(200, "{}"));
    let options = || Options { timeout: Some(5.0), max_retries: None };
    for create in [asynchronous, blocking] {
        let before = server.count();
        let client = create(basic(server.base_url()));
        let other = client.with_options(options()).unwrap();
        assert_eq!(client.base_url(), Some(server.base_url()));
        client.shut_down();
        client.shut_down();
        assert_eq!(client.base_url(), None);
        for failed in [failure(client.count(GEO_OPEN)), failure(client.with_options(options()))] {
            assert!(
                matches!(&failed, Failure::Config { text, reason } if text == CLOSED && reason == CLOSED),
                "{failed:?}"
            );
        }
        assert_eq!(server.count(), before);
        other.count(GEO_OPEN).unwrap();
    }
}

#[test]
fn calls_in_progress_continue_when_the_client_is_shut_down_or_released() {
    for create in [asynchronous, blocking] {
        let server = Server::start(|_| {
            thread::sleep(SOON);
            Answer::new(200, "{}")
        });
        let client = create(basic(server.base_url()));
        let call = thread::spawn({
            let client = client.clone();
            move || client.count(GEO_OPEN)
        });
        server.wait_for_requests(1);
        client.shut_down();
        crate::bridge::objects::release(client.handle);
        call.join().unwrap().unwrap();
    }
}

#[test]
fn options_apply_to_the_client_that_was_created_with_them() {
    let server = hanging();
    for create in [asynchronous, blocking] {
        let quick = create(basic(server.base_url()))
            .with_options(Options { timeout: Some(0.05), max_retries: None })
            .unwrap();
        let failed = failure(quick.count(GEO_OPEN));
        assert!(matches!(failed, Failure::Timeout { attempts: 1, .. }), "{failed:?}");
    }
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
                failure(client.list())
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
fn a_thousand_cancelled_calls_leave_no_thread_and_no_connection() {
    let sandbox = Sandbox::start().unwrap();
    let client = asynchronous(Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some(sandbox.password().to_owned()),
        ..basic(sandbox.base_url())
    });
    client.list().unwrap();
    sandbox.inject(Fault::delay(Duration::from_secs(5)).path("/api/geoips/open/").times(10_000)).unwrap();
    for round in 0..1000 {
        let call = client.start(GEO_OPEN, &[]);
        if round % 2 == 0 {
            thread::sleep(Duration::from_micros(500));
        }
        assert!(!cancel(&call));
    }
    sandbox.clear_faults();
    client.list().unwrap();
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
