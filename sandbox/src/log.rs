//! The log of what arrived, secrets left out.

use std::collections::VecDeque;
use std::net::IpAddr;

use serde::Serialize;

/// So that a benchmark does not fill the memory.
const CAPACITY: usize = 100_000;

/// One API request as the sandbox saw it. Calls under `/_sandbox/` are not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// 1 for the first request since the start or the last reset, and so on.
    pub number: u64,
    /// The method, as sent.
    pub method: String,
    /// The path without the query, as sent.
    pub path: String,
    /// The parameters of the query, decoded, in their order. A `password` reads `***`.
    pub query: Vec<(String, String)>,
    /// The parameters of a form-encoded body, decoded, in their order. A `password` reads `***`.
    pub form: Vec<(String, String)>,
    /// The `Content-Type` header, if any.
    pub content_type: Option<String>,
    /// What kind of credentials came along.
    pub auth: RecordedAuth,
    /// The status answered; `None` while there is no answer, and where none was given.
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
    /// A header that is neither of the two, or cannot be read.
    Other,
}

/// One request that a proxy of the sandbox was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProxiedRequest {
    /// 1 for the first request since the start or the last reset, and so on.
    pub number: u64,
    /// The proxy's name, such as `us-ca`.
    pub proxy: String,
    /// The method, as sent: `CONNECT` for an https target.
    pub method: String,
    /// What was asked for, as sent: `host:port` with `CONNECT`, a URL with any other method.
    pub target: String,
    /// The headers that the proxy received, in their order, with names in lower case. Credentials and cookies
    /// read `***`.
    pub headers: Vec<(String, String)>,
    /// What kind of credentials came along in `Proxy-Authorization`.
    pub auth: RecordedAuth,
    /// The account whose traffic it is, if one was recognised: by its credentials, or by the client's IP.
    pub account: Option<String>,
    /// The exit IP, if the request was let through.
    pub exit_ip: Option<IpAddr>,
    /// The country that was asked for and given.
    pub country: Option<String>,
    /// The status answered; with `CONNECT` that of the tunnel. `None` while there is no answer, and where none
    /// was given.
    pub status: Option<u16>,
    /// Bytes sent to the target and received from it so far, which is what was booked on the account.
    pub bytes: u64,
    /// The kind of the fault that was applied, if any.
    pub fault: Option<&'static str>,
}

/// What a log holds: it is numbered.
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

/// Finds an entry again when its answer is known, even if the log was cleared meanwhile.
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
    /// Appends the request, giving it its number.
    pub(crate) fn push(&mut self, mut request: T) -> EntryKey {
        self.last_number += 1;
        *request.number() = self.last_number;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(request);
        EntryKey { generation: self.generation, number: self.last_number }
    }

    /// Notes what became of a request.
    pub(crate) fn update(&mut self, key: EntryKey, note: impl FnOnce(&mut T)) {
        if key.generation != self.generation {
            return;
        }
        // A request is usually among the last.
        let mut entries = self.entries.iter_mut().rev();
        if let Some(entry) = entries.find_map(|entry| (*entry.number() == key.number).then_some(entry)) {
            note(entry);
        }
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.entries.iter().cloned().collect()
    }

    /// Forgets the entries; numbers go on.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.entries.len();
        self.entries.clear();
        count
    }

    /// Forgets everything; numbers start at 1.
    pub(crate) fn reset(&mut self) {
        self.entries.clear();
        self.last_number = 0;
        self.generation += 1;
    }
}
