//! The token calls take the username and password, never a token.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{
    Error,
    endpoint::{Auth, CALLS},
    secrecy::ExposeSecret,
    testing,
};
use support::{
    server::{Answer, Server},
    tables,
};

fn check(call: &str, error: &Error) {
    assert!(matches!(error, Error::BasicAuthRequired { call: named } if *named == call), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "{call} requires the account's username and password, not a token: use a client created with both"
        )
    );
    assert_eq!((error.call(), error.status(), error.attempts()), (Some(call), None, None));
}

#[tokio::test]
async fn with_a_token_they_are_refused_by_both_clients_and_nothing_is_sent() {
    let server = Server::always(Answer::new(500, ""));
    let blocking = support::blocking(support::bearer(&server));
    let asynchronous = support::asynchronous(support::bearer(&server));
    let basic_only = |name: &str| CALLS.iter().any(|call| call.name == name && call.auth == Auth::BasicOnly);
    for row in tables::rows("wire").iter().filter(|row| basic_only(row["call"].as_str().unwrap())) {
        let (call, arguments) = (row["call"].as_str().unwrap(), tables::arguments(row));
        check(call, &testing::blocking(&blocking, call, &arguments).unwrap_err());
        check(call, &testing::asynchronous(&asynchronous, call, &arguments).await.unwrap_err());
    }
    assert_eq!((server.count(), server.connections()), (0, 0));
}

#[test]
fn bad_input_is_told_before_the_wrong_kind_of_credentials() {
    let server = Server::always(Answer::new(500, ""));
    let client = support::blocking(support::bearer(&server));
    let error = client.tokens().delete(-1).unwrap_err();
    assert!(matches!(error, Error::Validation { field: "id", .. }), "{error:?}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_created_token_is_told_once_and_works_for_the_other_calls() {
    let created = r#"{"id": 7, "label": "ci", "is_active": true, "expires_at": null,
                      "created_at": "2026-01-15T12:00:00", "token": "pm_S3cret"}"#;
    let server = Server::start(move |request| match request.path() {
        "/api/token/create/" => Answer::new(200, created),
        _ => Answer::new(200, r#"{"proxies": []}"#),
    });
    let parent = support::blocking(support::basic(&server));
    let token = parent.tokens().create(proxymesh::TokenRequest::new()).unwrap();
    assert_eq!((token.id, token.label.as_str(), token.details.is_active), (7, "ci", true));
    assert!(!format!("{token:?}").contains("pm_S3cret"));

    let secret = token.secret.expose_secret();
    let settings = proxymesh::Settings::new().token(secret).base_url(server.base_url());
    assert!(support::blocking(settings).proxies().list().unwrap().is_empty());
    assert_eq!(server.requests()[1].header("authorization"), Some("Bearer pm_S3cret"));
}
