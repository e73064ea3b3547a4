//! The environment's proxy, which carries the account's calls if `trust_env` is set.
//!
//! The variables are read here and not by reqwest, because reqwest ignores a value that it cannot parse, and the call would
//! then bypass the proxy.

use crate::error::{Error, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use reqwest::{NoProxy, Proxy, Url, header::HeaderValue};
use std::ffi::OsString;
use zeroize::Zeroizing;

/// The proxy for `target`, which is an https URL. A lower-case variable takes precedence over an upper-case one, as in curl.
pub(super) fn of_environment(target: &Url, env: impl Fn(&str) -> Option<OsString>) -> Result<Option<Proxy>> {
    let first = |names: [&'static str; 2]| {
        let set = |name| env(name).filter(|value| !value.is_empty()).map(|value| (name, value));
        names.into_iter().find_map(set)
    };
    let Some((name, value)) =
        first(["https_proxy", "HTTPS_PROXY"]).or_else(|| first(["all_proxy", "ALL_PROXY"]))
    else {
        return Ok(None);
    };
    let value = value.to_str().map(str::trim).ok_or_else(|| refused(name, "is not valid UTF-8"))?;
    let proxy = parse(name, value)?;
    let exceptions = match first(["no_proxy", "NO_PROXY"]) {
        None => String::new(),
        Some((name, value)) => {
            exceptions(value.to_str().ok_or_else(|| refused(name, "is not valid UTF-8"))?, target)
        }
    };
    Ok(Some(proxy.no_proxy(NoProxy::from_string(&exceptions))))
}

/// The value may contain a password, so the error does not quote it.
fn refused(name: &str, reason: &str) -> Error {
    Error::config(format!("the environment variable {name} {reason}"))
}

/// Parses `[http[s]://][username[:password]@]host[:port][/]`. As in curl, requests and browsers, the last `@` ends the
/// credentials.
fn parse(name: &str, value: &str) -> Result<Proxy> {
    let refuse = |reason| Err(refused(name, reason));
    let malformed = || refuse("must be a proxy URL, such as http://username:password@proxy.example:3128");
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("http".to_owned(), value),
    };
    match scheme.as_str() {
        "http" | "https" => {}
        socks if socks.starts_with("socks") => {
            return refuse("names a SOCKS proxy, but only http:// and https:// proxies are supported");
        }
        _ => return malformed(),
    }
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if !matches!(path, "" | "/") {
        return malformed();
    }
    let (credentials, address) = match authority.rsplit_once('@') {
        Some((credentials, address)) => (credentials, address),
        None => ("", authority),
    };
    // A URL parser leaves out line breaks and tabs.
    if address.ends_with(':') || address.contains(char::is_whitespace) {
        return malformed();
    }
    if !address.is_ascii() {
        return refuse("must contain only ASCII in the host; write an international name in its xn-- form");
    }
    let Ok(url) = Url::parse(&format!("{scheme}://{address}/")) else { return malformed() };
    if url.port() == Some(0) {
        return malformed();
    }
    let Ok(proxy) = Proxy::https(url) else { return malformed() };
    if credentials.is_empty() {
        return Ok(proxy);
    }
    Ok(proxy.custom_http_auth(authorization(credentials)?))
}

