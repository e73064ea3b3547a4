//! The log of what arrived, secrets left out.

use std::collections::VecDeque;

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

/// Finds an entry again when its answer is known, even if the log was cleared meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryKey {
    generation: u64,
    number: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<RecordedRequest>,
    generation: u64,
    last_number: u64,
}

impl Log {
    /// Appends the request, giving it its number.
    pub(crate) fn push(&mut self, mut request: RecordedRequest) -> EntryKey {
        self.last_number += 1;
        request.number = self.last_number;
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(request);
        EntryKey { generation: self.generation, number: self.last_number }
    }

    /// Notes the status a request was answered with.
    pub(crate) fn answered(&mut self, key: EntryKey, status: u16) {
        if key.generation != self.generation {
            return;
        }
        // A request is usually among the last.
        let entry = self.entries.iter_mut().rev();
        if let Some(entry) = entry.into_iter().find(|entry| entry.number == key.number) {
            entry.status = Some(status);
        }
    }

    pub(crate) fn entries(&self) -> Vec<RecordedRequest> {
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
