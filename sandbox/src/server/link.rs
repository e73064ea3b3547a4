//! The state that a connection and its requests share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{self, Instant};

/// The state of a connection.
#[derive(Debug)]
pub(super) struct Link {
    phase: Mutex<Phase>,
    pub(super) changed: Notify,
    pub(super) reset: AtomicBool,
}

#[derive(Debug)]
struct Phase {
    busy: bool,
    idle_since: Instant,
    /// How long the connection may be idle.
    patience: Option<Duration>,
}

impl Link {
    pub(super) fn new(patience: Option<Duration>) -> Self {
        let phase = Phase { busy: false, idle_since: Instant::now(), patience };
        Self { phase: Mutex::new(phase), changed: Notify::new(), reset: AtomicBool::new(false) }
    }

    /// Marks the connection as busy for as long as the guard lives.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.phase().busy = true;
        self.changed.notify_one();
        Busy(Arc::clone(self))
    }

    /// Closes the connection this long after it becomes idle.
    pub(super) fn close_idle(&self, after: Duration) {
        self.phase().patience = Some(after);
    }

    /// Makes the connection end with a TCP RST.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::SeqCst);
    }

    /// Returns once the connection has been idle for too long. If there is no limit, it never returns.
    pub(super) async fn time_to_close(&self) {
        let deadline = {
            let phase = self.phase();
            let patience = phase.patience.filter(|_| !phase.busy);
            patience.and_then(|patience| phase.idle_since.checked_add(patience))
        };
        match deadline {
            Some(deadline) => time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call is in progress on the connection.
#[derive(Debug)]
pub(super) struct Busy(Arc<Link>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut phase = self.0.phase();
        phase.busy = false;
        phase.idle_since = Instant::now();
        drop(phase);
        self.0.changed.notify_one();
    }
}
