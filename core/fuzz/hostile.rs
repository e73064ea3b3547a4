//! Properties that hold whatever the service sends and whatever a caller passes. Every `cargo test` checks them with the generated
//! input below, and so do the libFuzzer targets next to this file. It is a module of the transport, because it tests private items.

use super::{
    outcome::{Outcome, Response},
    refusal, retry,
};
use crate::{
    endpoint::{CALLS, Call, Endpoint, for_each_call, geo, hostname, ip, proxy, sub_account, token},
    model::{ExpiryDate, Hostname, IpAddress, IpLabel, TokenLabel, Username},
    proxy::{Proxy, ProxyHost},
    redact::Redactor,
};
use bytes::Bytes;
use reqwest::Url;
use secrecy::SecretString;
use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};

/// A password whose characters have several spellings: a space, a quote, an ampersand, and one that is not ASCII.
pub const SECRET: &str = "pä\"ss &w";

/// The call with this number, modulo the number of calls.
fn call(number: u8) -> &'static Call {
    CALLS.iter().cycle().nth(number.into()).unwrap()
}

macro_rules! readers {
    ($( $resource:ident.$verb:ident: $module:ident::$endpoint:ident $input:tt $($of:ident)?; )*) => {
        const READERS: &[fn(&[u8]) -> bool] = &[ $( read::<$module::$endpoint> ),* ];
    };
}
for_each_call!(readers);

/// Checks the body of a successful response to the call with this number. Returns whether it can be read.
pub fn success(number: u8, body: &[u8]) -> bool {
    READERS.iter().cycle().nth(number.into()).unwrap()(body)
}

/// An unknown field does not change the result. If the body cannot be read, the error shows no secret.
fn read<E: Endpoint<Response: Debug>>(body: &[u8]) -> bool {
    let call = E::CALL;
    match E::decode(body) {
        Ok(response) => {
            let shown = format!("{response:?}");
            assert!(!call.secret_response || label_has_token(body) || !shown.contains("pm_"), "{shown}");
            let Some(longer) = with_a_new_field(body).filter(|_| !call.path.starts_with("/api/geoips/"))
            else {
                return true;
            };
            match E::decode(&longer) {
                Ok(response) => assert_eq!(format!("{response:?}"), shown),
                Err(mismatch) => panic!("{}: {mismatch:?}", String::from_utf8_lossy(&longer)),
            }
            true
        }
        Err(mismatch) => {
            let reason = mismatch.reason(!call.secret_response);
            let (reason, shown) = refusal::unreadable(call, body, &reason, &[&SECRET.into()]);
            assert!(!reason.is_empty());
            can_be_shown(&reason);
            shows_no_secret(&shown);
            assert!(shown.len() <= 4096);
            assert!(!call.secret_response || (!shown.contains("pm_") && !reason.contains("pm_")), "{reason}");
            false
        }
    }
}

/// Whether what looks like a token is the label, which is no secret.
fn label_has_token(body: &[u8]) -> bool {
    let read = serde_json::from_slice::<serde_json::Value>(body);
    read.is_ok_and(|body| {
        body.get("label").and_then(serde_json::Value::as_str).is_some_and(|label| label.contains("pm_"))
    })
}

fn with_a_new_field(body: &[u8]) -> Option<Vec<u8>> {
    let (first, rest) = body.trim_ascii_start().split_first()?;
    let comma: &[u8] = if rest.trim_ascii_start().starts_with(b"}") { b"" } else { b"," };
    (*first == b'{').then(|| [b"{\"new\": {\"a\": [1]}", comma, rest].concat())
}

