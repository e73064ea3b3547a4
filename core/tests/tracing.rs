//! What is logged: one DEBUG event per attempt, with the target `proxymesh`, and never a query, a form or credentials.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{Attempt, NewSubAccount, Observer, Options};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{
    capture,
    server::{Answer, Reply, Server, nobody_listens},
};

/// An event without its times, which no test can predict. Checks that they are plausible.
fn timeless(event: &str) -> String {
    let words = event.split(' ').filter_map(|word| match word.split_once('=') {
        Some(("elapsed_ms", elapsed)) => {
            let elapsed: f64 = elapsed.parse().unwrap();
            assert!(elapsed > 0.0 && elapsed < 20_000.0, "{event}");
            None
        }
        Some(("retry_in_ms", wait)) => {
            assert!((0.0..=1000.0).contains(&wait.parse::<f64>().unwrap()), "{event}");
            Some("retried")
        }
        _ => Some(word),
    });
    assert!(event.contains(" elapsed_ms="), "{event}");
    words.collect::<Vec<_>>().join(" ")
}

/// The events of this crate while `calls` runs, without their times. The HTTP library has its own events.
fn logged(calls: impl FnOnce()) -> Vec<String> {
    let ((), events) = capture::events(calls);
    let ours = events.iter().filter(|event| event.contains("proxymesh"));
    ours.map(|event| timeless(event))
        .inspect(|event| assert!(event.starts_with("DEBUG proxymesh: ")))
        .collect()
}

#[test]
fn an_attempt_is_one_event_with_the_call_and_its_outcome() {
    let server = Server::always(Answer::new(200, r#"{"ips": []}"#));
    let client = support::blocking(support::basic(&server));
    let events = logged(|| {
        client.ips().of("canary-sub").unwrap().list().unwrap();
    });
    assert_eq!(
        events,
        [r#"DEBUG proxymesh: attempt call="ips.list" method=GET path="/api/ips/" status=200 attempt=1"#]
    );
}

#[test]
fn each_attempt_of_a_call_is_one_event_and_so_is_the_look_up() {
    let mut replies = vec![
        Answer::new(200, r#"{"ips": ["203.0.113.7"]}"#).into(),
        Answer::new(400, "already so").into(),
        Reply::Close,
        Answer::new(503, "").header("retry-after", "0").into(),
    ];
    let server = Server::start(move |_| replies.pop().unwrap());
    let client = support::blocking(support::basic(&server));
    let events = logged(|| {
        client.ips().add("203.0.113.7").unwrap();
    });
    assert_eq!(
        events,
        [
            r#"DEBUG proxymesh: attempt call="ips.add" method=POST path="/api/ip/add/" status=503 retried attempt=1"#,
            r#"DEBUG proxymesh: attempt call="ips.add" method=POST path="/api/ip/add/" failure="connection closed before message completed" retried attempt=2"#,
            r#"DEBUG proxymesh: attempt call="ips.add" method=POST path="/api/ip/add/" status=400 attempt=3"#,
            r#"DEBUG proxymesh: attempt call="ips.list" method=GET path="/api/ips/" status=200 attempt=1"#,
        ]
    );
}

#[test]
fn the_event_of_an_attempt_without_a_response_says_why() {
    let server = Server::start(|_| Reply::Hang);
    let client = support::blocking(support::basic(&server).max_retries(0));
    let quick = client.with_options(Options::new().timeout(Duration::from_millis(200))).unwrap();
    let nobody = nobody_listens();
    let unreachable = support::blocking(support::basic(&server).base_url(nobody.base_url()).max_retries(0));
    let events = logged(|| {
        quick.geo().open().unwrap_err();
        unreachable.geo().world().unwrap_err();
    });
    assert_eq!(events.len(), 2);
    assert!(
        events[0].contains(r#"call="geo.open""#) && events[0].contains(r#"failure="gave up after 0.2 s""#)
    );
    assert!(
        events[1].contains(r#"call="geo.world""#) && events[1].to_lowercase().contains("refused"),
        "{events:?}"
    );
    assert!(!events[0].contains("status="), "{events:?}");
}

#[test]
fn what_is_not_sent_is_not_logged() {
    let server = Server::always(Answer::new(401, ""));
    let client = support::blocking(support::basic(&server));
    let token = support::blocking(support::bearer(&server));
    let events = logged(|| {
        client.ips().add("nonsense").unwrap_err();
        token.tokens().list().unwrap_err();
        client.ips().list().unwrap_err();
        client.ips().list().unwrap_err();
    });
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(events[0].contains("status=401"));
}

#[test]
fn no_query_form_response_or_credential_is_logged() {
    let server = Server::start(|request| {
        Answer::new(418, format!("canary-answer {}{}", request.head, request.form()))
            .header("canary-header", "canary")
    });
    let new = NewSubAccount::new("canary-sub").unwrap().password("canary-password").unwrap();
    let new = new.first_name("canary").unwrap().email("canary@ex.com").unwrap();
    let (_, events) = capture::events(|| {
        let settings = support::basic(&server).password("canary-account");
        let client = support::blocking(settings);
        client.sub_accounts().create(new).unwrap_err();
        client.sub_accounts().get("canary-sub").unwrap_err();
        client.tokens().of("canary-sub").unwrap().list().unwrap_err();
        let settings = proxymesh::Settings::new().token("pm_canary").base_url(server.base_url());
        support::blocking(settings).proxies().add("canary").unwrap_err();
    });
    assert_eq!(events.iter().filter(|event| event.contains(" proxymesh: ")).count(), 4);
    for event in events {
        assert!(!event.contains("canary") && !event.contains("/?") && !event.contains("Basic"), "{event}");
    }
}

#[test]
fn the_async_client_logs_the_same() {
    let server = Server::always(Answer::new(200, r#"{"ips": []}"#));
    let client = support::asynchronous(support::basic(&server));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let events = logged(|| {
        runtime.block_on(client.ips().list()).unwrap();
    });
    assert_eq!(
        events,
        [r#"DEBUG proxymesh: attempt call="ips.list" method=GET path="/api/ips/" status=200 attempt=1"#]
    );
}

#[tokio::test]
async fn an_observer_is_called_for_each_attempt_of_its_client_and_of_no_other() {
    let mut replies = vec![
        Answer::new(200, "{}").into(),
        Answer::new(200, r#"{"proxies": []}"#).into(),
        Reply::Close,
        Answer::new(503, "").header("retry-after", "0").into(),
    ];
    let server = Server::start(move |_| replies.pop().unwrap());
    let client = proxymesh::Client::new(support::basic(&server)).unwrap();
    let told: Arc<Mutex<Vec<Attempt>>> = Arc::default();
    let tell = told.clone();
    let observed = client.with_observer(Observer::new(move |attempt| tell.lock().unwrap().push(attempt)));
    observed.proxies().list().await.unwrap();
    client.geo().open().await.unwrap();
    let told = told.lock().unwrap();
    assert!(told.iter().all(|attempt| attempt.call.name == "proxies.list" && !attempt.elapsed.is_zero()));
    let told: Vec<_> =
        told.iter().map(|attempt| (attempt.number, attempt.status, &attempt.failure)).collect();
    assert_eq!(told.len(), 3);
    assert_eq!((told[0], told[2]), ((1, Some(503), &None), (3, Some(200), &None)));
    assert!(told[1].1.is_none() && told[1].2.as_ref().is_some_and(|why| why.contains("closed")), "{told:?}");
}
