//! Tests of your own code against the sandbox. Each test has an account of its own, which ends with the guard.

use crawler::Crawler;
use proxymesh::{Client, Settings};
use proxymesh_sandbox::{Fault, Sandbox};
use std::{
    io::{Read, Write},
    net::TcpListener,
};

fn crawler(sandbox: &Sandbox) -> Crawler {
    let settings = Settings::new().username(sandbox.username()).password(sandbox.password());
    Crawler::new(Client::new(settings.base_url(sandbox.base_url()).max_retries(0)).unwrap())
}

/// A site on this machine, which the sandbox's proxies can reach.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    url
}

#[tokio::test]
async fn a_proxy_that_has_reached_its_limit_is_passed_over() {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    sandbox.inject(Fault::status(509).proxy("us-ca")).unwrap();
    assert_eq!(crawler(&sandbox).fetch(&site()).await.unwrap(), "hello");
    let through: Vec<_> = sandbox.proxied().iter().map(|request| request.proxy.clone()).collect();
    assert_eq!(through, ["us-ca", "us-ny"]);
}

#[tokio::test]
async fn no_proxy_is_left_if_all_have_failed() {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    for proxy in ["us-ca", "us-ny", "us-il"] {
        sandbox.inject(Fault::drop().proxy(proxy)).unwrap();
    }
    let error = crawler(&sandbox).fetch(&site()).await.unwrap_err();
    assert!(error.to_string().contains("cooling down"), "{error}");
}

#[tokio::test]
async fn an_outage_is_survived() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.inject(Fault::status(503).path("/api/ips/")).unwrap();
    assert!(crawler(&sandbox).authorised().await.unwrap().is_empty());
    assert_eq!(sandbox.requests().len(), 1);
}
