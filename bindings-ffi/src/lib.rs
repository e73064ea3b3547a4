//! The core for Kotlin and Swift, through UniFFI.
//!
//! This layer is internal. The public API is in the hand-written packages in `kotlin/` and `swift/`. They wrap the code that is
//! generated from this crate (`make bindings`). The macro `calls` exports each call for both [`Client`] and [`BlockingClient`],
//! and the body of each call is one line that calls the core. All integers are signed, because Java has no unsigned ones.
//!
//! Swift calls UniFFI's functions. The JVM calls those in `jvm`.
// UniFFI generates unsafe code. What is written here is safe, except for `jvm::jni`.
#![allow(unsafe_code)]
// The JVM uses none of what only Swift calls.
#![cfg_attr(not(feature = "swift"), allow(dead_code, unused_imports))]

mod blocking;
mod calls;
mod client;
mod error;
mod geo;
mod hostnames;
mod ips;
mod jvm;
mod model;
mod proxies;
mod proxy;
mod runtime;
mod sub_accounts;
#[cfg(test)]
mod tests;
mod tokens;

pub use client::{BlockingClient, Client, Options, Settings, version};
pub use error::{Failure, Refusal};
pub use model::{LabeledIp, NewToken, SubAccount, Token};
pub use proxy::{Credentials, ExitChoice, Proxy, exit_choice_of, proxy_headers, proxy_of, proxy_url_with};
pub use sub_accounts::SubAccountFields;

uniffi::setup_scaffolding!("proxymesh");
