//! How `AsyncClient` makes a call: our own worker thread drives it, and tells the event loop when it has ended.
//!
//! The worker never waits for the GIL. It puts the outcome of a call into the queue of the event loop that awaits it ([`completions`]),
//! and wakes the loop once for everything in the queue. The loop then empties the queue. The worker holds no Python objects, so
//! the interpreter may shut down at any time.

mod call;
mod completions;
mod descriptor;

pub(crate) use call::Call;

use crate::{
    call::{Caller, Mode, Response, Shared},
    error::Result,
};
use proxymesh::{Client, Pending, endpoint::Endpoint, resource::Dispatch};
use pyo3::prelude::*;

/// A client whose calls are driven by the worker thread.
pub(crate) struct Awaited(Client);

impl Mode for Awaited {
    fn new(client: Client) -> proxymesh::Result<Self> {
        Ok(Self(client))
    }

    fn client(&self) -> &Client {
        &self.0
    }
}

/// A result to wait for, and the name of its call.
pub(crate) struct Reply<T> {
    call: &'static str,
    response: Pending<T>,
}

impl Dispatch for Caller<'_, Awaited> {
    type Reply<T: Send + 'static> = Reply<T>;

    fn dispatch<E: Endpoint>(&self, endpoint: proxymesh::Result<E>) -> Reply<E::Response> {
        Reply { call: E::CALL.name, response: self.client.dispatch(endpoint) }
    }
}

impl<'py> Caller<'py, Awaited> {
    /// Returns an awaitable for a call. Nothing is sent until it is awaited. Invalid input is reported then, too.
    pub(crate) fn make<T: Response>(
        py: Python<'py>,
        shared: &Shared<Awaited>,
        name: &'static str,
        call: impl FnOnce(&Self) -> Result<Reply<T>>,
    ) -> Result<Bound<'py, PyAny>> {
        let made = Self::new(py, shared).and_then(|caller| Ok((call(&caller)?, caller.log)));
        let made = match made {
            Ok((reply, log)) => Call::of(name, reply.call, log, reply.response),
            Err(failure) => Call::at_once(name, move |_| Err(failure.into())),
        };
        Ok(Bound::new(py, made)?.into_any())
    }
}
