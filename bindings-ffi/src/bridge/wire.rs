//! Values as bytes, in UniFFI's own format.

use crate::{UniFfiTag, error::Failure, log::LogRecord, model::Response};
use uniffi::{Lift, Lower};

/// The first byte of every answer.
const VALUE: u8 = 0;
const FAILURE: u8 = 1;

/// Reads the next argument.
pub(crate) fn read<T: Lift<UniFfiTag>>(input: &mut &[u8]) -> Result<T, Failure> {
    T::try_read(input).map_err(|error| Failure::internal(&format!("unreadable argument: {error}")))
}

/// The answer with what a call returned. `T` is the type that the description gives it.
pub(crate) fn response<T, A: Response<Described = T>>(response: A) -> Vec<u8> {
    let mut answer = started();
    response.write(&mut answer);
    answer
}

/// The answer with a value.
pub(crate) fn value<T: Lower<UniFfiTag>>(value: T) -> Vec<u8> {
    let mut answer = started();
    T::write(value, &mut answer);
    answer
}

/// The answer without a value.
pub(crate) fn nothing() -> Vec<u8> {
    vec![VALUE]
}

/// The answer with an error.
pub(crate) fn failure(failure: Failure) -> Vec<u8> {
    let mut answer = vec![FAILURE];
    <Failure as Lower<UniFfiTag>>::write(failure, &mut answer);
    answer
}

/// A record for the log.
pub(crate) fn record(record: LogRecord) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    <LogRecord as Lower<UniFfiTag>>::write(record, &mut bytes);
    bytes
}

fn started() -> Vec<u8> {
    let mut answer = Vec::with_capacity(256);
    answer.push(VALUE);
    answer
}
