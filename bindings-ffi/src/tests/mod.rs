//! The tests are in this crate because no other crate can link it (see `crate-type`). The server is the one from the core's tests.

mod ends;
mod errors;
mod jvm;
mod lint;
mod panics;
mod proxy;
#[cfg(target_os = "linux")]
#[allow(clippy::print_stdout, clippy::print_stderr)]
mod resources;
#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../../../core/tests/support/server.rs"]
mod server;

use crate::{BlockingClient, Client, Failure, Settings};
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

const USERNAME: &str = "me+1@ex.com";
const PASSWORD: &str = "pä:ss&w=o\"rd 1";

/// Every call that the macro `calls` exported.
fn exported() -> Vec<&'static str> {
    crate::jvm::calls().map(|call| call.name).collect()
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

fn asynchronous(settings: Settings) -> Arc<Client> {
    Arc::new(Client::new(settings).unwrap())
}

fn blocking(settings: Settings) -> Arc<BlockingClient> {
    Arc::new(BlockingClient::new(settings).unwrap())
}

/// The failure in a result whose value has no `Debug`.
fn failure<T>(result: Result<T, Failure>) -> Failure {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(failure) => failure,
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future as Kotlin and Swift do: with a waker, and without a Rust runtime.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    wait_for(future, Duration::from_secs(60)).expect("the call hangs")
}

/// The same, up to a time limit. Then the future is dropped.
fn wait_for<T>(future: impl Future<Output = T>, limit: Duration) -> Option<T> {
    let deadline = Instant::now() + limit;
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        let left = deadline.checked_duration_since(Instant::now())?;
        thread::park_timeout(left);
    }
}
