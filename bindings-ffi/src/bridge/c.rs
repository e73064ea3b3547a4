//! The functions for Swift, which `ProxyMeshFFI.h` declares.

use super::{caught, invoke, objects, start, tasks, wire};
use crate::{error::Failure, log};
use std::{
    ffi::{c_char, c_void},
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    slice,
    sync::Arc,
};

/// An answer, which belongs to the caller. The caller reads it where it is, and then passes it to `proxymesh_free`.
#[repr(C)]
pub(crate) struct Answer {
    pub(crate) bytes: *mut u8,
    pub(crate) length: usize,
    capacity: usize,
}

impl From<Vec<u8>> for Answer {
    fn from(answer: Vec<u8>) -> Self {
        let mut answer = ManuallyDrop::new(answer);
        Self { bytes: answer.as_mut_ptr(), length: answer.len(), capacity: answer.capacity() }
    }
}

/// Gets the answer of a call that was started, and its context.
type Callback = unsafe extern "C" fn(context: *mut c_void, answer: Answer);

/// Calls the callback exactly once: with the answer, or if it is dropped without one, with `Aborted`. So a caller never waits
/// forever.
pub(crate) struct Done {
    pub(crate) callback: Callback,
    pub(crate) context: *mut c_void,
}

// SAFETY: whoever starts a call promises that any thread may call the callback with the context.
unsafe impl Send for Done {}

impl Done {
    pub(crate) fn call(self, answer: Vec<u8>) {
        let this = ManuallyDrop::new(self);
        // SAFETY: this is the only call, because `drop` does not run.
        unsafe { (this.callback)(this.context, answer.into()) }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        // SAFETY: this is the only call, because `call` does not drop `self`.
        unsafe { (self.callback)(self.context, wire::failure(Failure::aborted()).into()) }
    }
}

/// Where the records of a call go; see [`log::Log`]. `release` is called once, when there will be no more records.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Log {
    pub(crate) context: *mut c_void,
    pub(crate) keep: unsafe extern "C" fn(context: *mut c_void, record: Answer),
    pub(crate) write: unsafe extern "C" fn(context: *mut c_void),
    pub(crate) release: unsafe extern "C" fn(context: *mut c_void),
}

/// The log that a caller has given away.
struct Given(Log);

// SAFETY: whoever gives a log promises that any thread may call these functions with the context.
unsafe impl Send for Given {}
unsafe impl Sync for Given {}

impl Given {
    /// The log at an address, which may be null.
    unsafe fn at(log: *const Log) -> Option<Arc<dyn log::Log>> {
        // SAFETY: the caller guarantees this.
        let log = unsafe { log.as_ref() }?;
        Some(Arc::new(Self(*log)))
    }
}

impl log::Log for Given {
    fn keep(&self, record: &[u8]) {
        // SAFETY: the context lives until `release` is called.
        unsafe { (self.0.keep)(self.0.context, record.to_vec().into()) }
    }

    fn write(&self) {
        // SAFETY: as above.
        unsafe { (self.0.write)(self.0.context) }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        // SAFETY: this is the last use of the context.
        unsafe { (self.0.release)(self.0.context) }
    }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn proxymesh_version() -> *const c_char {
    const { concat!(env!("CARGO_PKG_VERSION"), "\0") }.as_ptr().cast()
}

#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn proxymesh_invoke(
    handle: i64,
    number: i32,
    arguments: *const u8,
    length: usize,
    log: *const Log,
) -> Answer {
    // SAFETY: the caller passes bytes and their number, and perhaps a log.
    let (arguments, log) = unsafe { (bytes(arguments, length), Given::at(log)) };
    caught(|| invoke(handle, number, arguments, None, log.as_ref())).into()
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn proxymesh_task() -> i64 {
    tasks::number()
}

#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn proxymesh_start(
    task: i64,
    handle: i64,
    number: i32,
    arguments: *const u8,
    length: usize,
    log: *const Log,
    context: *mut c_void,
    callback: Callback,
) {
    let done = Done { callback, context };
    // SAFETY: the caller passes bytes and their number, and perhaps a log.
    let (arguments, log) = unsafe { (bytes(arguments, length), Given::at(log)) };
    // If this panics, it drops `done`.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        start(task, handle, number, arguments, log.as_ref(), move |answer| done.call(answer));
    }));
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn proxymesh_cancel(task: i64) {
    let _ = catch_unwind(|| tasks::cancel(task));
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn proxymesh_release(handle: i64) {
    let _ = catch_unwind(|| objects::release(handle));
}

#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn proxymesh_free(answer: Answer) {
    // SAFETY: these are the parts of a vector, and the caller frees it once.
    drop(unsafe { Vec::from_raw_parts(answer.bytes, answer.length, answer.capacity) });
}

/// The bytes at an address, which may be null if there are none.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: the caller guarantees this.
    unsafe { slice::from_raw_parts(start, length) }
}
