//! Keeps secrets out of errors, even those that the service echoes.

use secrecy::{ExposeSecret, SecretString};
use std::fmt::Write as _;
use zeroize::Zeroizing;

const REDACTED: &str = "[redacted]";

/// Shorter ones are not replaced: they stand in ordinary words, and are no secrets.
const SHORTEST: usize = 4;

/// Replaces every secret in `text`, in each form in which an echo may write it.
pub(super) fn redact<'a>(text: &str, secrets: impl Iterator<Item = &'a SecretString>) -> String {
    let mut text = text.to_owned();
    for form in all_forms(secrets) {
        if text.contains(form.as_str()) {
            text = text.replace(form.as_str(), REDACTED);
        }
    }
    text
}

/// The same for a text that was cut off, maybe within a secret: its beginning at the end goes too.
pub(super) fn redact_cut<'a>(text: &str, secrets: impl Iterator<Item = &'a SecretString> + Clone) -> String {
    let text = redact(text, secrets.clone());
    // What is left of a character that was cut itself.
    let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    let begun = all_forms(secrets)
        .iter()
        .filter_map(|form| {
            form.char_indices()
                .map(|(at, _)| at)
                .rev()
                .find(|at| form.get(..*at).is_some_and(|it| text.ends_with(it)))
        })
        .max()
        .unwrap_or(0);
    text.get(..text.len() - begun).unwrap_or_default().to_owned()
}

/// Every form of every secret, longest first: one may begin with another.
fn all_forms<'a>(secrets: impl Iterator<Item = &'a SecretString>) -> Vec<Zeroizing<String>> {
    let secrets = secrets.map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST);
    let mut forms: Vec<_> = secrets.flat_map(forms).map(Zeroizing::new).collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

/// As it is, in a form or query, percent-encoded, in JSON (UTF-8 or ASCII), in HTML.
fn forms(secret: &str) -> [String; 6] {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = form.replace('+', "%20");
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let mut ascii = String::new();
    for unit in json.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => ascii.push(char::from(byte)),
            _ => {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;");
    [secret.to_owned(), form, percent, json, ascii, html]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_echo_is_replaced() {
        let secret = SecretString::from("pä\"ss <w&rd>'1 2");
        let text = "raw pä\"ss <w&rd>'1 2 form p%C3%A4%22ss+%3Cw%26rd%3E%271+2 percent p%C3%A4%22ss%20%3Cw%26rd%3E%271%202 \
                    json pä\\\"ss <w&rd>'1 2 ascii p\\u00e4\\\"ss <w&rd>'1 2 html pä&quot;ss &lt;w&amp;rd&gt;&#x27;1 2";
        let clean = redact(text, [&secret].into_iter());
        assert_eq!(
            clean,
            "raw [redacted] form [redacted] percent [redacted] json [redacted] ascii [redacted] html [redacted]"
        );
    }

    #[test]
    fn a_secret_that_begins_with_another_is_replaced_as_a_whole() {
        let (short, long) = (SecretString::from("hunter2"), SecretString::from("hunter2-sub"));
        assert_eq!(redact("hunter2-sub, hunter2", [&short, &long].into_iter()), "[redacted], [redacted]");
    }

    #[test]
    fn the_beginning_of_a_secret_at_a_cut_is_taken_off() {
        let secret = SecretString::from("pässword");
        for cut in
            ["it is p", "it is pässwor", "it is p\u{fffd}", "it is p%C3%A4ss", "it is pä\u{fffd}", "it is "]
        {
            assert_eq!(redact_cut(cut, [&secret].into_iter()), "it is ", "{cut}");
        }
        assert_eq!(redact_cut("it is pässword", [&secret].into_iter()), "it is [redacted]");
        assert_eq!(redact_cut("", [&secret].into_iter()), "");
    }
}
