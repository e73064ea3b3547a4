//! Decodes forms: strictly for a call, leniently for the log.

use percent_encoding::percent_decode;

type Pairs = Vec<(String, String)>;

/// Decodes a form, or says what is malformed.
pub(crate) fn decode(form: &[u8]) -> Result<Pairs, String> {
    split(form).map(|(name, value)| Ok((strictly(name)?, strictly(value)?))).collect()
}

/// Decodes as much as possible, for the log, and masks passwords.
pub(crate) fn decode_for_log(form: &[u8]) -> Pairs {
    split(form)
        .map(|(name, value)| {
            let name = leniently(name);
            let secret = name.eq_ignore_ascii_case("password");
            let value = if secret { "***".to_owned() } else { leniently(value) };
            (name, value)
        })
        .collect()
}

fn split(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = form.split(|byte| *byte == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    })
}

fn strictly(encoded: &[u8]) -> Result<String, String> {
    let mut rest = encoded.split(|byte| *byte == b'%');
    rest.next();
    let is_escape = |part: &[u8]| part.iter().take(2).filter(|byte| byte.is_ascii_hexdigit()).count() == 2;
    if !rest.all(is_escape) {
        return Err("The form is malformed: '%' is not followed by two hexadecimal digits.".to_owned());
    }
    String::from_utf8(decoded(encoded)).map_err(|_| "The form is malformed: it is not UTF-8.".to_owned())
}

fn leniently(encoded: &[u8]) -> String {
    String::from_utf8_lossy(&decoded(encoded)).into_owned()
}

fn decoded(encoded: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(expected: &[(&str, &str)]) -> Pairs {
        let owned = expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        owned.collect()
    }

    #[test]
    fn a_form_is_decoded() {
        let form = b"username=me%40example.com&label=a+b%2Bc&empty=&bare&&x==";
        let expected =
            [("username", "me@example.com"), ("label", "a b+c"), ("empty", ""), ("bare", ""), ("x", "=")];
        assert_eq!(decode(form), Ok(pairs(&expected)));
    }

    #[test]
    fn malformed_escapes_and_bytes_are_refused() {
        for form in [&b"a=%"[..], b"a=%4", b"a=%4g", b"%=b", b"a=%%41"] {
            assert!(decode(form).unwrap_err().contains("hexadecimal"), "{form:?}");
        }
        for form in [&b"a=%ff"[..], b"a=\xff"] {
            assert!(decode(form).unwrap_err().contains("UTF-8"), "{form:?}");
        }
    }

    #[test]
    fn the_log_masks_passwords_however_they_are_written() {
        let log = decode_for_log(b"pass%77ord=secret&PASSWORD=secret&x=%ff");
        assert_eq!(log, pairs(&[("password", "***"), ("PASSWORD", "***"), ("x", "\u{fffd}")]));
    }
}
