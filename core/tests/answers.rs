//! Responses that are not HTTP, or that never end. The conformance cases cover the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::Error;
use std::time::{Duration, Instant};
use support::server::{Reply, Server};

#[test]
fn bytes_that_are_not_http_are_a_connection_error() {
    for bytes in [
        &b"\x00\xff\x16\x03"[..],
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n",
    ] {
        let server = Server::start(move |_| Reply::Raw(bytes.to_vec()));
        let client = support::blocking(support::basic(&server).max_retries(0));
        let error = client.ips().list().unwrap_err();
        assert!(matches!(error, Error::Connection { attempts: 1, .. }), "{bytes:?}: {error:?}");
        assert!(error.reason().is_some_and(|reason| reason.len() > 5), "{error}");
        // The request may have been carried out.
        let error = client.sub_accounts().create("x").unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{bytes:?}: {error:?}");
    }
}

#[test]
fn a_body_that_never_ends_is_read_up_to_a_limit() {
    for (status, most) in [(200, 8 * 1024 * 1024), (400, 64 * 1024)] {
        let server = Server::start(move |_| {
            let head =
                format!("HTTP/1.1 {status} Whatever\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n");
            Reply::SayThenHang([head.into_bytes(), vec![b'x'; most + 1]].concat())
        });
        let limit = Duration::from_secs(20);
        let client = support::blocking(support::basic(&server).timeout(limit).max_retries(0));
        let start = Instant::now();
        let error = client.ips().list().unwrap_err();
        assert!(start.elapsed() < limit, "{error:?}");
        match (status, error) {
            (200, Error::Decode { reason, .. }) => assert_eq!(reason, "it is larger than 8 MiB"),
            (400, Error::BadRequest(refusal)) => assert_eq!(refusal.body, "x".repeat(4096)),
            (_, error) => panic!("{error:?}"),
        }
        // The connection cannot be used again, so it is closed, although its client is still there.
        server.wait_for_given_up(1);
        drop(client);
    }
}
