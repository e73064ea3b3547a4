//! One of every kind of error as it really comes, with all its fields and its text: tests/tables/errors.json, which
//! every language runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{Client, Error, Result, Settings, blocking, testing};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use support::{
    PASSWORD, USERNAME,
    server::{Answer, Reply, Server},
    tables,
};

fn reply(answer: &Value) -> Reply {
    let flag = |name: &str| answer.get(name).is_some();
    if answer.is_null() || flag("close") {
        return Reply::Close;
    } else if flag("hang") {
        return Reply::Hang;
    }
    let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
    let mut made = Answer::new(status, answer["body"].as_str().unwrap());
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        made = made.header(name, value.as_str().unwrap());
    }
    made.into()
}

/// The settings that a row asks for.
fn settings(row: &Value, server: &Server, password: &str) -> Result<Settings> {
    let mut settings = Settings::new().base_url(server.base_url()).max_retries(0);
    let given = row.get("client").and_then(Value::as_object).cloned().unwrap_or_default();
    settings = match given.get("token") {
        Some(token) => settings.token(token.as_str().unwrap()),
        None => settings.username(USERNAME).password(password),
    };
    for (name, value) in &given {
        settings = match name.as_str() {
            "token" => settings,
            "base_url" => settings.base_url(value.as_str().unwrap()),
            "timeout" => settings.timeout(proxymesh::binding::seconds("timeout", value.as_f64().unwrap())?),
            other => panic!("there is no setting {other:?}"),
        };
    }
    Ok(settings)
}

/// All that the error's kind holds, by the names that the table has.
fn fields(error: &Error) -> Value {
    let mut fields = Map::from_iter([("call".to_owned(), json!(error.call()))]);
    let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if let Error::Validation { field, .. } = error {
        add("field", json!(field));
    }
    if let Some(refusal) = error.refusal() {
        add("field_errors", json!(refusal.field_errors));
        add("retry_after", json!(refusal.retry_after.map(|wait| wait.as_secs_f64())));
    } else if let Some(wait) = error.retry_after() {
        add("retry_after", json!(wait.as_secs_f64()));
    }
    let rest = [
        ("status", error.status().map(|status| json!(status))),
        ("reason", error.reason().map(|reason| json!(reason))),
        ("body", error.body().map(|body| json!(body))),
        ("attempts", error.attempts().map(|attempts| json!(attempts))),
        ("advice", error.advice().map(|advice| json!(advice))),
    ];
    for (name, value) in rest {
        if let Some(value) = value {
            add(name, value);
        }
    }
    Value::Object(fields)
}

/// What the row's call fails with, when `make` makes it.
fn failed(row: &Value, call: impl Fn(Settings, &str, &Map<String, Value>) -> Result<Value>) -> Error {
    let answer = row.get("answer").cloned().unwrap_or_default();
    let server = Server::start(move |_| reply(&answer));
    let (name, arguments) = (row["call"].as_str().unwrap(), tables::arguments(row));
    let before = row.get("failed_before").map_or(0, |count| count.as_u64().unwrap());
    for number in 0..before {
        let result = settings(row, &server, &format!("wrong {number}"))
            .and_then(|settings| call(settings, name, &arguments));
        assert!(matches!(result, Err(Error::Authentication(_))), "{result:?}");
    }
    settings(row, &server, PASSWORD).and_then(|settings| call(settings, name, &arguments)).unwrap_err()
}

fn check(row: &Value, error: &Error) {
    let (mut expected, mut found) = (row["error"]["fields"].clone(), fields(error));
    let mut text = row["error"]["text"].as_str().unwrap().to_owned();
    // A wait that goes by while the test runs.
    if let Some(about) = expected["retry_after"].get("about").and_then(Value::as_f64) {
        let wait = found["retry_after"].as_f64().unwrap();
        assert!(wait <= about && wait > about - 60.0, "{wait}");
        text = text.replace("{retry_after}", &wait.ceil().to_string());
        expected["retry_after"].take();
        found["retry_after"].take();
    }
    assert_eq!(
        (error.kind(), expected, error.to_string()),
        (row["error"]["kind"].as_str().unwrap(), found, text)
    );
}

#[test]
fn one_of_every_kind_has_its_fields_and_its_text() {
    let rows = tables::rows("errors");
    for row in &rows {
        let blocking = failed(row, |settings, name, arguments| {
            testing::blocking(&blocking::Client::new(settings)?, name, arguments)
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let awaited = failed(row, |settings, name, arguments| {
            runtime.block_on(testing::asynchronous(&Client::new(settings)?, name, arguments))
        });
        check(row, &blocking);
        check(row, &awaited);
    }
    let kinds: BTreeSet<_> = rows.iter().map(|row| row["error"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 16, "{kinds:?}");
}
