//! The head of a request, read strictly: whatever two programs could read in two ways is refused. See RFC 9112.

use crate::refusal::Refusal;
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::timeout,
};

/// How many bytes a head may have.
pub(crate) const LARGEST: usize = 32 * 1024;
/// How many headers it may have.
const MOST_HEADERS: usize = 100;
/// How long a client may take to send it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Body,
    /// Whether the client speaks HTTP/1.0.
    pub(crate) is_old: bool,
}

/// How the end of the body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Length(u64),
    Chunked,
}

/// Reads a head. `seen` is what was read before. Also returns what follows it. `None` if the client has closed the connection first.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    mut seen: Vec<u8>,
) -> Result<Option<(Head, Vec<u8>)>, Refusal> {
    let read = async {
        let mut searched = 0;
        loop {
            if let Some(end) = end_of(&seen, searched) {
                return Ok(Some(end));
            }
            if seen.len() >= LARGEST {
                return Err(Refusal::new(431, "the head of the request is longer than 32 KiB"));
            }
            searched = seen.len().saturating_sub(3);
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return Ok(None);
            }
        }
    };
    let end = timeout(PATIENCE, read).await.unwrap_or_else(|_| {
        Err(Refusal::new(408, "the head of the request did not arrive within 30 seconds"))
    })?;
    let Some(end) = end else { return Ok(None) };
    let rest = seen.split_off(end);
    Ok(Some((parse(&seen)?, rest)))
}

/// Where a head ends. Everything before `searched` was looked at before.
pub(crate) fn end_of(bytes: &[u8], searched: usize) -> Option<usize> {
    let start = searched.min(bytes.len());
    let found = bytes.get(start..)?.windows(4).position(|end| end == b"\r\n\r\n")?;
    Some(start + found + 4)
}

/// Reads a whole head, with the empty line at its end.
pub(crate) fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    check_lines(bytes)?;
    let malformed = |_| Refusal::new(400, "the request is malformed");
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(status) if status.is_complete() => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(431, "the request has more than 100 headers"));
        }
        _ => return Err(malformed(())),
    }
    let headers: Vec<_> =
        request.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect();
    let is_old = request.version == Some(0);
    let hosts = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).count();
    if hosts > 1 || (hosts == 0 && !is_old) {
        return Err(Refusal::new(400, "the request must have one Host header"));
    }
    let body = body(&headers, is_old)?;
    let method = request.method.unwrap_or_default().to_owned();
    let target = request.path.unwrap_or_default().to_owned();
    Ok(Head { method, target, headers, body, is_old })
}

/// A line ends with CR LF and does not begin with a space. Control characters do not occur.
fn check_lines(bytes: &[u8]) -> Result<(), Refusal> {
    let mut before = b'\n';
    for &byte in bytes {
        let good = match byte {
            b'\n' => before == b'\r',
            _ if before == b'\r' => false,
            b' ' | b'\t' => before != b'\n',
            b'\r' => true,
            _ => byte > b' ' && byte != 0x7f,
        };
        if !good {
            return Err(Refusal::new(400, "the lines of the request are malformed"));
        }
        before = byte;
    }
    Ok(())
}

/// Which body follows. Two answers to this question are how requests are smuggled.
fn body(headers: &[(String, Vec<u8>)], is_old: bool) -> Result<Body, Refusal> {
    let values = |wanted: &str| -> Vec<&[u8]> {
        headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_slice())
            .collect()
    };
    let ambiguous = || Refusal::new(400, "the length of the request's body is ambiguous");
    match (values("content-length").as_slice(), values("transfer-encoding").as_slice()) {
        ([], []) => Ok(Body::None),
        ([length], []) => {
            let digits = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(length).ok().filter(|_| digits);
            Ok(Body::Length(length.and_then(|length| length.parse().ok()).ok_or_else(ambiguous)?))
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") && !is_old => Ok(Body::Chunked),
        _ => Err(ambiguous()),
    }
}

