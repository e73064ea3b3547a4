//! What the program does on a terminal.

use crate::support::{PASSWORD, Place, SUB_PASSWORD};
use proxymesh_sandbox::Fault;
use pty_process::blocking::{Command, Pty};
use std::{
    io::{Read, Write},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// A program on a terminal of 24 lines of 80 characters.
pub(crate) struct Session {
    child: Child,
    keyboard: std::sync::Arc<Pty>,
    screen: Receiver<Vec<u8>>,
    /// What it has shown so far.
    pub(crate) shown: String,
}

impl Session {
    pub(crate) fn start(place: &Place, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::of(env!("CARGO_BIN_EXE_proxymesh"), place, arguments, environment, (24, 80))
    }

    pub(crate) fn of(
        program: &str,
        place: &Place,
        arguments: &[&str],
        environment: &[(&str, &str)],
        (rows, columns): (u16, u16),
    ) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(rows, columns)).unwrap();
        let command = Command::new(program).args(arguments).env_clear().envs(place.environment());
        let command = command.envs(environment.iter().copied()).current_dir(&place.home);
        let child = command.spawn(pts).unwrap();
        let (keyboard, (sender, screen)) = (std::sync::Arc::new(pty), channel());
        let reader = keyboard.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = (&*reader).read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, shown: String::new() }
    }

    pub(crate) fn with_credentials(place: &Place, arguments: &[&str]) -> Self {
        Self::start(
            place,
            arguments,
            &[("PROXYMESH_USERNAME", "me+1@ex.com"), ("PROXYMESH_PASSWORD", PASSWORD)],
        )
    }

    /// Waits until it has shown this.
    pub(crate) fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.shown.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("no {text:?} in {:?}", self.shown),
            }
        }
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        (&*self.keyboard).write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the end. Returns the exit status.
    pub(crate) fn end(&mut self) -> i32 {
        let status = self.child.wait().unwrap().code().unwrap_or(-1);
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(300)) {
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
        assert!(!self.shown.contains("canary"), "a secret was shown");
        status
    }
}

#[test]
fn a_login_asks_and_does_not_show_the_password() {
    let place = Place::new();
    let mut session = Session::start(&place, &["login"], &[]);
    session.expect("Username: ");
    session.type_in("me+1@ex.com\n");
    session.expect("Password for me+1@ex.com: ");
    session.type_in(&format!("{PASSWORD}\n"));
    session.expect("logged in as me+1@ex.com until ");
    assert_eq!(session.end(), 0);

    // The profile has only a token, so the token calls ask for the password.
    let mut session = Session::start(&place, &["tokens", "list"], &[]);
    session.expect("Password for me+1@ex.com: ");
    session.type_in(&format!("{PASSWORD}\n"));
    session.expect("proxymesh login");
    assert_eq!(session.end(), 0);

    let mut session = Session::start(&place, &["logout"], &[]);
    session.expect("Password for me+1@ex.com: ");
    session.type_in(&format!("{PASSWORD}\n"));
    session.expect("forgot the profile default");
    assert_eq!(session.end(), 0);
    assert!(place.records("tokens list").is_empty());
}

#[test]
fn a_new_password_is_asked_for_twice() {
    let place = Place::new();
    let mut session = Session::with_credentials(&place, &["subs", "create", "crawler-1", "--ask-password"]);
    session.expect("Password of the sub-account: ");
    session.type_in(&format!("{SUB_PASSWORD}\n"));
    session.expect("The same again: ");
    session.type_in("something else\n");
    session.expect("the two passwords differ");
    assert_eq!(session.end(), 2);
    assert!(place.calls().is_empty());
}

#[test]
fn on_a_terminal_the_format_is_a_table_with_a_bold_heading() {
    let place = Place::new();
    let mut session = Session::with_credentials(&place, &["geo", "open"]);
    assert_eq!(session.end(), 0);
    assert!(session.shown.starts_with("\u{1b}[1mCOUNTRY  EXIT IPS\u{1b}[0m\r\n"), "{:?}", session.shown);
    let environment =
        [("PROXYMESH_USERNAME", "me+1@ex.com"), ("PROXYMESH_PASSWORD", PASSWORD), ("NO_COLOR", "1")];
    let mut session = Session::start(&place, &["geo", "open"], &environment);
    assert_eq!(session.end(), 0);
    assert!(session.shown.starts_with("COUNTRY  EXIT IPS\r\n"), "{:?}", session.shown);
    let mut session = Session::start(&place, &["subs", "get", "nobody"], &environment);
    assert_eq!(session.end(), 5);
    assert!(!session.shown.contains('\u{1b}'), "{:?}", session.shown);
}

