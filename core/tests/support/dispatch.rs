//! Any call by its name, with its arguments as JSON named as in Python, and its answer back as JSON.

use proxymesh::{
    Client, GeoCounts, LabeledIp, NewIp, NewSubAccount, NewToken, Proxy, Result, SubAccount, SubAccountEdit,
    Token, TokenId, TokenRequest, blocking, secrecy::ExposeSecret, whole_gigabytes,
};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// The arguments of one call. Asking for one that a table misspelt is a failure of the test.
struct Arguments<'a> {
    call: &'a str,
    given: &'a Map<String, Value>,
}

impl<'a> Arguments<'a> {
    fn only(self, known: &[&str]) -> Self {
        for name in self.given.keys() {
            assert!(known.contains(&name.as_str()), "{} takes no argument {name:?}", self.call);
        }
        self
    }

    fn maybe(&self, name: &str) -> Option<&'a str> {
        self.given.get(name).map(|value| value.as_str().unwrap_or_else(|| panic!("{name} is not text")))
    }

    fn text(&self, name: &str) -> &'a str {
        self.maybe(name).unwrap_or_else(|| panic!("{} needs {name}", self.call))
    }

    fn maybe_number(&self, name: &str) -> Option<i64> {
        self.given.get(name).map(|value| value.as_i64().unwrap_or_else(|| panic!("{name} is not a number")))
    }

    fn id(&self) -> Result<TokenId> {
        TokenId::new(self.maybe_number("id").unwrap())
    }
}

/// The fields that create and edit of a sub-account share.
macro_rules! sub_account {
    ($type:ident, $given:expr) => {{
        let given = $given.only(&[
            "username",
            "password",
            "first_name",
            "last_name",
            "email",
            "monthly_limit",
            "total_limit",
        ]);
        let mut it = $type::new(given.text("username"))?;
        if let Some(password) = given.maybe("password") {
            it = it.password(password)?;
        }
        if let Some(name) = given.maybe("first_name") {
            it = it.first_name(name)?;
        }
        if let Some(name) = given.maybe("last_name") {
            it = it.last_name(name)?;
        }
        if let Some(email) = given.maybe("email") {
            it = it.email(email)?;
        }
        if let Some(gigabytes) = given.maybe_number("monthly_limit") {
            it = it.monthly_limit(whole_gigabytes("monthly_limit", gigabytes)?);
        }
        if let Some(gigabytes) = given.maybe_number("total_limit") {
            it = it.total_limit(whole_gigabytes("total_limit", gigabytes)?);
        }
        it
    }};
}

/// A handle, narrowed to the sub-account named, if one is.
macro_rules! of {
    ($handle:expr, $given:expr) => {
        match $given.maybe("username") {
            Some(username) => $handle.of(username)?,
            None => $handle,
        }
    };
}

