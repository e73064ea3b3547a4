//! Runs the code blocks of docs/rust.md against the sandbox's proxies.

#![allow(clippy::unwrap_used, clippy::print_stdout, unused_variables)]

use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioExecutor};
use proxymesh::{AuthorizedIp, Client, ExitChoice, Outcome, PoolOptions, Proxy, Settings};
use proxymesh_sandbox::Sandbox;
use std::{
    collections::{HashMap, hash_map::Entry},
    io::{Read as _, Write as _},
    net::TcpListener,
    time::Duration,
};

type Result = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The code as it stands in the guide.
mod blocks {
    use super::*;

    #[rustfmt::skip]
    pub(super) async fn one_page(client: Client, page: &str) -> Result {
        let pool = client.proxies().pool(PoolOptions::new());
        let proxy = pool.get().await?;
        let http = proxy.reqwest_0_13(reqwest::Client::builder(), 10)?; // follows at most 10 redirects
        match http.get(page).send().await {
            Ok(response) => {
                pool.report(&proxy, response.status().as_u16());
                println!("{} through {}", response.status(), proxy.name());
            }
            Err(error) => {
                pool.report(&proxy, Outcome::Failure);
                println!("no response through {}: {error}", proxy.name());
            }
        }
        assert_eq!(pool.stats().iter().map(|stats| stats.successes).sum::<u64>(), 1);

        let mut clients: HashMap<Proxy, reqwest::Client> = HashMap::new();
        for _ in 0..9 {
            let proxy = pool.get().await?;
            let http = match clients.entry(proxy.clone()) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => new.insert(proxy.reqwest_0_13(reqwest::Client::builder(), 10)?).clone(),
            };
            let response = http.get(page).send().await;
            pool.report(&proxy, response.map_or(Outcome::Failure, |it| Outcome::Status(it.status().as_u16())));
        }
        assert_eq!((clients.len(), pool.stats().iter().map(|stats| stats.successes).sum::<u64>()), (4, 10));
        Ok(())
    }

    #[rustfmt::skip]
    pub(super) async fn countries(client: Client) -> Result {
        let german = client.proxies().pool(PoolOptions::new().country("DE")?).get().await?;
        println!("{} {:?}", german.name(), german.exit_choice().wanted_country());
        let british = Proxy::at("open.proxymesh.com", None)?.using(client.credentials().clone()).steer(ExitChoice::new().country("GB")?)?;
        assert_eq!((british.name(), british.exit_choice().wanted_country()), ("open", Some("GB")));
        Ok(())
    }

    #[rustfmt::skip]
    pub(super) async fn exits(proxy: Proxy, page: &str) -> Result {
        let http = proxy.clone().rotating().reqwest_0_13(reqwest::Client::builder(), 10)?;
        let session = proxy.session("proxymesh.com:443", Duration::from_secs(10)).await?;
        println!("{:?}", session.exit_choice().held_ip());
        assert!(http.get(page).send().await?.status().is_success());

        let check = session.check("proxymesh.com:443", Duration::from_secs(10)).await?;
        if check.preferred_ip_is_gone {
            println!("the proxy has lost the exit IP");
        }
        assert!(check.ok() && !check.preferred_ip_is_gone);
        Ok(())
    }

    #[rustfmt::skip]
    pub(super) fn with_ureq(proxy: Proxy, page: &str) -> Result {
        let config = ureq::Agent::config_builder().proxy(Some(proxy.ureq_3()?));
        let status = ureq::Agent::new_with_config(config.build()).get(page).call()?.status();
        assert_eq!(status, 200);
        Ok(())
    }

    #[rustfmt::skip]
    pub(super) async fn with_hyper_util(proxy: Proxy, page: &str) -> Result {
        let connector = proxy.hyper_util(HttpConnector::new())?;
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        let request = hyper::Request::get(page).body(String::new())?;
        let status = http.request(request).await?.status();
        assert_eq!(status, 200);
        Ok(())
    }

    #[rustfmt::skip]
    pub(super) async fn without_credentials(client: Client, page: &str) -> Result {
        let lease = client.ips().authorized(AuthorizedIp::new().label("nightly crawl")?).await?;
        let proxy = client.proxies().list().await?.remove(0);
        let response = reqwest::Client::builder().proxy(reqwest::Proxy::all(proxy.plain_url())?).build()?.get(page).send().await?;
        lease.release().await?;
        assert_eq!(response.status(), 200);
        assert!(client.ips().list().await?.is_empty());
        Ok(())
    }
}

/// A site that answers every request with 200.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            });
        }
    });
    format!("http://{address}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_block_of_the_guide_runs() -> Result {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sandbox = Sandbox::builder().proxies(true).start()?;
    let settings = Settings::new().username("parent").password("parent-password");
    let client = Client::new(settings.base_url(sandbox.base_url()))?;
    client.proxies().add("open").await?;
    let proxy = client.proxies().pool(PoolOptions::new()).get().await?;
    let page = site();
    blocks::one_page(client.clone(), &page).await?;
    blocks::countries(client.clone()).await?;
    blocks::exits(proxy.clone(), &page).await?;
    blocks::with_hyper_util(proxy.clone(), &page).await?;
    let page_for_ureq = page.clone();
    tokio::task::spawn_blocking(move || blocks::with_ureq(proxy, &page_for_ureq)).await??;
    blocks::without_credentials(client, &page).await?;
    Ok(())
}

#[test]
fn every_block_of_the_guide_is_run() {
    let lines = |text: &str| -> String { text.lines().map(str::trim).collect::<Vec<_>>().join("\n") };
    let guide = include_str!("../../docs/rust.md");
    let code = lines(include_str!("guide.rs"));
    let blocks: Vec<_> =
        guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        assert!(code.contains(lines(block).trim()), "it is not in this file:\n{block}");
    }
}
