//! Away from loopback: the sandbox requires a password of your own, also for its controls, and relays only for its
//! users.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at the first surprise")]

mod support;

use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proxymesh_sandbox::{Builder, Error, Fault, Sandbox};
use support::{Answer, Caller};

const HOSTS: [&str; 3] = ["0.0.0.0", "::", "::ffff:0.0.0.0"];

fn exposed() -> Builder {
    Sandbox::builder().host("0.0.0.0").password("my own")
}

fn authorization(username: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{username}:{password}")))
}

fn tunnel(proxy: &str, target: &str, headers: &str) -> Answer {
    let mut connection = Caller::at(proxy).connect().unwrap();
    connection
        .raw(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{headers}\r\n").as_bytes())
        .unwrap();
    connection.read().unwrap()
}

#[test]
fn the_published_password_is_refused_and_the_error_says_how_to_set_another() {
    for host in HOSTS {
        for builder in [Sandbox::builder(), Sandbox::builder().password("parent-password").username("me")] {
            match builder.host(host).proxies(true).start() {
                Err(error @ Error::PublishedPassword { .. }) => {
                    let reason = error.to_string();
                    assert!(reason.starts_with("password: others can reach "), "{reason}");
                    assert!(reason.contains("PROXYMESH_SANDBOX_PASSWORD or --password"), "{reason}");
                }
                // This machine has no IPv6.
                Err(Error::Listen { .. }) if host.contains(':') => {}
                other => assert!(other.is_err(), "{host} was opened"),
            }
        }
    }
    for host in ["127.0.0.1", "localhost", "127.0.0.2"] {
        let sandbox = Sandbox::builder().host(host).proxies(true).start().unwrap();
        assert_eq!(sandbox.opens(), None, "{host}");
    }
}

#[test]
fn it_says_what_it_opens() {
    let opens = exposed().start().unwrap().opens().unwrap();
    assert!(
        opens.starts_with("0.0.0.0:") && opens.contains("/_sandbox/") && !opens.contains("proxies"),
        "{opens}"
    );
    let opens = exposed().proxies(true).start().unwrap().opens().unwrap();
    assert!(opens.contains("this machine's loopback addresses"), "{opens}");
}

#[test]
fn the_controls_require_the_parents_password() {
    for host in HOSTS {
        let Ok(sandbox) = exposed().host(host).start() else { continue };
        let parent = Caller::parent(&sandbox);
        let sub = Caller::sub_account(&sandbox, "sub");
        let token = parent.post("/api/token/create/", &[]).json()["token"].as_str().unwrap().to_owned();
        sandbox.inject(Fault::status(503)).unwrap();
        let strangers = [
            Caller::nobody(&sandbox),
            Caller::basic(&sandbox, "parent", "parent-password"),
            Caller::basic(&sandbox, "parent", ""),
            Caller::basic(&sandbox, "", "my own"),
            Caller::bearer(&sandbox, &token),
            sub,
        ];
        for stranger in &strangers {
            for (method, path) in [
                ("GET", "/_sandbox"),
                ("GET", "/_sandbox/"),
                ("GET", "/_sandbox/openapi.json"),
                ("GET", "/_sandbox/requests"),
                ("DELETE", "/_sandbox/requests"),
                ("GET", "/_sandbox/proxied"),
                ("DELETE", "/_sandbox/proxied"),
                ("GET", "/_sandbox/ip"),
                ("GET", "/_sandbox/faults"),
                ("POST", "/_sandbox/faults"),
                ("DELETE", "/_sandbox/faults"),
                ("GET", "/_sandbox/clock"),
                ("POST", "/_sandbox/clock"),
                ("POST", "/_sandbox/usage"),
                ("GET", "/_sandbox/account"),
                ("GET", "/_sandbox/connections"),
                ("POST", "/_sandbox/reset"),
                ("GET", "/_sandbox/nothing"),
            ] {
                let answer = stranger.control(method, path, "");
                assert_eq!(answer.status, 401, "{method} {path}");
                assert!(answer.error().contains("the parent account's username and password"));
                assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"ProxyMesh sandbox\""));
            }
        }
        assert_eq!((sandbox.faults().len(), sandbox.requests().len()), (1, 2));
        // The parent may use the controls even while banned, and so can lift the ban.
        sandbox.clear_faults();
        for _ in 0..4 {
            Caller::nobody(&sandbox).get("/api/ips/");
        }
        assert_eq!(parent.get("/api/ips/").status, 401);
        assert_eq!(parent.control("POST", "/_sandbox/clock", r#"{"advance_days": 1}"#).status, 200);
        assert_eq!(parent.get("/api/ips/").status, 200);
    }
}

#[test]
fn a_page_is_refused_here_too_but_any_name_is_answered_to() {
    let sandbox = exposed().start().unwrap();
    let parent = Caller::parent(&sandbox);
    let page = [("Origin", "https://evil.example")];
    assert_eq!(parent.send("POST", "/_sandbox/reset", &page, b"").unwrap().status, 403);
    let head =
        format!("GET /api/ips/ HTTP/1.1\r\nHost: sandbox:8080\r\n{}", authorization("parent", "my own"));
    let mut connection = parent.connect().unwrap();
    connection.raw(format!("{head}\r\n").as_bytes()).unwrap();
    assert_eq!(connection.read().unwrap().status, 200);
}

#[test]
fn a_sub_account_may_not_have_the_published_password_either() {
    let sandbox = exposed().start().unwrap();
    let parent = Caller::parent(&sandbox);
    let published = [("username", "sub"), ("password", "parent-password")];
    let refused = parent.post("/api/sub/create/", &published);
    assert_eq!(refused.status, 400);
    assert!(refused.json()["password"][0].as_str().unwrap().contains("published"));
    assert_eq!(
        parent.post("/api/sub/create/", &[("username", "sub"), ("password", "sub's own")]).status,
        200
    );
    assert_eq!(parent.post("/api/sub/edit/", &published).status, 400);
    let loopback = Sandbox::start().unwrap();
    assert_eq!(Caller::parent(&loopback).post("/api/sub/create/", &published).status, 200);
}

#[test]
fn the_proxies_relay_for_nobody_without_a_password_of_the_account() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = service.local_addr().unwrap().to_string();
    let sandbox = exposed().proxies(true).start().unwrap();
    let parent = Caller::parent(&sandbox);
    let listed = parent.get("/api/proxies/").json();
    let proxy = listed["proxies"][0].as_str().unwrap().replace("us-ca.localhost", "127.0.0.1");
    // Authenticating a wildcard address admits nobody.
    for any in ["0.0.0.0", "::", "255.255.255.255", "::ffff:0.0.0.0"] {
        assert_eq!(parent.post("/api/ip/add/", &[("ip", any)]).status, 200);
    }
    let published =
        authorization("parent", "parent-password").replace("Authorization", "Proxy-Authorization");
    for headers in ["", &published] {
        assert_eq!(tunnel(&proxy, &target, headers).status, 407);
    }
    let own = authorization("parent", "my own").replace("Authorization", "Proxy-Authorization");
    assert_eq!(tunnel(&proxy, &target, &own).status, 200);

    // The relay reaches the sandbox itself from loopback, but still needs credentials for its controls.
    let mut connection = Caller::at(&proxy).connect().unwrap();
    let line = "GET http://proxymesh.com/_sandbox/requests HTTP/1.1\r\nHost: proxymesh.com\r\n";
    connection.raw(format!("{line}{own}\r\n").as_bytes()).unwrap();
    assert_eq!(connection.read().unwrap().status, 401);
}

#[test]
fn the_service_behind_the_proxies_is_where_the_sandbox_listens() {
    let sandbox = Sandbox::builder().host("127.0.0.2").proxies(true).start().unwrap();
    let parent = Caller::parent(&sandbox);
    let listed = parent.get("/api/proxies/").json();
    let proxy = listed["proxies"][0].as_str().unwrap().replace("us-ca.localhost", "127.0.0.2");
    let own = authorization("parent", "parent-password").replace("Authorization", "Proxy-Authorization");
    assert_eq!(tunnel(&proxy, "proxymesh.com:443", &own).status, 200);
}
