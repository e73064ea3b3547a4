//! The proxies: who may use them, which targets they reach, and what bandwidth they count.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at the first surprise")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proxymesh_sandbox::{Fault, RecordedAuth, Sandbox};
use support::{Answer, Caller, Connection};

/// Starts a server that answers with the head of the request and then as many bytes as the path says. Returns its
/// address.
fn target() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(head) = head(&mut stream) {
                    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
                    let padding = "x".repeat(path.parse().unwrap_or(0));
                    let length = head.len() + padding.len();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nX-ProxyMesh-IP: forged\r\nKeep-Alive: \
                         timeout=1\r\n\r\n{head}{padding}"
                    );
                    let _ = stream.get_mut().write_all(answer.as_bytes());
                }
            });
        }
    });
    address
}

fn head(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

fn started() -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    let parent = Caller::parent(&sandbox);
    (sandbox, parent)
}

/// The address of the proxy of this name.
fn proxy(parent: &Caller, name: &str) -> String {
    assert_eq!(parent.post("/api/proxy/add/", &[("proxy", name)]).status, 200);
    let listed = parent.get("/api/proxies/").json();
    let mut listed = listed["proxies"].as_array().unwrap().iter().map(|entry| entry.as_str().unwrap());
    let found = listed.find(|entry| entry.starts_with(&format!("{name}.localhost:"))).unwrap();
    found.replace(&format!("{name}.localhost"), "127.0.0.1")
}

fn basic(username: &str, password: &str) -> String {
    format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("{username}:{password}")))
}

fn parents() -> String {
    basic("parent", "parent-password")
}

fn send(proxy: &str, line: &str, headers: &str) -> (Connection, Answer) {
    let mut connection = Caller::at(proxy).connect().unwrap();
    connection.raw(format!("{line} HTTP/1.1\r\nHost: elsewhere\r\n{headers}\r\n").as_bytes()).unwrap();
    let answer = connection.read().unwrap();
    (connection, answer)
}

fn get(proxy: &str, url: &str, headers: &str) -> Answer {
    send(proxy, &format!("GET {url}"), headers).1
}

#[test]
fn a_plain_request_is_passed_on_without_what_was_meant_for_the_proxy() {
    let (sandbox, parent) = started();
    let (target, open) = (target(), proxy(&parent, "open"));
    let headers = parents() + "X-ProxyMesh-Country: DE\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Own: kept\r\n";
    let answer = get(&open, &format!("http://{target}/0?q=1"), &headers);
    assert_eq!(answer.status, 200);
    let arrived = answer.text().to_lowercase();
    assert!(arrived.starts_with("get /0?q=1 http/1.1\r\n"), "{arrived}");
    assert!(arrived.contains(&format!("host: {target}\r\n")) && arrived.contains("x-own: kept"), "{arrived}");
    assert!(!arrived.contains("proxy") && !arrived.contains("x-hop"), "{arrived}");
    let exit = answer.header("X-ProxyMesh-IP").unwrap();
    assert!(exit.starts_with("198.18."), "{exit}");
    assert_eq!(answer.header("Keep-Alive"), None);

    let proxied = sandbox.proxied();
    let seen = &proxied[0];
    assert_eq!((seen.proxy.as_str(), seen.method.as_str(), seen.status), ("open", "GET", Some(200)));
    assert_eq!(seen.auth, RecordedAuth::Basic { username: "parent".to_owned() });
    assert_eq!((seen.account.as_deref(), seen.country.as_deref()), (Some("parent"), Some("DE")));
    assert_eq!(seen.exit_ip.unwrap().to_string(), exit);
    assert!(seen.headers.contains(&("proxy-authorization".to_owned(), "***".to_owned())));
    assert!(seen.headers.contains(&("x-proxymesh-country".to_owned(), "DE".to_owned())));
}

#[test]
fn credentials_in_a_url_are_neither_passed_on_nor_recorded() {
    let (sandbox, parent) = started();
    let (target, open) = (target(), proxy(&parent, "open"));
    let answer = get(&open, &format!("http://me:secret@{target}/0"), &parents());
    assert!(answer.text().contains(&format!("ost: {target}\r\n")), "{}", answer.text());
    assert!(!answer.text().contains("secret"));
    assert_eq!(sandbox.proxied()[0].target, format!("http://{target}/0"));
}

