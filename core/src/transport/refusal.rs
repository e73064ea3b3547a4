//! Reads what the service says when it refuses (api.md, A10).

use super::{
    attempt::LARGEST_REFUSAL,
    outcome::Answer,
    redact::{redact, redact_cut},
};
use crate::{
    endpoint::Call,
    error::{Error, Refusal},
};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;

/// How much of a body an error carries.
const SHOWN: usize = 4 * 1024;
/// How much of a body that says nothing we know is quoted as the reason.
const QUOTED: usize = 200;

/// The refusal that an answer without success is.
pub(super) fn refusal(
    call: &'static Call,
    answer: &Answer,
    attempts: u32,
    secrets: &[&SecretString],
) -> Refusal {
    let bytes = answer.body.as_deref().unwrap_or_default();
    let clean = |text: &str| redact(text, secrets.iter().copied());
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
    let body = shown(bytes, secrets);
    let mut reason = reasons.join("; ");
    if reason.is_empty() {
        reason = meaning(call, answer.status).to_owned();
        let quoted = one_line(&body);
        if reason.is_empty() && !quoted.is_empty() {
            reason = quoted;
        } else if reason.is_empty() {
            reason = "the service gave no reason".into();
        }
    } else if let Some(advice) = documented(call, answer.status).filter(|_| answer.status >= 500) {
        // 503 on proxies.add keeps its own advice.
        reason = format!("{reason} ({advice})");
    }
    Refusal {
        call: call.name,
        status: answer.status,
        reason,
        field_errors,
        body,
        retry_after: answer.retry_after,
        attempts,
    }
}

/// The error for a successful answer that cannot be read. The body of an answer with a secret is withheld.
pub(super) fn unreadable(
    call: &'static Call,
    status: u16,
    body: &[u8],
    reason: &str,
    secrets: &[&SecretString],
) -> Error {
    let body =
        if call.secret_answer { "[withheld: it may hold a secret]".to_owned() } else { shown(body, secrets) };
    let reason = redact(reason, secrets.iter().copied());
    Error::Decode { call: call.name, status, reason, body }
}

/// The body's first 4 KiB as text.
fn shown(body: &[u8], secrets: &[&SecretString]) -> String {
    // Redacted before it is cut, lest half a secret remain; what is read at all is bounded.
    let text = String::from_utf8_lossy(body);
    let secrets = secrets.iter().copied();
    let clean =
        if body.len() == LARGEST_REFUSAL { redact_cut(&text, secrets) } else { redact(&text, secrets) };
    cut(&clean, SHOWN).to_owned()
}

fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    let short = cut(&line, QUOTED);
    if short.len() < line.len() { format!("{short}…") } else { line }
}

/// A text, or the texts of a list.
fn texts_of(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a status means for this call, else in general (api.md, "Status codes"); nothing where the body has to say.
fn meaning(call: &Call, status: u16) -> &'static str {
    documented(call, status).unwrap_or(match status {
        300..=399 => "the service redirected; check the base URL, and that it is https",
        401 => "wrong credentials, or banned after too many failures",
        402 => "the plan does not allow it",
        403 => "not yours, or only the parent account may",
        404 => "there is no such thing",
        405 | 415 => {
            "the client asked in a way that the service does not take; this is a defect of the client"
        }
        429 => "too many requests",
        500..=599 => "try again later",
        _ => "",
    })
}

fn documented(call: &Call, status: u16) -> Option<&'static str> {
    call.documented.iter().find(|(code, _)| *code == status).map(|(_, meaning)| *meaning)
}
