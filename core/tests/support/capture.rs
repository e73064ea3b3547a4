//! Captures what the process logs: every event of every target, at TRACE.

use std::{
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};
use tracing::{Dispatch, Level};

/// Subscribers that no thread uses. While there are several, tracing asks all of them whether an event is wanted. If there is only
/// one, tracing asks the subscriber of the current thread, which may have none, and remembers the answer for all threads.
static OTHERS: LazyLock<[Dispatch; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| {
        Dispatch::new(tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(io::sink).finish())
    })
});

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs `calls` on this thread. Returns its result and the events, one line each.
pub fn events<T>(calls: impl FnOnce() -> T) -> (T, Vec<String>) {
    LazyLock::force(&OTHERS);
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let value = tracing::subscriber::with_default(subscriber, calls);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (value, text.lines().map(|line| line.trim().to_owned()).collect())
}
