//! Every call, from both clients, as the tables in tests/tables say.

use super::{
    BASIC, asynchronous, basic, blocking,
    server::{Answer, Server},
    tables,
};
use crate::{
    BlockingClient, Client, Failure, LabeledIp, NewToken, Proxy, Settings, SubAccount, SubAccountFields,
    Token,
};
use proxymesh::jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::HashMap};

/// A call as both clients have it.
pub(crate) struct Exported {
    pub(crate) name: &'static str,
    pub(crate) awaited: fn(&Client, &Arguments) -> Result<Value, Failure>,
    pub(crate) blocked: fn(&BlockingClient, &Arguments) -> Result<Value, Failure>,
}

/// Each argument is read by its name and type, and the answer shown by its type.
macro_rules! exported {
    ($name:ident $(, $argument:ident)*) => {
        $crate::tests::calls::Exported {
            name: stringify!($name),
            awaited: |client, given| {
                let _ = given;
                let answer = $crate::tests::wait(client.$name($( given.read(stringify!($argument)) ),*))?;
                Ok($crate::tests::calls::Shown::shown(answer))
            },
            blocked: |client, given| {
                let _ = given;
                let answer = client.$name($( given.read(stringify!($argument)) ),*)?;
                Ok($crate::tests::calls::Shown::shown(answer))
            },
        }
    };
}
pub(crate) use exported;

/// The arguments of a row that have not been read yet.
pub(crate) struct Arguments(RefCell<Map<String, Value>>);

impl Arguments {
    pub(crate) fn read<T: Argument>(&self, name: &str) -> T {
        T::read(self, name)
    }

    fn take(&self, name: &str) -> Option<Value> {
        self.0.borrow_mut().remove(name)
    }
}

pub(crate) trait Argument {
    fn read(given: &Arguments, name: &str) -> Self;
}

impl Argument for Option<String> {
    fn read(given: &Arguments, name: &str) -> Self {
        given.take(name).map(|value| value.as_str().unwrap().to_owned())
    }
}

impl Argument for Option<i64> {
    fn read(given: &Arguments, name: &str) -> Self {
        given.take(name).map(|value| value.as_i64().unwrap())
    }
}

impl Argument for String {
    fn read(given: &Arguments, name: &str) -> Self {
        given.read::<Option<String>>(name).unwrap()
    }
}

impl Argument for i64 {
    fn read(given: &Arguments, name: &str) -> Self {
        given.read::<Option<i64>>(name).unwrap()
    }
}

impl Argument for SubAccountFields {
    fn read(given: &Arguments, _: &str) -> Self {
        Self {
            password: given.read("password"),
            first_name: given.read("first_name"),
            last_name: given.read("last_name"),
            email: given.read("email"),
            monthly_limit: given.read("monthly_limit"),
            total_limit: given.read("total_limit"),
        }
    }
}

/// An answer as the tables write it.
pub(crate) trait Shown {
    fn shown(self) -> Value;
}

macro_rules! shown {
    ($( $type:ty: |$it:ident| $shown:expr; )*) => {
        $( impl Shown for $type {
            fn shown(self) -> Value {
                let $it = self;
                $shown
            }
        } )*
    };
}

shown! {
    (): |it| json!(it);
    String: |it| json!(it);
    HashMap<String, i64>: |it| json!(it);
    LabeledIp: |it| json!({"ip": it.ip, "label": it.label});
    SubAccount: |it| json!({
        "username": it.username,
        "active": it.active,
        "monthly_bandwidth": it.monthly_bandwidth,
        "total_bandwidth": it.total_bandwidth,
        "monthly_bandwidth_limit": it.monthly_bandwidth_limit,
        "total_bandwidth_limit": it.total_bandwidth_limit,
        "first_name": it.first_name,
        "last_name": it.last_name,
        "email": it.email,
    });
    Token: |it| json!({
        "id": it.id,
        "label": it.label,
        "is_active": it.is_active,
        "expires_at": it.expires_at,
        "created_at": Timestamp::try_from(it.created_at).unwrap().to_string(),
    });
    NewToken: |it| {
        let mut value = it.token.shown();
        value["token"] = json!(it.secret);
        value
    };
    Proxy: |it| {
        assert_eq!(it.url, format!("http://{}:{}", it.host, it.port));
        assert!(it.host.starts_with(&it.name));
        json!(format!("{}:{}", it.host, it.port))
    };
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(self) -> Value {
        self.into_iter().map(T::shown).collect()
    }
}

