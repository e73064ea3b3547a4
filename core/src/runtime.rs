//! What drives calls: event loops and a thread, created on first use.
//!
//! If the system is out of file descriptors, threads or memory, a call fails, but the process does not. Each of these is
//! requested in a way that returns an error and does not panic. A failure is not remembered, so the next call tries again.

use crate::{error::Error, process::PerProcess};
use atomic_waker::AtomicWaker;
use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Wake, Waker},
    thread,
};
use tokio::{
    runtime::{self, Builder, Handle, Runtime},
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

/// A value that is created on first use. Unlike a [`OnceLock`], it stays empty if that fails.
pub(crate) struct Lazy<T> {
    value: OnceLock<T>,
    /// Ensures that concurrent callers create one value together, not one each.
    making: Mutex<()>,
}

impl<T> Lazy<T> {
    pub(crate) const fn new() -> Self {
        Self { value: OnceLock::new(), making: Mutex::new(()) }
    }

    pub(crate) fn get_or_try_init<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let value = make()?;
        Ok(self.value.get_or_init(|| value))
    }

    pub(crate) fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

/// An event loop without a thread of its own. It takes three descriptors on Linux.
pub(crate) fn event_loop() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

/// Timers that calls reuse. Setting a timer to a later time costs a tenth of what a new timer costs, because the runtime does not
/// have to insert it into its timer wheel again.
pub(crate) struct Timers(Mutex<Unused>);

/// A timer belongs to the runtime that it was created in, and keeps that runtime's resources. So only timers of the runtime that was
/// used last are kept.
struct Unused {
    runtime: Option<runtime::Id>,
    timers: Vec<Timer>,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    relay: Relay,
}

/// A waker for something that many calls use one after another. It wakes the call that waits, if there is one. Between calls, it keeps
/// nothing, because the task of a call may hold much.
pub(crate) struct Relay {
    waker: Waker,
    waits: Arc<Waits>,
}

#[derive(Default)]
struct Waits(AtomicWaker);

impl Wake for Waits {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake();
    }
}

impl Relay {
    pub(crate) fn new() -> Self {
        let waits = Arc::<Waits>::default();
        Self { waker: waits.clone().into(), waits }
    }

    /// From now on, wakes the task of `context`. Returns the context to poll with.
    pub(crate) fn to(&self, context: &Context<'_>) -> Context<'_> {
        self.waits.0.register(context.waker());
        Context::from_waker(&self.waker)
    }

    /// From now on, wakes nothing.
    pub(crate) fn rest(&self) {
        self.waits.0.take();
    }
}

impl Timers {
    /// As many as a client has connections by default.
    const MOST: usize = 256;

    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Unused { runtime: None, timers: Vec::new() }))
    }

    /// Ends at `deadline`.
    pub(crate) async fn until(&self, deadline: Instant) {
        let runtime = Handle::current().id();
        let mut used = Used { runtime, timer: self.take(runtime), timers: self };
        let timer = used.timer.get_or_insert_with(|| Timer::new(deadline));
        timer.sleep.as_mut().reset(deadline);
        poll_fn(|context| timer.sleep.as_mut().poll(&mut timer.relay.to(context))).await;
    }

    fn take(&self, runtime: runtime::Id) -> Option<Timer> {
        let mut unused = self.lock();
        if unused.runtime == Some(runtime) { unused.timers.pop() } else { None }
    }

    fn keep(&self, runtime: runtime::Id, timer: Timer) {
        let mut unused = self.lock();
        if unused.runtime != Some(runtime) {
            unused.timers.clear();
            unused.runtime = Some(runtime);
        }
        if unused.timers.len() < Self::MOST {
            unused.timers.push(timer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timer {
    fn new(deadline: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(deadline)), relay: Relay::new() }
    }
}

/// A timer in use.
struct Used<'a> {
    runtime: runtime::Id,
    timer: Option<Timer>,
    timers: &'a Timers,
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.relay.rest();
            self.timers.keep(self.runtime, timer);
        }
    }
}

