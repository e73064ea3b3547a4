//! The limits of the plans, and of the account.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use proxymesh_sandbox::{Plan, Sandbox};
use support::Caller;

fn on(plan: Plan) -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().plan(plan).start().unwrap();
    let parent = Caller::parent(&sandbox);
    (sandbox, parent)
}

const PLANS: [Plan; 5] =
    [Plan::FreeTrial, Plan::ProxyMesh10, Plan::ProxyMesh20, Plan::ProxyMesh50, Plan::ProxyMesh100];

#[test]
fn the_free_trial_has_no_tokens() {
    let (_sandbox, parent) = on(Plan::FreeTrial);
    let answer = parent.post("/api/token/create/", &[]);
    assert_eq!(answer.status, 402);
    assert_eq!(answer.error(), "The plan has no tokens; upgrade to a paid one.");
}

#[test]
fn a_plan_has_the_documented_number_of_tokens() {
    let documented = [0, 10, 20, 50, 100];
    assert_eq!(PLANS.map(Plan::tokens), documented);
}

#[test]
fn one_token_more_than_the_plan_allows_is_402_until_one_is_deleted() {
    for plan in [Plan::ProxyMesh10, Plan::ProxyMesh20] {
        let (_sandbox, parent) = on(plan);
        parent.post("/api/sub/create/", &[("username", "sub")]);
        // The tokens of sub-accounts and deactivated tokens count.
        parent.post("/api/token/create/", &[("username", "sub")]);
        parent.post("/api/token/deactivate/", &[("username", "sub"), ("id", "1")]);
        for _ in 1..plan.tokens() {
            assert_eq!(parent.post("/api/token/create/", &[]).status, 200);
        }
        for form in [&[][..], &[("username", "sub")]] {
            let answer = parent.post("/api/token/create/", form);
            assert_eq!(answer.status, 402);
            let reason = format!("The plan's limit of {plan} tokens is reached; upgrade, or delete one.");
            assert_eq!(answer.error(), reason);
        }
        parent.post("/api/token/delete/", &[("username", "sub"), ("id", "1")]);
        assert_eq!(parent.post("/api/token/create/", &[]).status, 200);
    }
}

#[test]
fn one_sub_account_more_than_the_plan_allows_is_402_until_one_is_deleted() {
    for plan in [Plan::FreeTrial, Plan::ProxyMesh10] {
        let (_sandbox, parent) = on(plan);
        let create = |number: usize| {
            let username = format!("sub-{number}");
            parent.post("/api/sub/create/", &[("username", &username)])
        };
        for number in 0..plan.sub_accounts() {
            assert_eq!(create(number).status, 200);
        }
        let answer = create(999);
        assert_eq!(answer.status, 402);
        assert!(answer.error().contains("limit"), "{}", answer.error());
        // An inactive sub-account still counts.
        parent.post("/api/sub/deactivate/", &[("username", "sub-0")]);
        assert_eq!(create(999).status, 402);
        parent.post("/api/sub/delete/", &[("username", "sub-0")]);
        assert_eq!(create(999).status, 200);
    }
}

#[test]
fn an_invalid_form_is_reported_before_the_plans_limit() {
    let (_sandbox, parent) = on(Plan::FreeTrial);
    parent.post("/api/sub/create/", &[("username", "sub")]);
    assert_eq!(parent.post("/api/sub/create/", &[("username", "sub")]).status, 400);
    assert_eq!(parent.post("/api/sub/create/", &[("username", "a b")]).status, 400);
    assert_eq!(parent.post("/api/sub/create/", &[("username", "other")]).status, 402);
}

#[test]
fn one_proxy_more_than_the_plan_allows_is_402_until_one_is_deleted() {
    let hosts = ["us-fl", "us-wa", "us-dc", "uk", "de", "nl", "fr", "jp", "au", "in", "sg", "open", "world"];
    for plan in PLANS {
        let (_sandbox, parent) = on(plan);
        let add = |proxy| parent.post("/api/proxy/add/", &[("proxy", proxy)]);
        let (fit, over) = hosts.split_at(plan.proxies() - 3);
        for host in fit {
            assert_eq!(add(host).status, 200, "{plan} {host}");
        }
        for host in over {
            let answer = add(host);
            assert_eq!(answer.status, 402, "{plan} {host}");
            assert!(answer.error().contains("limit"), "{}", answer.error());
        }
        // Authorising a proxy again does not count.
        assert_eq!(add("us-ca").status, 200);
        if let Some(host) = over.first() {
            parent.post("/api/proxy/delete/", &[("proxy", "us-ca")]);
            assert_eq!(add(host).status, 200);
        }
    }
}

#[test]
fn the_hundred_and_first_ip_of_an_account_is_400() {
    let (_sandbox, parent) = on(Plan::default());
    parent.post("/api/sub/create/", &[("username", "sub")]);
    for last in 0..100 {
        let ip = format!("192.0.2.{last}");
        assert_eq!(parent.post("/api/ip/add/", &[("ip", &ip)]).status, 200);
    }
    let add = || parent.post("/api/ip/add/", &[("ip", "2001:db8::1")]);
    let answer = add();
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("100 authorised IPs"), "{}", answer.error());
    // A sub-account has its own limit of 100.
    let of_sub = [("ip", "2001:db8::1"), ("username", "sub")];
    assert_eq!(parent.post("/api/ip/add/", &of_sub).status, 200);
    parent.post("/api/ip/delete/", &[("ip", "192.0.2.0")]);
    assert_eq!(add().status, 200);
}

#[test]
fn lengths_at_their_limit_pass_and_are_counted_in_characters() {
    let (_sandbox, parent) = on(Plan::default());
    let form = |extra: usize| {
        let text = move |length: usize| "ü".repeat(length + extra);
        [
            ("username", "u".repeat(30 + extra)),
            ("password", text(128)),
            ("first_name", text(20)),
            ("last_name", text(20)),
            ("email", format!("a@{}", text(253))),
        ]
    };
    let post = |pairs: &[(&str, String)]| {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        parent.post("/api/sub/create/", &pairs)
    };
    assert_eq!(post(&form(0)).status, 200);
    let refused = post(&form(1));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json().as_object().unwrap().len(), 5, "{}", refused.text());

    let label = |length| parent.post("/api/token/create/", &[("label", &"ü".repeat(length))]);
    assert_eq!((label(100).status, label(101).status), (200, 400));
}
