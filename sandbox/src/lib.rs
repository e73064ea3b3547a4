//! The ProxyMesh account API, emulated in memory: for tests, and for trying the SDK without an
//! account.
//!
//! [`Sandbox`] serves all 23 calls on a port of its own, keeps state as the service does, and is
//! strict where the service is. It runs on its own thread, so it serves synchronous and
//! asynchronous code alike.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = proxymesh_sandbox::Sandbox::start()?;
//! let address = sandbox.base_url().trim_start_matches("http://").to_owned();
//!
//! // parent:parent-password
//! let mut connection = TcpStream::connect(address)?;
//! connection.write_all(
//!     b"GET /api/proxies/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
//!       Authorization: Basic cGFyZW50OnBhcmVudC1wYXNzd29yZA==\r\n\r\n",
//! )?;
//! let mut answer = String::new();
//! connection.read_to_string(&mut answer)?;
//!
//! assert!(answer.starts_with("HTTP/1.1 200 OK"));
//! assert!(answer.contains("us-ca.proxymesh.com:31280"));
//! assert_eq!(sandbox.requests()[0].path, "/api/proxies/");
//! # Ok(())
//! # }
//! ```
//!
//! # Plans
//!
//! The service documents how many tokens a plan has. The other limits are the sandbox's own choice.
//!
//! | plan | tokens | sub-accounts | authorised proxies | authorised at the start |
//! |---|---|---|---|---|
//! | [`Plan::FreeTrial`] | 0 | 1 | 3 | 3 |
//! | [`Plan::ProxyMesh10`] | 10 | 10 | 5 | 3 |
//! | [`Plan::ProxyMesh20`] | 20 | 25 | 8 | 3 |
//! | [`Plan::ProxyMesh50`] (the default) | 50 | 100 | 12 | 3 |
//! | [`Plan::ProxyMesh100`] | 100 | 250 | all 16 | 3 |
//!
//! Tokens count per parent in total, those of its sub-accounts and deactivated ones included.
//!
//! # What the sandbox chose where the service is silent
//!
//! * **Order of the checks:** path (404), method (405), authentication (401), content type (415),
//!   size (413), permission (403), input (400), then what the call itself finds (400, 402, 404).
//! * **Failed authentication:** wrong credentials, no `Authorization` header, another scheme, an
//!   expired or deactivated token, and an inactive sub-account (its tokens too) all answer 401 and
//!   count. Four within 5 minutes ban the client's IP address for 3 hours: every client, on loopback.
//!   A success in between does not start the count anew; attempts during the ban do not prolong it.
//! * **Bearer on the token endpoints:** a valid token gets 403 and does not count as a failure.
//! * **A sub-account** gets 403 wherever `username` is given, its own included. The proxies it sees
//!   and changes are its parent's. Without a password it can authenticate by token only.
//! * **`username` naming the parent itself** gets 403, as it is not a sub-account.
//! * **Unknown parameters**, one given twice, a query on a POST and a body on a GET get 400.
//!   A POST with neither body nor `Content-Type` passes.
//! * **An empty value** clears a text field in `sub/edit`; anywhere else it is invalid input.
//! * **Tokens:** `expires_at` lasts to the end of that day in UTC, and may lie in the past. An
//!   unknown `id`, or one of another account than the one meant, gets 404.
//! * **Hostnames** have at least two labels and are kept in lower case; IP addresses are kept in
//!   their canonical text.
//! * **Billing:** a period is 30 days from the start (or the last reset). When it turns, every
//!   `monthly_bandwidth` becomes 0.
//!
//! # The proxies
//!
//! With [`Builder::proxies`] the sandbox serves the proxies, too: forward proxies, for `CONNECT` and for plain http, each
//! on a port of its own. The API then lists them as `us-ca.localhost:PORT`.
//!
//! * **Who may use them:** `Proxy-Authorization` with Basic or Bearer, or else an authenticated IP; authenticated hostnames
//!   are not looked up. Anybody else gets 407, a deactivated sub-account 402, and so does 407 whoever asks a proxy that the
//!   account has not authorised. None of it counts towards the API's ban.
//! * **Bandwidth:** all bytes to and from the target are booked as they pass, at 10⁹ bytes a GB. Once a limit is reached
//!   what is under way is cut off, and new requests get 509. The parent's own limit is [`Builder::monthly_limit`].
//! * **Targets** are on this machine: loopback addresses, `localhost`, and names under `.localhost` and `.test`;
//!   `proxymesh.com` is the sandbox's API. Anything else gets 403, and no name is looked up.
//! * **Exit IPs** are made up, from 198.18.0.0/15. `X-ProxyMesh-Country` is honoured by `open` and `world`, and ignored by
//!   the others; a country without exits gets 400, and so do a list of IPs that is none and a `Not-IP` that leaves none.
//! * [`Sandbox::proxied`] tells what arrived, and [`Fault::proxy`] makes one of them go wrong.
//!
//! # Controls
//!
//! What the methods of [`Sandbox`] do can be done over HTTP as well, under `/_sandbox/`, without
//! credentials; `GET /_sandbox/` tells what there is. [`Fault`] lists the faults.
//!
//! # Web pages
//!
//! Any web page that is open in a browser on this machine can send requests to a port on loopback. So a request with an
//! `Origin` or a `Sec-Fetch-Site` of another site gets 403; and one whose `Host` is neither a loopback address, nor
//! `localhost` or a name under it, gets 421, as such a name may have been pointed at this machine. The API, but not the
//! controls, answers to names under `.test` and to `proxymesh.com` as well. Neither is recorded, nor meets a fault.
//!
//! # Away from loopback
//!
//! [`Builder::host`] lets others reach the sandbox, such as 0.0.0.0 in a container. Then
//!
//! * the default password is refused, for the parent and for sub-accounts: it is published;
//! * the controls want the parent's username and password, with Basic authentication, from everybody;
//! * the proxies, if there are any, relay from the network to what listens on this machine's loopback addresses, for whoever
//!   has the password of the account or of a sub-account, a token, or an authenticated IP. Behind a router or a container's
//!   gateway many share one IP;
//! * guesses of the password are counted only by the API, and nothing is encrypted;
//! * any `Host` is answered to, as names of the network are not known here.
//!
//! [`Sandbox::opens`] says so in a sentence, and the program prints it.

#![forbid(unsafe_code)]

mod answer;
mod builder;
pub mod cli;
mod control;
mod error;
mod fault;
mod forward;
mod log;
mod openapi;
mod plan;
mod sandbox;
mod server;
mod service;
mod shared;
mod state;
mod world;

pub use builder::Builder;
pub use error::Error;
pub use fault::Fault;
pub use log::{ProxiedRequest, RecordedAuth, RecordedRequest};
pub use plan::Plan;
pub use sandbox::Sandbox;

/// The example of the README is run, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