impl Head {
    /// The value of a header that occurs once.
    pub(crate) fn header(&self, wanted: &str) -> Option<&[u8]> {
        let mut found = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(head: &str) -> u16 {
        parse(head.as_bytes()).unwrap_err().status
    }

    #[test]
    fn a_request_is_read() {
        let head =
            parse(b"POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: \xffy\tz\r\n\r\n").unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "http://a/"));
        assert_eq!((head.body, head.header("x")), (Body::Length(5), Some(&b"\xffy\tz"[..])));
        assert_eq!(parse(b"GET http://a/ HTTP/1.0\r\n\r\n").unwrap().body, Body::None);
        let chunked =
            parse(b"POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n").unwrap();
        assert_eq!(chunked.body, Body::Chunked);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (line, rest) in [
            ("GET / HTTP/1.1", "Host: a\nX: y\r\n"),
            ("GET / HTTP/1.1", "Host: a\r\n folded\r\n"),
            ("GET / HTTP/1.1", "Host: a\r\n\tfolded\r\n"),
            ("GET / HTTP/1.1", "Host: a\rX: y\r\n"),
            ("GET / HTTP/1.1", "Host: a\r\nX: \0\r\n"),
            ("GET / HTTP/1.1", "Host: a\r\nHost: b\r\n"),
            ("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n"),
            ("GET / HTTP/1.1", "X: y\r\n"),
            ("GET / HTTP/1.1", "Host : a\r\n"),
            ("GET / HTTP/1.1", "Host: a\r\n: y\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nContent-Length: 5, 5\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nContent-Length: +5\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nContent-Length: 0x5\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nContent-Length:\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nContent-Length: 99999999999999999999\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            ("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: identity\r\n"),
            ("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n"),
            ("GET / HTTP/2.0", "Host: a\r\n"),
            (" GET / HTTP/1.1", "Host: a\r\n"),
            ("GET  / HTTP/1.1", "Host: a\r\n"),
            ("", "Host: a\r\n"),
        ] {
            assert_eq!(refused(&format!("{line}\r\n{rest}\r\n")), 400, "{line} {rest:?}");
        }
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(100))), 431);
    }

    proptest! {
        /// Whatever is accepted, written again with one framing header and CR LF, has one meaning.
        #[test]
        fn no_bytes_are_read_in_two_ways(bytes in hostile()) {
            let Ok(head) = parse(&bytes) else { return Ok(()) };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
            prop_assert!(!text.contains("\r\n ") && !text.contains("\r\n\t"));
            let count = |wanted: &str| head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).count();
            prop_assert!(count("host") <= 1);
            prop_assert!(count("content-length") + count("transfer-encoding") <= 1);
            prop_assert_eq!(head.body == Body::None, count("content-length") + count("transfer-encoding") == 0);
        }
    }

    /// Heads that are almost good.
    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            Just("Host: a".to_owned()),
            Just("Content-Length: 5".to_owned()),
            Just("content-length: 05".to_owned()),
            Just("Transfer-Encoding: chunked".to_owned()),
            Just("Transfer-Encoding: chunked ".to_owned()),
            Just(" X: y".to_owned()),
            "[ -~]{0,20}",
            "[A-Za-z-]{1,20}: [ -~]{0,20}",
        ];
        let end = prop_oneof![9 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\r\r\n")];
        let first = prop_oneof![4 => Just("POST http://a/ HTTP/1.1".to_owned()), 1 => Just("GET / HTTP/1.0".to_owned()), 1 => "[ -~]{0,30}"];
        (first, proptest::collection::vec((end, line), 0..8), any::<[u8; 2]>(), 0..40_usize).prop_map(
            |(first, lines, noise, at)| {
                let mut bytes = first.into_bytes();
                for (end, line) in lines {
                    bytes.extend_from_slice(end.as_bytes());
                    bytes.extend_from_slice(line.as_bytes());
                }
                bytes.extend_from_slice(b"\r\n\r\n");
                if noise[0] < 64 && at < bytes.len() {
                    bytes[at] = noise[1];
                }
                bytes
            },
        )
    }
}
