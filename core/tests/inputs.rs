//! Input as Rust's own types, and secrets in input. The conformance cases cover the rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{NewIp, NewSubAccount, SubAccountEdit, TokenId, TokenRequest, Username, jiff};
use std::net::{IpAddr, Ipv4Addr};
use support::server::{Answer, Server};

#[test]
fn a_refused_password_is_not_in_the_error() {
    let long = "secret ".repeat(20);
    for password in ["secret\r\n", &long] {
        for error in [
            NewSubAccount::new("x").unwrap().password(password).unwrap_err(),
            SubAccountEdit::new("x").unwrap().password(password).unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}

#[test]
fn calls_accept_text_and_ready_made_values() {
    let server = Server::always(Answer::new(404, ""));
    let client = support::blocking(support::basic(&server));
    let username = Username::new("pm_x").unwrap();
    let address = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

    let _ = client.sub_accounts().create("pm_x");
    let _ = client.sub_accounts().get(username.clone());
    let _ = client.sub_accounts().get(String::from("pm_x"));
    let _ = client.ips().of(username).unwrap().add(address);
    let _ = client.ips().add("203.0.113.7");
    let _ = client.ips().add(NewIp::from(address));
    let _ = client.tokens().delete(17);
    let _ = client.tokens().delete(TokenId::new(17).unwrap());
    let _ = client.tokens().create(TokenRequest::new().expires_at(jiff::civil::date(2027, 1, 31)).unwrap());

    let sent: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.query().map_or_else(|| request.form().to_owned(), str::to_owned))
        .collect();
    assert_eq!(
        sent,
        [
            "username=pm_x",
            "username=pm_x",
            "username=pm_x",
            "ip=203.0.113.7&username=pm_x",
            "ip=203.0.113.7",
            "ip=203.0.113.7",
            "id=17",
            "id=17",
            "expires_at=2027-01-31",
        ]
    );
}
