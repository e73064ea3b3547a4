//! What clients create: pools, leases and followers. And the check of a proxy.

use super::{
    Native, asynchronous, basic, blocking, bytes, failure, number, result,
    server::{Answer, Server},
};
use crate::{
    Access, Credentials, Failure, FollowerOptions, LeaseOptions, PoolOptions, Proxy, ProxyCheck, ProxyInput,
    ProxyStats, Report,
    bridge::{self, tasks},
};
use proxymesh_sandbox::{Fault, Sandbox};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

const POOL: &str = "pool(options:PoolOptions,)Self";
const NEXT: &str = "pool_next(countries:Option<Vec<String>>,)Proxy";
const AT_ONCE: &str = "pool_at_once(countries:Option<Vec<String>>,)Option<Proxy>";
const REPORT: &str = "pool_report(proxy:ProxyInput,report:Report,)Option<f64>";
const STATS: &str = "pool_stats()Vec<ProxyStats>";
const LEASE: &str = "lease(options:LeaseOptions,)Self";
const ENTER: &str = "lease_enter()String";
const RELEASE: &str = "lease_release()()";
const FOLLOWER: &str = "follower(options:FollowerOptions,)Self";
const START: &str = "follower_start()String";
const CLOSE: &str = "follower_close()()";
const SESSION: &str = "proxy_session(proxy:ProxyInput,target:String,timeout:f64,)Proxy";
const POOL_SESSION: &str = "pool_session(countries:Option<Vec<String>>,target:String,timeout:f64,)Proxy";
const CHECK: &str = "proxy_check(proxy:ProxyInput,target:String,timeout:f64,)ProxyCheck";

/// The options of a pool of all proxies.
pub(super) fn all() -> PoolOptions {
    let order = "round_robin".to_owned();
    let (ttl, cooldown, rotating) = (None, None, false);
    PoolOptions { countries: None, exclude: Vec::new(), order, ttl, cooldown, credentials: true, rotating }
}

fn no_countries() -> Vec<u8> {
    bytes(None::<Vec<String>>)
}

fn two_proxies() -> Server {
    Server::always(Answer::new(
        200,
        r#"{"proxies": ["us-ca.proxymesh.com:31280", "open.proxymesh.com:31280"]}"#,
    ))
}

fn input(proxy: Proxy) -> ProxyInput {
    ProxyInput { host: proxy.host, port: proxy.port, access: proxy.access }
}

fn failed(proxy: Proxy) -> Vec<u8> {
    let report = Report { status: None, succeeded: false, latency: None, bytes: 0 };
    [bytes(input(proxy)), bytes(report)].concat()
}

/// Makes a call that returns nothing.
fn done(native: &Native, signature: &str) -> Result<(), Failure> {
    let answer = if native.is_async {
        native.start(signature, &[]).given.recv_timeout(Duration::from_secs(60)).unwrap()
    } else {
        bridge::invoke(native.handle, number(signature), &[], None, None)
    };
    // A failure starts with 1. Otherwise, no value follows.
    if answer == [0] { Ok(()) } else { Err(failure(result::<bool>(&answer))) }
}

