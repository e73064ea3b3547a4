//! Passes bytes on in both directions, counts them, and ends a tunnel that is idle for too long.

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes},
    time::{Instant, sleep_until},
};

/// How much is read at a time in each direction.
const BUFFER: usize = 16 * 1024;

/// How many bytes went to the target, and came from it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
}

impl Meter {
    fn total(&self) -> u64 {
        self.sent.load(Ordering::Relaxed).wrapping_add(self.received.load(Ordering::Relaxed))
    }
}

/// Passes bytes on until both sides have ended, one has failed, or nothing came for `idle`. When one side ends, the other one is told,
/// and may still send.
pub(crate) async fn pass(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    target: &mut (impl AsyncRead + AsyncWrite + Unpin),
    meter: &Meter,
    idle: Duration,
) {
    let mut client = Counted { stream: client, read: &meter.sent };
    let mut target = Counted { stream: target, read: &meter.received };
    tokio::select! {
        _ = copy_bidirectional_with_sizes(&mut client, &mut target, BUFFER, BUFFER) => {}
        () = idle_for(meter, idle) => {}
    }
}

/// Returns once nothing was passed on for `idle`. It looks once in that time, so this may take up to twice as long.
async fn idle_for(meter: &Meter, idle: Duration) {
    let mut before = meter.total();
    loop {
        sleep_until(Instant::now() + idle).await;
        let now = meter.total();
        if now == before {
            return;
        }
        before = now;
    }
}

/// A stream, and how much was read from it.
struct Counted<'a, S> {
    stream: &'a mut S,
    read: &'a AtomicU64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<'_, S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *this.stream).poll_read(context, buffer))?;
        this.read.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<'_, S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_shutdown(context)
    }
}