/// Checks a refusal of the call with this number, and its `Retry-After`.
pub fn refused(number: u8, status: u16, retry_after: &str, body: &[u8]) {
    let (call, now) = (call(number), SystemTime::now());
    let waits = retry::retry_after(retry_after, now);
    assert!(waits.is_none_or(|_| retry_after.bytes().any(|byte| byte.is_ascii_digit())), "{retry_after:?}");
    let response = || Response { status, retry_after: waits, body: Some(Bytes::copy_from_slice(body)) };
    for attempts in [1, 2, 3, u32::MAX] {
        let wait = retry::wait(call.replay, &Outcome::Answered(response()), attempts, 2);
        assert!(wait.is_none_or(|wait| wait <= Duration::from_secs(60) && attempts <= 2), "{wait:?}");
        assert!(wait.is_none() || waits.is_none() || wait == waits, "{wait:?} is not {waits:?}");
    }
    let refusal = refusal::refusal(call, &response(), 1, &[&SECRET.into()]);
    assert_eq!((refusal.call, refusal.status, refusal.retry_after), (call.name, status, waits));
    assert!(!refusal.reason.is_empty() && refusal.body.len() <= 4096);
    can_be_shown(&refusal.reason);
    shows_no_secret(&refusal.body);
    for (field, reasons) in &refusal.field_errors {
        shows_no_secret(field);
        reasons.iter().for_each(|reason| shows_no_secret(reason));
    }
    let error = refusal.into_error();
    assert_eq!(error.call(), Some(call.name));
    can_be_shown(&error.to_string());
}

/// Checks that the text is one line, is not too long, and shows no secret.
fn can_be_shown(text: &str) {
    assert!(text.len() < 2048 && !text.contains(char::is_control), "{text:?}");
    shows_no_secret(text);
}

/// Checks that the text shows the secret in none of its spellings.
fn shows_no_secret(text: &str) {
    let secret = SecretString::from(SECRET);
    assert_eq!(Redactor::new(std::iter::once(&secret)).redact(text), text);
}

/// Checks text from a caller. If it is accepted, it is within its limits and arrives unchanged.
pub fn input(text: &str) {
    let characters = text.chars().count();
    let plain = !text.contains(char::is_control);
    if let Ok(username) = Username::new(text) {
        assert!((1..=30).contains(&characters) && arrives(username.as_str(), text));
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || ".@+-_".contains(c)));
    }
    if let Ok(hostname) = Hostname::new(text) {
        assert!((1..=253).contains(&characters) && text.is_ascii() && arrives(hostname.as_str(), text));
    }
    if let Ok(label) = IpLabel::new(text) {
        assert!(characters <= 255 && plain && arrives(label.as_str(), text));
    }
    if let Ok(label) = TokenLabel::new(text) {
        assert!(characters <= 100 && plain && arrives(label.as_str(), text));
    }
    if let Ok(host) = ProxyHost::new(text) {
        assert!((1..=259).contains(&characters) && text.is_ascii() && arrives(host.as_str(), text));
    }
    if let Ok(date) = ExpiryDate::new(text) {
        assert!(arrives(&date.to_string(), text));
    }
    if let Ok(ip) = IpAddress::new(text) {
        assert_eq!(IpAddress::new(ip.0.to_string().as_str()).unwrap(), ip);
    }
    if let Ok(proxy) = text.parse::<Proxy>() {
        assert_eq!(proxy.to_string().parse::<Proxy>().unwrap(), proxy);
        if text.to_ascii_lowercase().contains("xn--") {
            return; // Some `xn--` names cannot be decoded, and a URL cannot contain those.
        }
        let url: Url = proxy.url_with(text, SECRET).parse().unwrap();
        assert_eq!((url.port_or_known_default(), decoded(url.username())), (Some(proxy.port()), text.into()));
        assert_eq!(decoded(url.password().unwrap()), SECRET);
    }
}

