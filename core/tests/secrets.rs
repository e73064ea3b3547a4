//! No secret appears in an error, `Debug` output or a log line, even if the service echoes it.
//!
//! Each secret contains CANARY, which no encoding changes, so that even a part of a secret is noticed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proxymesh::{
    Client, Error, NewSubAccount, NewToken, Settings, SubAccountEdit, TokenRequest, blocking, endpoint,
};
use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{
    capture,
    server::{Answer, Reply, Request, Server},
};

const PASSWORD: &str = "CANARY-é \"p&w' <1>+%";
/// Starts with the account's password, because people choose such passwords.
const SUB_PASSWORD: &str = "CANARY-é \"p&w' <1>+%CANARY/2";
const TOKEN: &str = "pm_CANARY~t.o+k/en==";
/// The secret that the service returns for `tokens.create`.
const NEW_TOKEN: &str = "pm_CANARYnew";

/// Whether `shown` contains a secret, as text or in base64.
fn shows_a_secret(shown: &str) -> bool {
    let secrets = [
        "CANARY".to_owned(),
        STANDARD.encode(PASSWORD),
        STANDARD.encode(SUB_PASSWORD),
        STANDARD.encode(TOKEN),
        STANDARD.encode(format!("me:{PASSWORD}")),
    ];
    secrets.iter().any(|secret| {
        // The last characters of base64 depend on what follows.
        let stable = &secret[..secret.len() - secret.len() % 4 - if secret.len() > 8 { 4 } else { 0 }];
        shown.contains(stable)
    })
}

fn check(shown: &str) {
    assert!(!shows_a_secret(shown), "{shown}");
}

fn check_debug(value: &dyn Debug) {
    check(&format!("{value:?}"));
    check(&format!("{value:#?}"));
}

fn check_error(error: &Error) {
    check(&error.to_string());
    check_debug(error);
    check(error.reason().unwrap_or_default());
    check(error.body().unwrap_or_default());
}

fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
}

/// JSON as Python writes it, with only ASCII characters.
fn ascii_json(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('é', "\\u00e9")
}

/// The ways in which a service could echo a request, by number. `None` after the last.
fn echo(shape: usize, request: &Request) -> Option<String> {
    let authorization = request.header("authorization").unwrap();
    let decoded = authorization
        .strip_prefix("Basic ")
        .map_or(authorization.to_owned(), |pair| String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap());
    let form = request.form();
    let password = form_urlencoded::parse(&request.body)
        .find(|(name, _)| name == "password")
        .map(|(_, password)| password.into_owned())
        .unwrap_or_default();
    let plain = format!("you sent {authorization}, which is {decoded}, and {password}, as in {form}");
    let json = |text: &str| serde_json::to_string(text).unwrap();
    Some(match shape {
        0 => plain,
        1 => format!("{}{form}", request.head),
        2 => json(&plain),
        3 => format!("{{\"error\": {}}}", json(&plain)),
        4 => format!("{{\"error\": {}}}", ascii_json(&plain)),
        5 => format!("{{\"password\": [{}, {}]}}", json(&plain), json(&password)),
        6 => format!("{{{}: [{}], {}: \"x\"}}", json(&plain), ascii_json(&plain), json(&password)),
        7 => format!("{{\"__all__\": [{}]}}", json(&plain)),
        8 => format!("<html><pre>{}</pre></html>", html(&plain)),
        9 => format!("{} {}", form_encoded(&decoded), form_encoded(&password)),
        10 => form_encoded(&format!("{decoded} {password}")).replace('+', "%20"),
        11 => format!("{{\"username\": {}, \"active\": {}}}", json(&plain), json(&password)),
        12 => format!("{{\"ips\": [{}]}}", json(&plain)),
        // This is so long that it is cut in the middle of a secret.
        13 => format!("{authorization} {decoded} {password} {form} ").repeat(1000),
        14 => format!("{}{}", "x".repeat(4090), plain),
        15 => format!("{}{}", "é".repeat(2044), plain),
        _ => return None,
    })
}

const SHAPES: usize = 16;
const STATUSES: [u16; 16] = [200, 204, 302, 400, 402, 403, 404, 405, 415, 418, 429, 500, 501, 502, 503, 504];

/// A server whose next response has the given status and echo.
struct Echo {
    server: Server,
    next: Arc<Mutex<(u16, usize)>>,
}

impl Echo {
    fn start() -> Self {
        let next = Arc::new(Mutex::new((200, 0)));
        let asked = next.clone();
        let server = Server::start(move |request| {
            let (status, shape) = *asked.lock().unwrap();
            let body = if status == 204 { String::new() } else { echo(shape, request).unwrap() };
            Answer::new(status, body)
                .header("location", form_encoded(request.header("authorization").unwrap()))
                .header("retry-after", "3600")
                .header("x-echo", request.header("authorization").unwrap())
        });
        Self { server, next }
    }

