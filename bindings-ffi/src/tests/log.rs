//! The records that a call passes to the log of the other language.

use super::{
    GEO_OPEN, Native, UniFfiTag, asynchronous, basic, blocking, bytes, failure, number, objects, result,
    server::{Answer, Reply, Server},
};
use crate::{
    Failure, FollowerOptions, LeaseOptions, LogRecord, Options, PoolOptions, Proxy, Settings,
    bridge::{
        self,
        c::{self, proxymesh_free, proxymesh_invoke, proxymesh_start, proxymesh_task},
        tasks,
    },
    log::Log,
};
use proxymesh_sandbox::{Fault, Sandbox};
use std::{
    collections::HashMap,
    ffi::c_void,
    ptr::null,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};
use uniffi::Lift;

/// A log that keeps everything.
#[derive(Default)]
struct Kept {
    records: Mutex<Vec<LogRecord>>,
    /// The threads that were told to write.
    writers: Mutex<Vec<ThreadId>>,
}

fn read(mut record: &[u8]) -> LogRecord {
    let read = <LogRecord as Lift<UniFfiTag>>::try_read(&mut record).unwrap();
    assert!(record.is_empty());
    read
}

impl Log for Kept {
    fn keep(&self, record: &[u8]) {
        self.records.lock().unwrap().push(read(record));
    }

    fn write(&self) {
        self.writers.lock().unwrap().push(thread::current().id());
    }
}

impl Kept {
    /// The level, the call, the number, the status, the failure and whether there is another attempt.
    fn attempts(&self) -> Vec<(String, i32, Option<i32>, bool, bool)> {
        let records = self.records.lock().unwrap();
        let attempts = records.iter().filter_map(|record| {
            let attempt = record.attempt.as_ref()?;
            assert_eq!(record.level, "debug");
            assert!(
                record
                    .message
                    .starts_with(&format!("{}: {} {}: ", attempt.call, attempt.method, attempt.path))
            );
            assert!(attempt.elapsed > 0.0 && attempt.elapsed < 20.0);
            let call = attempt.call.clone();
            Some((
                call,
                attempt.number,
                attempt.status,
                attempt.failure.is_some(),
                attempt.retry_in.is_some(),
            ))
        });
        attempts.collect()
    }

    /// Waits for the first warning.
    fn warning(&self) -> String {
        let late = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(warning) = self.texts("warning").into_iter().next() {
                return warning;
            }
            assert!(Instant::now() < late, "it did not warn");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn texts(&self, level: &str) -> Vec<String> {
        let records = self.records.lock().unwrap();
        let of_level = records.iter().filter(|record| record.level == level);
        of_level.map(|record| record.message.clone()).collect()
    }
}

impl Native {
    /// Makes a call with a log, in the way of this kind of client.
    fn logged<T: Lift<UniFfiTag>>(
        &self,
        signature: &str,
        arguments: &[u8],
        log: &Arc<Kept>,
    ) -> Result<T, Failure> {
        result(&self.answer(signature, arguments, log))
    }

