//! The tests are in this crate because no other crate can link it (see `crate-type`). The server is the one from the core's tests.

mod bridge_calls;
mod c;
mod ends;
mod errors;
mod lint;
mod log;
mod objects;
mod proxy;
#[cfg(target_os = "linux")]
#[allow(clippy::print_stdout, clippy::print_stderr)]
mod resources;
#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../../../core/tests/support/server.rs"]
mod server;

use crate::{
    Failure, Options, Settings, UniFfiTag,
    bridge::{self, objects as handles, tasks},
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    time::Duration,
};
use uniffi::{Lift, Lower};

const USERNAME: &str = "me+1@ex.com";
const PASSWORD: &str = "pä:ss&w=o\"rd 1";

/// Every call that the macro `calls` declared.
fn declared() -> Vec<&'static str> {
    bridge::calls().map(|call| call.name).collect()
}

fn nothing() -> Settings {
    Settings {
        username: None,
        password: None,
        token: None,
        base_url: None,
        timeout: None,
        connect_timeout: None,
        max_retries: None,
        max_connections: None,
        ca_file: None,
        trust_env: false,
        share_state: true,
        user_agent: None,
    }
}

fn basic(base_url: impl Into<String>) -> Settings {
    Settings {
        username: Some(USERNAME.to_owned()),
        password: Some(PASSWORD.to_owned()),
        base_url: Some(base_url.into()),
        max_retries: Some(0),
        ..nothing()
    }
}

const GEO_OPEN: &str = "geo_open()HashMap<String,i64>";
const GEO_WORLD: &str = "geo_world()HashMap<String,i64>";
const IPS_LIST: &str = "ips_list(username:Option<String>,)Vec<String>";
const IPS_LABELS: &str = "ips_labels(username:Option<String>,)Vec<LabeledIp>";

/// A client of the bridge, as another language has it. It is released with its last owner.
struct Native {
    handle: i64,
    is_async: bool,
}

/// A call on the worker.
struct Started {
    task: i64,
    given: Receiver<Vec<u8>>,
}

impl Native {
    fn new(kind: &str, settings: Settings) -> Result<Arc<Self>, Failure> {
        let answer = bridge::invoke(
            0,
            number(&format!("{kind}.new(settings:Settings,)Self")),
            &bytes(settings),
            None,
            None,
        );
        Ok(Arc::new(Self { handle: result(&answer)?, is_async: kind == "Client" }))
    }

    /// Makes a call in the way of this kind of client.
    fn call<T: Lift<UniFfiTag>>(&self, signature: &str, arguments: &[u8]) -> Result<T, Failure> {
        if self.is_async {
            self.start(signature, arguments).wait()
        } else {
            self.invoke(signature, arguments)
        }
    }

    /// Makes a call that returns a map.
    fn count(&self, signature: &str) -> Result<HashMap<String, i64>, Failure> {
        self.call(signature, &[])
    }

    fn list(&self) -> Result<Vec<String>, Failure> {
        self.call(IPS_LIST, &bytes(None::<String>))
    }

    fn invoke<T: Lift<UniFfiTag>>(&self, signature: &str, arguments: &[u8]) -> Result<T, Failure> {
        result(&bridge::invoke(self.handle, number(signature), arguments, None, None))
    }

    fn start(&self, signature: &str, arguments: &[u8]) -> Started {
        let (give, given) = mpsc::channel();
        let task = tasks::number();
        bridge::start(task, self.handle, number(signature), arguments, None, move |answer| {
            give.send(answer).unwrap()
        });
        Started { task, given }
    }

    fn with_options(&self, options: Options) -> Result<Arc<Self>, Failure> {
        let handle = self.invoke("with_options(options:Options,)Self", &bytes(options))?;
        Ok(Arc::new(Self { handle, is_async: self.is_async }))
    }

    /// Creates an object, with options.
    fn create<T: Lower<UniFfiTag>>(&self, signature: &str, options: T) -> Arc<Self> {
        let handle = self.invoke(signature, &bytes(options)).unwrap();
        Arc::new(Self { handle, is_async: self.is_async })
    }

    fn shut_down(&self) {
        assert_eq!(bridge::invoke(self.handle, number("shut_down()()"), &[], None, None), [0]);
    }

    fn base_url(&self) -> Option<String> {
        self.invoke("base_url()Option<String>", &[]).unwrap()
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        handles::release(self.handle);
    }
}

impl Started {
    fn wait<T: Lift<UniFfiTag>>(self) -> Result<T, Failure> {
        result(&self.given.recv_timeout(Duration::from_secs(60)).expect("the call hangs"))
    }
}

fn asynchronous(settings: Settings) -> Arc<Native> {
    Native::new("Client", settings).unwrap()
}

fn blocking(settings: Settings) -> Arc<Native> {
    Native::new("BlockingClient", settings).unwrap()
}

fn number(signature: &str) -> i32 {
    bridge::number(signature)
}

/// A value in UniFFI's format.
fn bytes<T: Lower<UniFfiTag>>(value: T) -> Vec<u8> {
    let mut bytes = Vec::new();
    T::write(value, &mut bytes);
    bytes
}

/// Reads an answer with UniFFI's own code.
fn result<T: Lift<UniFfiTag>>(answer: &[u8]) -> Result<T, Failure> {
    let (is_failure, mut rest) = answer.split_first().unwrap();
    let result = match is_failure {
        0 => Ok(T::try_read(&mut rest).unwrap()),
        1 => Err(<Failure as Lift<UniFfiTag>>::try_read(&mut rest).unwrap()),
        other => panic!("an answer starts with {other}"),
    };
    assert!(rest.is_empty(), "{} bytes are left", rest.len());
    result
}

/// The failure in a result whose value has no `Debug`.
fn failure<T>(result: Result<T, Failure>) -> Failure {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(failure) => failure,
    }
}
