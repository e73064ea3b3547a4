//! The package works only in a process's main interpreter.
//!
//! Classes, cached modules and exceptions belong to the interpreter that created them, but Rust's statics belong to the process. Our
//! own threads, such as the one that wakes an event loop, attach to the main interpreter, whichever interpreter started them.

use pyo3::{
    exceptions::PyImportError,
    ffi,
    prelude::*,
    types::{PyDict, PyString},
};
use std::sync::atomic::{AtomicBool, Ordering};

/// Rejects every interpreter except the main one. Also rejects the main one if Python was finalized and initialized again, because
/// the cached objects belong to the previous one.
pub(crate) fn enter(py: Python<'_>) -> PyResult<()> {
    /// Whether an interpreter of this process has imported the package. A mark in the interpreter's dictionary tells whether it was
    /// this one.
    static ENTERED: AtomicBool = AtomicBool::new(false);
    let mark = PyString::intern(py, "proxymesh._proxymesh");

    let (id, dict) = current(py)?;
    if id != 0 {
        // `proxymesh/__init__.py` looks for the word `subinterpreters`, which CPython's own message contains too, and raises a
        // longer message.
        return Err(PyImportError::new_err("proxymesh does not support subinterpreters"));
    }
    if dict.contains(&mark)? {
        return Ok(());
    }
    if ENTERED.swap(true, Ordering::SeqCst) {
        let reason = "proxymesh cannot be imported after Python was finalized and initialized again in the same process; \
                      keep one interpreter for the lifetime of the process";
        return Err(PyImportError::new_err(reason));
    }
    dict.set_item(mark, true)
}

/// The id of the current interpreter, 0 for the main one, and its dictionary for extension modules.
#[allow(unsafe_code)]
fn current(py: Python<'_>) -> PyResult<(i64, Bound<'_, PyDict>)> {
    // SAFETY: this thread is attached, so the interpreter exists and stays alive. The dictionary is borrowed from it, or null.
    unsafe {
        let state = ffi::PyInterpreterState_Get();
        let dict = Bound::from_borrowed_ptr_or_err(py, ffi::PyInterpreterState_GetDict(state))?;
        Ok((ffi::PyInterpreterState_GetID(state), dict.cast_into()?))
    }
}
