//! The functions for Swift, called as Swift calls them.

use super::{
    GEO_OPEN, Native, asynchronous, basic, blocking, failure, number, result,
    server::{Answer, Reply, Server},
};
use crate::{
    Failure,
    bridge::{
        c::{
            self, proxymesh_cancel, proxymesh_free, proxymesh_invoke, proxymesh_start, proxymesh_task,
            proxymesh_version,
        },
        tasks,
    },
};
use std::{
    collections::HashMap,
    ffi::{CStr, c_void},
    ptr::null,
    sync::mpsc::{self, Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// What an answer says.
type Counts = Result<HashMap<String, i64>, Failure>;

/// What waits for an answer, as the continuation in Swift does. The callback must release it exactly once.
struct Waiting {
    give: Sender<Counts>,
    /// Counts the calls of the callback.
    calls: Sender<()>,
}

unsafe fn read(answer: c::Answer) -> Counts {
    let counts = result(unsafe { std::slice::from_raw_parts(answer.bytes, answer.length) });
    unsafe { proxymesh_free(answer) };
    counts
}

unsafe extern "C" fn resume(context: *mut c_void, answer: c::Answer) {
    let waiting = unsafe { Box::from_raw(context.cast::<Waiting>()) };
    waiting.calls.send(()).unwrap();
    waiting.give.send(unsafe { read(answer) }).unwrap();
}

/// Starts `geo_open`.
fn start(client: &Native, calls: &Sender<()>) -> (i64, Receiver<Counts>) {
    let (give, given) = mpsc::channel();
    let waiting = Box::new(Waiting { give, calls: calls.clone() });
    let task = proxymesh_task();
    let context = Box::into_raw(waiting).cast();
    unsafe { proxymesh_start(task, client.handle, number(GEO_OPEN), null(), 0, null(), context, resume) };
    (task, given)
}

fn wait(given: &Receiver<Counts>) -> Counts {
    given.recv_timeout(Duration::from_secs(60)).expect("the callback is called")
}

fn is_aborted(failure: &Failure) -> bool {
    matches!(failure, Failure::Aborted { text } if text == "the call was cancelled")
}

#[test]
fn the_version_is_that_of_the_crate() {
    let version = unsafe { CStr::from_ptr(proxymesh_version()) };
    assert_eq!(version.to_str().unwrap(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_call_has_its_answer_in_both_ways() {
    let server = Server::always(Answer::new(200, r#"{"US": 1}"#));
    let client = blocking(basic(server.base_url()));
    let answer = unsafe { proxymesh_invoke(client.handle, number(GEO_OPEN), null(), 0, null()) };
    assert_eq!(unsafe { read(answer) }.unwrap().get("US"), Some(&1));
    let (calls, _called) = channel();
    let (_, given) = start(&asynchronous(basic(server.base_url())), &calls);
    assert_eq!(wait(&given).unwrap().get("US"), Some(&1));
}

#[test]
fn a_call_that_cannot_start_has_an_answer() {
    let server = Server::always(Answer::new(200, "{}"));
    let client = asynchronous(basic(server.base_url()));
    client.shut_down();
    let (calls, called) = channel();
    let (task, given) = start(&client, &calls);
    assert!(matches!(failure(wait(&given)), Failure::Config { .. }));
    proxymesh_cancel(task);
    crate::bridge::objects::release(client.handle);
    let (_, given) = start(&client, &calls);
    assert!(matches!(failure(wait(&given)), Failure::Internal { .. }));
    drop(calls);
    assert_eq!(called.iter().count(), 2);
}

#[test]
fn a_cancelled_call_has_an_answer() {
    let server = Server::start(|request| match request.path() {
        "/api/geoips/world/" => Answer::new(200, "{}").into(),
        _ => Reply::Hang,
    });
    let client = asynchronous(basic(server.base_url()));
    client.count(super::GEO_WORLD).unwrap();
    let (calls, _called) = channel();
    let (task, given) = start(&client, &calls);
    server.wait_for_requests(2);
    proxymesh_cancel(task);
    let failed = failure(wait(&given));
    assert!(is_aborted(&failed), "{failed:?}");
    server.wait_for_given_up(1);
}

/// A call may end, be cancelled by several threads, and lose its client, all at the same time.
#[test]
fn the_callback_is_called_exactly_once() {
    const CALLS: usize = 10_000;
    let server = Server::always(Answer::new(200, "{}"));
    let client = asynchronous(basic(server.base_url()));
    client.count(GEO_OPEN).unwrap();
    let (calls, called) = channel();
    let mut ends = [0, 0];
    thread::scope(|scope| {
        let cancellers: Vec<Sender<(i64, u64)>> = (0..2)
            .map(|_| {
                let (give, given) = channel::<(i64, u64)>();
                scope.spawn(move || {
                    for (task, delay) in given {
                        if delay > 0 {
                            thread::sleep(Duration::from_micros(delay));
                        }
                        proxymesh_cancel(task);
                    }
                });
                give
            })
            .collect();
        let mut random = 1_u64; // xorshift
        for _ in 0..CALLS {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let other = client.with_options(crate::Options { timeout: None, max_retries: None }).unwrap();
            let (task, given) = start(&other, &calls);
            drop(other);
            match random % 4 {
                0 => {}
                1 => proxymesh_cancel(task),
                _ => {
                    for canceller in &cancellers {
                        canceller.send((task, random % 200)).unwrap();
                    }
                }
            }
            match wait(&given) {
                Ok(_) => ends[0] += 1,
                Err(failed) => {
                    assert!(is_aborted(&failed), "{failed:?}");
                    ends[1] += 1;
                }
            }
            assert!(given.recv_timeout(Duration::ZERO).is_err());
            assert!(!tasks::is_in_progress(task));
        }
    });
    drop(calls);
    assert_eq!(called.iter().count(), CALLS);
    assert!(ends[0] > 0 && ends[1] > 0, "{ends:?}");
}

/// If a runtime ends, it drops its tasks.
#[test]
fn a_call_whose_runtime_ends_has_an_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (calls, _called) = channel();
    let (give, given) = mpsc::channel();
    let context = Box::into_raw(Box::new(Waiting { give, calls })).cast();
    let done = c::Done { callback: resume, context };
    tasks::start(tasks::number(), runtime.handle(), Box::pin(std::future::pending()), |answer| {
        done.call(answer)
    });
    drop(runtime);
    let failed = failure(wait(&given));
    assert!(is_aborted(&failed), "{failed:?}");
}
