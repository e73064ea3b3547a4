//! How other languages make calls. They pass the number of a call and its arguments as bytes, and get its answer as bytes. The
//! bytes are in UniFFI's own format. [`jni`] exports this to the JVM, and [`c`] to Swift. No other part knows the language, and no
//! other part is unsafe.

pub(crate) mod c;
mod jni;
pub(crate) mod objects;
pub(crate) mod tasks;
pub(crate) mod wire;

use crate::{
    client::{BlockingClient, Client},
    error::Failure,
};
use objects::Object;
use proxymesh::{Error, endpoint::CALLS};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
};
use tokio::runtime::Handle;

/// A call of both clients, which the macro `calls` defines.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) number: i32,
    /// Makes the call on this thread.
    pub(crate) blocking: Blocking,
    /// Prepares the call for the worker.
    pub(crate) pending: fn(&Client, &mut &[u8]) -> Result<Pending, Failure>,
}

type Blocking = fn(&BlockingClient, &mut &[u8], Option<&Interrupted<'_>>) -> Result<Vec<u8>, Failure>;

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

/// Runs a function, or a method of the object with this handle. A call ends when `interrupted`, if given, returns true.
pub(crate) fn invoke(
    handle: i64,
    number: i32,
    mut input: &[u8],
    interrupted: Option<&Interrupted<'_>>,
) -> Vec<u8> {
    let done = match objects::get(handle) {
        None => functions()
            .find(|function| function.number == number)
            .map_or_else(|| Err(unknown()), |function| (function.run)(&mut input)),
        Some(object) => match (objects::method(number), &object) {
            (Some(method), _) => (method.run)(&object, &mut input),
            (None, Object::BlockingClient(client)) => calls()
                .find(|call| call.number == number)
                .map_or_else(|| Err(unknown()), |call| (call.blocking)(client, &mut input, interrupted)),
            (None, Object::Client(_)) => Err(unknown()),
        },
    };
    done.unwrap_or_else(wire::failure)
}

/// Turns a panic into an answer, because it must not reach the other language.
fn caught(act: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|panic| wire::failure(Failure::panicked(panic.as_ref())))
}

/// Starts a call on the worker, as the task with the given number from `tasks::number`. `done` gets the answer. If the call is
/// cancelled first, `done` is dropped.
pub(crate) fn start(
    task: i64,
    handle: i64,
    number: i32,
    input: &[u8],
    done: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        let (name, pending) = prepare(handle, number, input)?;
        Ok((worker(name)?, pending))
    }));
    match prepared.unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref()))) {
        Ok((worker, pending)) => tasks::start(task, &worker, pending, done),
        Err(failure) => done(wire::failure(failure)),
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

/// The worker, for the call with this name.
fn worker(name: &'static str) -> Result<Handle, Failure> {
    proxymesh::runtime::worker().map_err(|error| Error::lacking(core_name(name), &error).into())
}

/// The name of a call in the core: `ips.add` for `ips_add`.
fn core_name(name: &'static str) -> &'static str {
    CALLS.iter().map(|call| call.name).find(|core| core.replace('.', "_") == name).unwrap_or(name)
}

fn unknown() -> Failure {
    Failure::internal("the library has no such call")
}
