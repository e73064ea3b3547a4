//! What keeps web pages out. Any page in a browser on this machine can send requests to a loopback port, and a page
//! whose DNS name is rebound to 127.0.0.1 can read the answers, too.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::http::Version;
use hyper::http::request::Parts;

use crate::answer::Answer;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Names that are the API's as well as loopback names: nobody can register one under `.test` (RFC 6761, section 6.2),
/// and the other is the service's own, by which the sandbox's proxies know it.
const API_NAMES: [&str; 2] = ["test", "proxymesh.com"];

/// Who may be called, and by which names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Whatever the network calls this machine: each call needs a password then.
    Any,
    /// Loopback addresses and names.
    Loopback,
    /// Those, and the names of the API.
    Api,
}

/// The answer to a request that a web page may have sent.
pub(super) fn refused(head: &Parts, names: Names) -> Option<Answer> {
    let hosts: Vec<&str> = head.headers.get_all(HOST).iter().map(text).collect();
    let host = match hosts[..] {
        [host] => Some(host),
        [] if head.version < Version::HTTP_11 => None,
        _ => return Some(Answer::error(400, "A request has one Host header.")),
    };
    let target = head.uri.authority().map(|authority| authority.as_str());
    for host in host.into_iter().chain(target) {
        if !answers_to(host, names) {
            let reason = format!(
                "The sandbox listens on a loopback address, and does not answer to the name '{host}', which a web page \
                 may have pointed at this machine: call it 127.0.0.1, [::1] or localhost."
            );
            return Some(Answer::error(421, &reason));
        }
    }
    let page = foreign_page(&head.headers, host)?;
    let reason =
        format!("The sandbox takes no calls from web pages of other sites; this one comes from {page}.");
    Some(Answer::error(403, &reason))
}

fn answers_to(authority: &str, names: Names) -> bool {
    if names == Names::Any {
        return true;
    }
    let Some(host) = host(authority) else { return false };
    if let Ok(ip) = host.parse::<IpAddr>() {
        return ip.to_canonical().is_loopback();
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_or_under =
        |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_or_under("localhost") || (names == Names::Api && API_NAMES.into_iter().any(is_or_under))
}

/// The host in `host`, `host:port`, `[address]` or `[address]:port`.
fn host(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    port.bytes().all(|byte| byte.is_ascii_digit()).then_some(host)
}

/// The page of another site that sent this, as the browser tells it (Fetch, section 3.1; Fetch Metadata, section 2.3).
fn foreign_page(headers: &HeaderMap, host: Option<&str>) -> Option<String> {
    let own = |origin: &str| {
        let authority = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
        authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
    };
    if let Some(origin) = headers.get_all(ORIGIN).iter().map(text).find(|origin| !own(origin)) {
        return Some(format!("the origin '{origin}'"));
    }
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter().map(text);
    let site = sites.find(|site| !["none", "same-origin"].contains(site))?;
    Some(format!("a page that is '{site}'"))
}

/// One that is not text is nobody's name.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_others_may_own_is_not_answered_to() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:80",
            "127.9.9.9:1",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "localhost",
            "LocalHost.:80",
            "us-ca.localhost:40000",
        ] {
            assert!(answers_to(host, Names::Loopback), "{host}");
            assert!(answers_to(host, Names::Api), "{host}");
        }
        for host in ["proxymesh.test:1", "PROXYMESH.com", "proxymesh.com:443", "shop.test."] {
            assert!(!answers_to(host, Names::Loopback), "{host}");
            assert!(answers_to(host, Names::Api), "{host}");
        }
        for host in [
            "",
            ".",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil-localhost",
            "notproxymesh.com",
            "proxymesh.com.evil.example",
            "evil.example@127.0.0.1",
            "127.0.0.1@evil.example",
            "localhost:80@evil.example",
            "localhost:http",
            "[::1",
            "[::1]evil.example",
            "[::]",
            "0.0.0.0",
            "192.0.2.1",
            "127.1",
            "2130706433",
            "?",
        ] {
            assert!(!answers_to(host, Names::Loopback), "{host}");
            assert!(!answers_to(host, Names::Api), "{host}");
            assert!(answers_to(host, Names::Any), "{host}");
        }
    }
}
