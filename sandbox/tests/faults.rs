//! What each fault does to a call, and whether the call is carried out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at the first surprise")]

mod support;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use proxymesh_sandbox::{Fault, RecordedRequest, Sandbox};
use serde_json::json;
use support::{Caller, FORM, soon, started};

const ADD: &str = "/api/ip/add/";
const IP: [(&str, &str); 1] = [("ip", "192.0.2.1")];

fn inject(sandbox: &Sandbox, fault: Fault) {
    sandbox.inject(fault).unwrap();
}

fn carried_out(parent: &Caller) -> bool {
    parent.get("/api/ips/").json() == json!({ "ips": ["192.0.2.1"] })
}

fn first(sandbox: &Sandbox) -> RecordedRequest {
    sandbox.requests().swap_remove(0)
}

#[test]
fn status_sends_the_given_response_instead_of_carrying_the_call_out() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::status(503));
    let fault = Fault::status(429).json_body(r#"{"error":"slow down"}"#);
    inject(&sandbox, fault.header("Retry-After", "7"));
    let fault = Fault::status(418).body("short and stout");
    inject(&sandbox, fault.header("Content-Type", "text/x-tea"));

    let plain = parent.post(ADD, &IP);
    assert_eq!((plain.status, plain.error().as_str()), (503, "An injected fault: status 503."));
    let limited = parent.post(ADD, &IP);
    assert_eq!((limited.status, limited.text()), (429, r#"{"error":"slow down"}"#));
    assert_eq!(limited.header("content-type"), Some("application/json"));
    assert_eq!(limited.header("retry-after"), Some("7"));
    let teapot = parent.post(ADD, &IP);
    assert_eq!((teapot.status, teapot.text()), (418, "short and stout"));
    assert_eq!(teapot.header("content-type"), Some("text/x-tea"));

    assert!(!carried_out(&parent));
    assert_eq!((first(&sandbox).fault, first(&sandbox).status), (Some("status"), Some(503)));
}

#[test]
fn status_204_has_no_body_whatever_it_is_told() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::status(204).body("text"));
    let mut connection = parent.connect().unwrap();
    assert_eq!(connection.send("GET", "/api/ips/", &[], b"").unwrap().status, 204);
    assert_eq!(connection.send("GET", "/api/ips/", &[], b"").unwrap().status, 200);
}

#[test]
fn redirect_answers_302_and_does_not_carry_the_call_out() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::redirect("https://example.com/"));
    let answer = parent.post(ADD, &IP);
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some("https://example.com/"));
    assert!(!carried_out(&parent));
}

#[test]
fn drop_closes_the_connection_without_an_answer_or_an_effect() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::drop());
    let error = parent.try_post(ADD, &IP).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(!carried_out(&parent));
    assert_eq!((first(&sandbox).fault, first(&sandbox).status), (Some("drop"), None));
}

#[test]
fn reset_ends_the_connection_with_a_tcp_reset_and_no_effect() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::reset());
    let error = parent.try_post(ADD, &IP).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(!carried_out(&parent));
    assert_eq!((first(&sandbox).fault, first(&sandbox).status), (Some("reset"), None));
}

#[test]
fn drop_after_apply_carries_the_call_out_and_says_nothing() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::drop_after_apply());
    let error = parent.try_post(ADD, &IP).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(carried_out(&parent));
    assert_eq!((first(&sandbox).fault, first(&sandbox).status), (Some("drop_after_apply"), None));
}

#[test]
fn drop_after_apply_changes_nothing_if_the_call_fails() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::drop_after_apply());
    parent.try_post(ADD, &[("ip", "nonsense")]).unwrap_err();
    assert_eq!(parent.get("/api/ips/").json(), json!({ "ips": [] }));
}

#[test]
fn delay_waits_and_then_answers_as_usual() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::delay(Duration::from_millis(150)));
    let start = Instant::now();
    assert_eq!(parent.post(ADD, &IP).status, 200);
    assert!(start.elapsed() >= Duration::from_millis(150));
    assert!(carried_out(&parent));
}

