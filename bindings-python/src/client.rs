//! `proxymesh.Client` and `proxymesh.AsyncClient`: the same settings, handles and options.

use crate::{
    asyncio::{Awaited, Call},
    blocking::Blocking,
    call::{Mode, Shared},
    error::Result,
    proxy::Account,
    resource::{
        AsyncGeo, AsyncHostnames, AsyncIps, AsyncProxies, AsyncSubAccounts, AsyncTokens, Geo, Hostnames, Ips,
        Proxies, SubAccounts, Tokens,
    },
    setting,
};
use proxymesh::binding::{self, SettingParts};
use pyo3::{
    Borrowed, PyClass, PyClassInitializer,
    prelude::*,
    types::{PyString, PyTuple},
};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

impl<'py> FromPyObject<'_, 'py> for Account {
    type Error = PyErr;

    fn extract(client: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let credentials = match client.cast::<Client>() {
            Ok(client) => client.get().shared.open()?.client().credentials().clone(),
            Err(_) => client.cast::<AsyncClient>()?.get().shared.open()?.client().credentials().clone(),
        };
        Ok(Self(credentials))
    }
}

/// A handle of a client, which is kept. If each call created one, it would cost 1 % more.
fn kept<T>(py: Python<'_>, handle: &OnceLock<Py<T>>, new: impl FnOnce() -> T) -> PyResult<Py<T>>
where
    T: PyClass + Into<PyClassInitializer<T>>,
{
    if let Some(handle) = handle.get() {
        return Ok(handle.clone_ref(py));
    }
    let new = Py::new(py, new())?;
    // If two threads come here at once, one of the handles is kept. They do not differ.
    let _ = handle.set(new.clone_ref(py));
    Ok(new)
}

/// A client class: everything that `Client` and `AsyncClient` share.
macro_rules! client {
    (
        $(#[$attribute:meta])*
        $name:ident($mode:ty) {
            $sub_accounts:ident, $ips:ident, $hostnames:ident, $proxies:ident, $tokens:ident, $geo:ident
        }
        $( $closing:tt )*
    ) => {
        $(#[$attribute])*
        #[pyclass(frozen, module = "proxymesh")]
        pub(crate) struct $name {
            shared: Arc<Shared<$mode>>,
            // The handles. Each is created when it is first used.
            sub_accounts: OnceLock<Py<$sub_accounts>>,
            ips: OnceLock<Py<$ips>>,
            hostnames: OnceLock<Py<$hostnames>>,
            proxies: OnceLock<Py<$proxies>>,
            tokens: OnceLock<Py<$tokens>>,
            geo: OnceLock<Py<$geo>>,
        }

        impl $name {
            pub(crate) fn made_from(parts: SettingParts) -> Result<Self> {
                let settings = parts
                    .check()?
                    .ca_variables(&["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
                    .user_agent(concat!("proxymesh-python/", env!("CARGO_PKG_VERSION")));
                Ok(Self::with(Shared::new(settings)?))
            }

            fn with(shared: Arc<Shared<$mode>>) -> Self {
                Self {
                    shared,
                    sub_accounts: OnceLock::new(),
                    ips: OnceLock::new(),
                    hostnames: OnceLock::new(),
                    proxies: OnceLock::new(),
                    tokens: OnceLock::new(),
                    geo: OnceLock::new(),
                }
            }
        }

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (
                username: "str | None" = None,
                password: "str | None" = None,
                *,
                token: "str | None" = None,
                base_url: "str | None" = None,
                timeout: "float" = 30.0,
                connect_timeout: "float" = 10.0,
                max_retries: "int" = 2,
                max_connections: "int | None" = None,
                ca_file: "str | os.PathLike[str] | None" = None,
                trust_env: "bool" = false,
                share_state: "bool" = true,
            ))]
            #[allow(clippy::too_many_arguments)]
            fn new(
                username: Option<&Bound<'_, PyString>>,
                password: Option<&Bound<'_, PyString>>,
                token: Option<&Bound<'_, PyString>>,
                base_url: Option<&Bound<'_, PyString>>,
                #[pyo3(from_py_with = setting::timeout)] timeout: f64,
                #[pyo3(from_py_with = setting::connect_timeout)] connect_timeout: f64,
                #[pyo3(from_py_with = setting::max_retries)] max_retries: i64,
                #[pyo3(from_py_with = setting::some_connections)] max_connections: Option<i64>,
                ca_file: Option<PathBuf>,
                trust_env: bool,
                share_state: bool,
            ) -> Result<Self> {
                Self::made_from(SettingParts {
                    username: setting::text("username", username)?,
                    password: setting::text("password", password)?.map(Into::into),
                    token: setting::text("token", token)?.map(Into::into),
                    base_url: setting::text("base_url", base_url)?,
                    timeout: Some(timeout),
                    connect_timeout: Some(connect_timeout),
                    max_retries: Some(max_retries),
                    max_connections,
                    ca_file,
                    trust_env,
                    share_state: Some(share_state),
                    ..SettingParts::default()
                })
            }

            /// Sub-accounts. Only the parent account may make these calls.
            #[getter]
            fn sub_accounts(&self, py: Python<'_>) -> PyResult<Py<$sub_accounts>> {
                kept(py, &self.sub_accounts, || $sub_accounts(self.shared.clone()))
            }

            /// IPs that may use the proxies without credentials.
            #[getter]
            fn ips(&self, py: Python<'_>) -> PyResult<Py<$ips>> {
                kept(py, &self.ips, || $ips(self.shared.clone()))
            }

            /// Hostnames that may use the proxies without credentials.
            #[getter]
            fn hostnames(&self, py: Python<'_>) -> PyResult<Py<$hostnames>> {
                kept(py, &self.hostnames, || $hostnames(self.shared.clone()))
            }

            /// The proxies that the account may use.
            #[getter]
            fn proxies(&self, py: Python<'_>) -> PyResult<Py<$proxies>> {
                kept(py, &self.proxies, || $proxies(self.shared.clone()))
            }

            /// Bearer tokens. These calls require the parent account's username and password.
            #[getter]
            fn tokens(&self, py: Python<'_>) -> PyResult<Py<$tokens>> {
                kept(py, &self.tokens, || $tokens(self.shared.clone()))
            }

            /// The number of exit IPs in each country.
            #[getter]
            fn geo(&self, py: Python<'_>) -> PyResult<Py<$geo>> {
                kept(py, &self.geo, || $geo(self.shared.clone()))
            }

            /// The base URL of the service, without a trailing slash.
            #[getter]
            fn base_url(&self) -> Result<String> {
                Ok(self.shared.open()?.client().base_url().to_owned())
            }

            /// Returns a client with different options for its calls. It shares this client's connections, but is closed separately.
            /// Options that are not given stay the same.
            ///
            /// Args:
            ///     timeout: The time limit for one attempt, in seconds.
            ///     max_retries: How many times a call may be retried, if that is safe.
            ///
            /// Raises:
            ///     ConfigError: An option is invalid, or the client is closed.
            #[pyo3(signature = (*, timeout: "float | None" = None, max_retries: "int | None" = None) -> "Self")]
            fn with_options(
                &self,
                #[pyo3(from_py_with = setting::some_timeout)] timeout: Option<f64>,
                #[pyo3(from_py_with = setting::some_retries)] max_retries: Option<i64>,
            ) -> Result<Self> {
                Ok(Self::with(self.shared.with_options(binding::options(timeout, max_retries)?)?))
            }

            fn __repr__(&self) -> String {
                format!("<proxymesh.{} {}>", stringify!($name), self.shared.state())
            }

            $( $closing )*
        }
    };
}

client! {
    /// A blocking client. It has a handle for each resource, such as `client.ips`.
    ///
    /// A setting that is not given comes from its environment variable, if there is one (`PROXYMESH_USERNAME`,
    /// `PROXYMESH_PASSWORD`, `PROXYMESH_TOKEN`, `PROXYMESH_BASE_URL`), or else from its default.
    ///
    /// Any number of threads may share one client. A forked process opens its own connections. To close the client, use it as
    /// a context manager or call `close`. Garbage collection closes it, too.
    ///
    ///     >>> from proxymesh.sandbox import Sandbox
    ///     >>> with Sandbox() as sandbox, sandbox.client() as client:
    ///     ...     proxies = client.proxies.list()
    ///     >>> proxies[0].port
    ///     31280
    ///
    /// Args:
    ///     username: The username of the account or of a sub-account.
    ///     password: The password for the username.
    ///     token: A token (`pm_…`), instead of a username and password. The token calls do not accept it.
    ///     base_url: The base URL of the service; `https://proxymesh.com` by default. Plain http is allowed only to loopback hosts.
    ///     timeout: The time limit for one attempt, in seconds, from connecting to the last byte of the response. A call that is
    ///         retried may take longer.
    ///     connect_timeout: The time limit for connecting, in seconds, including TLS.
    ///     max_retries: How many times a call may be retried, if that is safe.
    ///     max_connections: How many connections the client may have open at a time. Further calls wait for one, and this wait does not
    ///         count towards their time limit. By default, it is a quarter of the file descriptors that the process may open, but at
    ///         least 64 and at most 256.
    ///     ca_file: A PEM file with additional CA certificates to trust. `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` and
    ///         `CURL_CA_BUNDLE` can name more. If neither of the first two is set, the system's certificates are trusted as well.
    ///     trust_env: Whether to use the environment variables `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`. Off by default,
    ///         because the account's calls should not go through a scraper's proxy.
    ///     share_state: Whether the processes of this user share what they know about the credentials. If it is true, several
    ///         processes with a wrong password do not each try it. Otherwise, their attempts could get the caller banned. They share a
    ///         file in the user's state folder. It contains no name and no secret.
    ///
    /// Raises:
    ///     ConfigError: A setting is missing or invalid, or settings contradict each other. This includes environment variables
    ///         that name unreadable certificates or an invalid proxy.
    Client(Blocking) { SubAccounts, Ips, Hostnames, Proxies, Tokens, Geo }

    /// Closes the client. Later calls raise `ConfigError`; calls in progress continue. The connections close with the last
    /// client that shares them. You may close a client twice.
    #[pyo3(signature = () -> "None")]
    fn close(&self) {
        self.shared.close();
    }

    #[pyo3(signature = () -> "Self")]
    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*exception: "object") -> "None")]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        self.shared.close();
    }
}

