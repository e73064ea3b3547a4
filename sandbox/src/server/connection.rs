//! One TCP connection: served by hyper, watched so that it can be closed as a fault wants it.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{self, Instant};

use super::{Shared, exchange};

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    from: IpAddr,
    shared: Arc<Shared>,
    keep_alive: Option<Duration>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers come in small pieces; without this they would wait for the client's ACK.
    let _ = stream.set_nodelay(true);
    let link = Arc::new(Link::new(keep_alive));
    let wire = Wire::new(stream, Arc::clone(&link), Arc::clone(&shared));
    let service =
        service_fn(|request| exchange::exchange(Arc::clone(&shared), Arc::clone(&link), from, request));
    let mut serving = std::pin::pin!(http1::Builder::new().serve_connection(wire, service));
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            // An error is the client's, or a fault's way to end the connection.
            _ = serving.as_mut() => break,
            _ = stop.changed(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
            () = link.changed.notified() => {}
            () = link.time_to_close() => break,
        }
    }
}

/// What is known of a connection beside its bytes.
#[derive(Debug)]
pub(super) struct Link {
    phase: Mutex<Phase>,
    changed: Notify,
    reset: AtomicBool,
}

#[derive(Debug)]
struct Phase {
    busy: bool,
    idle_since: Instant,
    /// How long the connection may be idle.
    patience: Option<Duration>,
}

impl Link {
    fn new(patience: Option<Duration>) -> Self {
        let phase = Phase { busy: false, idle_since: Instant::now(), patience };
        Self { phase: Mutex::new(phase), changed: Notify::new(), reset: AtomicBool::new(false) }
    }

    /// Keeps the connection from being idle for as long as the guard lives.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.phase().busy = true;
        self.changed.notify_one();
        Busy(Arc::clone(self))
    }

    /// Closes the connection this long after it becomes idle.
    pub(super) fn close_idle(&self, after: Duration) {
        self.phase().patience = Some(after);
    }

    /// Lets the connection end with a TCP RST.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::SeqCst);
    }

    /// Ends when the connection has been idle long enough; never, if it may be idle for ever.
    async fn time_to_close(&self) {
        let deadline = {
            let phase = self.phase();
            let patience = phase.patience.filter(|_| !phase.busy);
            patience.and_then(|patience| phase.idle_since.checked_add(patience))
        };
        match deadline {
            Some(deadline) => time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call is in progress on the connection.
#[derive(Debug)]
pub(super) struct Busy(Arc<Link>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut phase = self.0.phase();
        phase.busy = false;
        phase.idle_since = Instant::now();
        drop(phase);
        self.0.changed.notify_one();
    }
}

/// The stream, counted while it is open, and reset at its end if the link says so.
struct Wire {
    io: TokioIo<TcpStream>,
    link: Arc<Link>,
    shared: Arc<Shared>,
}

impl Wire {
    fn new(stream: TcpStream, link: Arc<Link>, shared: Arc<Shared>) -> Self {
        shared.open_connections.fetch_add(1, Ordering::SeqCst);
        Self { io: TokioIo::new(stream), link, shared }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.link.reset.load(Ordering::SeqCst) {
            let _ = self.io.inner().set_zero_linger();
        }
        self.shared.open_connections.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