#[test]
fn a_tunnel_carries_whatever_is_sent() {
    let (sandbox, parent) = started();
    let (target, proxy) = (target(), proxy(&parent, "us-ca"));
    let (mut tunnel, answer) = send(&proxy, &format!("CONNECT {target}"), &parents());
    assert_eq!(answer.status, 200);
    assert!(answer.header("X-ProxyMesh-IP").is_some());
    for _ in 0..2 {
        tunnel.raw(b"GET /1000 HTTP/1.1\r\nX-ProxyMesh-Country: DE\r\n\r\n").unwrap();
        let through = tunnel.read().unwrap();
        assert!(through.text().contains("X-ProxyMesh-Country: DE"));
        assert!(through.body.len() > 1000);
    }
    assert_eq!(sandbox.proxied().len(), 1);
    assert!(sandbox.proxied()[0].bytes > 2000);
}

#[test]
fn who_may_use_a_proxy() {
    let (_sandbox, parent) = started();
    let (url, proxy) = (format!("http://{}/", target()), proxy(&parent, "us-ca"));
    let status = |headers: &str| get(&proxy, &url, headers).status;

    let stranger = get(&proxy, &url, "");
    assert_eq!(
        (stranger.status, stranger.header("Proxy-Authenticate")),
        (407, Some("Basic realm=\"ProxyMesh\""))
    );
    assert_eq!(status(&basic("parent", "wrong")), 407);
    assert_eq!(status("Proxy-Authorization: Bearer pm_nothing\r\n"), 407);
    assert_eq!(status("Proxy-Authorization: Digest x\r\n"), 407);

    let token = parent.post("/api/token/create/", &[]).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(status(&format!("Proxy-Authorization: Bearer {token}\r\n")), 200);

    parent.post("/api/sub/create/", &[("username", "sub"), ("password", "sub-password")]);
    assert_eq!(status(&basic("sub", "sub-password")), 200);
    parent.post("/api/ip/add/", &[("ip", "127.0.0.1"), ("username", "sub")]);
    assert_eq!(status(""), 200);
    assert_eq!(status(&basic("parent", "wrong")), 407, "if there are credentials, they decide");
    parent.post("/api/sub/deactivate/", &[("username", "sub")]);
    assert_eq!((status(&basic("sub", "sub-password")), status("")), (402, 402));
    assert_eq!(status(&basic("sub", "wrong")), 407);

    parent.post("/api/proxy/delete/", &[("proxy", "us-ca")]);
    assert_eq!(status(&parents()), 407);
    assert_eq!(parent.get("/api/proxies/").status, 200, "none of it counts towards the ban");
}

