//! Which calls are retried: every class of call, with every way in which a service can fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod support;

use proxymesh::{Error, Result, Settings, testing};
use serde_json::{Map, Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};
use support::server::{Answer, Reply, Request, Server, Welcome, nobody_listens};

const IP: &str = "203.0.113.7";
const SUB: &str = r#"{"username": "x", "active": true, "monthly_bandwidth": 0, "total_bandwidth": 0}"#;

/// The replay table. The test runs each line. The first three columns say what happens, and the others what follows. "carried
/// out" is how often the service did what the call asks for. "looks" are the reads that look up a write. The fault applies to
/// the call itself, never to a look. "once" means the first request only. There are at most two retries.
const TABLE: &str = "\
| class | fault | how long | requests | looks | carried out | the caller gets |
|---|---|---|---|---|---|---|
| Read | connection refused | always | 0 | – | – | Connection after 3 attempts |
| Read | reset before an answer | once | 2 | – | – | the answer |
| Read | reset before an answer | always | 3 | – | – | Connection after 3 attempts |
| Read | reset after it was done | once | 2 | – | – | the answer |
| Read | reset after it was done | always | 3 | – | – | Connection after 3 attempts |
| Read | closed after it was done | once | 2 | – | – | the answer |
| Read | closed after it was done | always | 3 | – | – | Connection after 3 attempts |
| Read | time-out, though it was done | once | 2 | – | – | the answer |
| Read | time-out, though it was done | always | 3 | – | – | Timeout after 3 attempts |
| Read | 500 | once | 2 | – | – | the answer |
| Read | 500 | always | 3 | – | – | Server 500 after 3 attempts |
| Read | 502 | once | 2 | – | – | the answer |
| Read | 502 | always | 3 | – | – | Server 502 after 3 attempts |
| Read | 503 | once | 2 | – | – | the answer |
| Read | 503 | always | 3 | – | – | Server 503 after 3 attempts |
| Read | 504 | once | 2 | – | – | the answer |
| Read | 504 | always | 3 | – | – | Server 504 after 3 attempts |
| Read | 408 | once | 2 | – | – | the answer |
| Read | 408 | always | 3 | – | – | UnexpectedStatus 408 after 3 attempts |
| Read | 520 | once | 2 | – | – | the answer |
| Read | 520 | always | 3 | – | – | Server 520 after 3 attempts |
| Read | 524 | once | 2 | – | – | the answer |
| Read | 524 | always | 3 | – | – | Server 524 after 3 attempts |
| Read | 429 | once | 2 | – | – | the answer |
| Read | 429 | always | 3 | – | – | RateLimited 429 after 3 attempts |
| Read | 429, Retry-After: 1 | once | 2 | – | – | the answer |
| Read | 429, Retry-After: 1 | always | 3 | – | – | RateLimited 429 after 3 attempts, retry_after 1 s |
| Read | 429, Retry-After: 61 | once | 1 | – | – | RateLimited 429 after 1 attempt, retry_after 61 s |
| Read | 429, Retry-After: 61 | always | 1 | – | – | RateLimited 429 after 1 attempt, retry_after 61 s |
| Idempotent | connection refused | always | 0 | 0 | 0 | Connection after 3 attempts |
| Idempotent | reset before an answer | once | 2 | 0 | 1 | the answer |
| Idempotent | reset before an answer | always | 3 | 0 | 0 | OutcomeUnknown |
| Idempotent | reset after it was done | once | 2 | 0 | 2 | the answer |
| Idempotent | reset after it was done | always | 3 | 0 | 3 | OutcomeUnknown |
| Idempotent | closed after it was done | once | 2 | 0 | 2 | the answer |
| Idempotent | closed after it was done | always | 3 | 0 | 3 | OutcomeUnknown |
| Idempotent | time-out, though it was done | once | 2 | 0 | 2 | the answer |
| Idempotent | time-out, though it was done | always | 3 | 0 | 3 | OutcomeUnknown |
| Idempotent | 500 | once | 2 | 0 | 1 | the answer |
| Idempotent | 500 | always | 3 | 0 | 0 | Server 500 after 3 attempts |
| Idempotent | 502 | once | 2 | 0 | 1 | the answer |
| Idempotent | 502 | always | 3 | 0 | 0 | Server 502 after 3 attempts |
| Idempotent | 503 | once | 2 | 0 | 1 | the answer |
| Idempotent | 503 | always | 3 | 0 | 0 | Server 503 after 3 attempts |
| Idempotent | 503, though it was done | once | 2 | 0 | 2 | the answer |
| Idempotent | 503, though it was done | always | 3 | 0 | 3 | Server 503 after 3 attempts |
| Idempotent | 504 | once | 2 | 0 | 1 | the answer |
| Idempotent | 504 | always | 3 | 0 | 0 | Server 504 after 3 attempts |
| Idempotent | 408 | once | 2 | 0 | 1 | the answer |
| Idempotent | 408 | always | 3 | 0 | 0 | OutcomeUnknown |
| Idempotent | 520 | once | 2 | 0 | 1 | the answer |
| Idempotent | 520 | always | 3 | 0 | 0 | Server 520 after 3 attempts |
| Idempotent | 524 | once | 2 | 0 | 1 | the answer |
| Idempotent | 524 | always | 3 | 0 | 0 | Server 524 after 3 attempts |
| Idempotent | 429 | once | 2 | 0 | 1 | the answer |
| Idempotent | 429 | always | 3 | 0 | 0 | RateLimited 429 after 3 attempts |
| Idempotent | 429, Retry-After: 1 | once | 2 | 0 | 1 | the answer |
| Idempotent | 429, Retry-After: 1 | always | 3 | 0 | 0 | RateLimited 429 after 3 attempts, retry_after 1 s |
| Idempotent | 429, Retry-After: 61 | once | 1 | 0 | 0 | RateLimited 429 after 1 attempt, retry_after 61 s |
| Idempotent | 429, Retry-After: 61 | always | 1 | 0 | 0 | RateLimited 429 after 1 attempt, retry_after 61 s |
| Verifiable | connection refused | always | 0 | 0 | 0 | Connection after 3 attempts |
| Verifiable | reset before an answer | once | 2 | 0 | 1 | the answer |
| Verifiable | reset before an answer | always | 3 | 1 | 0 | Connection after 3 attempts |
| Verifiable | reset after it was done | once | 2 | 1 | 1 | the answer |
| Verifiable | reset after it was done | always | 3 | 1 | 1 | the answer |
| Verifiable | closed after it was done | once | 2 | 1 | 1 | the answer |
| Verifiable | closed after it was done | always | 3 | 1 | 1 | the answer |
| Verifiable | time-out, though it was done | once | 2 | 1 | 1 | the answer |
| Verifiable | time-out, though it was done | always | 3 | 1 | 1 | the answer |
| Verifiable | 500 | once | 2 | 0 | 1 | the answer |
| Verifiable | 500 | always | 3 | 1 | 0 | Server 500 after 3 attempts |
| Verifiable | 502 | once | 2 | 0 | 1 | the answer |
| Verifiable | 502 | always | 3 | 1 | 0 | Server 502 after 3 attempts |
| Verifiable | 503 | once | 2 | 0 | 1 | the answer |
| Verifiable | 503 | always | 3 | 1 | 0 | Server 503 after 3 attempts |
| Verifiable | 503, though it was done | once | 2 | 1 | 1 | the answer |
| Verifiable | 503, though it was done | always | 3 | 1 | 1 | the answer |
| Verifiable | 504 | once | 2 | 0 | 1 | the answer |
| Verifiable | 504 | always | 3 | 1 | 0 | Server 504 after 3 attempts |
| Verifiable | 408 | once | 2 | 0 | 1 | the answer |
| Verifiable | 408 | always | 3 | 1 | 0 | UnexpectedStatus 408 after 3 attempts |
| Verifiable | 520 | once | 2 | 0 | 1 | the answer |
| Verifiable | 520 | always | 3 | 1 | 0 | Server 520 after 3 attempts |
| Verifiable | 524 | once | 2 | 0 | 1 | the answer |
| Verifiable | 524 | always | 3 | 1 | 0 | Server 524 after 3 attempts |
| Verifiable | 429 | once | 2 | 0 | 1 | the answer |
| Verifiable | 429 | always | 3 | 0 | 0 | RateLimited 429 after 3 attempts |
| Verifiable | 429, Retry-After: 1 | once | 2 | 0 | 1 | the answer |
| Verifiable | 429, Retry-After: 1 | always | 3 | 0 | 0 | RateLimited 429 after 3 attempts, retry_after 1 s |
| Verifiable | 429, Retry-After: 61 | once | 1 | 0 | 0 | RateLimited 429 after 1 attempt, retry_after 61 s |
| Verifiable | 429, Retry-After: 61 | always | 1 | 0 | 0 | RateLimited 429 after 1 attempt, retry_after 61 s |
| Once | connection refused | always | 0 | 0 | 0 | Connection after 3 attempts |
| Once | reset before an answer | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | reset before an answer | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | reset after it was done | once | 1 | 0 | 1 | OutcomeUnknown |
| Once | reset after it was done | always | 1 | 0 | 1 | OutcomeUnknown |
| Once | closed after it was done | once | 1 | 0 | 1 | OutcomeUnknown |
| Once | closed after it was done | always | 1 | 0 | 1 | OutcomeUnknown |
| Once | time-out, though it was done | once | 1 | 0 | 1 | OutcomeUnknown |
| Once | time-out, though it was done | always | 1 | 0 | 1 | OutcomeUnknown |
| Once | 500 | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | 500 | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | 502 | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | 502 | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | 503 | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | 503 | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | 503, though it was done | once | 1 | 0 | 1 | OutcomeUnknown |
| Once | 503, though it was done | always | 1 | 0 | 1 | OutcomeUnknown |
| Once | 504 | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | 504 | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | 408 | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | 408 | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | 520 | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | 520 | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | 524 | once | 1 | 0 | 0 | OutcomeUnknown |
| Once | 524 | always | 1 | 0 | 0 | OutcomeUnknown |
| Once | 429 | once | 2 | 0 | 1 | the answer |
| Once | 429 | always | 3 | 0 | 0 | RateLimited 429 after 3 attempts |
| Once | 429, Retry-After: 1 | once | 2 | 0 | 1 | the answer |
| Once | 429, Retry-After: 1 | always | 3 | 0 | 0 | RateLimited 429 after 3 attempts, retry_after 1 s |
| Once | 429, Retry-After: 61 | once | 1 | 0 | 0 | RateLimited 429 after 1 attempt, retry_after 61 s |
| Once | 429, Retry-After: 61 | always | 1 | 0 | 0 | RateLimited 429 after 1 attempt, retry_after 61 s |
";