#[test]
fn a_pool_hands_out_the_proxies_in_turn_and_leaves_out_failing_ones() {
    let server = two_proxies();
    for client in [asynchronous(basic(server.base_url())), blocking(basic(server.base_url()))] {
        let pool = client.create(POOL, all());
        assert!(pool.invoke::<Option<Proxy>>(AT_ONCE, &no_countries()).unwrap().is_none());
        let next = |pool: &Native| pool.call::<Proxy>(NEXT, &no_countries()).unwrap();
        let first = next(&pool);
        assert_eq!(first.name, "us-ca");
        let Some(Access { credentials: Some(Credentials::Basic { username, .. }), .. }) = &first.access
        else {
            panic!("it has no credentials");
        };
        assert_eq!(username, super::USERNAME);
        assert_eq!(pool.invoke::<Option<Proxy>>(AT_ONCE, &no_countries()).unwrap().unwrap().name, "open");
        assert_eq!(pool.invoke::<Option<f64>>(REPORT, &failed(first)).unwrap(), Some(60.0));
        for _ in 0..3 {
            assert_eq!(next(&pool).name, "open");
        }
        let stats: Vec<ProxyStats> = pool.invoke(STATS, &[]).unwrap();
        let counts: Vec<_> =
            stats.iter().map(|it| (it.handed_out, it.failures, it.cooling.is_some())).collect();
        assert_eq!(counts, [(1, 1, true), (4, 0, false)]);
        pool.invoke::<Option<f64>>(REPORT, &failed(next(&pool))).unwrap();
        let exhausted = failure(pool.call::<Proxy>(NEXT, &no_countries()));
        assert!(
            matches!(&exhausted, Failure::PoolExhausted { retry_after, .. } if (1.0..=60.0).contains(retry_after)),
            "{exhausted:?}"
        );
    }
}

#[test]
fn a_pool_of_a_client_that_is_shut_down_hands_out_what_it_knows() {
    let server = two_proxies();
    for client in [asynchronous(basic(server.base_url())), blocking(basic(server.base_url()))] {
        let (used, unused) = (client.create(POOL, all()), client.create(POOL, all()));
        used.call::<Proxy>(NEXT, &no_countries()).unwrap();
        client.shut_down();
        assert!(used.invoke::<Option<Proxy>>(AT_ONCE, &no_countries()).unwrap().is_some());
        let closed = failure(unused.call::<Proxy>(NEXT, &no_countries()));
        assert!(matches!(&closed, Failure::Config { .. }), "{closed:?}");
    }
}

#[test]
fn invalid_options_are_refused() {
    let client = blocking(basic("https://x"));
    let bad = [
        (PoolOptions { countries: Some(vec!["DEU".to_owned()]), ..all() }, "country"),
        (PoolOptions { countries: Some(Vec::new()), ..all() }, "country"),
        (PoolOptions { exclude: vec!["http://x".to_owned()], ..all() }, "proxy"),
        (PoolOptions { order: "best".to_owned(), ..all() }, "order"),
        (PoolOptions { ttl: Some(0.0), ..all() }, "ttl"),
        (PoolOptions { cooldown: Some(f64::NAN), ..all() }, "cooldown"),
    ];
    for (options, name) in bad {
        let refused = failure(client.invoke::<i64>(POOL, &bytes(options)));
        assert!(matches!(&refused, Failure::Validation { field, .. } if field == name), "{refused:?}");
    }
    let none = || LeaseOptions { ip: None, label: None, lookup: None, username: None };
    for (options, name) in [
        (LeaseOptions { ip: Some("1.2.3".to_owned()), ..none() }, "ip"),
        (LeaseOptions { label: Some("x".repeat(256)), ..none() }, "label"),
        (LeaseOptions { lookup: Some("ftp://x".to_owned()), ..none() }, "lookup"),
        (LeaseOptions { username: Some(String::new()), ..none() }, "username"),
    ] {
        let refused = failure(client.invoke::<i64>(LEASE, &bytes(options)));
        assert!(matches!(&refused, Failure::Validation { field, .. } if field == name), "{refused:?}");
    }
    let options = FollowerOptions { label: None, lookup: None, username: None, interval: Some(0.5) };
    let refused = failure(client.invoke::<i64>(FOLLOWER, &bytes(options)));
    assert!(matches!(&refused, Failure::Validation { field, .. } if field == "interval"), "{refused:?}");
}

/// The label of an IP in the account, if it is authorised.
fn label(client: &Arc<Native>, ip: &str) -> Option<String> {
    let known: Vec<crate::LabeledIp> = client.call(super::IPS_LABELS, &bytes(None::<String>)).unwrap();
    known.into_iter().find(|known| known.ip == ip).map(|known| known.label)
}

