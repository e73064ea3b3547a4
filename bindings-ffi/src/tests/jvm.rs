//! The exports for the JVM, without a JVM. The tests of the Kotlin package use them with one.

use super::{
    PASSWORD, USERNAME, nothing,
    server::{Answer, Reply, Server},
};
use crate::{
    Failure, Settings, UniFfiTag,
    jvm::{self, invoke, number, objects, start, tasks},
};
use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    time::{Duration, Instant},
};
use uniffi::Lower;

const IPS_LIST: i32 = number("ips_list(username:Option<String>,)Vec<String>");
const IPS_LABELS: i32 = number("ips_labels(username:Option<String>,)Vec<LabeledIp>");

fn bytes<T: Lower<UniFfiTag>>(value: T) -> Vec<u8> {
    let mut bytes = Vec::new();
    T::write(value, &mut bytes);
    bytes
}

fn never() -> bool {
    false
}

/// What a call without a value for its optional argument returns.
fn call(handle: i64, number: i32) -> Vec<u8> {
    invoke(handle, number, &bytes(None::<String>), &never)
}

/// Starts the same call on the worker.
fn begin(handle: i64, number: i32) -> (i64, Receiver<Vec<u8>>) {
    let (give, given) = mpsc::channel();
    let task =
        start(handle, number, &bytes(None::<String>), move |answer| give.send(answer.to_vec()).unwrap());
    (task, given)
}

/// Creates a client.
fn create(kind: &str, base_url: &str) -> i64 {
    let settings = || {
        let own = |text: &str| Some(text.to_owned());
        let settings = Settings {
            username: own(USERNAME),
            password: own(PASSWORD),
            base_url: own(base_url),
            ..nothing()
        };
        let mut out = Vec::new();
        for text in [settings.username, settings.password, settings.token, settings.base_url] {
            out.extend(bytes(text));
        }
        out.extend(bytes(settings.timeout));
        out.extend(bytes(settings.connect_timeout));
        out.extend(bytes(Some(0_i64)));
        out.extend(bytes(settings.max_connections));
        out.extend(bytes(settings.ca_file));
        out.extend(bytes(settings.trust_env));
        out.extend(bytes(settings.user_agent));
        out
    };
    let answer = invoke(0, number(&format!("{kind}.new(settings:Settings,)Self")), &settings(), &never);
    assert_eq!(answer[0], 0, "{answer:?}");
    i64::from_be_bytes(answer[1..].try_into().unwrap())
}

/// The text of the error in an answer, which follows the number of its kind.
fn text(answer: &[u8]) -> String {
    assert_eq!(answer[0], 1, "{answer:?}");
    let length = u32::from_be_bytes(answer[5..9].try_into().unwrap());
    String::from_utf8(answer[9..][..length as usize].to_vec()).unwrap()
}

