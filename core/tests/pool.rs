//! The pools of both clients against the sandbox.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proxymesh::{Client, Error, Outcome, PoolOptions, Settings, blocking};
use proxymesh_sandbox::{Fault, Sandbox};
use std::{collections::BTreeMap, time::Duration};

fn settings(sandbox: &Sandbox) -> Settings {
    Settings::new().username("parent").password("parent-password").base_url(sandbox.base_url())
}

/// How often the list of proxies was fetched.
fn lists(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.path == "/api/proxies/").count()
}

fn counted(names: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_thousand_tasks_share_a_pool_evenly() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::new(settings(&sandbox)).unwrap();
    let pool = client.proxies().pool(PoolOptions::new());
    assert!(pool.stats().is_empty() && lists(&sandbox) == 0);
    let tasks: Vec<_> = (0..999)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.get().await.unwrap().name().to_owned() })
        })
        .collect();
    let mut names = Vec::new();
    for task in tasks {
        names.push(task.await.unwrap());
    }
    assert_eq!(counted(names).into_values().collect::<Vec<_>>(), [333, 333, 333]);
    assert_eq!(lists(&sandbox), 1);
    let proxy = pool.get().await.unwrap();
    assert_eq!((proxy.name(), proxy.credentials()), ("us-ca", Some(client.credentials())));
    let plain = client.proxies().pool(PoolOptions::new().credentials(false)).get().await.unwrap();
    assert_eq!(plain.credentials(), None);
}

#[test]
fn sixty_four_threads_share_a_pool_evenly() {
    let sandbox = Sandbox::start().unwrap();
    let client = blocking::Client::new(settings(&sandbox)).unwrap();
    let pool = client.proxies().pool(PoolOptions::new());
    let names = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| (0..30).map(|_| pool.get().unwrap().name().to_owned()).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(counted(names).into_values().collect::<Vec<_>>(), [640, 640, 640]);
    assert_eq!(lists(&sandbox), 1);
}

#[tokio::test]
async fn a_country_needs_the_geo_counts() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::new(settings(&sandbox)).unwrap();
    client.proxies().add("open").await.unwrap();
    let pool = client.proxies().pool(PoolOptions::new().country("de").unwrap());
    let proxy = pool.get().await.unwrap();
    assert_eq!((proxy.name(), proxy.headers()[1].0), ("open", "X-ProxyMesh-Country"));
    assert_eq!(pool.get_in(["US"]).await.unwrap().name(), "us-ca");
    let error = pool.get_in(["ZA"]).await.unwrap_err();
    assert!(error.to_string().ends_with("has exits in ZA; authorise world, which has some"), "{error}");
    for codes in [&["Germany"][..], &[]] {
        let error = pool.get_in(codes.iter().copied()).await.unwrap_err();
        assert!(matches!(error, Error::Validation { field: "country", .. }), "{error}");
    }
    assert_eq!(lists(&sandbox), 1);
}

#[tokio::test]
async fn a_proxy_that_a_check_finds_unusable_is_left_out() {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    let client = Client::new(settings(&sandbox)).unwrap();
    let pool = client.proxies().pool(PoolOptions::new());
    sandbox.inject(Fault::status(509).proxy("us-ca")).unwrap();
    for (name, cooldown) in [("us-ca", Some(Duration::from_secs(60))), ("us-ny", None)] {
        let proxy = pool.get().await.unwrap();
        let check = proxy.check("proxymesh.com:443", Duration::from_secs(5)).await.unwrap();
        assert_eq!((proxy.name(), pool.report(&proxy, &check)), (name, cooldown));
    }
    let stats = pool.stats();
    assert!(stats[0].cooling.is_some() && stats[0].latency.is_none());
    assert!(stats[1].cooling.is_none() && stats[1].latency.is_some());
    assert_eq!(pool.cooling().len(), 1);
    for proxy in ["us-ny.localhost", "us-il.localhost"] {
        let proxy = stats.iter().find(|stats| stats.proxy.host() == proxy).unwrap().proxy.clone();
        pool.report(&proxy, Outcome::Failure);
    }
    let error = pool.get().await.unwrap_err();
    assert!(matches!(&error, Error::PoolExhausted { .. }), "{error}");
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(30)), "{error}");
}

#[test]
fn the_old_list_stays_in_use_if_it_cannot_be_fetched_again() {
    let sandbox = Sandbox::start().unwrap();
    let client = blocking::Client::new(settings(&sandbox).max_retries(0)).unwrap();
    let pool = client.proxies().pool(PoolOptions::new().ttl(Duration::from_millis(50)).unwrap());
    sandbox.inject(Fault::status(503).path("/api/proxies/")).unwrap();
    assert!(matches!(pool.get(), Err(Error::Server(_))));
    assert_eq!(pool.get().unwrap().name(), "us-ca");
    sandbox.inject(Fault::status(503).path("/api/proxies/")).unwrap();
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(pool.get().unwrap().name(), "us-ny");
    assert_eq!(lists(&sandbox), 3);
}

#[tokio::test]
async fn a_list_that_is_always_too_old_is_fetched_once_for_each_caller() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::new(settings(&sandbox)).unwrap();
    let pool = client.proxies().pool(PoolOptions::new().ttl(Duration::from_nanos(1)).unwrap());
    for _ in 0..3 {
        pool.get().await.unwrap();
    }
    assert_eq!(lists(&sandbox), 3);
}
