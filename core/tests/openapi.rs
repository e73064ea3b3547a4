//! docs/openapi.yaml and the core agree in both directions: on the calls, the requests and the responses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{
    Error,
    endpoint::{Auth, CALLS, Call, Method},
    testing,
};
use proxymesh_sandbox::Sandbox;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpStream,
};
use support::{
    calls,
    server::{Answer, Server},
};

type Names = BTreeSet<String>;

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.yaml");
    yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The value that a `$ref` refers to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(at) => {
            let found = document.pointer(at.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("no {at}"));
            resolved(document, found)
        }
        None => value,
    }
}

/// One operation of the document.
struct Operation<'a> {
    document: &'a Value,
    method: &'a str,
    path: &'a str,
    body: &'a Value,
}

impl<'a> Operation<'a> {
    fn name(&self) -> &'a str {
        self.body["operationId"].as_str().unwrap_or_else(|| panic!("{} has no operationId", self.path))
    }

    fn auth(&self) -> Auth {
        let security = self.body.get("security").unwrap_or(&self.document["security"]);
        if *security == json!([{"basic": []}, {"bearer": []}]) {
            Auth::Any
        } else {
            assert_eq!(*security, json!([{"basic": []}]), "{}", self.name());
            Auth::BasicOnly
        }
    }

    fn statuses(&self) -> BTreeSet<u16> {
        self.body["responses"].as_object().unwrap().keys().map(|status| status.parse().unwrap()).collect()
    }

    /// The names of all parameters, and of the required ones.
    fn parameters(&self) -> (Names, Names) {
        if self.method == "get" {
            assert!(self.body.get("requestBody").is_none(), "{}", self.name());
            let parameters: Vec<Value> =
                self.body.get("parameters").map_or(Vec::new(), |list| list.as_array().unwrap().clone());
            assert!(parameters.iter().all(|parameter| parameter["in"] == "query"), "{}", self.name());
            let name = |parameter: &Value| parameter["name"].as_str().unwrap().to_owned();
            let required = parameters.iter().filter(|parameter| parameter["required"] == true);
            return (parameters.iter().map(name).collect(), required.map(name).collect());
        }
        assert!(self.body.get("parameters").is_none(), "{}", self.name());
        let content = self.body["requestBody"]["content"].as_object().unwrap();
        assert_eq!(content.keys().collect::<Vec<_>>(), ["application/x-www-form-urlencoded"]);
        let form = resolved(self.document, &content["application/x-www-form-urlencoded"]["schema"]);
        assert_eq!(form["additionalProperties"], false, "{}", self.name());
        let all = form["properties"].as_object().unwrap().keys().cloned().collect();
        let required = required(form);
        assert_eq!(self.body["requestBody"]["required"], !required.is_empty(), "{}", self.name());
        (all, required)
    }

    /// The status of a successful response, and the schema of its body, if it has one.
    fn success(&self) -> (u16, Option<&'a Value>) {
        let mut good = self.statuses().into_iter().filter(|status| *status < 300);
        let status = good.next().unwrap_or_else(|| panic!("{} never succeeds", self.name()));
        assert_eq!(good.next(), None, "{}", self.name());
        let content = &self.body["responses"][status.to_string()]["content"];
        (status, content.get("application/json").map(|json| &json["schema"]))
    }
}

fn operations(document: &Value) -> BTreeMap<&str, Operation<'_>> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, body) in item.as_object().unwrap() {
            let operation = Operation { document, method, path, body };
            assert!(operations.insert(operation.name(), operation).is_none(), "{path}: a name given twice");
        }
    }
    operations
}

