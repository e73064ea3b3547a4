//! Converts text and numbers for settings. A value of the wrong type or out of range is rejected with an error that names the setting.
//! Python's own errors have three different classes and do not always name it.

use crate::{
    error::{Failure, Result},
    input::SURROGATE,
};
use proxymesh::{Error, binding};
use pyo3::{
    exceptions::PyOverflowError,
    prelude::*,
    types::{PyBool, PyFloat, PyInt, PyString},
};
use std::fmt::Display;

/// Text for a setting, if there is one.
pub(crate) fn text(name: &str, value: Option<&Bound<'_, PyString>>) -> Result<Option<String>> {
    let read = |value: &Bound<'_, PyString>| match value.to_str() {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Error::Config { reason: format!("{name} {SURROGATE}") }.into()),
    };
    value.map(read).transpose()
}

/// The name of the value's type, because the value itself may be long.
fn type_of(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string())
}

fn number(name: &'static str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let refused = |given: &dyn Display| Failure::Core(binding::no_seconds(name, given)).into();
    if value.is_instance_of::<PyBool>() {
        return Err(refused(&"bool"));
    }
    value.extract().map_err(|error: PyErr| match error.is_instance_of::<PyOverflowError>(value.py()) {
        true => refused(&"a number that large"),
        false => refused(&type_of(value)),
    })
}

pub(crate) fn timeout(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    number("timeout", value)
}

pub(crate) fn connect_timeout(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    number("connect_timeout", value)
}

pub(crate) fn max_retries(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    whole(value, |given| binding::no_retries(given))
}

fn whole(value: &Bound<'_, PyAny>, refusal: impl Fn(&dyn Display) -> Error) -> PyResult<i64> {
    let refused = |given: &dyn Display| Failure::Core(refusal(given)).into();
    if value.is_instance_of::<PyBool>() || value.is_instance_of::<PyFloat>() {
        return Err(refused(&type_of(value)));
    }
    value.extract().map_err(|_| match value.is_instance_of::<PyInt>() {
        true => refused(&"a number that large"),
        false => refused(&type_of(value)),
    })
}

/// `None` means the default.
pub(crate) fn some_connections(value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    (!value.is_none()).then(|| whole(value, |given| binding::no_connections(given))).transpose()
}

/// `None` keeps the client's value.
pub(crate) fn some_timeout(value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    (!value.is_none()).then(|| timeout(value)).transpose()
}

pub(crate) fn some_retries(value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    (!value.is_none()).then(|| max_retries(value)).transpose()
}

pub(crate) fn ttl(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    option("ttl", value)
}

pub(crate) fn cooldown(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    option("cooldown", value)
}

pub(crate) fn interval(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    option("interval", value)
}

/// A number of seconds. The core itself checks the range.
fn option(field: &'static str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let number = if value.is_instance_of::<PyBool>() { None } else { value.extract().ok() };
    number.ok_or_else(|| {
        let reason = "must be a number of seconds greater than 0".to_owned();
        Failure::Core(Error::Validation { field, reason }).into()
    })
}
