//! The exports for the JVM. Kotlin and Java make each call with its number and with its arguments as bytes, and get its answer as
//! bytes. The bytes are in UniFFI's own format. [`jni`] is the only part that knows the JVM.
//!
//! UniFFI does not support JNI yet. Once it does, its own code can replace this module and the Kotlin code that bindgen
//! generates for it.

mod jni;
pub(crate) mod objects;
pub(crate) mod tasks;
pub(crate) mod wire;

use crate::{
    client::{BlockingClient, Client},
    error::Failure,
};
use objects::Object;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
};

/// A call of both clients, which the macro `calls` defines.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) number: i32,
    /// Makes the call on this thread.
    pub(crate) blocking: Blocking,
    /// Prepares the call for the worker.
    pub(crate) pending: fn(&Client, &mut &[u8]) -> Result<Pending, Failure>,
}

type Blocking = fn(&BlockingClient, &mut &[u8], &Interrupted<'_>) -> Result<Vec<u8>, Failure>;

/// Says whether the thread that makes a call is interrupted.
pub(crate) type Interrupted<'a> = dyn Fn() -> bool + 'a;

/// The future of a call, for the worker. Its output is the answer.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;

/// A function that belongs to no client.
pub(crate) struct Function {
    #[cfg(test)]
    pub(crate) name: &'static str,
    pub(crate) number: i32,
    pub(crate) run: fn(&mut &[u8]) -> Result<Vec<u8>, Failure>,
}

/// Every call.
pub(crate) fn calls() -> impl Iterator<Item = &'static Call> {
    let files = [
        crate::geo::CALLS,
        crate::hostnames::CALLS,
        crate::ips::CALLS,
        crate::proxies::CALLS,
        crate::sub_accounts::CALLS,
        crate::tokens::CALLS,
    ];
    files.into_iter().flatten()
}

/// Every function, with those that create clients.
pub(crate) fn functions() -> impl Iterator<Item = &'static Function> {
    crate::proxy::FUNCTIONS.iter().chain(objects::CONSTRUCTORS)
}

/// The number of a call or function. It is a hash of the signature, so a call with another signature has another number. White
/// space does not count, because the compiler chooses it.
pub(crate) const fn number(signature: &str) -> i32 {
    let mut hash: u32 = 0x811c_9dc5; // FNV-1a
    let mut rest = signature.as_bytes();
    while let [byte, after @ ..] = rest {
        if *byte != b' ' {
            hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
        }
        rest = after;
    }
    hash.cast_signed()
}

/// Runs a function, or a method of the object with this handle. `interrupted` says whether the thread is interrupted; if it is,
/// that ends a call.
pub(crate) fn invoke(handle: i64, number: i32, mut input: &[u8], interrupted: &Interrupted<'_>) -> Vec<u8> {
    let done = match objects::get(handle) {
        None => functions()
            .find(|function| function.number == number)
            .map_or_else(|| Err(unknown()), |function| (function.run)(&mut input)),
        Some(object) => match (object.method(number), &object) {
            (Some(method), _) => method(&object, &mut input),
            (None, Object::BlockingClient(client)) => calls()
                .find(|call| call.number == number)
                .map_or_else(|| Err(unknown()), |call| (call.blocking)(client, &mut input, interrupted)),
            (None, Object::Client(_)) => Err(unknown()),
        },
    };
    done.unwrap_or_else(wire::failure)
}

/// Starts a call on the worker. `done` gets the answer, unless the call is cancelled first. Returns a number for `tasks::cancel`.
pub(crate) fn start(
    handle: i64,
    number: i32,
    input: &[u8],
    done: impl FnOnce(&[u8]) + Send + 'static,
) -> i64 {
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        let (name, pending) = prepare(handle, number, input)?;
        Ok((crate::runtime::handle(name)?, pending))
    }));
    match prepared.unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref()))) {
        Ok((worker, pending)) => tasks::start(&worker, pending, done),
        Err(failure) => {
            done(&wire::failure(failure));
            0
        }
    }
}

fn prepare(handle: i64, number: i32, mut input: &[u8]) -> Result<(&'static str, Pending), Failure> {
    let call = calls().find(|call| call.number == number).ok_or_else(unknown)?;
    let client = match objects::get(handle) {
        Some(Object::Client(client)) => client,
        Some(Object::BlockingClient(client)) => Arc::new(client.apart()?),
        None => return Err(unknown()),
    };
    Ok((call.name, (call.pending)(&client, &mut input)?))
}

fn unknown() -> Failure {
    Failure::internal("the library has no such call")
}
