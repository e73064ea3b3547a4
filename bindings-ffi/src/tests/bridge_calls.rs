//! The bridge without another language: its format, handles, tasks and panics.

use super::{
    IPS_LABELS, IPS_LIST, Native, asynchronous, basic, blocking, bytes, failure, number, result,
    server::{Answer, Reply, Server},
};
use crate::{
    Failure, LabeledIp, Options,
    bridge::{self, invoke, objects, tasks, wire},
};
use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

const UNKNOWN: &str =
    "internal error in the ProxyMesh library, please report it: the library has no such call";
const PANICKED: &str = "internal error in the ProxyMesh library, please report it: panic: provoked by a test";

fn listing() -> Server {
    Server::always(Answer::new(200, r#"{"ips": ["203.0.113.7", "2001:db8::1"], "labels": {}}"#))
}

fn hanging() -> Server {
    Server::start(|request| match request.path() {
        "/api/ips/" => Answer::new(200, r#"{"ips": []}"#).into(),
        _ => Reply::Hang,
    })
}

/// The arguments of a call with one optional text, which is not given.
fn none() -> Vec<u8> {
    bytes(None::<String>)
}

#[test]
fn a_call_returns_its_result_in_the_format_of_uniffi() {
    let server = listing();
    let listed = [vec![0], bytes(vec!["203.0.113.7".to_owned(), "2001:db8::1".to_owned()])].concat();
    let client = blocking(basic(server.base_url()));
    assert_eq!(invoke(client.handle, number(IPS_LIST), &none(), None, None), listed);
    for client in [asynchronous(basic(server.base_url())), client] {
        assert_eq!(client.start(IPS_LIST, &none()).given.recv().unwrap(), listed);
    }
}

/// The library writes these itself. UniFFI's own code must be able to read them.
#[test]
fn lists_of_records_and_maps_are_in_the_format_of_uniffi() {
    let server = Server::start(|request| {
        Answer::new(
            200,
            match request.path() {
                "/api/ip_labels/" => {
                    r#"[{"ip": "203.0.113.7", "label": "office"}, {"ip": "2001:db8::1", "label": ""}]"#
                }
                _ => r#"{"US": 3, "DE": 0}"#,
            },
        )
    });
    for client in [asynchronous(basic(server.base_url())), blocking(basic(server.base_url()))] {
        let labels: Vec<LabeledIp> = client.call(IPS_LABELS, &none()).unwrap();
        let labels: Vec<_> = labels.into_iter().map(|it| (it.ip, it.label)).collect();
        let own = |ip: &str, label: &str| (ip.to_owned(), label.to_owned());
        assert_eq!(labels, [own("203.0.113.7", "office"), own("2001:db8::1", "")]);
        let counts = client.count(super::GEO_OPEN).unwrap();
        assert_eq!(counts, HashMap::from([("US".to_owned(), 3), ("DE".to_owned(), 0)]));
    }
}

#[test]
fn a_call_of_a_released_client_fails() {
    let server = listing();
    for client in [asynchronous(basic(server.base_url())), blocking(basic(server.base_url()))] {
        client.list().unwrap();
        objects::release(client.handle);
        objects::release(client.handle);
        assert_eq!(failure(client.list()).to_string(), UNKNOWN);
    }
}

/// The worker has one client for all that share connections. It is created by the first of them that needs it.
#[test]
fn options_of_one_client_do_not_apply_to_another_one_on_the_worker() {
    let server = Server::always(Answer::new(503, ""));
    let client = blocking(basic(server.base_url()));
    let with =
        |retries: i64| client.with_options(Options { timeout: None, max_retries: Some(retries) }).unwrap();
    for (client, requests) in [(with(1), 2), (client.clone(), 1), (with(0), 1)] {
        let before = server.count();
        failure(client.start(IPS_LIST, &none()).wait::<Vec<String>>());
        assert_eq!(server.count() - before, requests);
    }
}

#[test]
fn a_call_that_the_library_does_not_have_and_arguments_that_it_cannot_read_fail() {
    let server = listing();
    for client in [asynchronous(basic(server.base_url())), blocking(basic(server.base_url()))] {
        for failed in [
            failure(client.call::<bool>("no_such_call()()", &[])),
            failure(client.start("no_such_call()()", &[]).wait::<bool>()),
            failure(result::<bool>(&invoke(0, 1, &[], None, None))),
        ] {
            assert_eq!(failed.to_string(), UNKNOWN);
        }
        let failed = failure(client.start(IPS_LIST, &[7]).wait::<bool>());
        assert!(failed.to_string().contains("unreadable argument: "), "{failed}");
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn an_interrupt_ends_a_call_and_closes_its_connection() {
    let server = hanging();
    let client = blocking(basic(server.base_url()));
    client.list().unwrap();
    let looks = AtomicUsize::new(0);
    let interrupted = Instant::now();
    let third = || looks.fetch_add(1, Ordering::Relaxed) == 3;
    let answer = invoke(client.handle, number(IPS_LABELS), &none(), Some(&third), None);
    let failed = failure(result::<bool>(&answer));
    assert!(matches!(&failed, Failure::Aborted { text } if text == "the call was cancelled"), "{failed:?}");
    assert!(interrupted.elapsed() < Duration::from_secs(2), "{:?}", interrupted.elapsed());
    server.wait_for_given_up(1);
    // The client still works.
    client.list().unwrap();
}

#[test]
fn a_cancelled_call_closes_its_connection_and_gives_no_answer() {
    let server = hanging();
    for (index, client) in
        [asynchronous(basic(server.base_url())), blocking(basic(server.base_url()))].into_iter().enumerate()
    {
        client.start(IPS_LIST, &none()).wait::<Vec<String>>().unwrap();
        let call = client.start(IPS_LABELS, &none());
        server.wait_for_requests(3 * index + 2);
        tasks::cancel(call.task);
        tasks::cancel(call.task);
        server.wait_for_given_up(index + 1);
        assert!(call.given.recv().is_err(), "its sender was dropped");
        client.start(IPS_LIST, &none()).wait::<Vec<String>>().unwrap();
    }
}

#[test]
fn a_panic_on_the_worker_is_the_answer_of_its_call() {
    let worker = proxymesh::runtime::worker().unwrap();
    for panics_at_once in [true, false] {
        let (give, given) = mpsc::channel();
        let call: bridge::Pending = Box::pin(async move {
            if !panics_at_once {
                tokio::task::yield_now().await;
            }
            panic!("provoked by a test")
        });
        tasks::start(tasks::number(), &worker, call, move |answer| give.send(answer).unwrap());
        let failed = failure(result::<bool>(&given.recv().unwrap()));
        assert!(matches!(&failed, Failure::Internal { text } if text == PANICKED), "{failed:?}");
        assert_eq!(failed.to_string(), PANICKED);
    }
    let failure = Failure::internal("x").to_string();
    assert_eq!(super::failure(result::<bool>(&wire::failure(Failure::internal("x")))).to_string(), failure);
}

#[test]
fn a_client_still_works_after_a_panic() {
    let server = Server::always(Answer::new(200, r#"{"ips": []}"#));
    let client = crate::BlockingClient::new(basic(server.base_url())).unwrap();
    for _ in 0..3 {
        let failed = failure(client.make::<()>(None, |_| panic!("provoked by a test")));
        assert!(matches!(&failed, Failure::Internal { text } if text == PANICKED), "{failed:?}");
    }
    client.make(None, |account| Ok(account.ips().list())).unwrap();

    let client = crate::Client::new(basic(server.base_url())).unwrap();
    let worker = proxymesh::runtime::worker().unwrap();
    let run = |pending| {
        let (give, given) = mpsc::channel();
        tasks::start(tasks::number(), &worker, pending, move |answer| give.send(answer).unwrap());
        given.recv().unwrap()
    };
    for _ in 0..3 {
        let failed =
            failure(result::<bool>(&run(client.pending::<(), ()>(|_| panic!("provoked by a test")))));
        assert_eq!(failed.to_string(), PANICKED);
    }
    let listed = run(client.pending::<Vec<String>, _>(|account| Ok(account.ips().list())));
    assert_eq!(result::<Vec<String>>(&listed).unwrap(), Vec::<String>::new());
    assert_eq!(server.count(), 2);
}

#[test]
fn unknown_kinds_of_clients_cannot_be_created() {
    let failed = failure(Native::new("OtherClient", basic("https://x")));
    assert_eq!(failed.to_string(), UNKNOWN);
}
