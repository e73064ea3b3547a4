//! The state that the server, the controls and the handle share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::world::World;

pub(crate) struct Shared {
    world: Mutex<World>,
    pub(crate) open_connections: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), open_connections: AtomicUsize::new(0) }
    }

    /// Ignores poisoning: a panic never leaves the world half changed.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.open_connections.load(Ordering::SeqCst)
    }
}
