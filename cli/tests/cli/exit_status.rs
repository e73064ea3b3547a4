//! The exit statuses that `--help` and docs/cli.md promise.

use crate::support::{Place, ran};
use proxymesh_sandbox::{Fault, Plan};

#[test]
fn usage_is_2() {
    let place = Place::new();
    for command in [
        "",
        "nothing",
        "ips add",
        "ips list --nothing",
        "ips list -o xml",
        "ips add not-an-ip",
        "subs get no/name",
        "tokens activate x",
    ] {
        let ran = place.run(command);
        assert_eq!(
            (ran.status, ran.stdout.trim_matches(['[', ']', '\n'])),
            (2, ""),
            "{command:?}: {}",
            ran.stderr
        );
    }
    assert_eq!(place.calls(), [""; 0]);
}

#[test]
fn missing_or_wrong_credentials_are_3() {
    let place = Place::new();
    let none = ran(place.bare().args(["ips", "list"]));
    assert_eq!(none.status, 3);
    assert!(none.stderr.contains("next: log in with `proxymesh login`"), "{}", none.stderr);
    let wrong = ran(place.program().env("PROXYMESH_PASSWORD", "wrong").args(["ips", "list"]));
    assert_eq!((wrong.status, wrong.stdout.as_str()), (3, ""));
    assert!(wrong.stderr.starts_with("error: ips.labels: authentication failed (401)"), "{}", wrong.stderr);
    let token = ran(place.bare().env("PROXYMESH_TOKEN", "pm_canary7f3a91token").args(["tokens", "list"]));
    assert_eq!(token.status, 3);
    // Only the parent may do this.
    let mut create = place.program();
    crate::support::fed(create.args(["subs", "create", "crawler-1", "--password-stdin"]), "sub-password");
    let sub = ran(place
        .program()
        .env("PROXYMESH_USERNAME", "crawler-1")
        .env("PROXYMESH_PASSWORD", "sub-password")
        .args(["subs", "get", "x"]));
    assert_eq!(sub.status, 3, "{}", sub.stderr);
}

#[test]
fn a_wrong_password_is_tried_once_for_any_number_of_names() {
    let place = Place::new();
    let names: Vec<String> = (1..=50).map(|number| format!("192.0.2.{number}")).collect();
    let ran = ran(place
        .program()
        .env("PROXYMESH_PASSWORD", "wrong")
        .args(["ips", "add", "--jobs", "8"])
        .args(names));
    assert_eq!(ran.status, 3);
    assert!(ran.stderr.contains("were not tried"), "{}", ran.stderr);
    assert_eq!(place.calls().len(), 1);
}

#[test]
fn the_plans_limit_is_4() {
    let place = Place::with(|builder| builder.plan(Plan::FreeTrial));
    assert_eq!(place.run("subs create one").status, 0);
    let ran = place.run("subs create two");
    assert_eq!(ran.status, 4);
    assert!(ran.stderr.contains("next: delete what you no longer need"), "{}", ran.stderr);
    assert_eq!(place.run("tokens create").status, 4);
}

#[test]
fn what_does_not_exist_is_5() {
    let place = Place::new();
    assert_eq!(place.run("subs get nobody").status, 5);
    assert_eq!(place.run("tokens delete 77 --yes").status, 5);
}

#[test]
fn an_unknown_outcome_is_6_and_says_how_to_find_out() {
    let place = Place::new();
    place.sandbox.inject(Fault::drop_after_apply().path("/api/sub/create/")).unwrap();
    let ran = place.run("subs create crawler-1");
    assert_eq!(ran.status, 6);
    assert!(ran.stderr.ends_with("next: check with `proxymesh subs get`\n"), "{}", ran.stderr);
}

#[test]
fn anything_else_is_1() {
    let place = Place::new();
    assert_eq!(place.run("ips delete 192.0.2.1").status, 1);
    // Different failures.
    assert_eq!(place.run("ips delete 192.0.2.1 x").status, 1);
    let ran = ran(place.program().env("PROXYMESH_BASE_URL", "http://127.0.0.1:1").args(["ips", "list"]));
    assert_eq!(ran.status, 1, "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_gone_is_not_an_error_to_talk_about() {
    let place = Place::new();
    let mut shell = std::process::Command::new("bash");
    place.prepare(&mut shell);
    shell.env("PROXYMESH_USERNAME", "me+1@ex.com").env("PROXYMESH_PASSWORD", crate::support::PASSWORD);
    let ran = ran(shell.args(["-c", "proxymesh geo world -o ndjson | true; echo ${PIPESTATUS[0]}"]));
    assert!(["0\n", "141\n"].contains(&ran.stdout.as_str()), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}
