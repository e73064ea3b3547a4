//! A connection to the service.
//!
//! reqwest opens it: it looks up the name, goes through the environment's proxy and completes the TLS handshake, all within the
//! connect time-out. The call then speaks HTTP/1.1 on it with hyper, and polls the connection itself, so no task has to be woken to
//! send a request or to read a response. docs/decisions/0009-the-call-polls-its-connection.md has the reasons and figures.

use super::{
    outcome::Cause,
    outgoing::{Message, Outgoing},
    retry,
};
use crate::runtime::Relay;
use bytes::Bytes;
use http_body::{Body as _, Frame};
use hyper::{
    Response, StatusCode,
    body::Incoming,
    client::conn::http1,
    header::{HeaderMap, RETRY_AFTER},
    rt::{Read, Write},
};
use reqwest::Url;
use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    mem::swap,
    pin::{Pin, pin},
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};
use tokio::task::unconstrained;
use tower_layer::Layer;
use tower_service::Service;

/// Opens connections.
pub(super) struct Connector {
    client: reqwest::Client,
    service: Url,
}

impl Connector {
    /// Opens connections to `service` as `client` does.
    pub(super) fn new(client: reqwest::ClientBuilder, service: Url) -> reqwest::Result<Self> {
        // Without a pool, reqwest opens one connection for each request, and keeps none.
        let client = client.connector_layer(HandOver).pool_max_idle_per_host(0).build()?;
        Ok(Self { client, service })
    }

    /// Opens a connection. Dropping the future closes it.
    pub(super) async fn connect(&self) -> Result<Connection, Cause> {
        let request = reqwest::Request::new(reqwest::Method::GET, self.service.clone());
        // The request is never sent, because every connection that is opened for one is handed over.
        let io = match self.client.execute(request).await {
            Err(error) => handed_over(&error).ok_or_else(|| Cause::of(&error, error.is_connect()))?,
            Ok(_) => return Err(Cause::other("the connection was not handed over")),
        };
        // A request is small, so copying it into one buffer costs less than a list of buffers.
        let handshake = http1::Builder::new().writev(false).handshake(io);
        let (requests, driver) = handshake.await.map_err(|error| Cause::of(&error, true))?;
        let io = Io { driver: Some(driver), relay: Relay::new() };
        Ok(Connection { requests, io, room: HeaderMap::new() })
    }
}

/// An open connection. Dropping it closes it.
pub(super) struct Connection {
    requests: http1::SendRequest<Outgoing>,
    io: Io,
    /// The map of the last response's headers, emptied. hyper uses the map of a request again for its response, so no call has to
    /// allocate one.
    room: HeaderMap,
}

/// What reads and writes when it is polled.
struct Io {
    /// `None` once the connection has ended.
    driver: Option<Driver>,
    /// What the driver wakes. It stays the same, so the driver need not replace it. Between polls it wakes nothing, so a call that
    /// sends a request does not wake itself.
    relay: Relay,
}

/// What an attempt needs to know from the head of a response.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
}

impl Head {
    fn of(response: &Response<Incoming>) -> Self {
        let status = response.status();
        // A success has none.
        let value = if status.is_success() { None } else { response.headers().get(RETRY_AFTER) };
        let retry_after = value.and_then(|value| retry::retry_after(value.to_str().ok()?, SystemTime::now()));
        Self { status, retry_after }
    }
}

type Driver = http1::Connection<Box<dyn Stream>, Outgoing>;

impl Io {
    /// Reads and writes until `poll` returns something. Only reading and writing can change what it returns, so it needs no waker.
    async fn until<T>(&mut self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let ended = poll_fn(|context| {
            Self::drive(&mut self.driver, &mut self.relay.to(context));
            poll(&mut Context::from_waker(Waker::noop()))
        });
        let ended = ended.await;
        self.relay.rest();
        ended
    }

    /// Reads and writes what is possible without waiting.
    fn drive(driver: &mut Option<Driver>, context: &mut Context<'_>) {
        // An error is also reported to the request or to the body that it affects.
        if driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(context).is_ready()) {
            *driver = None;
        }
    }
}

impl Connection {
    /// Whether the connection can take a request: neither side has closed it, and the whole previous response has been read.
    pub(super) async fn is_idle(&mut self) -> bool {
        // Mostly, the poll that read the end of the response also made the connection ready.
        if !self.requests.is_ready() {
            unconstrained(self.io.until(|_| Poll::Ready(()))).await;
        }
        // A connection that has ended is not ready.
        self.requests.is_ready()
    }

    /// Takes the request, sends it and waits for the head of the response. `common` are the headers of every request. If the connection
    /// ended before the request was written, the request is put back.
    pub(super) async fn send(
        &mut self,
        message: &mut Option<Message>,
        common: &HeaderMap,
    ) -> Result<(Head, Incoming), Cause> {
        let Some(request) = message.take() else { return Err(Cause::other("the request was already sent")) };
        let Self { requests, io, room } = self;
        // This only queues the request. The first poll reads before it writes, so it notices if the service has closed the connection.
        let request = request.with_headers(common, std::mem::take(room));
        let mut response = pin!(requests.try_send_request(request));
        // A task that makes many calls may have used up tokio's cooperative budget. Then tokio would not check whether anything
        // has arrived.
        unconstrained(io.until(|context| {
            // What is passed on is small, because it is moved several times.
            response.as_mut().poll(context).map(|answer| match answer {
                Ok(mut response) => {
                    let head = Head::of(&response);
                    swap(room, response.headers_mut());
                    room.clear();
                    Ok((head, response.into_body()))
                }
                Err(mut error) => {
                    *message = error.take_message().map(Message::without_headers);
                    Err(Cause::of(&error.into_error(), false))
                }
            })
        }))
        .await
    }

    /// Waits for the next part of a response's body. Returns `None` at its end.
    pub(super) async fn next(&mut self, body: &mut Incoming) -> Option<hyper::Result<Bytes>> {
        loop {
            let mut poll = |context: &mut Context<'_>| Pin::new(&mut *body).poll_frame(context);
            let read = poll(&mut Context::from_waker(Waker::noop()));
            let frame = match read {
                Poll::Ready(frame) => frame,
                Poll::Pending => self.io.until(poll).await,
            };
            match frame?.map(Frame::into_data) {
                Ok(Ok(data)) => return Some(Ok(data)),
                // Trailers, which this client does not need.
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The decrypted bytes of a connection, whether it uses TLS, a proxy, both or neither.
trait Stream: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Stream for T {}

/// Takes the connections that reqwest opens. reqwest gets an error instead, which carries the connection to
/// [`Connector::connect`].
#[derive(Clone)]
struct HandOver;

impl<S> Layer<S> for HandOver {
    type Service = HandingOver<S>;

    fn layer(&self, opens: S) -> HandingOver<S> {
        HandingOver(opens)
    }
}

#[derive(Clone)]
struct HandingOver<S>(S);

type BoxError = Box<dyn StdError + Send + Sync>;

impl<R, S> Service<R> for HandingOver<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Stream + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: R) -> Self::Future {
        let opens = self.0.call(to);
        Box::pin(async move { Err(Opened(Mutex::new(Some(Box::new(opens.await?)))).into()) })
    }
}

/// An open connection.
struct Opened(Mutex<Option<Box<dyn Stream>>>);

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was handed over")
    }
}

impl StdError for Opened {}

/// The connection that an error of reqwest carries, if it does.
fn handed_over(error: &reqwest::Error) -> Option<Box<dyn Stream>> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Opened(stream)) = error.downcast_ref() {
            return stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        source = error.source();
    }
    None
}