#[test]
fn a_lease_authorises_an_ip_until_it_is_released_even_if_its_client_is_shut_down() {
    let sandbox = Sandbox::start().unwrap();
    let settings = || crate::Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some(sandbox.password().to_owned()),
        ..basic(sandbox.base_url())
    };
    let watching = blocking(settings());
    for (client, ip) in [(asynchronous(settings()), "203.0.113.71"), (blocking(settings()), "203.0.113.72")] {
        let options = LeaseOptions {
            ip: Some(ip.to_owned()),
            label: Some("crawl".to_owned()),
            lookup: None,
            username: None,
        };
        let lease = client.create(LEASE, options);
        client.shut_down();
        assert_eq!(lease.call::<String>(ENTER, &[]).unwrap(), ip);
        assert_eq!(label(&watching, ip).as_deref(), Some("crawl"));
        // An interrupt does not keep a lease from being released.
        if lease.is_async {
            done(&lease, RELEASE).unwrap();
        } else {
            assert_eq!(bridge::invoke(lease.handle, number(RELEASE), &[], Some(&|| true), None), [0]);
        }
        assert_eq!(label(&watching, ip), None);
        done(&lease, RELEASE).unwrap();
    }
}

#[test]
fn a_lease_that_was_cancelled_while_it_was_entered_can_be_released() {
    let server = Server::start(|request| match request.path() {
        "/api/ip_labels/" => Answer::new(200, "[]").into(),
        _ => super::server::Reply::Hang,
    });
    let client = asynchronous(basic(server.base_url()));
    let options =
        LeaseOptions { ip: Some("203.0.113.73".to_owned()), label: None, lookup: None, username: None };
    let lease = client.create(LEASE, options);
    let started = lease.start(ENTER, &[]);
    let late = Instant::now() + Duration::from_secs(20);
    while !server.requests().iter().any(|request| request.path() == "/api/ip/add/") {
        assert!(Instant::now() < late, "the IP was never added");
        thread::sleep(Duration::from_millis(5));
    }
    tasks::cancel(started.task);
    assert!(matches!(started.given.recv(), Err(mpsc::RecvError)));
    done(&lease, RELEASE).unwrap();
}

#[test]
fn an_ip_that_a_follower_could_not_remove_is_removed_by_the_next_one() {
    let sandbox = Sandbox::start().unwrap();
    let settings = || crate::Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some(sandbox.password().to_owned()),
        max_retries: Some(0),
        ..basic(sandbox.base_url())
    };
    let watching = blocking(settings());
    for client in [asynchronous(settings()), blocking(settings())] {
        let follower = || {
            let options = FollowerOptions { label: None, lookup: None, username: None, interval: None };
            client.create(FOLLOWER, options)
        };
        // The first one stays in the table of objects.
        let (first, second) = (follower(), follower());
        let ip = first.call::<String>(START, &[]).unwrap();
        assert_eq!(first.call::<String>(START, &[]).unwrap(), ip);
        sandbox.inject(Fault::status(503).path("/api/ip/delete/")).unwrap();
        assert!(matches!(done(&first, CLOSE), Err(Failure::Server { .. })));
        assert!(label(&watching, &ip).is_some());
        assert_eq!(second.call::<String>(START, &[]).unwrap(), ip);
        done(&second, CLOSE).unwrap();
        assert_eq!(label(&watching, &ip), None);
    }
}

