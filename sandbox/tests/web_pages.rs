//! No web page can control the sandbox: neither with a cross-site request, nor with a name that points to this machine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at the first surprise")]

mod support;

use proxymesh_sandbox::{Fault, Sandbox};
use serde_json::json;
use support::{Answer, Caller, FORM, started};

/// The published credentials, as a page could put them into a form's URL.
const PUBLISHED: &str = "Authorization: Basic cGFyZW50OnBhcmVudC1wYXNzd29yZA==\r\n";

/// Sends the head exactly as it is given here.
fn raw(address: &str, line: &str, headers: &str) -> Answer {
    let mut connection = Caller::at(address).connect().unwrap();
    connection.raw(format!("{line}\r\n{headers}\r\n").as_bytes()).unwrap();
    connection.read().unwrap()
}

fn calls() -> [(&'static str, &'static str); 6] {
    [
        ("POST /_sandbox/reset HTTP/1.1", ""),
        ("GET /_sandbox/requests HTTP/1.1", ""),
        ("DELETE /_sandbox/faults HTTP/1.1", ""),
        ("GET /_sandbox/openapi.json HTTP/1.1", ""),
        ("GET /api/proxies/ HTTP/1.1", PUBLISHED),
        ("POST /api/token/create/ HTTP/1.1", PUBLISHED),
    ]
}

