//! One exit IP for many requests, against the sandbox's proxies.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proxymesh::{Client, Error, ExitChoice, PoolOptions, Proxy, Settings, blocking};
use proxymesh_sandbox::{Fault, Sandbox};
use std::{io::Write as _, net::TcpListener, time::Duration};

const SERVICE: &str = "proxymesh.com:443";
const LIMIT: Duration = Duration::from_secs(5);

fn settings(sandbox: &Sandbox) -> Settings {
    Settings::new().username("parent").password("parent-password").base_url(sandbox.base_url())
}

fn started() -> (Sandbox, Client) {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    let client = Client::new(settings(&sandbox)).unwrap();
    (sandbox, client)
}

/// A server that answers every request in this way.
fn answering(answer: &'static [u8]) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = i64::from(listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(answer);
        }
    });
    Proxy::at("us-ca.localhost", Some(port)).unwrap()
}

#[tokio::test]
async fn a_session_holds_the_exit_that_it_found() {
    let (_sandbox, client) = started();
    client.proxies().add("open").await.unwrap();
    let pool = client.proxies().pool(PoolOptions::new().country("DE").unwrap());
    let proxy = pool.get().await.unwrap();
    let session = proxy.session(SERVICE, LIMIT).await.unwrap();
    let held = session.exit_choice().held_ip().unwrap();
    assert_eq!(session.exit_choice().preferred_ip(), Some(held));
    assert_eq!(session.exit_choice().wanted_country(), Some("DE"), "the rest of the exit choice stays");
    assert_eq!(session.credentials(), proxy.credentials());
    assert_ne!(session, proxy);
    for _ in 0..10 {
        let check = session.check(SERVICE, LIMIT).await.unwrap();
        assert_eq!(check.exit_ip.as_deref(), Some(&*held.to_string()));
        assert_eq!(session.lost_exit(check.exit_ip.as_deref(), None), None);
    }
    // A session of a session looks for an exit of its own.
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(session.session(SERVICE, LIMIT).await.unwrap().exit_choice().held_ip().unwrap());
    }
    assert!(others.iter().any(|other| *other != held), "{others:?}");
}

#[tokio::test]
async fn a_session_whose_exit_is_gone_says_so() {
    let (_sandbox, client) = started();
    let proxy = client.proxies().list().await.unwrap().remove(0).using(client.credentials().clone());
    let lost = proxy.clone().steer(ExitChoice::new().hold_ip("192.0.2.7").unwrap()).unwrap();
    let check = lost.check(SERVICE, LIMIT).await.unwrap();
    let used = check.exit_ip.unwrap();
    assert!(check.preferred_ip_is_gone);
    let instead = format!(
        "the proxy us-ca no longer has the exit IP 192.0.2.7 and used {used} instead; call session() to hold another one"
    );
    let missing = Some("192.0.2.7");
    assert_eq!(lost.lost_exit(Some(&used), missing), Some(instead.clone()));
    assert_eq!(lost.lost_exit(Some(&used), None), Some(instead));
    let unknown = "the proxy us-ca no longer has the exit IP 192.0.2.7; call session() to hold another one";
    assert_eq!(lost.lost_exit(None, missing).as_deref(), Some(unknown));
    assert_eq!(lost.lost_exit(Some("nonsense"), missing).as_deref(), Some(unknown));
    assert_eq!(lost.lost_exit(Some(" 192.0.2.7 "), None), None);
    assert_eq!(lost.lost_exit(Some("nonsense"), None), None);
    assert_eq!(lost.lost_exit(None, None), None, "such as a refusal of the proxy itself");
    assert_eq!(proxy.lost_exit(Some(&used), missing), None, "it holds none");
    let preferring = proxy.steer(ExitChoice::new().prefer_ip("192.0.2.7").unwrap()).unwrap();
    assert_eq!(preferring.lost_exit(Some(&used), missing), None);
}

