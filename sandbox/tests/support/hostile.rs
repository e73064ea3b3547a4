//! Any bytes on the sandbox's socket. Used by tests/hostile.rs, and by libFuzzer in core/fuzz.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use proxymesh_sandbox::Sandbox;

/// Requests to begin with: the API's and the controls'. None of them injects a fault, because faults are meant to make calls fail.
pub(crate) const REQUESTS: [&[u8]; 6] = [
    b"GET /api/sub/get/?username=a%40b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cGFyZW50OnBhcmVudC1wYXNzd29yZA==\r\n\r\n",
    b"POST /api/ip/add/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cGFyZW50OnBhcmVudC1wYXNzd29yZA==\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nip=203.0.113.7&label=%41",
    b"POST /api/token/create/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cGFyZW50OnBhcmVudC1wYXNzd29yZA==\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n15\r\nexpires_at=2027-01-31\r\n0\r\n\r\n",
    b"GET /api/proxies/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer pm_x\r\nConnection: close\r\n\r\n",
    b"POST /_sandbox/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 22\r\n\r\n{\"advance_seconds\": 9}",
    b"GET /_sandbox/requests HTTP/1.0\r\n\r\n",
];

/// Sends the bytes on a new connection. The sandbox may close it without a response, or send one that is not a 5xx. It then
/// still serves the next request.
///
/// # Panics
///
/// If any of this does not hold.
pub(crate) fn survives(sandbox: &Sandbox, bytes: &[u8]) {
    let answer = exchange(sandbox, bytes, true);
    let told = || format!("{:?} to {:?}", String::from_utf8_lossy(&answer), String::from_utf8_lossy(bytes));
    if let Some((version, rest)) = answer.split_at_checked(9) {
        assert!(matches!(version, b"HTTP/1.0 " | b"HTTP/1.1 "), "{}", told());
        assert!(matches!(rest, [b'2' | b'4', ..]), "{}", told());
        assert!(answer.windows(4).any(|window| window == b"\r\n\r\n"), "{}", told());
    } else {
        assert!(answer.is_empty(), "{}", told());
    }
    let alive = b"GET /_sandbox/connections HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let alive = exchange(sandbox, alive, false);
    assert!(alive.starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&alive));
}

/// Sends the bytes and returns the response. `end` closes the sending side, so that an incomplete request stays incomplete.
fn exchange(sandbox: &Sandbox, bytes: &[u8], end: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(sandbox.address()).expect("the sandbox listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("it can be set");
    // The sandbox may close the connection before it has read everything.
    let _ = stream.write_all(bytes);
    if end {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            panic!("neither an answer nor a close")
        }
        _ => answer,
    }
}