/// The path of the call that proves the credentials. Without it, trials that get no response would count as failures.
const PROOF: &str = "/api/geoips/open/";

/// A call of this class.
fn call_of(class: &str) -> (&'static str, Map<String, Value>, &'static str) {
    let (call, arguments, path) = match class {
        "Read" => ("ips.list", json!({}), "/api/ips/"),
        "Idempotent" => ("sub_accounts.edit", json!({"username": "x", "monthly_limit": 5}), "/api/sub/edit/"),
        "Verifiable" => ("ips.add", json!({"ip": IP}), "/api/ip/add/"),
        "Once" => ("sub_accounts.create", json!({"username": "x"}), "/api/sub/create/"),
        other => panic!("{other}"),
    };
    (call, arguments.as_object().unwrap().clone(), path)
}

/// Carries out a request as the service would, and counts it.
fn carry_out(request: &Request, carried_out: &AtomicUsize) -> Answer {
    let before = match request.method() {
        "POST" => carried_out.fetch_add(1, SeqCst),
        _ => carried_out.load(SeqCst),
    };
    let taken_back = || {
        carried_out.fetch_sub(1, SeqCst);
    };
    match request.path() {
        "/api/ips/" if before > 0 => Answer::json(&json!({"ips": [IP]})),
        "/api/ips/" => Answer::json(&json!({"ips": []})),
        "/api/sub/edit/" => Answer::new(200, SUB),
        "/api/ip/add/" if before == 0 => Answer::json(&json!({"ip": IP})),
        "/api/sub/create/" if before == 0 => Answer::new(200, SUB),
        _ => {
            taken_back();
            Answer::new(400, r#"{"error": "already so"}"#)
        }
    }
}

/// Runs one line of the table. Returns the line with what really happened.
fn run(class: &str, fault: &str, how_long: &str) -> String {
    let (call, arguments, path) = call_of(class);
    let times = if how_long == "once" { 1 } else { usize::MAX };
    let carried_out = Arc::new(AtomicUsize::new(0));
    let unread = Arc::new(AtomicUsize::new(0));

    let (state, counter) = (carried_out.clone(), unread.clone());
    let (resets, kind) = (fault == "reset before an answer", fault.to_owned());
    // The first connection proves the credentials. If a call's connections are reset unread, each carries one attempt, and
    // only a fourth connection can carry a look.
    let attempts = if class == "Once" { 1 } else { 3 };
    let door = move |connection| {
        if resets && (1..=times.min(attempts)).contains(&connection) {
            counter.fetch_add(1, SeqCst);
            Welcome::ResetUnread
        } else {
            Welcome::Serve
        }
    };
    let mut met = 0;
    let server = Server::with_door(door, move |request| -> Reply {
        if request.path() == PROOF {
            return Answer::new(200, "{}").into();
        }
        if request.path() != path || met == times || resets {
            return carry_out(request, &state).into();
        }
        met += 1;
        match kind.as_str() {
            "reset after it was done" => {
                carry_out(request, &state);
                Reply::Reset
            }
            "closed after it was done" => {
                carry_out(request, &state);
                Reply::Close
            }
            "time-out, though it was done" => {
                carry_out(request, &state);
                Reply::Hang
            }
            "503, though it was done" => {
                carry_out(request, &state);
                Answer::new(503, "").into()
            }
            "429, Retry-After: 1" => Answer::new(429, "").header("retry-after", "1").into(),
            "429, Retry-After: 61" => Answer::new(429, "").header("retry-after", "61").into(),
            status => Answer::new(status.parse().unwrap(), "").into(),
        }
    });
    let mut settings = support::basic(&server);
    let nobody = nobody_listens();
    if fault == "connection refused" {
        settings = settings.base_url(nobody.base_url());
    }
    if fault.starts_with("time-out") {
        settings = settings.timeout(Duration::from_millis(1500));
    }
    let proof = support::blocking(support::basic(&server));
    proof.geo().open().unwrap();
    let result = testing::blocking(&support::blocking(settings), call, &arguments);

    let requests = server.count_of(path) + unread.load(SeqCst);
    let (looks, done) = match class {
        "Read" => ("–".to_owned(), "–".to_owned()),
        _ => ((server.count() - 1 - server.count_of(path)).to_string(), carried_out.load(SeqCst).to_string()),
    };
    format!("| {class} | {fault} | {how_long} | {requests} | {looks} | {done} | {} |", in_words(&result))
}

fn in_words(result: &Result<Value>) -> String {
    let error = match result {
        Ok(_) => return "the answer".into(),
        Err(error) => error,
    };
    let mut words = error.kind().to_owned();
    if let Some(status) = error.status() {
        words += &format!(" {status}");
    }
    match error.attempts() {
        Some(1) => words += " after 1 attempt",
        Some(attempts) => words += &format!(" after {attempts} attempts"),
        None => {}
    }
    if let Some(wait) = error.retry_after() {
        words += &format!(", retry_after {} s", wait.as_secs());
    }
    words
}

#[test]
fn the_replay_table_holds() {
    let expected: Vec<&str> = TABLE.lines().collect();
    // All lines run at once, because most of the time is spent waiting between attempts.
    let lines: Vec<thread::JoinHandle<String>> = expected[2..]
        .iter()
        .map(|line| {
            let columns: Vec<String> = line.split('|').map(|column| column.trim().to_owned()).collect();
            thread::spawn(move || run(&columns[1], &columns[2], &columns[3]))
        })
        .collect();
    let happened: Vec<String> = lines.into_iter().map(|line| line.join().unwrap()).collect();
    println!("{}\n{}\n{}", expected[0], expected[1], happened.join("\n"));
    for (happened, expected) in happened.iter().zip(&expected[2..]) {
        assert_eq!(happened, expected);
    }
}

/// A server that sends these replies one after another, whatever the requests are.
fn in_turn(replies: Vec<Reply>) -> Server {
    let mut replies = replies.into_iter();
    Server::start(move |_| replies.next().unwrap_or_else(|| answer(599, "one request too many")))
}

fn answer(status: u16, body: &str) -> Reply {
    Answer::new(status, body).into()
}

/// The requests in order, such as `POST /api/ip/add/ ip=203.0.113.7`.
fn asked(server: &Server) -> Vec<String> {
    let line = |r: &Request| format!("{} {} {}", r.method(), r.target(), r.form()).trim().to_owned();
    server.requests().iter().map(line).collect()
}

/// Makes `call` to a server that sends these replies. Returns the result and the requests.
fn make(call: &str, arguments: Value, replies: Vec<Reply>) -> (Result<Value>, Vec<String>) {
    let server = in_turn(replies);
    let client = support::blocking(support::basic(&server));
    let result = testing::blocking(&client, call, arguments.as_object().unwrap());
    (result, asked(&server))
}

const ALREADY: &str = r#"{"error": "already so"}"#;

#[test]
fn a_write_whose_response_was_lost_succeeds_if_a_look_up_confirms_it() {
    let token = r#"{"tokens": [{"id": 8, "is_active": true, "created_at": "2026-01-15T12:00:00"}]}"#;
    for (call, arguments, refusal, look, seen, value) in [
        ("ips.add", json!({"ip": IP}), 400, "/api/ips/", r#"{"ips": ["::1", "203.0.113.7"]}"#, json!(IP)),
        (
            "ips.add",
            json!({"ip": IP, "username": "me+1@ex.com"}),
            400,
            "/api/ips/?username=me%2B1%40ex.com",
            r#"{"ips": ["203.0.113.7"]}"#,
            json!(IP),
        ),
        ("ips.delete", json!({"ip": IP}), 400, "/api/ips/", r#"{"ips": ["203.0.113.70"]}"#, Value::Null),
        (
            "hostnames.add",
            json!({"domain": "a.example"}),
            400,
            "/api/hostnames/",
            r#"{"domains": ["A.Example"]}"#,
            json!("A.Example"),
        ),
        (
            "hostnames.delete",
            json!({"domain": "a.example"}),
            400,
            "/api/hostnames/",
            r#"{"domains": ["b.a.example"]}"#,
            Value::Null,
        ),
        ("tokens.delete", json!({"id": 7}), 404, "/api/tokens/", token, Value::Null),
        (
            "tokens.delete",
            json!({"id": 7, "username": "pm_x"}),
            400,
            "/api/tokens/?username=pm_x",
            r#"{"tokens": []}"#,
            Value::Null,
        ),
    ] {
        let replies = vec![Reply::Reset, answer(refusal, ALREADY), answer(200, seen)];
        let (result, asked) = make(call, arguments, replies);
        assert_eq!(result.unwrap(), value, "{call}");
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[0], asked[1], "the same request again");
        assert_eq!(asked[2], format!("GET {look}"));
    }
}

#[test]
fn a_lost_delete_of_a_sub_account_succeeds_if_the_sub_account_is_not_found() {
    let replies = vec![Reply::Reset, answer(404, ""), answer(404, "")];
    let (result, asked) = make("sub_accounts.delete", json!({"username": "me+1@ex.com"}), replies);
    assert_eq!(result.unwrap(), Value::Null);
    assert_eq!(asked[2], "GET /api/sub/get/?username=me%2B1%40ex.com");
}

#[test]
fn if_a_look_up_refutes_a_write_the_refusal_is_returned() {
    let tokens = r#"{"tokens": [{"id": 7, "is_active": true, "created_at": "2026-01-15T12:00:00"}]}"#;
    for (call, arguments, seen) in [
        ("ips.add", json!({"ip": IP}), r#"{"ips": []}"#),
        ("ips.delete", json!({"ip": IP}), r#"{"ips": ["203.0.113.7"]}"#),
        ("hostnames.add", json!({"domain": "a.example"}), r#"{"domains": []}"#),
        ("hostnames.delete", json!({"domain": "a.example"}), r#"{"domains": ["a.EXAMPLE"]}"#),
        ("tokens.delete", json!({"id": 7}), tokens),
    ] {
        let replies = vec![Reply::Close, answer(400, ALREADY), answer(200, seen)];
        let (result, asked) = make(call, arguments, replies);
        let error = result.unwrap_err();
        assert!(matches!(error, Error::BadRequest(_)), "{call}: {error:?}");
        assert_eq!(error.to_string(), format!("{call}: bad request (400): already so (after 2 attempts)"));
        assert_eq!(asked.len(), 3);
    }
    let replies = vec![Reply::Close, answer(404, ALREADY), answer(200, SUB)];
    let (result, asked) = make("sub_accounts.delete", json!({"username": "x"}), replies);
    assert!(matches!(result.unwrap_err(), Error::NotFound(_)));
    assert_eq!(asked.len(), 3);
}

#[test]
fn a_refusal_that_does_not_say_already_so_is_returned_without_a_look_up() {
    for (call, arguments, status) in [
        ("ips.add", json!({"ip": IP, "username": "x"}), 402),
        ("ips.delete", json!({"ip": IP}), 402),
        ("hostnames.add", json!({"domain": "a.example", "username": "x"}), 404),
        ("sub_accounts.delete", json!({"username": "x"}), 400),
        ("proxies.add", json!({"proxy": "us-ca"}), 402),
        ("sub_accounts.edit", json!({"username": "x"}), 404),
    ] {
        let (result, asked) = make(call, arguments, vec![answer(502, ""), answer(status, ALREADY)]);
        assert_eq!(result.unwrap_err().status(), Some(status), "{call}");
        assert_eq!(asked.len(), 2, "{call}");
    }
}

#[test]
fn an_ip_that_was_there_with_another_label_does_not_count_as_added() {
    let arguments = json!({"ip": IP, "label": "mine"});
    for (label, added) in [("mine", true), ("theirs", false)] {
        let seen = json!([{"ip": IP, "label": label}]).to_string();
        let (result, asked) =
            make("ips.add", arguments.clone(), vec![Reply::Reset, answer(400, ALREADY), answer(200, &seen)]);
        assert_eq!(result.is_ok(), added, "{result:?}");
        assert_eq!(asked[2], "GET /api/ip_labels/");
    }
}

#[test]
fn a_hostname_of_a_sub_account_cannot_be_looked_up_so_its_outcome_is_unknown() {
    for call in ["hostnames.add", "hostnames.delete"] {
        let replies = vec![Reply::Reset, answer(400, ALREADY)];
        let (result, asked) = make(call, json!({"domain": "a.example", "username": "x"}), replies);
        let error = result.unwrap_err();
        let Error::OutcomeUnknown { call: named, reason, recovery_hint } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(*named, call);
        assert!(recovery_hint.contains("hostnames.list") && !reason.is_empty(), "{error}");
        assert_eq!(asked.len(), 2);
    }
    // The same if the first response was a 5xx, which may mean that the write was carried out.
    let replies = vec![answer(502, ""), answer(400, ALREADY)];
    let (result, _) = make("hostnames.add", json!({"domain": "a.example", "username": "x"}), replies);
    assert_eq!(
        result.unwrap_err().to_string(),
        "hostnames.add: server error (502), so the call may or may not have taken effect; \
         check with hostnames.list; for a sub-account's hostname, use a client with the sub-account's credentials"
    );
}

#[test]
fn if_the_look_up_fails_too_the_outcome_is_unknown() {
    for look in
        [answer(200, "<html>"), answer(403, ""), Answer::new(429, "").header("retry-after", "61").into()]
    {
        let replies = vec![Reply::Reset, answer(400, ALREADY), look];
        let (result, asked) = make("ips.add", json!({"ip": IP}), replies);
        let error = result.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
        assert!(
            error.to_string().ends_with("may or may not have taken effect; check with ips.list"),
            "{error}"
        );
        assert_eq!(asked.len(), 3);
    }
}

#[test]
fn a_write_that_was_refused_at_once_is_neither_retried_nor_looked_up() {
    for (call, arguments) in [
        ("ips.add", json!({"ip": IP})),
        ("ips.delete", json!({"ip": IP})),
        ("hostnames.add", json!({"domain": "a.example"})),
        ("tokens.delete", json!({"id": 7})),
        ("sub_accounts.delete", json!({"username": "x"})),
        ("sub_accounts.create", json!({"username": "x"})),
        ("proxies.add", json!({"proxy": "us-ca"})),
        ("ips.list", json!({})),
    ] {
        for status in [302, 400, 401, 402, 403, 404, 405, 415, 418, 501, 505] {
            let (result, asked) = make(call, arguments.clone(), vec![answer(status, "")]);
            assert_eq!(result.unwrap_err().status(), Some(status));
            assert_eq!(asked.len(), 1);
        }
    }
}

#[test]
fn a_write_that_was_dropped_and_then_refused_by_a_front_end_is_in_doubt() {
    for status in [302, 403, 408, 401] {
        for (call, arguments) in [
            ("proxies.add", json!({"proxy": "us-ca"})),
            ("sub_accounts.edit", json!({"username": "x"})),
            ("tokens.activate", json!({"id": 7})),
            ("hostnames.add", json!({"domain": "a.example", "username": "x"})),
        ] {
            let replies = vec![Reply::Reset, answer(status, ""), answer(status, ""), answer(status, "")];
            let error = make(call, arguments, replies).0.unwrap_err();
            assert!(matches!(error, Error::OutcomeUnknown { .. }), "{call}, {status}: {error:?}");
        }
        if status != 401 {
            let looked_up = answer(200, r#"{"ips": ["203.0.113.7"]}"#);
            let mut replies = vec![Reply::Reset, answer(status, ""), looked_up];
            if status == 408 {
                replies.insert(1, answer(status, ""));
            }
            let (result, asked) = make("ips.add", json!({"ip": IP}), replies);
            assert!(result.is_ok(), "{status}: {result:?}");
            assert_eq!(asked.last().map(String::as_str), Some("GET /api/ips/"));
        }
    }
}

#[test]
fn no_text_of_an_ambiguous_failure_suggests_repeating_a_write() {
    for (call, arguments) in [
        ("sub_accounts.create", json!({"username": "x"})),
        ("tokens.create", json!({})),
        ("sub_accounts.edit", json!({"username": "x"})),
        ("proxies.delete", json!({"proxy": "us-ca"})),
        ("hostnames.add", json!({"domain": "a.example", "username": "x"})),
    ] {
        for reply in [
            || answer(504, r#"{"error": "please try again"}"#),
            || answer(500, ""),
            || answer(408, ""),
            || Reply::Reset,
        ] {
            let error = make(call, arguments.clone(), vec![reply(), reply(), reply()]).0.unwrap_err();
            // The service's own text is quoted if the write may be repeated.
            let quoted =
                matches!(error, Error::Server(_)) && error.body().is_some_and(|body| !body.is_empty());
            for word in ["again", "retry", "repeat", "later"] {
                assert!(quoted || !error.to_string().contains(word), "{error}");
            }
        }
    }
}

#[test]
fn a_call_with_an_unreadable_success_is_not_retried() {
    for (call, arguments, kind) in [
        ("ips.list", json!({}), "Decode"),
        ("proxies.add", json!({"proxy": "us-ca"}), "OutcomeUnknown"),
        ("sub_accounts.create", json!({"username": "x"}), "OutcomeUnknown"),
        ("tokens.create", json!({}), "OutcomeUnknown"),
    ] {
        let (result, asked) = make(call, arguments, vec![answer(200, "<html>")]);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(asked.len(), 1);
    }
}

#[test]
fn a_write_with_an_unreadable_success_is_looked_up() {
    let add = |looked_up: &str| {
        let (result, asked) =
            make("ips.add", json!({"ip": IP}), vec![answer(200, "<html>"), answer(200, looked_up)]);
        assert_eq!(asked, [format!("POST /api/ip/add/ ip={IP}"), "GET /api/ips/".to_owned()]);
        result
    };
    assert_eq!(add(&format!(r#"{{"ips": ["{IP}"]}}"#)).unwrap(), IP);
    // A front end responded.
    assert_eq!(add(r#"{"ips": []}"#).unwrap_err().kind(), "Decode");
    let error = add("<html>").unwrap_err();
    assert_eq!(
        error.to_string(),
        "ips.add: could not read the response (200): expected value at line 1 column 1, so the call may or may not have taken effect; check with ips.list"
    );
    // If a call returns nothing, there is nothing that could be unreadable.
    let (result, asked) = make("ips.delete", json!({"ip": IP}), vec![answer(200, "<html>")]);
    assert_eq!((result.unwrap(), asked.len()), (Value::Null, 1));
}

#[test]
fn a_create_is_sent_once_and_says_how_to_find_out() {
    for (call, arguments, recovery_hint) in [
        ("sub_accounts.create", json!({"username": "x"}), "check with sub_accounts.get"),
        ("tokens.create", json!({"label": "ci"}), "delete it and create another"),
        ("tokens.create", json!({}), "delete it and create another"),
    ] {
        let (result, asked) = make(call, arguments, vec![Reply::Reset]);
        let text = result.unwrap_err().to_string();
        assert!(text.contains("may or may not have taken effect") && text.ends_with(recovery_hint), "{text}");
        assert_eq!(asked.len(), 1);
    }
}

#[test]
fn max_retries_is_how_often_a_call_is_retried() {
    for retries in [0, 1, 4] {
        let server = Server::always(Answer::new(429, "").header("retry-after", "0"));
        let client = support::blocking(support::basic(&server).max_retries(retries));
        let error = client.geo().open().unwrap_err();
        assert_eq!((server.count(), error.attempts()), (retries as usize + 1, Some(retries + 1)));
    }
    // A write in doubt is looked up even without retries.
    let server = in_turn(vec![Reply::Reset, answer(200, r#"{"ips": ["203.0.113.7"]}"#)]);
    let client = support::blocking(support::basic(&server).max_retries(0));
    assert_eq!(client.ips().add(IP).unwrap().to_string(), IP);
    let server = Server::start(|_| Reply::Reset);
    let client = support::blocking(support::basic(&server).max_retries(0));
    let error = client.proxies().add("us-ca").unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!(server.count(), 1);
}

/// The result of a read that gets these replies, and how long it takes.
fn timed(replies: Vec<Reply>) -> (Result<Value>, Duration) {
    let server = in_turn(replies);
    let client = support::blocking(support::basic(&server));
    let start = Instant::now();
    (testing::blocking(&client, "ips.list", &Map::new()), start.elapsed())
}

#[test]
fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    fn obeys(status: u16) {
        let asks = |wait: String| {
            let fine = answer(200, r#"{"ips": []}"#);
            timed(vec![Answer::new(status, "").header("Retry-After", wait).into(), fine])
        };
        let (result, took) = asks("2".into());
        result.unwrap();
        assert!(took >= Duration::from_secs(2), "{took:?}");

        // A date has only whole seconds.
        let (result, took) = asks(httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3)));
        result.unwrap();
        assert!(took >= Duration::from_millis(1500), "{took:?}");

        for past in ["0", "Mon, 01 Jan 2001 00:00:00 GMT"] {
            let (result, took) = asks(past.into());
            result.unwrap();
            assert!(took < Duration::from_millis(1500), "{took:?}");
        }
    }
    thread::scope(|scope| {
        scope.spawn(|| obeys(429));
        scope.spawn(|| obeys(503));
    });
}

#[test]
fn with_a_retry_after_of_more_than_a_minute_the_call_fails_at_once_and_returns_it() {
    let far = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
    for (status, wait) in [(429, "61".to_owned()), (429, far.clone()), (503, "86400".to_owned()), (503, far)]
    {
        let (result, took) = timed(vec![Answer::new(status, "").header("retry-after", wait).into()]);
        let error = result.unwrap_err();
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!((error.status(), error.attempts()), (Some(status), Some(1)));
        assert!(error.retry_after().unwrap() > Duration::from_secs(60));
        assert!(error.to_string().contains("the service asks you to wait"), "{error}");
    }
}

#[tokio::test]
async fn the_async_client_also_retries_and_looks_up() {
    let server =
        in_turn(vec![Reply::Reset, answer(400, ALREADY), answer(200, r#"{"ips": ["203.0.113.7"]}"#)]);
    let client = support::asynchronous(support::basic(&server));
    assert_eq!(client.ips().add(IP).await.unwrap().to_string(), IP);
    assert_eq!(server.count(), 3);

    let server = in_turn(vec![Reply::Reset]);
    let client = support::asynchronous(support::basic(&server));
    let error = client.sub_accounts().create("x").await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!(server.count(), 1);
}

#[test]
fn a_client_works_again_when_the_service_is_back() {
    let nobody = nobody_listens();
    let settings = Settings::new().username("me").password("pw").base_url(nobody.base_url());
    let client = support::blocking(settings.max_retries(0));
    let error = client.ips().list().unwrap_err();
    assert!(matches!(error, Error::Connection { attempts: 1, .. }), "{error:?}");
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");

    let server = Server::at(nobody, |_| Answer::new(200, r#"{"ips": []}"#));
    assert!(client.ips().list().unwrap().is_empty());
    assert_eq!(server.count(), 1);
}