#[test]
fn a_delayed_call_is_not_carried_out_if_the_client_leaves_meanwhile() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::delay(Duration::from_secs(3600)).path(ADD));
    let mut connection = parent.connect().unwrap();
    let form = support::encode(&IP);
    connection.write("POST", ADD, &[("Content-Type", FORM)], &form).unwrap();
    assert!(soon(|| sandbox.requests().len() == 1));
    assert_eq!(sandbox.open_connections(), 1);
    drop(connection);
    // The delay ends at once with the connection, not after an hour.
    assert!(soon(|| sandbox.open_connections() == 0));
    assert!(!carried_out(&parent));
    assert_eq!(first(&sandbox).status, None);
}

#[test]
fn delay_holds_up_no_other_call() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::delay(Duration::from_secs(3600)).path(ADD));
    let mut connection = parent.connect().unwrap();
    let form = support::encode(&IP);
    connection.write("POST", ADD, &[("Content-Type", FORM)], &form).unwrap();
    assert!(soon(|| sandbox.requests().len() == 1));
    assert_eq!(parent.get("/api/ips/").json(), json!({ "ips": [] }));
}

#[test]
fn delay_after_apply_carries_out_before_it_waits() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::delay_after_apply(Duration::from_secs(3600)).path(ADD));
    let mut connection = parent.connect().unwrap();
    let form = support::encode(&IP);
    connection.write("POST", ADD, &[("Content-Type", FORM)], &form).unwrap();
    assert!(soon(|| carried_out(&parent)));
    assert_eq!(first(&sandbox).status, None);

    inject(&sandbox, Fault::delay_after_apply(Duration::from_millis(150)));
    let start = Instant::now();
    assert_eq!(parent.get("/api/ips/").status, 200);
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[test]
fn truncate_promises_the_whole_and_sends_half() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::truncate());
    let mut connection = parent.connect().unwrap();
    let form = support::encode(&IP);
    connection.write("POST", ADD, &[("Content-Type", FORM)], &form).unwrap();
    let sent = String::from_utf8(connection.rest().unwrap()).unwrap();
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-length: 18\r\n"), "{head}");
    assert_eq!(body, r#"{"ip":"19"#);
    assert!(carried_out(&parent));
}

#[test]
fn truncate_of_an_answer_without_a_body_is_no_answer() {
    let (sandbox, parent) = started();
    parent.post(ADD, &IP);
    inject(&sandbox, Fault::truncate());
    let error = parent.try_post("/api/ip/delete/", &IP).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert!(!carried_out(&parent));
}

#[test]
fn garbage_is_neither_utf_8_nor_json_under_the_right_status() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::garbage().times(2));
    let answer = parent.post(ADD, &IP);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert!(std::str::from_utf8(&answer.body).is_err());
    assert!(carried_out_unharmed(&parent, &sandbox));
    assert_eq!(parent.post(ADD, &IP).status, 400);
}

/// Like [`carried_out`], but the pending faults do not apply to the check.
fn carried_out_unharmed(parent: &Caller, sandbox: &Sandbox) -> bool {
    let faults = sandbox.faults();
    sandbox.clear_faults();
    let carried_out = carried_out(parent);
    for fault in faults {
        inject(sandbox, fault);
    }
    carried_out
}

#[test]
fn wrong_type_is_an_array_for_an_object_and_an_object_for_an_array() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::wrong_type().times(2));
    let object = parent.post(ADD, &IP);
    assert_eq!((object.status, object.json()), (200, json!([1])));
    assert_eq!(parent.get("/api/ip_labels/").json(), json!({ "wrong": "type" }));
    assert!(carried_out(&parent));
}

#[test]
fn wrong_type_inside_exchanges_numbers_and_strings() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::wrong_type_inside().times(2));
    assert!(parent.get("/api/geoips/open/").json()["US"].is_string());
    assert_eq!(parent.post(ADD, &IP).json(), json!({ "ip": 1 }));
}

#[test]
fn html_is_a_page_with_status_200() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::html());
    let answer = parent.post(ADD, &IP);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.text().starts_with("<!DOCTYPE html>"));
    assert!(carried_out(&parent));
}

