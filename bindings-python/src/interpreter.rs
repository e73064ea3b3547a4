//! Which interpreter of a process the package is for: the main one.
//!
//! Classes, cached modules and exceptions belong to the interpreter that made them, and Rust's statics to the process. Threads of
//! ours, such as the one that wakes an event loop, attach to the main interpreter whoever started them.

use pyo3::{
    exceptions::PyImportError,
    ffi,
    prelude::*,
    types::{PyDict, PyString},
};
use std::sync::atomic::{AtomicBool, Ordering};

/// Refuses every interpreter but the main one, and that too if Python was finalized and initialized again: what is cached is of
/// the former.
pub(crate) fn enter(py: Python<'_>) -> PyResult<()> {
    /// Whether there was one, which is known by a mark that it bears.
    static ENTERED: AtomicBool = AtomicBool::new(false);
    let mark = PyString::intern(py, "proxymesh._proxymesh");

    let (id, dict) = current(py)?;
    if id != 0 {
        // `proxymesh/__init__.py` says it in more words; it knows this one, which CPython's own text has, too.
        return Err(PyImportError::new_err("proxymesh does not support subinterpreters"));
    }
    if dict.contains(&mark)? {
        return Ok(());
    }
    if ENTERED.swap(true, Ordering::SeqCst) {
        let reason = "proxymesh cannot be imported after Python was finalized and initialized again in the same process; \
                      keep one interpreter for as long as the process runs";
        return Err(PyImportError::new_err(reason));
    }
    dict.set_item(mark, true)
}

/// The id of the interpreter that runs now, 0 for the main one, and the dictionary that extension modules share in it.
#[allow(unsafe_code)]
fn current(py: Python<'_>) -> PyResult<(i64, Bound<'_, PyDict>)> {
    // SAFETY: this thread is attached, so there is an interpreter, and it stays. The dictionary is borrowed from it, or null.
    unsafe {
        let state = ffi::PyInterpreterState_Get();
        let dict = Bound::from_borrowed_ptr_or_err(py, ffi::PyInterpreterState_GetDict(state))?;
        Ok((ffi::PyInterpreterState_GetID(state), dict.cast_into()?))
    }
}
