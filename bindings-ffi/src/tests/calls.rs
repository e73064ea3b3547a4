//! The 23 calls, from both clients, as the tables in tests/tables say.

use super::{
    BASIC, asynchronous, basic, blocking,
    server::{Answer, Server},
    tables, wait,
};
use crate::{
    BlockingClient, Client, Failure, LabeledIp, Proxy, Settings, SubAccount, SubAccountFields, Token,
};
use proxymesh::jiff::Timestamp;
use serde_json::{Map, Value, json};

struct Arguments<'a>(&'a Map<String, Value>);

impl Arguments<'_> {
    fn only(&self, known: &[&str]) {
        assert!(self.0.keys().all(|name| known.contains(&name.as_str())), "{:?}", self.0.keys());
    }

    fn maybe(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| value.as_str().unwrap().to_owned())
    }

    fn text(&self, name: &str) -> String {
        self.maybe(name).unwrap()
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).map(|value| value.as_i64().unwrap())
    }

    fn id(&self) -> i64 {
        self.number("id").unwrap()
    }

    fn fields(&self) -> SubAccountFields {
        SubAccountFields {
            password: self.maybe("password"),
            first_name: self.maybe("first_name"),
            last_name: self.maybe("last_name"),
            email: self.maybe("email"),
            monthly_limit: self.number("monthly_limit"),
            total_limit: self.number("total_limit"),
        }
    }
}

const FIELDS: [&str; 7] =
    ["username", "password", "first_name", "last_name", "email", "monthly_limit", "total_limit"];

/// A call by its name in the tables. `$wait` is what turns what it gives into its result.
macro_rules! call {
    ($client:ident, $name:expr, $given:expr, $wait:expr) => {{
        let given = Arguments($given);
        match $name {
            "sub_accounts.create" => {
                given.only(&FIELDS);
                sub_account($wait($client.sub_accounts_create(given.text("username"), given.fields()))?)
            }
            "sub_accounts.edit" => {
                given.only(&FIELDS);
                sub_account($wait($client.sub_accounts_edit(given.text("username"), given.fields()))?)
            }
            "sub_accounts.get" => {
                given.only(&["username"]);
                sub_account($wait($client.sub_accounts_get(given.text("username")))?)
            }
            "sub_accounts.activate" => {
                given.only(&["username"]);
                sub_account($wait($client.sub_accounts_activate(given.text("username")))?)
            }
            "sub_accounts.deactivate" => {
                given.only(&["username"]);
                sub_account($wait($client.sub_accounts_deactivate(given.text("username")))?)
            }
            "sub_accounts.delete" => {
                given.only(&["username"]);
                json!($wait($client.sub_accounts_delete(given.text("username")))?)
            }
            "ips.add" => {
                given.only(&["ip", "label", "username"]);
                let (ip, label) = (given.text("ip"), given.maybe("label"));
                json!($wait($client.ips_add(ip, label, given.maybe("username")))?)
            }
            "ips.delete" => {
                given.only(&["ip", "username"]);
                json!($wait($client.ips_delete(given.text("ip"), given.maybe("username")))?)
            }
            "ips.list" => {
                given.only(&["username"]);
                json!($wait($client.ips_list(given.maybe("username")))?)
            }
            "ips.labels" => {
                given.only(&["username"]);
                $wait($client.ips_labels(given.maybe("username")))?.into_iter().map(labeled_ip).collect()
            }
            "hostnames.add" => {
                given.only(&["domain", "username"]);
                json!($wait($client.hostnames_add(given.text("domain"), given.maybe("username")))?)
            }
            "hostnames.delete" => {
                given.only(&["domain", "username"]);
                json!($wait($client.hostnames_delete(given.text("domain"), given.maybe("username")))?)
            }
            "hostnames.list" => {
                given.only(&[]);
                json!($wait($client.hostnames_list())?)
            }
            "proxies.list" => {
                given.only(&[]);
                $wait($client.proxies_list())?.into_iter().map(proxy).collect()
            }
            "proxies.add" => {
                given.only(&["proxy"]);
                json!($wait($client.proxies_add(given.text("proxy")))?)
            }
            "proxies.delete" => {
                given.only(&["proxy"]);
                json!($wait($client.proxies_delete(given.text("proxy")))?)
            }
            "tokens.list" => {
                given.only(&["username"]);
                $wait($client.tokens_list(given.maybe("username")))?.into_iter().map(token).collect()
            }
            "tokens.create" => {
                given.only(&["label", "expires_at", "username"]);
                let (label, expires_at) = (given.maybe("label"), given.maybe("expires_at"));
                let new = $wait($client.tokens_create(label, expires_at, given.maybe("username")))?;
                let mut value = token(new.token);
                value["token"] = json!(new.secret);
                value
            }
            "tokens.activate" => {
                given.only(&["id", "username"]);
                token($wait($client.tokens_activate(given.id(), given.maybe("username")))?)
            }
            "tokens.deactivate" => {
                given.only(&["id", "username"]);
                token($wait($client.tokens_deactivate(given.id(), given.maybe("username")))?)
            }
            "tokens.delete" => {
                given.only(&["id", "username"]);
                json!($wait($client.tokens_delete(given.id(), given.maybe("username")))?)
            }
            "geo.open" => {
                given.only(&[]);
                json!($wait($client.geo_open())?)
            }
            "geo.world" => {
                given.only(&[]);
                json!($wait($client.geo_world())?)
            }
            unknown => panic!("there is no call {unknown:?}"),
        }
    }};
}

/// Makes the call that a row says with the async client.
pub(super) fn awaited(client: &Client, row: &Value) -> Result<Value, Failure> {
    Ok(call!(client, row["call"].as_str().unwrap(), &tables::arguments(row), wait))
}

/// Makes the call that a row says with the blocking client.
pub(super) fn blocked(client: &BlockingClient, row: &Value) -> Result<Value, Failure> {
    Ok(call!(client, row["call"].as_str().unwrap(), &tables::arguments(row), std::convert::identity))
}

fn sub_account(it: SubAccount) -> Value {
    json!({
        "username": it.username,
        "active": it.active,
        "monthly_bandwidth": it.monthly_bandwidth,
        "total_bandwidth": it.total_bandwidth,
        "monthly_bandwidth_limit": it.monthly_bandwidth_limit,
        "total_bandwidth_limit": it.total_bandwidth_limit,
        "first_name": it.first_name,
        "last_name": it.last_name,
        "email": it.email,
    })
}

fn labeled_ip(it: LabeledIp) -> Value {
    json!({"ip": it.ip, "label": it.label})
}

fn proxy(it: Proxy) -> Value {
    assert_eq!(it.url, format!("http://{}:{}", it.host, it.port));
    assert!(it.host.starts_with(&it.name));
    json!(format!("{}:{}", it.host, it.port))
}

fn token(it: Token) -> Value {
    json!({
        "id": it.id,
        "label": it.label,
        "is_active": it.is_active,
        "expires_at": it.expires_at,
        "created_at": Timestamp::try_from(it.created_at).unwrap().to_string(),
    })
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
