//! The lower limit: the same call with only a socket, and over TLS with only rustls. Uses the protocol that the docstring
//! of `worker.py` describes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cpu_time::ProcessTime;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    error::Error,
    hint::black_box,
    io::{self, BufRead as _, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

type Failure = Box<dyn Error + Send + Sync>;

/// Has all fields of the response, because the other clients parse all of them too.
#[derive(Deserialize)]
#[expect(dead_code, reason = "three fields are read")]
struct SubAccount {
    username: String,
    active: bool,
    monthly_bandwidth: f64,
    total_bandwidth: f64,
    monthly_bandwidth_limit: f64,
    total_bandwidth_limit: f64,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// One kept-alive connection.
struct Connection {
    stream: Box<dyn Stream>,
    authority: String,
    authorization: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    fn open(base_url: &str, tls: &Arc<ClientConfig>) -> Result<Self, Failure> {
        let (scheme, authority) = base_url.split_once("://").ok_or("not a URL")?;
        let socket = TcpStream::connect(authority)?;
        socket.set_nodelay(true)?;
        let stream: Box<dyn Stream> = if scheme == "https" {
            let host = authority.split(':').next().unwrap_or_default().to_owned();
            let session = ClientConnection::new(tls.clone(), ServerName::try_from(host)?)?;
            Box::new(StreamOwned::new(session, socket))
        } else {
            Box::new(socket)
        };
        let authorization = STANDARD.encode("user:pass");
        Ok(Self {
            stream,
            authority: authority.to_owned(),
            authorization,
            request: Vec::new(),
            answer: vec![0; 8192],
        })
    }

    fn call(&mut self) -> Result<(), Failure> {
        self.request.clear();
        write!(
            self.request,
            "GET /api/sub/get/?username=x HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\nAccept: application/json\r\n\r\n",
            self.authority, self.authorization
        )?;
        self.stream.write_all(&self.request)?;
        let mut length = 0;
        loop {
            let read = self.stream.read(self.answer.get_mut(length..).ok_or("the answer is too long")?)?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            length += read;
            if let Some(body) = body(self.answer.get(..length).unwrap_or_default())? {
                let account: SubAccount = serde_json::from_slice(body)?;
                black_box((account.username.len(), account.active, account.monthly_bandwidth));
                return Ok(());
            }
        }
    }
}

/// The body, once it is complete.
fn body(answer: &[u8]) -> Result<Option<&[u8]>, Failure> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = str::from_utf8(answer.get(..end).unwrap_or_default())?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(head.lines().next().unwrap_or_default().into());
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .ok_or("an answer without Content-Length")?;
    Ok(answer.get(end + 4..end + 4 + length.parse::<usize>()?))
}

/// Reads bursts from standard input, and prints the cost of each.
pub(crate) fn run(ca_file: &Path) -> Result<(), Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file)?)?;
    let tls = Arc::new(
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    );
    let mut connections = HashMap::new();
    for line in io::stdin().lock().lines() {
        let cost = burst(&line?, &tls, &mut connections)
            .unwrap_or_else(|failure| json!({ "error": failure.to_string() }));
        writeln!(io::stdout(), "{cost}")?;
    }
    Ok(())
}

fn burst(
    line: &str,
    tls: &Arc<ClientConfig>,
    connections: &mut HashMap<String, Vec<Connection>>,
) -> Result<Value, Failure> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [mode, base_url, width, calls] = words.as_slice() else {
        return Err("not MODE BASE_URL WIDTH CALLS".into());
    };
    let (width, calls) = (width.parse::<usize>()?, calls.parse::<usize>()?);
    let open = connections.entry((*base_url).to_owned()).or_default();
    while open.len() < width {
        open.push(Connection::open(base_url, tls)?);
    }
    let lanes = open.get_mut(..width).unwrap_or_default();
    let make: fn(&mut [Connection], usize) -> Result<Vec<Duration>, Failure> = match *mode {
        "sequential" => one_after_another,
        "threads" => in_threads,
        _ => return Err(format!("the raw socket has no {mode}").into()),
    };
    make(lanes, 2 * width)?;
    let (cpu, start) = (ProcessTime::now(), Instant::now());
    let mut each = make(lanes, calls)?;
    let (wall, cpu) = (start.elapsed(), cpu.elapsed());
    each.sort_unstable();
    let median = each.get(each.len() / 2).map(|time| micros(*time));
    Ok(json!({ "calls": calls, "wall_us": micros(wall), "cpu_us": micros(cpu), "p50_us": median }))
}

fn one_after_another(lanes: &mut [Connection], calls: usize) -> Result<Vec<Duration>, Failure> {
    let connection = lanes.first_mut().ok_or("no connection")?;
    let mut each = Vec::with_capacity(calls);
    for _ in 0..calls {
        let start = Instant::now();
        connection.call()?;
        each.push(start.elapsed());
    }
    Ok(each)
}

fn in_threads(lanes: &mut [Connection], calls: usize) -> Result<Vec<Duration>, Failure> {
    let share = calls / lanes.len(); // the number of calls is a multiple of the width
    thread::scope(|scope| {
        let threads: Vec<_> = lanes
            .iter_mut()
            .map(|connection| scope.spawn(move || (0..share).try_for_each(|_| connection.call())))
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    Ok(Vec::new())
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