/// `Basic` credentials (RFC 7617). A missing password is an empty one.
fn authorization(credentials: &str) -> Result<HeaderValue> {
    let (username, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut pair = Zeroizing::new(percent_decode_str(username).collect::<Vec<u8>>());
    pair.push(b':');
    pair.extend(percent_decode_str(password));
    let text = Zeroizing::new(format!("Basic {}", Zeroizing::new(STANDARD.encode(&pair)).as_str()));
    let bytes = Bytes::from_owner(Zeroizing::new(text.as_bytes().to_vec()));
    let mut value = HeaderValue::from_maybe_shared(bytes)
        .map_err(|_| Error::config("the proxy's credentials cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The entries of `NO_PROXY` that may apply to `target`, in reqwest's form: without ports, brackets and `*.`.
fn exceptions(value: &str, target: &Url) -> String {
    let entries = value.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    let hosts = entries.filter_map(|entry| {
        let host = match entry.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port.parse::<u16>().ok();
                if port != target.port_or_known_default() {
                    return None;
                }
                host
            }
            _ => entry,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(if host == "*" { host } else { host.trim_start_matches('*') })
    });
    hosts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Proxy>> {
        let target = Url::parse("https://proxymesh.com").unwrap();
        of_environment(&target, |name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn an_invalid_proxy_is_rejected_and_not_shown() {
        for bad in [
            "http://",
            "http://secret@",
            "http://secret:p@ss@:3128",
            "http://u:secret@host:port",
            "http://u:secret@host:99999",
            "http://u:secret@host:0",
            "http://u:secret@host:",
            "http://u:sec/ret@host:1",
            "http://u:secret@ho st:1",
            "http://u:secret@ho\tst:1",
            "http://u:secret@ho\r\nst:1",
            "http://u:secret@ho\u{0}st:1",
            "http://u:secret@host:1\u{0}",
            "http://u:secret@host\u{7f}",
            "http://u:secret@host:1\u{b}2",
            "http:/secret:1",
            "http:secret",
            "secret//host:1",
            "ftp://u:secret@host:1",
            "http//u:secret@host:1",
            "http://u:secret@host:1/path",
            "http://[::1:3128",
            "://secret",
            "  ",
        ] {
            for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let error = read(&[(name, bad)]).unwrap_err();
                assert!(matches!(error, Error::Config { .. }), "{error:?}");
                let text = error.to_string();
                let beginning = format!("the environment variable {name} must be a proxy URL");
                assert!(text.starts_with(&beginning) && !text.contains("secret"), "{bad}: {text}");
            }
        }
    }

    #[test]
    fn an_international_name_needs_its_ascii_form() {
        let text = read(&[("HTTPS_PROXY", "http://u:secret@bücher.example")]).unwrap_err().to_string();
        assert!(text.contains("HTTPS_PROXY") && text.contains("xn--") && !text.contains("secret"), "{text}");
        assert!(read(&[("HTTPS_PROXY", "http://u:sécret@xn--bcher-kva.example")]).unwrap().is_some());
    }

    #[test]
    fn the_error_for_a_socks_proxy_names_socks() {
        for scheme in ["socks4", "socks4a", "socks5", "SOCKS5", "socks5h", "socks"] {
            let text =
                read(&[("ALL_PROXY", &format!("{scheme}://u:secret@host:1"))]).unwrap_err().to_string();
            assert!(text.contains("ALL_PROXY names a SOCKS proxy") && !text.contains("secret"), "{text}");
        }
        assert!(read(&[("ALL_PROXY", "socks5://host:1"), ("HTTPS_PROXY", "host:1")]).unwrap().is_some());
    }

    #[test]
    fn values_that_every_library_accepts_are_accepted() {
        for good in [
            "host",
            "host:3128",
            "user@host:3128",
            " http://host:3128/ ",
            "HTTP://HOST:3128",
            "https://host",
            "http://user@host:3128",
            "http://me@ex.com:p@ss@host:3128",
            "http://u:%zz%@[::1]:3128",
        ] {
            assert!(read(&[("HTTPS_PROXY", good)]).unwrap().is_some(), "{good}");
        }
        for none in [&[("HTTPS_PROXY", "")][..], &[("HTTP_PROXY", "host:1")], &[]] {
            assert!(read(none).unwrap().is_none(), "{none:?}");
        }
        // An empty variable counts as not set.
        assert!(read(&[("https_proxy", ""), ("HTTPS_PROXY", "host:1")]).unwrap().is_some());
        assert!(read(&[("https_proxy", "host:1"), ("HTTPS_PROXY", "://")]).unwrap().is_some());
    }

    #[test]
    fn credentials_end_at_the_last_at_sign() {
        for (credentials, pair) in [
            ("user", "user:"),
            ("user:", "user:"),
            ("user:p%40ss", "user:p@ss"),
            ("me@ex.com:p@ss", "me@ex.com:p@ss"),
            ("u:a:b", "u:a:b"),
            ("%75:100%", "u:100%"),
        ] {
            let value = authorization(credentials).unwrap();
            let sent = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
            assert_eq!(STANDARD.decode(sent).unwrap(), pair.as_bytes());
            assert!(value.is_sensitive());
        }
    }

    #[test]
    fn exceptions_may_have_ports_brackets_and_stars() {
        let target = Url::parse("https://proxymesh.com").unwrap();
        let read = |value| exceptions(value, &target);
        assert_eq!(read("*"), "*");
        assert_eq!(read("a.example, *.b.example .c.example,"), "a.example,.b.example,.c.example");
        assert_eq!(
            read("proxymesh.com:443,proxymesh.com:8443,[::1]:443,::1,10.0.0.0/8"),
            "proxymesh.com,::1,::1,10.0.0.0/8"
        );
    }
}
