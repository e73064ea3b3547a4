//! Accepts connections, serves them, and closes them at the end.

mod browser;
mod connection;
mod exchange;
mod link;
mod reply;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use reply::Cut;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;

use crate::shared::Shared;

/// How long calls in progress may take to finish once the sandbox is stopped.
const GRACE: Duration = Duration::from_millis(200);
/// The pause after a failed accept, for example because there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(10);

/// Serves until `stop` changes or its sender is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    keep_alive: Option<Duration>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    let served = connection::serve(
                        stream, client(from), Arc::clone(&shared), keep_alive, stop.clone(),
                    );
                    connections.spawn(served);
                }
                Err(_) => time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let all_end = async { while connections.join_next().await.is_some() {} };
    // Connections that are still open after that end with the runtime.
    let _ = time::timeout(GRACE, all_end).await;
}

/// An IPv4 client is the same caller whether it connects over IPv4 or IPv6.
fn client(from: SocketAddr) -> std::net::IpAddr {
    from.ip().to_canonical()
}