#[test]
fn empty_is_a_200_with_nothing_in_it() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::empty());
    let answer = parent.post(ADD, &IP);
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert!(carried_out(&parent));
}

#[test]
fn huge_streams_valid_json_of_that_many_bytes_without_saying_how_many() {
    let (sandbox, parent) = started();
    let default = Fault::from_json(r#"{"kind": "huge"}"#).unwrap();
    for (fault, length) in [(Fault::huge(100_000), 100_000), (default, 9 * 1024 * 1024)] {
        inject(&sandbox, fault);
        let answer = parent.get("/api/ips/");
        assert_eq!((answer.status, answer.body.len()), (200, length));
        assert_eq!(answer.header("content-length"), None);
        assert_eq!(answer.json(), json!({ "ips": [] }));
    }
}

#[test]
fn drip_takes_its_time_for_every_byte() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::drip(Duration::from_millis(10)));
    let start = Instant::now();
    let answer = parent.get("/api/ips/");
    assert_eq!(answer.json(), json!({ "ips": [] }));
    let pauses = u32::try_from(answer.body.len() - 1).unwrap();
    assert!(start.elapsed() >= pauses * Duration::from_millis(10));
}

#[test]
fn close_idle_answers_as_usual_and_closes_unannounced() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::close_idle(Duration::from_millis(5)));
    let mut connection = parent.connect().unwrap();
    let answer = connection.send("GET", "/api/ips/", &[], b"").unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), None);
    assert_eq!(connection.rest().unwrap(), b"");
}

#[test]
fn an_answer_without_a_body_becomes_a_200_if_the_fault_needs_a_body() {
    let (sandbox, parent) = started();
    for fault in [Fault::garbage(), Fault::wrong_type(), Fault::huge(1000), Fault::html(), Fault::empty()] {
        inject(&sandbox, fault.path("/api/ip/delete/"));
        parent.post(ADD, &IP);
        assert_eq!(parent.post("/api/ip/delete/", &IP).status, 200);
        assert!(!carried_out(&parent));
    }
}

#[test]
fn faults_that_do_not_carry_the_call_out_leave_the_ban_alone() {
    let (sandbox, parent) = started();
    let wrong = Caller::basic(&sandbox, "parent", "wrong");
    for fault in [Fault::drop(), Fault::reset(), Fault::status(401), Fault::redirect("/")] {
        inject(&sandbox, fault);
        let _ = wrong.try_get("/api/ips/");
    }
    assert_eq!(wrong.get("/api/ips/").status, 401);
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn faults_that_carry_the_call_out_count_its_failed_authentication() {
    let (sandbox, parent) = started();
    let wrong = Caller::basic(&sandbox, "parent", "wrong");
    inject(&sandbox, Fault::drop_after_apply().times(4));
    for _ in 0..4 {
        let _ = wrong.try_get("/api/ips/");
    }
    assert_eq!(parent.get("/api/ips/").status, 401);
}

#[test]
fn a_fault_applies_only_to_its_method_and_path_and_lets_the_first_calls_pass() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::status(500).method("GET").path("/api/ips/").after(1).times(2));
    assert_eq!(parent.get("/api/hostnames/").status, 200);
    let statuses = [(); 4].map(|()| parent.get("/api/ips/").status);
    assert_eq!(statuses, [200, 500, 500, 200]);
}

#[test]
fn times_0_is_for_ever() {
    let (sandbox, parent) = started();
    inject(&sandbox, Fault::status(500).times(0));
    for _ in 0..10 {
        assert_eq!(parent.get("/api/ips/").status, 500);
    }
    sandbox.clear_faults();
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn a_fault_that_can_never_match_is_refused() {
    let (sandbox, _) = started();
    let refused = sandbox.inject(Fault::drop().path("/api/ip/add"));
    assert!(refused.unwrap_err().to_string().contains("the API has no path '/api/ip/add'"));
    let refused = sandbox.inject(Fault::drop().body("x"));
    assert!(refused.unwrap_err().to_string().contains("neither body nor headers"));
    assert_eq!(sandbox.faults(), []);
}
