//! The core for Kotlin and Swift.
//!
//! This layer is internal. The public API is in the hand-written packages in `kotlin/` and `swift/`. They wrap the code that is
//! generated from this crate (`make bindings`). The macro `calls` declares each call for both [`Client`] and [`BlockingClient`],
//! and the body of each call is one line that calls the core. All integers are signed, because Java has no unsigned ones.
//!
//! The other languages make calls through `bridge`. UniFFI gives them the format of the values, and gives the generator a
//! description of the calls. Its own functions are not used.
// UniFFI generates unsafe code. What is written here is safe, except for `bridge::jni` and `bridge::c`.
#![allow(unsafe_code)]

mod blocking;
mod bridge;
mod calls;
mod client;
mod error;
mod follower;
mod geo;
mod hostnames;
mod ips;
mod lease;
mod log;
mod model;
mod pool;
mod proxies;
mod proxy;
mod sub_accounts;
#[cfg(test)]
mod tests;
mod tokens;

pub use client::{BlockingClient, Client, Options, Settings};
pub use error::{Failure, Refusal};
pub use follower::{Follower, FollowerOptions};
pub use lease::{Lease, LeaseOptions};
pub use log::{Attempt, LogRecord};
pub use model::{LabeledIp, NewToken, SubAccount, Token};
pub use pool::{Pool, PoolOptions, ProxyStats, Report};
pub use proxy::{
    Access, Credentials, ExitChoice, Proxy, ProxyCheck, ProxyInput, exit_choice_of, proxy_headers,
    proxy_lost_exit, proxy_of, proxy_rotating, proxy_url, proxy_url_with, proxy_with,
};
pub use sub_accounts::SubAccountFields;

#[cfg(feature = "description")]
uniffi::setup_scaffolding!("proxymesh");

/// The type that UniFFI's macros refer to. It is otherwise part of the description.
#[cfg(not(feature = "description"))]
pub struct UniFfiTag;