/// Whether `sent` arrives as `given` when it is sent in a form.
fn arrives(sent: &str, given: &str) -> bool {
    let form: String = form_urlencoded::byte_serialize(sent.as_bytes()).collect();
    form_urlencoded::parse(format!("x={form}").as_bytes()).eq([("x".into(), given.into())])
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample};
    use serde_json::Value;

    /// The bodies of successful responses in the conformance cases, each with the number of its call.
    fn good() -> Vec<(u8, Vec<u8>)> {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/conformance/wire.json")).unwrap();
        cases
            .iter()
            .flat_map(|case| case["steps"].as_array().unwrap())
            .filter_map(|step| {
                let number = CALLS.iter().position(|call| step["call"] == call.name).unwrap();
                // A call that promises nothing gets no body.
                let body = step.get("answer")?["body"].as_str()?;
                Some((u8::try_from(number).unwrap(), body.as_bytes().to_vec()))
            })
            .collect()
    }

    /// JSON of any shape.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            sample::select(vec!["2026-01-15T12:00:00", "2027-02-29", "203.0.113.7", "a.b:1", "pm_x", SECRET])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(".{0,8}", inner, 0..4)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    /// A place in `value`, chosen by `at`.
    fn place(value: &mut Value, at: usize) -> &mut Value {
        let children = match value {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            _ => 0,
        };
        if children == 0 || at % (children + 1) == children {
            return value;
        }
        let (child, at) = (at % (children + 1), at / (children + 1));
        match value {
            Value::Array(items) => place(&mut items[child], at),
            Value::Object(fields) => place(fields.values_mut().nth(child).unwrap(), at),
            _ => unreachable!(),
        }
    }

    /// A valid response with one value replaced.
    fn nearly_good() -> impl Strategy<Value = (u8, Vec<u8>)> {
        (sample::select(good()), any::<usize>(), json()).prop_map(|((number, body), at, other)| {
            let mut body: Value = serde_json::from_slice(&body).unwrap();
            *place(&mut body, at) = other;
            (number, body.to_string().into_bytes())
        })
    }

    /// Valid responses, cut off and with some bytes overwritten.
    fn damaged() -> impl Strategy<Value = (u8, Vec<u8>)> {
        let bytes = vec((any::<sample::Index>(), any::<u8>()), 0..4);
        (sample::select(good()), bytes, any::<sample::Index>()).prop_map(
            |((number, mut body), bytes, end)| {
                for (at, byte) in bytes {
                    let at = at.index(body.len());
                    body[at] = byte;
                }
                body.truncate(end.index(body.len()) + 1);
                (number, body)
            },
        )
    }

    /// What a service may say when it refuses a call. Sometimes it contains the secret.
    fn complaint() -> impl Strategy<Value = Vec<u8>> {
        let text = (
            ".{0,40}",
            sample::select(vec!["", SECRET, "p%C3%A4%22ss+%26w", "p\\u00e4\\\"ss &w", "pä\"s\u{1}s\n &w"]),
            ".{0,40}",
        );
        let text = text.prop_map(|(before, secret, after)| format!("{before}{secret}{after}"));
        prop_oneof![
            vec(any::<u8>(), 0..300),
            text.clone().prop_map(String::into_bytes),
            (sample::select(vec!["error", "__all__", "username", ""]), vec(text.clone(), 0..3))
                .prop_map(|(field, texts)| serde_json::json!({ field: texts }).to_string().into_bytes()),
            (text.clone(), text, json()).prop_map(|(a, b, c)| {
                serde_json::json!({ a.as_str(): b, "detail": c }).to_string().into_bytes()
            }),
        ]
    }

    fn retry_after() -> impl Strategy<Value = String> {
        prop_oneof![
            ".{0,40}",
            "[0-9]{1,30}",
            "(Mon|Tue|Sun), [0-9]{2} (Jan|Feb|Nov) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused((number, body) in (any::<u8>(), vec(any::<u8>(), 0..300))) {
            success(number, &body);
        }

        #[test]
        fn any_json_is_read_or_refused((number, body) in (any::<u8>(), json())) {
            success(number, body.to_string().as_bytes());
        }

        #[test]
        fn what_is_nearly_right_is_read_or_refused((number, body) in prop_oneof![nearly_good(), damaged()]) {
            success(number, &body);
        }

        #[test]
        fn any_refusal_is_reported_safely(
            number in any::<u8>(), status in 300u16..=999, after in retry_after(), body in complaint()
        ) {
            refused(number, status, &after, &body);
        }

        #[test]
        fn any_input_is_refused_or_arrives(
            text in prop_oneof![".{0,300}", "[a-z.@+_-]{0,31}", "[a-z0-9.-]{1,20}:[0-9]{1,6}", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9a-f.:]{1,12}"]
        ) {
            input(&text);
        }
    }

    #[test]
    fn good_answers_are_read() {
        let good = good();
        assert!(good.len() > CALLS.len());
        for (number, body) in good {
            assert!(success(number, &body), "{}", String::from_utf8_lossy(&body));
        }
    }
}
