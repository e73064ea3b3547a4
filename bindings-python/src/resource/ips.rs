//! `client.ips`: `/api/ip…`

use super::checked;
use crate::{client::Shared, model::LabeledIp, run::Caller};
use proxymesh::NewIp;
use pyo3::{prelude::*, types::PyString};
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
        label: Option<&str>,
        username: Option<&str>,
    ) -> PyResult<String> {
        let mut new = checked(py, NewIp::new(&text(ip)?))?;
        if let Some(label) = label {
            new = checked(py, new.label(label))?;
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
    fn delete(&self, py: Python<'_>, ip: &Bound<'_, PyAny>, username: Option<&str>) -> PyResult<()> {
        let caller = self.0.caller(py)?;
        ips(&caller, py, username)?.delete(&text(ip)?)
    }

    /// The authorised IPs: `GET /api/ips/`.
    ///
    /// Args:
    ///     username: The sub-account whose IPs are meant, if not the caller's.
    ///
    /// Raises:
    ///     PermissionDeniedError: A username was given by other than the parent account.
    #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[str]")]
    fn list(&self, py: Python<'_>, username: Option<&str>) -> PyResult<Vec<String>> {
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
    fn labels(&self, py: Python<'_>, username: Option<&str>) -> PyResult<Vec<LabeledIp>> {
        let caller = self.0.caller(py)?;
        Ok(ips(&caller, py, username)?.labels()?.into_iter().map(LabeledIp::from).collect())
    }
}

/// The caller's own IPs, or a sub-account's.
fn ips<'a, 'py>(
    caller: &'a Caller<'py>,
    py: Python<'_>,
    username: Option<&str>,
) -> PyResult<proxymesh::resource::Ips<'a, Caller<'py>>> {
    match username {
        None => Ok(caller.ips()),
        Some(username) => checked(py, caller.ips().of(username)),
    }
}

/// An address as text: text goes as it is, to be checked by the core, and an `ipaddress` object as what it says.
fn text(ip: &Bound<'_, PyAny>) -> PyResult<String> {
    match ip.cast::<PyString>() {
        Ok(text) => text.extract(),
        Err(_) => Ok(ip.extract::<IpAddr>()?.to_string()),
    }
}
