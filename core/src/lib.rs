//! Client for the ProxyMesh account API: the proxies an account may use, its authorised IPs and hostnames,
//! its sub-accounts, its tokens, and the countries its exit IPs are in.
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
//! [`blocking::Client`] has the same handles for code without async. Both are cheap to clone, and may be
//! shared by threads and tasks.
//!
//! # What it does for you
//!
//! * **It refuses bad input before anything is sent**, with the field and the rule ([`Error::Validation`]).
//! * **It keeps the account from being banned.** Four failed authentications ban it for three hours, so until
//!   credentials have worked once, one call at a time tries them, and after two failures in five
//!   minutes (three per process, answers that were lost included) calls fail locally with
//!   [`Error::AuthenticationBlocked`].
//! * **It sends again what may be sent again, and nothing else** ([`endpoint::Replay`]): a create is never
//!   repeated; an `ips().add` whose answer was lost is looked up, and succeeds if the IP is there.
//! * **It shows no secret**, in no error, log line or `Debug`.
//!
//! # Logging
//!
//! Each attempt is one [`tracing`] event at DEBUG with the target `proxymesh`: call, method, path, status, elapsed
//! milliseconds, attempt. Never a query, a form or credentials. [`Client::with_observer`] tells the same to a closure.
//!
//! # What it takes from the system
//!
//! Nothing before the first call. Then a [`blocking::Client`] has an event loop of its own (on Linux three file descriptors), and each
//! connection is one more, of which a client has at most 100; so share one client, rather than make many. A name is looked up in a
//! thread that ends with it. Where the system has no descriptor, thread or memory left the call ends as
//! [`Error::Connection`], and a later one asks again.
//!
//! # Processes
//!
//! A process made by `fork` must not use a client that it inherits: [`Client::renewed`] gives it one of its own.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod binding;
pub mod blocking;
mod client;
mod credentials;
mod dns;
pub mod endpoint;
mod error;
mod model;
mod observer;
pub mod process;
mod proxy;
pub mod resource;
pub mod runtime;
mod settings;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
mod transport;

pub use client::{Client, Pending};
pub use credentials::Credentials;
pub use error::{Error, Refusal, Result};
pub use model::{
    ExpiryDate, GeoCounts, Hostname, IpAddress, IpLabel, LabeledIp, NewIp, NewSubAccount, NewToken,
    SubAccount, SubAccountEdit, Token, TokenId, TokenLabel, TokenRequest, Username,
};
pub use observer::{Attempt, Observer};
pub use proxy::{Check, ExitChoice, Proxy, ProxyHost};
pub use settings::{Options, Settings};
pub use transport::Exchange;
#[cfg(fuzzing)]
pub use transport::hostile;

/// The date and time types of the public API.
pub use jiff;
/// The type that holds a secret, and the trait that shows it.
pub use secrecy;

/// The README's example is compiled, too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
