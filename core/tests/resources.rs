//! What calls do when the process has no file descriptors, threads or memory left. Each limit is tested in its own process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use proxymesh::{Check, Client, Credentials, Error, Proxy, Settings, blocking, runtime::worker};
use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};
use std::{env, fs, io, os::unix::process::CommandExt as _, process::Command, time::Duration};
use support::server::{Answer, Server};

/// Makes a call in one of several ways. If it needs its own runtime, the error may be that none could be created.
fn call(way: &str, client: &Clients) -> Result<(), Error> {
    let lacking = |error: io::Error| Error::lacking("geo.open", &error);
    match way {
        "blocking" => client.blocking.geo().open().map(drop),
        "async" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(lacking)?.block_on(client.asynchronous.geo().open()).map(drop)
        }
        "blocking in a runtime" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(lacking)?.block_on(async { client.blocking.geo().open() }).map(drop)
        }
        "worker" => {
            let (give, given) = std::sync::mpsc::channel();
            let open = client.asynchronous.geo().open();
            worker().map_err(lacking)?.spawn(async move { give.send(open.await) });
            given.recv().unwrap().map(drop)
        }
        "check" => {
            let proxy = "localhost:9".parse::<Proxy>()?.using(Credentials::basic("me", "pw")?);
            let check: Check = blocking::check(&proxy, "example.com:443", Duration::from_secs(5))?;
            assert!(!check.ok());
            // What the process lacks is reported like any other reason why the proxy cannot be reached.
            let lacks =
                check.meaning.contains("could not start a thread") || check.meaning.contains("(EMFILE)");
            if lacks { Err(lacking(io::Error::other(check.meaning))) } else { Ok(()) }
        }
        other => panic!("{other}"),
    }
}

struct Clients {
    blocking: blocking::Client,
    asynchronous: Client,
}

impl Clients {
    fn new() -> Self {
        let settings = || {
            let base_url = env::var("TEST_BASE_URL").unwrap();
            Settings::new().username("me").password("pw").base_url(base_url).max_retries(0)
        };
        Self {
            blocking: blocking::Client::new(settings()).unwrap(),
            asynchronous: Client::new(settings()).unwrap(),
        }
    }
}

fn limited(resource: Resource, current: u64) -> Rlimit {
    let before = getrlimit(resource);
    setrlimit(resource, Rlimit { current: Some(current), maximum: before.maximum }).unwrap();
    before
}

/// The program that the tests below run in a separate process. Any panic ends it, even one that would be caught.
#[test]
#[ignore = "is run by the other tests"]
fn child() {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    let way = env::var("TEST_WAY").unwrap();
    let limit = || env::var("TEST_LIMIT").unwrap().parse::<u64>().unwrap();
    let client = Clients::new();
    let (resource, limit) = match env::var("TEST_RESOURCE").unwrap().as_str() {
        "descriptors" => (Resource::Nofile, limit()),
        "threads" => (Resource::Nproc, limit()),
        "memory" => {
            let pages: u64 =
                fs::read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
            (Resource::As, pages * 4096 + limit())
        }
        other => panic!("{other}"),
    };
    let before = limited(resource, limit);
    let first = call(&way, &client);
    setrlimit(resource, before).unwrap();
    match &first {
        Ok(()) => println!("RESULT fine"),
        Err(error @ Error::Connection { .. }) => println!("RESULT {error}"),
        Err(error) => panic!("{error:?}"),
    }
    call(&way, &client).unwrap();
}

/// Runs `child` and returns its result.
fn run(server: &Server, way: &str, resource: &str, limit: u64) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("TEST_BASE_URL", server.base_url().replace("127.0.0.1", "localhost"))
        .env("TEST_WAY", way)
        .env("TEST_RESOURCE", resource)
        .env("TEST_LIMIT", limit.to_string())
        .env("RUST_BACKTRACE", "0");
    if resource == "threads" && getuid().is_root() {
        // The limit does not apply to root.
        command.uid(65534).current_dir("/");
    }
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{way}, {limit} {resource}: {}\n{out}{err}", output.status);
    let line = out.lines().find_map(|line| line.split_once("RESULT ")).expect("a result").1;
    line.to_owned()
}

fn server() -> Server {
    Server::always(Answer::new(200, "{}"))
}

#[test]
fn without_descriptors_a_call_fails_with_an_error_and_works_later() {
    let server = server();
    for way in ["blocking", "async", "blocking in a runtime", "worker", "check"] {
        let results: Vec<String> = (3..=40).map(|limit| run(&server, way, "descriptors", limit)).collect();
        assert_eq!(results.last().unwrap(), "fine", "{way}");
        if way != "check" {
            assert!(results[0].contains("the process has no file descriptors left (EMFILE)"), "{results:?}");
        }
        for result in &results {
            assert!(result == "fine" || result.contains("(EMFILE)"), "{way}: {result}");
        }
    }
}

#[test]
fn without_threads_a_call_fails_with_an_error_and_works_later() {
    let server = server();
    for way in ["blocking", "async", "blocking in a runtime", "worker", "check"] {
        let result = run(&server, way, "threads", 1);
        assert!(result.contains("could not start a thread"), "{way}: {result}");
    }
}

#[test]
fn without_memory_for_a_thread_a_call_fails_with_an_error_and_works_later() {
    let server = server();
    for way in ["blocking", "async", "blocking in a runtime", "worker", "check"] {
        let result = run(&server, way, "memory", 1 << 20);
        assert!(result.contains("could not start a thread"), "{way}: {result}");
    }
}

/// The counting part of the next test, in a process without other tests.
#[test]
#[ignore = "is run by another test"]
fn counted() {
    let count = |what| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let before = (count("fd"), count("task"));
    let clients: Vec<Clients> = (0..1000).map(|_| Clients::new()).collect();
    assert_eq!((count("fd"), count("task")), before);
    for client in &clients[..50] {
        client.blocking.geo().open().unwrap();
    }
    let (descriptors, threads) = (count("fd") - before.0, count("task") - before.1);
    assert!(descriptors <= 50 * 4, "an event loop and a connection each: {descriptors}");
    assert!(threads <= 1, "{threads}");
}

#[test]
fn a_thousand_unused_clients_hold_no_descriptor_and_no_thread() {
    let server = server();
    let output = Command::new(env::current_exe().unwrap())
        .args(["counted", "--exact", "--ignored", "--test-threads=1"])
        .env("TEST_BASE_URL", server.base_url())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// With tokio's signal feature, every event loop would hold descriptors for signals, and panic if there are none left.
#[test]
fn the_packages_are_built_without_tokios_signal_feature() {
    for package in ["proxymesh", "proxymesh-python", "proxymesh-ffi"] {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--locked", "--edges", "features,no-dev", "--package", package])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let tree = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(tree.contains("tokio feature \"net\""), "{package}");
        assert!(!tree.contains("tokio feature \"signal\""), "{package}");
    }
}
