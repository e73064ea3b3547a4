//! What calls do when the process has no file descriptors or threads left, and what a client holds before its first call. Each limit
//! is tested in its own process.

use super::{
    asynchronous, basic, blocking,
    server::{Answer, Server},
};
use crate::Failure;
use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};
use std::{env, fs, os::unix::process::CommandExt as _, process::Command};

/// The program that the tests below run. Any panic ends it, even one that would be caught.
#[test]
#[ignore = "is run by the other tests"]
fn child() {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    let settings = || basic(env::var("TEST_BASE_URL").unwrap());
    let count = || ["fd", "task"].map(|what| fs::read_dir(format!("/proc/self/{what}")).unwrap().count());
    let before = count();
    let clients: Vec<_> = (0..500).map(|_| (asynchronous(settings()), blocking(settings()))).collect();
    assert_eq!(count(), before, "unused clients hold nothing");

    let (client, blocking) = &clients[0];
    let way = env::var("TEST_WAY").unwrap();
    let call = || match way.as_str() {
        "blocking" => blocking.list(),
        _ => client.list(),
    };
    let resource = match env::var("TEST_RESOURCE").unwrap().as_str() {
        "descriptors" => Resource::Nofile,
        _ => Resource::Nproc,
    };
    let limit = env::var("TEST_LIMIT").unwrap().parse().unwrap();
    let before = getrlimit(resource);
    setrlimit(resource, Rlimit { current: Some(limit), maximum: before.maximum }).unwrap();
    let first = call();
    setrlimit(resource, before).unwrap();
    match first {
        Ok(_) => println!("RESULT fine"),
        Err(Failure::Connection { text, .. }) => println!("RESULT {text}"),
        Err(failure) => panic!("{failure:?}"),
    }
    call().unwrap();
}

fn run(server: &Server, way: &str, resource: &str, limit: u64) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["tests::resources::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("TEST_BASE_URL", server.base_url().replace("127.0.0.1", "localhost"))
        .env("TEST_WAY", way)
        .env("TEST_RESOURCE", resource)
        .env("TEST_LIMIT", limit.to_string());
    if resource == "threads" && getuid().is_root() {
        // The limit does not apply to root.
        command.uid(65534).current_dir("/");
    }
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{way}, {limit} {resource}: {}\n{out}{err}", output.status);
    out.lines().find_map(|line| line.split_once("RESULT ")).unwrap().1.to_owned()
}

fn server() -> Server {
    Server::start(|_| Answer::new(200, r#"{"ips": []}"#))
}

#[test]
fn without_descriptors_a_call_fails_with_an_error_and_works_later() {
    let server = server();
    for way in ["async", "blocking"] {
        let results: Vec<String> = (3..=40).map(|limit| run(&server, way, "descriptors", limit)).collect();
        let none = "ips.list: connection failed: the process has no file descriptors left (EMFILE)";
        assert_eq!((results.first().unwrap().as_str(), results.last().unwrap().as_str()), (none, "fine"));
        for result in &results {
            assert!(result == "fine" || result.contains("(EMFILE)"), "{way}: {result}");
        }
    }
}

#[test]
fn without_threads_a_call_fails_with_an_error_and_works_later() {
    let server = server();
    for way in ["async", "blocking"] {
        let result = run(&server, way, "threads", 1);
        assert!(result.starts_with("ips.list: ") && result.contains("could not start a thread"), "{result}");
    }
}
