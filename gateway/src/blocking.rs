//! A gateway for programs without async: it has a thread and a runtime of its own.

use crate::{Error, Options};
use proxymesh::blocking::Client;
use std::{net::SocketAddr, sync::mpsc, thread, time::Duration};
use tokio::sync::oneshot;

/// A gateway that is running on a thread of its own. It ends when this is dropped, and so do its connections.
#[derive(Debug)]
#[must_use = "dropping it ends the gateway"]
pub struct Gateway {
    url: String,
    addresses: Vec<SocketAddr>,
    control: Option<SocketAddr>,
    stop: Option<oneshot::Sender<Duration>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Gateway {
    /// Starts a gateway; see [`Gateway::start`](crate::Gateway::start).
    ///
    /// # Errors
    ///
    /// The same, and [`Error::Client`] or [`Error::Thread`] if the system has no memory, thread or descriptor left.
    pub fn start(client: &Client, options: Options) -> Result<Self, Error> {
        let client = client.to_async().map_err(Error::Client)?;
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let run = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(Error::Thread(error)))),
            };
            runtime.block_on(async {
                match crate::Gateway::start(&client, options).await {
                    Ok(gateway) => {
                        let facts = (gateway.url(), gateway.addresses().to_vec(), gateway.control());
                        if tell.send(Ok(facts)).is_ok() {
                            // A dropped handle ends everything at once.
                            gateway.stop(stopped.await.unwrap_or_default()).await;
                        }
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
            // A lookup of a name may still be in progress.
            runtime.shutdown_background();
        };
        let thread =
            thread::Builder::new().name("proxymesh-gateway".into()).spawn(run).map_err(Error::Thread)?;
        let started =
            told.recv().unwrap_or_else(|_| Err(Error::Thread(std::io::Error::other("it has ended"))));
        let (url, addresses, control) = started?;
        Ok(Self { url, addresses, control, stop: Some(stop), thread: Some(thread) })
    }

    /// The URL of the first port, for `http_proxy` and `https_proxy`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The addresses of the ports, in the order of the options.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address of the control port, if there is one.
    #[must_use]
    pub fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Refuses new connections, gives the open ones up to `grace` to end, and then closes those that are left.
    pub fn stop(mut self, grace: Duration) {
        self.end(grace);
    }

    fn end(&mut self, grace: Duration) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(grace);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}
