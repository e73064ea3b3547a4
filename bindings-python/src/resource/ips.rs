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

/// Where the blocks of code are that an IP is authorised for.
const MODULE: &str = "proxymesh._authorized";

handle! {
    /// IPs that may use the proxies without credentials, at most 100 per account. From `client.ips`.
    Ips, AsyncIps {
        /// Authorises an IP: `POST /api/ip/add/`. If the answer is lost it is looked up: it succeeds if the IP is there.
        ///
        /// Args:
        ///     ip: The address, v4 or v6.
        ///     label: A note to keep with it, at most 255 characters.
        ///     username: The sub-account it is for, if not the caller.
        ///
        /// Returns:
        ///     The address.
        ///
        /// Raises:
        ///     BadRequestError: It is authorised already, or is the 101st.
        ///     PermissionDeniedError: A username was given by other than the parent account.
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

        /// Takes an IP away: `POST /api/ip/delete/`.
        ///
        /// Args:
        ///     ip: The address.
        ///     username: The sub-account it belongs to, if not the caller.
        ///
        /// Raises:
        ///     BadRequestError: It is not authorised.
        ///     PermissionDeniedError: A username was given by other than the parent account.
        #[pyo3(signature = (
            ip: "str | ipaddress.IPv4Address | ipaddress.IPv6Address",
            *,
            username: "str | None" = None,
        ) -> "None")]
        fn delete(py, caller, ip: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.ips(), username)?.delete(&address(ip)?)
        }

        /// The authorised IPs: `GET /api/ips/`.
        ///
        /// Args:
        ///     username: The sub-account whose IPs are meant, if not the caller's.
        ///
        /// Raises:
        ///     PermissionDeniedError: A username was given by other than the parent account.
        #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[str]")]
        fn list(py, caller, username: Option<&Bound<'_, PyString>>) {
            of(caller.ips(), username)?.list()
        }

        /// The authorised IPs with their labels: `GET /api/ip_labels/`.
        ///
        /// Args:
        ///     username: The sub-account whose IPs are meant, if not the caller's.
        ///
        /// Raises:
        ///     PermissionDeniedError: A username was given by other than the parent account.
        #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[LabeledIp]")]
        fn labels(py, caller, username: Option<&Bound<'_, PyString>>) {
            of(caller.ips(), username)?.labels()
        }
    }
    also {
        /// Authorises an IP for a block of code: adds it if it is not there, and takes it away at the end if it added it, also
        /// after an exception or Ctrl-C. Blocks of one user on one machine share it, also by other credentials for the account,
        /// and the last takes it away. What a killed process leaves behind the next one takes over, unless the IP has
        /// another label by then. Gives the address.
        ///
        ///     >>> from proxymesh.sandbox import Sandbox
        ///     >>> with Sandbox() as sandbox, sandbox.client() as client:
        ///     ...     with client.ips.authorized() as ip:
        ///     ...         ip, client.ips.list()
        ///     ...     client.ips.list()
        ///     ('127.0.0.1', ['127.0.0.1'])
        ///     []
        ///
        /// Without `ip` it is the address that the service sees. It is looked at on this end of a connection to the service; if
        /// that is no public address, because a router is in between, the page `lookup` is asked.
        ///
        /// Args:
        ///     ip: The address, v4 or v6.
        ///     label: A note to keep with it; by default that it is of proxymesh, and the name of this machine.
        ///     username: The sub-account it is for, if not the caller.
        ///     lookup: A page that answers with the address of whoever asks for it, as text.
        ///
        /// Entering the block raises what `ips.labels` and `ips.add` raise, and `ConfigError` where there is no folder that
        /// only this user can write to.
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
        /// Authorises an IP for a block of code: adds it if it is not there, and takes it away at the end if it added it, also
        /// after an exception or Ctrl-C. Blocks of one user on one machine share it, also by other credentials for the account,
        /// and the last takes it away. What a killed process leaves behind the next one takes over, unless the IP has
        /// another label by then. Gives the address.
        ///
        /// Without `ip` it is the address that the service sees. It is looked at on this end of a connection to the service; if
        /// that is no public address, because a router is in between, the page `lookup` is asked.
        ///
        /// Args:
        ///     ip: The address, v4 or v6.
        ///     label: A note to keep with it; by default that it is of proxymesh, and the name of this machine.
        ///     username: The sub-account it is for, if not the caller.
        ///     lookup: A page that answers with the address of whoever asks for it, as text.
        ///
        /// Entering the block raises what `ips.labels` and `ips.add` raise, and `ConfigError` where there is no folder that
        /// only this user can write to.
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

/// An address as text, to be checked by the core. Of an `ipaddress` object all that it says, so that one with a scope
/// or a network is refused, not cut.
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
