//! The log of the requests that arrived, without secrets.

use std::collections::VecDeque;
use std::net::IpAddr;

use serde::Serialize;

/// How many entries are kept. The limit keeps a benchmark from filling the memory.
const CAPACITY: usize = 100_000;

/// One API request, as the sandbox received it. Calls under `/_sandbox/` are not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The number of the request, counted from 1 since the start or the last reset.
    pub number: u64,
    /// The method, as sent.
    pub method: String,
    /// The path without the query, as sent.
    pub path: String,
    /// The parameters of the query, decoded and in order. A `password` is shown as `***`.
    pub query: Vec<(String, String)>,
    /// The parameters of a form-encoded body, decoded and in order. A `password` is shown as `***`.
    pub form: Vec<(String, String)>,
    /// The `Content-Type` header, if any.
    pub content_type: Option<String>,
    /// The kind of credentials that the request had.
    pub auth: RecordedAuth,
    /// The status of the response; `None` if there is none yet, or none was sent.
    pub status: Option<u16>,
    /// The kind of the fault that was applied, if any.
    pub fault: Option<&'static str>,
}

/// The kind of credentials of a request, never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RecordedAuth {
    /// `Authorization: Basic` with this username.
    Basic {
        /// The part before the colon.
        username: String,
    },
    /// `Authorization: Bearer`.
    Bearer,
    /// No `Authorization` header.
    None,
    /// A header with another scheme, or one that cannot be read.
    Other,
}

/// One request that a proxy of the sandbox received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProxiedRequest {
    /// The number of the request, counted from 1 since the start or the last reset.
    pub number: u64,
    /// The proxy's name, such as `us-ca`.
    pub proxy: String,
    /// The method, as sent: `CONNECT` for an https target.
    pub method: String,
    /// The target, as sent but without credentials: `host:port` for `CONNECT`, a URL for any other method.
    pub target: String,
    /// The headers that the proxy received, in order, with lower-case names. Credentials and cookies are shown as
    /// `***`.
    pub headers: Vec<(String, String)>,
    /// The kind of credentials in `Proxy-Authorization`.
    pub auth: RecordedAuth,
    /// The account that the traffic counts for, if one was recognised by the credentials or by the client's IP.
    pub account: Option<String>,
    /// The exit IP, if the request was accepted.
    pub exit_ip: Option<IpAddr>,
    /// The country of the exit IP, if the proxy has exit IPs in several countries.
    pub country: Option<String>,
    /// The status of the response; for `CONNECT`, of the response to `CONNECT` itself. `None` if there is none yet, or
    /// none was sent.
    pub status: Option<u16>,
    /// The bytes sent to the target and received from it so far. They count towards the account's usage.
    pub bytes: u64,
    /// The kind of the fault that was applied, if any.
    pub fault: Option<&'static str>,
}

/// An entry of a log, which has a number.
pub(crate) trait Entry: Clone {
    fn number(&mut self) -> &mut u64;
}

impl Entry for RecordedRequest {
    fn number(&mut self) -> &mut u64 {
        &mut self.number
    }
}

impl Entry for ProxiedRequest {
    fn number(&mut self) -> &mut u64 {
        &mut self.number
    }
}

/// Identifies an entry, to update it once its answer is known. By then, the log may have been cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryKey {
    generation: u64,
    number: u64,
}

#[derive(Debug)]
pub(crate) struct Log<T> {
    entries: VecDeque<T>,
    generation: u64,
    last_number: u64,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), generation: 0, last_number: 0 }
    }
}

impl<T: Entry> Log<T> {
    /// Numbers the request and appends it.
    pub(crate) fn push(&mut self, mut request: T) -> EntryKey {
        self.last_number += 1;
        *request.number() = self.last_number;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(request);
        EntryKey { generation: self.generation, number: self.last_number }
    }

    /// Updates the entry of a request, if it is still in the log.
    pub(crate) fn update(&mut self, key: EntryKey, note: impl FnOnce(&mut T)) {
        if key.generation != self.generation {
            return;
        }
        // The entry is usually among the last ones.
        let mut entries = self.entries.iter_mut().rev();
        if let Some(entry) = entries.find_map(|entry| (*entry.number() == key.number).then_some(entry)) {
            note(entry);
        }
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.entries.iter().cloned().collect()
    }

    /// Clears the entries. Numbering continues.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.entries.len();
        self.entries.clear();
        count
    }

    /// Clears the entries. Numbering starts again at 1.
    pub(crate) fn reset(&mut self) {
        self.entries.clear();
        self.last_number = 0;
        self.generation += 1;
    }
}