/// Makes the call that a row says.
fn make<T>(row: &Value, call: impl Fn(&Exported, &Arguments) -> T) -> T {
    let name = row["call"].as_str().unwrap();
    let exported = super::exported().into_iter().find(|exported| exported.name == name.replace('.', "_"));
    let given = Arguments(RefCell::new(tables::arguments(row)));
    let made = call(exported.unwrap_or_else(|| panic!("there is no call {name}")), &given);
    assert!(given.0.borrow().is_empty(), "{name} takes no {:?}", given.0.borrow().keys());
    made
}

/// Makes the call that a row says with the async client.
pub(super) fn awaited(client: &Client, row: &Value) -> Result<Value, Failure> {
    make(row, |call, given| (call.awaited)(client, given))
}

/// Makes the call that a row says with the blocking client.
pub(super) fn blocked(client: &BlockingClient, row: &Value) -> Result<Value, Failure> {
    make(row, |call, given| (call.blocked)(client, given))
}

#[test]
fn every_call_sends_and_gives_what_the_table_says() {
    for row in tables::rows("wire") {
        let status = u16::try_from(row["answer"]["status"].as_u64().unwrap()).unwrap();
        let body = &row["answer"]["body"];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        for client in ["awaited", "blocked"] {
            let server = Server::always(Answer::new(status, body.as_str()));
            let settings =
                Settings { user_agent: Some("proxymesh-kotlin/1".to_owned()), ..basic(server.base_url()) };
            let value = match client {
                "awaited" => awaited(&asynchronous(settings), &row),
                _ => blocked(&blocking(settings), &row),
            };
            assert_eq!(value.unwrap_or_else(|failure| panic!("{failure}: {row}")), row["value"], "{row}");
            let (request, expected) = (server.only_request(), &row["request"]);
            assert_eq!(request.method(), expected["method"].as_str().unwrap(), "{row}");
            assert_eq!(request.path(), expected["path"].as_str().unwrap(), "{row}");
            assert_eq!(request.query(), expected["query"].as_str(), "{row}");
            assert_eq!(request.form(), expected["form"].as_str().unwrap_or(""), "{row}");
            assert_eq!(request.header("authorization"), Some(BASIC));
            assert_eq!(request.header("user-agent"), Some("proxymesh-kotlin/1"));
        }
    }
}

#[test]
fn bad_input_is_refused_and_nothing_is_sent() {
    let server = Server::always(Answer::new(404, ""));
    let (async_client, blocking_client) =
        (asynchronous(basic(server.base_url())), blocking(basic(server.base_url())));
    let rows = tables::rows("bad_inputs");
    assert!(rows.len() >= 80);
    for row in rows {
        for result in [awaited(&async_client, &row), blocked(&blocking_client, &row)] {
            let (field, reason) = (row["field"].as_str().unwrap(), row["reason"].as_str().unwrap());
            let wanted = format!("{field}: {reason}");
            match result {
                Err(Failure::Validation { text, field: f, reason: r }) => {
                    assert_eq!((text.as_str(), f.as_str(), r.as_str()), (wanted.as_str(), field, reason));
                }
                other => panic!("{other:?}: {}", tables::short(&row)),
            }
        }
    }
    assert_eq!((server.count(), server.connections()), (0, 0));
}

#[test]
fn input_at_the_limit_is_sent() {
    let server = Server::always(Answer::new(404, ""));
    let client = asynchronous(basic(server.base_url()));
    for (before, row) in tables::rows("good_inputs").iter().enumerate() {
        let result = awaited(&client, row);
        assert!(matches!(result, Err(Failure::NotFound { .. })), "{result:?}: {}", tables::short(row));
        assert_eq!(server.count(), before + 1);
    }
}

#[test]
fn a_proxy_can_be_made_and_gives_its_url_with_credentials() {
    let made = crate::proxy_of("us-ca.proxymesh.com:31280".to_owned(), None).unwrap();
    assert_eq!((made.name.as_str(), made.url.as_str()), ("us-ca", "http://us-ca.proxymesh.com:31280"));
    let url = crate::proxy_url_with(made.host, made.port, "me@ex.com".to_owned(), "a b".to_owned()).unwrap();
    assert_eq!(url, "http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280");
    for (host, port) in [
        ("us-ca.proxymesh.com", 0),
        ("us-ca.proxymesh.com:1", 2),
        ("x", -1),
        ("x", 65536),
        ("a b", 1),
        ("", 1),
    ] {
        let refused = crate::proxy_of(host.to_owned(), Some(port)).map(|proxy| proxy.url);
        assert!(
            matches!(&refused, Err(Failure::Validation { field, .. }) if field == "proxy"),
            "{refused:?}"
        );
    }
}