#[test]
fn bandwidth_is_booked_as_it_passes_and_a_limit_stops_it() {
    let (sandbox, parent) = started();
    let (target, proxy) = (target(), proxy(&parent, "us-ca"));
    let sub = basic("sub", "sub-password");
    let form = [("username", "sub"), ("password", "sub-password"), ("monthly_limit", "1")];
    parent.post("/api/sub/create/", &form);
    let used = || parent.get("/api/sub/get/?username=sub").json()["monthly_bandwidth"].as_f64().unwrap();

    assert_eq!(get(&proxy, &format!("http://{target}/5000000"), &sub).status, 200);
    assert!((0.005..0.00505).contains(&used()), "{}", used());
    let (mut tunnel, _) = send(&proxy, &format!("CONNECT {target}"), &sub);
    tunnel.raw(b"GET /5000000 HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(tunnel.read().unwrap().status, 200);
    assert!((0.01..0.0101).contains(&used()), "{}", used());

    // A transfer in progress is cut off.
    sandbox.book_usage("sub", 0.98).unwrap();
    tunnel.raw(b"GET /20000000 HTTP/1.1\r\n\r\n").unwrap();
    let rest = tunnel.rest().unwrap_or_default();
    assert!((5_000_000..15_000_000).contains(&rest.len()), "{}", rest.len());
    let stopped = get(&proxy, &format!("http://{target}/"), &sub);
    assert_eq!(stopped.status, 509);
    assert_eq!(stopped.text(), "The sub-account's monthly limit of 1 GB is reached.\n");
    assert_eq!(send(&proxy, &format!("CONNECT {target}"), &sub).1.status, 509);
    assert_eq!(get(&proxy, &format!("http://{target}/"), &parents()).status, 200, "the parent has no limit");

    parent.post("/api/sub/edit/", &[("username", "sub"), ("monthly_limit", "2")]);
    assert_eq!(get(&proxy, &format!("http://{target}/"), &sub).status, 200);
    parent.post("/api/sub/edit/", &[("username", "sub"), ("total_limit", "1")]);
    assert!(get(&proxy, &format!("http://{target}/"), &sub).text().contains("total limit of 1 GB"));
    sandbox.advance(Duration::from_secs(31 * 24 * 60 * 60));
    assert_eq!(
        get(&proxy, &format!("http://{target}/"), &sub).status,
        509,
        "a new billing period does not reset the total"
    );
}

#[test]
fn the_parents_own_limit_stops_everyone() {
    let sandbox = Sandbox::builder().proxies(true).monthly_limit(1).start().unwrap();
    let parent = Caller::parent(&sandbox);
    Caller::sub_account(&sandbox, "sub");
    let (url, proxy) = (format!("http://{}/", target()), proxy(&parent, "us-ca"));
    sandbox.book_usage("sub", 1.0).unwrap();
    for sender in [parents(), basic("sub", "sub-password")] {
        let stopped = get(&proxy, &url, &sender);
        assert_eq!(
            (stopped.status, stopped.text()),
            (509, "The account's monthly limit of 1 GB is reached.\n")
        );
    }
    sandbox.advance(Duration::from_secs(31 * 24 * 60 * 60));
    assert_eq!(get(&proxy, &url, &parents()).status, 200);
}

#[test]
fn only_this_machine_is_reached() {
    let (_sandbox, parent) = started();
    let (target, proxy) = (target(), proxy(&parent, "us-ca"));
    let port = target.rsplit(':').next().unwrap();
    for host in ["localhost", "shop.test"] {
        assert_eq!(get(&proxy, &format!("http://{host}:{port}/"), &parents()).status, 200, "{host}");
    }
    for (line, status) in [
        ("GET http://example.com/", 403),
        ("CONNECT 192.0.2.1:443", 403),
        ("GET /", 400),
        ("GET https://localhost/", 400),
        ("CONNECT localhost", 400),
        ("GET http://127.0.0.1:1/", 502),
        ("CONNECT 127.0.0.1:1", 502),
        ("CONNECT proxymesh.com:443", 200),
    ] {
        assert_eq!(send(&proxy, line, &parents()).1.status, status, "{line}");
    }
    for headers in ["X-ProxyMesh-Not-IP: nowhere\r\n", "X-ProxyMesh-Prefer-IP: 1.2.3\r\n"] {
        assert_eq!(get(&proxy, &format!("http://{target}/"), &(parents() + headers)).status, 400);
    }
}

#[test]
fn one_proxy_can_be_made_to_fail_without_the_others() {
    let (sandbox, parent) = started();
    let url = format!("http://{}/", target());
    let (bad, good) = (proxy(&parent, "us-ca"), proxy(&parent, "us-ny"));
    sandbox.inject(Fault::status(509).proxy("us-ca").times(0)).unwrap();
    for _ in 0..2 {
        assert_eq!((get(&bad, &url, &parents()).status, get(&good, &url, &parents()).status), (509, 200));
    }
    sandbox.clear_faults();
    assert_eq!(get(&bad, &url, &parents()).status, 200);
    assert_eq!(sandbox.proxied()[0].fault, Some("status"));

    let seen = parent.control("GET", "/_sandbox/proxied", "").json();
    assert_eq!((seen[0]["proxy"].as_str(), seen[0]["status"].as_u64()), (Some("us-ca"), Some(509)));
    sandbox.reset();
    assert!(sandbox.proxied().is_empty());
    assert_eq!(parent.control("GET", "/_sandbox/ip", "").text(), "127.0.0.1");
}

#[test]
fn a_sandbox_that_serves_proxies_stops_at_once() {
    let (sandbox, parent) = started();
    let (target, proxy) = (target(), proxy(&parent, "us-ca"));
    let (mut tunnel, _) = send(&proxy, &format!("CONNECT {target}"), &parents());
    sandbox.stop();
    let _ = tunnel.rest();
    assert!(TcpStream::connect(proxy).is_err());
}