fn required(schema: &Value) -> Names {
    let names = schema.get("required").map_or(Vec::new(), |names| names.as_array().unwrap().clone());
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Every call with its operation. Panics if there is a call without an operation, or an operation without a call.
fn pairs(document: &Value) -> Vec<(&'static Call, Operation<'_>)> {
    let mut operations = operations(document);
    let pairs: Vec<_> = CALLS
        .iter()
        .map(|call| {
            let operation = operations.remove(call.name);
            (*call, operation.unwrap_or_else(|| panic!("the document has no {}", call.name)))
        })
        .collect();
    assert!(operations.is_empty(), "the core has no {:?}", operations.keys());
    pairs
}

#[test]
fn calls_and_operations_have_the_same_name_method_path_credentials_and_statuses() {
    for (call, operation) in pairs(&document()) {
        assert_eq!(operation.path, call.path, "{}", call.name);
        assert_eq!(operation.method == "get", call.method == Method::Get, "{}", call.name);
        assert_eq!(operation.auth(), call.auth, "{}", call.name);
        let statuses = operation.statuses();
        for (status, _) in call.documented {
            assert!(statuses.contains(status), "{}: {status} is documented only in the core", call.name);
        }
        // These mean the same for all calls.
        let general = [200, 204, 400, 401, 403, 404];
        for status in statuses {
            let known =
                general.contains(&status) || call.documented.iter().any(|(known, _)| *known == status);
            assert!(known, "{}: {status} is only in the document", call.name);
        }
    }
}

/// The parameters of this call that occur in any request of tests/conformance/wire.json, and those that occur in all of them.
fn sent(call: &str) -> (Names, Names) {
    let requests: Vec<Names> = calls::steps()
        .iter()
        .filter(|step| step["call"] == call)
        .map(|step| {
            // METHOD PATH[?QUERY][ FORM]
            let request = step["wire"][0].as_str().unwrap();
            let pairs = request.split_once('?').or(request.rsplit_once("/ ")).map_or("", |(_, pairs)| pairs);
            let pairs = pairs.split('&').filter(|pair| !pair.is_empty());
            pairs.map(|pair| pair.split('=').next().unwrap().to_owned()).collect()
        })
        .collect();
    let all: Names = requests.iter().flatten().cloned().collect();
    let always =
        all.iter().filter(|name| requests.iter().all(|names| names.contains(*name))).cloned().collect();
    (all, always)
}

#[test]
fn the_core_sends_the_parameters_that_the_document_lists() {
    for (call, operation) in pairs(&document()) {
        assert_eq!(sent(call.name), operation.parameters(), "{}: (all, required)", call.name);
    }
}

/// The smallest value that a schema allows: only required fields, and one item in a list.
fn least(document: &Value, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in parts {
            whole.extend(least(document, part).as_object().unwrap().clone());
        }
        return Value::Object(whole);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return least(document, &choices[0]);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match (kind.unwrap_or_else(|| panic!("{schema}")), schema["format"].as_str()) {
        ("object", None) => match schema["additionalProperties"].is_object() {
            true => json!({ "US": least(document, &schema["additionalProperties"]) }),
            false => required(schema)
                .into_iter()
                .map(|name| (name.clone(), least(document, &schema["properties"][name])))
                .collect(),
        },
        ("array", None) => json!([least(document, &schema["items"])]),
        ("integer" | "number", None) => json!(1),
        ("boolean", None) => json!(true),
        ("string", Some("ipv4")) => json!("192.0.2.1"),
        ("string", Some("date")) => json!("2027-01-31"),
        // These strings have a certain form, but no `format`.
        ("string", None) if schema["pattern"] == "^pm_" => json!("pm_x"),
        ("string", None) if schema["examples"][0] == "2026-01-15T12:00:00" => schema["examples"][0].clone(),
        ("string", None) => json!("us-ca.proxymesh.com:31280"),
        other => panic!("{other:?} in {schema}"),
    }
}

/// All ways to leave one field out of a response, each with the field's name.
fn without_one_field(answer: &Value) -> Vec<(String, Value)> {
    match answer {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, inner)| {
                let mut left = fields.clone();
                left.remove(name);
                let deeper = without_one_field(inner).into_iter().map(|(field, inner)| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), inner);
                    (field, Value::Object(fields))
                });
                std::iter::once((name.clone(), Value::Object(left))).chain(deeper).collect::<Vec<_>>()
            })
            .collect(),
        Value::Array(items) => {
            without_one_field(&items[0]).into_iter().map(|(field, item)| (field, json!([item]))).collect()
        }
        _ => Vec::new(),
    }
}

fn read(call: &Call, status: u16, body: &str) -> Result<Value, Error> {
    let server = Server::always(Answer::new(status, body));
    let client = support::blocking(support::basic(&server));
    testing::blocking(&client, call.name, &calls::arguments(call.name))
}

/// The fields that the service always sends, but that the core does not require, because there is an obvious value for "none".
const FORGIVEN: [&str; 4] = ["expires_at", "label", "monthly_bandwidth_limit", "total_bandwidth_limit"];

#[test]
fn the_smallest_response_that_the_document_allows_is_read_and_a_smaller_one_is_an_error() {
    let document = document();
    let (mut refused, mut forgiven) = (0, Names::new());
    for (call, operation) in pairs(&document) {
        let (status, schema) = operation.success();
        let Some(schema) = schema else {
            let value = read(call, status, "");
            assert_eq!(value.unwrap_or_else(|error| panic!("{}: {error}", call.name)), Value::Null);
            continue;
        };
        let answer = least(&document, schema);
        let value = read(call, status, &answer.to_string());
        let value = value.unwrap_or_else(|error| panic!("{}: {error}: {answer}", call.name));
        assert_ne!(value, Value::Null, "{} returns the response", call.name);
        if schema["$ref"] == "#/components/schemas/Counts" {
            continue; // Every field is a country, and may be absent.
        }
        for (field, answer) in without_one_field(&answer) {
            match read(call, status, &answer.to_string()) {
                Err(Error::Decode { .. } | Error::OutcomeUnknown { .. }) => refused += 1,
                Ok(_) => _ = forgiven.insert(field),
                Err(error) => panic!("{} without {field}: {error:?}", call.name),
            }
        }
    }
    assert!(refused > 40, "{refused}");
    assert_eq!(forgiven, FORGIVEN.map(str::to_owned).into());
}

#[test]
fn the_sandbox_serves_the_document() {
    let sandbox = Sandbox::start().unwrap();
    let mut stream = TcpStream::connect(sandbox.base_url().strip_prefix("http://").unwrap()).unwrap();
    stream
        .write_all(b"GET /_sandbox/openapi.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-type: application/json"), "{head}");
    let served: Value = serde_json::from_str(body).unwrap();
    assert!(served == document(), "sandbox/src/openapi.json is out of date: run make openapi");
}
