//! The token calls, beyond what the conformance cases cover.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{Error, secrecy::ExposeSecret};
use support::server::{Answer, Server};

#[test]
fn invalid_input_is_reported_before_the_wrong_kind_of_credentials() {
    let server = Server::always(Answer::new(500, ""));
    let client = support::blocking(support::bearer(&server));
    let error = client.tokens().delete(-1).unwrap_err();
    assert!(matches!(error, Error::Validation { field: "id", .. }), "{error:?}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_created_token_has_its_secret_and_works_for_other_calls() {
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
