//! `client.ips`: `/api/ip…`

use super::{handle, of};
use crate::{
    error::{Result, import},
    input::{some_text, text},
    lease::{AsyncAuthorizedIp, AsyncFollowedIp, AuthorizedIp, FollowedIp, Wanted, owner},
    setting,
};
use proxymesh::binding;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyString, PyType},
};

handle! {
    /// IPs that may use the proxies without credentials, at most 100 per account. See `client.ips`.
    Ips, AsyncIps {
        /// Authorises an IP: `POST /api/ip/add/`. If the response is lost, the client looks the IP up. The call succeeds if the IP
        /// is there.
        ///
        /// Args:
        ///     ip: The address, IPv4 or IPv6.
        ///     label: A note to store with it, at most 255 characters.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///
        /// Returns:
        ///     The address.
        ///
        /// Raises:
        ///     BadRequestError: The IP is already authorised, or the account already has 100.
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        #[pyo3(signature = (
            ip: "str | ipaddress.IPv4Address | ipaddress.IPv6Address",
            *,
            label: "str | None" = None,
            username: "str | None" = None,
        ) -> "str")]
        fn add(py, caller, ip: &Bound<'_, PyAny>,
            label: Option<&Bound<'_, PyString>>,
            username: Option<&Bound<'_, PyString>>) {
            let new = binding::new_ip(&address(ip)?, some_text("label", label)?)?;
            of(caller.ips(), username)?.add(new)
        }

        /// Deauthorises an IP: `POST /api/ip/delete/`.
        ///
        /// Args:
        ///     ip: The address.
        ///     username: The sub-account that it belongs to; by default, your own account.
        ///
        /// Raises:
        ///     BadRequestError: The IP is not authorised.
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        #[pyo3(signature = (
            ip: "str | ipaddress.IPv4Address | ipaddress.IPv6Address",
            *,
            username: "str | None" = None,
        ) -> "None")]
        fn delete(py, caller, ip: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.ips(), username)?.delete(&address(ip)?)
        }

        /// Lists the authorised IPs: `GET /api/ips/`.
        ///
        /// Args:
        ///     username: The sub-account whose IPs to list; by default, your own account.
        ///
        /// Raises:
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[str]")]
        fn list(py, caller, username: Option<&Bound<'_, PyString>>) {
            of(caller.ips(), username)?.list()
        }

        /// Lists the authorised IPs with their labels: `GET /api/ip_labels/`.
        ///
        /// Args:
        ///     username: The sub-account whose IPs to list; by default, your own account.
        ///
        /// Raises:
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[LabeledIp]")]
        fn labels(py, caller, username: Option<&Bound<'_, PyString>>) {
            of(caller.ips(), username)?.labels()
        }
    }
    also {
        /// Authorises an IP for the duration of a `with` block, and yields the address.
        ///
        /// The block adds the IP if it is not authorised yet. A block that added the IP removes it at the end, even after an
        /// exception or Ctrl-C. If several blocks of the same user on the same machine need the IP, the last one removes it, even
        /// if they use different credentials for the account. If a killed process leaves an IP behind, the next block of the
        /// account takes it over. If this machine has a different address by then, the next block with the same credentials
        /// removes the old one. If the IP's label has changed, the IP belongs to someone else and stays.
        ///
        ///     >>> from proxymesh.sandbox import Sandbox
        ///     >>> with Sandbox() as sandbox, sandbox.client() as client:
        ///     ...     with client.ips.authorized() as ip:
        ///     ...         ip, client.ips.list()
        ///     ...     client.ips.list()
        ///     ('127.0.0.1', ['127.0.0.1'])
        ///     []
        ///
        /// Without `ip`, the block uses this machine's address, as the service sees it. This is the local address of a connection
        /// to the service. If that address is not public, for example behind a router, the block asks the `lookup` page instead.
        /// Neither goes through a proxy, because programs connect to ProxyMesh's proxies directly.
        ///
        /// Args:
        ///     ip: The address, IPv4 or IPv6.
        ///     label: A note to store with it, at most 255 characters; by default, `proxymesh on` and the name of this machine.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///     lookup: The URL of a page that returns the requester's address as plain text. It gets no credentials.
        ///
        /// Raises:
        ///     ValidationError: An argument is invalid.
        ///
        /// Entering the block raises the errors of `ips.labels` and `ips.add`. It also raises `ConnectionError` if it cannot
        /// determine this machine's address within 10 seconds, `TimeoutError` if another process has been entering or leaving a
        /// block for more than 60 seconds, and `ConfigError` if there is no folder that only this user can write to.
        #[pyo3(signature = (
            ip: "str | ipaddress.IPv4Address | ipaddress.IPv6Address | None" = None,
            *,
            label: "str | None" = None,
            username: "str | None" = None,
            lookup: "str" = "https://api.ipify.org",
        ) -> "AuthorizedIp")]
        fn authorized(
            &self,
            ip: Option<&Bound<'_, PyAny>>,
            label: Option<&Bound<'_, PyString>>,
            username: Option<&Bound<'_, PyString>>,
            lookup: &str,
        ) -> Result<AuthorizedIp> {
            let ip = ip.map(address).transpose()?;
            let what = binding::authorized_ip(ip.as_deref(), some_text("label", label)?, Some(lookup))?;
            Ok(Wanted { shared: self.0.clone(), what, owner: owner(username)? }.into())
        }

        /// Keeps this machine's address authorised for the duration of a `with` block, while the address changes.
        ///
        /// A thread checks the address once per `interval`. If it has changed, the new address is added, and the old one is
        /// removed, as `ips.authorized` does. If this machine has a dynamic DNS name, `hostnames.add` is the service's own
        /// solution for a changing address. Nothing has to run on this machine then.
        ///
        /// A check that fails, for example because this machine is offline, is repeated, after one second at first. The last
        /// address stays authorised meanwhile. Only rejected credentials end it before the block ends.
        ///
        ///     >>> from proxymesh.sandbox import Sandbox
        ///     >>> with Sandbox() as sandbox, sandbox.client() as client:
        ///     ...     with client.ips.follow() as followed:
        ///     ...         followed.ip, followed.error, client.ips.list()
        ///     ('127.0.0.1', None, ['127.0.0.1'])
        ///
        /// Args:
        ///     label: A note to store with the IP, at most 255 characters; by default, `proxymesh on` and the name of this machine.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///     interval: The seconds from the end of one check to the next, from 1 to 86,400.
        ///     lookup: The URL of a page that returns the requester's address as plain text. Behind a router, each check asks it.
        ///
        /// Raises:
        ///     ValidationError: An argument is invalid.
        ///
        /// Entering the block raises the errors of `ips.authorized` for the first address. Leaving it raises the error that ended
        /// the follower, or else the error of removing the IP. If the block itself raises an error, the other error is only
        /// logged.
        #[pyo3(signature = (
            *,
            label: "str | None" = None,
            username: "str | None" = None,
            interval: "float" = 60.0,
            lookup: "str" = "https://api.ipify.org",
        ) -> "FollowedIp")]
        fn follow(
            &self,
            label: Option<&Bound<'_, PyString>>,
            username: Option<&Bound<'_, PyString>>,
            #[pyo3(from_py_with = setting::interval)] interval: f64,
            lookup: &str,
        ) -> Result<FollowedIp> {
            let what = binding::followed_ip(some_text("label", label)?, Some(lookup), Some(interval))?;
            Ok(Wanted { shared: self.0.clone(), what, owner: owner(username)? }.into())
        }
    } {
        /// Authorises an IP for the duration of an `async with` block, and yields the address.
        ///
        /// The block adds the IP if it is not authorised yet. A block that added the IP removes it at the end, even after an
        /// exception or Ctrl-C. If several blocks of the same user on the same machine need the IP, the last one removes it, even
        /// if they use different credentials for the account. If a killed process leaves an IP behind, the next block of the
        /// account takes it over. If this machine has a different address by then, the next block with the same credentials
        /// removes the old one. If the IP's label has changed, the IP belongs to someone else and stays.
        ///
        /// Without `ip`, the block uses this machine's address, as the service sees it. This is the local address of a connection
        /// to the service. If that address is not public, for example behind a router, the block asks the `lookup` page instead.
        /// Neither goes through a proxy, because programs connect to ProxyMesh's proxies directly.
        ///
        /// Args:
        ///     ip: The address, IPv4 or IPv6.
        ///     label: A note to store with it, at most 255 characters; by default, `proxymesh on` and the name of this machine.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///     lookup: The URL of a page that returns the requester's address as plain text. It gets no credentials.
        ///
        /// Raises:
        ///     ValidationError: An argument is invalid.
        ///
        /// Entering the block raises the errors of `ips.labels` and `ips.add`. It also raises `ConnectionError` if it cannot
        /// determine this machine's address within 10 seconds, `TimeoutError` if another process has been entering or leaving a
        /// block for more than 60 seconds, and `ConfigError` if there is no folder that only this user can write to.
        #[pyo3(signature = (
            ip: "str | ipaddress.IPv4Address | ipaddress.IPv6Address | None" = None,
            *,
            label: "str | None" = None,
            username: "str | None" = None,
            lookup: "str" = "https://api.ipify.org",
        ) -> "AsyncAuthorizedIp")]
        fn authorized(
            &self,
            ip: Option<&Bound<'_, PyAny>>,
            label: Option<&Bound<'_, PyString>>,
            username: Option<&Bound<'_, PyString>>,
            lookup: &str,
        ) -> Result<AsyncAuthorizedIp> {
            let ip = ip.map(address).transpose()?;
            let what = binding::authorized_ip(ip.as_deref(), some_text("label", label)?, Some(lookup))?;
            Ok(Wanted { shared: self.0.clone(), what, owner: owner(username)? }.into())
        }

        /// Keeps this machine's address authorised for the duration of an `async with` block, while the address changes.
        ///
        /// A background thread checks the address once per `interval`. If it has changed, the new address is added, and the old
        /// one is removed, as `ips.authorized` does. If this machine has a dynamic DNS name, `hostnames.add` is the service's own
        /// solution for a changing address. Nothing has to run on this machine then.
        ///
        /// A check that fails, for example because this machine is offline, is repeated, after one second at first. The last
        /// address stays authorised meanwhile. Only rejected credentials end it before the block ends.
        ///
        /// Args:
        ///     label: A note to store with the IP, at most 255 characters; by default, `proxymesh on` and the name of this machine.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///     interval: The seconds from the end of one check to the next, from 1 to 86,400.
        ///     lookup: The URL of a page that returns the requester's address as plain text. Behind a router, each check asks it.
        ///
        /// Raises:
        ///     ValidationError: An argument is invalid.
        ///
        /// Entering the block raises the errors of `ips.authorized` for the first address. Leaving it raises the error that ended
        /// the follower, or else the error of removing the IP. If the block itself raises an error, the other error is only
        /// logged.
        #[pyo3(signature = (
            *,
            label: "str | None" = None,
            username: "str | None" = None,
            interval: "float" = 60.0,
            lookup: "str" = "https://api.ipify.org",
        ) -> "AsyncFollowedIp")]
        fn follow(
            &self,
            label: Option<&Bound<'_, PyString>>,
            username: Option<&Bound<'_, PyString>>,
            #[pyo3(from_py_with = setting::interval)] interval: f64,
            lookup: &str,
        ) -> Result<AsyncFollowedIp> {
            let what = binding::followed_ip(some_text("label", label)?, Some(lookup), Some(interval))?;
            Ok(Wanted { shared: self.0.clone(), what, owner: owner(username)? }.into())
        }
    }
}

/// An address as text, for the core to check. The whole text of an `ipaddress` object is kept, so that a scope or a network
/// is refused instead of cut off.
fn address(ip: &Bound<'_, PyAny>) -> Result<String> {
    let py = ip.py();
    static V4: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static V6: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if let Ok(ip) = ip.cast::<PyString>() {
        return text("ip", ip).map(str::to_owned);
    }
    import(py, "ipaddress")?;
    let is =
        |class: &'static PyOnceLock<Py<PyType>>, name| ip.is_instance(class.import(py, "ipaddress", name)?);
    if is(&V4, "IPv4Address")? || is(&V6, "IPv6Address")? {
        return Ok(ip.str()?.extract()?);
    }
    let given = ip.get_type().name()?;
    Err(PyTypeError::new_err(format!("ip must be str, IPv4Address or IPv6Address, not {given}")).into())
}
