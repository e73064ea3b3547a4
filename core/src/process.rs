//! What a process made by `fork` must not share with its parent.

use arc_swap::ArcSwapOption;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// 0 for as long as nobody remembers it.
static REMEMBERED: AtomicU32 = AtomicU32::new(0);

/// The id of this process.
#[must_use]
pub fn id() -> u32 {
    match REMEMBERED.load(Ordering::Relaxed) {
        0 => std::process::id(),
        remembered => remembered,
    }
}

/// Remembers the id of this process, so that the system need not be asked at every call.
///
/// Who calls this once must call it in every process that is forked from then on, before anything else of this crate.
pub fn remember_id() {
    REMEMBERED.store(std::process::id(), Ordering::Relaxed);
}

/// A value of which every process has its own.
///
/// A child made by `fork` has a copy of all its parent's memory, and of its threads only one: a lock may be held for
/// ever, an event loop and a connection are still the parent's. So the child makes a value of its own, and leaves
/// the inherited one alone; it is not even dropped, as closing a connection would disturb the parent.
///
/// ```
/// use proxymesh::process::PerProcess;
///
/// static NUMBER: PerProcess<u32> = PerProcess::empty();
/// let number = NUMBER.get_or_try_init(|_inherited| Ok::<_, ()>(7));
/// assert_eq!(number.as_deref(), Ok(&7));
/// ```
pub struct PerProcess<T> {
    /// Without a lock, as another thread could hold it during the fork.
    current: ArcSwapOption<Owned<T>>,
}

/// A value, and the process that made it.
struct Owned<T> {
    value: Arc<T>,
    process: u32,
}

impl<T> PerProcess<T> {
    /// No value yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self { current: ArcSwapOption::const_empty() }
    }

    /// With the value of this process.
    pub fn new(value: T) -> Self {
        Self { current: ArcSwapOption::new(Some(Arc::new(Owned::new(value)))) }
    }

    /// This process's value; `make` makes it, if there is none yet. It is handed the value of the process that this one
    /// was forked from, if any, which it may only look at as long as it waits for nothing. When several threads come at
    /// once, what one of them made counts.
    ///
    /// # Errors
    ///
    /// Those of `make`.
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
