//! Counts the bytes sent to a target and received from it, and adds them to the account's usage at once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::log::EntryKey;
use crate::shared::Shared;
use crate::state::holder::Holder;

/// A decimal gigabyte, which is how bandwidth is sold.
const GIGABYTE: f64 = 1e9;

/// The account that the traffic counts for, and the log entry that records it.
pub(super) struct Meter {
    pub(super) shared: Arc<Shared>,
    pub(super) holder: Holder,
    pub(super) entry: EntryKey,
}

impl Meter {
    fn book(&self, bytes: usize) {
        let mut world = self.shared.world();
        let now = world.clock.now();
        world.account.turn(now);
        let username = world.account.name_of(&self.holder).to_owned();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // If the account has been deleted in the meantime, this does nothing.
        world.account.book(&username, f64::from(bytes) / GIGABYTE);
        world.proxied.update(self.entry, |entry| entry.bytes += u64::from(bytes));
    }

    /// An error once a limit is reached or the account is deactivated, so that no more bytes pass.
    fn check(&self) -> io::Result<()> {
        let world = self.shared.world();
        let stopped =
            !world.account.is_active(&self.holder) || world.account.limit_reached(&self.holder).is_some();
        if stopped { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// The connection to a target.
pub(super) struct Metered {
    pub(super) stream: TcpStream,
    pub(super) meter: Meter,
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.meter.check()?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.meter.book(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.meter.check()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.meter.book(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
