//! A fault as JSON, the way `POST /_sandbox/faults` takes it.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{Body, Fault, Kind};
use crate::Error;

impl Fault {
    /// Reads a fault from the JSON that `POST /_sandbox/faults` takes. It is an object with `kind` and the fields of
    /// that kind. `method`, `path` or `proxy`, `times` and `after` are optional.
    ///
    /// The fields are `status`, `body` and `headers` for the kind `status`; `location` for `redirect`; `seconds` for
    /// `delay`, `delay_after_apply`, `drip` and `close_idle`; `bytes` for `huge`; `inside` for `wrong_type`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for anything unknown, missing or out of range.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let parsed = serde_json::from_str(json).and_then(serde_json::from_value::<Self>);
        let fault = parsed.map_err(|error| Error::Invalid(format!("invalid fault: {error}")))?;
        fault.check()?;
        Ok(fault)
    }

    /// The fault as JSON that [`from_json`](Self::from_json) reads, with the remaining values of `times` and `after`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!(self).to_string()
    }
}

/// Reads a kind with its own fields, and refuses any other field.
///
/// Serde's `deny_unknown_fields` cannot be combined with `flatten`. Every kind writes all of its fields, so a field
/// that it does not write is unknown.
pub(super) fn kind<'de, D: Deserializer<'de>>(fields: D) -> Result<Kind, D::Error> {
    let given: Map<String, Value> = Map::deserialize(fields)?;
    let kind = Kind::deserialize(&given).map_err(D::Error::custom)?;
    let known = json!(kind);
    match given.keys().find(|name| known.get(name).is_none()) {
        Some(name) => Err(D::Error::custom(format!("kind `{}` has no field `{name}`", kind.name()))),
        None => Ok(kind),
    }
}

pub(super) fn once() -> u32 {
    1
}

pub(super) fn nowhere() -> String {
    "http://127.0.0.1:1/".to_owned()
}

pub(super) fn huge() -> usize {
    9 * 1024 * 1024
}

pub(super) fn drip() -> Duration {
    Duration::from_millis(50)
}

pub(super) fn close_idle() -> Duration {
    Duration::from_millis(5)
}

/// A string is sent as text, any other value as JSON.
impl From<Value> for Body {
    fn from(body: Value) -> Self {
        match body {
            Value::String(text) => Self::Text(text),
            other => Self::Json(other.to_string()),
        }
    }
}

impl From<Body> for Value {
    fn from(body: Body) -> Self {
        match body {
            Body::Text(text) => Self::String(text),
            Body::Json(text) => serde_json::from_str(&text).unwrap_or(Self::String(text)),
        }
    }
}

/// A duration as a number of seconds.
pub(super) mod seconds {
    use std::time::Duration;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(seconds: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(seconds.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from).ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
        seconds.ok_or_else(|| D::Error::custom("`seconds` must be a number from 0 to 3600"))
    }
}

/// Headers as an object.
pub(super) mod headers {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Headers = Option<Vec<(String, String)>>;

    pub(crate) fn serialize<S: Serializer>(headers: &Headers, to: S) -> Result<S::Ok, S::Error> {
        let fields: BTreeMap<_, _> = headers.iter().flatten().cloned().collect();
        fields.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Headers, D::Error> {
        let fields: Option<BTreeMap<_, _>> = Deserialize::deserialize(from)?;
        Ok(fields.map(|fields| fields.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_survives_a_trip_through_json() {
        let pause = Duration::from_millis(250);
        let status = Fault::status(503).header("Retry-After", "1");
        for fault in [
            status.clone().body("plain").method("POST").path("/api/proxy/add/"),
            status.json_body(r#"{"error":"x"}"#).times(0).after(3),
            Fault::redirect("https://example.com/"),
            Fault::status(509).proxy("us-ca"),
            Fault::drop(),
            Fault::reset(),
            Fault::delay(pause),
            Fault::delay_after_apply(pause),
            Fault::drop_after_apply(),
            Fault::truncate(),
            Fault::garbage(),
            Fault::wrong_type(),
            Fault::wrong_type_inside(),
            Fault::html(),
            Fault::empty(),
            Fault::huge(100),
            Fault::drip(pause),
            Fault::close_idle(pause),
        ] {
            assert_eq!(Fault::from_json(&fault.to_json()).unwrap(), fault);
            assert_eq!(json!(fault)["kind"], fault.kind());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        for (json, reason) in [
            ("[]", "invalid fault: invalid type: sequence, expected an object"),
            ("kind=drop", "invalid fault: expected value"),
            ("{}", "missing field `kind`"),
            (r#"{"kind": "explode"}"#, "unknown variant `explode`, expected one of `status`"),
            (r#"{"kind": "drop", "colour": 1}"#, "kind `drop` has no field `colour`"),
            (r#"{"kind": "drop", "seconds": 1}"#, "kind `drop` has no field `seconds`"),
            (r#"{"kind": "drop", "headers": {}}"#, "a fault of kind `drop` has neither body nor headers"),
            (r#"{"kind": "delay"}"#, "missing field `seconds`"),
            (r#"{"kind": "delay", "seconds": -1}"#, "`seconds` must be a number from 0 to 3600"),
            (r#"{"kind": "delay", "seconds": "1"}"#, "`seconds` must be a number from 0 to 3600"),
            (r#"{"kind": "delay", "seconds": 1e9}"#, "at most 3600"),
            (r#"{"kind": "drop", "times": -1}"#, "integer `-1`, expected u32"),
            (r#"{"kind": "status"}"#, "missing field `status`"),
            (r#"{"kind": "status", "status": 199}"#, "not from 200 to 599"),
            (r#"{"kind": "drop", "path": "/api/ip/add"}"#, "the API has no path '/api/ip/add'"),
            (r#"{"kind": "drop", "method": "PUT"}"#, "neither GET nor POST"),
            (r#"{"kind": "drop", "proxy": "us-xx"}"#, "no proxy 'us-xx'"),
            (r#"{"kind": "html", "proxy": "us-ca"}"#, "a proxy cannot have a fault of kind `html`"),
            (r#"{"kind": "drop", "proxy": "us-ca", "method": "GET"}"#, "neither method nor path"),
            (r#"{"kind": "huge", "bytes": 99999999999}"#, "at most"),
            (r#"{"kind": "redirect", "location": "a\nb"}"#, "not a valid header"),
            (r#"{"kind": "status", "status": 200, "headers": {"Content-Length": "5"}}"#, "cannot be set"),
        ] {
            let error = Fault::from_json(json).unwrap_err().to_string();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }
}
