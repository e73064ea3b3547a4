//! Bad input is refused with its field and the rule it breaks, before anything is sent; the same rules at their limit
//! let it through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{
    Error, NewIp, NewSubAccount, SubAccountEdit, TokenId, TokenRequest, Username, jiff, testing,
};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use support::{
    server::{Answer, Server},
    tables,
};

fn check(row: &Value, result: proxymesh::Result<Value>) {
    let error = match result {
        Err(error) => error,
        Ok(_) => panic!("accepted: {}", tables::short(row)),
    };
    let (field, reason) = (row["field"].as_str().unwrap(), row["reason"].as_str().unwrap());
    match &error {
        Error::Validation { field: f, reason: r } => {
            assert_eq!((*f, r.as_str()), (field, reason), "{}", tables::short(row));
        }
        other => panic!("{other:?}: {}", tables::short(row)),
    }
    assert_eq!(error.kind(), "Validation");
    assert_eq!(error.to_string(), format!("{field}: {reason}"));
    assert_eq!((error.call(), error.status(), error.attempts()), (None, None, None));
    assert!(error.to_string().len() < 200, "a huge input is not quoted");
}

#[tokio::test]
async fn bad_input_is_refused_by_both_clients_and_nothing_is_sent() {
    let rows = tables::rows("bad_inputs");
    assert!(rows.len() >= 80);
    let server = Server::always(Answer::new(404, ""));
    let asynchronous = support::asynchronous(support::basic(&server));
    let blocking = support::blocking(support::basic(&server));
    for row in rows {
        let (call, arguments) = (row["call"].as_str().unwrap(), tables::arguments(&row));
        check(&row, testing::asynchronous(&asynchronous, call, &arguments).await);
        check(&row, testing::blocking(&blocking, call, &arguments));
    }
    assert_eq!((server.count(), server.connections()), (0, 0));
}

#[test]
fn the_same_rules_let_through_what_is_just_at_the_limit() {
    let server = Server::always(Answer::new(404, ""));
    let client = support::blocking(support::basic(&server));
    for (before, row) in tables::rows("good_inputs").iter().enumerate() {
        let result = testing::blocking(&client, row["call"].as_str().unwrap(), &tables::arguments(row));
        assert!(matches!(result, Err(Error::NotFound(_))), "{result:?}: {}", tables::short(row));
        assert_eq!(server.count(), before + 1, "{}", tables::short(row));
    }
}

#[test]
fn every_call_that_takes_input_has_rows_in_both_tables() {
    for table in ["bad_inputs", "good_inputs"] {
        let rows = tables::rows(table);
        for call in proxymesh::endpoint::CALLS {
            let has = rows.iter().any(|row| row["call"] == call.name);
            assert_eq!(has, !testing::arguments(call.name).is_empty(), "{table}: {}", call.name);
        }
    }
}

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
fn what_is_at_hand_already_is_taken_as_it_is() {
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
