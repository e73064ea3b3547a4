//! Tracks whether a request was sent.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

const WAITING: u8 = 0;
const STARTED: u8 = 1;
const ABANDONED: u8 = 2;
const HELD_BACK: u8 = 3;

/// Whether a request has started to be written.
///
/// hyper asks a body whether it is empty only once: when there is a connection and the head is about to be written to it. So if
/// the body was never asked, the request was never sent, whatever failed.
#[derive(Clone)]
pub(super) struct Sent(Arc<AtomicU8>);

impl Sent {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(WAITING)))
    }

    /// Starts writing the request, unless it was abandoned or no longer has permission. Returns whether it is being written.
    pub(super) fn begin(&self, leave: bool) -> bool {
        let next = if leave { STARTED } else { HELD_BACK };
        match self.0.compare_exchange(WAITING, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => leave,
            Err(state) => state == STARTED,
        }
    }

    /// Whether the request has started to be written. If not, this prevents it from starting later, as another thread may be about
    /// to do.
    pub(super) fn begun(&self) -> bool {
        match self.0.compare_exchange(WAITING, ABANDONED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => false,
            Err(state) => state == STARTED,
        }
    }

    /// Whether the request was abandoned or held back before it was written.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self.0.load(Ordering::Acquire), ABANDONED | HELD_BACK)
    }

    /// Whether the request had a connection but no longer had permission to be written.
    pub(super) fn is_held_back(&self) -> bool {
        self.0.load(Ordering::Acquire) == HELD_BACK
    }
}
