//! Where credentials come from, and how they are stored.

use crate::{
    calls::conforms,
    support::{PASSWORD, Place, Ran, fed, ran},
};
use proxymesh_sandbox::{Fault, Plan};
use serde_json::{Value, json};
use std::fs;

fn log_in(place: &Place, more: &[&str]) -> Ran {
    let mut command = place.bare();
    command.args(["login", "--username", "me+1@ex.com", "--password-stdin"]).args(more);
    // A file that comes from echo ends with a line break.
    fed(&mut command, &format!("{PASSWORD}\n"))
}

fn stored(place: &Place, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(place.profile(name)).unwrap()).unwrap()
}

#[test]
fn login_makes_a_token_and_stores_only_that() {
    let place = Place::new();
    let login = log_in(&place, &[]);
    assert_eq!((login.status, login.stdout.as_str()), (0, ""), "{}", login.stderr);
    let profile = stored(&place, "default");
    assert_eq!(profile["kind"], "token");
    assert_eq!(profile["username"], "me+1@ex.com");
    assert_eq!(profile["base_url"], place.sandbox.base_url());
    assert!(profile["secret"].as_str().unwrap().starts_with("pm_"));
    assert!(!profile.to_string().contains("canary"), "the password was stored");
    let tokens = place.records("tokens list");
    assert_eq!((tokens.len(), &tokens[0]["label"]), (1, &json!("proxymesh login")));
    assert_eq!(tokens[0]["expires_at"], profile["expires_at"]);

    // The profile is used, and names what it is.
    let list = ran(place.bare().args(["proxies", "list"]));
    assert_eq!(list.status, 0, "{}", list.stderr);
    assert!(format!("{:?}", place.sandbox.requests().last().unwrap()).contains("Bearer"));
    let whoami = ran(place.bare().arg("whoami"));
    let identity: Value = serde_json::from_str(&whoami.stdout).unwrap();
    conforms("whoami", &identity);
    assert_eq!(identity[0]["file"], place.profile("default").to_str().unwrap());
    assert!(!whoami.stdout.contains("pm_"));
}

#[cfg(unix)]
#[test]
fn only_the_user_can_read_a_profile() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    log_in(&place, &[]);
    let path = place.profile("default");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    for open in [0o640, 0o604, 0o622] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let refused = ran(place.bare().args(["proxies", "list"]));
        assert_eq!(refused.status, 2);
        assert!(refused.stderr.contains("other users can read or change it"), "{}", refused.stderr);
    }
    // A new login replaces it.
    assert_eq!(log_in(&place, &[]).status, 0);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "a file was left behind");
}

#[test]
fn the_next_login_deletes_the_token_of_the_last() {
    let place = Place::new();
    log_in(&place, &["--days", "7"]);
    log_in(&place, &["--days", "8"]);
    let tokens = place.records("tokens list");
    assert_eq!((tokens.len(), &tokens[0]["id"]), (1, &json!(2)));
}

#[test]
fn logout_deletes_the_token_and_forgets_the_profile() {
    let place = Place::new();
    log_in(&place, &[]);
    let without = ran(place.bare().arg("logout"));
    assert_eq!(without.status, 3);
    assert!(without.stderr.contains("next: pass the password with --password-stdin"), "{}", without.stderr);
    assert!(place.profile("default").exists());
    let wrong = fed(place.bare().args(["logout", "--password-stdin"]), "wrong");
    assert_eq!(wrong.status, 3);
    assert!(place.profile("default").exists());
    let logout = fed(place.bare().args(["logout", "--password-stdin"]), PASSWORD);
    assert_eq!((logout.status, logout.stdout.as_str()), (0, ""), "{}", logout.stderr);
    assert!(!place.profile("default").exists());
    assert_eq!(place.records("tokens list"), Vec::<Value>::new());
    assert_eq!(ran(place.bare().arg("logout")).status, 1);

    log_in(&place, &[]);
    assert_eq!(ran(place.bare().args(["logout", "--keep-token"])).status, 0);
    assert_eq!(place.records("tokens list").len(), 1);
}

