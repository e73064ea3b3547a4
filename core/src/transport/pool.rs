//! The connections of one client.

use super::{
    connection::{Connection, Connector, Head},
    lock,
    outcome::Cause,
    outgoing::Message,
};
use hyper::{body::Incoming, header::HeaderMap};
use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{
    runtime::{self, Handle},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// How long a connection may be idle. This is shorter than the limit of common servers and load balancers.
const IDLE: Duration = Duration::from_secs(15);

/// Opens connections, and keeps those that are idle for the next requests.
pub(super) struct Pool {
    connector: Connector,
    /// The headers of every request.
    headers: HeaderMap,
    /// One for each request that may be in flight. Before a connection is opened, idle ones beyond the number of free turns are
    /// closed, so the turns also limit the number of connections.
    turns: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// In the order in which they became idle.
    connections: Vec<IdleConnection>,
    /// The runtime whose task closes those that have been idle for too long. Other runtimes may not be running.
    watched_by: Option<runtime::Id>,
}

impl Idle {
    fn no_longer_watched_by(&mut self, runtime: runtime::Id) {
        if self.watched_by == Some(runtime) {
            self.watched_by = None;
        }
    }
}

struct IdleConnection {
    /// Boxed, because it is large, and moved between calls.
    connection: Box<Connection>,
    since: Instant,
    /// Only this runtime notices what arrives on the connection.
    runtime: runtime::Id,
}

/// The turn of one request. The request has at most one connection at a time.
pub(super) struct Turn {
    /// Dropping it gives up the turn.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(super) fn new(connector: Connector, headers: HeaderMap, connections: usize) -> Self {
        let turns = Semaphore::new(connections.min(Semaphore::MAX_PERMITS));
        Self { connector, headers, turns: Arc::new(turns), idle: Mutex::default() }
    }

    /// Waits until the number of connections allows another request.
    pub(super) async fn turn(&self) -> Turn {
        let permit = match self.turns.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            // This fails only if the semaphore is closed, which it never is.
            Err(_) => self.turns.clone().acquire_owned().await.ok(),
        };
        Turn { _permit: permit }
    }

    /// Takes the request and sends it. Returns the head of the response, and the connection on which its body arrives. `fresh`
    /// asks for a connection that no other request has used.
    pub(super) async fn send(
        &self,
        message: &mut Option<Message>,
        fresh: bool,
    ) -> Result<(Box<Connection>, Head, Incoming), Cause> {
        loop {
            let idle = if fresh { None } else { self.take() };
            let reused = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                // What happens seldom is boxed, so that the future of a call is small.
                None => Box::pin(self.connect()).await?,
            };
            match connection.send(message, &self.headers).await {
                Ok((head, body)) => return Ok((connection, head, body)),
                // The service closed the idle connection before anything was written to it.
                Err(_) if reused && message.is_some() => {}
                Err(cause) => return Err(cause),
            }
        }
    }

    async fn connect(&self) -> Result<Box<Connection>, Cause> {
        {
            let idle = &mut lock(&self.idle).connections;
            let surplus = idle.len().saturating_sub(self.turns.available_permits());
            idle.drain(..surplus);
        }
        Ok(Box::new(self.connector.connect().await?))
    }

    /// The connection that became idle last. The service may have closed it since.
    fn take(&self) -> Option<Box<Connection>> {
        let runtime = Handle::current().id();
        loop {
            let idle = {
                let mut idle = lock(&self.idle);
                let last = idle.connections.iter().rposition(|idle| idle.runtime == runtime)?;
                idle.connections.remove(last)
            };
            if idle.since.elapsed() < IDLE {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection for the next request, if the response was read to its end and the service keeps it open as well.
    pub(super) async fn keep(self: &Arc<Self>, mut connection: Box<Connection>) {
        if !connection.is_idle().await {
            return;
        }
        let runtime = Handle::current();
        let is_watched = {
            let mut idle = lock(&self.idle);
            idle.connections.push(IdleConnection {
                connection,
                since: Instant::now(),
                runtime: runtime.id(),
            });
            idle.watched_by.replace(runtime.id()) == Some(runtime.id())
        };
        if !is_watched {
            // A runtime that is shutting down drops the task at once, and the task then needs the lock.
            runtime.spawn(Watch { pool: Arc::downgrade(self), runtime: runtime.id() }.run());
        }
    }
}

/// How many connections a client may have by default. A process may have only about a thousand file descriptors, and other clients.
/// More than 256 connections do not make a client faster.
pub(super) fn default_size() -> usize {
    #[cfg(unix)]
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let descriptors = None;
    size_for(descriptors)
}

fn size_for(descriptors: Option<u64>) -> usize {
    descriptors.map_or(256, |most| (most / 4).clamp(64, 256) as usize)
}

/// Closes the connections that have been idle for too long, until none is left.
struct Watch {
    pool: Weak<Pool>,
    runtime: runtime::Id,
}

impl Watch {
    async fn run(mut self) {
        while let Some(next) = self.close_old() {
            sleep_until(next).await;
        }
    }

    /// Closes the connections that have been idle for too long. Returns when this is next necessary, or `None` if none is left.
    fn close_old(&mut self) -> Option<Instant> {
        let pool = self.pool.upgrade()?;
        let mut idle = lock(&pool.idle);
        let old = idle.connections.iter().take_while(|idle| idle.since.elapsed() >= IDLE).count();
        idle.connections.drain(..old);
        let next = idle.connections.first().map(|idle| idle.since + IDLE);
        if next.is_none() {
            idle.no_longer_watched_by(self.runtime);
            self.pool = Weak::new();
        }
        next
    }
}

impl Drop for Watch {
    /// If the runtime was shut down, the next connection that becomes idle starts another watch.
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            lock(&pool.idle).no_longer_watched_by(self.runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_size_depends_on_how_many_files_the_process_may_open() {
        for (descriptors, size) in [
            (Some(0), 64),
            (Some(256), 64),
            (Some(600), 150),
            (Some(1024), 256),
            (Some(u64::MAX), 256),
            (None, 256),
        ] {
            assert_eq!(size_for(descriptors), size, "{descriptors:?}");
        }
    }
}
