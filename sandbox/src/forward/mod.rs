//! The proxies: forward proxies (RFC 9110, sections 7.6 and 9.3.6) that know the account.
//!
//! Each proxy listens on its own port. It matches a request against the faults, recognises the sender ([`admit`]),
//! checks the target ([`target`]), and chooses an exit IP ([`exits`]). The exit IP is only a name: the connection goes
//! from this machine to this machine.

mod admit;
mod body;
mod exits;
mod meter;
mod target;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;

use crate::fault::Kind;
use crate::log::{EntryKey, ProxiedRequest};
use crate::server::Cut;
use crate::service::authenticate::recorded;
use crate::shared::Shared;
use crate::state::holder::Holder;
use body::Outgoing;
use exits::{Exit, Wishes};
use meter::{Meter, Metered};
use target::Target;

/// The pause after a failed accept, for example because there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(10);
const EXIT_IP: &str = "x-proxymesh-ip";
/// Why the proxy refuses a request.
const REASON: &str = "x-proxymesh-error";
/// The preferred exit IP, if the proxy does not have it.
const NOT_FOUND: &str = "x-proxymesh-ip-not-found";
const STEERING: &str = "x-proxymesh-";
const CREDENTIALS: &str = "proxy-authorization";
/// The headers that are for a single connection and are not forwarded (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    CREDENTIALS,
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// One proxy.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    pub(crate) shared: Arc<Shared>,
    /// The address of the sandbox's API.
    pub(crate) service: SocketAddr,
}

/// Serves the proxies until `stop` changes. Connections that are still open then end with the runtime.
pub(crate) async fn serve(listeners: Vec<(TcpListener, Proxy)>, stop: watch::Receiver<bool>) {
    let mut proxies = JoinSet::new();
    for (listener, proxy) in listeners {
        proxies.spawn(listen(listener, Arc::new(proxy), stop.clone()));
    }
    while proxies.join_next().await.is_some() {}
}

async fn listen(listener: TcpListener, proxy: Arc<Proxy>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    connections.spawn(connection(stream, from.ip().to_canonical(), Arc::clone(&proxy)));
                }
                Err(_) => time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, from: IpAddr, proxy: Arc<Proxy>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.exchange(from, request).await }
    });
    // An error is caused by the client, or by a fault that ends the connection.
    let _ = server::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refused {
    status: u16,
    reason: String,
}

impl Refused {
    fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

impl From<Refused> for Response<Outgoing> {
    fn from(refused: Refused) -> Self {
        let reason = HeaderValue::from_str(&refused.reason);
        let mut response = Self::new(Outgoing::Text(Bytes::from(refused.reason + "\n")));
        *response.status_mut() = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
        if let Ok(reason) = reason {
            headers.insert(REASON, reason);
        }
        if refused.status == 407 {
            let challenge = HeaderValue::from_static("Basic realm=\"ProxyMesh\"");
            headers.insert("proxy-authenticate", challenge);
        }
        response
    }
}

fn not_for_a_proxy() -> Refused {
    Refused::new(400, "This is a proxy. Ask it for an http URL, or for a tunnel with CONNECT.")
}

/// A request that is accepted.
struct Admitted {
    target: Target,
    holder: Holder,
    exit: Exit,
}

impl Proxy {
    async fn exchange(&self, from: IpAddr, request: Request<Incoming>) -> Result<Response<Outgoing>, Cut> {
        let (head, body) = request.into_parts();
        if head.uri.authority().is_none() {
            // A proxy's client never sends this. A browser does, if it opens this port or a page posts to it.
            return Ok(not_for_a_proxy().into());
        }
        let shown = texts(&head.headers, CREDENTIALS);
        let (entry, fault) = {
            let mut world = self.shared.world();
            let fault = world.faults.take_for_proxy(self.name);
            let entry =
                world.proxied.push(self.record(&head, &shown, fault.as_ref().map(|fault| fault.kind())));
            (entry, fault)
        };
        if let Some(fault) = fault {
            match (&fault.kind, fault.instead()) {
                (_, Some(answer)) => {
                    self.answered(entry, answer.status);
                    let mut response = Response::new(Outgoing::Text(answer.body));
                    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| Cut)?;
                    for (name, value) in &answer.headers {
                        let header = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
                        if let (Ok(name), Ok(value)) = header {
                            response.headers_mut().append(name, value);
                        }
                    }
                    return Ok(response);
                }
                (Kind::Delay { seconds }, None) => time::sleep(*seconds).await,
                (_, None) => return Err(Cut),
            }
        }
        let response = match self.admit(&head, &shown, from, entry) {
            Err(refused) => refused.into(),
            Ok(admitted) => {
                let exit = admitted.exit.ip.to_string();
                let missing = admitted.exit.missing.map(|ip| ip.to_string());
                let carried = self.carry_out(Request::from_parts(head, body), admitted, entry).await;
                let mut response = carried.unwrap_or_else(Response::from);
                let exit = HeaderValue::from_str(&exit).map_err(|_| Cut)?;
                response.headers_mut().insert(EXIT_IP, exit);
                if let Some(missing) = missing {
                    let missing = HeaderValue::from_str(&missing).map_err(|_| Cut)?;
                    response.headers_mut().insert(NOT_FOUND, missing);
                }
                response
            }
        };
        self.answered(entry, response.status().as_u16());
        Ok(response)
    }

    fn answered(&self, entry: EntryKey, status: u16) {
        self.shared.world().proxied.update(entry, |entry| entry.status = Some(status));
    }

