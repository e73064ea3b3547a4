//! `Proxy::check` against the sandbox's proxies.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proxymesh::{Check, Credentials, ExitChoice, Proxy, secrecy::ExposeSecret};
use proxymesh_sandbox::{Fault, Sandbox};
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

const SERVICE: &str = "proxymesh.com:443";

async fn check(proxy: &Proxy, credentials: Option<&Credentials>) -> Check {
    proxy.clone().using(credentials.cloned()).check(SERVICE, Duration::from_secs(5)).await.unwrap()
}

async fn started() -> (Sandbox, Proxy, Credentials) {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    let settings = proxymesh::Settings::new().username("parent").password("parent-password");
    let client = proxymesh::Client::new(settings.base_url(sandbox.base_url())).unwrap();
    let proxy = client.proxies().list().await.unwrap().remove(0);
    (sandbox, proxy, client.credentials().clone())
}

#[tokio::test]
async fn a_check_returns_the_proxys_response() {
    let (sandbox, proxy, credentials) = started().await;
    assert_eq!((proxy.name(), proxy.host()), ("us-ca", "us-ca.localhost"));
    let good = check(&proxy, Some(&credentials)).await;
    assert!(good.ok() && good.reachable, "{good:?}");
    assert!(good.exit_ip.as_deref().unwrap().starts_with("198.18."), "{good:?}");
    assert!(good.latency > Duration::ZERO && good.latency < Duration::from_secs(5));
    let nobody = check(&proxy, None).await;
    assert!(!nobody.ok() && nobody.reachable && nobody.exit_ip.is_none(), "{nobody:?}");
    assert_eq!(nobody.status, Some(407));
    for (status, word) in
        [(402, "deactivated"), (407, "recognise"), (509, "bandwidth"), (502, "target"), (418, "documented")]
    {
        sandbox.inject(Fault::status(status).proxy("us-ca")).unwrap();
        let told = check(&proxy, Some(&credentials)).await;
        assert_eq!(told.status, Some(status));
        assert!(told.meaning.contains(word), "{told:?}");
    }
    sandbox.inject(Fault::drop().proxy("us-ca")).unwrap();
    let dropped = check(&proxy, Some(&credentials)).await;
    assert!(!dropped.reachable && dropped.meaning.contains("could not reach the proxy"), "{dropped:?}");
    sandbox.inject(Fault::delay(Duration::from_secs(5)).proxy("us-ca")).unwrap();
    let late =
        proxy.clone().using(credentials.clone()).check(SERVICE, Duration::from_millis(50)).await.unwrap();
    assert_eq!((late.reachable, late.meaning.as_str()), (false, "no response within 0.05 s"));
    sandbox.stop();
    assert!(!check(&proxy, Some(&credentials)).await.reachable);
}

#[tokio::test]
async fn a_check_says_why_the_proxy_refuses_and_whether_the_preferred_exit_is_gone() {
    let (_sandbox, proxy, credentials) = started().await;
    let nobody = check(&proxy, None).await;
    assert!(nobody.error.as_deref().unwrap().contains("No Proxy-Authorization"), "{nobody:?}");
    let exit = |ip: &str| ExitChoice::new().prefer_ip(ip).unwrap();
    let first = check(&proxy, Some(&credentials)).await.exit_ip.unwrap();
    let same = check(&proxy.clone().steer(exit(&first)).unwrap(), Some(&credentials)).await;
    assert_eq!((same.exit_ip, same.preferred_ip_is_gone, same.error), (Some(first), false, None));
    let gone = check(&proxy.steer(exit("192.0.2.7")).unwrap(), Some(&credentials)).await;
    assert!(gone.ok() && gone.preferred_ip_is_gone && gone.exit_ip.is_some(), "{gone:?}");
}

#[tokio::test]
async fn a_reason_that_echoes_the_credentials_is_redacted() {
    let (sandbox, proxy, credentials) = started().await;
    let header = |value: &str| Fault::status(407).header("X-ProxyMesh-Error", value).proxy("us-ca");
    let basic = credentials_header(&proxy.clone().using(credentials.clone()));
    for secret in ["parent-password", basic.trim_start_matches("Basic ")] {
        sandbox.inject(header(&format!("no:\t{secret} is wrong {}", "x".repeat(300)))).unwrap();
        let error = check(&proxy, Some(&credentials)).await.error.unwrap();
        assert!(error.starts_with("no: [redacted] is wrong x") && error.len() < 210, "{error}");
    }
}

fn credentials_header(proxy: &Proxy) -> String {
    proxy.headers().remove(0).1.expose_secret().to_owned()
}

#[tokio::test]
async fn a_server_that_is_not_a_proxy_is_reported_and_an_invalid_target_is_rejected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy: Proxy = format!("x.localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"SSH-2.0-x\r\n\r\n");
        }
    });
    let told = check(&proxy, None).await;
    assert_eq!(
        (told.reachable, told.meaning.as_str()),
        (false, "the server at this address is not an HTTP proxy")
    );
    for bad in ["", "example.com", ":80", "a:0", "a:99999", "a b:80", "a\r\nb:80", "http://a:80", "u@a:80"] {
        let refused = proxy.check(bad, Duration::from_secs(1)).await;
        assert!(refused.unwrap_err().to_string().starts_with("target: "), "{bad}");
    }
}
