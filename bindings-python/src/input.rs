//! Converts text and whole numbers for calls. A value that cannot be converted raises `ValidationError`, not one of Python's own errors.

use crate::error::{Failure, Result};
use proxymesh::Error;
use pyo3::{prelude::*, types::PyString};

/// Why text is rejected. Python's own `UnicodeEncodeError` contains the whole text, which may be a password.
pub(crate) const SURROGATE: &str = "contains a lone surrogate, which is not a valid character";

fn bad(field: &'static str, reason: &str) -> Failure {
    Error::Validation { field, reason: reason.to_owned() }.into()
}

/// Text for `field`.
pub(crate) fn text<'a>(field: &'static str, value: &'a Bound<'_, PyString>) -> Result<&'a str> {
    value.to_str().map_err(|_| bad(field, SURROGATE))
}

/// Text for `field`, if there is one.
pub(crate) fn some_text<'a>(
    field: &'static str,
    value: Option<&'a Bound<'_, PyString>>,
) -> Result<Option<&'a str>> {
    value.map(|value| text(field, value)).transpose()
}

/// A whole number for `field`. It must fit in 64 bits.
pub(crate) fn whole(field: &'static str, value: &Bound<'_, PyAny>) -> Result<i64> {
    value.extract().map_err(|_| bad(field, "must be a whole number within range"))
}