#[test]
fn a_trial_has_no_tokens_so_the_password_is_stored() {
    let place = Place::with(|builder| builder.plan(Plan::FreeTrial));
    // There is no keyring in this environment, and no file without being told.
    let refused = log_in(&place, &[]);
    assert_eq!(refused.status, 1);
    assert!(
        refused.stderr.contains("the plan has no tokens, so the password is stored"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--store file"), "{}", refused.stderr);
    assert!(!place.profile("default").exists());

    let login = log_in(&place, &["--store", "file"]);
    assert_eq!(login.status, 0, "{}", login.stderr);
    let profile = stored(&place, "default");
    assert_eq!((&profile["kind"], &profile["secret"]), (&json!("password"), &json!(PASSWORD)));
    assert_eq!(ran(place.bare().args(["proxies", "list"])).status, 0);
    // The token calls work with a password.
    assert_eq!(ran(place.bare().args(["tokens", "list"])).stdout, "[]\n");
    assert_eq!(ran(place.bare().arg("logout")).status, 0);
    assert!(!place.profile("default").exists());
}

#[test]
fn a_token_that_cannot_be_stored_is_deleted_again() {
    let place = Place::new();
    let login = log_in(&place, &["--store", "keyring"]);
    assert_eq!(login.status, 1, "{}", login.stderr);
    assert!(login.stderr.contains("no keyring can be reached"), "{}", login.stderr);
    assert_eq!(place.records("tokens list"), Vec::<Value>::new());
}

#[test]
fn a_plan_whose_tokens_are_used_up_is_told_apart_from_a_trial() {
    let place = Place::with(|builder| builder.plan(Plan::ProxyMesh10));
    (0..10).for_each(|_| drop(place.records("tokens create")));
    let login = log_in(&place, &["--store", "file"]);
    assert_eq!(login.status, 4);
    assert!(login.stderr.contains("--no-token"), "{}", login.stderr);
    assert_eq!(log_in(&place, &["--store", "file", "--no-token"]).status, 0);
    assert_eq!(stored(&place, "default")["kind"], "password");
}

#[test]
fn a_wrong_password_is_not_stored() {
    let place = Place::new();
    for more in [&[][..], &["--no-token", "--store", "file"]] {
        let mut command = place.bare();
        command.args(["login", "--username", "me+1@ex.com", "--password-stdin"]).args(more);
        assert_eq!(fed(&mut command, "wrong").status, 3);
    }
    assert!(!place.profile("default").exists());
    let mut command = place.bare();
    assert_eq!(
        fed(command.args(["login", "--password-stdin"]), PASSWORD).status,
        2,
        "nobody says the username"
    );
    assert_eq!(ran(place.bare().args(["login", "--username", "x"])).status, 2, "nobody says the password");
}

#[test]
fn a_lost_response_leaves_nothing_in_doubt() {
    let place = Place::new();
    place.sandbox.inject(Fault::drop_after_apply().path("/api/token/create/")).unwrap();
    let login = log_in(&place, &[]);
    assert_eq!(login.status, 6);
    assert!(login.stderr.contains("`proxymesh tokens list`"), "{}", login.stderr);
    assert!(!place.profile("default").exists());
}

#[test]
fn a_sub_account_cannot_make_tokens() {
    let place = Place::new();
    fed(place.program().args(["subs", "create", "crawler-1", "--password-stdin"]), "sub-password");
    let mut command = place.bare();
    command.args([
        "login",
        "--username",
        "crawler-1",
        "--password-stdin",
        "--store",
        "file",
        "--profile",
        "sub",
    ]);
    let login = fed(&mut command, "sub-password");
    assert_eq!(login.status, 0, "{}", login.stderr);
    assert!(login.stderr.contains("a sub-account cannot make tokens"), "{}", login.stderr);
    assert_eq!(ran(place.bare().args(["proxies", "list", "--profile", "sub"])).status, 0);
}

#[test]
fn a_named_profile_goes_before_the_environment_and_the_environment_before_the_default() {
    let place = Place::new();
    log_in(&place, &[]);
    log_in(&place, &["--profile", "work"]);
    let source = |command: &mut std::process::Command| {
        let identity: Value = serde_json::from_str(&ran(command).stdout).unwrap();
        (identity[0]["source"].as_str().unwrap().to_owned(), identity[0]["profile"].clone())
    };
    assert_eq!(source(place.bare().arg("whoami")), ("file".to_owned(), json!("default")));
    assert_eq!(source(place.bare().env("PROXYMESH_PROFILE", "work").arg("whoami")).1, "work");
    assert_eq!(source(place.program().env("PROXYMESH_PROFILE", "work").arg("whoami")).0, "environment");
    assert_eq!(source(place.program().args(["whoami", "--profile", "work"])).1, "work");
    assert_eq!(ran(place.bare().args(["whoami", "--profile", "none"])).status, 3);
    for name in ["../x", "", ".hidden", "a/b"] {
        assert_eq!(ran(place.bare().args(["whoami", "--profile", name])).status, 2, "{name}");
    }
}

#[test]
fn credentials_go_only_to_the_service_that_they_are_for() {
    let place = Place::new();
    log_in(&place, &[]);
    let other = Place::new();
    let refused =
        ran(place.bare().env("PROXYMESH_BASE_URL", other.sandbox.base_url()).args(["proxies", "list"]));
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("next: unset PROXYMESH_BASE_URL"), "{}", refused.stderr);
    assert_eq!(other.calls(), [""; 0]);
    assert_eq!(ran(place.bare().env_remove("PROXYMESH_BASE_URL").args(["proxies", "list"])).status, 0);
}

#[test]
fn a_damaged_profile_is_refused_without_its_secret() {
    let place = Place::new();
    log_in(&place, &[]);
    let path = place.profile("default");
    fs::write(&path, "{\"secret\": \"canary-password-7f3a91\", \"kind\": \"canary\"}").unwrap();
    let refused = ran(place.bare().arg("whoami"));
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("it is not a profile"), "{}", refused.stderr);
}