#[tokio::test]
async fn a_proxy_that_gives_no_exit_is_an_error_with_the_reason() {
    let (sandbox, client) = started();
    let plain = client.proxies().list().await.unwrap().remove(0);
    let proxy = plain.clone().using(client.credentials().clone());
    let failed = async |proxy: &Proxy| proxy.session(SERVICE, LIMIT).await.unwrap_err();
    let error = failed(&plain).await;
    assert!(matches!(error, Error::Authentication(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with("proxies.session: proxy authentication failed (407): us-ca.localhost:"),
        "{text}"
    );
    assert!(text.contains("the proxy does not recognise you"), "{text}");
    assert_eq!(
        error.refusal().unwrap().body,
        "No Proxy-Authorization header, and 127.0.0.1 is not an authorised IP."
    );
    for (status, kind) in [
        (402, "PlanLimit"),
        (403, "PermissionDenied"),
        (429, "RateLimited"),
        (502, "Server"),
        (509, "Server"),
    ] {
        sandbox.inject(Fault::status(status).proxy("us-ca")).unwrap();
        let error = failed(&proxy).await;
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error}");
    }
    let error = failed(&answering(b"HTTP/1.1 200 OK\r\n\r\n")).await;
    assert!(matches!(error, Error::Decode { status: 200, .. }), "{error:?}");
    assert!(error.to_string().ends_with("did not say which exit IP it used"), "{error}");
    let error = failed(&answering(b"SSH-2.0-x\r\n\r\n")).await;
    assert!(matches!(error, Error::Connection { .. }), "{error:?}");
    sandbox.inject(Fault::delay(LIMIT).proxy("us-ca")).unwrap();
    let error = proxy.session(SERVICE, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no response within 0.05 s"), "{error}");
    let error = proxy.session("nowhere", LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::Validation { field: "target", .. }), "{error:?}");
}

#[tokio::test]
async fn a_pool_tries_the_next_proxy_unless_that_would_fail_too() {
    let (sandbox, client) = started();
    let pool = client.proxies().pool(PoolOptions::new());
    sandbox.inject(Fault::status(500).proxy("us-ca")).unwrap();
    let session = pool.session(SERVICE, LIMIT).await.unwrap();
    assert_eq!(session.name(), "us-ny");
    assert!(session.exit_choice().held_ip().is_some() && session.credentials().is_some());
    let cooling: Vec<_> = pool.cooling().iter().map(|(proxy, _)| proxy.name().to_owned()).collect();
    assert_eq!(cooling, ["us-ca"]);
    assert!(pool.stats()[1].latency.is_some());

    sandbox.clear_proxied();
    let pool = client.proxies().pool(PoolOptions::new().credentials(false));
    let error = pool.session(SERVICE, LIMIT).await.unwrap_err();
    assert_eq!((error.kind(), sandbox.proxied().len()), ("Authentication", 1));

    let pool = client.proxies().pool(PoolOptions::new());
    for proxy in ["us-ca", "us-ny", "us-il"] {
        sandbox.inject(Fault::drop().proxy(proxy)).unwrap();
    }
    let error = pool.session(SERVICE, LIMIT).await.unwrap_err();
    assert_eq!((error.kind(), pool.cooling().len()), ("Connection", 3), "{error}");
    assert!(error.to_string().contains("us-il.localhost"), "the last reason: {error}");
    assert_eq!(pool.session(SERVICE, LIMIT).await.unwrap_err().kind(), "PoolExhausted");
}

#[tokio::test]
async fn a_session_has_countries_of_its_own_which_override_the_pools() {
    let (_sandbox, client) = started();
    client.proxies().add("open").await.unwrap();
    let pool = client.proxies().pool(PoolOptions::new().country("US").unwrap());
    let session = pool.session_in(["DE"], SERVICE, LIMIT).await.unwrap();
    assert_eq!((session.name(), session.exit_choice().wanted_country()), ("open", Some("DE")));
    assert!(session.exit_choice().held_ip().is_some());
    let error = pool.session_in([], SERVICE, LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::Validation { field: "country", .. }), "{error:?}");
}

#[tokio::test]
async fn a_target_that_no_proxy_reaches_is_no_reason_to_leave_a_proxy_out() {
    let (sandbox, client) = started();
    let pool = client.proxies().pool(PoolOptions::new());
    for (status, kind, proxies) in
        [(504, "Server", 3), (403, "PermissionDenied", 3), (509, "Server", 1), (402, "PlanLimit", 1)]
    {
        for proxy in ["us-ca", "us-ny", "us-il"] {
            sandbox.inject(Fault::status(status).proxy(proxy)).unwrap();
        }
        sandbox.clear_proxied();
        assert_eq!(pool.session(SERVICE, LIMIT).await.unwrap_err().kind(), kind);
        assert_eq!((sandbox.proxied().len(), pool.cooling().len()), (proxies, 0), "{status}");
        sandbox.clear_faults();
    }
}

#[test]
fn the_blocking_client_holds_an_exit_too() {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    let client = blocking::Client::new(settings(&sandbox)).unwrap();
    let pool = client.proxies().pool(PoolOptions::new());
    let session = pool.session_in(["US"], SERVICE, LIMIT).unwrap();
    assert_eq!(session.country().as_deref(), Some("US"));
    let session = pool.session(SERVICE, LIMIT).unwrap();
    let held = session.exit_choice().held_ip().unwrap().to_string();
    assert_eq!(blocking::check(&session, SERVICE, LIMIT).unwrap().exit_ip, Some(held));
    assert!(blocking::session(&session, SERVICE, LIMIT).unwrap().exit_choice().held_ip().is_some());
}

#[tokio::test]
async fn a_proxy_rotates_or_holds_but_not_both() {
    let (_sandbox, client) = started();
    let pool = client.proxies().pool(PoolOptions::new().rotating(true));
    let rotating = pool.get().await.unwrap();
    assert!(rotating.is_rotating() && rotating.credentials().is_some());
    assert!(rotating.clone().steer(ExitChoice::new().prefer_ip("192.0.2.7").unwrap()).unwrap().is_rotating());
    let session = rotating.session(SERVICE, LIMIT).await.unwrap();
    assert!(!session.is_rotating() && session.exit_choice().held_ip().is_some());
    let again = session.clone().rotating();
    assert!(again.is_rotating() && again.exit_choice().is_empty());
    assert_eq!(again, rotating);
    assert_ne!(again, client.proxies().pool(PoolOptions::new()).get().await.unwrap());
    let held = rotating.steer(ExitChoice::new().hold_ip("192.0.2.7").unwrap()).unwrap();
    assert!(!held.is_rotating());
    let preferring = ExitChoice::new().hold_ip("192.0.2.7").unwrap().prefer_ip("192.0.2.8").unwrap();
    assert_eq!(preferring.held_ip(), None);
    let error = ExitChoice::new().hold_ip("x").unwrap_err();
    assert!(matches!(error, Error::Validation { field: "hold_ip", .. }), "{error:?}");
}
