//! The core's errors as exceptions of `proxymesh._errors`: same kind, same fields, same text.

use proxymesh::Error;
use pyo3::{intern, prelude::*, sync::PyOnceLock, types::PyDict};

/// A failure: an error of the core or a Python exception. Both are raised.
pub(crate) enum Failure {
    Core(Error),
    Python(PyErr),
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for Failure {
    fn from(raised: PyErr) -> Self {
        Self::Python(raised)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Python::attach(|py| exception(py, &error)),
            Failure::Python(raised) => raised,
        }
    }
}

/// Creates the exception for an error of the core.
fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match build(py, error).and_then(in_context) {
        Ok(exception) => PyErr::from_value(exception),
        Err(failed) => failed,
    }
}

/// Sets `__context__` to the exception that the caller is handling, if any. `raise` does this; raising from Rust does not.
fn in_context(exception: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let py = exception.py();
    let handled = py.import("sys")?.call_method0(intern!(py, "exc_info"))?.get_item(1)?;
    if !handled.is_none() {
        exception.setattr(intern!(py, "__context__"), handled)?;
    }
    Ok(exception)
}

/// Imports a module on demand. If file descriptors run out, Python's importer may raise anything, so this always raises `ConfigError`.
pub(crate) fn import<'py>(py: Python<'py>, module: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(module).map_err(|error| {
        let reason = format!("could not import the module {module}: {}", error.value(py));
        let raised = exception(py, &Error::Config { reason });
        raised.set_cause(py, Some(error));
        raised
    })
}

/// The module of the exceptions.
pub(crate) fn module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("proxymesh._errors").map(Bound::unbind))?;
    Ok(module.bind(py))
}

fn build<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let class = module(py)?.getattr(format!("{}Error", error.kind()))?;
    let fields = PyDict::new(py);
    fields.set_item(intern!(py, "call"), error.call())?;
    match error {
        Error::Validation { field, .. } => fields.set_item(intern!(py, "field"), field)?,
        Error::OutcomeUnknown { recovery_hint, .. } => {
            fields.set_item(intern!(py, "recovery_hint"), recovery_hint)?
        }
        _ => {}
    }
    if let Some(refusal) = error.refusal() {
        fields.set_item(intern!(py, "field_errors"), refusal.field_errors.clone())?;
    }
    let some = [
        ("reason", error.reason().map(|reason| reason.into_pyobject(py).map(Bound::into_any)).transpose()?),
        ("status", error.status().map(|status| status.into_pyobject(py).map(Bound::into_any)).transpose()?),
        ("body", error.body().map(|body| body.into_pyobject(py).map(Bound::into_any)).transpose()?),
        ("attempts", error.attempts().map(|n| n.into_pyobject(py).map(Bound::into_any)).transpose()?),
        (
            "retry_after",
            error
                .retry_after()
                .map(|wait| wait.as_secs_f64().into_pyobject(py).map(Bound::into_any))
                .transpose()?,
        ),
    ];
    for (name, value) in some {
        if let Some(value) = value {
            fields.set_item(name, value)?;
        }
    }
    class.call((error.to_string(),), Some(&fields))
}
