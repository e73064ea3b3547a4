//! The content of the answers that a fault invents or changes.

use std::iter::repeat_with;

use serde_json::{Number, Value, json};

use super::{Body, Fault, Kind};
use crate::answer::Answer;

const PAGE: &str = "<!DOCTYPE html>\n<title>Maintenance</title>\n<p>We will be back soon.</p>\n";

impl Fault {
    /// The answer that is given without carrying the call out, for the kinds that have one.
    pub(crate) fn instead(&self) -> Option<Answer> {
        match &self.kind {
            Kind::Redirect { location } => Some(Answer::bare(302).with_header("location", location)),
            Kind::Status { status } => Some(self.status_answer(*status)),
            _ => None,
        }
    }

    fn status_answer(&self, status: u16) -> Answer {
        let mut answer = match &self.body {
            Some(Body::Text(text)) => Answer::new(status, "text/plain; charset=utf-8", text.clone()),
            Some(Body::Json(text)) => Answer::new(status, "application/json", text.clone()),
            None => Answer::error(status, &format!("An injected fault: status {status}.")),
        };
        let is_type = |name: &str| name.eq_ignore_ascii_case("content-type");
        let headers = self.headers.iter().flatten();
        if headers.clone().any(|(name, _)| is_type(name)) {
            answer.headers.retain(|(name, _)| !is_type(name));
        }
        answer.headers.extend(headers.cloned());
        answer
    }
}

/// The answer of a call that was carried out, as the fault changes it.
pub(crate) fn disguise(kind: &Kind, answer: Answer) -> Answer {
    match kind {
        Kind::Html => Answer::new(200, "text/html; charset=utf-8", PAGE),
        Kind::Empty => Answer::bare(200),
        Kind::Garbage => with_body(answer, garbage()),
        Kind::WrongType { inside: false } => {
            let wrong = match serde_json::from_slice(&answer.body) {
                Ok(Value::Array(_)) => json!({ "wrong": "type" }),
                _ => json!([1]),
            };
            with_body(answer, wrong.to_string().into_bytes())
        }
        Kind::WrongType { inside: true } => {
            let right = serde_json::from_slice(&answer.body).unwrap_or(json!({}));
            with_body(answer, exchanged(right).to_string().into_bytes())
        }
        Kind::Huge { .. } if answer.body.is_empty() => with_body(answer, b"{}".to_vec()),
        _ => answer,
    }
}

fn with_body(mut answer: Answer, body: Vec<u8>) -> Answer {
    if answer.body.is_empty() {
        answer.status = 200;
        answer = answer.with_header("content-type", "application/json");
    }
    answer.body = body.into();
    answer
}

/// Random bytes that are never UTF-8, because no UTF-8 text begins with 0xFF.
fn garbage() -> Vec<u8> {
    let random = repeat_with(|| fastrand::u8(..)).take(255);
    std::iter::once(0xFF).chain(random).collect()
}

/// Numbers and booleans become strings, and strings become numbers.
fn exchanged(value: Value) -> Value {
    match value {
        Value::Null | Value::String(_) => Value::Number(Number::from(1)),
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        Value::Array(values) => values.into_iter().map(exchanged).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(name, value)| (name, exchanged(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_is_never_the_promised_one() {
        let shown = |kind, body: &Value| {
            let answer = disguise(&kind, Answer::ok(body));
            serde_json::from_slice::<Value>(&answer.body).unwrap()
        };
        let top = Kind::WrongType { inside: false };
        assert_eq!(shown(top.clone(), &json!({ "ips": [] })), json!([1]));
        assert_eq!(shown(top, &json!([])), json!({ "wrong": "type" }));
        let inside = Kind::WrongType { inside: true };
        let right = json!({ "a": 1, "b": true, "c": ["x"], "d": null });
        let wrong = json!({ "a": "1", "b": "true", "c": [1], "d": 1 });
        assert_eq!(shown(inside, &right), wrong);
    }

    #[test]
    fn an_answer_without_a_body_gets_one_to_spoil() {
        let kinds = [Kind::Garbage, Kind::WrongType { inside: false }, Kind::Huge { bytes: 10 }];
        for kind in kinds {
            let answer = disguise(&kind, Answer::no_content());
            assert_eq!(answer.status, 200, "{kind:?}");
            assert!(!answer.body.is_empty(), "{kind:?}");
        }
    }
}
