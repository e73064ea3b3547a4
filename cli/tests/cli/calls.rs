//! Each call by a command, in each format, and its JSON against the schema.

use crate::support::Place;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// For each call: commands that prepare it, and the command that makes it.
const CASES: &[(&str, &[&str], &str)] = &[
    ("sub_accounts.create", &[], "subs create crawler-1 --monthly-limit 5 --email a@b.example"),
    ("sub_accounts.edit", &["subs create crawler-1"], "subs edit crawler-1 --total-limit 7 --first-name Ada"),
    ("sub_accounts.get", &["subs create crawler-1"], "subs get crawler-1"),
    ("sub_accounts.deactivate", &["subs create crawler-1"], "subs deactivate crawler-1"),
    ("sub_accounts.activate", &["subs create crawler-1"], "subs activate crawler-1"),
    ("sub_accounts.delete", &["subs create crawler-1"], "subs delete crawler-1 --yes"),
    ("ips.add", &[], "ips add 192.0.2.1 --label office"),
    ("ips.delete", &["ips add 192.0.2.1"], "ips delete 192.0.2.1"),
    ("ips.list", &["ips add 192.0.2.1"], "ips list --addresses"),
    ("ips.labels", &["ips add 192.0.2.1 --label office"], "ips list"),
    ("hostnames.add", &[], "hostnames add home.example.net"),
    ("hostnames.delete", &["hostnames add home.example.net"], "hostnames delete home.example.net"),
    ("hostnames.list", &["hostnames add home.example.net"], "hostnames list"),
    ("proxies.list", &[], "proxies list"),
    ("proxies.add", &[], "proxies add us-fl"),
    ("proxies.delete", &[], "proxies delete us-ca"),
    ("tokens.list", &["tokens create"], "tokens list"),
    ("tokens.create", &[], "tokens create --label ci --expires-at 2099-01-31"),
    ("tokens.deactivate", &["tokens create"], "tokens deactivate 1"),
    ("tokens.activate", &["tokens create"], "tokens activate 1"),
    ("tokens.delete", &["tokens create"], "tokens delete 1 --yes"),
    ("geo.open", &[], "geo open"),
    ("geo.world", &[], "geo world"),
];

#[test]
fn every_call_is_tested() {
    let calls: Vec<_> = proxymesh::endpoint::CALLS.iter().map(|call| call.name).collect();
    assert_eq!(CASES.iter().map(|(call, ..)| *call).collect::<Vec<_>>(), calls);
}

