//! How other languages make calls. They pass the number of a call and its arguments as bytes, and get its answer as bytes. The
//! bytes are in UniFFI's own format. [`jni`] exports this to the JVM, and [`c`] to Swift. No other part knows the language, and no
//! other part is unsafe.

pub(crate) mod c;
mod jni;
pub(crate) mod objects;
pub(crate) mod tasks;
pub(crate) mod wire;

use crate::{
    blocking,
    client::{BlockingClient, Client, Via},
    error::Failure,
    log::{Log, observer},
};
use objects::Object;
use proxymesh::{Error, blocking::Driver, endpoint::CALLS};
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

/// A method of an object that calls the service, or a function that connects to a proxy.
pub(crate) struct Operation {
    #[cfg(test)]
    pub(crate) name: &'static str,
    pub(crate) number: i32,
    /// The name in errors of the system.
    pub(crate) call: &'static str,
    /// Whether it ends if its thread is interrupted.
    pub(crate) is_interruptible: bool,
    /// Prepares it for the worker or for this thread, with the client to use there.
    pub(crate) make: Make,
}

type Make = fn(Option<Object>, Option<proxymesh::Client>, &mut &[u8]) -> Result<Work, Failure>;

/// What an operation does. Its output is the answer.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send>>;

/// Every operation.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    let files = [
        crate::follower::OPERATIONS,
        crate::lease::OPERATIONS,
        crate::pool::OPERATIONS,
        crate::proxy::OPERATIONS,
    ];
    files.into_iter().flatten()
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

/// Runs a function, or a method of the object with this handle. A call ends when `interrupted`, if given, returns true. Its records
/// are kept in `log`, if given.
pub(crate) fn invoke(
    handle: i64,
    number: i32,
    mut input: &[u8],
    interrupted: Option<&Interrupted<'_>>,
    log: Option<&Arc<dyn Log>>,
) -> Vec<u8> {
    let object = objects::get(handle);
    let look = || {
        if let Some(log) = log {
            log.write();
        }
        interrupted.is_some_and(|interrupted| interrupted())
    };
    let interrupted = if log.is_some() { Some(&look as &Interrupted<'_>) } else { interrupted };
    let done = if let Some(operation) = operations().find(|operation| operation.number == number) {
        perform(operation, object, &mut input, interrupted, log)
    } else {
        match object {
            None => functions()
                .find(|function| function.number == number)
                .map_or_else(|| Err(unknown()), |function| (function.run)(&mut input)),
            Some(object) => match (objects::methods().find(|method| method.number == number), object) {
                (Some(method), object) => (method.run)(&object, &mut input),
                (None, Object::BlockingClient(mut client)) => {
                    if let Some(log) = log {
                        client = client.logged(log);
                    }
                    calls().find(|call| call.number == number).map_or_else(
                        || Err(unknown()),
                        |call| (call.blocking)(&client, &mut input, interrupted),
                    )
                }
                (None, _) => Err(unknown()),
            },
        }
    };
    done.unwrap_or_else(wire::failure)
}

/// Performs an operation on this thread.
fn perform(
    operation: &Operation,
    object: Option<Object>,
    input: &mut &[u8],
    interrupted: Option<&Interrupted<'_>>,
    log: Option<&Arc<dyn Log>>,
) -> Result<Vec<u8>, Failure> {
    let interrupted = interrupted.filter(|_| operation.is_interruptible);
    match object.as_ref().map(Object::via) {
        None => {
            let work = (operation.make)(None, None, input)?;
            blocking::wait(&Driver::new(), operation.call, interrupted, work)
        }
        Some(Via::BlockingClient(mut client)) => {
            if let Some(log) = log {
                client = client.logged(log);
            }
            client.make(interrupted, |caller| {
                Ok((operation.make)(object, Some(caller.client().clone()), input)
                    .and_then(|work| caller.wait(operation.call, work)))
            })
        }
        Some(Via::Client(_)) => Err(unknown()),
    }
}

/// Turns a panic into an answer, because it must not reach the other language.
fn caught(act: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|panic| wire::failure(Failure::panicked(panic.as_ref())))
}

/// Starts a call on the worker, as the task with the given number from `tasks::number`. Its records are kept in `log`, if given.
/// `done` gets the answer. If the call is cancelled first, `done` is dropped.
pub(crate) fn start(
    task: i64,
    handle: i64,
    number: i32,
    input: &[u8],
    log: Option<&Arc<dyn Log>>,
    done: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        let (name, pending) = prepare(handle, number, input, log)?;
        Ok((worker(name)?, pending))
    }));
    match prepared.unwrap_or_else(|panic| Err(Failure::panicked(panic.as_ref()))) {
        Ok((worker, pending)) => tasks::start(task, &worker, pending, done),
        Err(failure) => done(wire::failure(failure)),
    }
}

fn prepare(
    handle: i64,
    number: i32,
    mut input: &[u8],
    log: Option<&Arc<dyn Log>>,
) -> Result<(&'static str, Pending), Failure> {
    let object = objects::get(handle);
    if let Some(operation) = operations().find(|operation| operation.number == number) {
        let client = object.as_ref().map(|object| object.via().for_worker()).transpose()?;
        let client = client.map(|client| match log {
            Some(log) => client.with_observer(observer(log.clone())),
            None => client,
        });
        let work = (operation.make)(object, client, &mut input)?;
        return Ok((operation.call, Box::pin(async { work.await.unwrap_or_else(wire::failure) })));
    }
    let call = calls().find(|call| call.number == number).ok_or_else(unknown)?;
    let mut client = match object {
        Some(Object::Client(client)) => client,
        Some(Object::BlockingClient(client)) => Arc::new(client.apart()?),
        _ => return Err(unknown()),
    };
    if let Some(log) = log {
        client = client.logged(log);
    }
    Ok((call.name, (call.pending)(&client, &mut input)?))
}

/// The worker, for the call with this name.
pub(crate) fn worker(name: &'static str) -> Result<Handle, Failure> {
    proxymesh::runtime::worker().map_err(|error| Error::lacking(core_name(name), &error).into())
}

/// The name of a call in the core: `ips.add` for `ips_add`.
fn core_name(name: &'static str) -> &'static str {
    CALLS.iter().map(|call| call.name).find(|core| core.replace('.', "_") == name).unwrap_or(name)
}

pub(crate) fn unknown() -> Failure {
    Failure::internal("the library has no such call")
}