client! {
    /// An asyncio client. It has the same calls as `Client`; await them.
    ///
    ///     >>> import asyncio
    ///     >>> from proxymesh.sandbox import Sandbox
    ///     >>> async def main():
    ///     ...     with Sandbox() as sandbox:
    ///     ...         async with sandbox.async_client() as client:
    ///     ...             proxies, countries = await asyncio.gather(client.proxies.list(), client.geo.open())
    ///     ...     return proxies[0].port
    ///     >>> asyncio.run(main())
    ///     31280
    ///
    /// Each call returns a coroutine. The request is sent when the coroutine is awaited or wrapped in a task. If the task is
    /// cancelled, the call ends and its connection is closed. There is one exception: until the credentials have worked once,
    /// the request continues for up to five seconds, because its response shows whether they are right. After a cancellation, it
    /// is unknown whether a write was carried out.
    ///
    /// Any number of tasks, event loops and threads may share one client. A forked process opens its own connections. The client
    /// works with any asyncio event loop, including uvloop and AnyIO's asyncio backend. Under trio it raises `RuntimeError`.
    ///
    /// To close the client, use `async with` or await `aclose`. Garbage collection closes it, too. The settings are the same as
    /// for `Client`.
    ///
    /// Args:
    ///     username: The username of the account or of a sub-account.
    ///     password: The password for the username.
    ///     token: A token (`pm_…`), instead of a username and password. The token calls do not accept it.
    ///     base_url: The base URL of the service; `https://proxymesh.com` by default. Plain http is allowed only to loopback hosts.
    ///     timeout: The time limit for one attempt, in seconds, from connecting to the last byte of the response. A call that is
    ///         retried may take longer.
    ///     connect_timeout: The time limit for connecting, in seconds, including TLS.
    ///     max_retries: How many times a call may be retried, if that is safe.
    ///     max_connections: How many connections the client may have open at a time. Further calls wait for one, and this wait does not
    ///         count towards their time limit. By default, it is a quarter of the file descriptors that the process may open, but at
    ///         least 64 and at most 256.
    ///     ca_file: A PEM file with additional CA certificates to trust. `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` and
    ///         `CURL_CA_BUNDLE` can name more. If neither of the first two is set, the system's certificates are trusted as well.
    ///     trust_env: Whether to use the environment variables `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`. Off by default,
    ///         because the account's calls should not go through a scraper's proxy.
    ///     share_state: Whether the processes of this user share what they know about the credentials. If it is true, several
    ///         processes with a wrong password do not each try it. Otherwise, their attempts could get the caller banned. They share a
    ///         file in the user's state folder. It contains no name and no secret.
    ///
    /// Raises:
    ///     ConfigError: A setting is missing or invalid, or settings contradict each other. This includes environment variables
    ///         that name unreadable certificates or an invalid proxy.
    AsyncClient(Awaited) { AsyncSubAccounts, AsyncIps, AsyncHostnames, AsyncProxies, AsyncTokens, AsyncGeo }

    /// Closes the client. Later calls raise `ConfigError`; calls in progress continue. The connections close with the last
    /// client that shares them. You may close a client twice.
    #[pyo3(signature = () -> "Coroutine[Any, Any, None]")]
    fn aclose(&self) -> Call {
        let shared = self.shared.clone();
        Call::at_once("AsyncClient.aclose", move |py| {
            shared.close();
            Ok(py.None())
        })
    }

    #[pyo3(signature = () -> "Coroutine[Any, Any, Self]")]
    fn __aenter__(slf: Py<Self>) -> Call {
        Call::at_once("AsyncClient.__aenter__", move |_| Ok(slf.into_any()))
    }

    #[pyo3(signature = (*exception: "object") -> "Coroutine[Any, Any, None]")]
    fn __aexit__(&self, exception: &Bound<'_, PyTuple>) -> Call {
        let _ = exception;
        let shared = self.shared.clone();
        Call::at_once("AsyncClient.__aexit__", move |py| {
            shared.close();
            Ok(py.None())
        })
    }
}
