//! Several names at once.

use crate::support::{Place, fed};
use proxymesh_sandbox::Fault;
use serde_json::Value;
use std::{fs, time::Duration};

fn names(records: &str) -> Vec<String> {
    let name = |line: &str| serde_json::from_str::<Value>(line).unwrap()["name"].as_str().unwrap().to_owned();
    records.lines().map(name).collect()
}

#[test]
fn results_come_in_the_order_of_the_names() {
    let place = Place::new();
    // The first call is the slowest.
    place.sandbox.inject(Fault::delay(Duration::from_millis(400)).path("/api/ip/add/")).unwrap();
    let wanted: Vec<String> = (1..=12).map(|number| format!("192.0.2.{number}")).collect();
    let ran = place.run(&format!("ips add -o ndjson --jobs 6 {}", wanted.join(" ")));
    assert_eq!((ran.status, names(&ran.stdout)), (0, wanted));
}

#[test]
fn an_error_each_and_the_others_go_on() {
    let place = Place::new();
    place.records("ips add 192.0.2.2");
    let ran = place.run("ips add -o ndjson 192.0.2.1 192.0.2.2 x 192.0.2.3");
    assert_eq!((ran.status, names(&ran.stdout)), (1, vec!["192.0.2.1".to_owned(), "192.0.2.3".to_owned()]));
    let errors: Vec<&str> = ran.stderr.lines().collect();
    assert!(errors[0].starts_with("error: 192.0.2.2: ips.add: bad request (400)"), "{}", ran.stderr);
    assert!(errors[1].starts_with("error: x: ip: must be an IP address"), "{}", ran.stderr);
    assert_eq!(errors[2], "error: 2 of 4 failed");
    // All failures are of one kind.
    assert_eq!(place.run("subs get a b c").status, 5);
}

#[test]
fn a_name_that_is_not_yours_does_not_stop_the_others() {
    let place = Place::new();
    place.records("subs create crawler-1 crawler-2");
    place.sandbox.inject(Fault::status(403).path("/api/sub/get/")).unwrap();
    let ran = place.run("subs get crawler-1 crawler-2 --jobs 1");
    assert_eq!(ran.status, 3);
    assert!(ran.stdout.contains("crawler-2"), "{}", ran.stderr);
}

#[test]
fn a_hint_is_given_once() {
    let place = Place::new();
    let ran = place.run("subs get a b c");
    assert_eq!(ran.stderr.matches("next: ").count(), 1, "{}", ran.stderr);
}

#[test]
fn names_come_from_a_file_or_stdin_each_once() {
    let place = Place::new();
    place.file("names", "# the office\n192.0.2.1\n\n  192.0.2.2  \r\n192.0.2.1\n");
    let ran = place.run("ips add -o ndjson 192.0.2.9 --from-file names");
    assert_eq!(names(&ran.stdout), ["192.0.2.9", "192.0.2.1", "192.0.2.2"]);
    let ran = fed(
        place.program().args(["ips", "delete", "-o", "ndjson", "--from-file", "-"]),
        "192.0.2.2\n192.0.2.1",
    );
    assert_eq!((ran.status, names(&ran.stdout)), (0, vec!["192.0.2.2".to_owned(), "192.0.2.1".to_owned()]));
    assert_eq!(place.run("ips add --from-file missing").status, 2);
    let both = fed(place.program().args(["subs", "create", "--from-file", "-", "--password-stdin"]), "x");
    assert_eq!(both.status, 2);
}

#[test]
fn the_same_command_resumes() {
    let place = Place::new();
    place.sandbox.inject(Fault::status(400).path("/api/ip/add/").after(2)).unwrap();
    let command = "ips add -o ndjson --jobs 1 --resume done 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4";
    assert_eq!(place.run(command).status, 1);
    assert_eq!(fs::read_to_string(place.home.join("done")).unwrap(), "192.0.2.1\n192.0.2.2\n192.0.2.4\n");
    let again = place.run(command);
    assert_eq!((again.status, names(&again.stdout)), (0, vec!["192.0.2.3".to_owned()]));
    assert_eq!(again.stderr, "3 of 4 are done already\n");
    let nothing = place.run(command);
    assert_eq!((nothing.status, nothing.stdout.as_str()), (0, ""));
}

#[test]
fn a_dry_run_does_not_count_as_done() {
    let place = Place::new();
    place.records("ips add --resume done --dry-run 192.0.2.1");
    assert!(!place.home.join("done").exists());
}

/// A killed run has recorded what it did.
#[cfg(unix)]
#[test]
fn a_killed_run_can_be_resumed() {
    let place = Place::new();
    let wanted: Vec<String> = (1..=40).map(|number| format!("192.0.2.{number}")).collect();
    place.file("names", &wanted.join("\n"));
    place.sandbox.inject(Fault::delay(Duration::from_millis(50)).path("/api/ip/add/").times(40)).unwrap();
    let arguments = ["ips", "add", "--from-file", "names", "--resume", "done", "-o", "ndjson", "--jobs", "2"];
    let mut child = place.program().args(arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
    while fs::read_to_string(place.home.join("done")).unwrap_or_default().lines().count() < 5 {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = fs::read_to_string(place.home.join("done")).unwrap().lines().count();
    place.sandbox.clear_faults();
    let ran = crate::support::ran(place.program().args(arguments));
    // A call that was under way when the program was killed may have been carried out. It is then an error, not a surprise.
    assert!(ran.status == 0 || ran.stderr.contains("already"), "{}", ran.stderr);
    assert_eq!(place.records("ips list").len(), 40);
    assert!(names(&ran.stdout).len() <= 40 - before);
}

#[test]
fn what_cannot_be_undone_needs_yes_without_a_terminal() {
    let place = Place::new();
    place.records("subs create crawler-1");
    place.sandbox.clear_requests();
    for command in ["subs delete crawler-1", "tokens delete 1"] {
        let ran = place.run(command);
        assert_eq!(ran.status, 2, "{command}");
        assert!(ran.stderr.contains("add --yes"), "{}", ran.stderr);
    }
    assert_eq!(place.calls(), [""; 0]);
}

#[test]
fn there_is_no_bar_without_a_terminal() {
    let place = Place::new();
    place.sandbox.inject(Fault::delay(Duration::from_millis(1500)).path("/api/ip/add/").times(2)).unwrap();
    let ran = place.run("ips add 192.0.2.1 192.0.2.2");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}