fn listing() -> Server {
    Server::always(Answer::new(200, r#"{"ips": ["203.0.113.7", "2001:db8::1"], "labels": {}}"#))
}

fn hanging() -> Server {
    Server::start(|request| match request.path() {
        "/api/ips/" => Answer::new(200, r#"{"ips": []}"#).into(),
        _ => Reply::Hang,
    })
}

fn listed() -> Vec<u8> {
    [vec![0], bytes(vec!["203.0.113.7".to_owned(), "2001:db8::1".to_owned()])].concat()
}

#[test]
fn a_call_returns_its_result_in_the_format_of_uniffi() {
    let server = listing();
    assert_eq!(call(create("BlockingClient", &server.base_url()), IPS_LIST), listed());
    for kind in ["Client", "BlockingClient"] {
        let (_, given) = begin(create(kind, &server.base_url()), IPS_LIST);
        assert_eq!(given.recv().unwrap(), listed());
    }
}

#[test]
fn a_call_of_a_closed_or_released_client_fails() {
    let server = listing();
    let client = create("BlockingClient", &server.base_url());
    let options = [bytes(Some(5.0)), bytes(None::<i64>)].concat();
    let other = invoke(client, number("with_options(options:Options,)Self"), &options, &never);
    let other = i64::from_be_bytes(other[1..].try_into().unwrap());
    assert_eq!(invoke(client, number("shut_down()()"), &[], &never), [0]);
    let closed = "the client is closed; create a new one";
    assert_eq!(text(&call(client, IPS_LIST)), closed);
    assert_eq!(text(&begin(client, IPS_LIST).1.recv().unwrap()), closed);
    assert_eq!(call(other, IPS_LIST), listed());
    assert_eq!(begin(other, IPS_LIST).1.recv().unwrap(), listed());

    objects::release(other);
    objects::release(other);
    let unknown = "internal error in the ProxyMesh library, please report it: the library has no such call";
    assert_eq!(text(&call(other, IPS_LIST)), unknown);
    assert_eq!(text(&begin(other, IPS_LIST).1.recv().unwrap()), unknown);
}

/// The worker has one client for all that share connections. It is created by the first of them that needs it.
#[test]
fn options_of_one_client_do_not_apply_to_another_one_on_the_worker() {
    let server = Server::always(Answer::new(503, ""));
    let client = create("BlockingClient", &server.base_url());
    let with_retries = |retries: i64| {
        let options = [bytes(None::<f64>), bytes(Some(retries))].concat();
        let other = invoke(client, number("with_options(options:Options,)Self"), &options, &never);
        i64::from_be_bytes(other[1..].try_into().unwrap())
    };
    for (client, requests) in [(with_retries(1), 2), (client, 1), (with_retries(0), 1)] {
        let before = server.count();
        text(&begin(client, IPS_LIST).1.recv().unwrap());
        assert_eq!(server.count() - before, requests);
    }
}

#[test]
fn a_call_that_the_library_does_not_have_and_arguments_that_it_cannot_read_fail() {
    let server = listing();
    for kind in ["Client", "BlockingClient"] {
        let client = create(kind, &server.base_url());
        for answer in [call(client, 1), begin(client, 1).1.recv().unwrap(), call(0, 1)] {
            assert!(text(&answer).ends_with("the library has no such call"), "{}", text(&answer));
        }
        let (give, given) = mpsc::channel();
        start(client, IPS_LIST, &[7], move |answer| give.send(answer.to_vec()).unwrap());
        assert!(text(&given.recv().unwrap()).contains("unreadable argument: "));
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn an_interrupt_ends_a_call_and_closes_its_connection() {
    let server = hanging();
    let client = create("BlockingClient", &server.base_url());
    call(client, IPS_LIST);
    let looks = AtomicUsize::new(0);
    let interrupted = Instant::now();
    let answer =
        invoke(client, IPS_LABELS, &bytes(None::<String>), &|| looks.fetch_add(1, Ordering::Relaxed) == 3);
    assert_eq!(text(&answer), "the call was cancelled");
    assert!(interrupted.elapsed() < Duration::from_secs(2), "{:?}", interrupted.elapsed());
    server.wait_for_given_up(1);
    // The client still works.
    assert_eq!(call(client, IPS_LIST)[0], 0);
}

#[test]
fn a_cancelled_call_closes_its_connection_and_gives_no_answer() {
    let server = hanging();
    for (number, kind) in ["Client", "BlockingClient"].into_iter().enumerate() {
        let client = create(kind, &server.base_url());
        begin(client, IPS_LIST).1.recv().unwrap();
        let (task, given) = begin(client, IPS_LABELS);
        server.wait_for_requests(3 * number + 2);
        tasks::cancel(task);
        tasks::cancel(task);
        server.wait_for_given_up(number + 1);
        assert!(given.recv().is_err(), "its sender was dropped");
        assert_eq!(begin(client, IPS_LIST).1.recv().unwrap()[0], 0);
    }
}

#[test]
fn a_panic_is_the_answer_of_its_call() {
    let worker = proxymesh::runtime::worker().unwrap();
    for panics_at_once in [true, false] {
        let (give, given) = mpsc::channel();
        let call: jvm::Pending = Box::pin(async move {
            if !panics_at_once {
                tokio::task::yield_now().await;
            }
            panic!("provoked by a test")
        });
        tasks::start(&worker, call, move |answer| give.send(answer.to_vec()).unwrap());
        let text = text(&given.recv().unwrap());
        assert_eq!(
            text,
            "internal error in the ProxyMesh library, please report it: panic: provoked by a test"
        );
    }
    let failure = Failure::internal("x").to_string();
    assert_eq!(text(&jvm::wire::failure(Failure::internal("x"))), failure);
}
