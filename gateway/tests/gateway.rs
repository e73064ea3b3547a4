//! The gateway between raw clients and the sandbox's proxies. The tests look at what the client sees, what the proxy got, and what
//! the site got.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proxymesh::{Settings, blocking::Client as Blocking};
use proxymesh_gateway::{Access, Options, Policy, PortPolicy, blocking::Gateway};
use proxymesh_sandbox::{Fault, ProxiedRequest, RecordedAuth, Sandbox};
use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const USERNAME: &str = "parent";
const PASSWORD: &str = "canary-password-7f3a91";
const PATIENCE: Duration = Duration::from_secs(20);

/// A site that answers `page` to each request, and keeps what it got. After `echo`, it sends back what it gets.
struct Site {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        // The thread runs as long as the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = log.clone();
                thread::spawn(move || Self::serve(stream, &log));
            }
        });
        Self { address, seen }
    }

    fn serve(mut stream: TcpStream, log: &Mutex<Vec<String>>) {
        let mut read = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                return;
            }
            read.extend_from_slice(&buffer[..count]);
            if read == b"echo" {
                stream.write_all(b"echo").unwrap();
                let mut copy = stream.try_clone().unwrap();
                let _ = std::io::copy(&mut stream, &mut copy);
                let _ = copy.shutdown(Shutdown::Write);
                return;
            }
            let text = String::from_utf8_lossy(&read).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .to_ascii_lowercase()
                .split_once("content-length: ")
                .map(|(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
            if body.len() < length.unwrap_or(0) || (chunked && !body.ends_with("0\r\n\r\n")) {
                continue;
            }
            log.lock().unwrap().push(text);
            read.clear();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Of-Site: 1\r\n\r\npage";
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }

    fn host(&self) -> String {
        format!("site.test:{}", self.address.port())
    }

    /// The requests since the last call.
    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// A sandbox whose account has the proxies `open` and `us-ca`, a gateway and a site.
struct World {
    sandbox: Sandbox,
    gateway: Gateway,
    site: Site,
    log: Arc<Mutex<Vec<Access>>>,
}

impl World {
    fn start(options: Options) -> Self {
        let sandbox = Sandbox::builder().username(USERNAME).password(PASSWORD).proxies(true).start().unwrap();
        let settings = || Settings::new().username(USERNAME).password(PASSWORD).base_url(sandbox.base_url());
        let account = Blocking::new(settings()).unwrap();
        for name in ["open", "us-ca"] {
            account.proxies().add(name).unwrap();
        }
        for proxy in account.proxies().list().unwrap() {
            if !["open", "us-ca"].contains(&proxy.name()) {
                account.proxies().delete(proxy.host()).unwrap();
            }
        }
        sandbox.clear_requests();
        let log = Arc::new(Mutex::new(Vec::new()));
        let entries = log.clone();
        let options = options.log(move |access| entries.lock().unwrap().push(access.clone()));
        let gateway = Gateway::start(&account, options).unwrap();
        Self { sandbox, gateway, site: Site::start(), log }
    }

    fn connect(&self) -> TcpStream {
        self.connect_to(0)
    }

    fn connect_to(&self, port: usize) -> TcpStream {
        let stream = TcpStream::connect(self.gateway.addresses()[port]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a whole request, and returns the response.
    fn ask(&self, request: &str) -> Response {
        self.ask_on(0, request)
    }

    fn ask_on(&self, port: usize, request: &str) -> Response {
        let mut stream = self.connect_to(port);
        stream.write_all(request.as_bytes()).unwrap();
        Response::read(&mut stream)
    }

    /// Opens a tunnel to the site.
    fn tunnel(&self, port: usize, headers: &str) -> (TcpStream, Response) {
        let mut stream = self.connect_to(port);
        let host = self.site.host();
        write!(stream, "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").unwrap();
        let head = Response::head(&mut stream);
        (stream, head)
    }

    /// What the proxies got since the last call.
    fn proxied(&self) -> Vec<ProxiedRequest> {
        let proxied = self.sandbox.proxied();
        self.sandbox.clear_proxied();
        proxied
    }

    fn logged(&self, count: usize) -> Vec<Access> {
        let began = Instant::now();
        while self.log.lock().unwrap().len() < count {
            assert!(began.elapsed() < PATIENCE, "{:?}", self.log.lock().unwrap());
            thread::sleep(Duration::from_millis(5));
        }
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

#[derive(Debug)]
struct Response {
    status: u16,
    head: String,
    body: String,
}

impl Response {
    /// Reads until the connection ends.
    fn read(stream: &mut TcpStream) -> Self {
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        Self::parse(&String::from_utf8(text).unwrap())
    }

    fn head(stream: &mut TcpStream) -> Self {
        let (mut text, mut byte) = (Vec::new(), [0]);
        while !text.ends_with(b"\r\n\r\n") {
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&text));
            text.push(byte[0]);
        }
        Self::parse(&String::from_utf8(text).unwrap())
    }

    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn basic(username: &str, password: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("{username}:{password}")))
}

fn by_password() -> RecordedAuth {
    RecordedAuth::Basic { username: USERNAME.to_owned() }
}

fn exchange(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, bytes);
}

#[test]
fn a_tunnel_passes_bytes_both_ways_and_tells_the_exit() {
    let world = World::start(Options::new());
    let (mut stream, head) = world.tunnel(0, "");
    assert_eq!(head.status, 200);
    exchange(&mut stream, b"echo");
    exchange(&mut stream, &vec![7; 1 << 20]);
    // The site is told that the client has ended, and may still answer.
    stream.write_all(b"last").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"last");
    let proxied = world.proxied();
    let [request] = proxied.as_slice() else { panic!("{proxied:?}") };
    assert_eq!(
        (request.method.as_str(), &request.target, &request.auth),
        ("CONNECT", &world.site.host(), &by_password())
    );
    assert_eq!(head.header("x-proxymesh-ip"), Some(request.exit_ip.unwrap().to_string().as_str()));
    assert_eq!(head.header("x-proxymesh-proxy"), Some(request.proxy.as_str()));
    let entries = world.logged(1);
    let bytes = (1 << 20) + 8;
    assert_eq!((entries[0].sent, entries[0].received, entries[0].status), (bytes, bytes, Some(200)));
    assert_eq!(entries[0].target.as_deref(), Some(world.site.host().as_str()));
}

