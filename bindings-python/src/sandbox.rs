//! Sandbox (to come).
use pyo3::prelude::*;

/// The service, emulated.
#[pyclass(frozen, module = "proxymesh.sandbox")]
pub(crate) struct Sandbox;
