//! The handle of a sandbox, which runs on its own thread until it is stopped or dropped.

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
/// It can be shared between threads, and used and dropped in asynchronous code.
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: Settings,
    pub(crate) address: SocketAddr,
    pub(crate) base_url: String,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) thread: Mutex<Option<JoinHandle<()>>>,
    /// The process that started it. In a forked child, the thread does not exist.
    pub(crate) process: u32,
}

impl Sandbox {
    /// The base URL, such as `http://127.0.0.1:40123`, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The address that the sandbox listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What other machines can reach, as a sentence to show to people; `None` on a loopback address.
    #[must_use]
    pub fn opens(&self) -> Option<String> {
        if !self.settings.exposed {
            return None;
        }
        let mut sentence = format!(
            "{} is not a loopback address: anyone who can reach it and has the password can use the account and the \
             controls under /_sandbox/",
            self.address
        );
        if self.settings.ports.is_some() {
            sentence.push_str(
                ", and anyone who may use its proxies can reach whatever listens on this machine's loopback addresses",
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

    /// The API calls that arrived, oldest first. Only the last 100,000 are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.world().log.entries()
    }

    /// Clears the recorded calls. Numbering continues.
    pub fn clear_requests(&self) {
        self.shared.world().log.clear();
    }

    /// The requests that the proxies received, oldest first. Only the last 100,000 are kept.
    #[must_use]
    pub fn proxied(&self) -> Vec<ProxiedRequest> {
        self.shared.world().proxied.entries()
    }

    /// Clears the requests recorded by the proxies. Numbering continues.
    pub fn clear_proxied(&self) {
        self.shared.world().proxied.clear();
    }

    /// Injects a fault into the next matching calls.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the fault can never match or cannot be carried out.
    pub fn inject(&self, fault: Fault) -> Result<(), Error> {
        fault.check()?;
        self.shared.world().faults.push(fault);
        Ok(())
    }

    /// The pending faults, with the remaining values of `times` and `after`.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.world().faults.waiting().to_vec()
    }

    /// Clears the pending faults.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Moves the sandbox's clock forward, to test bans, expiry and the billing period. It can be moved by at most 100
    /// years in total; anything beyond that is ignored.
    pub fn advance(&self, by: Duration) {
        let mut world = self.shared.world();
        if !world.clock.advance(by) {
            world.clock.advance_to_the_end();
        }
    }

    /// The sandbox's current time: the real time plus everything added with [`advance`](Self::advance).
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.shared.world().clock.now().system_time()
    }

    /// Adds traffic to the usage of the parent or a sub-account. A sub-account's traffic also counts for the parent.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAccount`] if no account has that username, [`Error::Invalid`] if `gigabytes` is not from 0 to
    /// 1e9.
    pub fn book_usage(&self, username: &str, gigabytes: f64) -> Result<(), Error> {
        self.shared.world().book_usage(username, gigabytes)
    }

    /// The number of open TCP connections.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.open_connections()
    }

    /// Restores the initial state: the account, the bans, the clock, the faults and the recorded requests. Connections
    /// stay open.
    pub fn reset(&self) {
        self.shared.world().reset();
    }

    /// Stops the sandbox and closes all connections. Calls in progress have 200 ms to finish. Recorded requests stay
    /// readable. You may stop a sandbox twice.
    pub fn stop(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if self.process != std::process::id() {
            // The thread belongs to the parent process, and keeps running there.
            return std::mem::forget(thread.take());
        }
        self.stop.send_replace(true);
        if let Some(thread) = thread.take() {
            // A panic on that thread has been reported already.
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
