//! Keeps secrets out of errors, even if the service echoes them, in whatever encoding.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

const REDACTED: &str = "[redacted]";

/// Shorter values, in bytes, are not replaced, because they occur in ordinary words and are not secret.
const SHORTEST: usize = 4;

/// The secrets that a text must not show.
pub(crate) struct Redactor {
    secrets: Vec<Secret>,
    /// Whether a spelling of any secret begins with this byte. This makes most text quick to skip.
    begins: [bool; 256],
}

/// A secret as a list of characters, each with all its spellings.
type Secret = Vec<Vec<Zeroizing<String>>>;

impl Redactor {
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a SecretString>) -> Self {
        let secrets = secrets.map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST);
        let secrets: Vec<Secret> = secrets.map(|secret| secret.chars().map(spellings).collect()).collect();
        let mut begins = [false; 256];
        let firsts = secrets.iter().filter_map(|secret| secret.first()).flatten();
        for byte in firsts.filter_map(|spelling| spelling.bytes().next()) {
            if let Some(begins) = begins.get_mut(usize::from(byte)) {
                *begins = true;
            }
        }
        Self { secrets, begins }
    }

    /// Replaces every secret in `text`, in any form that an echo may have.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.replace(text, false)
    }

    /// The same for a text that was cut off, perhaps within a secret: also removes the beginning of a secret at the end.
    pub(crate) fn redact_cut(&self, text: &str) -> String {
        // The remains of a character that was cut in half.
        self.replace(text.trim_end_matches(char::REPLACEMENT_CHARACTER), true)
    }

    /// The text in one line of at most `most` bytes, and without control characters, which a terminal would obey. Redacts after it
    /// has removed characters, because that may join the parts of a secret.
    pub(crate) fn one_line(&self, text: &str, most: usize) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        let line: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
        let line = self.redact(&line);
        let short = cut(&line, most);
        if short.len() < line.len() { format!("{short}…") } else { line }
    }

    fn replace(&self, text: &str, was_cut: bool) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            match self.secret_at(rest, was_cut) {
                Some(Taken::Whole(length)) => {
                    clean.push_str(REDACTED);
                    rest = rest.get(length..).unwrap_or_default();
                }
                Some(Taken::Begun) => break,
                None => {
                    clean.push(c);
                    rest = rest.get(c.len_utf8()..).unwrap_or_default();
                }
            }
        }
        clean
    }

    /// The longest secret that `text` begins with. One secret may begin with another.
    fn secret_at(&self, text: &str, was_cut: bool) -> Option<Taken> {
        let first = text.bytes().next()?;
        if !self.begins.get(usize::from(first)).copied().unwrap_or(false) {
            return None;
        }
        self.secrets.iter().filter_map(|secret| beginning(secret, text, was_cut)).max()
    }
}

/// How much of a text a secret covers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    /// All of it: the secret continues after the cut.
    Begun,
    /// This many bytes.
    Whole(usize),
}

/// A character as it is; percent-encoded, as in a URL or form; escaped, as in JSON or Python; and in HTML.
fn spellings(c: char) -> Vec<Zeroizing<String>> {
    let number = u32::from(c);
    let bytes = c.to_string().into_bytes();
    let units = c.encode_utf16(&mut [0; 2]).to_vec();
    let hex =
        |prefix: &str, digits: &[String]| digits.iter().map(|d| format!("{prefix}{d}")).collect::<String>();
    let lower: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let upper: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut spellings = vec![
        c.to_string(),
        hex("%", &upper),
        hex("%", &lower),
        units.iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        units.iter().map(|unit| format!("\\u{unit:04X}")).collect(),
        hex("\\x", &lower),
        format!("\\x{number:02x}"),
        format!("&#{number};"),
        format!("&#x{number:x};"),
        format!("&#x{number:X};"),
    ];
    match c {
        ' ' => spellings.push("+".into()),
        '"' => spellings.extend(["\\\"".into(), "&quot;".into()]),
        '\\' => spellings.push("\\\\".into()),
        '/' => spellings.push("\\/".into()),
        '\'' => spellings.extend(["\\'".into(), "&apos;".into(), "&#039;".into()]),
        '&' => spellings.push("&amp;".into()),
        '<' => spellings.push("&lt;".into()),
        '>' => spellings.push("&gt;".into()),
        _ => {}
    }
    spellings.into_iter().map(Zeroizing::new).collect()
}

