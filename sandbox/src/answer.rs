//! The service's answers: a result, or a refusal with its reason.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use crate::state::refused::Refused;

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// A status without a body.
    pub(crate) fn bare(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::new(status, "application/json", body),
            Err(error) => Self::new(500, "text/plain", error.to_string()),
        }
    }

    pub(crate) fn ok(value: &impl Serialize) -> Self {
        Self::json(200, value)
    }

    pub(crate) fn no_content() -> Self {
        Self::bare(204)
    }

    pub(crate) fn error(status: u16, reason: &str) -> Self {
        Self::json(status, &json!({ "error": reason }))
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The reasons for each field, in the format of Django's forms (docs/assumptions.md, A10).
pub(crate) type FieldErrors = BTreeMap<String, Vec<String>>;

/// Why a call was not carried out.
#[derive(Debug)]
pub(crate) struct Refusal(Answer);

impl Refusal {
    pub(crate) fn new(status: u16, reason: impl AsRef<str>) -> Self {
        Self(Answer::error(status, reason.as_ref()))
    }

    pub(crate) fn form(errors: &FieldErrors) -> Self {
        Self(Answer::json(400, errors))
    }

    pub(crate) fn field(name: &str, reason: String) -> Self {
        Self::form(&FieldErrors::from([(name.to_owned(), vec![reason])]))
    }

    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        Self(self.0.with_header(name, value))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        refusal.0
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let reason = refused.to_string();
        match refused {
            // The service reports a taken username as an error of that form field.
            Refused::UsernameTaken(_) => Self::field("username", reason),
            _ => Self::new(refused.status(), reason),
        }
    }
}
