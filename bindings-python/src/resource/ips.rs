//! `client.ips`: `/api/ip…`

use super::{handle, of};
use crate::{
    asyncio::Awaited,
    blocking::Blocking,
    call::Class,
    error::{Result, import},
    input::{some_text, text},
};
use proxymesh::{IpAddress, binding};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyString, PyType},
};

/// The module of the context managers that `authorized` returns.
const MODULE: &str = "proxymesh._authorized";

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
        /// if they use different credentials for the account. On Windows, the first block that ends removes it. If a killed
        /// process leaves an IP behind, the next block takes it over, unless the IP's label has changed.
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
        ///
        /// Args:
        ///     ip: The address, IPv4 or IPv6.
        ///     label: A note to store with it, at most 255 characters; by default, `proxymesh on` and the name of this machine.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///     lookup: The URL of a page that returns the requester's address as plain text.
        ///
        /// Raises:
        ///     ValidationError: `ip` is not an IP address.
        ///
        /// Entering the block raises the errors of `ips.labels` and `ips.add`. It also raises `ConnectionError` if it cannot
        /// determine this machine's address, and `ConfigError` if there is no folder that only this user can write to.
        #[pyo3(signature = (
            ip: "str | None" = None,
            *,
            label: "str | None" = None,
            username: "str | None" = None,
            lookup: "str" = "https://api.ipify.org",
        ) -> "AuthorizedIp")]
        fn authorized<'py>(
            &self,
            py: Python<'py>,
            ip: Option<&Bound<'py, PyString>>,
            label: Option<&Bound<'py, PyString>>,
            username: Option<&Bound<'py, PyString>>,
            lookup: &str,
        ) -> Result<Bound<'py, PyAny>> {
            if let Some(ip) = ip {
                IpAddress::new(text("ip", ip)?)?;
            }
            let client = Blocking::client_of(py, &self.0)?;
            Ok(import(py, MODULE)?.call_method1("AuthorizedIp", (client, ip, label, username, lookup))?)
        }
    } {
        /// Authorises an IP for the duration of an `async with` block, and yields the address.
        ///
        /// The block adds the IP if it is not authorised yet. A block that added the IP removes it at the end, even after an
        /// exception or Ctrl-C. If several blocks of the same user on the same machine need the IP, the last one removes it, even
        /// if they use different credentials for the account. On Windows, the first block that ends removes it. If a killed
        /// process leaves an IP behind, the next block takes it over, unless the IP's label has changed.
        ///
        /// Without `ip`, the block uses this machine's address, as the service sees it. This is the local address of a connection
        /// to the service. If that address is not public, for example behind a router, the block asks the `lookup` page instead.
        ///
        /// Args:
        ///     ip: The address, IPv4 or IPv6.
        ///     label: A note to store with it, at most 255 characters; by default, `proxymesh on` and the name of this machine.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///     lookup: The URL of a page that returns the requester's address as plain text.
        ///
        /// Raises:
        ///     ValidationError: `ip` is not an IP address.
        ///
        /// Entering the block raises the errors of `ips.labels` and `ips.add`. It also raises `ConnectionError` if it cannot
        /// determine this machine's address, and `ConfigError` if there is no folder that only this user can write to.
        #[pyo3(signature = (
            ip: "str | None" = None,
            *,
            label: "str | None" = None,
            username: "str | None" = None,
            lookup: "str" = "https://api.ipify.org",
        ) -> "AsyncAuthorizedIp")]
        fn authorized<'py>(
            &self,
            py: Python<'py>,
            ip: Option<&Bound<'py, PyString>>,
            label: Option<&Bound<'py, PyString>>,
            username: Option<&Bound<'py, PyString>>,
            lookup: &str,
        ) -> Result<Bound<'py, PyAny>> {
            if let Some(ip) = ip {
                IpAddress::new(text("ip", ip)?)?;
            }
            let client = Awaited::client_of(py, &self.0)?;
            Ok(import(py, MODULE)?.call_method1("AsyncAuthorizedIp", (client, ip, label, username, lookup))?)
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