/// The 23 calls. `$wait` is what turns a reply into its result: nothing, or `.await`.
macro_rules! call {
    ($client:expr, $name:expr, $given:expr, $($wait:tt)*) => {{
        let (client, given) = ($client, Arguments { call: $name, given: $given });
        match $name {
            "sub_accounts.create" => {
                sub_json(client.sub_accounts().create(sub_account!(NewSubAccount, given)) $($wait)* ?)
            }
            "sub_accounts.edit" => {
                sub_json(client.sub_accounts().edit(sub_account!(SubAccountEdit, given)) $($wait)* ?)
            }
            "sub_accounts.get" => {
                sub_json(client.sub_accounts().get(given.only(&["username"]).text("username")) $($wait)* ?)
            }
            "sub_accounts.deactivate" => {
                sub_json(client.sub_accounts().deactivate(given.only(&["username"]).text("username")) $($wait)* ?)
            }
            "sub_accounts.activate" => {
                sub_json(client.sub_accounts().activate(given.only(&["username"]).text("username")) $($wait)* ?)
            }
            "sub_accounts.delete" => {
                client.sub_accounts().delete(given.only(&["username"]).text("username")) $($wait)* ?;
                Value::Null
            }
            "ips.add" => {
                let given = given.only(&["ip", "label", "username"]);
                let mut new = NewIp::new(given.text("ip"))?;
                if let Some(label) = given.maybe("label") {
                    new = new.label(label)?;
                }
                json!(of!(client.ips(), given).add(new) $($wait)* ?)
            }
            "ips.delete" => {
                let given = given.only(&["ip", "username"]);
                of!(client.ips(), given).delete(given.text("ip")) $($wait)* ?;
                Value::Null
            }
            "ips.list" => {
                let given = given.only(&["username"]);
                let ips: Vec<IpAddr> = of!(client.ips(), given).list() $($wait)* ?;
                json!(ips)
            }
            "ips.labels" => {
                let given = given.only(&["username"]);
                labels_json(of!(client.ips(), given).labels() $($wait)* ?)
            }
            "hostnames.add" => {
                let given = given.only(&["domain", "username"]);
                let (domain, hostnames) = (given.text("domain"), client.hostnames());
                Value::String(match given.maybe("username") {
                    Some(username) => hostnames.of(username)?.add(domain) $($wait)* ?,
                    None => hostnames.add(domain) $($wait)* ?,
                })
            }
            "hostnames.delete" => {
                let given = given.only(&["domain", "username"]);
                let (domain, hostnames) = (given.text("domain"), client.hostnames());
                match given.maybe("username") {
                    Some(username) => hostnames.of(username)?.delete(domain) $($wait)* ?,
                    None => hostnames.delete(domain) $($wait)* ?,
                }
                Value::Null
            }
            "hostnames.list" => {
                given.only(&[]);
                json!(client.hostnames().list() $($wait)* ?)
            }
            "proxies.list" => {
                given.only(&[]);
                let proxies: Vec<Proxy> = client.proxies().list() $($wait)* ?;
                proxies.iter().map(|proxy| Value::String(proxy.to_string())).collect()
            }
            "proxies.add" => {
                Value::String(client.proxies().add(given.only(&["proxy"]).text("proxy")) $($wait)* ?)
            }
            "proxies.delete" => {
                client.proxies().delete(given.only(&["proxy"]).text("proxy")) $($wait)* ?;
                Value::Null
            }
            "tokens.list" => {
                let given = given.only(&["username"]);
                let tokens: Vec<Token> = of!(client.tokens(), given).list() $($wait)* ?;
                tokens.iter().map(token_json).collect()
            }
            "tokens.create" => {
                let given = given.only(&["label", "expires_at", "username"]);
                let mut new = TokenRequest::new();
                if let Some(label) = given.maybe("label") {
                    new = new.label(label)?;
                }
                if let Some(date) = given.maybe("expires_at") {
                    new = new.expires_at(date)?;
                }
                let created: NewToken = of!(client.tokens(), given).create(new) $($wait)* ?;
                let mut value = token_json(&created);
                value["token"] = json!(created.secret.expose_secret());
                value
            }
            "tokens.activate" => {
                let given = given.only(&["id", "username"]);
                token_json(&of!(client.tokens(), given).activate(given.id()?) $($wait)* ?)
            }
            "tokens.deactivate" => {
                let given = given.only(&["id", "username"]);
                token_json(&of!(client.tokens(), given).deactivate(given.id()?) $($wait)* ?)
            }
            "tokens.delete" => {
                let given = given.only(&["id", "username"]);
                of!(client.tokens(), given).delete(given.id()?) $($wait)* ?;
                Value::Null
            }
            "geo.open" => {
                given.only(&[]);
                let counts: GeoCounts = client.geo().open() $($wait)* ?;
                json!(counts)
            }
            "geo.world" => {
                given.only(&[]);
                let counts: GeoCounts = client.geo().world() $($wait)* ?;
                json!(counts)
            }
            unknown => panic!("there is no call {unknown:?}"),
        }
    }};
}

/// Makes the call with the blocking client.
pub fn blocking(client: &blocking::Client, name: &str, given: &Map<String, Value>) -> Result<Value> {
    Ok(call!(client, name, given,))
}

/// Makes the call with the async client.
pub async fn asynchronous(client: &Client, name: &str, given: &Map<String, Value>) -> Result<Value> {
    Ok(call!(client, name, given, .await))
}

fn sub_json(sub: SubAccount) -> Value {
    json!({
        "username": sub.username,
        "active": sub.active,
        "monthly_bandwidth": sub.monthly_bandwidth,
        "total_bandwidth": sub.total_bandwidth,
        "monthly_bandwidth_limit": sub.monthly_bandwidth_limit,
        "total_bandwidth_limit": sub.total_bandwidth_limit,
        "first_name": sub.first_name,
        "last_name": sub.last_name,
        "email": sub.email,
    })
}

fn labels_json(labels: Vec<LabeledIp>) -> Value {
    labels.into_iter().map(|LabeledIp { ip, label, .. }| json!({"ip": ip, "label": label})).collect()
}

fn token_json(token: &Token) -> Value {
    json!({
        "id": token.id,
        "label": token.label,
        "is_active": token.is_active,
        "expires_at": token.expires_at.map(|date| date.to_string()),
        "created_at": token.created_at.to_string(),
    })
}
