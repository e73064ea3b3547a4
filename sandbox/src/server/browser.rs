//! Refuses requests from web pages. Any page in a browser on this machine can send requests to a loopback port. A page
//! whose DNS name is rebound to 127.0.0.1 can also read the answers.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::http::Version;
use hyper::http::request::Parts;

use crate::answer::Answer;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Names that the API accepts in addition to loopback names. Nobody can register a name under `.test` (RFC 6761,
/// section 6.2). The other is the service's own name, which leads to the sandbox's API when it is requested through its
/// proxies.
const API_NAMES: [&str; 2] = ["test", "proxymesh.com"];

/// The host names that a request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Any name, because the sandbox does not know the names on the network. Every call then needs a password.
    Any,
    /// Loopback addresses and names.
    Loopback,
    /// Loopback addresses and names, and the names of the API.
    Api,
}

/// The refusal of a request that a web page may have sent; `None` for any other request.
pub(super) fn refused(head: &Parts, names: Names) -> Option<Answer> {
    let hosts: Vec<&str> = head.headers.get_all(HOST).iter().map(text).collect();
    let host = match hosts[..] {
        [host] => Some(host),
        [] if head.version < Version::HTTP_11 => None,
        _ => return Some(Answer::error(400, "A request must have exactly one Host header.")),
    };
    let target = head.uri.authority().map(|authority| authority.as_str());
    for host in host.into_iter().chain(target) {
        if !answers_to(host, names) {
            let reason = format!(
                "The sandbox listens on a loopback address and refuses the name '{host}', because a web page may have \
                 pointed it at this machine. Use 127.0.0.1, [::1] or localhost."
            );
            return Some(Answer::error(421, &reason));
        }
    }
    let page = foreign_page(&head.headers, host)?;
    let reason =
        format!("The sandbox refuses calls from web pages of other sites. This one comes from {page}.");
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

/// The page of another site that sent the request, according to the browser (Fetch, section 3.1; Fetch Metadata,
/// section 2.3).
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

/// A value that is not text becomes `?`, which matches no name.
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
