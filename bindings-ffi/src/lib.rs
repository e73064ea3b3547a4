//! The core for Kotlin and Swift, over UniFFI.
//!
//! This is plumbing: the API is what the hand-written packages in `kotlin/` and `swift/` make of the code that is
//! generated from here (`make bindings`). Every call is written once, for [`Client`] and [`BlockingClient`], by the macro
//! `calls`, and is one line over the core. No integer is unsigned, because Java has none.
// What UniFFI generates is unsafe, and has no docs; nothing written here is unsafe.
#![allow(unsafe_code)]

mod calls;
mod client;
mod error;
mod geo;
mod hostnames;
mod ips;
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
