//! A descriptor that an event loop watches, so that a thread without the GIL can wake it.

pub(super) use system::Descriptor;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use rustix::{
        event::{EventfdFlags, eventfd},
        fd::{AsRawFd, OwnedFd},
        io::{read, write},
    };
    use std::io;

    /// A kernel event counter (eventfd).
    pub(crate) struct Descriptor(OwnedFd);

    impl Descriptor {
        pub(crate) fn new() -> io::Result<Option<Self>> {
            Ok(Some(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
        }

        pub(crate) fn number(&self) -> i32 {
            self.0.as_raw_fd()
        }

        pub(crate) fn wake(&self) {
            let _ = write(&self.0, &1_u64.to_ne_bytes());
        }

        pub(crate) fn awake(&self) {
            let _ = read(&self.0, &mut [0; 8]);
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod system {
    use std::{
        io::{self, Read, Write},
        os::{fd::AsRawFd, unix::net::UnixStream},
    };

    /// A pair of sockets. Writing to one makes the other readable.
    pub(crate) struct Descriptor {
        readable: UnixStream,
        writable: UnixStream,
    }

    impl Descriptor {
        pub(crate) fn new() -> io::Result<Option<Self>> {
            let (readable, writable) = UnixStream::pair()?;
            readable.set_nonblocking(true)?;
            writable.set_nonblocking(true)?;
            Ok(Some(Self { readable, writable }))
        }

        pub(crate) fn number(&self) -> i32 {
            self.readable.as_raw_fd()
        }

        pub(crate) fn wake(&self) {
            let _ = (&self.writable).write(&[1]);
        }

        pub(crate) fn awake(&self) {
            let mut bytes = [0; 64];
            while matches!((&self.readable).read(&mut bytes), Ok(64)) {}
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;

    /// On this system, there is no descriptor that every event loop can watch.
    pub(crate) enum Descriptor {}

    impl Descriptor {
        pub(crate) fn new() -> io::Result<Option<Self>> {
            Ok(None)
        }

        pub(crate) fn number(&self) -> i32 {
            match *self {}
        }

        pub(crate) fn wake(&self) {
            match *self {}
        }

        pub(crate) fn awake(&self) {
            match *self {}
        }
    }
}
