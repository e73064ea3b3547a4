//! What an answer becomes: bad ones the right error, with its text and its fields; good ones a value, also where the
//! service says more, less, or it differently.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proxymesh::{Error, Result, testing};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};
use support::{
    PASSWORD,
    server::{Answer, Server},
    tables,
};

/// The answer that a row's server gives.
fn answer(row: &Value, elsewhere: &Server) -> Answer {
    let given = &row["answer"];
    // A password inside JSON is written as JSON has it.
    let password = serde_json::to_string(PASSWORD).unwrap();
    let password = password.trim_matches('"');
    let fill =
        |text: &str| text.replace("{elsewhere}", &elsewhere.base_url()).replace("{password}", password);
    let body = match (given.get("body"), given.get("body_base64"), given.get("body_repeat")) {
        (Some(text), None, None) => fill(text.as_str().unwrap()).into_bytes(),
        (None, Some(encoded), None) => STANDARD.decode(encoded.as_str().unwrap()).unwrap(),
        (None, None, Some(repeat)) => {
            tables::written_out(&json!({ "repeat": repeat })).as_str().unwrap().as_bytes().to_vec()
        }
        _ => panic!("one body: {}", tables::short(row)),
    };
    let mut answer = Answer::new(u16::try_from(given["status"].as_u64().unwrap()).unwrap(), body);
    for (name, value) in given.get("headers").and_then(Value::as_object).into_iter().flatten() {
        answer = answer.header(name, fill(value.as_str().unwrap()));
    }
    answer.truncate = given.get("truncate").is_some();
    answer.chunked = given.get("chunked").is_some();
    answer
}

fn check(row: &Value, result: Result<Value>, server: &Server, elsewhere: &Server) {
    let expected = row["error"].as_object().unwrap();
    let known = ["kind", "status", "reason", "field_errors", "retry_after", "body", "text", "requests"];
    assert!(expected.keys().all(|key| known.contains(&key.as_str())), "{row}");
    let error = result.map(|value| panic!("{value}: {}", tables::short(row))).unwrap_err();

    assert_eq!(error.kind(), expected["kind"].as_str().unwrap(), "{error}: {row}");
    assert_eq!(error.call(), row["call"].as_str(), "{row}");
    assert_eq!(error.status().map(u64::from), expected.get("status").and_then(Value::as_u64), "{row}");
    if let Some(reason) = expected.get("reason") {
        assert_eq!(error.reason(), reason.as_str(), "{row}");
    }
    if let Some(fields) = expected.get("field_errors") {
        let found: &BTreeMap<_, _> = &error.refusal().unwrap().field_errors;
        assert_eq!(json!(found), *fields, "{row}");
    }
    if let Some(seconds) = expected.get("retry_after") {
        assert_eq!(error.retry_after(), seconds.as_u64().map(Duration::from_secs), "{row}");
    }
    if let Some(body) = expected.get("body") {
        assert_eq!(error.body(), tables::written_out(body).as_str(), "{}", tables::short(row));
    }
    if let Some(text) = expected.get("text") {
        assert_eq!(error.to_string(), text.as_str().unwrap());
    }
    assert!(error.body().unwrap_or_default().len() <= 4096);
    assert!(error.to_string().len() < 1024, "{error}");
    assert!(!error.to_string().contains(char::is_control), "{error:?}");
    let requests = expected.get("requests").map_or(1, |count| count.as_u64().unwrap());
    assert_eq!(server.count() as u64, requests, "{row}");
    assert_eq!((elsewhere.count(), elsewhere.connections()), (0, 0), "a redirect was followed: {row}");
}

#[test]
fn every_bad_answer_becomes_the_error_that_the_table_says() {
    let rows = tables::rows("bad_answers");
    assert!(rows.len() >= 25);
    let elsewhere = Server::always(Answer::new(200, "{}"));
    for row in &rows {
        let server = Server::always(answer(row, &elsewhere));
        let client = support::blocking(support::basic(&server).max_retries(0));
        let result = testing::blocking(&client, row["call"].as_str().unwrap(), &tables::arguments(row));
        check(row, result, &server, &elsewhere);
    }
}

#[tokio::test]
async fn the_async_client_gives_the_same_errors() {
    let elsewhere = Server::always(Answer::new(200, "{}"));
    for row in &tables::rows("bad_answers") {
        let server = Server::always(answer(row, &elsewhere));
        let client = support::asynchronous(support::basic(&server).max_retries(0));
        let (call, arguments) = (row["call"].as_str().unwrap(), tables::arguments(row));
        let result = testing::asynchronous(&client, call, &arguments).await;
        check(row, result, &server, &elsewhere);
    }
}

#[test]
fn bytes_that_are_no_http_are_a_failed_connection() {
    for bytes in [
        &b"\x00\xff\x16\x03"[..],
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n",
    ] {
        let server = Server::start(move |_| support::server::Reply::Raw(bytes.to_vec()));
        let client = support::blocking(support::basic(&server).max_retries(0));
        let error = client.ips().list().unwrap_err();
        assert!(matches!(error, Error::Connection { attempts: 1, .. }), "{bytes:?}: {error:?}");
        assert!(error.reason().is_some_and(|reason| reason.len() > 5), "{error}");
        // What was sent may have been carried out.
        let error = client.sub_accounts().create("x").unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{bytes:?}: {error:?}");
    }
}

/// What `call` gives for a good answer with this body.
fn read(call: &str, arguments: Value, body: &str) -> Result<Value> {
    let server = Server::always(Answer::new(200, body));
    let client = support::blocking(support::basic(&server));
    let arguments: Map<String, Value> = arguments.as_object().unwrap().clone();
    testing::blocking(&client, call, &arguments)
}

