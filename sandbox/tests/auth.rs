//! Who may call: Basic, Bearer, sub-accounts, and the ban.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends at the first surprise")]

mod support;

use std::time::Duration;

use proxymesh_sandbox::Sandbox;
use serde_json::json;
use support::{Caller, started};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn fail(sandbox: &Sandbox, times: usize) {
    for _ in 0..times {
        let wrong = Caller::basic(sandbox, "parent", "wrong");
        assert_eq!(wrong.get("/api/ips/").status, 401);
    }
}

fn token(parent: &Caller, form: &[(&str, &str)]) -> String {
    let created = parent.post("/api/token/create/", form).json();
    created["token"].as_str().unwrap().to_owned()
}

#[test]
fn whatever_does_not_authenticate_is_a_401_that_says_why_and_asks_for_basic() {
    for (authorization, reason) in [
        (None, "No Authorization header"),
        (Some("Basic cGFyZW50Ondyb25n"), "Wrong username or password"), // parent:wrong
        (Some("Basic bm9ib2R5Ong="), "Wrong username or password"),     // nobody:x
        (Some("Basic cGFyZW50"), "no colon"),
        (Some("Basic !!!"), "not Base64"),
        (Some("Basic /w=="), "not Base64 of UTF-8"),
        (Some("Bearer pm_unknown"), "Unknown, deactivated or expired token"),
        (Some("Bearer"), "Unknown, deactivated or expired token"),
        (Some("Digest x"), "neither Basic nor Bearer"),
    ] {
        let (sandbox, _) = started();
        let caller = match authorization {
            Some(authorization) => Caller::with(&sandbox, authorization),
            None => Caller::nobody(&sandbox),
        };
        let answer = caller.get("/api/proxies/");
        assert_eq!(answer.status, 401, "{authorization:?}");
        assert!(answer.error().contains(reason), "{}", answer.error());
        assert!(answer.error().contains("1 of 4"), "{}", answer.error());
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"ProxyMesh\""));
    }
}

#[test]
fn two_authorization_headers_are_a_401() {
    let (_sandbox, parent) = started();
    let second = [("Authorization", "Bearer pm_x")];
    let answer = parent.send("GET", "/api/ips/", &second, b"").unwrap();
    assert_eq!(answer.status, 401);
    assert!(answer.error().contains("More than one header with credentials"));
}

#[test]
fn a_scheme_may_be_written_in_any_case_and_a_password_may_hold_colons() {
    let sandbox = Sandbox::builder().password("a:b:c").start().unwrap();
    assert_eq!(Caller::parent(&sandbox).get("/api/ips/").status, 200);
    let lower = Caller::with(&sandbox, "bAsIc cGFyZW50OmE6Yjpj");
    assert_eq!(lower.get("/api/ips/").status, 200);
}