#[test]
fn a_page_of_another_site_is_refused_and_changes_nothing() {
    let (sandbox, parent) = started();
    parent.post("/api/sub/create/", &[("username", "sub")]);
    sandbox.inject(Fault::drop()).unwrap();
    let (account, requests) = (parent.control("GET", "/_sandbox/account", "").json(), sandbox.requests());
    let address = sandbox.address().to_string();
    for sent in [
        "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: https://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
        "Origin: null\r\n",
        "Origin: \r\n",
        "Origin: \u{e9}\r\n",
        "Origin: file://\r\n",
        "Origin: http://localhost:1\r\nSec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        &format!("Origin: http://{address}.evil.example\r\n"),
        &format!("Origin: http://{address}\r\nOrigin: http://evil.example\r\n"),
    ] {
        for (line, more) in calls() {
            let answer = raw(&address, line, &format!("Host: {address}\r\n{sent}{more}"));
            assert_eq!(answer.status, 403, "{line} {sent}");
            assert!(
                answer.error().contains("refuses calls from web pages of other sites"),
                "{}",
                answer.error()
            );
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    assert_eq!(parent.control("GET", "/_sandbox/account", "").json(), account);
    assert_eq!((sandbox.requests(), sandbox.faults()), (requests, vec![Fault::drop()]));
}

#[test]
fn a_preflight_is_refused() {
    let (sandbox, _) = started();
    let address = sandbox.address().to_string();
    let preflight = "Origin: https://evil.example\r\nAccess-Control-Request-Method: DELETE\r\n\
                     Access-Control-Request-Private-Network: true\r\n";
    let answer =
        raw(&address, "OPTIONS /_sandbox/faults HTTP/1.1", &format!("Host: {address}\r\n{preflight}"));
    assert_eq!(answer.status, 403);
    assert!(answer.headers.iter().all(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control")));
}

#[test]
fn a_page_cannot_ban_this_machine() {
    let (sandbox, parent) = started();
    let address = sandbox.address().to_string();
    for _ in 0..8 {
        let image = format!("Host: {address}\r\nSec-Fetch-Site: cross-site\r\n");
        assert_eq!(raw(&address, "GET /api/ips/ HTTP/1.1", &image).status, 403);
    }
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn a_name_that_may_have_been_pointed_here_is_refused() {
    let (sandbox, _) = started();
    let address = sandbox.address().to_string();
    for host in
        ["rebound.evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.0.2.1", "0.0.0.0", "x", ""]
    {
        for (line, more) in calls() {
            let answer = raw(&address, line, &format!("Host: {host}\r\n{more}"));
            assert_eq!(answer.status, 421, "{line} {host}");
            assert!(answer.error().contains("Use 127.0.0.1, [::1] or localhost"), "{}", answer.error());
        }
    }
    for (line, more) in calls() {
        // A page under such a name has the same origin.
        let own = "Host: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n";
        assert_eq!(raw(&address, line, &format!("{own}{more}")).status, 421);
        let twice = format!("Host: {address}\r\nHost: evil.example\r\n{more}");
        assert_eq!(raw(&address, line, &twice).status, 400);
        assert_eq!(raw(&address, line, more).status, 400, "HTTP/1.1 without a Host");
    }
    let absolute = "GET http://evil.example/_sandbox/requests HTTP/1.1";
    assert_eq!(raw(&address, absolute, &format!("Host: {address}\r\n")).status, 421);
    assert_eq!(sandbox.requests(), []);
}

#[test]
fn programs_and_the_sandboxs_own_pages_are_served() {
    let (sandbox, _) = started();
    let address = sandbox.address().to_string();
    let own = format!("Host: {address}\r\nOrigin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n");
    assert_eq!(raw(&address, "POST /_sandbox/reset HTTP/1.1", &own).status, 200);
    // This is a developer who types the address into a browser.
    let typed = format!("Host: {address}\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n");
    assert_eq!(raw(&address, "GET /_sandbox/ HTTP/1.1", &typed).status, 200);
    assert_eq!(raw(&address, "GET /_sandbox/ HTTP/1.0", "").status, 200);
    for host in ["localhost", "LOCALHOST:80", "api.localhost", "127.0.0.1", "[::1]:80"] {
        assert_eq!(
            raw(&address, "GET /_sandbox/ HTTP/1.1", &format!("Host: {host}\r\n")).status,
            200,
            "{host}"
        );
    }
    // A test may put TLS in front of the sandbox, or reach it through its own proxies. The controls refuse these names.
    for host in ["proxymesh.com", "proxymesh.com:443", "api.test"] {
        let head = format!("Host: {host}\r\n{PUBLISHED}");
        assert_eq!(raw(&address, "GET /api/ips/ HTTP/1.1", &head).status, 200, "{host}");
        assert_eq!(raw(&address, "GET /_sandbox/ HTTP/1.1", &head).status, 421, "{host}");
    }
}

#[test]
fn an_ipv4_address_in_an_ipv6_one_is_loopback_too() {
    let Ok(sandbox) = Sandbox::builder().host("::ffff:127.0.0.1").start() else {
        return; // no IPv6 here
    };
    assert_eq!(sandbox.base_url(), format!("http://127.0.0.1:{}", sandbox.address().port()));
    let parent = Caller::parent(&sandbox);
    assert_eq!(parent.get("/api/ips/").status, 200);
    assert_eq!(parent.control("POST", "/_sandbox/reset", "").status, 200);
}

#[test]
fn a_page_that_posts_to_a_proxy_takes_no_fault_and_leaves_no_trace() {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    let parent = Caller::parent(&sandbox);
    parent.post("/api/ip/add/", &[("ip", "127.0.0.1")]);
    sandbox.inject(Fault::status(509).proxy("us-ca")).unwrap();
    let proxies = parent.get("/api/proxies/").json();
    let proxy = proxies["proxies"][0].as_str().unwrap().replace("us-ca.localhost", "127.0.0.1");
    for line in ["POST / HTTP/1.1", "GET /http://127.0.0.1:1/ HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        let page = format!("Host: {proxy}\r\nOrigin: https://evil.example\r\nContent-Type: text/plain\r\n");
        let answer = raw(&proxy, line, &page);
        assert_eq!((answer.status, answer.text().starts_with("This is a proxy")), (400, true), "{line}");
    }
    assert_eq!((sandbox.proxied(), sandbox.faults().len()), (vec![], 1));
    // A browser that uses it as a proxy sends this, with the page's headers.
    let page = "Host: shop.test\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(raw(&proxy, "GET http://shop.test/ HTTP/1.1", page).status, 509);
    let through = "Host: proxymesh.com\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n";
    let api = "GET http://proxymesh.com/api/ips/ HTTP/1.1";
    assert_eq!(raw(&proxy, api, &format!("{through}{PUBLISHED}")).status, 403);
    let control = raw(&proxy, "POST http://proxymesh.com/_sandbox/reset HTTP/1.1", "Host: proxymesh.com\r\n");
    assert_eq!(control.status, 421);
}

#[test]
fn a_form_across_sites_is_not_recorded() {
    let (sandbox, _) = started();
    let address = sandbox.address().to_string();
    let form = format!(
        "Host: {address}\r\nOrigin: https://evil.example\r\nContent-Type: {FORM}\r\nContent-Length: 12\r\n{PUBLISHED}"
    );
    let mut connection = Caller::at(&address).connect().unwrap();
    connection.raw(format!("POST /api/sub/create/ HTTP/1.1\r\n{form}\r\nusername=sub").as_bytes()).unwrap();
    assert_eq!(connection.read().unwrap().status, 403);
    assert_eq!(sandbox.requests(), []);
    let created = Caller::parent(&sandbox).control("GET", "/_sandbox/account", "").json();
    assert_eq!(created["sub_accounts"], json!([]));
}