#[test]
fn an_http_request_is_passed_on_without_what_was_for_the_gateway() {
    let world = World::start(Options::new());
    let host = world.site.host();
    let response = world.ask(&format!(
        "GET http://{host}/path?query=secret HTTP/1.1\r\nHost: {host}\r\nProxy-Connection: keep-alive\r\nConnection: x-hop\r\nX-Hop: 1\r\n\
         Accept: */*\r\n{}\r\n",
        basic("rotate", "anything"),
    ));
    assert_eq!((response.status, response.body.as_str()), (200, "page"));
    assert!(response.header("x-of-site").is_some() && response.header("x-proxymesh-ip").is_some());
    let seen = world.site.seen();
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    assert!(request.starts_with("GET /path?query=secret HTTP/1.1\r\n"), "{request}");
    let lower = request.to_ascii_lowercase();
    assert!(
        !lower.contains("proxy") && !lower.contains("x-hop") && lower.contains("accept: */*"),
        "{request}"
    );
    let proxied = world.proxied();
    assert_eq!((proxied.len(), &proxied[0].auth), (1, &by_password()));
    let entries = world.logged(1);
    let line = serde_json::to_string(&entries[0]).unwrap();
    assert!(
        line.contains(&host)
            && !line.contains("secret")
            && !line.contains("/path")
            && !line.contains(PASSWORD),
        "{line}"
    );
    assert_eq!((entries[0].method.as_str(), entries[0].received), ("GET", 4));
}