#[test]
fn an_expired_token_is_not_sent() {
    let place = Place::new();
    log_in(&place, &[]);
    let path = place.profile("default");
    let mut profile = stored(&place, "default");
    profile["expires_at"] = json!("2020-01-31");
    fs::write(&path, profile.to_string()).unwrap();
    place.sandbox.clear_requests();
    let refused = ran(place.bare().args(["proxies", "list"]));
    assert_eq!(refused.status, 3);
    assert!(refused.stderr.contains("was valid until 2020-01-31\nnext: log in again"), "{}", refused.stderr);
    assert_eq!(place.calls(), [""; 0]);
    assert_eq!(log_in(&place, &[]).status, 0);
}

/// Other users can see the arguments of a process, so none may take a secret.
#[cfg(target_os = "linux")]
#[test]
fn no_secret_is_in_the_list_of_processes() {
    use std::{io::Write, process::Stdio};
    let place = Place::new();
    place.sandbox.inject(Fault::delay(std::time::Duration::from_secs(1)).path("/api/token/create/")).unwrap();
    let mut command = place.bare();
    command.args(["login", "--username", "me+1@ex.com", "--password-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    let mut shown = String::new();
    loop {
        for file in ["cmdline", "environ"] {
            let read = fs::read(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
            shown.push_str(&String::from_utf8_lossy(&read));
        }
        if !place.calls().is_empty() || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(child.wait_with_output().unwrap().status.success());
    assert!(shown.contains("--password-stdin") && !shown.contains("canary"), "a secret can be seen");
}

/// A real keyring, in a session of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_password_is_kept_in_the_keyring() {
    use std::process::Command;
    for program in ["dbus-run-session", "gnome-keyring-daemon"] {
        if let Err(error) = Command::new(program).arg("--version").output() {
            return crate::support::skip(program, &error);
        }
    }
    let place = Place::with(|builder| builder.plan(Plan::FreeTrial));
    let script = "\
        printf pw | gnome-keyring-daemon --unlock --components=secrets > daemon
        printf %s \"$SECRET\" | proxymesh login --username me+1@ex.com --password-stdin
        proxymesh whoami -o csv
        proxymesh ips list -o ndjson && proxymesh ips list -o csv
        cp .config/proxymesh/profiles/default.json kept
        proxymesh logout
        proxymesh whoami";
    let mut session = Command::new("dbus-run-session");
    place.prepare(&mut session);
    let runtime = place.home.join("run");
    fs::create_dir(&runtime).unwrap();
    session
        .env("SECRET", PASSWORD)
        .env("XDG_RUNTIME_DIR", &runtime)
        .env("XDG_DATA_HOME", place.home.join("data"));
    let ran = ran(session.args(["--", "bash", "-c", script]));
    assert!(ran.stderr.contains("with the password in the keyring"), "{}", ran.stderr);
    assert!(ran.stdout.contains("keyring,default,me+1@ex.com,password"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("ip,label\r\n"), "{}", ran.stdout);
    assert!(!fs::read_to_string(place.home.join("kept")).unwrap().contains("canary"));
    assert_eq!(ran.status, 3, "it was not forgotten: {}", ran.stderr);
}
