//! `client.proxies`: `/api/prox…`

use super::text;
use crate::{client::Shared, model::Proxy};
use pyo3::{prelude::*, types::PyString};
use std::sync::Arc;

/// The proxies that the account may use. From `Client.proxies`.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct Proxies(pub(crate) Arc<Shared>);

#[pymethods]
impl Proxies {
    /// The proxies that the account may use: `GET /api/proxies/`.
    #[pyo3(signature = () -> "builtins.list[Proxy]")]
    fn list(&self, py: Python<'_>) -> PyResult<Vec<Proxy>> {
        Ok(self.0.caller(py)?.proxies().list()?.into_iter().map(Proxy).collect())
    }

    /// Authorises the account for a proxy: `POST /api/proxy/add/`. For one that is authorised already, it changes
    /// nothing and succeeds.
    ///
    /// Args:
    ///     proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or domain:port.
    ///
    /// Returns:
    ///     Its domain.
    ///
    /// Raises:
    ///     BadRequestError: There is no such proxy.
    ///     PlanLimitError: The plan allows no more.
    ///     ServerError: With status 503: the plan could not be looked up; try again in a few minutes.
    #[pyo3(signature = (proxy: "str") -> "str")]
    fn add(&self, py: Python<'_>, proxy: &Bound<'_, PyString>) -> PyResult<String> {
        self.0.caller(py)?.proxies().add(text(py, "proxy", proxy)?)
    }

    /// Takes the authorisation for a proxy away: `POST /api/proxy/delete/`. For one that has none, it changes nothing
    /// and succeeds.
    ///
    /// Args:
    ///     proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or domain:port.
    ///
    /// Raises:
    ///     BadRequestError: There is no such proxy.
    #[pyo3(signature = (proxy: "str") -> "None")]
    fn delete(&self, py: Python<'_>, proxy: &Bound<'_, PyString>) -> PyResult<()> {
        self.0.caller(py)?.proxies().delete(text(py, "proxy", proxy)?)
    }
}