/// How much of the beginning of `text` the secret covers.
fn beginning(secret: &Secret, text: &str, was_cut: bool) -> Option<Taken> {
    // Where the characters so far may end. There can be several places, because a secret may contain what looks like an escape.
    let mut ends = vec![0];
    for spellings in secret {
        let mut next = Vec::new();
        for end in ends {
            let rest = text.get(end..).unwrap_or_default();
            for spelling in spellings {
                if rest.starts_with(spelling.as_str()) {
                    next.push(end + spelling.len());
                } else if was_cut && spelling.starts_with(rest) {
                    return Some(Taken::Begun);
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        ends = next;
    }
    ends.into_iter().max().map(Taken::Whole)
}

/// The beginning of the text, cut between two characters.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact<'a>(text: &str, secrets: impl Iterator<Item = &'a SecretString>) -> String {
        Redactor::new(secrets).redact(text)
    }

    fn redact_cut<'a>(text: &str, secrets: impl Iterator<Item = &'a SecretString>) -> String {
        Redactor::new(secrets).redact_cut(text)
    }

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
    fn an_echo_may_mix_encodings_or_escape_unnecessarily() {
        let secret = SecretString::from("pa~ss*/wörd&1");
        for echo in [
            "pa~ss%2A/w%C3%B6rd%261",
            "pa%7ess%2a%2fw%c3%b6rd%261",
            "pa~ss*\\/w\\u00f6rd\\u00261",
            "pa~ss*/w\\xf6rd&1",
            "pa~ss*/w\\xc3\\xb6rd&#38;1",
            "pa~ss*&#x2F;w&#246;rd&amp;1",
        ] {
            assert_eq!(redact(&format!("<{echo}>"), [&secret].into_iter()), "<[redacted]>", "{echo}");
        }
        assert_eq!(redact("pa~ss*/word&1", [&secret].into_iter()), "pa~ss*/word&1");
    }

    #[test]
    fn every_spelling_of_a_special_character_is_replaced() {
        let each: [(char, &[&str]); 10] = [
            (' ', &[" ", "+", "%20", "\\u0020", "\\x20", "&#32;", "&#x20;"]),
            ('"', &["\"", "%22", "\\\"", "\\u0022", "\\x22", "&quot;", "&#34;", "&#x22;"]),
            ('\\', &["\\", "%5C", "%5c", "\\\\", "\\u005c", "\\u005C", "\\x5c", "&#92;", "&#x5c;", "&#x5C;"]),
            ('/', &["/", "%2F", "%2f", "\\/", "\\u002f", "\\u002F", "\\x2f", "&#47;", "&#x2f;", "&#x2F;"]),
            ('\'', &["'", "%27", "\\'", "\\u0027", "\\x27", "&apos;", "&#39;", "&#039;", "&#x27;"]),
            ('&', &["&", "%26", "\\u0026", "\\x26", "&amp;", "&#38;", "&#x26;"]),
            ('<', &["<", "%3C", "%3c", "\\u003c", "\\u003C", "\\x3c", "&lt;", "&#60;", "&#x3c;", "&#x3C;"]),
            ('>', &[">", "%3E", "%3e", "\\u003e", "\\u003E", "\\x3e", "&gt;", "&#62;", "&#x3e;", "&#x3E;"]),
            (
                'é',
                &["é", "%C3%A9", "%c3%a9", "\\u00e9", "\\u00E9", "\\xe9", "\\xc3\\xa9", "&#233;", "&#xe9;"],
            ),
            (
                '🔑',
                &[
                    "🔑",
                    "%F0%9F%94%91",
                    "\\ud83d\\udd11",
                    "\\uD83D\\uDD11",
                    "\\xf0\\x9f\\x94\\x91",
                    "&#128273;",
                ],
            ),
        ];
        for (c, spellings) in each {
            // At the start of a secret, the spelling also decides where the search looks closer.
            for (before, after) in [("pass", "word"), ("", "password")] {
                let secret = SecretString::from(format!("{before}{c}{after}"));
                for spelling in spellings {
                    let echo = format!("it is {before}{spelling}{after}.");
                    assert_eq!(redact(&echo, [&secret].into_iter()), "it is [redacted].", "{echo}");
                }
            }
        }
    }

    #[test]
    fn a_secret_that_starts_with_another_is_replaced_as_a_whole() {
        let (short, long) = (SecretString::from("hunter2"), SecretString::from("hunter2-sub"));
        assert_eq!(redact("hunter2-sub, hunter2", [&short, &long].into_iter()), "[redacted], [redacted]");
    }

    #[test]
    fn the_beginning_of_a_secret_before_a_cut_is_removed() {
        let secret = SecretString::from("pässword");
        for cut in
            ["it is p", "it is pässwor", "it is p\u{fffd}", "it is p%C3%A4ss", "it is pä\u{fffd}", "it is "]
        {
            assert_eq!(redact_cut(cut, [&secret].into_iter()), "it is ", "{cut}");
        }
        assert_eq!(redact_cut("it is pässword", [&secret].into_iter()), "it is [redacted]");
        assert_eq!(redact_cut("pä is not it", [&secret].into_iter()), "pä is not it");
        assert_eq!(redact("it is pässwor", [&secret].into_iter()), "it is pässwor", "it was not cut");
        assert_eq!(redact_cut("", [&secret].into_iter()), "");
    }
}
