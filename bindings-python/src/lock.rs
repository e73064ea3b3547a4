//! A mutex without poisoning.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ignores poisoning: each change is a single step, so a panic elsewhere leaves the state consistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
