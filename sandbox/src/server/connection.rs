//! One TCP connection. Hyper serves it, and it is closed here when a fault or the limit on idle time requires it.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::exchange;
use super::link::Link;
use crate::shared::Shared;

/// Serves one connection until it ends.
pub(super) async fn serve(
    stream: TcpStream,
    from: IpAddr,
    shared: Arc<Shared>,
    keep_alive: Option<Duration>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are sent in small pieces, which would otherwise wait for the client's ACK.
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
            // An error is caused by the client, or by a fault that ends the connection.
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

/// The stream. It is counted while it is open, and reset when it ends if the link says so.
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
