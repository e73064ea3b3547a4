//! Parses the service's response when it refuses a call (docs/assumptions.md, A10).

use super::{attempt::LARGEST_REFUSAL, outcome::Response};
use crate::{
    endpoint::{Call, Replay},
    error::Refusal,
    redact::{Redactor, cut},
};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;

/// How much of the body an error contains.
const SHOWN: usize = 4 * 1024;
/// How much of the service's text goes into an error's reason, which is one line.
const REASON: usize = 500;
/// How much of an unrecognised body is quoted as the reason.
const QUOTED: usize = 200;

/// Converts an unsuccessful response into a refusal.
pub(super) fn refusal(
    call: &'static Call,
    response: &Response,
    attempts: u32,
    secrets: &[&SecretString],
) -> Refusal {
    let bytes = response.body.as_deref().unwrap_or_default();
    let redactor = Redactor::new(secrets.iter().copied());
    let clean = |text: &str| cut(&redactor.redact(text), SHOWN).to_owned();
    let said: Option<Value> = serde_json::from_slice(bytes).ok();
    let mut field_errors = BTreeMap::new();
    let mut reasons = Vec::new();
    for (field, texts) in said.iter().filter_map(Value::as_object).flatten() {
        let texts: Vec<String> = texts_of(texts).into_iter().map(clean).collect();
        if texts.is_empty() {
            continue;
        }
        let all = texts.join(" ");
        match field.as_str() {
            "error" | "detail" | "message" => reasons.insert(0, all),
            "__all__" | "non_field_errors" => {
                field_errors.insert(clean(field), texts);
                reasons.push(all);
            }
            _ => {
                reasons.push(format!("{}: {all}", clean(field)));
                field_errors.insert(clean(field), texts);
            }
        }
    }
    let body = shown(bytes, &redactor);
    let told = redactor.one_line(&reasons.join("; "), REASON);
    let reason = match (told.is_empty(), documented(call, response.status)) {
        // 503 on proxies.add keeps its own advice.
        (false, Some(advice)) if response.status >= 500 => format!("{told} ({advice})"),
        (false, _) => told,
        (true, Some(meaning)) => meaning.to_owned(),
        (true, None) => match (meaning(call, response.status), redactor.one_line(&body, QUOTED)) {
            (Some(meaning), _) => meaning.to_owned(),
            (None, quoted) if quoted.is_empty() => "the service gave no reason".to_owned(),
            (None, quoted) => quoted,
        },
    };
    Refusal {
        call: call.name,
        status: response.status,
        reason,
        field_errors,
        body,
        retry_after: response.retry_after,
        attempts,
    }
}

/// Why a successful response cannot be read, and the part of its body that may be shown. A body that may contain a secret is
/// withheld.
pub(super) fn unreadable(
    call: &'static Call,
    body: &[u8],
    reason: &str,
    secrets: &[&SecretString],
) -> (String, String) {
    let redactor = Redactor::new(secrets.iter().copied());
    let body = if call.secret_response {
        "[withheld: it may contain a secret]".to_owned()
    } else {
        shown(body, &redactor)
    };
    (redactor.one_line(&redactor.redact(reason), REASON), body)
}

/// The body's first 4 KiB as text.
fn shown(body: &[u8], redactor: &Redactor) -> String {
    // Redacts before cutting, so that no half of a secret remains. The body's size is already limited.
    let text = String::from_utf8_lossy(body);
    let clean =
        if body.len() == LARGEST_REFUSAL { redactor.redact_cut(&text) } else { redactor.redact(&text) };
    cut(&clean, SHOWN).to_owned()
}

/// A string, or the strings in a list.
fn texts_of(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a status means, beyond the kind of error (docs/api.md, "Status codes").
fn meaning(call: &Call, status: u16) -> Option<&'static str> {
    match status {
        300..=399 => Some("check that the base URL is correct and uses https"),
        401 => Some("wrong credentials, or banned after too many failures"),
        403 => Some("the resource belongs to another account, or only the parent account may do this"),
        404 => Some("the resource does not exist"),
        405 | 415 => Some(
            "the service does not accept this kind of request; this is a bug in the client, please report it",
        ),
        500..=599 if call.replay == Replay::Read => Some("try again later"),
        // The write may have been carried out, so do not suggest repeating it.
        500..=599 => Some("the service or a gateway in front of it failed"),
        _ => None,
    }
}

/// What a status means for this call in particular.
fn documented(call: &Call, status: u16) -> Option<&'static str> {
    call.documented.iter().find(|(code, _)| *code == status).map(|(_, meaning)| *meaning)
}
