//! What each call does, and what it answers.

mod support;

use serde_json::{Value, json};
use support::{Caller, started};

#[test]
fn sub_create_returns_the_sub_account_with_its_limits_under_their_other_names() {
    let (_sandbox, parent) = started();
    let answer = parent.post(
        "/api/sub/create/",
        &[
            ("username", "me+1@example.com"),
            ("password", "pass:word ü"),
            ("first_name", "Zoë"),
            ("last_name", "字"),
            ("email", "zoe@example.com"),
            ("monthly_limit", "5"),
            ("total_limit", "0"),
        ],
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let expected = json!({
        "username": "me+1@example.com",
        "active": true,
        "monthly_bandwidth": 0.0,
        "total_bandwidth": 0.0,
        "monthly_bandwidth_limit": 5,
        "total_bandwidth_limit": 0,
        "first_name": "Zoë",
        "last_name": "字",
        "email": "zoe@example.com",
    });
    assert_eq!(answer.json(), expected);
    let got = parent.get("/api/sub/get/?username=me%2B1%40example.com");
    assert_eq!(got.json(), expected);
}

#[test]
fn a_sub_account_created_with_only_a_username_has_no_names_and_no_email() {
    let (_sandbox, parent) = started();
    let answer = parent.post("/api/sub/create/", &[("username", "sub"), ("first_name", "")]);
    let expected = json!({
        "username": "sub",
        "active": true,
        "monthly_bandwidth": 0.0,
        "total_bandwidth": 0.0,
        "monthly_bandwidth_limit": 0,
        "total_bandwidth_limit": 0,
    });
    assert_eq!(answer.json(), expected);
}

#[test]
fn a_taken_username_is_a_form_error() {
    let (_sandbox, parent) = started();
    parent.post("/api/sub/create/", &[("username", "sub")]);
    for taken in ["sub", "parent"] {
        let answer = parent.post("/api/sub/create/", &[("username", taken)]);
        assert_eq!(answer.status, 400);
        let reason = format!("The username '{taken}' is already taken.");
        assert_eq!(answer.json(), json!({ "username": [reason] }));
    }
}

#[test]
fn sub_edit_changes_what_is_sent_and_clears_a_text_with_an_empty_string() {
    let (_sandbox, parent) = started();
    let form = [("username", "sub"), ("first_name", "A"), ("email", "a@b"), ("monthly_limit", "5")];
    parent.post("/api/sub/create/", &form);
    let form = [("username", "sub"), ("first_name", ""), ("total_limit", "9")];
    let edited = parent.post("/api/sub/edit/", &form);
    assert_eq!(edited.status, 200);
    let edited = edited.json();
    assert_eq!(edited.get("first_name"), None);
    assert_eq!(edited["email"], "a@b");
    assert_eq!(edited["monthly_bandwidth_limit"], 5);
    assert_eq!(edited["total_bandwidth_limit"], 9);
    assert_eq!(parent.get("/api/sub/get/?username=sub").json(), edited);
}

#[test]
fn sub_edit_changes_the_password() {
    let (sandbox, parent) = started();
    let old = Caller::sub_account(&sandbox, "sub");
    parent.post("/api/sub/edit/", &[("username", "sub"), ("first_name", "A")]);
    assert_eq!(old.get("/api/ips/").status, 200);
    parent.post("/api/sub/edit/", &[("username", "sub"), ("password", "new")]);
    assert_eq!(old.get("/api/ips/").status, 401);
    assert_eq!(Caller::basic(&sandbox, "sub", "new").get("/api/ips/").status, 200);
}

#[test]
fn sub_deactivate_and_activate_may_be_repeated() {
    let (_sandbox, parent) = started();
    parent.post("/api/sub/create/", &[("username", "sub")]);
    for (path, active) in [
        ("/api/sub/deactivate/", false),
        ("/api/sub/deactivate/", false),
        ("/api/sub/activate/", true),
        ("/api/sub/activate/", true),
    ] {
        let answer = parent.post(path, &[("username", "sub")]);
        assert_eq!((answer.status, &answer.json()["active"]), (200, &json!(active)));
        assert_eq!(parent.get("/api/sub/get/?username=sub").json(), answer.json());
    }
}

#[test]
fn sub_delete_returns_an_empty_200_and_leaves_nothing() {
    let (sandbox, parent) = started();
    let sub = Caller::sub_account(&sandbox, "sub");
    sub.post("/api/ip/add/", &[("ip", "192.0.2.1")]);
    let token = parent.post("/api/token/create/", &[("username", "sub")]).json();
    let token = token["token"].as_str().unwrap();
    assert_eq!(Caller::bearer(&sandbox, token).get("/api/ips/").status, 200);

    let deleted = parent.post("/api/sub/delete/", &[("username", "sub")]);
    assert_eq!((deleted.status, deleted.text()), (200, ""));

    assert_eq!(sub.get("/api/ips/").status, 401);
    assert_eq!(Caller::bearer(&sandbox, token).get("/api/ips/").status, 401);
    Caller::sub_account(&sandbox, "sub");
    assert_eq!(sub.get("/api/ips/").json(), json!({ "ips": [] }));
    assert_eq!(parent.get("/api/tokens/?username=sub").json(), json!({ "tokens": [] }));
}

#[test]
fn every_sub_call_answers_404_to_an_unknown_and_403_to_the_parents_own_username() {
    let (_sandbox, parent) = started();
    for (username, status, reason) in [
        ("nobody", 404, "The sub-account 'nobody' cannot be found."),
        ("parent", 403, "'parent' is not a sub-account of yours."),
    ] {
        for verb in ["edit", "activate", "deactivate", "delete"] {
            let path = format!("/api/sub/{verb}/");
            let answer = parent.post(&path, &[("username", username)]);
            assert_eq!((answer.status, answer.error().as_str()), (status, reason), "{verb}");
        }
        let answer = parent.get(&format!("/api/sub/get/?username={username}"));
        assert_eq!((answer.status, answer.error().as_str()), (status, reason));
    }
}

#[test]
fn ips_are_added_listed_with_their_labels_and_deleted() {
    let (_sandbox, parent) = started();
    assert_eq!(parent.get("/api/ips/").json(), json!({ "ips": [] }));
    assert_eq!(parent.get("/api/ip_labels/").json(), json!([]));

    let added = parent.post("/api/ip/add/", &[("ip", "192.0.2.1"), ("label", "at home")]);
    assert_eq!((added.status, added.json()), (200, json!({ "ip": "192.0.2.1" })));
    parent.post("/api/ip/add/", &[("ip", "192.0.2.2")]);

    let both = json!({ "ips": ["192.0.2.1", "192.0.2.2"] });
    assert_eq!(parent.get("/api/ips/").json(), both);
    let labels = json!([
        { "ip": "192.0.2.1", "label": "at home" },
        { "ip": "192.0.2.2", "label": "" },
    ]);
    assert_eq!(parent.get("/api/ip_labels/").json(), labels);

    let deleted = parent.post("/api/ip/delete/", &[("ip", "192.0.2.1")]);
    assert_eq!((deleted.status, deleted.text()), (204, ""));
    assert_eq!(parent.get("/api/ips/").json(), json!({ "ips": ["192.0.2.2"] }));
}

#[test]
fn an_ipv6_address_is_one_address_however_it_is_written() {
    let (_sandbox, parent) = started();
    let added = parent.post("/api/ip/add/", &[("ip", "2001:DB8:0:0::0001")]);
    assert_eq!(added.json(), json!({ "ip": "2001:db8::1" }));
    let again = parent.post("/api/ip/add/", &[("ip", "2001:db8::1")]);
    assert_eq!(again.error(), "2001:db8::1 is already authenticated.");
    assert_eq!(parent.post("/api/ip/delete/", &[("ip", "2001:db8:0::1")]).status, 204);
}

#[test]
fn adding_twice_and_deleting_what_is_not_there_are_400() {
    let (_sandbox, parent) = started();
    for (resource, name, value) in [("ip", "ip", "192.0.2.1"), ("hostname", "domain", "a.example.com")] {
        let (add, delete) = (format!("/api/{resource}/add/"), format!("/api/{resource}/delete/"));
        let gone = parent.post(&delete, &[(name, value)]);
        assert_eq!((gone.status, gone.error()), (400, format!("{value} is not authenticated.")));
        assert_eq!(parent.post(&add, &[(name, value)]).status, 200);
        let twice = parent.post(&add, &[(name, value)]);
        assert_eq!((twice.status, twice.error()), (400, format!("{value} is already authenticated.")));
    }
}

#[test]
fn hostnames_are_added_listed_in_lower_case_and_deleted() {
    let (_sandbox, parent) = started();
    assert_eq!(parent.get("/api/hostnames/").json(), json!({ "domains": [] }));
    let added = parent.post("/api/hostname/add/", &[("domain", "Home.Example.com")]);
    assert_eq!((added.status, added.json()), (200, json!({ "domain": "home.example.com" })));
    assert_eq!(parent.get("/api/hostnames/").json(), json!({ "domains": ["home.example.com"] }));
    let deleted = parent.post("/api/hostname/delete/", &[("domain", "home.example.com")]);
    assert_eq!((deleted.status, deleted.text()), (204, ""));
    assert_eq!(parent.get("/api/hostnames/").json(), json!({ "domains": [] }));
}

#[test]
fn a_parent_manages_ips_and_hostnames_of_its_sub_accounts_apart_from_its_own() {
    let (sandbox, parent) = started();
    let sub = Caller::sub_account(&sandbox, "sub");
    let of_sub = [("ip", "192.0.2.1"), ("username", "sub"), ("label", "x")];
    assert_eq!(parent.post("/api/ip/add/", &of_sub).status, 200);
    // The same IP may be authenticated for the parent as well.
    assert_eq!(parent.get("/api/ips/").json(), json!({ "ips": [] }));
    assert_eq!(parent.post("/api/ip/add/", &[("ip", "192.0.2.1")]).status, 200);
    let labels = json!([{ "ip": "192.0.2.1", "label": "x" }]);
    assert_eq!(parent.get("/api/ip_labels/?username=sub").json(), labels);
    assert_eq!(sub.get("/api/ip_labels/").json(), labels);
    assert_eq!(parent.get("/api/ips/?username=sub").json(), json!({ "ips": ["192.0.2.1"] }));
    let deleted = parent.post("/api/ip/delete/", &[("ip", "192.0.2.1"), ("username", "sub")]);
    assert_eq!(deleted.status, 204);
    assert_eq!(sub.get("/api/ips/").json(), json!({ "ips": [] }));
    assert_eq!(parent.get("/api/ips/").json(), json!({ "ips": ["192.0.2.1"] }));

    let domain = [("domain", "a.example.com"), ("username", "sub")];
    assert_eq!(parent.post("/api/hostname/add/", &domain).status, 200);
    assert_eq!(parent.get("/api/hostnames/").json(), json!({ "domains": [] }));
    assert_eq!(sub.get("/api/hostnames/").json(), json!({ "domains": ["a.example.com"] }));
    assert_eq!(parent.post("/api/hostname/delete/", &domain).status, 204);
    assert_eq!(sub.get("/api/hostnames/").json(), json!({ "domains": [] }));
}

#[test]
fn a_username_that_is_no_sub_account_is_404_and_the_parents_own_403() {
    let (_sandbox, parent) = started();
    for (username, status) in [("nobody", 404), ("parent", 403)] {
        for (path, name, value) in [
            ("/api/ip/add/", "ip", "192.0.2.1"),
            ("/api/ip/delete/", "ip", "192.0.2.1"),
            ("/api/hostname/add/", "domain", "a.example.com"),
            ("/api/hostname/delete/", "domain", "a.example.com"),
            ("/api/token/create/", "label", "x"),
            ("/api/token/delete/", "id", "1"),
        ] {
            let answer = parent.post(path, &[(name, value), ("username", username)]);
            assert_eq!(answer.status, status, "{path}");
        }
        for path in ["/api/ips/", "/api/ip_labels/", "/api/tokens/"] {
            let answer = parent.get(&format!("{path}?username={username}"));
            assert_eq!(answer.status, status, "{path}");
        }
    }
}

#[test]
fn proxies_are_listed_with_ports_and_can_be_added_in_three_forms() {
    let (_sandbox, parent) = started();
    let at_the_start = parent.get("/api/proxies/").json();
    let expected = ["us-ca.proxymesh.com:31280", "us-ny.proxymesh.com:31280", "us-il.proxymesh.com:31280"];
    assert_eq!(at_the_start, json!({ "proxies": expected }));
    for form in ["jp", "jp.proxymesh.com", "jp.proxymesh.com:31280"] {
        let added = parent.post("/api/proxy/add/", &[("proxy", form)]);
        assert_eq!((added.status, added.json()), (200, json!({ "proxy": "jp.proxymesh.com" })));
        let listed = parent.get("/api/proxies/").json();
        assert_eq!(listed["proxies"][3], "jp.proxymesh.com:31280");
        for _ in 0..2 {
            let deleted = parent.post("/api/proxy/delete/", &[("proxy", form)]);
            assert_eq!((deleted.status, deleted.text()), (204, ""));
        }
        assert_eq!(parent.get("/api/proxies/").json(), at_the_start);
    }
    // Authorising a proxy again is not an error, and the proxy is not listed twice.
    assert_eq!(parent.post("/api/proxy/add/", &[("proxy", "us-ca")]).status, 200);
    assert_eq!(parent.get("/api/proxies/").json(), at_the_start);
}

#[test]
fn an_unknown_proxy_is_not_recognised() {
    let (_sandbox, parent) = started();
    for path in ["/api/proxy/add/", "/api/proxy/delete/"] {
        for proxy in ["mars", "us-ca.example.com", "us-ca.proxymesh.com:80"] {
            let answer = parent.post(path, &[("proxy", proxy)]);
            let reason = format!("The proxy '{proxy}' is not recognised.");
            assert_eq!((answer.status, answer.error()), (400, reason));
        }
    }
}

#[test]
fn a_list_of_proxies_may_become_empty() {
    let (_sandbox, parent) = started();
    for proxy in ["us-ca", "us-ny", "us-il"] {
        parent.post("/api/proxy/delete/", &[("proxy", proxy)]);
    }
    assert_eq!(parent.get("/api/proxies/").json(), json!({ "proxies": [] }));
}

#[test]
fn only_token_create_shows_the_secret() {
    let (_sandbox, parent) = started();
    assert_eq!(parent.get("/api/tokens/").json(), json!({ "tokens": [] }));
    let form = [("label", "ci ü"), ("expires_at", "2999-12-31")];
    let created = parent.post("/api/token/create/", &form);
    assert_eq!(created.status, 200);
    let mut created = created.json();
    let secret = created.as_object_mut().unwrap().remove("token").unwrap();
    assert!(secret.as_str().unwrap().starts_with("pm_"));
    assert_eq!(created["id"], 1);
    assert_eq!(created["label"], "ci ü");
    assert_eq!(created["is_active"], true);
    assert_eq!(created["expires_at"], "2999-12-31");
    let created_at = created["created_at"].as_str().unwrap();
    assert_eq!((created_at.len(), &created_at[10..11]), (19, "T"), "{created_at}");

    let listed = parent.get("/api/tokens/");
    assert_eq!(listed.json(), json!({ "tokens": [created] }));
    assert!(!listed.text().contains(secret.as_str().unwrap()));
}

#[test]
fn a_token_needs_neither_label_nor_expiry_date_nor_even_a_body() {
    let (_sandbox, parent) = started();
    let answer = parent.send("POST", "/api/token/create/", &[], b"").unwrap();
    assert_eq!(answer.status, 200);
    let created = answer.json();
    assert_eq!((&created["label"], &created["expires_at"]), (&json!(""), &Value::Null));
}

#[test]
fn tokens_are_deactivated_activated_and_deleted() {
    let (_sandbox, parent) = started();
    parent.post("/api/token/create/", &[("label", "x")]);
    for (path, active) in [("/api/token/deactivate/", false), ("/api/token/activate/", true)] {
        for _ in 0..2 {
            let answer = parent.post(path, &[("id", "1")]);
            assert_eq!((answer.status, &answer.json()["is_active"]), (200, &json!(active)));
            assert_eq!(answer.json().get("token"), None);
            assert_eq!(parent.get("/api/tokens/").json(), json!({ "tokens": [answer.json()] }));
        }
    }
    let deleted = parent.post("/api/token/delete/", &[("id", "1")]);
    assert_eq!((deleted.status, deleted.text()), (204, ""));
    assert_eq!(parent.get("/api/tokens/").json(), json!({ "tokens": [] }));
    for verb in ["deactivate", "activate", "delete"] {
        let gone = parent.post(&format!("/api/token/{verb}/"), &[("id", "1")]);
        assert_eq!((gone.status, gone.error().as_str()), (404, "There is no token 1 on this account."));
    }
}

#[test]
fn calls_for_a_sub_accounts_tokens_need_its_username() {
    let (sandbox, parent) = started();
    Caller::sub_account(&sandbox, "sub");
    parent.post("/api/token/create/", &[("username", "sub")]);
    assert_eq!(parent.get("/api/tokens/").json(), json!({ "tokens": [] }));
    assert_eq!(parent.get("/api/tokens/?username=sub").json()["tokens"][0]["id"], 1);
    for verb in ["deactivate", "activate", "delete"] {
        let path = format!("/api/token/{verb}/");
        assert_eq!(parent.post(&path, &[("id", "1")]).status, 404, "{verb}");
        let answer = parent.post(&path, &[("id", "1"), ("username", "sub")]);
        assert!(answer.status < 300, "{verb}");
    }
}

#[test]
fn an_expired_token_cannot_be_activated() {
    let (_sandbox, parent) = started();
    parent.post("/api/token/create/", &[("expires_at", "2020-01-01")]);
    let answer = parent.post("/api/token/activate/", &[("id", "1")]);
    let reason = "The token 1 has expired and cannot be activated.";
    assert_eq!((answer.status, answer.error().as_str()), (400, reason));
    assert_eq!(parent.post("/api/token/deactivate/", &[("id", "1")]).status, 200);
}

#[test]
fn geo_returns_how_many_ips_there_are_in_each_country() {
    let (_sandbox, parent) = started();
    let (open, world) = (parent.get("/api/geoips/open/"), parent.get("/api/geoips/world/"));
    for answer in [&open, &world] {
        assert_eq!(answer.status, 200);
        let countries = answer.json();
        for (code, count) in countries.as_object().unwrap() {
            assert!(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()));
            assert!(count.as_u64().unwrap() > 0);
        }
        assert!(countries.get("US").is_some());
    }
    assert_ne!(open.json(), world.json());
}
