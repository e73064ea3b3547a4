//! `client.proxies`: `/api/prox…`

use super::{checked, handle, text};
use crate::proxy::Proxy;
use proxymesh::ProxyHost;
use pyo3::{prelude::*, types::PyString};

handle! {
    /// The proxies that the account may use. From `client.proxies`.
    Proxies, AsyncProxies {
        /// The proxies that the account may use: `GET /api/proxies/`.
        #[pyo3(signature = () -> "builtins.list[Proxy]")]
        fn list(py, caller) {
            caller.proxies().list()
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
        fn add(py, caller, proxy: Named<'_>) {
            caller.proxies().add(proxy.host(py)?)
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
        fn delete(py, caller, proxy: Named<'_>) {
            caller.proxies().delete(proxy.host(py)?)
        }
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
            Self::Listed(proxy) => Ok(ProxyHost::from(&proxy.core)),
        }
    }
}