    fn set(&self, status: u16, shape: usize) {
        *self.next.lock().unwrap() = (status, shape);
    }

    fn basic(&self) -> Settings {
        Settings::new().username("me").password(PASSWORD).base_url(self.server.base_url()).max_retries(0)
    }

    fn bearer(&self) -> Settings {
        Settings::new().token(TOKEN).base_url(self.server.base_url()).max_retries(0)
    }
}

/// The errors of calls of every kind: with a secret in the form, with one in the response, and with neither.
fn errors(client: &blocking::Client) -> Vec<Error> {
    let create = NewSubAccount::new("x").unwrap().password(SUB_PASSWORD).unwrap();
    let edit = SubAccountEdit::new("x").unwrap().password(SUB_PASSWORD).unwrap();
    [
        client.sub_accounts().create(create).map(drop),
        client.sub_accounts().edit(edit).map(drop),
        client.sub_accounts().get("x").map(drop),
        client.sub_accounts().delete("x"),
        client.ips().list().map(drop),
        client.ips().labels().map(drop),
        client.ips().add("203.0.113.7").map(drop),
        client.hostnames().of("x").unwrap().add("a.example").map(drop),
        client.proxies().list().map(drop),
        client.geo().open().map(drop),
        client.tokens().list().map(drop),
        client.tokens().create(TokenRequest::new()).map(drop),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect()
}

#[test]
fn the_echo_server_echoes() {
    let echo_server = Echo::start();
    echo_server.set(400, 0);
    let client = support::blocking(echo_server.basic());
    let create = NewSubAccount::new("x").unwrap().password(SUB_PASSWORD).unwrap();
    let error = client.sub_accounts().create(create).unwrap_err();
    assert_eq!(
        error.body().unwrap(),
        "you sent Basic [redacted], which is me:[redacted], and [redacted], as in username=x&password=[redacted]"
    );
    let request = echo_server.server.only_request();
    assert!((0..SHAPES).all(|shape| echo(shape, &request).is_some()) && echo(SHAPES, &request).is_none());
    assert!(shows_a_secret(&echo(0, &request).unwrap()));
    assert!(shows_a_secret(&STANDARD.encode(format!("me:{PASSWORD}"))));
}

#[test]
fn errors_and_logs_show_no_secret_whatever_the_service_echoes() {
    let mut seen = 0;
    for (way, settings) in [("basic", Echo::basic as fn(&Echo) -> Settings), ("bearer", Echo::bearer)] {
        let echo_server = Echo::start();
        let client = support::blocking(settings(&echo_server));
        let ((), events) = capture::events(|| {
            for status in STATUSES {
                for shape in 0..SHAPES {
                    echo_server.set(status, shape);
                    for error in errors(&client) {
                        check_error(&error);
                        seen += 1;
                    }
                }
            }
        });
        assert!(events.len() > 1000, "{way}");
        events.iter().for_each(|event| check(event));
    }
    assert!(seen > 4000, "{seen}");
}

#[test]
fn a_401_with_an_echo_shows_no_secret_in_any_call_that_gets_it() {
    for shape in 0..SHAPES {
        let echo_server = Echo::start();
        echo_server.set(401, shape);
        let client = support::blocking(echo_server.basic());
        let errors = errors(&client);
        assert!(errors.len() > 10 && errors.iter().all(|error| matches!(error, Error::Authentication(_))));
        errors.iter().for_each(check_error);
        assert_eq!(echo_server.server.count(), 1);
    }
}

#[test]
fn a_secret_that_is_cut_off_at_the_read_limit_is_not_shown_in_part() {
    // Form-encoded, each password is much longer than [redacted]. So the redacted response is shorter than what an error shows.
    let password = format!("CANARY{}", "€".repeat(120));
    for less in 0..40 {
        let echoed = form_encoded(&password);
        let skip = " ".repeat(less * 30);
        let server = Server::always(Answer::new(400, skip + &echoed.repeat(200)));
        let settings = Settings::new().username("me").password(password.clone()).base_url(server.base_url());
        let error = support::blocking(settings).ips().list().unwrap_err();
        check_error(&error);
        assert!(!error.body().unwrap().contains("%E2%82%AC"), "{:?}", error.body());
        assert!(error.body().unwrap().contains("[redacted]"));
    }
}

#[test]
fn failures_without_a_response_show_no_secret() {
    let hang = Server::start(|_| Reply::Hang);
    let reset = Server::start(|_| Reply::Reset);
    let echo =
        Server::start(|request| Reply::Raw(format!("{}{}", request.head, request.form()).into_bytes()));
    let (errors, events) = capture::events(|| {
        let mut all = Vec::new();
        for server in [&hang, &reset, &echo] {
            for settings in [Settings::new().username("me").password(PASSWORD), Settings::new().token(TOKEN)]
            {
                let settings = settings.base_url(server.base_url()).max_retries(0);
                all.extend(errors(&support::blocking(settings.timeout(Duration::from_millis(50)))));
            }
        }
        all
    });
    assert!(errors.len() > 60, "{}", errors.len());
    errors.iter().for_each(check_error);
    events.iter().for_each(|event| check(event));
}

#[test]
fn errors_of_settings_and_inputs_show_no_secret() {
    let long = "CANARY".repeat(30);
    let bad_settings = [
        Settings::new().username("me").password("CANARY\n"),
        Settings::new().token("pm_CANARY secret"),
        Settings::new().token("pm_CANARY").password("CANARY"),
        Settings::new().username("me").password("CANARY").base_url("https://me:CANARY@proxymesh.com"),
        Settings::new().username("me").password("CANARY").base_url("http://me:CANARY@proxymesh.com"),
        Settings::new().username("me").password("CANARY").base_url("https://:CANARY@["),
        Settings::new().username("me").password("CANARY").base_url("https://proxymesh.com/?password=CANARY"),
        Settings::new().username("me").password("CANARY").ca_file("/nonexistent"),
    ];
    for settings in bad_settings {
        check_debug(&settings);
        check_error(&Client::new(settings.clone()).unwrap_err());
        check_error(&blocking::Client::new(settings).unwrap_err());
    }
    check_error(&NewSubAccount::new("x").unwrap().password(&long).unwrap_err());
    check_error(&SubAccountEdit::new("x").unwrap().password("CANARY\r\n").unwrap_err());
}

#[test]
fn nothing_that_holds_a_secret_shows_it_in_debug() {
    let created = format!(
        r#"{{"id": 1, "label": "", "is_active": true, "created_at": "2026-01-15T12:00:00", "token": "{NEW_TOKEN}"}}"#
    );
    let server = Server::always(Answer::new(200, created));
    for settings in [Settings::new().username("me").password(PASSWORD), Settings::new().token(TOKEN)] {
        let settings = settings.base_url(server.base_url());
        check_debug(&settings);
        let client = support::blocking(settings.clone());
        check_debug(&client);
        check_debug(&client.tokens());
        check_debug(&client.ips().of("x").unwrap());
        check_debug(&client.sub_accounts());
        check_debug(&support::asynchronous(settings));
    }
    let create = NewSubAccount::new("x").unwrap().password(SUB_PASSWORD).unwrap();
    check_debug(&create);
    check_debug(&create.clone());
    check_debug(&SubAccountEdit::new("x").unwrap().password(SUB_PASSWORD).unwrap());

    let settings = Settings::new().username("me").password(PASSWORD).base_url(server.base_url());
    let client = support::blocking(settings);
    let (token, events): (NewToken, _) =
        capture::events(|| client.tokens().create(TokenRequest::new()).unwrap());
    check_debug(&token);
    check_debug(&token.details);
    events.iter().for_each(|event| check(event));
}

#[tokio::test]
async fn the_untyped_result_of_a_call_shows_its_name_and_not_its_response() {
    let created = format!(
        r#"{{"id": 1, "label": "", "is_active": true, "created_at": "2026-01-15T12:00:00", "token": "{NEW_TOKEN}"}}"#
    );
    let server = Server::always(Answer::new(200, created));
    let settings = Settings::new().username("me").password(PASSWORD).base_url(server.base_url());
    let create = endpoint::token::Create { new: TokenRequest::new(), owner: None };
    let exchange = support::asynchronous(settings).exchange(&create).await;
    check_debug(&exchange);
    assert!(format!("{exchange:?}").contains("tokens.create"), "{exchange:?}");
    assert_eq!(exchange.read(&create).unwrap().id, 1);
}

#[test]
fn an_unreadable_response_with_a_new_token_is_withheld() {
    let half = format!(r#"{{"token": "{NEW_TOKEN}", "id": "{NEW_TOKEN}"}}"#);
    for body in [half, NEW_TOKEN.to_owned(), format!("[\"{NEW_TOKEN}\"]"), format!("{{\"{NEW_TOKEN}\": 1}}")]
    {
        let server = Server::always(Answer::new(200, body));
        let settings = Settings::new().username("me").password(PASSWORD).base_url(server.base_url());
        let error = support::blocking(settings).tokens().create(TokenRequest::new()).unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
        check_error(&error);
    }
}
