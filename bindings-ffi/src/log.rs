//! The records for the log of the other language.

use crate::bridge::wire;
use proxymesh::{
    Observer,
    binding::{self, Event},
};
use std::sync::Arc;

/// A record for the log.
#[derive(uniffi::Record)]
pub struct LogRecord {
    /// `debug`, `info` or `warning`.
    pub level: String,
    /// One line of text.
    pub message: String,
    /// The attempt that the record is about.
    pub attempt: Option<Attempt>,
}

/// One attempt at a call.
#[derive(uniffi::Record)]
pub struct Attempt {
    /// The call, such as `ips.add`.
    pub call: String,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The number of the attempt, starting at 1.
    pub number: i32,
    /// The status of the response, if a complete one arrived.
    pub status: Option<i32>,
    /// Why no complete response arrived.
    pub failure: Option<String>,
    /// The seconds that the attempt took.
    pub elapsed: f64,
    /// The seconds until the next attempt, if there is one.
    pub retry_in: Option<f64>,
}

/// Where the records of a call go. The other language writes them to its log on a thread of its own choice, because its log may block.
pub(crate) trait Log: Send + Sync {
    /// Keeps a record. Any thread may call this, also after the end of the call. It returns soon.
    fn keep(&self, record: &[u8]);

    /// Writes what was kept. It is called now and then on the thread that makes a blocking call.
    fn write(&self);
}

/// An observer that keeps the records in this log.
pub(crate) fn observer(log: Arc<dyn Log>) -> Observer {
    binding::observer(move |event| log.keep(&wire::record(event.into())))
}

impl From<Event> for LogRecord {
    fn from(event: Event) -> Self {
        let (level, message, attempt) = match event {
            Event::Attempt(attempt) => ("debug", attempt.to_string(), Some(attempt.into())),
            Event::Info(message) => ("info", message, None),
            Event::Warning(message) => ("warning", message, None),
        };
        Self { level: level.to_owned(), message, attempt }
    }
}

impl From<proxymesh::Attempt> for Attempt {
    fn from(core: proxymesh::Attempt) -> Self {
        Self {
            call: core.call.name.to_owned(),
            method: core.call.method.to_string(),
            path: core.call.path.to_owned(),
            number: i32::try_from(core.number).unwrap_or(i32::MAX),
            status: core.status.map(i32::from),
            failure: core.failure,
            elapsed: core.elapsed.as_secs_f64(),
            retry_in: core.retry_in.map(|wait| wait.as_secs_f64()),
        }
    }
}