const SUB: &str = r#""username": "x", "active": true, "monthly_bandwidth": 1.5, "total_bandwidth": 2"#;

#[test]
fn fields_that_are_new_to_this_version_are_passed_over() {
    let body = format!(
        r#"{{{SUB}, "monthly_bandwidth_limit": 5, "total_bandwidth_limit": 0, "plan": {{"a": [1]}}}}"#
    );
    let sub = read("sub_accounts.get", json!({"username": "x"}), &body).unwrap();
    assert_eq!(sub["monthly_bandwidth_limit"], 5);
    assert_eq!(read("ips.list", json!({}), r#"{"count": 0, "ips": [], "next": null}"#).unwrap(), json!([]));
    assert_eq!(
        read("ips.add", json!({"ip": "203.0.113.7"}), r#"{"label": "x", "ip": "203.0.113.7"}"#).unwrap(),
        "203.0.113.7"
    );
    let labels =
        read("ips.labels", json!({}), r#"[{"ip": "203.0.113.7", "label": "x", "since": 3}]"#).unwrap();
    assert_eq!(labels, json!([{"ip": "203.0.113.7", "label": "x"}]));
}

#[test]
fn countries_that_are_new_to_this_version_are_kept() {
    let counts = read("geo.open", json!({}), r#"{"US": 1, "ZZ": 2, "EU-west": 0}"#).unwrap();
    assert_eq!(counts, json!({"EU-west": 0, "US": 1, "ZZ": 2}));
    assert_eq!(read("geo.world", json!({}), "{}").unwrap(), json!({}));
}

#[test]
fn optional_fields_of_a_sub_account_may_be_absent_or_null() {
    let limits = r#""monthly_bandwidth_limit": null, "total_bandwidth_limit": 7.0"#;
    let body = format!(r#"{{{SUB}, {limits}, "first_name": null, "email": ""}}"#);
    let sub = read("sub_accounts.get", json!({"username": "x"}), &body).unwrap();
    assert_eq!((&sub["monthly_bandwidth_limit"], &sub["total_bandwidth_limit"]), (&json!(0), &json!(7)));
    assert_eq!(
        (&sub["first_name"], &sub["last_name"], &sub["email"]),
        (&json!(null), &json!(null), &json!(""))
    );
    let sub = read("sub_accounts.get", json!({"username": "x"}), &format!("{{{SUB}}}")).unwrap();
    assert_eq!((&sub["monthly_bandwidth_limit"], &sub["total_bandwidth_limit"]), (&json!(0), &json!(0)));
}

#[test]
fn labels_come_as_an_array_or_as_an_object_with_one_array() {
    for body in [
        r#"[{"ip": "203.0.113.7", "label": "x"}, {"ip": "::1", "label": null}, {"ip": "::2"}]"#,
        r#"{"ip_labels": [{"ip": "203.0.113.7", "label": "x"}, {"ip": "::1", "label": ""}, {"ip": "::2"}], "count": 3}"#,
    ] {
        let labels = read("ips.labels", json!({}), body).unwrap();
        let expected = json!([
            {"ip": "203.0.113.7", "label": "x"}, {"ip": "::1", "label": ""}, {"ip": "::2", "label": ""}
        ]);
        assert_eq!(labels, expected);
    }
}

#[test]
fn dates_and_moments_are_read_in_every_form_the_service_may_send() {
    let token = |expires_at: &str, created_at: &str| {
        let body = format!(
            r#"{{"id": 1, "is_active": true, "expires_at": {expires_at}, "created_at": "{created_at}"}}"#
        );
        let token = read("tokens.activate", json!({"id": 1}), &body).unwrap();
        assert_eq!(token["label"], "");
        (token["expires_at"].clone(), token["created_at"].as_str().unwrap().to_owned())
    };
    for (sent, read) in [
        ("null", json!(null)),
        (r#""2027-01-31""#, json!("2027-01-31")),
        (r#""2027-01-31T23:30:00""#, json!("2027-01-31")),
        (r#""2027-01-31T23:30:00-01:00""#, json!("2027-02-01")),
        (r#""2028-02-29T00:00:00.000Z""#, json!("2028-02-29")),
    ] {
        assert_eq!(token(sent, "2026-01-15T12:00:00").0, read);
    }
    for sent in
        ["2026-01-15T12:00:00", "2026-01-15T12:00:00Z", "2026-01-15T13:00:00+01:00", "2026-01-15 12:00:00"]
    {
        assert_eq!(token("null", sent).1, "2026-01-15T12:00:00Z");
    }
    let body = r#"{"id": 1, "is_active": true, "created_at": "2026-01-15T12:00:00"}"#;
    assert_eq!(read("tokens.activate", json!({"id": 1}), body).unwrap()["expires_at"], json!(null));
}

#[test]
fn a_call_that_promises_nothing_takes_any_success() {
    for (status, body) in [(200, ""), (204, ""), (200, "{}"), (202, "<html>")] {
        let server = Server::always(Answer::new(status, body));
        let client = support::blocking(support::basic(&server));
        client.sub_accounts().delete("x").unwrap();
        client.ips().delete("203.0.113.7").unwrap();
        client.tokens().delete(1).unwrap();
    }
}

#[test]
fn an_answer_of_just_under_8_mib_is_read_in_chunks_too() {
    let counts = format!(r#"{{"US": 1{}}}"#, " ".repeat(8 * 1024 * 1024 - 9));
    assert_eq!(counts.len(), 8 * 1024 * 1024);
    for chunked in [false, true] {
        let mut answer = Answer::new(200, counts.clone());
        answer.chunked = chunked;
        let server = Server::always(answer);
        assert_eq!(support::blocking(support::basic(&server)).geo().open().unwrap()["US"], 1);
    }
}
