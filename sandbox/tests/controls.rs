//! The controls: from Rust, and over HTTP under `/_sandbox/`.

mod support;

use std::time::{Duration, Instant};

use proxymesh_sandbox::{Error, Fault, Plan, RecordedAuth, Sandbox};
use serde_json::json;
use support::{Caller, soon, started};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn requests_are_recorded_without_secrets_and_without_the_controls() {
    let (sandbox, parent) = started();
    let form = [("username", "me@example.com"), ("password", "top-secret")];
    parent.post("/api/sub/create/", &form);
    let token = parent.post("/api/token/create/", &[]).json();
    let token = token["token"].as_str().unwrap();
    Caller::bearer(&sandbox, token).get("/api/ips/?username=me%40example.com");
    Caller::nobody(&sandbox).get("/api/nothing/?password=top-secret");
    parent.control("GET", "/_sandbox/requests", "");

    let answer = Caller::nobody(&sandbox).control("GET", "/_sandbox/requests", "");
    let basic = json!({ "kind": "basic", "username": "parent" });
    let form_encoded = "application/x-www-form-urlencoded";
    let expected = json!([
        {
            "number": 1, "method": "POST", "path": "/api/sub/create/", "query": [],
            "form": [["username", "me@example.com"], ["password", "***"]],
            "content_type": form_encoded, "auth": basic, "status": 200, "fault": null,
        },
        {
            "number": 2, "method": "POST", "path": "/api/token/create/", "query": [], "form": [],
            "content_type": form_encoded, "auth": basic, "status": 200, "fault": null,
        },
        {
            "number": 3, "method": "GET", "path": "/api/ips/",
            "query": [["username", "me@example.com"]], "form": [],
            "content_type": null, "auth": { "kind": "bearer" }, "status": 200, "fault": null,
        },
        {
            "number": 4, "method": "GET", "path": "/api/nothing/",
            "query": [["password", "***"]], "form": [],
            "content_type": null, "auth": { "kind": "none" }, "status": 404, "fault": null,
        },
    ]);
    assert_eq!(answer.json(), expected);
    for secret in ["top-secret", token, sandbox.password()] {
        assert!(!answer.text().contains(secret));
    }
    let in_rust = sandbox.requests();
    assert_eq!(serde_json::to_value(&in_rust).unwrap(), expected);
    assert_eq!(in_rust[2].auth, RecordedAuth::Bearer);
}

#[test]
fn requests_are_forgotten_but_their_numbers_go_on_until_a_reset() {
    let (sandbox, parent) = started();
    parent.get("/api/ips/");
    let cleared = parent.control("DELETE", "/_sandbox/requests", "");
    assert_eq!(cleared.json(), json!({ "cleared": 1 }));
    assert_eq!(sandbox.requests(), []);
    parent.get("/api/ips/");
    assert_eq!(sandbox.requests()[0].number, 2);
    sandbox.clear_requests();
    assert_eq!(sandbox.requests(), []);
    sandbox.reset();
    parent.get("/api/ips/");
    assert_eq!(sandbox.requests()[0].number, 1);
}

