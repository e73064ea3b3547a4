//! A fault as JSON, the way `POST /_sandbox/faults` takes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Body, Fault, Kind};
use crate::Error;

const HUGE: usize = 9 * 1024 * 1024;
const DRIP: f64 = 0.05;
const CLOSE_IDLE: f64 = 0.005;
const NOWHERE: &str = "http://127.0.0.1:1/";

/// The fields of all kinds together; which of them a kind has is checked after.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    kind: String,
    method: Option<String>,
    path: Option<String>,
    proxy: Option<String>,
    times: Option<u32>,
    after: Option<u32>,
    status: Option<u16>,
    body: Option<Value>,
    headers: Option<BTreeMap<String, String>>,
    seconds: Option<f64>,
    bytes: Option<usize>,
    location: Option<String>,
    inside: Option<bool>,
}

impl Fault {
    /// Reads a fault as `POST /_sandbox/faults` takes it: an object with `kind`, if wanted
    /// `method`, `path` or `proxy`, `times` and `after`, and the kind's own fields. These are `status`, `body`
    /// and `headers` of a `status`; `location` of a `redirect`; `seconds` of `delay`,
    /// `delay_after_apply`, `drip` and `close_idle`; `bytes` of `huge`; `inside` of `wrong_type`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for anything unknown, missing or out of range.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let parsed: Result<Fields, _> = serde_json::from_str(json);
        let fields = parsed.map_err(|error| Error::Invalid(format!("not a fault: {error}")))?;
        let fault = fields.fault()?;
        fault.check()?;
        Ok(fault)
    }

    /// The fault as [`from_json`](Self::from_json) reads it. `times` and `after` are what is left.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| {
            fields.insert(name.to_owned(), value);
        };
        set("kind", json!(self.kind()));
        set("times", json!(self.times));
        set("after", json!(self.after));
        if let Some(method) = &self.method {
            set("method", json!(method));
        }
        if let Some(path) = &self.path {
            set("path", json!(path));
        }
        if let Some(proxy) = &self.proxy {
            set("proxy", json!(proxy));
        }
        match &self.body {
            Some(Body::Text(text)) => set("body", json!(text)),
            Some(Body::Json(text)) => {
                set("body", serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
            }
            None => {}
        }
        if !self.headers.is_empty() {
            let headers: BTreeMap<_, _> = self.headers.iter().cloned().collect();
            set("headers", json!(headers));
        }
        match &self.kind {
            Kind::Status(status) => set("status", json!(status)),
            Kind::Redirect(location) => set("location", json!(location)),
            Kind::Delay(pause)
            | Kind::DelayAfterApply(pause)
            | Kind::Drip(pause)
            | Kind::CloseIdle(pause) => set("seconds", json!(pause.as_secs_f64())),
            Kind::Huge(bytes) => set("bytes", json!(bytes)),
            Kind::WrongType { inside } => set("inside", json!(inside)),
            _ => {}
        }
        Value::Object(fields)
    }
}

impl Fields {
    fn fault(mut self) -> Result<Fault, Error> {
        let mut fault = Fault::of(self.take_kind()?);
        fault.method = self.method.take();
        fault.path = self.path.take();
        fault.proxy = self.proxy.take();
        fault.times = self.times.unwrap_or(1);
        fault.after = self.after.unwrap_or(0);
        if matches!(fault.kind, Kind::Status(_)) {
            fault.body = self.body.take().map(|body| match body {
                Value::String(text) => Body::Text(text),
                other => Body::Json(other.to_string()),
            });
            let headers = self.headers.take().unwrap_or_default();
            fault.headers = headers.into_iter().collect();
        }
        match self.left_over() {
            Some(name) => Err(Error::Invalid(format!("a {} fault has no '{name}'", self.kind))),
            None => Ok(fault),
        }
    }

    fn take_kind(&mut self) -> Result<Kind, Error> {
        Ok(match self.kind.as_str() {
            "status" => Kind::Status(self.status.take().ok_or_else(|| self.missing("status"))?),
            "redirect" => Kind::Redirect(self.location.take().unwrap_or_else(|| NOWHERE.to_owned())),
            "drop" => Kind::Drop,
            "reset" => Kind::Reset,
            "delay" => Kind::Delay(self.take_seconds(None)?),
            "delay_after_apply" => Kind::DelayAfterApply(self.take_seconds(None)?),
            "drop_after_apply" => Kind::DropAfterApply,
            "truncate" => Kind::Truncate,
            "garbage" => Kind::Garbage,
            "wrong_type" => Kind::WrongType { inside: self.inside.take().unwrap_or(false) },
            "html" => Kind::Html,
            "empty" => Kind::Empty,
            "huge" => Kind::Huge(self.bytes.take().unwrap_or(HUGE)),
            "drip" => Kind::Drip(self.take_seconds(Some(DRIP))?),
            "close_idle" => Kind::CloseIdle(self.take_seconds(Some(CLOSE_IDLE))?),
            other => {
                let reason = format!("there is no fault of the kind '{other}'");
                return Err(Error::Invalid(reason));
            }
        })
    }

    fn take_seconds(&mut self, otherwise: Option<f64>) -> Result<Duration, Error> {
        let given = self.seconds.take().or(otherwise);
        let seconds = given.ok_or_else(|| self.missing("seconds"))?;
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| Error::Invalid("seconds must be a number from 0 to 3600".to_owned()))
    }

    fn missing(&self, name: &str) -> Error {
        Error::Invalid(format!("a {} fault needs '{name}'", self.kind))
    }

    /// A field that was given but does not belong to the kind.
    fn left_over(&self) -> Option<&'static str> {
        let given = [
            (self.status.is_some(), "status"),
            (self.body.is_some(), "body"),
            (self.headers.is_some(), "headers"),
            (self.seconds.is_some(), "seconds"),
            (self.bytes.is_some(), "bytes"),
            (self.location.is_some(), "location"),
            (self.inside.is_some(), "inside"),
        ];
        let mut left = given.into_iter().filter(|(is_left, _)| *is_left);
        left.next().map(|(_, name)| name)
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
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        for (json, reason) in [
            ("[]", "not a fault"),
            ("{}", "missing field `kind`"),
            (r#"{"kind": "explode"}"#, "no fault of the kind 'explode'"),
            (r#"{"kind": "drop", "colour": 1}"#, "unknown field `colour`"),
            (r#"{"kind": "drop", "seconds": 1}"#, "a drop fault has no 'seconds'"),
            (r#"{"kind": "delay"}"#, "a delay fault needs 'seconds'"),
            (r#"{"kind": "delay", "seconds": -1}"#, "from 0 to 3600"),
            (r#"{"kind": "delay", "seconds": 1e9}"#, "at most 3600"),
            (r#"{"kind": "drop", "times": -1}"#, "not a fault"),
            (r#"{"kind": "status"}"#, "a status fault needs 'status'"),
            (r#"{"kind": "status", "status": 199}"#, "not from 200 to 599"),
            (r#"{"kind": "drop", "path": "/api/ip/add"}"#, "none of the API's"),
            (r#"{"kind": "drop", "method": "PUT"}"#, "neither GET nor POST"),
            (r#"{"kind": "drop", "proxy": "us-xx"}"#, "no proxy 'us-xx'"),
            (r#"{"kind": "html", "proxy": "us-ca"}"#, "a proxy has no html fault"),
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
