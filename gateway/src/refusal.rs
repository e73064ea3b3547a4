//! What the gateway answers if it does not pass a request on.

use std::fmt::Write as _;

/// A status, and a sentence for whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// The proxy that refused, if one was asked.
    pub(crate) proxy: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), proxy: None }
    }

    /// The whole response. Its connection is closed afterwards.
    pub(crate) fn response(&self) -> String {
        let Self { status, reason, proxy } = self;
        let mut text = format!("HTTP/1.1 {status} {}\r\n", phrase(*status));
        if *status == 407 {
            text.push_str("Proxy-Authenticate: Basic realm=\"ProxyMesh gateway\", charset=\"UTF-8\"\r\n");
        }
        if let Some(proxy) = proxy {
            let _ = write!(text, "X-ProxyMesh-Proxy: {proxy}\r\n");
        }
        let length = reason.len() + 1;
        let _ = write!(
            text,
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{reason}\n"
        );
        text
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        509 => "Bandwidth Limit Exceeded",
        _ => "Refused",
    }
}
