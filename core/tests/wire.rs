//! What goes over the wire: every call, from both clients, byte for byte as tests/tables/wire.json says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{
    Settings,
    endpoint::{Auth, CALLS},
    testing,
};
use serde_json::Value;
use std::collections::BTreeSet;
use support::{
    BASIC, TOKEN,
    server::{Answer, Request, Server},
    tables,
};

/// The answer that a row's server gives.
fn answer(row: &Value) -> Answer {
    let status = u16::try_from(row["answer"]["status"].as_u64().unwrap()).unwrap();
    let body = &row["answer"]["body"];
    Answer::new(status, if body.is_null() { String::new() } else { body.to_string() })
}

/// Checks a recorded request against its row.
fn check(row: &Value, request: &Request, server: &Server, authorization: &str, user_agent: &str) {
    let expected = &row["request"];
    assert_eq!(request.method(), expected["method"].as_str().unwrap(), "{row}");
    assert_eq!(request.path(), expected["path"].as_str().unwrap(), "{row}");
    assert_eq!(request.query(), expected["query"].as_str(), "{row}");
    assert_eq!(request.form(), expected["form"].as_str().unwrap_or(""), "{row}");
    assert_eq!(request.version(), "HTTP/1.1");

    let length = request.body.len().to_string();
    let host = server.address().to_string();
    let mut headers = vec![
        ("accept", "application/json"),
        ("authorization", authorization),
        ("host", host.as_str()),
        ("user-agent", user_agent),
    ];
    if request.method() == "POST" {
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        headers.push(("content-length", length.as_str()));
    }
    headers.sort_unstable();
    let mut sent = request.headers();
    sent.sort_unstable();
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(sent, headers, "these headers and no others: {row}");
}

const USER_AGENT: &str = concat!("proxymesh-rust/", env!("CARGO_PKG_VERSION"));

#[test]
fn the_table_has_every_call() {
    let in_table: BTreeSet<String> =
        tables::rows("wire").iter().map(|row| row["call"].as_str().unwrap().to_owned()).collect();
    let calls: BTreeSet<String> = CALLS.iter().map(|call| call.name.to_owned()).collect();
    assert_eq!(in_table, calls);
}

#[test]
fn every_call_of_the_blocking_client_sends_and_gives_what_the_table_says() {
    for row in tables::rows("wire") {
        let server = Server::always(answer(&row));
        let client = support::blocking(support::basic(&server));
        let value = testing::blocking(&client, row["call"].as_str().unwrap(), &tables::arguments(&row));
        check(&row, &server.only_request(), &server, BASIC, USER_AGENT);
        assert_eq!(value.unwrap_or_else(|error| panic!("{error}: {row}")), row["value"], "{row}");
    }
}

#[tokio::test]
async fn every_call_of_the_async_client_sends_and_gives_what_the_table_says() {
    for row in tables::rows("wire") {
        let server = Server::always(answer(&row));
        let client = support::asynchronous(support::basic(&server));
        let value =
            testing::asynchronous(&client, row["call"].as_str().unwrap(), &tables::arguments(&row)).await;
        check(&row, &server.only_request(), &server, BASIC, USER_AGENT);
        assert_eq!(value.unwrap_or_else(|error| panic!("{error}: {row}")), row["value"], "{row}");
    }
}

#[test]
fn with_a_token_the_credential_header_is_bearer_and_nothing_else_differs() {
    let mut calls = BTreeSet::new();
    for row in tables::rows("wire") {
        let call = row["call"].as_str().unwrap();
        if CALLS.iter().any(|known| known.name == call && known.auth == Auth::BasicOnly) {
            continue;
        }
        let server = Server::always(answer(&row));
        let client = support::blocking(support::bearer(&server));
        let value = testing::blocking(&client, call, &tables::arguments(&row));
        check(&row, &server.only_request(), &server, &format!("Bearer {TOKEN}"), USER_AGENT);
        assert_eq!(value.unwrap_or_else(|error| panic!("{error}: {row}")), row["value"], "{row}");
        calls.insert(call.to_owned());
    }
    assert_eq!(calls.len(), CALLS.iter().filter(|call| call.auth == Auth::Any).count());
}

#[test]
fn the_user_agent_can_be_set_and_a_base_url_may_have_a_path() {
    let row = &tables::rows("wire")[0];
    for slash in ["", "/"] {
        let server = Server::always(answer(row));
        let settings = Settings::new()
            .username(support::USERNAME)
            .password(support::PASSWORD)
            .base_url(format!("{}/behind/a proxy{slash}", server.base_url()))
            .user_agent("my-crawler/2");
        let client = support::blocking(settings);
        testing::blocking(&client, row["call"].as_str().unwrap(), &tables::arguments(row)).unwrap();
        let request = server.only_request();
        assert_eq!(request.target(), "/behind/a%20proxy/api/sub/create/");
        assert_eq!(request.header("user-agent"), Some("my-crawler/2"));
    }
}

#[test]
fn one_client_uses_one_connection_for_calls_that_may_be_repeated() {
    let server = Server::start(|request| match request.path() {
        "/api/ips/" => Answer::new(200, r#"{"ips": []}"#),
        _ => Answer::new(204, ""),
    });
    let client = support::blocking(support::basic(&server));
    for _ in 0..10 {
        client.ips().list().unwrap();
        client.proxies().delete("us-ca").unwrap();
    }
    assert_eq!((server.count(), server.connections()), (20, 1));
}