#[test]
fn a_question_names_what_would_be_deleted() {
    let place = Place::new();
    place.records("subs create crawler-1 crawler-2");
    let mut session = Session::with_credentials(&place, &["subs", "delete", "crawler-1", "crawler-2"]);
    session.expect("Delete these sub-accounts permanently: crawler-1, crawler-2? [y/N] ");
    session.type_in("\n");
    session.expect("nothing was changed");
    assert_eq!(session.end(), 1);
    assert_eq!(place.records("subs get crawler-1 crawler-2").len(), 2);
    let mut session = Session::with_credentials(&place, &["subs", "delete", "crawler-1"]);
    session.expect("Delete the sub-account permanently: crawler-1? [y/N] ");
    session.type_in("y\n");
    assert_eq!(session.end(), 0);
    assert_eq!(place.run("subs get crawler-1").status, 5);
}

#[test]
fn a_bar_appears_after_a_second_and_goes_away() {
    let place = Place::new();
    place.sandbox.inject(Fault::delay(Duration::from_millis(1200)).path("/api/ip/add/").times(3)).unwrap();
    let mut session = Session::with_credentials(
        &place,
        &["ips", "add", "--jobs", "1", "192.0.2.1", "192.0.2.2", "192.0.2.3"],
    );
    session.expect("1 of 3");
    assert_eq!(session.end(), 0);
    // It is erased before the results are shown.
    let results = session.shown.rsplit('\u{1b}').next().unwrap();
    assert!(session.shown.contains("NAME") && !results.contains(" of 3"), "{:?}", session.shown);
    // What is quick has none.
    let mut session = Session::with_credentials(&place, &["ips", "list"]);
    assert_eq!(session.end(), 0);
    assert!(!session.shown.contains("0s"), "{:?}", session.shown);
}

#[test]
fn a_url_with_a_password_is_announced_on_a_terminal() {
    let place = Place::new();
    let mut session = Session::with_credentials(&place, &["proxies", "url", "us-ca"]);
    assert_eq!(session.end(), 0);
    assert_eq!(session.shown, "http://us-ca.proxymesh.com:31280\r\n");
    let mut session = Session::with_credentials(&place, &["proxies", "url", "us-ca", "--with-credentials"]);
    session.expect("warning: what follows contains the password");
    session.expect("http://me%2B1%40ex.com:canary-");
}

#[test]
fn ctrl_c_at_a_question_ends_the_program_and_leaves_the_terminal_as_it_was() {
    let place = Place::new();
    let script =
        "stty -a > before; proxymesh login --username x; stty -a > after; cmp before after && echo the same";
    let mut session = Session::of("bash", &place, &["-c", &format!("trap : INT; {script}")], &[], (24, 80));
    session.expect("Password for x: ");
    session.type_in("\u{3}");
    session.expect("the same");
    session.end();
}

#[test]
fn ctrl_c_works_after_a_question_too() {
    let place = Place::new();
    place.sandbox.inject(Fault::delay(Duration::from_secs(60)).path("/api/token/create/")).unwrap();
    let mut session = Session::start(&place, &["login", "--username", "me+1@ex.com"], &[]);
    session.expect("Password for me+1@ex.com: ");
    session.type_in(&format!("{PASSWORD}\n"));
    while place.calls().is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    let began = Instant::now();
    session.type_in("\u{3}");
    assert_ne!(session.end(), 0);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn follow_adds_this_machines_ip_and_removes_it_at_a_signal() {
    let place = Place::new();
    // On this machine's own sandbox, the address is a loopback one.
    for (signal, format) in [("INT", "json"), ("TERM", "ndjson")] {
        let mut command = place.program();
        command.args(["ips", "follow", "--label", "test", "-o", format]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while place.records("ips list").is_empty() {
            assert!(Instant::now() < deadline, "the IP was not added");
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(Duration::from_millis(300));
        let id = child.id().to_string();
        assert!(
            std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8(output.stdout).unwrap();
        let expected =
            if format == "json" { "[\n  {\"ip\":\"127.0.0.1\"}\n]\n" } else { "{\"ip\":\"127.0.0.1\"}\n" };
        assert_eq!(shown, expected);
        assert!(place.records("ips list").is_empty(), "the IP was not removed");
    }
}

#[cfg(feature = "sandbox")]
#[test]
fn the_sandbox_runs_until_a_signal() {
    use std::io::{BufRead, BufReader};
    let place = Place::new();
    let mut command = place.bare();
    command.args(["sandbox", "--proxies", "--plan", "trial"]).env("PROXYMESH_SANDBOX_PASSWORD", PASSWORD);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let mut command = place.bare();
    command
        .env("PROXYMESH_BASE_URL", &url)
        .env("PROXYMESH_USERNAME", "parent")
        .env("PROXYMESH_PASSWORD", PASSWORD);
    assert_eq!(crate::support::ran(command.args(["proxies", "check"])).status, 0);
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stopped by SIGTERM"));
}
