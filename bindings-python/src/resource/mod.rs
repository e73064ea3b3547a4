//! The handles of a client, one file a resource. Each method is one line over the core.

mod geo;
mod hostnames;
mod ips;
mod proxies;
mod sub_accounts;
mod tokens;

pub(crate) use geo::Geo;
pub(crate) use hostnames::Hostnames;
pub(crate) use ips::Ips;
pub(crate) use proxies::Proxies;
pub(crate) use sub_accounts::SubAccounts;
pub(crate) use tokens::Tokens;

use crate::error::exception;
use proxymesh::Error;
use pyo3::{prelude::*, types::PyString};

/// Raises the core's errors about input.
fn checked<T>(py: Python<'_>, result: proxymesh::Result<T>) -> PyResult<T> {
    result.map_err(|error| exception(py, &error))
}

/// Text for `field`. What no UTF-8 can hold is bad input like any other, and is not left to Python's own
/// `UnicodeEncodeError`: that carries the whole text, which may be a password.
pub(crate) fn text<'a>(
    py: Python<'_>,
    field: &'static str,
    value: &'a Bound<'_, PyString>,
) -> PyResult<&'a str> {
    value.to_str().map_err(|_| {
        let reason = "holds a lone surrogate, which is no character".to_owned();
        exception(py, &Error::Validation { field, reason })
    })
}

/// A whole number for `field`. What is none, or fits in no integer of the service, is bad input like any other.
pub(crate) fn whole(py: Python<'_>, field: &'static str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    value.extract().map_err(|_| {
        let reason = "is not a whole number, or not one in range".to_owned();
        exception(py, &Error::Validation { field, reason })
    })
}