#[test]
fn a_command_makes_each_call_in_four_formats() {
    let place = Place::new();
    for call in proxymesh::endpoint::CALLS {
        let (_, before, command) = CASES.iter().find(|(name, ..)| *name == call.name).unwrap();
        let output = |format: &str| {
            place.sandbox.reset();
            before.iter().for_each(|command| drop(place.records(command)));
            place.sandbox.clear_requests();
            let ran = place.run(&format!("{command} -o {format}"));
            assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{command}");
            assert_eq!(place.calls(), [format!("{} {}", call.method, call.path)], "{command}");
            ran.stdout
        };
        let mut records: Vec<Value> = serde_json::from_str(&output("json")).unwrap();
        let mut lines: Vec<Value> =
            output("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (csv, table) = (output("csv"), output("table"));
        assert!(!records.is_empty(), "{command}");
        conforms(command, &json!(records));

        // Each run makes another token at another moment.
        for record in records.iter_mut().chain(&mut lines) {
            for field in ["token", "created_at"] {
                record.as_object_mut().unwrap().remove(field);
            }
        }
        assert_eq!(records, lines, "{command}");
        let fields: BTreeSet<&str> = csv.lines().next().unwrap().split(',').collect();
        assert!(records[0].as_object().unwrap().keys().all(|field| fields.contains(field.as_str())), "{csv}");
        assert_eq!((csv.lines().count(), table.lines().count()), (records.len() + 1, records.len() + 1));
        // The first field identifies the record. It is in every format.
        let name = csv.lines().nth(1).unwrap().split(',').next().unwrap();
        assert!(table.lines().nth(1).unwrap().contains(name), "{table}");
        assert!(!csv.contains('\u{1b}') && !table.contains('\u{1b}'), "there is no terminal");
    }
}

#[test]
fn without_a_terminal_the_format_is_json() {
    let place = Place::new();
    assert_eq!(place.run("ips list").stdout, "[]\n");
    assert_eq!(place.run("ips list -o ndjson").stdout, "");
    assert_eq!(place.run("ips list -o csv").stdout, "ip,label\r\n");
    assert_eq!(place.run("ips list -o table").stdout, "");
    place.run("ips add 192.0.2.1");
    assert_eq!(place.run("ips list").stdout, "[\n  {\"ip\":\"192.0.2.1\",\"label\":\"\"}\n]\n");
    assert_eq!(place.run("ips list -o csv").stdout, "ip,label\r\n192.0.2.1,\r\n");
    assert_eq!(place.run("ips list -o table").stdout, "IP         LABEL\n192.0.2.1  -\n");
}

#[test]
fn a_sub_account_can_be_named() {
    let place = Place::new();
    place.records("subs create crawler-1");
    for (command, path) in [
        ("ips add 192.0.2.1 --sub crawler-1", "/api/ip/add/"),
        ("ips list --sub crawler-1", "/api/ip_labels/"),
        ("ips list --addresses --sub crawler-1", "/api/ips/"),
        ("ips delete 192.0.2.1 --sub crawler-1", "/api/ip/delete/"),
        ("hostnames add home.example.net --sub crawler-1", "/api/hostname/add/"),
        ("hostnames delete home.example.net --sub crawler-1", "/api/hostname/delete/"),
        ("tokens create --sub crawler-1", "/api/token/create/"),
        ("tokens list --sub crawler-1", "/api/tokens/"),
        ("tokens deactivate 1 --sub crawler-1", "/api/token/deactivate/"),
        ("tokens activate 1 --sub crawler-1", "/api/token/activate/"),
        ("tokens delete 1 --sub crawler-1 --yes", "/api/token/delete/"),
    ] {
        place.sandbox.clear_requests();
        conforms(command, &json!(place.records(command)));
        let requests = place.sandbox.requests();
        assert_eq!(requests[0].path, path);
        let sent = format!("{:?}", requests[0]);
        assert!(sent.contains("crawler-1"), "{command}: {sent}");
    }
}

#[test]
fn proxies_are_checked_and_have_urls() {
    let place = Place::with(|builder| builder.proxies(true));
    let checked = place.records("proxies check");
    assert_eq!(checked.len(), 3);
    assert!(checked.iter().all(|check| check["ok"] == true), "{checked:?}");
    conforms("proxies check", &json!(checked));
    let ran = place.run("proxies check us-ca --without-credentials");
    assert_eq!((ran.status, ran.stderr.as_str()), (1, "error: 1 of 1 cannot be used\n"));
    let refused: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(refused[0]["status"], 407);
    conforms("proxies check", &refused);
    place.records("proxies add open");
    assert_eq!(place.records("proxies check open --country de")[0]["ok"], true);
    let ran = place.run("proxies check us-ca --country de");
    assert_eq!((ran.status, ran.stdout.as_str()), (2, "[]\n"), "{}", ran.stderr);

    let url = place.run("proxies url us-ca").stdout;
    assert!(url.starts_with("http://localhost:") && !url.contains('@'), "{url}");
    assert_eq!(place.run("proxies url").stdout.lines().count(), 4);
    conforms("proxies url", &json!(place.records("proxies url -o json")));
    let mut command = place.program();
    let ran =
        crate::support::ran_showing_secrets(command.args(["proxies", "url", "us-ca", "--with-credentials"]));
    assert!(ran.stdout.starts_with("http://me%2B1%40ex.com:canary-"), "the credentials are not in the URL");
    assert_eq!(place.run("proxies url nowhere").status, 5);
}

#[test]
fn whoami_conforms() {
    let place = Place::new();
    let identity = place.records("whoami");
    conforms("whoami", &json!(identity));
    assert_eq!(
        (&identity[0]["source"], &identity[0]["username"]),
        (&json!("environment"), &json!("me+1@ex.com"))
    );
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_sends_nothing() {
    let place = Place::new();
    place.records("subs create crawler-1");
    let writes = CASES.iter().filter(|(call, ..)| {
        let call = proxymesh::endpoint::CALLS.iter().find(|known| known.name == *call).unwrap();
        call.method == proxymesh::endpoint::Method::Post
    });
    let mut count = 0;
    for (call, _, command) in writes {
        place.sandbox.clear_requests();
        let planned = place.records(&format!("{command} --dry-run").replace(" --yes", ""));
        assert_eq!(planned[0]["call"], *call);
        assert_eq!(place.calls(), [""; 0], "{command}");
        conforms("--dry-run", &json!(planned));
        count += 1;
    }
    assert_eq!(count, 15);
    let planned = crate::support::fed(
        place.program().args(["subs", "create", "x", "y", "--password-stdin", "--dry-run"]),
        crate::support::SUB_PASSWORD,
    );
    let planned: Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!(planned[1]["parameters"], json!({"username": "y", "password": "[redacted]"}));
    assert_eq!(place.run("ips add x --dry-run").status, 2);
}

/// Whether a tested command that begins with these words makes the call.
pub(crate) fn makes(call: &str, words: &str) -> bool {
    CASES.iter().any(|(name, _, command)| *name == call && command.starts_with(words))
}

/// Compares the output of a command with the schema.
pub(crate) fn conforms(command: &str, output: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../schema.json")).unwrap();
    let commands = schema["properties"].as_object().unwrap();
    let fits = |name: &&String| command == name.as_str() || command.starts_with(&format!("{name} "));
    let name = commands.keys().filter(fits).max_by_key(|name| name.len());
    let name = name.unwrap_or_else(|| panic!("the schema does not have {command}"));
    check(&schema, &commands[name], output, command);
    // Users may get more fields from later versions, but these are all that there are now.
    let fields =
        &schema["$defs"][commands[name]["items"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap()];
    for record in output.as_array().unwrap() {
        let (record, known) = (record.as_object().unwrap(), fields["properties"].as_object().unwrap());
        assert!(record.keys().eq(known.keys()), "{command}: {record:?}");
    }
}

/// The part of JSON Schema that the schema uses. `make lint` checks the schema itself.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => {
                check(root, root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), value, at)
            }
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                let is = |kind: &Value| match kind.as_str().unwrap() {
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "null" => value.is_null(),
                    other => panic!("{other}"),
                };
                assert!(types.iter().any(is), "{at}: {value} is not {rule}");
            }
            "enum" => assert!(rule.as_array().unwrap().contains(value), "{at}: {value} is not in {rule}"),
            "required" => {
                for field in rule.as_array().unwrap() {
                    assert!(value.get(field.as_str().unwrap()).is_some(), "{at}: no {field} in {value}");
                }
            }
            "properties" => {
                for (field, rule) in rule.as_object().unwrap() {
                    value
                        .get(field)
                        .into_iter()
                        .for_each(|value| check(root, rule, value, &format!("{at}.{field}")));
                }
            }
            "items" => value.as_array().unwrap().iter().for_each(|item| check(root, rule, item, at)),
            "description" => {}
            other => panic!("this test does not know {other}"),
        }
    }
}
