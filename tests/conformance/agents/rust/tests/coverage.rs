//! The cases cover every call, every argument and every kind of error.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proxymesh::{endpoint::CALLS, testing};
use serde_json::Value;
use std::{collections::BTreeSet, fs};

fn read(file: &str) -> Value {
    let path = format!("{}/../../{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The steps of a file that make this call.
fn steps(file: &str, call: &str) -> Vec<Value> {
    let cases = read(file);
    let steps = cases.as_array().unwrap().iter().flat_map(|case| case["steps"].as_array().unwrap());
    steps.filter(|step| step["call"] == call).cloned().collect()
}

fn arguments(step: &Value) -> BTreeSet<String> {
    step["args"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[test]
fn every_call_is_made_with_the_fewest_and_with_all_arguments() {
    for call in CALLS {
        let all: BTreeSet<_> = testing::arguments(call.name).into_iter().map(str::to_owned).collect();
        let given: Vec<_> = steps("wire", call.name).iter().map(arguments).collect();
        assert!(given.contains(&all), "{} is not made with {all:?}", call.name);
        let fewest = given.iter().min_by_key(|names| names.len()).unwrap();
        assert!(given.iter().all(|names| names.is_superset(fewest)), "{}: {given:?}", call.name);
    }
}

#[test]
fn every_argument_is_rejected_once_and_accepted_at_its_limit_once() {
    for call in CALLS {
        let all: BTreeSet<_> = testing::arguments(call.name).into_iter().map(str::to_owned).collect();
        let refused = steps("validation", call.name);
        let refused: BTreeSet<_> =
            refused.iter().map(|step| step["error"]["field"].as_str().unwrap().to_owned()).collect();
        assert_eq!(refused, all, "{}", call.name);
        let allowed: BTreeSet<_> = steps("limits", call.name).iter().flat_map(arguments).collect();
        assert_eq!(allowed, all, "{}", call.name);
    }
}

#[test]
fn every_kind_of_error_is_compared_in_full() {
    let schema = read("runner/schema");
    let kinds = schema["$defs"]["error"]["properties"]["kind"]["enum"].as_array().unwrap();
    let kinds: BTreeSet<_> = kinds.iter().map(|kind| kind.as_str().unwrap().to_owned()).collect();
    let cases = read("errors");
    let steps =
        cases.as_array().unwrap().iter().map(|case| case["steps"].as_array().unwrap().last().unwrap());
    let shown: BTreeSet<_> = steps.map(|step| step["error"]["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(shown, kinds);
}
