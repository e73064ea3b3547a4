//! The handle: a sandbox that runs on its own thread until it is stopped or dropped.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use crate::Error;
use crate::fault::Fault;
use crate::log::{ProxiedRequest, RecordedRequest};
use crate::shared::Shared;
use crate::state::settings::Settings;

/// A running sandbox. It stops when it is dropped.
///
/// It may be shared among threads, and used and dropped in asynchronous code.
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: Settings,
    pub(crate) address: SocketAddr,
    pub(crate) base_url: String,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) thread: Mutex<Option<JoinHandle<()>>>,
    /// The process that started it: in a fork's child there is no such thread.
    pub(crate) process: u32,
}

impl Sandbox {
    /// Where to reach it, such as `http://127.0.0.1:40123`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The address it is bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What others than this machine can reach, in a sentence to show to people; `None` on a loopback address.
    #[must_use]
    pub fn opens(&self) -> Option<String> {
        if !self.settings.exposed {
            return None;
        }
        let mut sentence = format!(
            "{} is not a loopback address: whoever reaches it and has the password can use the account and the controls \
             under /_sandbox/",
            self.address
        );
        if self.settings.ports.is_some() {
            sentence.push_str(
                ", and whoever may use its proxies reaches what listens on this machine's loopback addresses",
            );
        }
        Some(sentence)
    }

    /// The username of the parent account.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.settings.username
    }

    /// The password of the parent account.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.settings.password
    }

    /// The API calls that arrived, oldest first; of very many, the last 100,000.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.world().log.entries()
    }

    /// Forgets the calls recorded so far. Numbers go on.
    pub fn clear_requests(&self) {
        self.shared.world().log.clear();
    }

    /// What the proxies were asked for, oldest first; of very many, the last 100,000.
    #[must_use]
    pub fn proxied(&self) -> Vec<ProxiedRequest> {
        self.shared.world().proxied.entries()
    }

    /// Forgets what the proxies were asked for so far. Numbers go on.
    pub fn clear_proxied(&self) {
        self.shared.world().proxied.clear();
    }

    /// Makes the next matching calls go wrong.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the fault can never match or cannot be carried out.
    pub fn inject(&self, fault: Fault) -> Result<(), Error> {
        fault.check()?;
        self.shared.world().faults.push(fault);
        Ok(())
    }

    /// The faults that still wait for a call, with what is left of their `times` and `after`.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.world().faults.waiting().to_vec()
    }

    /// Forgets the faults that still wait.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Moves the sandbox's clock forward: at most 100 years in all, where it stays.
    pub fn advance(&self, by: Duration) {
        let mut world = self.shared.world();
        if !world.clock.advance(by) {
            world.clock.advance_to_the_end();
        }
    }

    /// The time in the sandbox. It runs with the real one, ahead by what it was advanced.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.shared.world().clock.now().system_time()
    }

    /// Books traffic on a sub-account (it counts towards the parent too) or on the parent.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAccount`] if nobody is called so, [`Error::Invalid`] unless `gigabytes` is
    /// from 0 to 1e9.
    pub fn book_usage(&self, username: &str, gigabytes: f64) -> Result<(), Error> {
        self.shared.world().book_usage(username, gigabytes)
    }

    /// How many TCP connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.open_connections()
    }

    /// Back to the state at the start: account, ban, clock, faults and log. Connections stay.
    pub fn reset(&self) {
        self.shared.world().reset();
    }

    /// Stops serving and closes all connections; calls in progress have 200 ms to end. The recorded
    /// calls can still be read. Stopping twice does nothing.
    pub fn stop(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if self.process != std::process::id() {
            // It is the parent's, and goes on there.
            return std::mem::forget(thread.take());
        }
        self.stop.send_replace(true);
        if let Some(thread) = thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
