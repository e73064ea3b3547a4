//! What ends a connection, and what does not: each response comes byte for byte from a script. The next call shows whether the
//! connection was used again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::Error;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};
use support::server::{Answer, Reply, Server};

const BODY: &str = r#"{"ips": ["203.0.113.7"]}"#;
const PAUSE: Duration = Duration::from_millis(30);

/// A response with the given start and headers, a length, and the body.
fn with_length(head: &str) -> String {
    format!("{head}Content-Length: {}\r\n\r\n{BODY}", BODY.len())
}

fn whole(bytes: impl Into<Vec<u8>>) -> Reply {
    Reply::Parts(bytes.into(), Duration::ZERO, Vec::new())
}

/// Whether a second call uses the same connection after the first got this reply. Both calls must succeed with one attempt each.
fn is_used_again(reply: impl Fn() -> Reply + Send + 'static) -> bool {
    let server = Server::start(move |_| reply());
    let blocking = support::blocking(support::basic(&server).max_retries(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = support::asynchronous(support::basic(&server).max_retries(0));
    let mut connections = Vec::new();
    for call in
        [&(|| blocking.ips().list()) as &dyn Fn() -> proxymesh::Result<Vec<std::net::IpAddr>>, &|| {
            runtime.block_on(async {
                // The event loop has to run once to notice what has arrived.
                tokio::time::sleep(Duration::from_millis(1)).await;
                client.ips().list().await
            })
        }]
    {
        let before = server.connections();
        for _ in 0..2 {
            assert_eq!(call().unwrap(), ["203.0.113.7".parse::<std::net::IpAddr>().unwrap()]);
            thread::sleep(2 * PAUSE);
        }
        connections.push(server.connections() - before);
    }
    assert_eq!(connections[0], connections[1], "both clients do the same");
    connections[0] == 1
}

#[test]
fn a_connection_is_used_again_after_a_complete_response() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunks = format!(
        "{ok}Transfer-Encoding: chunked\r\n\r\n7\r\n{}\r\n{:x}\r\n{}\r\n",
        &BODY[..7],
        BODY.len() - 7,
        &BODY[7..]
    );
    for response in [
        with_length(ok),
        with_length(&format!("{ok}Connection: keep-alive\r\n")),
        with_length("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"),
        format!("{chunks}0\r\n\r\n"),
        // Trailers
        format!("{chunks}0\r\nX-Checksum: 1\r\n\r\n"),
        // Interim responses
        format!("HTTP/1.1 100 Continue\r\n\r\n{}", with_length(ok)),
        format!("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n{}", with_length(ok)),
    ] {
        let bytes = response.clone();
        assert!(is_used_again(move || whole(bytes.as_str())), "{response}");
        // In two parts that meet inside the body
        let bytes = response.clone();
        let parts = move || {
            let (first, second) = bytes.split_at(bytes.len() - 9);
            Reply::Parts(first.into(), PAUSE, second.into())
        };
        assert!(is_used_again(parts), "in parts: {response}");
    }
}

#[test]
fn a_connection_that_the_response_ends_is_not_used_again() {
    let ok = "HTTP/1.1 200 OK\r\n";
    for response in [
        with_length(&format!("{ok}Connection: close\r\n")),
        with_length("HTTP/1.0 200 OK\r\n"),
        // More than the length announces
        format!("{} ", with_length(ok)),
        format!("{}{}", with_length(ok), with_length("HTTP/1.1 500 Oops\r\n")),
    ] {
        let bytes = response.clone();
        assert!(!is_used_again(move || whole(bytes.as_str())), "{response}");
    }
    // Without a length, the end of the connection ends the body.
    for head in ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"] {
        assert!(!is_used_again(move || Reply::Raw(format!("{head}{BODY}").into())), "{head}");
        assert!(!is_used_again(move || Reply::HalfClose(format!("{head}{BODY}").into())), "{head}");
    }
    // The service closes its side, or says more, once the connection is idle.
    assert!(!is_used_again(move || Reply::HalfClose(with_length(ok).into())));
    for more in [" ", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"] {
        assert!(!is_used_again(move || Reply::Parts(with_length(ok).into(), PAUSE, more.into())), "{more}");
    }
}

#[test]
fn a_response_that_ends_too_early_is_a_connection_error() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "",
    ] {
        let server = Server::start(move |_| Reply::Raw(response.into()));
        let client = support::blocking(support::basic(&server).max_retries(0));
        assert!(matches!(client.ips().list(), Err(Error::Connection { .. })), "{response}");
    }
}

/// Lets the clock of the runtime jump ahead.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

