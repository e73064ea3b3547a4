//! Makes any call by its name, for tests. Arguments and results are JSON, with the names used in Python. A wrong name or argument
//! panics.
#![allow(clippy::panic, missing_docs)]

use crate::{
    Client,
    binding::{self, SubAccountParts},
    blocking,
    endpoint::{Endpoint, for_each_call, geo, hostname, ip, proxy, sub_account, token},
    error::Result,
    model::{Hostname, IpAddress, NewIp, NewSubAccount, SubAccountEdit, TokenId, TokenRequest, Username},
    proxy::{Proxy, ProxyHost},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// A call's input.
trait Input: Sized {
    const NAMES: &'static [&'static str];

    fn read(given: &Arguments<'_>) -> Result<Self>;
}

macro_rules! inputs {
    ($( $type:ident($($name:literal),+) |$given:ident| $read:expr; )*) => {
        $( impl Input for $type {
            const NAMES: &'static [&'static str] = &[ $( $name ),+ ];

            fn read($given: &Arguments<'_>) -> Result<Self> {
                $read
            }
        } )*
    };
}

inputs! {
    NewSubAccount("username", "password", "first_name", "last_name", "email", "monthly_limit", "total_limit")
        |given| given.sub_account().create(given.text("username"));
    SubAccountEdit("username", "password", "first_name", "last_name", "email", "monthly_limit", "total_limit")
        |given| given.sub_account().edit(given.text("username"));
    Username("username") |given| Username::new(given.text("username"));
    NewIp("ip", "label") |given| binding::new_ip(given.text("ip"), given.maybe("label"));
    IpAddress("ip") |given| IpAddress::new(given.text("ip"));
    Hostname("domain") |given| Hostname::new(given.text("domain"));
    ProxyHost("proxy") |given| ProxyHost::new(given.text("proxy"));
    TokenRequest("label", "expires_at")
        |given| binding::token_request(given.maybe("label"), given.maybe("expires_at"));
    TokenId("id") |given| TokenId::new(given.number("id").unwrap_or_else(|| panic!("{} needs id", given.call)));
}

struct Arguments<'a> {
    call: &'a str,
    given: &'a Map<String, Value>,
}

impl<'a> Arguments<'a> {
    fn of(call: &'a str, given: &'a Map<String, Value>) -> Self {
        let known = arguments(call);
        for name in given.keys() {
            assert!(known.contains(&name.as_str()), "{call} takes no argument {name:?}");
        }
        Self { call, given }
    }

    fn maybe(&self, name: &str) -> Option<&'a str> {
        self.given.get(name).map(|value| value.as_str().unwrap_or_else(|| panic!("{name} is not text")))
    }

    fn text(&self, name: &str) -> &'a str {
        self.maybe(name).unwrap_or_else(|| panic!("{} needs {name}", self.call))
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.given.get(name).map(|value| value.as_i64().unwrap_or_else(|| panic!("{name} is not a number")))
    }

    fn sub_account(&self) -> SubAccountParts<'a> {
        SubAccountParts {
            password: self.maybe("password"),
            first_name: self.maybe("first_name"),
            last_name: self.maybe("last_name"),
            email: self.maybe("email"),
            monthly_limit: self.number("monthly_limit"),
            total_limit: self.number("total_limit"),
        }
    }
}

macro_rules! dispatchers {
    ($( $resource:ident.$verb:ident: $module:ident::$endpoint:ident($($input:ty)?) $($of:ident)?; )*) => {
        /// The names of a call's arguments.
        pub fn arguments(call: &str) -> Vec<&'static str> {
            $( if call == $module::$endpoint::CALL.name {
                let names: &[&[&str]] = &[ $( <$input>::NAMES, )? $( dispatchers!(@$of) )? ];
                return names.concat();
            } )*
            panic!("there is no call {call:?}")
        }

        /// Makes the call with the async client.
        pub async fn asynchronous(client: &Client, call: &str, given: &Map<String, Value>) -> Result<Value> {
            let given = Arguments::of(call, given);
            $( if call == $module::$endpoint::CALL.name {
                let handle = client.$resource();
                $( let handle = binding::$of(handle, given.maybe("username"))?; )?
                return handle.$verb($( <$input>::read(&given)? )?).await.map(shown);
            } )*
            panic!("there is no call {call:?}")
        }

        /// Makes the call with the blocking client.
        pub fn blocking(client: &blocking::Client, call: &str, given: &Map<String, Value>) -> Result<Value> {
            let given = Arguments::of(call, given);
            $( if call == $module::$endpoint::CALL.name {
                let handle = client.$resource();
                $( let handle = binding::$of(handle, given.maybe("username"))?; )?
                return handle.$verb($( <$input>::read(&given)? )?).map(shown);
            } )*
            panic!("there is no call {call:?}")
        }
    };
    (@of) => { &["username"] };
}
for_each_call!(dispatchers);

/// What a page returns as this machine's address.
pub async fn asked(client: &Client, page: &str) -> Result<IpAddr, String> {
    crate::lease::asked(client, page).await
}

fn shown(response: impl Serialize) -> Value {
    serde_json::to_value(response).unwrap_or_else(|error| panic!("{error}"))
}

impl Serialize for Proxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Exposes the secret of a new token, which tests compare too.
pub(crate) fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}
