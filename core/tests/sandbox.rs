//! The clients against the sandbox, which is an independent implementation of the service, with its ban, its plan and its state.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{
    Client, Error, NewIp, NewSubAccount, Settings, SubAccountEdit, TokenRequest, blocking,
    secrecy::ExposeSecret,
};
use proxymesh_sandbox::{Fault, RecordedRequest, Sandbox};
use std::{
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

const IP: &str = "203.0.113.7";

fn settings(sandbox: &Sandbox) -> Settings {
    Settings::new().username(sandbox.username()).password(sandbox.password()).base_url(sandbox.base_url())
}

fn started() -> (Sandbox, blocking::Client) {
    let sandbox = Sandbox::start().unwrap();
    let client = support::blocking(settings(&sandbox));
    (sandbox, client)
}

fn count(requests: &[RecordedRequest], path: &str) -> usize {
    requests.iter().filter(|request| request.path == path).count()
}

#[test]
fn calls_have_the_documented_effects() {
    let (sandbox, client) = started();
    let subs = client.sub_accounts();
    let new = NewSubAccount::new("me+1@ex.com").unwrap().password("p&ss=wörd 1+%").unwrap();
    let new = new.first_name("Zoë").unwrap().email("zoë+1@ex.com").unwrap().monthly_limit(5);
    let sub = subs.create(new).unwrap();
    assert_eq!((sub.username.as_str(), sub.active, sub.monthly_bandwidth_limit), ("me+1@ex.com", true, 5));
    sandbox.book_usage("me+1@ex.com", 1.25).unwrap();
    let edit = SubAccountEdit::new("me+1@ex.com").unwrap().total_limit(7).first_name("").unwrap();
    let sub = subs.edit(edit).unwrap();
    assert_eq!((sub.monthly_bandwidth_limit, sub.total_bandwidth_limit, sub.first_name), (5, 7, None));
    assert!(!subs.deactivate("me+1@ex.com").unwrap().active);
    assert!(subs.activate("me+1@ex.com").unwrap().active);
    let sub = subs.get("me+1@ex.com").unwrap();
    assert_eq!((sub.total_bandwidth, sub.email.as_deref()), (1.25, Some("zoë+1@ex.com")));

    for ips in [client.ips(), client.ips().of("me+1@ex.com").unwrap()] {
        assert_eq!(ips.add(NewIp::new(IP).unwrap().label("büro & heim=1").unwrap()).unwrap().to_string(), IP);
        assert_eq!(ips.add("2001:DB8::7").unwrap().to_string(), "2001:db8::7");
        assert_eq!(ips.list().unwrap().len(), 2);
        let labels = ips.labels().unwrap();
        assert_eq!((labels[0].label.as_str(), labels[1].label.as_str()), ("büro & heim=1", ""));
        ips.delete(IP).unwrap();
        assert_eq!(ips.list().unwrap().len(), 1);
    }

    let hostnames = client.hostnames();
    assert_eq!(hostnames.add("crawler.example.com").unwrap(), "crawler.example.com");
    assert_eq!(hostnames.list().unwrap(), ["crawler.example.com"]);
    hostnames.delete("crawler.example.com").unwrap();
    client.hostnames().of("me+1@ex.com").unwrap().add("a.example").unwrap();
    client.hostnames().of("me+1@ex.com").unwrap().delete("a.example").unwrap();
    assert!(hostnames.list().unwrap().is_empty());

    let before = client.proxies().list().unwrap().len();
    assert_eq!(client.proxies().add("de").unwrap(), "de.proxymesh.com");
    let proxies = client.proxies().list().unwrap();
    assert!(proxies.len() == before + 1 && proxies.iter().any(|proxy| proxy.name() == "de"));
    client.proxies().delete("de.proxymesh.com:31280").unwrap();
    assert_eq!(client.proxies().list().unwrap().len(), before);

    for tokens in [client.tokens(), client.tokens().of("me+1@ex.com").unwrap()] {
        let request = TokenRequest::new().label("Büro").unwrap().expires_at("2999-12-31").unwrap();
        let created = tokens.create(request).unwrap();
        assert_eq!((created.label.as_str(), created.is_active), ("Büro", true));
        assert!(!tokens.deactivate(created.id).unwrap().is_active);
        assert!(tokens.activate(created.id).unwrap().is_active);
        assert_eq!(tokens.list().unwrap(), std::slice::from_ref(&created.details));
        let settings = Settings::new().token(created.secret.expose_secret()).base_url(sandbox.base_url());
        assert_eq!(support::blocking(settings).ips().list().unwrap().len(), 1);
        tokens.delete(created.id).unwrap();
        assert!(tokens.list().unwrap().is_empty());
    }

    assert!(client.geo().open().unwrap()["US"] > 0 && client.geo().world().unwrap()["US"] > 0);
    subs.delete("me+1@ex.com").unwrap();
    assert!(matches!(subs.get("me+1@ex.com").unwrap_err(), Error::NotFound(_)));

    let requests = sandbox.requests();
    assert!(requests.iter().all(|request| !matches!(request.status, Some(400 | 401 | 405 | 415 | 500..))));
}

#[test]
fn refusals_contain_the_services_reason() {
    let (_sandbox, client) = started();
    client.sub_accounts().create("x").unwrap();
    let error = client.sub_accounts().create("x").unwrap_err();
    assert!(
        matches!(&error, Error::BadRequest(refusal) if refusal.field_errors.contains_key("username")),
        "{error:?}"
    );
    client.ips().add(IP).unwrap();
    let error = client.ips().add(IP).unwrap_err();
    assert!(matches!(&error, Error::BadRequest(refusal) if refusal.reason.contains("already")), "{error:?}");
    assert!(matches!(client.ips().delete("203.0.113.8").unwrap_err(), Error::BadRequest(_)));
    assert!(matches!(client.proxies().add("nowhere").unwrap_err(), Error::BadRequest(_)));
    assert!(matches!(client.sub_accounts().get("parent").unwrap_err(), Error::PermissionDenied(_)));
    assert!(matches!(
        client.sub_accounts().edit(SubAccountEdit::new("y").unwrap()).unwrap_err(),
        Error::NotFound(_)
    ));

    let trial = Sandbox::builder().plan(proxymesh_sandbox::Plan::FreeTrial).start().unwrap();
    let client = support::blocking(settings(&trial));
    assert!(matches!(client.tokens().create(TokenRequest::new()).unwrap_err(), Error::PlanLimit(_)));
}

#[test]
fn a_wrong_password_in_256_threads_costs_at_most_two_failures_and_no_ban() {
    let (sandbox, right) = started();
    let wrong = support::blocking(settings(&sandbox).password("wrong"));
    for (round, total) in [(1, 1), (2, 2), (3, 2), (4, 2)] {
        let together = Barrier::new(256);
        let errors: Vec<Error> = thread::scope(|scope| {
            let call = || {
                together.wait();
                wrong.ips().list().unwrap_err()
            };
            let threads: Vec<_> = (0..256).map(|_| scope.spawn(call)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let kind = if round < 3 { "Authentication" } else { "AuthenticationBlocked" };
        assert!(errors.iter().all(|error| error.kind() == kind), "round {round}");
        assert_eq!((errors.len(), sandbox.requests().len()), (256, total), "round {round}");
        thread::sleep(Duration::from_millis(1100));
    }
    assert!(right.ips().list().unwrap().is_empty(), "the caller is not banned");
    keep_port(sandbox);
}

#[test]
fn a_wrong_password_in_256_tasks_costs_one_failure() {
    let (sandbox, right) = started();
    let wrong = Client::new(settings(&sandbox).password("wrong")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let errors = runtime.block_on(async {
        let together = Arc::new(tokio::sync::Barrier::new(256));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..256 {
            let (wrong, together) = (wrong.clone(), together.clone());
            tasks.spawn(async move {
                together.wait().await;
                wrong.ips().list().await.unwrap_err()
            });
        }
        tasks.join_all().await
    });
    assert!(errors.len() == 256 && errors.iter().all(|error| error.kind() == "Authentication"));
    assert_eq!(sandbox.requests().len(), 1);
    assert!(right.ips().list().unwrap().is_empty());
    keep_port(sandbox);
}

#[test]
fn a_wrong_password_whose_second_401_is_lost_does_not_ban_the_account() {
    let sandbox = Sandbox::start().unwrap();
    let client = support::blocking(settings(&sandbox).password("wrong").max_retries(0));
    assert!(matches!(client.proxies().list().unwrap_err(), Error::Authentication(_)));
    sandbox.inject(Fault::drop_after_apply().times(0)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(matches!(client.proxies().list().unwrap_err(), Error::Connection { attempts: 1, .. }));
    assert!(matches!(client.proxies().list().unwrap_err(), Error::AuthenticationBlocked { .. }));
    assert_eq!(sandbox.requests().len(), 2, "the lost one counts as a failure, because there was another");
    keep_port(sandbox);
}

#[test]
fn a_write_whose_response_is_lost_takes_effect_once_and_succeeds() {
    let (sandbox, client) = started();
    client.sub_accounts().create("x").unwrap();
    client.hostnames().add("old.example").unwrap();
    let token = client.tokens().create(TokenRequest::new()).unwrap().id;
    let lose = |path: &str| sandbox.inject(Fault::drop_after_apply().path(path)).unwrap();

    lose("/api/ip/add/");
    assert_eq!(client.ips().add(IP).unwrap().to_string(), IP);
    assert_eq!(client.ips().list().unwrap().iter().filter(|ip| ip.to_string() == IP).count(), 1);
    lose("/api/ip/delete/");
    client.ips().delete(IP).unwrap();
    assert!(client.ips().list().unwrap().is_empty());
    lose("/api/hostname/add/");
    client.hostnames().add("new.example").unwrap();
    lose("/api/hostname/delete/");
    client.hostnames().delete("old.example").unwrap();
    assert_eq!(client.hostnames().list().unwrap(), ["new.example"]);
    lose("/api/token/delete/");
    client.tokens().delete(token).unwrap();
    assert!(client.tokens().list().unwrap().is_empty());
    lose("/api/sub/edit/");
    client.sub_accounts().edit(SubAccountEdit::new("x").unwrap().monthly_limit(3)).unwrap();
    lose("/api/sub/delete/");
    client.sub_accounts().delete("x").unwrap();
    assert!(matches!(client.sub_accounts().get("x").unwrap_err(), Error::NotFound(_)));
    assert!(sandbox.faults().is_empty());
}

#[test]
fn a_create_whose_response_is_lost_is_never_retried() {
    let (sandbox, client) = started();
    for fault in [Fault::drop_after_apply(), Fault::truncate()] {
        sandbox.reset();
        sandbox.inject(fault.clone().path("/api/sub/create/")).unwrap();
        sandbox.inject(fault.path("/api/token/create/")).unwrap();
        let error = client.sub_accounts().create("x").unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
        assert_eq!(client.sub_accounts().get("x").unwrap().username, "x", "as the error advises");
        let error = client.tokens().create(TokenRequest::new()).unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
        assert_eq!(client.tokens().list().unwrap().len(), 1);
        let requests = sandbox.requests();
        assert_eq!((count(&requests, "/api/sub/create/"), count(&requests, "/api/token/create/")), (1, 1));
    }
}

#[test]
fn each_fault_of_the_sandbox_causes_the_right_error() {
    let (sandbox, client) = started();
    client.ips().add(IP).unwrap();
    let client = client
        .with_options(proxymesh::Options::new().max_retries(0).timeout(Duration::from_millis(500)))
        .unwrap();
    for (fault, kind) in [
        (r#"{"kind": "status", "status": 418}"#, "UnexpectedStatus"),
        (r#"{"kind": "status", "status": 503}"#, "Server"),
        (r#"{"kind": "redirect", "location": "http://127.0.0.1:1/"}"#, "UnexpectedStatus"),
        (r#"{"kind": "drop"}"#, "Connection"),
        (r#"{"kind": "reset"}"#, "Connection"),
        (r#"{"kind": "delay", "seconds": 5}"#, "Timeout"),
        (r#"{"kind": "delay_after_apply", "seconds": 5}"#, "Timeout"),
        (r#"{"kind": "drop_after_apply"}"#, "Connection"),
        (r#"{"kind": "truncate"}"#, "Connection"),
        (r#"{"kind": "garbage"}"#, "Decode"),
        (r#"{"kind": "wrong_type"}"#, "Decode"),
        (r#"{"kind": "html"}"#, "Decode"),
        (r#"{"kind": "empty"}"#, "Decode"),
        (r#"{"kind": "huge"}"#, "Decode"),
        (r#"{"kind": "drip", "seconds": 0.001}"#, "answer"),
        (r#"{"kind": "drip", "seconds": 0.5}"#, "Timeout"),
        (r#"{"kind": "close_idle"}"#, "answer"),
    ] {
        sandbox.inject(Fault::from_json(fault).unwrap()).unwrap();
        let result = client.ips().list();
        assert_eq!(result.as_ref().map_or_else(Error::kind, |_| "answer"), kind, "{fault}: {result:?}");
    }
    assert!(sandbox.faults().is_empty());
}

#[test]
fn no_call_fails_because_the_sandbox_closes_idle_connections() {
    let sandbox = Sandbox::builder().keep_alive(Some(Duration::from_millis(3))).start().unwrap();
    let client = support::blocking(settings(&sandbox));
    for call in 0..200 {
        client.ips().list().unwrap_or_else(|error| panic!("call {call}: {error:?}"));
        thread::sleep(Duration::from_millis(if call % 2 == 0 { 6 } else { 4 }));
    }
}

#[test]
fn a_dropped_call_leaves_no_connection_behind() {
    let sandbox = Sandbox::start().unwrap();
    let client = support::asynchronous(settings(&sandbox));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    sandbox.inject(Fault::delay(Duration::from_secs(60)).times(0)).unwrap();
    runtime.block_on(async {
        let call = tokio::spawn(client.ips().list());
        until(|| sandbox.requests().len() == 1);
        assert_eq!(sandbox.open_connections(), 1);
        call.abort();
    });
    until(|| sandbox.open_connections() == 0);
}

/// Keeps other tests from using this sandbox's port, because the auth gate would remember its failures.
fn keep_port(sandbox: Sandbox) {
    std::mem::forget(sandbox);
}

/// Waits until `so` returns true.
fn until(so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain");
        thread::sleep(Duration::from_millis(5));
    }
}
