//! A client for the ProxyMesh account API. It manages the proxies that an account may use, its authorised IPs and hostnames, its
//! sub-accounts and its tokens. It also counts the exit IPs in each country.
//!
//! ```no_run
//! # async fn example() -> proxymesh::Result<()> {
//! use proxymesh::{Client, NewSubAccount, Settings};
//!
//! let client = Client::new(Settings::new().username("me@ex.com").password("secret"))?;
//! for proxy in client.proxies().list().await? {
//!     println!("{}", proxy.url_with("me@ex.com", "secret"));
//! }
//! client.ips().add("203.0.113.7").await?;
//! client.sub_accounts().create(NewSubAccount::new("crawler-1")?.monthly_limit(5)).await?;
//! # Ok(()) }
//! ```
//!
//! [`blocking::Client`] has the same calls for code without async. Both clients are cheap to clone, and threads and tasks may share
//! them.
//!
//! # What it does for you
//!
//! * **It refuses bad input before it sends anything**, and names the field and the rule ([`Error::Validation`]).
//! * **It keeps the caller from being banned.** Four failed authentications ban it for three hours. Until the credentials have worked
//!   once, only one call at a time tries them. In five minutes, the client allows two failures with the same credentials, and three in
//!   the whole process. After that, calls fail with [`Error::AuthenticationBlocked`], and nothing is sent. Once the service has
//!   rejected the credentials, an attempt whose response is lost counts as a failure, too.
//! * **It retries only what is safe to repeat** ([`endpoint::Replay`]). It never repeats a create that may have been carried out. If
//!   the response to an `ips().add` is lost, the client looks the IP up. The call succeeds if the IP is there.
//! * **It never shows a secret** in an error, a log line or `Debug`.
//!
//! # HTTP libraries
//!
//! A [`Proxy`] holds credentials and an exit choice. Adapters pass it to an HTTP library, so that the proxy gets them and the site does
//! not. Each needs a feature of this crate:
//!
//! | feature | method | library |
//! |---|---|---|
//! | `reqwest-0-12`, `reqwest-0-12-blocking` | `Proxy::reqwest_0_12`, `Proxy::reqwest_0_12_blocking` | reqwest 0.12 |
//! | `reqwest-0-13`, `reqwest-0-13-blocking` | `Proxy::reqwest_0_13`, `Proxy::reqwest_0_13_blocking` | reqwest 0.13 |
//! | `ureq-3` | `Proxy::ureq_3` | ureq 3 |
//! | `hyper-util` | `Proxy::hyper_util` | the client of hyper-util |
//!
//! # Logging
//!
//! Each attempt emits one [`tracing`] event at DEBUG with the target `proxymesh`. Its fields are `call`, `method`, `path`, `status`,
//! `failure`, `elapsed_ms`, `retry_in_ms` and `attempt`. Queries, forms and credentials are never logged. [`Client::with_observer`]
//! passes the same information to a closure.
//!
//! # System resources
//!
//! A client opens no file descriptor and starts no thread before its first call. After that, a [`blocking::Client`] has its own event
//! loop (three file descriptors on Linux), and each connection takes one more descriptor.
//!
//! A client has at most [`max_connections`](Settings::max_connections) connections open at a time, so share one client rather than
//! create many. Further requests wait for their turn, and this wait does not count towards their time limit. A connection that has been idle for 15 s
//! is closed. A [`blocking::Client`] has no thread that could do this between calls, so it does so during its next call.
//!
//! Each name lookup runs in a thread of its own, which ends with the lookup. A [`blocking::IpFollower`] has a thread, an event loop and
//! connections of its own. If the system is out of file descriptors, threads or
//! memory, the call fails with [`Error::Connection`], and a later call tries again.
//!
//! # Processes
//!
//! A process created by `fork` must not use a client that it inherited. [`Client::renewed`] returns one that it may use.
//!
//! The processes of one user on one machine share small files in the user's state folder. These keep wrong credentials from being tried by
//! each process, and let processes share an authorised IP ([`resource::Ips::authorized`]). They contain no names and no secrets.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod binding;
pub mod blocking;
mod client;
mod credentials;
mod dns;
pub mod endpoint;
mod error;
mod lease;
mod model;
mod observer;
mod pool;
pub mod process;
#[doc(hidden)] // until every language can use a profile
pub mod profile;
mod proxy;
mod redact;
pub mod resource;
pub mod runtime;
mod settings;
#[cfg(test)]
mod simulated;
mod state_folder;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod transport;

pub use client::{Client, Pending};
pub use credentials::Credentials;
pub use error::{Error, Refusal, Result};
pub use lease::{AuthorizedIp, FollowedIp, IpFollower, IpLease};
pub use model::{
    ExpiryDate, GeoCounts, Hostname, IpAddress, IpLabel, LabeledIp, NewIp, NewSubAccount, NewToken,
    SubAccount, SubAccountEdit, Token, TokenId, TokenLabel, TokenRequest, Username,
};
pub use observer::{Attempt, Observer};
pub use pool::{Order, Outcome, PoolOptions, ProxyPool, ProxyStats, Report};
#[cfg(feature = "hyper-util")]
pub use proxy::ProxyTunnel;
pub use proxy::{Check, ExitChoice, Proxy, ProxyHost};
pub use settings::{Options, Settings};
pub use transport::Exchange;
#[cfg(fuzzing)]
pub use transport::hostile;

/// The crate of the date and time types in the public API.
pub use jiff;
/// The crate of [`SecretString`](secrecy::SecretString), which holds a secret, and of
/// [`ExposeSecret`](secrecy::ExposeSecret), which reads it.
pub use secrecy;

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