#[test]
fn a_body_arrives_whole_and_nothing_after_it() {
    let world = World::start(Options::new());
    let host = world.site.host();
    let smuggled = "GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n";
    for (headers, body, arrives) in [
        ("Content-Length: 5", "hello", "hello"),
        ("Transfer-Encoding: chunked", "5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("Content-Length: 5\r\nExpect: 100-continue", "hello", "hello"),
    ] {
        let request =
            format!("POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n{body}{smuggled}");
        let mut stream = world.connect();
        stream.write_all(request.as_bytes()).unwrap();
        if headers.contains("Expect") {
            assert_eq!(Response::head(&mut stream).status, 100);
        }
        assert_eq!(Response::read(&mut stream).status, 200);
        let seen = world.site.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(seen[0].ends_with(&format!("\r\n\r\n{arrives}")), "{}", seen[0]);
    }
    assert_eq!(world.proxied().len(), 3);
}

#[test]
fn socks_opens_tunnels_by_name() {
    let world = World::start(Options::new());
    let port = world.site.address.port().to_be_bytes();
    for (greeting, method, credentials) in [
        (&b"\x05\x01\x00"[..], 0, &b""[..]),
        (b"\x05\x02\x00\x02", 2, b"\x01\x09session-1\x03any"),
        (b"\x05\x01\x02", 2, b"\x01\x00\x00"),
    ] {
        let mut stream = world.connect();
        let mut answer = [0; 2];
        stream.write_all(greeting).unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [5, method]);
        if method == 2 {
            stream.write_all(credentials).unwrap();
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [1, 0]);
        }
        stream.write_all(&[&b"\x05\x01\x00\x03\x09site.test"[..], &port].concat()).unwrap();
        let mut reply = [0; 10];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(reply[..2], [5, 0]);
        exchange(&mut stream, b"echo");
    }
    // An unknown policy, a private address, a command that is not CONNECT
    let mut stream = world.connect();
    stream.write_all(b"\x05\x01\x02\x01\x07hunter2\x01x").unwrap();
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).unwrap();
    assert_eq!(answers, b"\x05\x02\x01\x01");
    for (request, code) in
        [(&b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50"[..], 2), (b"\x05\x02\x00\x03\x09site.test\x00\x50", 7)]
    {
        let mut stream = world.connect();
        stream.write_all(b"\x05\x01\x00").unwrap();
        stream.write_all(request).unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        assert_eq!(answers[..4], [5, 0, 5, code]);
    }
}

#[test]
fn policies_choose_the_exit() {
    let rotate = Policy::rotate();
    let world = World::start(
        Options::new()
            .policy(rotate.clone().country("DE").unwrap())
            .policy(rotate.session("port").unwrap())
            .port((Ipv4Addr::LOCALHOST, 0), PortPolicy::ByUsername),
    );
    let exits = |port: usize, headers: &str| -> BTreeSet<String> {
        (0..4)
            .map(|_| {
                let (_stream, head) = world.tunnel(port, headers);
                assert_eq!(head.status, 200, "{head:?}");
                head.header("x-proxymesh-ip").unwrap().to_owned()
            })
            .collect()
    };
    exits(0, "");
    let countries: BTreeSet<_> = world.proxied().into_iter().map(|request| request.country).collect();
    assert_eq!(countries, BTreeSet::from([Some("DE".to_owned())]));
    assert_eq!(exits(1, "").len(), 1);
    let (one, other) = (exits(2, &basic("session-1", "")), exits(2, &basic("session-2", "")));
    assert!(one.len() == 1 && other.len() == 1 && one != other, "{one:?} {other:?}");
    assert!(exits(2, &basic("rotate", "")).len() > 1);
    world.proxied();
    exits(2, &basic("country-fr-session-3", ""));
    assert!(world.proxied().iter().all(|request| request.country.as_deref() == Some("FR")));
    // A client that sends no username is asked for it, as a browser needs it.
    let (_, head) = world.tunnel(2, "");
    assert_eq!((head.status, head.header("proxy-authenticate").is_some()), (407, true));
    let (_, head) = world.tunnel(0, &basic("hunter2", ""));
    assert_eq!(head.status, 407);
}

#[test]
fn a_proxy_that_refuses_is_replaced_before_the_client_hears_of_it() {
    for status in [402, 407, 509, 500] {
        let world = World::start(Options::new());
        let host = world.site.host();
        world.sandbox.inject(Fault::status(status).proxy("open").times(0)).unwrap();
        for _ in 0..3 {
            assert_eq!(world.tunnel(0, "").1.status, 200, "{status}");
        }
        let response = world.ask(&format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!((response.status, response.header("x-proxymesh-proxy")), (200, Some("us-ca")));
    }
    // Every proxy refuses.
    let world = World::start(Options::new());
    world.sandbox.inject(Fault::status(402).times(0).proxy("open")).unwrap();
    world.sandbox.inject(Fault::status(402).times(0).proxy("us-ca")).unwrap();
    let host = world.site.host();
    let response = world.ask(&format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert_eq!(response.status, 402);
    assert!(response.body.contains("the sub-account is deactivated: activate it"), "{}", response.body);
    // The target is to blame.
    let world = World::start(Options::new());
    world.sandbox.inject(Fault::status(503).times(0).proxy("open")).unwrap();
    world.sandbox.inject(Fault::status(503).times(0).proxy("us-ca")).unwrap();
    assert_eq!(world.tunnel(0, "").1.status, 503);
    assert_eq!(world.proxied().len(), 1);
}

#[test]
fn a_request_with_a_body_is_sent_to_one_proxy_only() {
    let world = World::start(Options::new());
    let host = world.site.host();
    for fault in [Fault::status(402), Fault::status(407), Fault::drop(), Fault::reset()] {
        world.sandbox.clear_faults();
        world.sandbox.inject(fault.clone().times(0).proxy("open")).unwrap();
        world.sandbox.inject(fault.times(0).proxy("us-ca")).unwrap();
        world.proxied();
        let request = format!("POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\nhi");
        let response = world.ask(&request);
        assert!(response.status >= 400, "{response:?}");
        assert!(world.proxied().len() <= 1 && world.site.seen().is_empty());
    }
}

#[test]
fn what_could_be_smuggled_is_refused_and_goes_nowhere() {
    let world = World::start(Options::new());
    let host = world.site.host();
    for (headers, body) in [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("Content-Length: 4\r\nContent-Length: 5\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        ("X: y\r\n folded\r\n", ""),
        ("X: y\nY: z\r\n", ""),
        ("Host: evil.test\r\n", ""),
        ("X-ProxyMesh-Country: DE\r\n", ""),
    ] {
        let response =
            world.ask(&format!("POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n{body}"));
        assert_eq!(response.status, 400, "{headers:?}");
    }
    for request in [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(),
        format!("GET https://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("GET http://user:pass@{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\nhi"),
        "CONNECT site.test HTTP/1.1\r\nHost: site.test\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        assert_eq!(world.ask(&request).status, 400, "{request:?}");
    }
    assert!(world.proxied().is_empty() && world.site.seen().is_empty());
}

#[test]
fn private_targets_need_permission() {
    let world = World::start(Options::new());
    let port = world.site.address.port();
    for host in ["127.0.0.1", "127.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "router"] {
        let response = world.ask(&format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"));
        assert_eq!(response.status, 403, "{host}");
        let response = world.ask(&format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(response.status, 403, "{host}");
    }
    assert!(world.proxied().is_empty());
    let world = World::start(Options::new().allow_private(true));
    let response =
        world.ask(&format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"));
    assert_eq!(response.status, 200);
}

#[test]
fn a_password_is_required_of_everyone_if_there_is_one() {
    let anywhere: SocketAddr = ([0, 0, 0, 0], 0).into();
    let fixed = PortPolicy::Fixed(Policy::rotate());
    let client = Blocking::new(Settings::new().username("a").password("b")).unwrap();
    let open = Options::new().port(anywhere, fixed.clone());
    let refused = Gateway::start(&client, open.clone()).unwrap_err().to_string();
    assert_eq!(refused, "0.0.0.0:0 is not a loopback address, so the gateway needs a password");
    drop(Gateway::start(&client, open.password("right")).unwrap());
    let refused = Gateway::start(&client, Options::new().password("right").control(anywhere)).unwrap_err();
    assert!(refused.to_string().contains("which a control port must have"), "{refused}");
    let world = World::start(Options::new().password("right"));
    assert_eq!(world.tunnel(0, "").1.status, 407);
    assert_eq!(world.tunnel(0, &basic("", "wrong")).1.status, 407);
    assert!(world.proxied().is_empty());
    assert_eq!(world.tunnel(0, &basic("", "right")).1.status, 200);
}

#[test]
fn the_control_port_answers_programs_and_no_page() {
    let world = World::start(Options::new().control((Ipv4Addr::LOCALHOST, 0)));
    world.tunnel(0, "");
    world.logged(1);
    let control = world.gateway.control().unwrap();
    let ask = |request: String| {
        let mut stream = TcpStream::connect(control).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Response::read(&mut stream)
    };
    let metrics = ask(format!("GET /metrics HTTP/1.1\r\nHost: {control}\r\n\r\n"));
    assert!(
        metrics.body.contains("proxymesh_gateway_connections_total{kind=\"connect\",status=\"200\"} 1\n"),
        "{}",
        metrics.body
    );
    assert!(metrics.body.ends_with("# EOF\n"));
    let status = ask(format!("GET /status HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", control.port()));
    let status: serde_json::Value = serde_json::from_str(&status.body).unwrap();
    assert_eq!(status["connections"]["open"], 0);
    assert!(!status.to_string().contains(PASSWORD) && !metrics.body.contains(PASSWORD));
    for (request, refusal) in [
        (format!("GET /status HTTP/1.1\r\nHost: {control}\r\nOrigin: https://evil.test\r\n\r\n"), 403),
        (format!("GET /status HTTP/1.1\r\nHost: {control}\r\nSec-Fetch-Site: cross-site\r\n\r\n"), 403),
        (format!("GET /status HTTP/1.1\r\nHost: evil.test:{}\r\n\r\n", control.port()), 403),
        (format!("POST /status HTTP/1.1\r\nHost: {control}\r\n\r\n"), 405),
        (format!("GET / HTTP/1.1\r\nHost: {control}\r\n\r\n"), 404),
    ] {
        let response = ask(request.clone());
        assert_eq!(response.status, refusal, "{request}");
        assert!(!response.body.contains("connections"), "{request}");
    }
}

#[test]
fn stopping_refuses_new_connections_and_lets_others_end() {
    let world = World::start(Options::new());
    let (mut stream, _) = world.tunnel(0, "");
    exchange(&mut stream, b"echo");
    let address = world.gateway.addresses()[0];
    let World { gateway, sandbox, .. } = world;
    let stopping = thread::spawn(move || gateway.stop(PATIENCE));
    let began = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(began.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(5));
    }
    exchange(&mut stream, b"still here");
    drop(stream);
    stopping.join().unwrap();
    assert!(began.elapsed() < PATIENCE);
    drop(sandbox);
}

#[test]
fn dropping_the_gateway_ends_its_tunnels() {
    let world = World::start(Options::new());
    let (mut stream, _) = world.tunnel(0, "");
    exchange(&mut stream, b"echo");
    let World { gateway, sandbox, .. } = world;
    drop(gateway);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    drop(sandbox);
}

#[test]
fn there_are_limits_on_connections_and_idle_time() {
    let world = World::start(Options::new().max_connections(1).idle(Duration::from_millis(200)));
    let (mut stream, _) = world.tunnel(0, "");
    exchange(&mut stream, b"echo");
    let mut other = world.connect();
    assert_eq!(other.read(&mut [0]).unwrap_or(0), 0, "there is no place for it");
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "it was idle");
    world.logged(1);
    assert_eq!(world.tunnel(0, "").1.status, 200);
}

/// A session whose exit the proxy no longer has moves to another exit before anything is sent to the site.
#[test]
fn a_session_survives_the_loss_of_its_exit() {
    let world = World::start(Options::new().policy(Policy::rotate().session("s").unwrap()));
    let exit = |_| world.tunnel(0, "").1.header("x-proxymesh-ip").unwrap().to_owned();
    let first: BTreeSet<_> = (0..3).map(exit).collect();
    assert_eq!(first.len(), 1);
    let proxy = world.proxied().pop().unwrap().proxy;
    // The proxy is gone, and with it the exit.
    world.sandbox.inject(Fault::status(500).proxy(&proxy).times(0)).unwrap();
    let second: BTreeSet<_> = (0..3).map(exit).collect();
    assert!(second.len() == 1 && second != first, "{first:?} {second:?}");
}

#[test]
fn no_stream_makes_it_panic_or_stop() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.location().is_some_and(|place| place.file().contains("src/")) {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        before(panic);
    }));
    let world = World::start(Options::new().allow_private(true));
    let host = world.site.host();
    let starts = [
        "\u{5}".to_owned(),
        "\u{5}\u{1}\u{0}\u{5}\u{1}\u{0}".to_owned(),
        "\u{5}\u{1}\u{2}\u{1}".to_owned(),
        String::new(),
        "GET ".to_owned(),
        format!("CONNECT {host} HTTP/1.1\r\n"),
        format!("GET http://{host}/ HTTP/1.1\r\nHost: a\r\n"),
        format!("POST http://{host}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ];
    let mut random = 1_u64;
    let mut next = move || {
        // xorshift
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for round in 0..800 {
        let mut bytes = starts[round % starts.len()].clone().into_bytes();
        let alphabet = b"\r\n\r\n :/0123456789abcdefGETHost\x00\x01\x03\x05\x7f\xff%@[]";
        for _ in 0..next() % 60 {
            let at = usize::try_from(next() % alphabet.len() as u64).unwrap();
            bytes.push(alphabet[at]);
        }
        let mut stream = world.connect();
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
        if round % 20 == 0 {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    assert_eq!(world.tunnel(0, "").1.status, 200);
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}