async fn wait_for_closed(server: &Server, connections: usize) {
    let server = server.clone();
    tokio::task::spawn_blocking(move || server.wait_for_closed(connections)).await.unwrap();
}

/// The service would close it before long, perhaps just as a call is being sent on it.
#[tokio::test]
async fn an_idle_connection_is_closed_after_15_seconds_without_a_call() {
    let server = Server::always(Answer::new(200, BODY));
    let client = support::asynchronous(support::basic(&server));
    client.ips().list().await.unwrap();
    pass(16).await;
    wait_for_closed(&server, 1).await;
    // Those that become idle later are closed as well.
    for _ in 0..2 {
        client.ips().list().await.unwrap();
        let calls = [client.geo().open(), client.geo().open()].map(tokio::spawn);
        for call in calls {
            let _ = call.await.unwrap();
        }
        let connections = server.connections();
        pass(10).await;
        client.ips().list().await.unwrap();
        assert_eq!(server.connections(), connections, "after 10 seconds, it is used again");
        pass(10).await;
        client.ips().list().await.unwrap();
        assert_eq!(server.connections(), connections, "its 15 seconds began anew");
        pass(16).await;
        wait_for_closed(&server, connections).await;
    }
    client.ips().list().await.unwrap();
}

#[tokio::test]
async fn the_task_that_closes_idle_connections_sleeps_until_one_is_old() {
    let server = Server::always(Answer::new(200, BODY));
    let client = support::asynchronous(support::basic(&server));
    client.ips().list().await.unwrap();
    // A paused clock jumps to the next timer when all tasks wait.
    tokio::time::pause();
    let sleeps = tokio::spawn(tokio::time::sleep(Duration::from_secs(10)));
    let start = Instant::now();
    while !sleeps.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(5), "some task never waits");
        let (tell, told) = tokio::sync::oneshot::channel();
        thread::spawn(move || {
            thread::sleep(PAUSE);
            tell.send(())
        });
        told.await.unwrap();
    }
}

/// Nothing closes idle connections while the event loop does not run.
#[tokio::test]
async fn a_connection_that_was_idle_for_longer_is_not_used() {
    let server = Server::always(Answer::new(200, BODY));
    let client = support::asynchronous(support::basic(&server));
    client.ips().list().await.unwrap();
    // The clock jumps at the first poll, and other tasks run only after it.
    tokio::time::pause();
    let mut advance = pin!(tokio::time::advance(Duration::from_secs(16)));
    assert!(advance.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    tokio::time::resume();
    client.ips().list().await.unwrap();
    assert_eq!(server.connections(), 2);
}

/// A runtime that is not running notices nothing on its connections.
#[test]
fn a_connection_of_another_runtime_is_not_used() {
    let server = Server::always(Answer::new(200, BODY));
    let client = support::asynchronous(support::basic(&server).max_retries(0));
    let runtimes: Vec<_> =
        (0..3).map(|_| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()).collect();
    for _ in 0..2 {
        for runtime in &runtimes {
            runtime.block_on(client.ips().list()).unwrap();
        }
    }
    assert_eq!(server.connections(), 3);
    drop(runtimes);
    let last = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    last.block_on(client.ips().list()).unwrap();
    assert_eq!(server.connections(), 4);
}

/// How many connections to this port are open, as the system sees it.
#[cfg(target_os = "linux")]
fn open_connections(port: u16) -> usize {
    let established = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[2].ends_with(&format!(":{port:04X}")) && fields[3] == "01"
    };
    std::fs::read_to_string("/proc/net/tcp").unwrap().lines().skip(1).filter(established).count()
}

/// Creates do not use idle connections, so an idle one is closed to make room for them.
#[cfg(target_os = "linux")]
#[test]
fn a_client_never_has_more_connections_than_max_connections() {
    let (port, most) = (Arc::new(AtomicU16::new(0)), Arc::new(AtomicUsize::new(0)));
    let (of, seen) = (port.clone(), most.clone());
    let server = Server::start(move |request: &support::server::Request| {
        seen.fetch_max(open_connections(of.load(SeqCst)), SeqCst);
        match request.path() {
            "/api/ips/" => Answer::new(200, BODY),
            _ => Answer::new(400, "{}"),
        }
    });
    port.store(server.address().port(), SeqCst);
    let client = support::blocking(support::basic(&server).max_connections(2));
    client.ips().list().unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for call in 0..6 {
                    if call % 2 == 0 {
                        client.ips().list().unwrap();
                    } else {
                        let new = proxymesh::NewSubAccount::new(format!("sub-{thread}-{call}")).unwrap();
                        client.sub_accounts().create(new).unwrap_err();
                    }
                }
            });
        }
    });
    assert_eq!((most.load(SeqCst), server.count()), (2, 25));
}
