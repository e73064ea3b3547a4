//! An in-memory emulation of the ProxyMesh account API, for tests and for trying the SDK without an account.
//!
//! A [`Sandbox`] serves every call on a local port. It keeps state as the service does, and it is as strict as the
//! service. It runs on its own thread, so it works with both synchronous and asynchronous code.
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
//! The service documents how many tokens each plan allows. The other limits are the sandbox's own choice.
//!
//! | plan | tokens | sub-accounts | authorised proxies | authorised at the start |
//! |---|---|---|---|---|
//! | [`Plan::FreeTrial`] | 0 | 1 | 3 | 3 |
//! | [`Plan::ProxyMesh10`] | 10 | 10 | 5 | 3 |
//! | [`Plan::ProxyMesh20`] | 20 | 25 | 8 | 3 |
//! | [`Plan::ProxyMesh50`] (the default) | 50 | 100 | 12 | 3 |
//! | [`Plan::ProxyMesh100`] | 100 | 250 | all 16 | 3 |
//!
//! The limit on tokens covers the tokens of the parent and of its sub-accounts together, including deactivated ones.
//!
//! # Where the service's documentation is silent
//!
//! The sandbox made these choices:
//!
//! * **Order of the checks:** path (404), method (405), authentication (401), content type (415), size (413),
//!   permission (403), input (400), then the checks of the call itself (400, 402, 404).
//! * **Failed authentication:** Wrong credentials, a missing `Authorization` header, another scheme, an expired or
//!   deactivated token, and an inactive sub-account or one of its tokens get 401. Each of these counts as a failure.
//!   Four failures within 5 minutes ban the client's IP address for 3 hours. On loopback, all clients share one
//!   address. A success in between does not reset the count, and attempts during the ban do not prolong it.
//! * **Bearer on the token endpoints:** A valid token gets 403 and does not count as a failure.
//! * **A sub-account** gets 403 if it passes `username`, even its own. The proxies that it sees and changes are its
//!   parent's. If it has no password, it can only authenticate with a token.
//! * **The parent's own name as `username`** gets 403, because the parent is not a sub-account.
//! * **Unknown parameters**, a parameter given twice, a query on a POST, and a body on a GET get 400. A POST with
//!   neither a body nor a `Content-Type` is accepted.
//! * **An empty value** clears a text field in `sub/edit`. Anywhere else it is invalid.
//! * **Tokens:** A token is valid until the end of its `expires_at` day in UTC. That day may be in the past. An `id`
//!   that does not exist, or belongs to another account, gets 404.
//! * **Hostnames** need at least two labels and are stored in lower case. IP addresses are stored in canonical form.
//! * **Billing:** A billing period lasts 30 days, counted from the start or the last reset. When a new period begins,
//!   every `monthly_bandwidth` becomes 0.
//!
//! # The proxies
//!
//! With [`Builder::proxies`], the sandbox runs the proxies as well. They are forward proxies for `CONNECT` and for
//! plain http, each on its own port. The API then lists them as `us-ca.localhost:PORT`.
//!
//! * **Who may use them:** A client needs `Proxy-Authorization` with Basic or Bearer, or an authorised IP. Authorised
//!   hostnames are not resolved. Any other client gets 407, and so does a request to a proxy that the account has not
//!   authorised. A deactivated sub-account gets 402. None of this counts towards the API's ban.
//! * **Bandwidth:** All bytes to and from the target count as soon as they pass, at 10⁹ bytes per GB. When a limit is
//!   reached, open transfers are cut off and new requests get 509. [`Builder::monthly_limit`] sets the parent's own
//!   limit.
//! * **Targets** must be on this machine: a loopback address, `localhost`, or a name under `.localhost` or `.test`.
//!   `proxymesh.com` is the sandbox's API. A request to any other target gets 403. No name is resolved.
//! * **Exit IPs** are invented, from 198.18.0.0/15. `open` and `world` honour `X-ProxyMesh-Country`, and the other
//!   proxies ignore it. A request for a country without exit IPs gets 400. So does a malformed list of IPs, and an
//!   `X-ProxyMesh-Not-IP` that excludes every exit IP.
//! * [`Sandbox::proxied`] returns the requests that arrived. [`Fault::proxy`] makes requests to one proxy fail.
//!
//! # Controls
//!
//! Everything that the methods of [`Sandbox`] do, except [`stop`](Sandbox::stop), is also available over HTTP, under
//! `/_sandbox/`. On a loopback address, the controls need no credentials.
//! `GET /_sandbox/` describes these controls. [`Fault`] describes the faults.
//!
//! # Web pages
//!
//! Any web page that is open in a browser on this machine can send requests to a loopback port. So a request whose
//! `Origin` or `Sec-Fetch-Site` header names another site gets 403. The `Host` header must be a loopback address,
//! `localhost` or a name under it. The API, but not the controls, also accepts names under `.test` and `proxymesh.com`.
//! A request with any other `Host` gets 421, because a web page can point a name of its own at this machine (DNS
//! rebinding). A request refused in this way is not recorded and does not use up a fault.
//!
//! # Away from loopback
//!
//! [`Builder::host`] can make the sandbox reachable from other machines, for example with 0.0.0.0 in a container. In
//! this case:
//!
//! * The default password is refused, for the parent and for sub-accounts, because it is published.
//! * The controls require the parent's username and password, with Basic authentication, from every client.
//! * The proxies, if they run, connect clients on the network to whatever listens on this machine's loopback addresses.
//!   A client needs the password of the account or of a sub-account, a token, or an authorised IP. Behind a router or a
//!   container's gateway, many clients share one IP.
//! * Wrong passwords lead to a ban only on the API, not on the controls and the proxies.
//! * Nothing is encrypted.
//! * Every `Host` is accepted, because the sandbox does not know the names on the network.
//!
//! [`Sandbox::opens`] says in one sentence what others can reach, and the program prints it.

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

/// Runs the example in the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
