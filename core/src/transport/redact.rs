//! Keeps secrets out of errors, even those that the service echoes.

use secrecy::{ExposeSecret, SecretString};
use std::fmt::Write as _;

const REDACTED: &str = "[redacted]";

/// Shorter ones are not replaced: they stand in ordinary words, and are no secrets.
const SHORTEST: usize = 4;

/// Replaces every secret in `text`, in each form in which an echo may write it.
pub(super) fn redact<'a>(text: &str, secrets: impl Iterator<Item = &'a SecretString>) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.len() < SHORTEST {
            continue;
        }
        for form in forms(secret) {
            if text.contains(&form) {
                text = text.replace(&form, REDACTED);
            }
        }
    }
    text
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
}