    fn admit(
        &self,
        head: &Parts,
        shown: &[String],
        from: IpAddr,
        entry: EntryKey,
    ) -> Result<Admitted, Refused> {
        let mut world = self.shared.world();
        let now = world.clock.now();
        world.account.turn(now);
        let holder = admit::holder(&world, self.name, shown, from)?;
        let account = world.account.name_of(&holder).to_owned();
        world.proxied.update(entry, |entry| entry.account = Some(account));
        let target = self.target(head)?;
        let exit =
            exits::choose(self.name, &wishes(&head.headers)?).map_err(|reason| Refused::new(400, reason))?;
        world.proxied.update(entry, |entry| {
            entry.exit_ip = Some(exit.ip);
            entry.country = exit.country.map(str::to_owned);
        });
        Ok(Admitted { target, holder, exit })
    }

    fn target(&self, head: &Parts) -> Result<Target, Refused> {
        let tunnel = head.method == Method::CONNECT;
        if !tunnel && head.uri.scheme_str() != Some("http") {
            return Err(not_for_a_proxy());
        }
        let port = head.uri.port_u16().or((!tunnel).then_some(80));
        let (Some(host), Some(port)) = (head.uri.host(), port) else {
            return Err(Refused::new(400, "The target is not host:port."));
        };
        Target::new(host, port, self.service).ok_or_else(|| {
            let reason = format!("The sandbox's proxies connect to this machine only, not to {host}.");
            Refused::new(403, reason)
        })
    }

    async fn carry_out(
        &self,
        request: Request<Incoming>,
        admitted: Admitted,
        entry: EntryKey,
    ) -> Result<Response<Outgoing>, Refused> {
        let unreachable = |error: &dyn std::fmt::Display| {
            Refused::new(502, format!("The target cannot be reached: {error}."))
        };
        let stream = admitted.target.connect().await.map_err(|error| unreachable(&error))?;
        let meter = Meter { shared: Arc::clone(&self.shared), holder: admitted.holder, entry };
        let metered = Metered { stream, meter };
        if request.method() == Method::CONNECT {
            tokio::spawn(tunnel(request, metered));
            return Ok(Response::new(Outgoing::Text(Bytes::new())));
        }
        let (mut target, connection) = hyper::client::conn::http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(metered))
            .await
            .map_err(|error| unreachable(&error))?;
        tokio::spawn(connection);
        let answer = target.send_request(passed_on(request)?).await.map_err(|error| unreachable(&error))?;
        let mut answer = answer.map(Outgoing::Relayed);
        drop_hop_by_hop(answer.headers_mut());
        Ok(answer)
    }

    fn record(&self, head: &Parts, shown: &[String], fault: Option<&'static str>) -> ProxiedRequest {
        let headers = head.headers.iter().map(|(name, value)| {
            let secret = [CREDENTIALS, "authorization", "cookie"].contains(&name.as_str());
            let value = if secret { "***".to_owned() } else { text(value) };
            (name.to_string(), value)
        });
        ProxiedRequest {
            number: 0,
            proxy: self.name.to_owned(),
            method: head.method.to_string(),
            target: without_userinfo(&head.uri),
            headers: headers.collect(),
            auth: recorded(shown),
            account: None,
            exit_ip: None,
            country: None,
            status: None,
            bytes: 0,
            fault,
        }
    }
}

/// The target as it is recorded, without credentials.
fn without_userinfo(target: &Uri) -> String {
    let text = target.to_string();
    match target.authority().and_then(|authority| authority.as_str().rsplit_once('@')) {
        Some((userinfo, _)) => text.replacen(&format!("{userinfo}@"), "", 1),
        None => text,
    }
}

/// Copies bytes in both directions until the tunnel closes.
async fn tunnel(request: Request<Incoming>, mut target: Metered) {
    let Ok(client) = hyper::upgrade::on(request).await else { return };
    let mut client = TokioIo::new(client);
    let _ = tokio::io::copy_bidirectional(&mut client, &mut target).await;
    let _ = client.shutdown().await;
}

/// The request as the target receives it, without the headers that are meant for the proxy.
fn passed_on(mut request: Request<Incoming>) -> Result<Request<Incoming>, Refused> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path: Uri = path.parse().map_err(|_| Refused::new(400, "The URL has no path."))?;
    let host = request.uri().authority().map(|authority| {
        let without_userinfo = authority.as_str().rsplit('@').next().unwrap_or_default();
        HeaderValue::from_str(without_userinfo)
    });
    *request.uri_mut() = path;
    let headers = request.headers_mut();
    drop_hop_by_hop(headers);
    let steering: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(STEERING)).cloned().collect();
    for name in steering {
        headers.remove(name);
    }
    if let Some(Ok(host)) = host {
        headers.insert("host", host);
    }
    Ok(request)
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = texts(headers, "connection")
        .iter()
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// The exit that the client asks for. A value that cannot be read is refused rather than ignored, so that a test
/// notices it.
fn wishes(headers: &HeaderMap) -> Result<Wishes, Refused> {
    let ips = |name: &str| -> Result<Vec<IpAddr>, Refused> {
        let lists = texts(headers, name);
        let items = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
        let ips: Result<_, _> = items.map(str::parse).collect();
        ips.map_err(|_| Refused::new(400, format!("{name} is not a list of IP addresses.")))
    };
    Ok(Wishes {
        country: texts(headers, "x-proxymesh-country").into_iter().next(),
        prefer: ips("x-proxymesh-prefer-ip")?,
        not: ips("x-proxymesh-not-ip")?,
    })
}

fn texts(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(text).collect()
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
