//! Where the clients can be called from, what they share, and what abandoned calls leave behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{Client, Error, Options, Settings, blocking};
use std::{
    collections::HashSet,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};
use support::server::{Answer, Reply, Server, Welcome};

fn server() -> Server {
    Server::always(Answer::new(200, r#"{"ips": ["203.0.113.7"]}"#))
}

#[test]
fn a_client_may_be_shared_and_sent_and_cloned() {
    fn shared<T: Send + Sync>() {}
    fn cloned<T: Clone>() {}
    fn sent<T: Send>(_: &T) {}
    shared::<(blocking::Client, Client, Settings, Options, Error)>();
    cloned::<(blocking::Client, Client, Settings, Options, Error)>();

    let server = server();
    let client = support::asynchronous(support::basic(&server));
    sent(&client.ips().list());
    sent(&client.call(proxymesh::endpoint::ip::List { owner: None }));
}

#[test]
fn many_threads_use_one_client_at_once() {
    let server = Server::start(|request| {
        let number = request.query().unwrap().trim_start_matches("username=sub-").to_owned();
        Answer::new(200, format!(r#"{{"ips": ["10.0.0.{number}"]}}"#))
    });
    let client = support::blocking(support::basic(&server));
    let together = Barrier::new(32);
    thread::scope(|scope| {
        for number in 0..32 {
            let (client, together) = (&client, &together);
            scope.spawn(move || {
                together.wait();
                let ips = client.ips().of(format!("sub-{number}")).unwrap();
                for _ in 0..10 {
                    let answer = ips.list().unwrap();
                    assert_eq!(answer, [std::net::IpAddr::from([10, 0, 0, number])], "its own response");
                }
            });
        }
    });
    assert_eq!(server.count(), 320);
    // This may be more than one per thread, because a connection may become free while another is being opened. It is far less than
    // one per call.
    assert!(server.connections() <= 160, "{}", server.connections());
}

#[test]
fn a_slow_call_in_one_thread_does_not_delay_others() {
    let server = Server::start(|request| -> Reply {
        match request.path() {
            "/api/geoips/open/" => Reply::Hang,
            _ => Answer::new(200, r#"{"ips": []}"#).into(),
        }
    });
    let client = support::blocking(support::basic(&server).max_retries(0));
    client.ips().list().unwrap();
    let slow = client.with_options(Options::new().timeout(Duration::from_secs(3))).unwrap();
    thread::scope(|scope| {
        let hangs = scope.spawn(move || slow.geo().open());
        server.wait_for_requests(2);
        let start = Instant::now();
        for _ in 0..20 {
            client.ips().list().unwrap();
        }
        assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
        // The thread that drove the connections is done. The slow call still keeps to its time limit.
        let error = hangs.join().unwrap().unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_inside_a_multi_thread_runtime() {
    let server = server();
    let client = support::blocking(support::basic(&server));
    assert_eq!(client.ips().list().unwrap().len(), 1);
    drop(client);
}

#[tokio::test]
async fn it_works_inside_a_current_thread_runtime() {
    let server = server();
    let client = support::blocking(support::basic(&server));
    assert_eq!(client.ips().list().unwrap().len(), 1);
    assert_eq!(client.ips().list().unwrap().len(), 1);
    assert_eq!(server.connections(), 1, "connections are kept there too");
    drop(client);
}

#[tokio::test]
async fn it_works_in_spawn_blocking() {
    let server = server();
    let client = support::blocking(support::basic(&server));
    let ips = tokio::task::spawn_blocking(move || client.ips().list()).await.unwrap().unwrap();
    assert_eq!(ips.len(), 1);
}

#[test]
fn it_works_inside_a_local_set_and_outside_again() {
    let server = server();
    let client = support::blocking(support::basic(&server));
    client.ips().list().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let inner = client.clone();
    tokio::task::LocalSet::new().block_on(&runtime, async move { inner.ips().list().unwrap() });
    client.ips().list().unwrap();
    assert_eq!(server.count(), 3);
}

#[test]
fn it_may_be_dropped_inside_a_runtime_on_any_thread_and_while_a_clone_is_in_use() {
    let server = server();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let client = support::blocking(support::basic(&server));
    client.ips().list().unwrap();
    let clone = client.clone();
    runtime.block_on(async move { drop(client) });
    clone.ips().list().unwrap();
    runtime.block_on(async move { tokio::spawn(async move { drop(clone) }).await.unwrap() });

    let client = support::blocking(support::basic(&server));
    thread::spawn(move || drop(client)).join().unwrap();
    drop(runtime);
}

#[test]
fn dropping_the_last_handle_closes_the_connections() {
    let server = server();
    let client = support::blocking(support::basic(&server));
    client.ips().list().unwrap();
    let options = client.with_options(Options::new().max_retries(0)).unwrap();
    drop(client);
    options.ips().list().unwrap();
    assert_eq!(server.connections(), 1, "with_options shares the connections");
    drop(options);
    server.wait_for_closed(1);
}

#[test]
fn with_options_changes_only_the_given_options_of_the_new_client() {
    let server = Server::always(Answer::new(429, "").header("retry-after", "0"));
    let client = support::blocking(support::basic(&server).max_retries(3));
    let attempts = |client: &blocking::Client| client.geo().open().unwrap_err().attempts().unwrap();
    let once = client.with_options(Options::new().max_retries(0)).unwrap();
    let quick = once.with_options(Options::new().timeout(Duration::from_secs(5))).unwrap();
    assert_eq!((attempts(&client), attempts(&once), attempts(&quick), attempts(&client)), (4, 1, 1, 4));

    let error = client.with_options(Options::new().timeout(Duration::ZERO)).unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
}

#[test]
fn the_time_limit_covers_the_whole_attempt() {
    // Nothing at all, a head without its body, and a body that never ends.
    for silence in [
        None,
        Some("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
        Some("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"ips\""),
    ] {
        let server =
            Server::start(move |_| silence.map_or(Reply::Hang, |part| Reply::SayThenHang(part.into())));
        let settings = support::basic(&server).timeout(Duration::from_millis(400)).max_retries(0);
        let client = support::blocking(settings);
        let start = Instant::now();
        let error = client.ips().list().unwrap_err();
        let took = start.elapsed();
        assert!(matches!(error, Error::Timeout { attempts: 1, .. }), "{error:?}");
        assert_eq!(error.to_string(), "ips.list: timed out: gave up after 0.4 s");
        assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(5), "{took:?}");
        // An abandoned call leaves nothing behind: its connection is closed when the client is dropped, at the latest.
        drop(client);
        server.wait_for_given_up(1);
    }
}

#[test]
fn each_attempt_has_the_whole_time_limit() {
    let server = Server::start(|request| match request.path() {
        "/api/geoips/open/" => Answer::new(200, "{}").into(),
        _ => Reply::Hang,
    });
    let client =
        support::blocking(support::basic(&server).timeout(Duration::from_millis(300)).max_retries(1));
    client.geo().open().unwrap();
    let start = Instant::now();
    let error = client.geo().world().unwrap_err();
    assert!(matches!(error, Error::Timeout { attempts: 2, .. }), "{error:?}");
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
    assert_eq!(error.to_string(), "geo.world: timed out: gave up after 0.3 s (after 2 attempts)");
    assert_eq!(server.count(), 3);
}

#[test]
fn connecting_has_its_own_time_limit() {
    let server = Server::with_door(|_| Welcome::Ignore, |_| Reply::Close);
    let settings = support::basic(&server)
        .base_url(server.base_url().replace("http:", "https:"))
        .connect_timeout(Duration::from_millis(300))
        .timeout(Duration::from_secs(20))
        .max_retries(0);
    let client = support::blocking(settings);
    let start = Instant::now();
    // Even a create ends as a `Timeout`, because it is certain that nothing was sent.
    let error = client.sub_accounts().create("x").unwrap_err();
    assert!(matches!(error, Error::Timeout { attempts: 1, .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_time_limit_of_years_is_no_time_limit() {
    let server = Server::start(|_| {
        thread::sleep(Duration::from_millis(100));
        Answer::new(200, r#"{"ips": []}"#)
    });
    let client = support::blocking(support::basic(&server).timeout(Duration::MAX).max_retries(0));
    // The first call also tries the credentials.
    for _ in 0..2 {
        client.ips().list().unwrap();
    }
}

#[tokio::test]
async fn a_dropped_call_closes_its_connection() {
    let server = Server::start(|_| Reply::Hang);
    let client = support::asynchronous(support::basic(&server));
    let call = tokio::spawn(client.ips().list());
    let watch = server.clone();
    tokio::task::spawn_blocking(move || watch.wait_for_requests(1)).await.unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let watch = server.clone();
    tokio::task::spawn_blocking(move || watch.wait_for_given_up(1)).await.unwrap();
    assert_eq!(server.count(), 1, "it is not retried");
}

#[tokio::test]
async fn a_call_does_nothing_until_it_is_awaited() {
    let server = server();
    let client = support::asynchronous(support::basic(&server));
    let call = client.ips().list();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.connections(), 0);
    drop(call);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_hundred_calls_run_at_once_and_reuse_connections() {
    let server = server();
    let client = support::asynchronous(support::basic(&server));
    client.ips().list().await.unwrap();
    for _ in 0..2 {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..100 {
            calls.spawn(client.ips().list());
        }
        assert!(calls.join_all().await.iter().all(Result::is_ok));
    }
    let used: HashSet<usize> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(server.count(), 201);
    assert!(used.len() <= 160, "{}", used.len());
}
