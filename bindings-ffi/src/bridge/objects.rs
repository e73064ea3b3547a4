//! The clients, and what they create. Other languages refer to them by handles, which are looked up here, so a stale handle does no
//! harm.

use super::{Function, number, unknown, wire};
use crate::{
    client::{BlockingClient, Client, Options, Via},
    error::Failure,
    follower::{Follower, FollowerOptions},
    lease::{Lease, LeaseOptions},
    pool::{Pool, PoolOptions},
    proxy::ProxyInput,
};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

#[derive(Clone)]
pub(crate) enum Object {
    Client(Arc<Client>),
    BlockingClient(Arc<BlockingClient>),
    Pool(Arc<Pool>),
    Lease(Arc<Lease>),
    Follower(Arc<Follower>),
}

impl Object {
    /// The client that it is, or that has created it.
    pub(super) fn via(&self) -> Via {
        match self {
            Self::Client(client) => Via::Client(client.clone()),
            Self::BlockingClient(client) => Via::BlockingClient(client.clone()),
            Self::Pool(pool) => pool.via.clone(),
            Self::Lease(lease) => lease.via.clone(),
            Self::Follower(follower) => follower.via.clone(),
        }
    }
}

/// A method that does not wait for the network.
pub(crate) struct Method {
    #[cfg(test)]
    pub(crate) name: &'static str,
    pub(crate) number: i32,
    pub(crate) run: fn(&Object, &mut &[u8]) -> Result<Vec<u8>, Failure>,
}

/// A method of both clients.
macro_rules! method {
    ($name:literal, $signature:literal, |$client:ident, $input:ident| $run:expr) => {
        Method {
            #[cfg(test)]
            name: $name,
            number: number(concat!($name, $signature)),
            run: |object, $input| match object {
                Object::Client($client) => Ok($run),
                Object::BlockingClient($client) => Ok($run),
                _ => Err(unknown()),
            },
        }
    };
}

/// What both clients have, apart from the calls.
pub(crate) const METHODS: &[Method] = &[
    method!("with_options", "(options:Options,)Self", |client, input| {
        wire::value(insert(client.with_options(wire::read::<Options>(input)?)?.into()))
    }),
    method!("shut_down", "()()", |client, _input| {
        client.shut_down();
        wire::nothing()
    }),
    method!("base_url", "()Option<String>", |client, _input| wire::value(client.base_url())),
    method!("pool", "(options:PoolOptions,)Self", |client, input| {
        wire::value(insert(Object::Pool(client.clone().pool(wire::read::<PoolOptions>(input)?)?)))
    }),
    method!("lease", "(options:LeaseOptions,)Self", |client, input| {
        wire::value(insert(Object::Lease(client.clone().lease(wire::read::<LeaseOptions>(input)?)?)))
    }),
    method!("follower", "(options:FollowerOptions,)Self", |client, input| {
        wire::value(insert(Object::Follower(client.clone().follower(wire::read::<FollowerOptions>(input)?)?)))
    }),
    method!("using_own", "(proxy:ProxyInput,)Proxy", |client, input| {
        wire::value(client.using_own(wire::read::<ProxyInput>(input)?)?)
    }),
];

impl From<Arc<Client>> for Object {
    fn from(client: Arc<Client>) -> Self {
        Self::Client(client)
    }
}

impl From<Arc<BlockingClient>> for Object {
    fn from(client: Arc<BlockingClient>) -> Self {
        Self::BlockingClient(client)
    }
}

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

/// Every method.
pub(crate) fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().chain(crate::pool::METHODS).chain(crate::follower::METHODS)
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
