//! The URLs and headers for the proxies. They need no client and no network.

use super::failure;
use crate::{
    Access, Credentials, ExitChoice, Failure, ProxyInput, exit_choice_of, proxy_headers, proxy_lost_exit,
    proxy_of, proxy_rotating, proxy_url, proxy_url_with, proxy_with,
};
use std::collections::HashMap;

fn exit(country: Option<&str>, prefer_ip: Option<&str>, not_ips: &[&str]) -> ExitChoice {
    let owned = |text: &str| text.to_owned();
    ExitChoice {
        country: country.map(owned),
        prefer_ip: prefer_ip.map(owned),
        hold_ip: None,
        not_ips: not_ips.iter().copied().map(owned).collect(),
    }
}

fn with(credentials: Option<Credentials>, exit: ExitChoice) -> Access {
    Access { credentials, exit, rotating: false }
}

fn input(host: &str, access: Option<Access>) -> ProxyInput {
    ProxyInput { host: host.to_owned(), port: 31280, access }
}

fn headers(
    host: &str,
    credentials: Option<Credentials>,
    exit: ExitChoice,
) -> Result<HashMap<String, String>, Failure> {
    proxy_headers(input(host, Some(with(credentials, exit))))
}

fn basic(username: &str, password: &str) -> Option<Credentials> {
    Some(Credentials::Basic { username: username.to_owned(), password: password.to_owned() })
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_proxy_has_its_country() {
    let of = |host: &str| proxy_of(host.to_owned(), Some(31280)).unwrap();
    let california = of("us-ca.proxymesh.com");
    assert_eq!((california.country.as_deref(), california.chooses_country), (Some("US"), false));
    let open = of("open.proxymesh.com");
    assert_eq!((open.country, open.chooses_country), (None, true));
}

#[test]
fn headers_are_those_of_the_core() {
    let all = exit(Some("de"), Some("1.2.3.4"), &["5.6.7.8", "::1"]);
    let expected = [
        ("Proxy-Authorization", "Basic bWUrMUBleC5jb206QDovJSDDqQ=="),
        ("X-ProxyMesh-Country", "DE"),
        ("X-ProxyMesh-Prefer-IP", "1.2.3.4"),
        ("X-ProxyMesh-Not-IP", "5.6.7.8,::1"),
    ];
    let given = headers("open.proxymesh.com", basic("me+1@ex.com", "@:/% é"), all).unwrap();
    assert_eq!(given, map(&expected));
    let token = Some(Credentials::Bearer { token: "pm_token".to_owned() });
    let given = headers("us-ca.proxymesh.com", token, exit(None, None, &[])).unwrap();
    assert_eq!(given, map(&[("Proxy-Authorization", "Bearer pm_token")]));
    assert_eq!(headers("us-ca.proxymesh.com", None, exit(None, None, &[])).unwrap(), map(&[]));
}

#[test]
fn an_error_says_what_is_wrong_and_shows_no_secret() {
    let refused = failure(headers("us-ca.proxymesh.com", None, exit(Some("DE"), None, &[])));
    assert!(matches!(&refused, Failure::Validation { field, .. } if field == "country"), "{refused:?}");
    let text = "country: the proxy us-ca cannot choose the country DE; open and world can";
    assert_eq!(refused.to_string(), text);

    let token = Some(Credentials::Bearer { token: "canary ".to_owned() });
    for bad in [basic("", "canary"), basic("canary:", "canary"), basic("me", "canary\n"), token] {
        let refused = failure(headers("open.proxymesh.com", bad, exit(None, None, &[])));
        assert!(matches!(&refused, Failure::Config { .. }), "{refused:?}");
        assert!(!format!("{refused:?}").contains("canary"));
    }
}

#[test]
fn an_exit_choice_is_returned_in_the_cores_spelling_or_rejected() {
    let checked = exit_choice_of(exit(Some("de"), Some("1.2.3.4"), &["0:0:0:0:0:0:0:1"])).unwrap();
    assert_eq!(checked.country.as_deref(), Some("DE"));
    assert_eq!(checked.prefer_ip.as_deref(), Some("1.2.3.4"));
    assert_eq!(checked.not_ips, ["::1"]);
    let bad = [
        (exit(Some("DEU"), None, &[]), "country"),
        (exit(None, Some("1.2.3"), &[]), "prefer_ip"),
        (exit(None, None, &["1.2.3.4", ""]), "not_ip"),
    ];
    for (choice, name) in bad {
        let refused = failure(exit_choice_of(choice));
        assert!(matches!(&refused, Failure::Validation { field, .. } if field == name), "{refused:?}");
    }
}

#[test]
fn a_proxy_can_be_created_and_returns_its_url_with_credentials() {
    let made = proxy_of("us-ca.proxymesh.com:31280".to_owned(), None).unwrap();
    assert_eq!((made.name.as_str(), made.plain_url.as_str()), ("us-ca", "http://us-ca.proxymesh.com:31280"));
    let url = proxy_url_with(input(&made.host, None), "me@ex.com".to_owned(), "a b".to_owned()).unwrap();
    assert_eq!(url, "http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280");
    for (host, port) in [
        ("us-ca.proxymesh.com", 0),
        ("us-ca.proxymesh.com:1", 2),
        ("x", -1),
        ("x", 65536),
        ("a b", 1),
        ("", 1),
    ] {
        let refused = proxy_of(host.to_owned(), Some(port)).map(|proxy| proxy.plain_url);
        assert!(
            matches!(&refused, Err(Failure::Validation { field, .. }) if field == "proxy"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_proxy_keeps_its_credentials_and_its_exit_choice() {
    let host = "open.proxymesh.com";
    let access = || Some(with(basic("me@ex.com", "a b"), exit(Some("de"), None, &[])));
    let made = proxy_with(input(host, access())).unwrap();
    let kept = made.access.unwrap();
    assert_eq!(kept.exit.country.as_deref(), Some("DE"));
    assert!(matches!(&kept.credentials, Some(Credentials::Basic { username, password })
        if username == "me@ex.com" && password == "a b"));
    assert_eq!(
        proxy_url(input(host, Some(kept))).unwrap(),
        "http://me%40ex.com:a%20b@open.proxymesh.com:31280"
    );
    assert_eq!(proxy_url(input(host, None)).unwrap(), "http://open.proxymesh.com:31280");

    let token = || Some(Credentials::Bearer { token: "pm_token".to_owned() });
    let with_token = || Some(with(token(), exit(None, None, &[])));
    let kept = proxy_with(input(host, with_token())).unwrap().access.unwrap();
    assert!(matches!(&kept.credentials, Some(Credentials::Bearer { token }) if token == "pm_token"));
    let refused = failure(proxy_url(input(host, with_token())));
    assert!(matches!(&refused, Failure::Validation { field, .. } if field == "token"), "{refused:?}");
    let neither = Some(with(None, exit(None, None, &[])));
    assert!(proxy_with(input(host, neither)).unwrap().access.is_none());
}

#[test]
fn a_proxy_rotates_or_holds_an_exit_ip() {
    let host = "us-ca.proxymesh.com";
    let held = || ExitChoice { hold_ip: Some("192.0.2.7".to_owned()), ..exit(None, None, &[]) };
    let holding = proxy_with(input(host, Some(with(None, held())))).unwrap().access.unwrap();
    assert_eq!(
        (holding.exit.hold_ip.as_deref(), holding.exit.prefer_ip.as_deref()),
        (Some("192.0.2.7"), None)
    );
    let sent = headers(host, None, held()).unwrap();
    assert_eq!(sent, map(&[("X-ProxyMesh-Prefer-IP", "192.0.2.7")]));
    let lost = |used: Option<&str>, missing: Option<&str>| {
        let holding = input(host, Some(with(None, held())));
        proxy_lost_exit(holding, used.map(str::to_owned), missing.map(str::to_owned)).unwrap()
    };
    assert_eq!(lost(Some("192.0.2.7"), None), None);
    assert!(lost(Some("192.0.2.8"), None).unwrap().contains("192.0.2.7 and used 192.0.2.8"));
    assert!(lost(None, Some("192.0.2.7")).unwrap().contains("no longer has the exit IP 192.0.2.7;"));
    let rotating = proxy_rotating(input(host, Some(holding))).unwrap().access.unwrap();
    assert!(rotating.rotating && rotating.exit.hold_ip.is_none());
    let both = Access { rotating: true, ..with(None, held()) };
    assert!(!proxy_with(input(host, Some(both))).unwrap().access.unwrap().rotating);
    let contradiction = ExitChoice { prefer_ip: Some("192.0.2.8".to_owned()), ..held() };
    let refused = failure(exit_choice_of(contradiction));
    assert!(matches!(&refused, Failure::Validation { field, .. } if field == "hold_ip"), "{refused:?}");
}
