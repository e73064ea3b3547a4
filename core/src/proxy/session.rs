//! One exit IP for many requests, or another one for each.

use super::{Check, Proxy};
use crate::error::{Error, Refusal, Result};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// The name of the call in errors.
const SESSION: &str = "proxies.session";

impl Proxy {
    /// Returns the same proxy, with a new tunnel for each https request. Each request may then have another exit IP.
    ///
    /// Without this, an HTTP client keeps a tunnel open for later requests to the same site, and a tunnel keeps its exit IP. The
    /// [adapters](crate#http-libraries) for HTTP libraries do this, or refuse such a proxy. [`url`](Self::url) and
    /// [`headers`](Self::headers) do not change. A request for an http page has no tunnel, so the proxy chooses the exit IP for each
    /// such request.
    ///
    /// If this proxy held an exit IP, the returned one does not.
    #[must_use]
    pub fn rotating(self) -> Self {
        self.with(|access| {
            access.rotating = true;
            access.exit.release();
        })
    }

    /// Whether each https request opens a new tunnel; see [`rotating`](Self::rotating).
    #[must_use]
    pub fn is_rotating(&self) -> bool {
        self.access.as_ref().is_some_and(|access| access.rotating)
    }

    /// Returns the same proxy, which then holds one exit IP: requests to any site, over any number of connections, come from this
    /// address. A login at a site often needs that.
    ///
    /// This makes one [`check`](Self::check) to find an exit IP that fits the exit choice, and then asks for this one
    /// ([`ExitChoice::hold_ip`](super::ExitChoice::hold_ip)). If the proxy loses the address, requests go on with another one. A
    /// [`check`](Self::check) then has [`Check::preferred_ip_is_gone`], and [`lost_exit`](Self::lost_exit) tells it from the headers of a
    /// response. Call this again to hold another address.
    ///
    /// ```no_run
    /// # async fn example(proxy: proxymesh::Proxy) -> proxymesh::Result<()> {
    /// let proxy = proxy.session("proxymesh.com:443", std::time::Duration::from_secs(10)).await?;
    /// println!("every request comes from {}", proxy.exit_choice().held_ip().expect("a session holds an address"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] if the target is not `host:port`. [`Error::Connection`] or [`Error::Timeout`] if the proxy does not respond.
    /// If it refuses, the error for its status, such as [`Error::Authentication`] for a 407. [`Error::Decode`] if its response does not
    /// name the exit IP.
    pub async fn session(&self, target: &str, timeout: Duration) -> Result<Self> {
        let (free, check) = self.free_exit(target, timeout).await?;
        free.held_by(check)
    }

    /// The proxy without the exit IP that it holds, and a check, which names another exit IP.
    pub(crate) async fn free_exit(&self, target: &str, timeout: Duration) -> Result<(Self, Check)> {
        let free = self.clone().with(|access| access.exit.release());
        let check = free.check(target, timeout).await?;
        Ok((free, check))
    }

    /// The proxy that holds the exit IP of a check.
    pub(crate) fn held_by(self, check: Check) -> Result<Self> {
        let exit = check.exit_ip.as_deref().filter(|_| check.ok()).and_then(|ip| ip.parse().ok());
        let Some(ip) = exit else { return Err(self.no_exit(check)) };
        Ok(self.with(|access| {
            access.rotating = false;
            access.exit.hold(ip);
        }))
    }

    /// Why a check found no exit IP.
    fn no_exit(&self, check: Check) -> Error {
        let (call, reason) = (SESSION, format!("{self}: {}", check.meaning));
        match check.status {
            None if check.timed_out => Error::Timeout { call, reason, attempts: 1 },
            None => Error::Connection { call, reason, attempts: 1 },
            Some(status @ 200) => {
                let reason = format!("{self} did not say which exit IP it used");
                Error::Decode { call, status, reason, body: String::new() }
            }
            Some(status) => {
                let (field_errors, retry_after) = (BTreeMap::new(), None);
                let body = check.error.unwrap_or_default();
                let refusal = Refusal { call, status, reason, field_errors, body, retry_after, attempts: 1 };
                if status == 407 { Error::Authentication(refusal.into()) } else { refusal.into_error() }
            }
        }
    }

    /// Why a request did not go through the exit IP that the proxy holds. `None` if it did, if the proxy holds none, or if the
    /// proxy's response does not say. `used` is the value of the response's header `X-ProxyMesh-IP`, and `missing` that of
    /// `X-ProxyMesh-IP-Not-Found` (docs/assumptions.md, A26). The adapters of other languages fail with this text.
    #[must_use]
    pub fn lost_exit(&self, used: Option<&str>, missing: Option<&str>) -> Option<String> {
        let held = self.exit_choice().held_ip()?;
        let used = used.and_then(|used| used.trim().parse::<IpAddr>().ok());
        let instead = match used {
            Some(used) if used == held => return None,
            Some(used) => format!(" and used {used} instead"),
            None => missing.map(|_| String::new())?,
        };
        let name = self.name();
        Some(format!(
            "the proxy {name} no longer has the exit IP {held}{instead}; call session() to hold another one"
        ))
    }
}
