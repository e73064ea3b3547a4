//! `client.proxies`: `/api/prox…`

use super::{checked, text};
use crate::{client::Shared, model::Proxy};
use proxymesh::ProxyHost;
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
    ///     proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), domain:port, or a `Proxy`.
    ///
    /// Returns:
    ///     Its domain.
    ///
    /// Raises:
    ///     BadRequestError: There is no such proxy.
    ///     PlanLimitError: The plan allows no more.
    ///     ServerError: With status 503: the plan could not be looked up; try again in a few minutes.
    #[pyo3(signature = (proxy: "str | Proxy") -> "str")]
    fn add(&self, py: Python<'_>, proxy: Named<'_>) -> PyResult<String> {
        self.0.caller(py)?.proxies().add(proxy.host(py)?)
    }

    /// Takes the authorisation for a proxy away: `POST /api/proxy/delete/`. For one that has none, it changes nothing
    /// and succeeds.
    ///
    /// Args:
    ///     proxy: Its host (`us-ca`), its domain (`us-ca.proxymesh.com`), domain:port, or a `Proxy`.
    ///
    /// Raises:
    ///     BadRequestError: There is no such proxy.
    #[pyo3(signature = (proxy: "str | Proxy") -> "None")]
    fn delete(&self, py: Python<'_>, proxy: Named<'_>) -> PyResult<()> {
        self.0.caller(py)?.proxies().delete(proxy.host(py)?)
    }
}

/// A proxy by its name, or as it was listed.
#[derive(FromPyObject)]
enum Named<'py> {
    #[pyo3(transparent, annotation = "str")]
    Text(Bound<'py, PyString>),
    #[pyo3(transparent, annotation = "Proxy")]
    Listed(PyRef<'py, Proxy>),
}

impl Named<'_> {
    fn host(&self, py: Python<'_>) -> PyResult<ProxyHost> {
        match self {
            Self::Text(name) => checked(py, ProxyHost::new(text(py, "proxy", name)?)),
            Self::Listed(proxy) => Ok(ProxyHost::from(&proxy.0)),
        }
    }
}
