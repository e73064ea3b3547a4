//! The clients. Other languages refer to them by handles, which are looked up here, so a stale handle does no harm.

use super::{Function, number, wire};
use crate::{
    client::{BlockingClient, Client, Options},
    error::Failure,
};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

#[derive(Clone)]
pub(super) enum Object {
    Client(Arc<Client>),
    BlockingClient(Arc<BlockingClient>),
}

/// A method that both clients have, apart from the calls.
pub(crate) struct Method {
    #[cfg(test)]
    pub(crate) name: &'static str,
    pub(crate) number: i32,
    pub(super) run: fn(&Object, &mut &[u8]) -> Result<Vec<u8>, Failure>,
}

pub(crate) const METHODS: [Method; 3] = [
    Method {
        #[cfg(test)]
        name: "with_options",
        number: number("with_options(options:Options,)Self"),
        run: |object, input| {
            let options: Options = wire::read(input)?;
            let other = match object {
                Object::Client(client) => Object::Client(client.with_options(options)?),
                Object::BlockingClient(client) => Object::BlockingClient(client.with_options(options)?),
            };
            Ok(wire::value(insert(other)))
        },
    },
    Method {
        #[cfg(test)]
        name: "shut_down",
        number: number("shut_down()()"),
        run: |object, _| {
            match object {
                Object::Client(client) => client.shut_down(),
                Object::BlockingClient(client) => client.shut_down(),
            }
            Ok(wire::nothing())
        },
    },
    Method {
        #[cfg(test)]
        name: "base_url",
        number: number("base_url()Option<String>"),
        run: |object, _| {
            Ok(wire::value(match object {
                Object::Client(client) => client.base_url(),
                Object::BlockingClient(client) => client.base_url(),
            }))
        },
    },
];

pub(super) const CONSTRUCTORS: &[Function] = &[
    Function {
        #[cfg(test)]
        name: "Client.new",
        number: number("Client.new(settings:Settings,)Self"),
        run: |input| Ok(wire::value(insert(Object::Client(Arc::new(Client::new(wire::read(input)?)?))))),
    },
    Function {
        #[cfg(test)]
        name: "BlockingClient.new",
        number: number("BlockingClient.new(settings:Settings,)Self"),
        run: |input| {
            let client = BlockingClient::new(wire::read(input)?)?;
            Ok(wire::value(insert(Object::BlockingClient(Arc::new(client)))))
        },
    },
];

/// The method with this number.
pub(super) fn method(number: i32) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.number == number)
}

#[derive(Default)]
struct Objects {
    by_handle: HashMap<i64, Object>,
    /// The handles given out so far. 0 is no handle.
    count: i64,
}

static OBJECTS: LazyLock<RwLock<Objects>> = LazyLock::new(RwLock::default);

pub(super) fn get(handle: i64) -> Option<Object> {
    OBJECTS.read().unwrap_or_else(PoisonError::into_inner).by_handle.get(&handle).cloned()
}

fn insert(object: Object) -> i64 {
    let mut objects = OBJECTS.write().unwrap_or_else(PoisonError::into_inner);
    objects.count += 1;
    let handle = objects.count;
    objects.by_handle.insert(handle, object);
    handle
}

/// Forgets an object that is no longer used. Its calls in progress continue.
pub(crate) fn release(handle: i64) {
    let object = OBJECTS.write().unwrap_or_else(PoisonError::into_inner).by_handle.remove(&handle);
    // This closes connections, so it happens after the lock is released.
    drop(object);
}
