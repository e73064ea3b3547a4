//! The watch over whether a request was sent.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

const WAITING: u8 = 0;
const STARTED: u8 = 1;
const ABANDONED: u8 = 2;
const HELD_BACK: u8 = 3;

/// Whether a request has begun to be written.
///
/// hyper asks a body whether it is empty at one moment only: when there is a connection, and the head is about to be
/// written to it. So a request whose body never was asked never was sent, whatever broke.
#[derive(Clone)]
pub(super) struct Sent(Arc<AtomicU8>);

impl Sent {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(WAITING)))
    }

    /// Begins to write the request, unless it has been given up or there is no leave any more. Whether it is being written.
    pub(super) fn begin(&self, leave: bool) -> bool {
        let next = if leave { STARTED } else { HELD_BACK };
        match self.0.compare_exchange(WAITING, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => leave,
            Err(state) => state == STARTED,
        }
    }

    /// Whether the request has begun to be written. If it has not, it will not from now on: another thread may be
    /// about to.
    pub(super) fn begun(&self) -> bool {
        match self.0.compare_exchange(WAITING, ABANDONED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => false,
            Err(state) => state == STARTED,
        }
    }

    /// Whether the request was given up or held back before it was written.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self.0.load(Ordering::Acquire), ABANDONED | HELD_BACK)
    }

    /// Whether the request had a connection, and no leave any more to be written to it.
    pub(super) fn is_held_back(&self) -> bool {
        self.0.load(Ordering::Acquire) == HELD_BACK
    }
}
