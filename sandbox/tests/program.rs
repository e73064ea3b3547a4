//! The program `proxymesh-sandbox`, run as users run it.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxymesh-sandbox"));
    command.args(arguments).env_remove("PROXYMESH_SANDBOX_PASSWORD");
    command
}

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running program. It is killed at the end of the test, whatever happens.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        if let Some(stdout) = child.stdout.as_mut() {
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_default().to_owned();
        assert!(!address.is_empty(), "{line:?}");
        Self { child, address }
    }

    /// The status line of `GET /api/proxies/` with this Authorization.
    fn status_for(&self, authorization: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = "GET /api/proxies/ HTTP/1.1\r\nHost: localhost\r\nConnection: close";
        let _ = write!(stream, "{head}\r\nAuthorization: {authorization}\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[cfg(unix)]
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let status = self.child.wait().ok().and_then(|status| status.code());
        let mut last_words = String::new();
        if let Some(stderr) = self.child.stderr.as_mut() {
            let _ = stderr.read_to_string(&mut last_words);
        }
        (status, last_words)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_serves_the_account_it_was_given() {
    let serving = Serving::start(program(&[]));
    assert!(serving.address.starts_with("127.0.0.1:"));
    // parent:parent-password
    let status = serving.status_for("Basic cGFyZW50OnBhcmVudC1wYXNzd29yZA==");
    assert_eq!(status, "HTTP/1.1 200 OK");

    let flags = ["--username=me@example.com", "--password", "s3cret", "--plan", "trial", "--port", "0"];
    let serving = Serving::start(program(&flags));
    // me@example.com:s3cret
    assert_eq!(serving.status_for("Basic bWVAZXhhbXBsZS5jb206czNjcmV0"), "HTTP/1.1 200 OK");
}

#[test]
fn the_password_may_come_from_the_environment() {
    let mut command = program(&[]);
    command.env("PROXYMESH_SANDBOX_PASSWORD", "s3cret");
    let serving = Serving::start(command);
    // parent:s3cret
    assert_eq!(serving.status_for("Basic cGFyZW50OnMzY3JldA=="), "HTTP/1.1 200 OK");
}

#[cfg(unix)]
#[test]
fn it_ends_with_0_and_a_last_line_when_it_is_shut_down() {
    for (signal, name) in [("TERM", "SIGTERM"), ("INT", "SIGINT")] {
        let serving = Serving::start(program(&[]));
        serving.status_for("none");
        let (status, last_words) = serving.stop(signal);
        assert_eq!(status, Some(0));
        assert_eq!(last_words, format!("stopped by {name} after 1 API call\n"));
    }
}

#[test]
fn it_ends_with_its_input_if_it_was_told_to() {
    let mut serving = Serving::start(program(&["--until-eof"]));
    assert_eq!(serving.status_for("none"), "HTTP/1.1 401 Unauthorized");
    assert!(matches!(serving.child.try_wait(), Ok(None)));
    drop(serving.child.stdin.take());
    assert!(serving.child.wait().unwrap().success());
    let mut last_words = String::new();
    serving.child.stderr.take().unwrap().read_to_string(&mut last_words).unwrap();
    assert_eq!(last_words, "stopped by the end of its input after 1 API call\n");
}

#[cfg(unix)]
#[test]
fn it_says_what_others_can_reach() {
    let mut command = program(&["--host", "0.0.0.0", "--proxies"]);
    command.env("PROXYMESH_SANDBOX_PASSWORD", "my own");
    let serving = Serving::start(command);
    let address = serving.address.clone();
    assert!(address.starts_with("0.0.0.0:"));
    let (_, said) = serving.stop("TERM");
    let warning = said.lines().next().unwrap_or_default();
    assert!(warning.starts_with(&format!("warning: {address} is not a loopback address: ")), "{said}");
    assert!(
        warning.contains("controls under /_sandbox/") && warning.contains("this machine's loopback"),
        "{said}"
    );
    let serving = Serving::start(program(&[]));
    let (_, said) = serving.stop("TERM");
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn away_from_loopback_the_published_password_is_refused() {
    for arguments in [
        &["--host", "0.0.0.0"][..],
        &["--host", "0.0.0.0", "--proxies"],
        &["--host", "0.0.0.0", "--password", "parent-password"],
    ] {
        let output = output(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        let expected = "error: password: others can reach 0.0.0.0, and the default password is published; set one of your own";
        assert!(error.starts_with(expected) && error.contains("PROXYMESH_SANDBOX_PASSWORD"), "{error}");
        let line = text(&output.stdout);
        assert!(line.starts_with("not listening on http://0.0.0.0:"), "{line}");
        let port = line.rsplit("0.0.0.0:").next().and_then(|rest| rest.split(':').next()).unwrap_or_default();
        assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_err(), "{line}");
    }
}

#[test]
fn a_taken_port_is_one_line_and_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = output(&["--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("error: cannot listen on 127.0.0.1:{port}: address already in use\n");
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn what_it_does_not_understand_is_status_2_and_points_to_the_help() {
    for (arguments, reason) in [
        (&["--colour"][..], "--colour"),
        (&["serve"], "serve"),
        (&["--port"], "--port"),
        (&["--port", "http"], "http"),
        (&["--port", "65536"], "65536"),
        (&["--plan", "30"], "unknown plan '30'; the plans are trial, 10, 20, 50 and 100"),
        (&["--keep-alive", "-1"], "not a number of seconds"),
        (&["--keep-alive", "0"], "before their first call"),
        (&["--username", "a b"], "username"),
        (&["--password", ""], "password"),
    ] {
        let output = output(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.starts_with("error: ") && error.contains(reason), "{error}");
        assert!(error.contains("proxymesh-sandbox --help"), "{error}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn help_names_every_flag_the_credentials_the_controls_and_the_faults() {
    for flag in ["--help", "-h"] {
        let output = output(&[flag]);
        assert_eq!(output.status.code(), Some(0));
        let help = text(&output.stdout);
        for word in [
            "--host",
            "--port",
            "--username",
            "--password",
            "--plan",
            "--proxies",
            "--monthly-limit",
            "--keep-alive",
            "--until-eof",
            "--version",
            "PROXYMESH_SANDBOX_PASSWORD",
            "parent-password",
            "curl",
            "/_sandbox/faults",
            "/_sandbox/clock",
            "drop_after_apply",
            "close_idle",
            "SIGTERM",
        ] {
            assert!(help.contains(word), "{word}");
        }
        assert!(help.lines().all(|line| line.len() <= 120));
    }
}

#[test]
fn version_is_one_line() {
    let output = output(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    let expected = concat!("proxymesh-sandbox ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(text(&output.stdout), expected);
}
