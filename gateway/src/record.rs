//! What the gateway tells its operator: the access log and the counters. Neither has a path, a query, or credentials.

use crate::tunnel::Meter;
use jiff::Timestamp;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// One connection of a client, as the access log shows it. It is serialised to one JSON object.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Access {
    /// When the connection was accepted.
    pub time: Timestamp,
    /// `CONNECT`, `SOCKS5`, or the method of an http request. Empty if the request could not be read.
    pub method: String,
    /// The host and the port that the client wanted.
    pub target: Option<String>,
    /// The policy, as text.
    pub policy: Option<String>,
    /// The proxy that was used, or asked last.
    pub proxy: Option<String>,
    /// The exit IP, if the proxy said which one it used.
    pub exit_ip: Option<String>,
    /// The status of the gateway's response. For an http request, that of the site's response.
    pub status: Option<u16>,
    /// Why the gateway refused.
    pub reason: Option<String>,
    /// How many bytes went to the target, not counting the heads of HTTP messages.
    pub sent: u64,
    /// How many bytes came from it, not counting the heads of HTTP messages.
    pub received: u64,
    /// The milliseconds until a proxy had accepted the connection, or the response began.
    pub ms_to_open: Option<f64>,
    /// The milliseconds until the connection ended.
    pub ms: f64,
    #[serde(skip)]
    began: Instant,
}

impl Access {
    pub(crate) fn begin() -> Self {
        Self {
            time: Timestamp::now(),
            method: String::new(),
            target: None,
            policy: None,
            proxy: None,
            exit_ip: None,
            status: None,
            reason: None,
            sent: 0,
            received: 0,
            ms_to_open: None,
            ms: 0.0,
            began: Instant::now(),
        }
    }

    pub(crate) fn opened(&mut self) {
        self.ms_to_open = Some(milliseconds(self.began.elapsed()));
    }

    pub(crate) fn end(&mut self, meter: &Meter) {
        self.sent = meter.sent.load(Ordering::Relaxed);
        self.received = meter.received.load(Ordering::Relaxed);
        self.ms = milliseconds(self.began.elapsed());
    }
}

/// Rounded to a microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// What is called when a connection ends.
pub(crate) type Log = Arc<dyn Fn(&Access) + Send + Sync>;

/// The counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) open: AtomicU64,
    pub(crate) refused_full: AtomicU64,
    /// The bytes of the connections that have ended.
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    /// How many connections ended, by kind and status.
    ended: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

impl Counters {
    pub(crate) fn count(&self, access: &Access) {
        let kind = match access.method.as_str() {
            "CONNECT" => "connect",
            "SOCKS5" => "socks5",
            "" => "unread",
            _ => "http",
        };
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        *ended.entry((kind, access.status.unwrap_or(0))).or_default() += 1;
        self.sent.fetch_add(access.sent, Ordering::Relaxed);
        self.received.fetch_add(access.received, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) -> BTreeMap<(&'static str, u16), u64> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