    fn answer(&self, signature: &str, arguments: &[u8], log: &Arc<Kept>) -> Vec<u8> {
        let log: Arc<dyn Log> = log.clone();
        if !self.is_async {
            return bridge::invoke(self.handle, number(signature), arguments, None, Some(&log));
        }
        let (give, given) = mpsc::channel();
        bridge::start(
            tasks::number(),
            self.handle,
            number(signature),
            arguments,
            Some(&log),
            move |answer| give.send(answer).unwrap(),
        );
        given.recv_timeout(Duration::from_secs(60)).unwrap()
    }
}

fn retrying(base_url: impl Into<String>) -> Settings {
    Settings { max_retries: Some(2), ..basic(base_url) }
}

fn each(settings: impl Fn() -> Settings) -> [Arc<Native>; 2] {
    [asynchronous(settings()), blocking(settings())]
}

#[test]
fn each_attempt_is_a_record_and_so_is_the_look_up_after_a_lost_response() {
    const ADD: &str = "ips_add(ip:String,label:Option<String>,username:Option<String>,)String";
    for kind in [0, 1] {
        let mut replies = vec![
            Answer::new(200, r#"{"ips": ["203.0.113.7"]}"#).into(),
            Answer::new(400, "already so").into(),
            Reply::Close,
            Answer::new(503, "").header("retry-after", "0").into(),
        ];
        let server = Server::start(move |_| replies.pop().unwrap());
        let client = &each(|| retrying(server.base_url()))[kind];
        let log = Arc::new(Kept::default());
        let arguments =
            [bytes("203.0.113.7".to_owned()), bytes(None::<String>), bytes(None::<String>)].concat();
        client.logged::<String>(ADD, &arguments, &log).unwrap();
        let (add, list) = ("ips.add".to_owned(), "ips.list".to_owned());
        assert_eq!(
            log.attempts(),
            [
                (add.clone(), 1, Some(503), false, true),
                (add.clone(), 2, None, true, true),
                (add, 3, Some(400), false, false),
                (list, 1, Some(200), false, false)
            ]
        );
    }
}

#[test]
fn a_blocking_call_may_write_its_log_on_its_thread_and_an_interrupt_still_ends_it() {
    let server = Server::start(|_| Reply::Hang);
    let client = blocking(basic(server.base_url()));
    let log = Arc::new(Kept::default());
    let given: Arc<dyn Log> = log.clone();
    let looks = AtomicUsize::new(0);
    let interrupted = || looks.fetch_add(1, Ordering::Relaxed) == 2;
    let answer = bridge::invoke(client.handle, number(GEO_OPEN), &[], Some(&interrupted), Some(&given));
    let ended = failure(result::<HashMap<String, i64>>(&answer));
    assert!(matches!(ended, Failure::Aborted { .. }), "{ended:?}");
    assert_eq!(*log.writers.lock().unwrap(), [thread::current().id(); 3]);
}

#[test]
fn a_call_of_a_blocking_client_on_the_worker_is_logged_and_other_calls_are_not() {
    let server = Server::always(Answer::new(200, r#"{"US": 1}"#));
    let client = blocking(basic(server.base_url()));
    let log = Arc::new(Kept::default());
    let worker = Native { handle: client.handle, is_async: true };
    for _ in 0..2 {
        client.logged::<HashMap<String, i64>>(GEO_OPEN, &[], &log).unwrap();
        worker.logged::<HashMap<String, i64>>(GEO_OPEN, &[], &log).unwrap();
        client.count(GEO_OPEN).unwrap();
        worker.count(GEO_OPEN).unwrap();
    }
    let other = client.with_options(Options { timeout: None, max_retries: None }).unwrap();
    other.count(GEO_OPEN).unwrap();
    assert_eq!(log.attempts().len(), 4);
    std::mem::forget(worker);
}

#[test]
fn a_pool_warns_if_its_list_cannot_be_refreshed() {
    const NEXT: &str = "pool_next(countries:Option<Vec<String>>,)Proxy";
    for kind in [0, 1] {
        let mut first = true;
        let server = Server::start(move |_| match std::mem::take(&mut first) {
            true => Answer::new(200, r#"{"proxies": ["us-ca.proxymesh.com:31280"]}"#),
            false => Answer::new(500, "down"),
        });
        let client = &each(|| basic(server.base_url()))[kind];
        let pool = client
            .create("pool(options:PoolOptions,)Self", PoolOptions { ttl: Some(0.01), ..objects::all() });
        let (log, none) = (Arc::new(Kept::default()), bytes(None::<Vec<String>>));
        pool.logged::<Proxy>(NEXT, &none, &log).unwrap();
        assert!(log.texts("warning").is_empty());
        thread::sleep(Duration::from_millis(20));
        pool.logged::<Proxy>(NEXT, &none, &log).unwrap();
        let warnings = log.texts("warning");
        let text = "could not refresh the list of proxies, so the old one stays in use: proxies.list: server error (500)";
        assert!(matches!(&warnings[..], [warning] if warning.starts_with(text)), "{warnings:?}");
        assert_eq!(log.attempts().len(), 2);
    }
}

fn of(sandbox: &Sandbox) -> Settings {
    Settings {
        username: Some(sandbox.username().to_owned()),
        password: Some(sandbox.password().to_owned()),
        ..basic(sandbox.base_url())
    }
}

#[test]
fn a_lease_warns_if_its_ip_stays_authorised() {
    let sandbox = Sandbox::start().unwrap();
    for (kind, ip) in [(0, "203.0.113.81"), (1, "203.0.113.82")] {
        let client = &each(|| of(&sandbox))[kind];
        let options = LeaseOptions { ip: Some(ip.to_owned()), label: None, lookup: None, username: None };
        let lease = client.create("lease(options:LeaseOptions,)Self", options);
        let log = Arc::new(Kept::default());
        lease.logged::<String>("lease_enter()String", &[], &log).unwrap();
        sandbox.inject(Fault::status(403).path("/api/ip/delete/")).unwrap();
        assert_eq!(lease.answer("lease_release()()", &[], &log)[0], 1);
        let warnings = log.texts("warning");
        let text = format!(
            "could not remove the authorised IP {ip}, so it stays until an IP is next authorised on this machine: ips.delete: permission denied (403)"
        );
        assert!(matches!(&warnings[..], [warning] if warning.starts_with(&text)), "{warnings:?}");
        assert!(log.attempts().len() >= 4);
    }
}

#[test]
fn a_release_that_fails_after_it_was_cancelled_warns() {
    let sandbox = Sandbox::start().unwrap();
    let client = asynchronous(of(&sandbox));
    let options =
        LeaseOptions { ip: Some("203.0.113.83".to_owned()), label: None, lookup: None, username: None };
    let lease = client.create("lease(options:LeaseOptions,)Self", options);
    let log = Arc::new(Kept::default());
    lease.logged::<String>("lease_enter()String", &[], &log).unwrap();
    sandbox.inject(Fault::delay(Duration::from_millis(500)).path("/api/ip_labels/")).unwrap();
    sandbox.inject(Fault::status(403).path("/api/ip/delete/")).unwrap();
    let (calls, task, given) = (sandbox.requests().len(), tasks::number(), log.clone() as Arc<dyn Log>);
    bridge::start(task, lease.handle, number("lease_release()()"), &[], Some(&given), |_| ());
    while sandbox.requests().len() == calls {
        thread::sleep(Duration::from_millis(5));
    }
    tasks::cancel(task);
    assert!(log.texts("warning").is_empty());
    let warning = log.warning();
    assert!(warning.starts_with("could not remove the authorised IP 203.0.113.83, so it stays"), "{warning}");
    assert!(warning.contains("ips.delete: permission denied (403)"), "{warning}");
}

#[test]
fn a_follower_warns_in_the_background() {
    for kind in [0, 1] {
        let sandbox = Sandbox::start().unwrap();
        let client = &each(|| of(&sandbox))[kind];
        let options = FollowerOptions { label: None, lookup: None, username: None, interval: Some(1.0) };
        let follower = client.create("follower(options:FollowerOptions,)Self", options);
        let log = Arc::new(Kept::default());
        let ip = follower.logged::<String>("follower_start()String", &[], &log).unwrap();
        let calls = log.attempts().len();
        assert!(calls >= 2);
        drop(sandbox);
        let warning = log.warning();
        let text =
            format!("ips.follow could not check or change the authorised IP {ip}, and will try again: ");
        assert!(warning.starts_with(&text), "{warning}");
    }
}

/// What a log of Swift is told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Kept(String),
    Write,
    Released,
}

unsafe extern "C" fn keep(context: *mut c_void, record: c::Answer) {
    let message = read(unsafe { std::slice::from_raw_parts(record.bytes, record.length) }).message;
    unsafe { proxymesh_free(record) };
    let told = unsafe { &*context.cast::<Sender<Told>>() };
    told.send(Told::Kept(message)).unwrap();
}

unsafe extern "C" fn write(context: *mut c_void) {
    unsafe { &*context.cast::<Sender<Told>>() }.send(Told::Write).unwrap();
}

unsafe extern "C" fn release(context: *mut c_void) {
    unsafe { Box::from_raw(context.cast::<Sender<Told>>()) }.send(Told::Released).unwrap();
}

unsafe extern "C" fn ignore(_: *mut c_void, answer: c::Answer) {
    unsafe { proxymesh_free(answer) };
}

#[test]
fn a_log_of_swift_is_released_once_after_everything_else() {
    let server = Server::always(Answer::new(200, r#"{"US": 1}"#));
    let settings = || basic(server.base_url());
    let closed = asynchronous(settings());
    closed.shut_down();
    let clients = [blocking(settings()), asynchronous(settings()), closed];
    for (client, records) in clients.iter().zip([1, 1, 0]) {
        let (tell, told) = mpsc::channel();
        let log = c::Log { context: Box::into_raw(Box::new(tell)).cast(), keep, write, release };
        if client.is_async {
            let context = std::ptr::dangling_mut::<u8>().cast();
            unsafe {
                proxymesh_start(
                    proxymesh_task(),
                    client.handle,
                    number(GEO_OPEN),
                    null(),
                    0,
                    &raw const log,
                    context,
                    ignore,
                );
            }
        } else {
            let answer =
                unsafe { proxymesh_invoke(client.handle, number(GEO_OPEN), null(), 0, &raw const log) };
            unsafe { proxymesh_free(answer) };
        }
        let told: Vec<_> = told.iter().filter(|told| *told != Told::Write).collect();
        assert_eq!(told.len(), records + 1);
        assert_eq!(told.last(), Some(&Told::Released));
    }
}
