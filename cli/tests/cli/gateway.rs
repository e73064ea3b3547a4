//! `proxymesh gateway` with curl. gateway/tests tests the gateway itself.

use crate::support::{PASSWORD, Place, ran, skip};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
};

/// A gateway that is running, and the lines of its output.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(place: &Place, words: &[&str]) -> Self {
        let mut command = place.program();
        command.args(["gateway", "--output", "ndjson"]).args(words);
        command.env("PROXYMESH_GATEWAY_PASSWORD", "canary-gateway-7f3a91");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn listening(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Ends it as a service manager does, and returns what it has written to stderr.
    fn end(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (status.code(), text)
    }
}

/// A site that answers every request with `page`.
fn site() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage");
            });
        }
    });
    port
}

#[test]
fn any_program_uses_the_proxies_through_it() {
    if let Err(error) = Command::new("curl").arg("--version").output() {
        return skip("curl", &error);
    }
    let place = Place::with(|builder| builder.proxies(true));
    let log = place.home.join("access.log");
    place.records("proxies add open");
    let ports =
        ["--port", "0=country:DE", "--port", "0=username", "--log", log.to_str().unwrap(), "--control", "0"];
    let mut gateway = Running::start(&place, &ports);
    let (german, named) = (gateway.listening(), gateway.listening());
    assert_eq!((german["policy"].as_str(), named["policy"].as_str()), (Some("country-DE"), Some("username")));
    let page = format!("http://site.test:{}/path?query", site());
    let curl = |proxy: &str, user: &str| {
        let arguments = ["--silent", "--show-error", "--fail", "--proxy", proxy, "--proxy-user", user, &page];
        let output = Command::new("curl").env_clear().args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let german = german["url"].as_str().unwrap();
    let socks = german.replace("http:", "socks5h:");
    let named = named["url"].as_str().unwrap();
    for (proxy, user) in [(german, ":"), (&*socks, "country-DE:"), (named, "country-DE-session-1:")] {
        let user = format!("{user}canary-gateway-7f3a91").replace("::", ":");
        assert_eq!(curl(proxy, &user), (true, "page".to_owned()), "{proxy} {user}");
    }
    assert!(!curl(german, ":wrong").0 && !curl(named, "hunter2:canary-gateway-7f3a91").0);
    let proxied = place.sandbox.proxied();
    // The session asks for an exit first.
    assert!(
        proxied.len() == 4 && proxied.iter().all(|request| request.country.as_deref() == Some("DE")),
        "{proxied:?}"
    );
    let (status, said) = gateway.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("/metrics") && !said.contains("canary"), "{said}");
    let log = fs::read_to_string(log).unwrap();
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let statuses: Vec<_> = entries.iter().map(|entry| entry["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 200, 407, 407]);
    for secret in ["canary", "hunter2", "query", "/path", PASSWORD] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn what_cannot_work_is_an_error() {
    let place = Place::new();
    for (words, text) in [
        ("gateway --port 8080=DE", "a policy is rotate"),
        ("gateway --port x=rotate", "write a port and a policy"),
        ("gateway --host 0.0.0.0", "needs a password"),
        ("gateway --log /nowhere/log", "/nowhere/log: "),
    ] {
        let ended = ran(place.program().args(words.split(' ')));
        assert!([1, 2].contains(&ended.status) && ended.stderr.contains(text), "{words}: {}", ended.stderr);
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _taken = TcpListener::bind(taken).unwrap();
    let ended = place.run(&format!("gateway --port {}=rotate", taken.port()));
    assert!(
        ended.status == 1 && ended.stderr.contains(&format!("cannot listen on {taken}: ")),
        "{}",
        ended.stderr
    );
}

#[test]
fn every_block_of_the_guide_works() {
    if let Err(error) = Command::new("curl").arg("--version").output() {
        return skip("curl", &error);
    }
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gateway.md")).unwrap();
    let place = Place::with(|builder| builder.proxies(true));
    for proxy in ["open", "us-ca"] {
        let _ = place.run(&format!("proxies add {proxy}"));
    }
    let page = format!("http://site.test:{}/", site());
    let blocks: Vec<_> =
        guide.split("```").skip(1).step_by(2).map(|part| part.split_once('\n').unwrap()).collect();
    assert_eq!(blocks.iter().map(|(language, _)| *language).collect::<Vec<_>>(), ["sh", "sh", "ini"]);
    for (_, block) in blocks.iter().filter(|(language, _)| *language == "sh") {
        let mut block = (*block).to_owned();
        // The ports of the guide may be in use.
        for port in ["8080", "8081", "8082", "8083", "8089"] {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            block = block.replace(port, &free.to_string());
        }
        let program = place.program();
        let mut bash = Command::new("bash");
        bash.env_clear().current_dir(&place.home).stdin(Stdio::null());
        bash.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        bash.envs([("page", &*page), ("gateway_password", "canary-gateway-7f3a91")]);
        let ended = ran(bash.args([
            "-meuo",
            "pipefail",
            "-c",
            &block.replace("curl ", "curl --silent --show-error --fail "),
        ]));
        assert_eq!(ended.status, 0, "{block}\n{}{}", ended.stdout, ended.stderr);
        let pages = block.matches("\"$page\"").count();
        assert_eq!(ended.stdout.matches("page").count(), pages, "{}", ended.stdout);
    }
    let (_, unit) = blocks[2];
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=proxymesh ")).unwrap();
    let words: Vec<_> = command.split(' ').map(|word| word.replace("%h", "/nowhere")).collect();
    // It fails only because there is no such folder, so the arguments are right.
    let ended = ran(place.program().args(words));
    assert!(ended.stderr.contains("/nowhere/proxymesh-gateway.log: "), "{}", ended.stderr);
}
