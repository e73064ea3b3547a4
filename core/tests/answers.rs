//! Responses that are not HTTP. The conformance cases cover those that are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::Error;
use support::server::Server;

#[test]
fn bytes_that_are_not_http_are_a_connection_error() {
    for bytes in [
        &b"\x00\xff\x16\x03"[..],
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n",
    ] {
        let server = Server::start(move |_| support::server::Reply::Raw(bytes.to_vec()));
        let client = support::blocking(support::basic(&server).max_retries(0));
        let error = client.ips().list().unwrap_err();
        assert!(matches!(error, Error::Connection { attempts: 1, .. }), "{bytes:?}: {error:?}");
        assert!(error.reason().is_some_and(|reason| reason.len() > 5), "{error}");
        // The request may have been carried out.
        let error = client.sub_accounts().create("x").unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{bytes:?}: {error:?}");
    }
}