#[test]
fn a_check_needs_no_client() {
    let nobody = super::server::nobody_listens();
    let (host, port) = nobody
        .base_url()
        .strip_prefix("http://")
        .unwrap()
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.parse::<i32>().unwrap()))
        .unwrap();
    let proxy = || ProxyInput { host: host.clone(), port, access: None };
    let arguments =
        |target: &str, timeout: f64| [bytes(proxy()), bytes(target.to_owned()), bytes(timeout)].concat();
    let checked: ProxyCheck =
        result(&bridge::invoke(0, number(CHECK), &arguments("proxymesh.com:443", 5.0), None, None)).unwrap();
    assert!(!checked.ok && !checked.reachable && checked.status.is_none());
    assert!(checked.meaning.starts_with("could not reach the proxy"), "{}", checked.meaning);
    let (give, given) = mpsc::channel();
    let arguments_of_start = arguments("proxymesh.com:443", 5.0);
    bridge::start(tasks::number(), 0, number(CHECK), &arguments_of_start, None, move |answer| {
        give.send(answer).unwrap()
    });
    let checked: ProxyCheck = result(&given.recv_timeout(Duration::from_secs(20)).unwrap()).unwrap();
    assert!(!checked.ok);
    let bad = failure(result::<ProxyCheck>(&bridge::invoke(
        0,
        number(CHECK),
        &arguments("nowhere", 5.0),
        None,
        None,
    )));
    assert!(matches!(&bad, Failure::Validation { field, .. } if field == "target"), "{bad:?}");
    let bad =
        failure(result::<ProxyCheck>(&bridge::invoke(0, number(CHECK), &arguments("x:1", -1.0), None, None)));
    assert!(matches!(&bad, Failure::Config { .. }), "{bad:?}");
}

#[test]
fn a_session_of_a_proxy_and_of_a_pool_hold_an_exit_ip() {
    let sandbox = Sandbox::builder().proxies(true).start().unwrap();
    let settings = || crate::Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some(sandbox.password().to_owned()),
        ..basic(sandbox.base_url())
    };
    let check = || [bytes("proxymesh.com:443".to_owned()), bytes(5.0_f64)].concat();
    for client in [asynchronous(settings()), blocking(settings())] {
        let pool = client.create(POOL, PoolOptions { rotating: true, ..all() });
        let proxy: Proxy = pool.call(NEXT, &no_countries()).unwrap();
        assert!(proxy.access.as_ref().unwrap().rotating);
        let session = [bytes(input(proxy)), check()].concat();
        let session: Proxy = result(&bridge::invoke(0, number(SESSION), &session, None, None)).unwrap();
        let held = |proxy: Proxy| {
            let access = proxy.access.unwrap();
            assert!(access.credentials.is_some() && !access.rotating);
            access.exit.hold_ip.unwrap()
        };
        assert!(held(session).starts_with("198.18."));
        sandbox.inject(Fault::status(500).proxy("us-ny")).unwrap();
        let session: Proxy = pool.call(POOL_SESSION, &[no_countries(), check()].concat()).unwrap();
        assert_eq!(session.name, "us-il", "the proxy that failed is left out");
        assert!(held(session).starts_with("198.18."));
        sandbox.inject(Fault::status(509).proxy("us-ca")).unwrap();
        let refused = failure(pool.call::<Proxy>(POOL_SESSION, &[no_countries(), check()].concat()));
        assert!(matches!(&refused, Failure::Server { .. }), "{refused:?}");
    }
}

#[test]
fn the_next_lease_removes_an_ip_that_could_not_be_removed() {
    let sandbox = Sandbox::start().unwrap();
    let settings = || crate::Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some(sandbox.password().to_owned()),
        ..basic(sandbox.base_url())
    };
    for (client, ip) in [(asynchronous(settings()), "203.0.113.74"), (blocking(settings()), "203.0.113.75")] {
        let lease = || {
            let label = Some("crawl".to_owned());
            client
                .create(LEASE, LeaseOptions { ip: Some(ip.to_owned()), label, lookup: None, username: None })
        };
        let first = lease();
        first.call::<String>(ENTER, &[]).unwrap();
        sandbox.inject(Fault::status(403).path("/api/ip/delete/")).unwrap();
        let refused = done(&first, RELEASE).unwrap_err();
        assert!(matches!(refused, Failure::PermissionDenied { .. }), "{refused:?}");
        // The object still exists, but it is no claim any more.
        done(&first, RELEASE).unwrap();
        assert_eq!(label(&client, ip).as_deref(), Some("crawl"));
        let second = lease();
        second.call::<String>(ENTER, &[]).unwrap();
        done(&second, RELEASE).unwrap();
        assert_eq!(label(&client, ip), None);
        assert!(failure(first.call::<String>(ENTER, &[])).to_string().contains("has been released"));
    }
}
