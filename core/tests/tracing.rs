//! What is logged: one event an attempt, at DEBUG, with the target `proxymesh`; never a query, a form or credentials.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{NewSubAccount, Options};
use std::time::Duration;
use support::{
    capture,
    server::{Answer, Reply, Server, nobody_listens},
};

/// An event without its time, which no test can know, but with that there is one.
fn timeless(event: &str) -> String {
    let (before, rest) = event.split_once("elapsed_ms=").unwrap_or_else(|| panic!("{event}"));
    let (elapsed, after) = rest.split_once(' ').unwrap();
    let elapsed: f64 = elapsed.parse().unwrap();
    assert!(elapsed > 0.0 && elapsed < 20_000.0, "{event}");
    format!("{before}{after}")
}

/// The events of this crate for what `calls` does, without their times. The HTTP library below has its own.
fn logged(calls: impl FnOnce()) -> Vec<String> {
    let ((), events) = capture::events(calls);
    let ours = events.iter().filter(|event| event.contains("proxymesh"));
    ours.map(|event| timeless(event))
        .inspect(|event| assert!(event.starts_with("DEBUG proxymesh: ")))
        .collect()
}

#[test]
fn an_attempt_is_one_event_with_what_was_called_and_what_came_of_it() {
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
fn each_attempt_of_a_call_is_one_event_and_so_is_the_look_that_settles_it() {
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
            r#"DEBUG proxymesh: attempt call="ips.add" method=POST path="/api/ip/add/" status=503 attempt=1"#,
            r#"DEBUG proxymesh: attempt call="ips.add" method=POST path="/api/ip/add/" failure="connection closed before message completed" attempt=2"#,
            r#"DEBUG proxymesh: attempt call="ips.add" method=POST path="/api/ip/add/" status=400 attempt=3"#,
            r#"DEBUG proxymesh: attempt call="ips.list" method=GET path="/api/ips/" status=200 attempt=1"#,
        ]
    );
}

#[test]
fn an_attempt_without_an_answer_says_why() {
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
fn no_query_form_answer_or_credential_is_logged() {
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
