//! A tiny HTTP client over a plain socket, so that the tests see every byte.

#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at the first surprise")]

#[allow(clippy::expect_used, clippy::panic)]
pub(crate) mod hostile;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proxymesh_sandbox::Sandbox;
use serde_json::Value;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A sandbox, and a caller with its parent's credentials.
pub(crate) fn started() -> (Sandbox, Caller) {
    let sandbox = Sandbox::start().unwrap();
    let parent = Caller::parent(&sandbox);
    (sandbox, parent)
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(given, _)| given.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The reason in `{"error": …}`.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

/// Makes calls, each on its own connection.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    address: String,
    authorization: Option<String>,
}

impl Caller {
    pub(crate) fn parent(sandbox: &Sandbox) -> Self {
        Self::basic(sandbox, sandbox.username(), sandbox.password())
    }

    pub(crate) fn basic(sandbox: &Sandbox, username: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{username}:{password}"));
        Self::with(sandbox, &format!("Basic {pair}"))
    }

    pub(crate) fn bearer(sandbox: &Sandbox, token: &str) -> Self {
        Self::with(sandbox, &format!("Bearer {token}"))
    }

    pub(crate) fn with(sandbox: &Sandbox, authorization: &str) -> Self {
        Self { authorization: Some(authorization.to_owned()), ..Self::nobody(sandbox) }
    }

    pub(crate) fn nobody(sandbox: &Sandbox) -> Self {
        Self { address: sandbox.base_url().replace("http://", ""), authorization: None }
    }

    /// A caller without credentials, for whatever listens at this address.
    pub(crate) fn at(address: &str) -> Self {
        Self { address: address.to_owned(), authorization: None }
    }

    /// A sub-account, created with this username and a password.
    pub(crate) fn sub_account(sandbox: &Sandbox, username: &str) -> Self {
        let form = [("username", username), ("password", "sub-password")];
        let created = Self::parent(sandbox).post("/api/sub/create/", &form);
        assert_eq!(created.status, 200);
        Self::basic(sandbox, username, "sub-password")
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.try_get(target).unwrap()
    }

    pub(crate) fn try_get(&self, target: &str) -> io::Result<Answer> {
        self.send("GET", target, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.try_post(path, form).unwrap()
    }

    pub(crate) fn try_post(&self, path: &str, form: &[(&str, &str)]) -> io::Result<Answer> {
        self.send("POST", path, &[("Content-Type", FORM)], &encode(form))
    }

    /// Calls a control. The request and the answer are JSON.
    pub(crate) fn control(&self, method: &str, path: &str, json: &str) -> Answer {
        self.send(method, path, &[], json.as_bytes()).unwrap()
    }

    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        self.connect()?.send(method, target, headers, body)
    }

    pub(crate) fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Connection { stream: BufReader::new(stream), authorization: self.authorization.clone() })
    }
}

/// A connection that stays open until the server closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    authorization: Option<String>,
}

impl Connection {
    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        self.write(method, target, headers, body)?;
        self.read()
    }

    pub(crate) fn write(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<()> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        if let Some(authorization) = &self.authorization {
            head.push_str(&format!("Authorization: {authorization}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if method == "POST" || !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads everything until the server closes the connection.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Reads one answer. It is an error if the answer is incomplete.
    pub(crate) fn read(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            answer.headers.push((name.to_owned(), value.to_owned()));
        }
        if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut answer.body)?;
        } else if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = self.chunks()?;
        }
        Ok(answer)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).unwrap();
            let start = body.len();
            body.resize(start + length, 0);
            self.stream.read_exact(&mut body[start..])?;
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

pub(crate) fn encode(form: &[(&str, &str)]) -> Vec<u8> {
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

/// Waits until this is true, for as long as a slow machine may need.
pub(crate) fn soon(holds: impl Fn() -> bool) -> bool {
    for _ in 0..500 {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}