#[test]
fn faults_are_injected_listed_and_forgotten_over_http() {
    let (sandbox, parent) = started();
    let fault = r#"{"kind": "status", "status": 503, "times": 2, "path": "/api/ips/", "headers": {"Retry-After": "1"}}"#;
    assert_eq!(parent.control("POST", "/_sandbox/faults", fault).status, 200);
    assert_eq!(parent.get("/api/ips/").status, 503);
    let left = json!({
        "kind": "status", "status": 503, "times": 1, "after": 0,
        "path": "/api/ips/", "headers": { "Retry-After": "1" },
    });
    assert_eq!(parent.control("GET", "/_sandbox/faults", "").json(), json!([left]));
    let in_rust = Fault::status(503).header("Retry-After", "1").path("/api/ips/");
    assert_eq!(sandbox.faults(), [in_rust]);
    let cleared = parent.control("DELETE", "/_sandbox/faults", "");
    assert_eq!(cleared.json(), json!({ "cleared": 1 }));
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn the_clock_moves_forward_over_http_too() {
    let (sandbox, parent) = started();
    let before = sandbox.now();
    let clock = |body| parent.control("POST", "/_sandbox/clock", body);
    assert_eq!(clock(r#"{"advance_seconds": 600}"#).status, 200);
    assert!(sandbox.now() >= before + Duration::from_secs(600));
    assert_eq!(clock(r#"{"advance_days": 1.5}"#).status, 200);
    let now = sandbox.now();
    assert!(now >= before + Duration::from_secs(600) + DAY * 3 / 2);
    assert!(now < before + 2 * DAY);
    let shown = parent.control("GET", "/_sandbox/clock", "").json();
    let shown: jiff::Timestamp = shown["now"].as_str().unwrap().parse().unwrap();
    assert!(shown.duration_since(now.try_into().unwrap()).abs().as_secs() < 60);
}

#[test]
fn created_at_follows_the_clock() {
    let (sandbox, parent) = started();
    sandbox.advance(1000 * DAY);
    let created = parent.post("/api/token/create/", &[]).json();
    let created_at = format!("{}Z", created["created_at"].as_str().unwrap());
    let created_at: jiff::Timestamp = created_at.parse().unwrap();
    let now = sandbox.now().try_into().unwrap();
    assert!(created_at.duration_since(now).abs().as_secs() < 60);
}

#[test]
fn the_clock_stays_within_the_calendar() {
    let (sandbox, parent) = started();
    sandbox.advance(Duration::MAX);
    let too_far = parent.control("POST", "/_sandbox/clock", r#"{"advance_seconds": 1}"#);
    assert_eq!(too_far.status, 400);
    assert!(too_far.error().contains("100 years"), "{}", too_far.error());
    assert_eq!(parent.post("/api/token/create/", &[]).status, 200);
}

#[test]
fn usage_counts_towards_the_parent_and_a_new_period_begins_after_thirty_days() {
    let (sandbox, parent) = started();
    parent.post("/api/sub/create/", &[("username", "sub")]);
    let usage = r#"{"username": "sub", "gigabytes": 1.5}"#;
    assert_eq!(parent.control("POST", "/_sandbox/usage", usage).status, 200);
    sandbox.book_usage("sub", 0.5).unwrap();
    sandbox.book_usage("parent", 4.0).unwrap();
    let bandwidth = || {
        let sub = parent.get("/api/sub/get/?username=sub").json();
        let account = parent.control("GET", "/_sandbox/account", "").json();
        [sub, account].map(|of| [of["monthly_bandwidth"].clone(), of["total_bandwidth"].clone()])
    };
    assert_eq!(json!(bandwidth()), json!([[2.0, 2.0], [6.0, 6.0]]));
    sandbox.advance(29 * DAY);
    assert_eq!(json!(bandwidth()), json!([[2.0, 2.0], [6.0, 6.0]]));
    sandbox.advance(DAY);
    assert_eq!(json!(bandwidth()), json!([[0.0, 2.0], [0.0, 6.0]]));
    sandbox.book_usage("sub", 1.0).unwrap();
    assert_eq!(json!(bandwidth()), json!([[1.0, 3.0], [1.0, 7.0]]));
}

#[test]
fn usage_is_not_negative_and_belongs_to_someone() {
    let (sandbox, parent) = started();
    for gigabytes in [-0.1, f64::NAN, f64::INFINITY, 1e10] {
        let refused = sandbox.book_usage("parent", gigabytes);
        assert!(matches!(refused, Err(Error::Invalid(_))), "{gigabytes}");
    }
    let refused = sandbox.book_usage("nobody", 1.0);
    assert!(matches!(refused, Err(Error::UnknownAccount(name)) if name == "nobody"));
    let usage = |body| parent.control("POST", "/_sandbox/usage", body).status;
    assert_eq!(usage(r#"{"username": "nobody", "gigabytes": 1}"#), 404);
    assert_eq!(usage(r#"{"username": "parent", "gigabytes": -1}"#), 400);
    assert_eq!(usage(r#"{"username": "parent", "gigabytes": 1e999}"#), 400);
}

#[test]
fn account_shows_the_plan_its_limits_what_there_is_and_who_is_banned() {
    let sandbox = Sandbox::builder().plan(Plan::ProxyMesh10).start().unwrap();
    let parent = Caller::parent(&sandbox);
    let form = [("username", "sub"), ("password", "top-secret"), ("monthly_limit", "5")];
    parent.post("/api/sub/create/", &form);
    for _ in 0..4 {
        Caller::nobody(&sandbox).get("/api/ips/");
    }
    let answer = parent.control("GET", "/_sandbox/account", "");
    assert!(!answer.text().contains("secret"));
    let account = answer.json();
    assert_eq!(account["plan"], "10");
    assert_eq!(account["limits"], json!({ "tokens": 10, "sub_accounts": 10, "proxies": 5 }));
    assert_eq!(account["sub_accounts"][0]["username"], "sub");
    assert_eq!(account["sub_accounts"][0]["monthly_bandwidth_limit"], 5);
    assert_eq!(account["banned"][0]["caller"], "127.0.0.1");
    sandbox.advance(DAY);
    let account = parent.control("GET", "/_sandbox/account", "").json();
    assert_eq!(account["banned"], json!([]));
}

#[test]
fn reset_brings_everything_back_to_the_start() {
    let (sandbox, parent) = started();
    let start = Instant::now();
    let before = sandbox.now();
    for reset_over_http in [true, false] {
        parent.post("/api/sub/create/", &[("username", "sub")]);
        parent.post("/api/ip/add/", &[("ip", "192.0.2.1")]);
        parent.post("/api/token/create/", &[]);
        parent.post("/api/proxy/delete/", &[("proxy", "us-ca")]);
        sandbox.advance(31 * DAY);
        for _ in 0..4 {
            Caller::nobody(&sandbox).get("/api/ips/");
        }
        sandbox.inject(Fault::drop()).unwrap();

        if reset_over_http {
            assert_eq!(parent.control("POST", "/_sandbox/reset", "").status, 200);
        } else {
            sandbox.reset();
        }

        assert_eq!((sandbox.requests(), sandbox.faults()), (vec![], vec![]));
        assert!(sandbox.now() <= before + start.elapsed() + Duration::from_secs(60));
        assert_eq!(parent.get("/api/sub/get/?username=sub").status, 404);
        assert_eq!(parent.get("/api/ips/").json(), json!({ "ips": [] }));
        assert_eq!(parent.get("/api/tokens/").json(), json!({ "tokens": [] }));
        let proxies = parent.get("/api/proxies/").json();
        assert_eq!(proxies["proxies"][0], "us-ca.proxymesh.com:31280");
    }
}

#[test]
fn open_connections_are_counted_and_idle_ones_closed_after_the_keep_alive() {
    let sandbox = Sandbox::builder().keep_alive(Some(Duration::from_millis(50))).start().unwrap();
    let parent = Caller::parent(&sandbox);
    sandbox.inject(Fault::delay(Duration::from_millis(200))).unwrap();
    let mut used = parent.connect().unwrap();
    // A call in progress is not idle.
    assert_eq!(used.send("GET", "/api/ips/", &[], b"").unwrap().status, 200);
    let mut unused = parent.connect().unwrap();
    assert_eq!(used.rest().unwrap(), b"");
    assert_eq!(unused.rest().unwrap(), b"");
    assert!(soon(|| sandbox.open_connections() == 0));

    let (sandbox, parent) = started();
    let connections = [(); 3].map(|()| parent.connect().unwrap());
    assert!(soon(|| sandbox.open_connections() == 3));
    let open = parent.control("GET", "/_sandbox/connections", "").json();
    assert_eq!(open, json!({ "open": 4 }));
    drop(connections);
    assert!(soon(|| sandbox.open_connections() == 0));
}

#[test]
fn the_first_page_says_what_there_is() {
    let (sandbox, _) = started();
    let nobody = Caller::nobody(&sandbox);
    for path in ["/_sandbox/", "/_sandbox"] {
        let page = nobody.control("GET", path, "");
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), Some("text/plain; charset=utf-8"));
        for control in ["requests", "faults", "clock", "usage", "account", "connections", "reset"] {
            assert!(page.text().contains(&format!("/_sandbox/{control}")), "{control}");
        }
    }
}

#[test]
fn what_the_controls_do_not_know_is_refused_with_a_reason() {
    let (sandbox, _) = started();
    let nobody = Caller::nobody(&sandbox);
    for (method, path, body, status, reason) in [
        ("GET", "/_sandbox/nothing", "", 404, "There is nothing at /_sandbox/nothing"),
        ("GET", "/_sandbox/requests/", "", 404, "There is nothing"),
        ("PUT", "/_sandbox/faults", "{}", 400, "accepts no query"),
        ("PUT", "/_sandbox/faults", "", 405, "accepts GET, POST, DELETE, not PUT"),
        ("GET", "/_sandbox/reset", "", 405, "accepts POST"),
        ("GET", "/_sandbox/requests?last=1", "", 400, "accepts no query"),
        (
            "POST",
            "/_sandbox/faults",
            r#"{"kind": "explode"}"#,
            400,
            "unknown variant `explode`, expected one of",
        ),
        (
            "POST",
            "/_sandbox/faults",
            r#"{"kind": "drop", "tmies": 2}"#,
            400,
            "kind `drop` has no field `tmies`",
        ),
        (
            "POST",
            "/_sandbox/faults",
            r#"{"kind": "drop", "status": 500}"#,
            400,
            "kind `drop` has no field `status`",
        ),
        ("POST", "/_sandbox/faults", "kind=drop", 400, "invalid fault"),
        ("POST", "/_sandbox/clock", r#"{"advance_seconds": -1}"#, 400, "cannot go back"),
        ("POST", "/_sandbox/clock", r#"{"advance_days": -0.5}"#, 400, "cannot go back"),
        ("POST", "/_sandbox/clock", r#"{"advance_hours": 1}"#, 400, "unknown field `advance_hours`"),
        ("POST", "/_sandbox/clock", r#"{"advance_seconds": 1, "advance_days": 1}"#, 400, "either"),
        ("POST", "/_sandbox/clock", "{}", 400, "either"),
        ("POST", "/_sandbox/clock", r#"{"advance_seconds": 1e300}"#, 400, "100 years"),
        ("POST", "/_sandbox/usage", r#"{"username": "parent"}"#, 400, "missing field `gigabytes`"),
        ("POST", "/_sandbox/usage", "", 400, "EOF"),
    ] {
        let answer = nobody.control(method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {body}");
        assert!(answer.error().contains(reason), "{}", answer.error());
    }
}

#[test]
fn a_builder_refuses_what_the_service_would_not_take() {
    let refused = [
        Sandbox::builder().username("a:b"),
        Sandbox::builder().username(""),
        Sandbox::builder().password(""),
    ];
    for builder in refused {
        assert!(matches!(builder.start(), Err(Error::Invalid(_))));
    }
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let (sandbox, _) = started();
    let port = sandbox.address().port();
    let error = Sandbox::builder().port(port).start().unwrap_err();
    let expected = format!("cannot listen on 127.0.0.1:{port}: address already in use");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn stop_closes_what_is_open_and_may_be_called_twice() {
    let (sandbox, parent) = started();
    let mut idle = parent.connect().unwrap();
    idle.send("GET", "/api/ips/", &[], b"").unwrap();
    sandbox.inject(Fault::delay(Duration::from_secs(3600))).unwrap();
    let mut busy = parent.connect().unwrap();
    busy.write("GET", "/api/ips/", &[], b"").unwrap();
    assert!(soon(|| sandbox.requests().len() == 2));

    let start = Instant::now();
    sandbox.stop();
    sandbox.stop();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(sandbox.open_connections(), 0);
    assert_eq!(idle.rest().unwrap(), b"");
    assert_eq!(busy.rest().unwrap_or_default(), b"");
    assert!(parent.connect().is_err());
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn a_sandbox_lives_and_ends_inside_an_asynchronous_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (sandbox, parent) = started();
        assert_eq!(parent.get("/api/ips/").status, 200);
        drop(sandbox);
        assert!(parent.connect().is_err());
    });
}

#[test]
fn many_threads_may_share_a_sandbox() {
    let (sandbox, parent) = started();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (sandbox, parent) = (&sandbox, &parent);
            scope.spawn(move || {
                let ip = format!("192.0.2.{number}");
                assert_eq!(parent.post("/api/ip/add/", &[("ip", &ip)]).status, 200);
                assert!(!sandbox.requests().is_empty());
            });
        }
    });
    let ips = parent.get("/api/ips/").json();
    assert_eq!(ips["ips"].as_array().unwrap().len(), 16);
}

#[test]
fn the_debug_text_of_a_sandbox_has_no_password() {
    let builder = Sandbox::builder().password("top-secret");
    assert!(!format!("{builder:?}").contains("top-secret"));
    let sandbox = builder.start().unwrap();
    assert!(!format!("{sandbox:?}").contains("top-secret"));
}
