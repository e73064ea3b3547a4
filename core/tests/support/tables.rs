//! The language-neutral tables of tests/tables, as tests/README.md describes them.

use serde_json::{Map, Value};

/// The rows of `tests/tables/NAME.json`.
pub fn rows(name: &str) -> Vec<Value> {
    let path = format!("{}/../tests/tables/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let rows: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    rows.as_array().unwrap().clone()
}

/// A row's arguments with their value forms written out; none is an empty object.
pub fn arguments(row: &Value) -> Map<String, Value> {
    let Some(arguments) = row.get("args") else { return Map::new() };
    let arguments = arguments.as_object().unwrap();
    arguments.iter().map(|(name, value)| (name.clone(), written_out(value))).collect()
}

/// `{"repeat": ["x", 3]}` is `"xxx"`; `{"join": […]}` is its parts one after another.
pub fn written_out(value: &Value) -> Value {
    let Value::Object(form) = value else { return value.clone() };
    let (name, inner) = form.iter().next().unwrap();
    assert_eq!(form.len(), 1, "{value}");
    let parts = inner.as_array().unwrap();
    Value::String(match name.as_str() {
        "repeat" => {
            let times = usize::try_from(parts[1].as_u64().unwrap()).unwrap();
            assert_eq!(parts.len(), 2, "{value}");
            parts[0].as_str().unwrap().repeat(times)
        }
        "join" => parts.iter().map(|part| written_out(part).as_str().unwrap().to_owned()).collect(),
        other => panic!("there is no value form {other:?}"),
    })
}

/// A value as it may stand in a message: not 100,000 characters of it.
pub fn short(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}
