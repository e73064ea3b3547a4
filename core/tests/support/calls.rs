//! Every call with its arguments, from the conformance cases.

use serde_json::{Map, Value};

/// The steps of `tests/conformance/wire.json`: what each call sends, and how the response is read.
pub fn steps() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/conformance/wire.json");
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    cases.iter().flat_map(|case| case["steps"].as_array().unwrap().clone()).collect()
}

/// The smallest set of arguments with which a call can be made.
pub fn arguments(call: &str) -> Map<String, Value> {
    let steps = steps().into_iter().filter(|step| step["call"] == call);
    let arguments =
        steps.map(|step| step.get("args").and_then(Value::as_object).cloned().unwrap_or_default());
    arguments.min_by_key(Map::len).unwrap_or_else(|| panic!("no case makes {call}"))
}
