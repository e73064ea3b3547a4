//! `client.ips`: `/api/ip…`

use super::{checked, text};
use crate::{client::Shared, model::LabeledIp, run::Caller};
use proxymesh::NewIp;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyString, PyType},
};
use std::{net::IpAddr, sync::Arc};

/// IPs that may use the proxies without credentials, at most 100 per account. From `Client.ips`.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct Ips(pub(crate) Arc<Shared>);

#[pymethods]
impl Ips {
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
    fn add(
        &self,
        py: Python<'_>,
        ip: &Bound<'_, PyAny>,
        label: Option<&Bound<'_, PyString>>,
        username: Option<&Bound<'_, PyString>>,
    ) -> PyResult<String> {
        let mut new = checked(py, NewIp::new(&address(py, ip)?))?;
        if let Some(label) = label {
            new = checked(py, new.label(text(py, "label", label)?))?;
        }
        let caller = self.0.caller(py)?;
        Ok(ips(&caller, py, username)?.add(new)?.to_string())
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
    fn delete(
        &self,
        py: Python<'_>,
        ip: &Bound<'_, PyAny>,
        username: Option<&Bound<'_, PyString>>,
    ) -> PyResult<()> {
        let caller = self.0.caller(py)?;
        ips(&caller, py, username)?.delete(&address(py, ip)?)
    }

    /// The authorised IPs: `GET /api/ips/`.
    ///
    /// Args:
    ///     username: The sub-account whose IPs are meant, if not the caller's.
    ///
    /// Raises:
    ///     PermissionDeniedError: A username was given by other than the parent account.
    #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[str]")]
    fn list(&self, py: Python<'_>, username: Option<&Bound<'_, PyString>>) -> PyResult<Vec<String>> {
        let caller = self.0.caller(py)?;
        Ok(ips(&caller, py, username)?.list()?.iter().map(IpAddr::to_string).collect())
    }

    /// The authorised IPs with their labels: `GET /api/ip_labels/`.
    ///
    /// Args:
    ///     username: The sub-account whose IPs are meant, if not the caller's.
    ///
    /// Raises:
    ///     PermissionDeniedError: A username was given by other than the parent account.
    #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[LabeledIp]")]
    fn labels(&self, py: Python<'_>, username: Option<&Bound<'_, PyString>>) -> PyResult<Vec<LabeledIp>> {
        let caller = self.0.caller(py)?;
        Ok(ips(&caller, py, username)?.labels()?.into_iter().map(LabeledIp::from).collect())
    }
}

/// The caller's own IPs, or a sub-account's.
fn ips<'a, 'py>(
    caller: &'a Caller<'py>,
    py: Python<'_>,
    username: Option<&Bound<'_, PyString>>,
) -> PyResult<proxymesh::resource::Ips<'a, Caller<'py>>> {
    match username {
        None => Ok(caller.ips()),
        Some(username) => checked(py, caller.ips().of(text(py, "username", username)?)),
    }
}

/// An address as text, to be checked by the core. Of an `ipaddress` object all that it says, so that one with a scope
/// or a network is refused, not cut.
fn address(py: Python<'_>, ip: &Bound<'_, PyAny>) -> PyResult<String> {
    static V4: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static V6: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if let Ok(ip) = ip.cast::<PyString>() {
        return text(py, "ip", ip).map(str::to_owned);
    }
    let is =
        |class: &'static PyOnceLock<Py<PyType>>, name| ip.is_instance(class.import(py, "ipaddress", name)?);
    if is(&V4, "IPv4Address")? || is(&V6, "IPv6Address")? {
        return ip.str()?.extract();
    }
    let given = ip.get_type().name()?;
    Err(PyTypeError::new_err(format!("ip must be str, IPv4Address or IPv6Address, not {given}")))
}