/// Returns the handle of a thread that drives spawned futures, for bindings whose callers have no runtime. Every process
/// has one such thread. It starts on first use and never stops.
///
/// # Errors
///
/// The system's error if it is out of file descriptors, threads or memory. [`Error::lacking`] converts it.
pub fn worker() -> io::Result<Handle> {
    static WORKER: PerProcess<Lazy<Worker>> = PerProcess::empty();
    let worker = WORKER.get_or_try_init(|_| Ok::<_, io::Error>(Lazy::new()))?;
    worker.get_or_try_init(Worker::start).map(|worker| worker.handle.clone())
}

struct Worker {
    handle: Handle,
    /// Dropping it ends the thread.
    _until: oneshot::Sender<()>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let runtime = event_loop()?;
        let (until, dropped) = oneshot::channel();
        let handle = runtime.handle().clone();
        thread::Builder::new().name("proxymesh".into()).spawn(move || {
            let _ = runtime.block_on(dropped);
        })?;
        Ok(Self { handle, _until: until })
    }
}

impl Error {
    /// The error for a call when the system is out of file descriptors, threads or memory. Nothing was sent.
    #[must_use]
    pub fn lacking(call: &'static str, error: &io::Error) -> Self {
        let reason = lack(error).map_or_else(|| error.to_string(), str::to_owned);
        Self::Connection { call, reason, attempts: 0 }
    }
}

/// What the system is out of, if the error says so.
pub(crate) fn lack(error: &io::Error) -> Option<&'static str> {
    const DESCRIPTORS: &str = "the process has no file descriptors left (EMFILE)";
    match error.raw_os_error() {
        Some(code) if cfg!(unix) => match code {
            24 => Some(DESCRIPTORS),
            23 => Some("the system has no file descriptors left (ENFILE)"),
            12 => Some("out of memory (ENOMEM)"),
            105 if cfg!(target_os = "linux") => Some("out of memory for sockets (ENOBUFS)"),
            // Only starting a thread fails like this; the sockets of an event loop wait instead.
            11 if cfg!(any(target_os = "linux", target_os = "android")) => Some(THREADS),
            35 if cfg!(target_vendor = "apple") => Some(THREADS),
            _ => None,
        },
        Some(10024) if cfg!(windows) => Some(DESCRIPTORS),
        _ => None,
    }
}

const THREADS: &str = "could not start a thread: the process or memory limit is reached (EAGAIN)";

#[cfg(test)]
mod tests {
    use super::*;
    use std::{pin::pin, time::Duration};

    /// The task of a call may hold much, such as the event loop of another language.
    #[test]
    fn an_unused_timer_keeps_no_waker_and_no_runtime_but_the_last() {
        let timers = Timers::new();
        let waits = Arc::<Waits>::default();
        let waker = Waker::from(waits.clone());
        for _ in 0..3 {
            let runtime = event_loop().unwrap();
            runtime.block_on(async {
                for _ in 0..2 {
                    let mut hour = pin!(timers.until(Instant::now() + Duration::from_secs(3600)));
                    assert!(hour.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                    assert_eq!(Arc::strong_count(&waits), 3);
                }
                timers.until(Instant::now() + Duration::from_millis(1)).await;
            });
            assert_eq!(timers.lock().timers.len(), 1);
        }
        drop(waker);
        assert_eq!(Arc::strong_count(&waits), 1);
    }

    #[test]
    fn a_value_that_could_not_be_created_is_created_on_the_next_request() {
        let lazy = Lazy::new();
        assert_eq!(lazy.get_or_try_init(|| Err("no")), Err("no"));
        assert_eq!(lazy.get_or_try_init(|| Ok::<_, ()>(1)), Ok(&1));
        assert_eq!(lazy.get_or_try_init(|| Err("not asked")), Ok(&1));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_error_says_what_the_system_is_out_of() {
        let said = |code| Error::lacking("geo.open", &io::Error::from_raw_os_error(code)).to_string();
        assert_eq!(
            said(24),
            "geo.open: connection failed: the process has no file descriptors left (EMFILE)"
        );
        assert!(said(11).contains("could not start a thread"));
        assert!(said(13).starts_with("geo.open: connection failed: Permission denied"));
    }
}
