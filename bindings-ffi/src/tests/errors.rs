//! Every kind of the core's errors, with its fields and text.

use super::{
    GEO_OPEN, Native, asynchronous, basic, bytes, failure, nothing,
    objects::all,
    server::{Answer, Server, nobody_listens},
};
use crate::{Failure, NewToken, Options, Proxy, Settings, SubAccount, Token};
use proxymesh::Error;
use std::{collections::BTreeSet, time::Duration};

const TOKENS_CREATE: &str =
    "tokens_create(label:Option<String>,expires_at:Option<String>,username:Option<String>,)NewToken";
const TOKENS_LIST: &str = "tokens_list(username:Option<String>,)Vec<Token>";
const SUB_ACCOUNTS_GET: &str = "sub_accounts_get(username:String,)SubAccount";

/// The name of the variant, which `Debug` starts with.
fn kind(failure: &Failure) -> String {
    format!("{failure:?}").split(' ').next().unwrap().to_owned()
}

/// Provokes an error of each kind, so that this crate has a variant for each.
#[test]
fn every_kind_of_the_core_has_its_variant() {
    let hang = Server::start(|_| super::server::Reply::Hang);
    let close = Server::start(|_| super::server::Reply::Close);
    let status = |status: u16| Server::always(Answer::new(status, ""));
    let get = |server: &Server| failure(asynchronous(basic(server.base_url())).count(GEO_OPEN));
    let mut kinds = BTreeSet::new();
    let mut see = |failure: Failure, wanted: &str| {
        assert_eq!(kind(&failure), wanted);
        assert!(!failure.to_string().is_empty());
        kinds.insert(wanted.to_owned());
    };

    for (code, kind) in [
        (400, "BadRequest"),
        (401, "Authentication"),
        (402, "PlanLimit"),
        (403, "PermissionDenied"),
        (404, "NotFound"),
        (429, "RateLimited"),
        (500, "Server"),
        (418, "UnexpectedStatus"),
    ] {
        see(get(&status(code)), kind);
    }
    see(get(&status(200)), "Decode");
    see(get(&close), "Connection");
    let none = nobody_listens();
    let refused = failure(asynchronous(basic(none.base_url())).count(GEO_OPEN));
    assert!(matches!(&refused, Failure::Connection { call, attempts: 1, .. } if call == "geo.open"));

    let quick = Settings { timeout: Some(0.05), ..basic(hang.base_url()) };
    see(failure(asynchronous(quick).count(GEO_OPEN)), "Timeout");
    let create = asynchronous(basic(close.base_url()));
    let unknown = failure(create.call::<NewToken>(TOKENS_CREATE, &[0, 0, 0]));
    assert!(
        matches!(&unknown, Failure::OutcomeUnknown { call, recovery_hint, reason, .. }
            if call == "tokens.create" && !recovery_hint.is_empty() && !reason.is_empty()),
        "{unknown:?}"
    );
    see(unknown, "OutcomeUnknown");

    let wrong = status(401);
    let with = |password: &str| Settings { password: Some(password.to_owned()), ..basic(wrong.base_url()) };
    for password in ["1", "2", "3"] {
        failure(asynchronous(with(password)).count(GEO_OPEN));
    }
    let client = asynchronous(with("4"));
    let blocked = failure(client.count(GEO_OPEN));
    assert!(
        matches!(&blocked, Failure::AuthenticationBlocked { retry_after, .. } if (1.0..=300.0).contains(retry_after)),
        "{blocked:?}"
    );
    see(blocked, "AuthenticationBlocked");
    let token =
        Settings { token: Some("pm_Abc123".to_owned()), base_url: Some(wrong.base_url()), ..nothing() };
    see(failure(asynchronous(token).call::<Vec<Token>>(TOKENS_LIST, &[0])), "BasicAuthRequired");
    see(failure(client.call::<SubAccount>(SUB_ACCOUNTS_GET, &bytes(String::new()))), "Validation");
    see(
        failure(Native::new("Client", Settings { username: Some(String::new()), ..basic("https://x") })),
        "Config",
    );

    let empty = Server::always(Answer::new(200, r#"{"proxies": []}"#));
    let pool = asynchronous(basic(empty.base_url())).create("pool(options:PoolOptions,)Self", all());
    let exhausted = failure(pool.call::<Proxy>("pool_next(countries:Option<Vec<String>>,)Proxy", &[0]));
    assert!(
        matches!(&exhausted, Failure::PoolExhausted { retry_after, .. } if *retry_after == 0.0),
        "{exhausted:?}"
    );
    see(exhausted, "PoolExhausted");

    assert_eq!(kinds.len(), 17);
}

#[test]
fn numbers_that_no_setting_accepts_are_config_errors() {
    type With = fn(f64) -> Settings;
    let settings: [(&str, With); 2] = [
        ("timeout", |value| Settings { timeout: Some(value), ..basic("https://x") }),
        ("connect_timeout", |value| Settings { connect_timeout: Some(value), ..basic("https://x") }),
    ];
    let client = asynchronous(basic("https://x"));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        for (name, with) in settings {
            let text = format!("{name} must be a number of seconds greater than 0, not {bad}");
            for failed in
                [failure(Native::new("Client", with(bad))), failure(Native::new("BlockingClient", with(bad)))]
            {
                assert!(matches!(&failed, Failure::Config { reason, .. } if *reason == text), "{failed:?}");
                assert_eq!(failed.to_string(), text);
            }
        }
        let failed = failure(client.with_options(Options { timeout: Some(bad), max_retries: None }));
        assert!(matches!(&failed, Failure::Config { .. }), "{failed:?}");
    }
    for bad in [-1, i64::MAX] {
        let text = format!("max_retries must be a whole number from 0 to 4294967295, not {bad}");
        let failed = [
            failure(Native::new("Client", Settings { max_retries: Some(bad), ..basic("https://x") })),
            failure(client.with_options(Options { timeout: None, max_retries: Some(bad) })),
        ];
        assert!(failed.iter().all(|failed| failed.to_string() == text), "{failed:?}");
    }
}

#[test]
fn the_text_is_that_of_the_core() {
    let error = Error::AuthenticationBlocked { call: "ips.list", retry_after: Duration::from_millis(1500) };
    let text = error.to_string();
    let failure = Failure::from(error);
    assert_eq!(failure.to_string(), text);
    assert!(matches!(&failure, Failure::AuthenticationBlocked { text: t, call, retry_after }
            if *t == text && call == "ips.list" && (*retry_after - 1.5).abs() < 1e-9));
}