#[test]
fn the_fourth_failure_bans_everyone_for_three_hours_even_with_right_credentials() {
    let (sandbox, parent) = started();
    fail(&sandbox, 3);
    assert_eq!(parent.get("/api/ips/").status, 200);
    let fourth = Caller::nobody(&sandbox).get("/api/ips/");
    assert!(fourth.error().contains("Banned for 3 hours"), "{}", fourth.error());

    let banned = parent.get("/api/ips/");
    assert_eq!(banned.status, 401);
    assert!(banned.error().starts_with("Banned for 3 hours after 4"), "{}", banned.error());
    sandbox.advance(3 * HOUR - MINUTE);
    assert_eq!(parent.get("/api/ips/").status, 401);
    sandbox.advance(MINUTE);
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn a_failure_during_the_ban_neither_prolongs_it_nor_counts_afterwards() {
    let (sandbox, parent) = started();
    fail(&sandbox, 4);
    sandbox.advance(3 * HOUR - MINUTE);
    fail(&sandbox, 10);
    sandbox.advance(MINUTE);
    fail(&sandbox, 3);
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn failures_more_than_five_minutes_apart_do_not_ban() {
    let (sandbox, parent) = started();
    for _ in 0..4 {
        fail(&sandbox, 2);
        sandbox.advance(5 * MINUTE);
    }
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn a_success_in_between_does_not_start_the_count_anew() {
    let (sandbox, parent) = started();
    for _ in 0..3 {
        fail(&sandbox, 1);
        assert_eq!(parent.get("/api/ips/").status, 200);
    }
    fail(&sandbox, 1);
    assert_eq!(parent.get("/api/ips/").status, 401);
}

#[test]
fn paths_and_methods_that_do_not_exist_are_reported_without_counting_a_failure() {
    let (sandbox, parent) = started();
    let nobody = Caller::nobody(&sandbox);
    for _ in 0..4 {
        assert_eq!(nobody.get("/api/nothing/").status, 404);
        assert_eq!(nobody.post("/api/ips/", &[]).status, 405);
    }
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn a_sub_account_makes_its_own_calls_but_manages_neither_sub_accounts_nor_tokens() {
    let (sandbox, _) = started();
    let sub = Caller::sub_account(&sandbox, "sub");
    assert_eq!(sub.post("/api/ip/add/", &[("ip", "192.0.2.1")]).status, 200);
    assert_eq!(sub.get("/api/ips/").json(), json!({ "ips": ["192.0.2.1"] }));
    for path in ["/api/hostnames/", "/api/proxies/", "/api/geoips/open/", "/api/geoips/world/"] {
        assert_eq!(sub.get(path).status, 200, "{path}");
    }
    for verb in ["create", "edit", "activate", "deactivate", "delete"] {
        let answer = sub.post(&format!("/api/sub/{verb}/"), &[("username", "sub")]);
        let reason = "Only the parent account may make this call.";
        assert_eq!((answer.status, answer.error().as_str()), (403, reason));
    }
    assert_eq!(sub.get("/api/sub/get/?username=sub").status, 403);
    assert_eq!(sub.get("/api/tokens/").status, 403);
    for verb in ["create", "activate", "deactivate", "delete"] {
        assert_eq!(sub.post(&format!("/api/token/{verb}/"), &[("id", "1")]).status, 403);
    }
}

#[test]
fn a_sub_account_may_not_give_a_username_not_even_its_own() {
    let (sandbox, _) = started();
    let sub = Caller::sub_account(&sandbox, "sub");
    for username in ["sub", "parent", "nobody"] {
        let ip = [("ip", "192.0.2.1"), ("username", username)];
        let domain = [("domain", "a.example.com"), ("username", username)];
        let query = format!("?username={username}");
        for answer in [
            sub.post("/api/ip/add/", &ip),
            sub.post("/api/ip/delete/", &ip),
            sub.post("/api/hostname/add/", &domain),
            sub.post("/api/hostname/delete/", &domain),
            sub.get(&format!("/api/ips/{query}")),
            sub.get(&format!("/api/ip_labels/{query}")),
        ] {
            let reason = "Only the parent account may give a username.";
            assert_eq!((answer.status, answer.error().as_str()), (403, reason));
        }
    }
}

#[test]
fn the_proxies_of_a_sub_account_are_its_parents() {
    let (sandbox, parent) = started();
    let sub = Caller::sub_account(&sandbox, "sub");
    sub.post("/api/proxy/add/", &[("proxy", "jp")]);
    let proxies = parent.get("/api/proxies/").json();
    assert_eq!(proxies["proxies"][3], "jp.proxymesh.com:31280");
    assert_eq!(sub.get("/api/proxies/").json(), proxies);
}

#[test]
fn an_inactive_sub_account_fails_to_authenticate_by_password_and_by_token() {
    let (sandbox, parent) = started();
    let by_password = Caller::sub_account(&sandbox, "sub");
    let token = token(&parent, &[("username", "sub")]);
    let by_token = Caller::bearer(&sandbox, &token);
    parent.post("/api/sub/deactivate/", &[("username", "sub")]);
    assert_eq!(by_password.get("/api/ips/").status, 401);
    let answer = by_token.get("/api/ips/");
    assert_eq!(answer.status, 401);
    assert!(answer.error().contains("2 of 4"), "{}", answer.error());
    parent.post("/api/sub/activate/", &[("username", "sub")]);
    assert_eq!(by_password.get("/api/ips/").status, 200);
    assert_eq!(by_token.get("/api/ips/").status, 200);
}

#[test]
fn a_sub_account_without_a_password_has_no_empty_one() {
    let (sandbox, parent) = started();
    parent.post("/api/sub/create/", &[("username", "sub")]);
    assert_eq!(Caller::basic(&sandbox, "sub", "").get("/api/ips/").status, 401);
}

#[test]
fn a_token_authenticates_as_the_account_it_was_created_for() {
    let (sandbox, parent) = started();
    parent.post("/api/sub/create/", &[("username", "sub")]);
    parent.post("/api/ip/add/", &[("ip", "192.0.2.1")]);
    parent.post("/api/ip/add/", &[("ip", "192.0.2.2"), ("username", "sub")]);

    let as_parent = Caller::bearer(&sandbox, &token(&parent, &[]));
    assert_eq!(as_parent.get("/api/ips/").json(), json!({ "ips": ["192.0.2.1"] }));
    assert_eq!(as_parent.get("/api/sub/get/?username=sub").status, 200);

    let as_sub = Caller::bearer(&sandbox, &token(&parent, &[("username", "sub")]));
    assert_eq!(as_sub.get("/api/ips/").json(), json!({ "ips": ["192.0.2.2"] }));
    assert_eq!(as_sub.get("/api/sub/get/?username=sub").status, 403);
}

#[test]
fn a_token_no_longer_authenticates_when_deactivated_deleted_or_expired() {
    let (sandbox, parent) = started();
    let last_day = day_after(&sandbox, 2 * DAY);
    let bearer = Caller::bearer(&sandbox, &token(&parent, &[("expires_at", &last_day)]));
    assert_eq!(bearer.get("/api/ips/").status, 200);
    parent.post("/api/token/deactivate/", &[("id", "1")]);
    assert_eq!(bearer.get("/api/ips/").status, 401);
    parent.post("/api/token/activate/", &[("id", "1")]);
    sandbox.advance(DAY);
    assert_eq!(bearer.get("/api/ips/").status, 200);
    sandbox.advance(2 * DAY);
    assert_eq!(bearer.get("/api/ips/").status, 401);

    let bearer = Caller::bearer(&sandbox, &token(&parent, &[]));
    assert_eq!(bearer.get("/api/ips/").status, 200);
    parent.post("/api/token/delete/", &[("id", "2")]);
    assert_eq!(bearer.get("/api/ips/").status, 401);
}

/// The sandbox's date after this time.
fn day_after(sandbox: &Sandbox, by: Duration) -> String {
    let then = jiff::Timestamp::try_from(sandbox.now() + by).unwrap();
    then.strftime("%Y-%m-%d").to_string()
}

#[test]
fn a_token_cannot_manage_tokens_and_trying_is_not_a_failed_authentication() {
    let (sandbox, parent) = started();
    let bearer = Caller::bearer(&sandbox, &token(&parent, &[]));
    for _ in 0..2 {
        let listed = bearer.get("/api/tokens/");
        assert_eq!(listed.status, 403);
        assert!(listed.error().contains("Basic authentication only"));
        for verb in ["create", "deactivate", "activate", "delete"] {
            let answer = bearer.post(&format!("/api/token/{verb}/"), &[("id", "1")]);
            assert_eq!(answer.status, 403, "{verb}");
        }
    }
    assert_eq!(parent.get("/api/tokens/").json()["tokens"][0]["is_active"], true);
    assert_eq!(bearer.get("/api/ips/").status, 200);
}

#[test]
fn an_unknown_token_on_a_token_endpoint_is_a_failed_authentication() {
    let (sandbox, parent) = started();
    for _ in 0..4 {
        assert_eq!(Caller::bearer(&sandbox, "pm_x").get("/api/tokens/").status, 401);
    }
    assert_eq!(parent.get("/api/ips/").status, 401);
}
