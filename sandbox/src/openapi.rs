//! The OpenAPI description of the API, which the sandbox serves.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

/// Generated from docs/openapi.yaml by `make openapi`.
pub(crate) const OPENAPI: &str = include_str!("openapi.json");

/// The paths of the calls.
static PATHS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(OPENAPI).unwrap_or_default();
    let paths = document.get("paths").and_then(Value::as_object);
    paths.into_iter().flatten().map(|(path, _)| path.clone()).collect()
});

/// Whether there is a call at this path.
pub(crate) fn exists(path: &str) -> bool {
    PATHS.contains(path)
}
