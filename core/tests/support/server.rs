//! A plain recording server, which is not the sandbox. It sends scripted responses and records the raw head and body of each
//! request. It knows nothing about the service.

use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Anything that a test waits for happens within this time, or never.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// The number of its connection, counted from 0.
    pub connection: usize,
    /// The request line and the headers, as they were sent.
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    fn line(&self) -> Vec<&str> {
        self.head.lines().next().unwrap().split(' ').collect()
    }

    pub fn method(&self) -> &str {
        self.line()[0]
    }

    /// Path and query, as they were sent.
    pub fn target(&self) -> &str {
        self.line()[1]
    }

    pub fn version(&self) -> &str {
        self.line()[2]
    }

    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap()
    }

    pub fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    pub fn form(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// All headers in order, with lower-case names.
    pub fn headers(&self) -> Vec<(String, &str)> {
        let pair = |line: &'_ str| line.find(": ").map(|at| (line[..at].to_ascii_lowercase(), at));
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| pair(line).map(|(name, at)| (name, &line[at + 2..])))
            .collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers().into_iter().filter(|(n, _)| n == name).map(|(_, value)| value);
        let value = found.next();
        assert!(found.next().is_none(), "{name} was sent twice");
        value
    }
}

/// What the server does with a connection before it reads from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// Reads requests.
    Serve,
    /// Waits for the first byte, reads none, and resets the connection.
    ResetUnread,
    /// Never reads.
    Ignore,
    /// Sends this after the first bytes arrive, and closes the connection.
    Say(&'static str),
}

/// What the server does with a request that it has read.
#[derive(Debug)]
pub enum Reply {
    Answer(Answer),
    /// Responds as if the connection stayed open, but closes it after this time.
    AnswerThenClose(Answer, Duration),
    /// Sends these bytes and closes the connection.
    Raw(Vec<u8>),
    /// Sends these bytes, the second part after this time, and reads on.
    Parts(Vec<u8>, Duration, Vec<u8>),
    /// Sends these bytes, and then only reads.
    HalfClose(Vec<u8>),
    /// Closes the connection without a response.
    Close,
    /// Resets the connection.
    Reset,
    /// Does not respond, and waits until the client closes the connection.
    Hang,
    /// Sends these bytes, and waits until the client closes the connection.
    SayThenHang(Vec<u8>),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// A response, byte for byte as the test wants it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether it is sent in chunks, without a length.
    pub chunked: bool,
    /// Whether it announces twice as many bytes as it sends, and then closes the connection.
    pub truncate: bool,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), chunked: false, truncate: false }
    }

    pub fn json(body: &Value) -> Self {
        Self::new(200, body.to_string()).header("content-type", "application/json")
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn write(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Whatever\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.chunked {
            head += "transfer-encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes())?;
            for chunk in self.body.chunks(64 * 1024) {
                stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                stream.write_all(chunk)?;
                stream.write_all(b"\r\n")?;
            }
            return stream.write_all(b"0\r\n\r\n");
        }
        if self.status != 204 {
            let promised = if self.truncate { self.body.len() * 2 } else { self.body.len() };
            head += &format!("content-length: {promised}\r\n");
        }
        head += "\r\n";
        let mut message = head.into_bytes();
        message.extend_from_slice(&self.body);
        stream.write_all(&message)
    }
}

type Script = Box<dyn FnMut(&Request) -> Reply + Send>;
type Door = Box<dyn FnMut(usize) -> Welcome + Send>;

#[derive(Default)]
struct Seen {
    requests: Vec<Request>,
    connections: usize,
    /// Connections that the client closed while a request had no response.
    given_up: usize,
    /// Connections that the server has closed.
    closed: usize,
    open: Vec<TcpStream>,
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
    script: Mutex<Script>,
    stopping: AtomicBool,
}

/// A server on a free port. It stops when its last handle is dropped.
#[derive(Clone)]
pub struct Server {
    running: Arc<Running>,
}

struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Replies to every request as the script says. Requests are recorded before the script is called.
    pub fn start<R: Into<Reply>>(script: impl FnMut(&Request) -> R + Send + 'static) -> Self {
        Self::with_door(|_| Welcome::Serve, script)
    }

    /// The same, at an address where nobody was listening before.
    pub fn at<R: Into<Reply>>(nobody: Nobody, script: impl FnMut(&Request) -> R + Send + 'static) -> Self {
        Self::listen(nobody, |_| Welcome::Serve, script)
    }

    /// Always sends the same response.
    pub fn always(answer: Answer) -> Self {
        Self::start(move |_| answer.clone())
    }

    /// `door` says what to do with each connection, counted from 0.
    pub fn with_door<R: Into<Reply>>(
        door: impl FnMut(usize) -> Welcome + Send + 'static,
        script: impl FnMut(&Request) -> R + Send + 'static,
    ) -> Self {
        Self::listen(nobody_listens(), door, script)
    }

    fn listen<R: Into<Reply>>(
        nobody: Nobody,
        door: impl FnMut(usize) -> Welcome + Send + 'static,
        mut script: impl FnMut(&Request) -> R + Send + 'static,
    ) -> Self {
        let address = nobody.address();
        nobody.socket.listen(1024).unwrap();
        let listener = TcpListener::from(nobody.socket);
        // The port is kept until the process ends. If another server used it, the auth gate would still remember this one.
        std::mem::forget(listener.try_clone().unwrap());
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            changed: Condvar::new(),
            script: Mutex::new(Box::new(move |request| script(request).into())),
            stopping: AtomicBool::new(false),
        });
        let for_thread = shared.clone();
        thread::spawn(move || accept(&listener, &for_thread, Box::new(door)));
        Self { running: Arc::new(Running { address, shared }) }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// All requests so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.running.shared.seen).requests.clone()
    }

    pub fn count(&self) -> usize {
        lock(&self.running.shared.seen).requests.len()
    }

    /// How many requests for this path have arrived.
    pub fn count_of(&self, path: &str) -> usize {
        lock(&self.running.shared.seen).requests.iter().filter(|request| request.path() == path).count()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        lock(&self.running.shared.seen).connections
    }

    /// The only request. Panics if there were none or several.
    pub fn only_request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }

    /// Waits until this many requests have arrived.
    pub fn wait_for_requests(&self, count: usize) {
        self.wait("requests", |seen| seen.requests.len() >= count);
    }

    /// Waits until this many clients have closed the connection of a request without a response.
    pub fn wait_for_given_up(&self, count: usize) {
        self.wait("clients to go away", |seen| seen.given_up >= count);
    }

    /// Waits until the server has closed this many connections.
    pub fn wait_for_closed(&self, count: usize) {
        self.wait("closed connections", |seen| seen.closed >= count);
    }

    fn wait(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = lock(&self.running.shared.seen);
        while !done(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; there were {:#?}", seen.requests);
            seen = self
                .running
                .shared
                .changed
                .wait_timeout(seen, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        for stream in lock(&self.shared.seen).open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // This wakes the thread that accepts connections.
        let _ = TcpStream::connect(self.address);
    }
}

/// An address that belongs to this test and where nobody listens, so connections are refused.
pub struct Nobody {
    socket: socket2::Socket,
}

pub fn nobody_listens() -> Nobody {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    Nobody { socket }
}

impl Nobody {
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap().as_socket().unwrap()
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address())
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, mut door: Door) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        if shared.stopping.load(Ordering::Acquire) {
            return;
        }
        let _ = stream.set_nodelay(true);
        let connection = {
            let mut seen = lock(&shared.seen);
            seen.connections += 1;
            seen.open.push(stream.try_clone().unwrap());
            seen.connections - 1
        };
        let welcome = door(connection);
        let shared = shared.clone();
        thread::spawn(move || serve(stream, connection, welcome, &shared));
    }
}

fn serve(mut stream: TcpStream, connection: usize, welcome: Welcome, shared: &Shared) {
    match welcome {
        Welcome::Serve => {}
        Welcome::ResetUnread => {
            let _ = stream.peek(&mut [0]);
            let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            return forget(&stream, shared);
        }
        Welcome::Ignore => return,
        Welcome::Say(words) => {
            let _ = stream.read(&mut [0; 16 * 1024]);
            let _ = stream.write_all(words.as_bytes());
            return forget(&stream, shared);
        }
    }
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer, connection) {
        {
            let mut seen = lock(&shared.seen);
            seen.requests.push(request.clone());
            shared.changed.notify_all();
        }
        let reply = (lock(&shared.script))(&request);
        match reply {
            Reply::Answer(answer) => {
                if answer.write(&mut stream).is_err() || answer.truncate {
                    break;
                }
            }
            Reply::AnswerThenClose(answer, after) => {
                let _ = answer.write(&mut stream);
                thread::sleep(after);
                break;
            }
            Reply::Raw(bytes) => {
                let _ = stream.write_all(&bytes);
                break;
            }
            Reply::Parts(first, pause, second) => {
                let _ = stream.write_all(&first);
                thread::sleep(pause);
                let _ = stream.write_all(&second);
            }
            Reply::HalfClose(bytes) => {
                let _ = stream.write_all(&bytes);
                let _ = stream.shutdown(Shutdown::Write);
            }
            Reply::Close => break,
            Reply::Reset => {
                let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                return forget(&stream, shared);
            }
            Reply::Hang | Reply::SayThenHang(_) => {
                if let Reply::SayThenHang(bytes) = reply {
                    let _ = stream.write_all(&bytes);
                }
                // This ends when the client closes the connection or the server stops.
                while matches!(stream.read(&mut [0; 1024]), Ok(count) if count > 0) {}
                lock(&shared.seen).given_up += 1;
                shared.changed.notify_all();
                return;
            }
        }
    }
    forget(&stream, shared);
    drop(stream);
    lock(&shared.seen).closed += 1;
    shared.changed.notify_all();
}

/// Drops the handle that is kept for stopping. A connection ends or is reset only when its last handle is dropped.
fn forget(stream: &TcpStream, shared: &Shared) {
    let address = stream.peer_addr().ok();
    lock(&shared.seen).open.retain(|other| other.peer_addr().ok() != address);
}

/// Reads a request. Returns `None` at the end of the connection.
fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>, connection: usize) -> Option<Request> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        fill(stream, buffer)?;
    };
    let head = String::from_utf8(buffer[..end].to_vec()).expect("the head is UTF-8");
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
        .map_or(0, |length| length.parse::<usize>().expect("content-length is a number"));
    while buffer.len() < end + length {
        fill(stream, buffer)?;
    }
    let body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Some(Request { connection, head, body })
}

fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 16 * 1024];
    match stream.read(&mut chunk) {
        Ok(count) if count > 0 => {
            buffer.extend_from_slice(&chunk[..count]);
            Some(())
        }
        _ => None,
    }
}

/// Ignores poisoning, so that a failed assertion elsewhere is not hidden by a poisoned lock.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
