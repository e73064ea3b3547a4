//! What a process created by `fork` must not share with its parent.

use arc_swap::ArcSwapOption;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// 0 until the id is remembered.
static REMEMBERED: AtomicU32 = AtomicU32::new(0);

/// The ID of this process.
#[must_use]
pub fn id() -> u32 {
    match REMEMBERED.load(Ordering::Relaxed) {
        0 => std::process::id(),
        remembered => remembered,
    }
}

/// Remembers the ID of this process, so that not every call has to ask the system for it.
///
/// If you call this in a process, call it also in every process that is forked from it later, before you use anything else from
/// this crate.
pub fn remember_id() {
    REMEMBERED.store(std::process::id(), Ordering::Relaxed);
}

/// A separate value for each process.
///
/// A child created by `fork` has a copy of its parent's memory, but only one of its threads. A lock may stay locked
/// forever, and event loops and connections still belong to the parent. So the child creates a value of its own and
/// leaves the inherited one alone. It does not even drop it, because closing a connection would disturb the parent.
///
/// ```
/// use proxymesh::process::PerProcess;
///
/// static NUMBER: PerProcess<u32> = PerProcess::empty();
/// let number = NUMBER.get_or_try_init(|_inherited| Ok::<_, ()>(7));
/// assert_eq!(number.as_deref(), Ok(&7));
/// ```
pub struct PerProcess<T> {
    /// There is no lock, because another thread could hold it during the fork.
    current: ArcSwapOption<Owned<T>>,
}

/// A value, and the process that created it.
struct Owned<T> {
    value: Arc<T>,
    process: u32,
}

impl<T> PerProcess<T> {
    /// Starts without a value.
    #[must_use]
    pub const fn empty() -> Self {
        Self { current: ArcSwapOption::const_empty() }
    }

    /// Starts with a value of this process.
    pub fn new(value: T) -> Self {
        Self { current: ArcSwapOption::new(Some(Arc::new(Owned::new(value)))) }
    }

    /// Returns this process's value. If there is none yet, `make` creates it. `make` receives the value of the process that
    /// this one was forked from, if any. It may only look at that value, and must not wait for anything in it. If several
    /// threads call this at the same time, `make` may run several times, and one of the values is kept.
    ///
    /// # Errors
    ///
    /// The errors of `make`.
    pub fn get_or_try_init<E>(&self, make: impl Fn(Option<&T>) -> Result<T, E>) -> Result<Arc<T>, E> {
        loop {
            let current = self.current.load();
            if let Some(owned) = &*current
                && owned.is_own()
            {
                return Ok(owned.value.clone());
            }
            let made = Owned::new(make(current.as_ref().map(|inherited| &*inherited.value))?);
            self.current.compare_and_swap(&current, Some(Arc::new(made)));
        }
    }
}

impl<T> Owned<T> {
    fn new(value: T) -> Self {
        Self { value: Arc::new(value), process: id() }
    }

    fn is_own(&self) -> bool {
        self.process == id()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.is_own() {
            std::mem::forget(self.value.clone());
        }
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerProcess").finish_non_exhaustive()
    }
}
