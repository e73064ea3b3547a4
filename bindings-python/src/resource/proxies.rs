//! `client.proxies`: `/api/prox…`

use super::handle;
use crate::{
    asyncio::Awaited,
    blocking::Blocking,
    call::Class,
    error::{Result, import},
    input::text,
    proxy::Proxy,
    setting,
};
use proxymesh::ProxyHost;
use pyo3::{
    prelude::*,
    types::{PyDict, PyString},
};

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
            caller.proxies().add(proxy.host()?)
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
            caller.proxies().delete(proxy.host()?)
        }
    }
    also {
        /// Hands out these proxies in turn, and leaves out for a while those that fail.
        ///
        ///     >>> from proxymesh.sandbox import Sandbox
        ///     >>> with Sandbox() as sandbox, sandbox.client() as client:
        ///     ...     pool = client.proxies.pool()
        ///     ...     [pool.get().name for _ in range(4)]
        ///     ['us-ca', 'us-ny', 'us-il', 'us-ca']
        ///
        /// Nothing is sent before the first is wanted.
        ///
        /// Args:
        ///     country: Only proxies with exits in this country, by two letters: those in it, and `open` and `world` if the geo
        ///         counts have it; these are steered to it.
        ///     order: `round_robin`, or `random`: each once a round, the rounds in an order of their own.
        ///     ttl: Seconds after which the list is fetched again. Where that fails the old one stays.
        ///     cooldown: Seconds for which a proxy that failed is left out, the first time.
        ///     credentials: Whether the proxies are handed out with the client's credentials; not needed where this machine's IP is
        ///         authorised.
        ///
        /// Raises:
        ///     ValidationError: The country is no code, or an option unusable.
        #[pyo3(signature = (
            *,
            country: "str | None" = None,
            order: "Literal['round_robin', 'random']" = "round_robin",
            ttl: "float" = 300.0,
            cooldown: "float" = 60.0,
            credentials: "bool" = true,
        ) -> "ProxyPool")]
        fn pool<'py>(
            &self,
            py: Python<'py>,
            country: Option<&Bound<'py, PyString>>,
            order: &str,
            #[pyo3(from_py_with = setting::ttl)] ttl: f64,
            #[pyo3(from_py_with = setting::cooldown)] cooldown: f64,
            credentials: bool,
        ) -> PyResult<Bound<'py, PyAny>> {
            let client = Blocking::client_of(py, &self.0)?;
            pool(&client, "ProxyPool", country, order, ttl, cooldown, credentials)
        }
    } {
        /// Hands out these proxies in turn, and leaves out for a while those that fail.
        ///
        /// Nothing is sent before the first is wanted.
        ///
        /// Args:
        ///     country: Only proxies with exits in this country, by two letters: those in it, and `open` and `world` if the geo
        ///         counts have it; these are steered to it.
        ///     order: `round_robin`, or `random`: each once a round, the rounds in an order of their own.
        ///     ttl: Seconds after which the list is fetched again. Where that fails the old one stays.
        ///     cooldown: Seconds for which a proxy that failed is left out, the first time.
        ///     credentials: Whether the proxies are handed out with the client's credentials; not needed where this machine's IP is
        ///         authorised.
        ///
        /// Raises:
        ///     ValidationError: The country is no code, or an option unusable.
        #[pyo3(signature = (
            *,
            country: "str | None" = None,
            order: "Literal['round_robin', 'random']" = "round_robin",
            ttl: "float" = 300.0,
            cooldown: "float" = 60.0,
            credentials: "bool" = true,
        ) -> "AsyncProxyPool")]
        fn pool<'py>(
            &self,
            py: Python<'py>,
            country: Option<&Bound<'py, PyString>>,
            order: &str,
            #[pyo3(from_py_with = setting::ttl)] ttl: f64,
            #[pyo3(from_py_with = setting::cooldown)] cooldown: f64,
            credentials: bool,
        ) -> PyResult<Bound<'py, PyAny>> {
            let client = Awaited::client_of(py, &self.0)?;
            pool(&client, "AsyncProxyPool", country, order, ttl, cooldown, credentials)
        }
    }
}

/// A pool of this class.
fn pool<'py>(
    client: &Bound<'py, PyAny>,
    class: &str,
    country: Option<&Bound<'py, PyString>>,
    order: &str,
    ttl: f64,
    cooldown: f64,
    credentials: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let options = PyDict::new(client.py());
    options.set_item("country", country)?;
    options.set_item("order", order)?;
    options.set_item("ttl", ttl)?;
    options.set_item("cooldown", cooldown)?;
    options.set_item("credentials", credentials)?;
    import(client.py(), "proxymesh._pool")?.call_method(class, (client,), Some(&options))
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
    fn host(&self) -> Result<ProxyHost> {
        match self {
            Self::Text(name) => Ok(ProxyHost::new(text("proxy", name)?)?),
            Self::Listed(proxy) => Ok(ProxyHost::from(&proxy.core)),
        }
    }
}
