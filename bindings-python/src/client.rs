//! `proxymesh.Client` and `proxymesh.AsyncClient`: the same settings, handles and options.

use crate::{
    asyncio::{Awaited, Call},
    blocking::Blocking,
    call::{Class, Mode, Shared},
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
    Borrowed,
    prelude::*,
    types::{PyString, PyTuple},
};
use std::{path::PathBuf, sync::Arc};

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

/// A client class: all that `Client` and `AsyncClient` have in common, written once.
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
        }

        impl Class for $mode {
            fn client_of<'py>(py: Python<'py>, shared: &Arc<Shared<Self>>) -> PyResult<Bound<'py, PyAny>> {
                Ok(Bound::new(py, $name { shared: shared.clone() })?.into_any())
            }
        }

        impl $name {
            pub(crate) fn made_from(parts: SettingParts) -> Result<Self> {
                let settings = parts
                    .check()?
                    .ca_variables(&["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
                    .user_agent(concat!("proxymesh-python/", env!("CARGO_PKG_VERSION")));
                Ok(Self { shared: Shared::new(settings)? })
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
                ca_file: "str | os.PathLike[str] | None" = None,
                trust_env: "bool" = false,
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
                ca_file: Option<PathBuf>,
                trust_env: bool,
            ) -> Result<Self> {
                Self::made_from(SettingParts {
                    username: setting::text("username", username)?,
                    password: setting::text("password", password)?.map(Into::into),
                    token: setting::text("token", token)?.map(Into::into),
                    base_url: setting::text("base_url", base_url)?,
                    timeout: Some(timeout),
                    connect_timeout: Some(connect_timeout),
                    max_retries: Some(max_retries),
                    ca_file,
                    trust_env,
                    ..SettingParts::default()
                })
            }

            /// Sub-accounts: create, limit, watch, delete.
            #[getter]
            fn sub_accounts(&self) -> $sub_accounts {
                $sub_accounts(self.shared.clone())
            }

            /// IPs that may use the proxies without credentials.
            #[getter]
            fn ips(&self) -> $ips {
                $ips(self.shared.clone())
            }

            /// Hostnames that may use the proxies without credentials.
            #[getter]
            fn hostnames(&self) -> $hostnames {
                $hostnames(self.shared.clone())
            }

            /// The proxies that the account may use.
            #[getter]
            fn proxies(&self) -> $proxies {
                $proxies(self.shared.clone())
            }

            /// Bearer tokens.
            #[getter]
            fn tokens(&self) -> $tokens {
                $tokens(self.shared.clone())
            }

            /// Exit IPs per country.
            #[getter]
            fn geo(&self) -> $geo {
                $geo(self.shared.clone())
            }

            /// Where the service is, such as `https://proxymesh.com`.
            #[getter]
            fn base_url(&self) -> Result<String> {
                Ok(self.shared.open()?.client().base_url().to_owned())
            }

            /// The same client with other options for the calls made through it. It shares the connections.
            ///
            /// Args:
            ///     timeout: Seconds that one attempt may take; as the client has it by default.
            ///     max_retries: How often a call may be sent again; as the client has it by default.
            ///
            /// Raises:
            ///     ConfigError: An option is unusable, or the client is closed.
            #[pyo3(signature = (*, timeout: "float | None" = None, max_retries: "int | None" = None) -> "Self")]
            fn with_options(
                &self,
                #[pyo3(from_py_with = setting::some_timeout)] timeout: Option<f64>,
                #[pyo3(from_py_with = setting::some_retries)] max_retries: Option<i64>,
            ) -> Result<Self> {
                Ok(Self { shared: self.shared.with_options(binding::options(timeout, max_retries)?)? })
            }

            fn __repr__(&self) -> String {
                format!("<proxymesh.{} {}>", stringify!($name), self.shared.state())
            }

            $( $closing )*
        }
    };
}

client! {
    /// The account's client: a handle for each resource, and every call returns when it is done.
    ///
    /// Credentials are a username and password, or a token. What is not given comes from the environment:
    /// `PROXYMESH_USERNAME`, `PROXYMESH_PASSWORD`, `PROXYMESH_TOKEN`, `PROXYMESH_BASE_URL`.
    ///
    /// One client may be shared by any number of threads; a forked process goes on with connections of its own. Use it as a
    /// context manager, or call `close`, to drop its connections; garbage collection does too.
    ///
    ///     >>> from proxymesh.sandbox import Sandbox
    ///     >>> with Sandbox() as sandbox, sandbox.client() as client:
    ///     ...     proxies = client.proxies.list()
    ///     >>> proxies[0].port
    ///     31280
    ///
    /// Args:
    ///     username: The account's username.
    ///     password: The account's password.
    ///     token: A token (`pm_…`) instead of both. It cannot make the token calls.
    ///     base_url: Where the service is; `https://proxymesh.com` by default. Plain http only to a loopback host.
    ///     timeout: Seconds that one attempt may take, from connecting to the last byte of the answer.
    ///     connect_timeout: Seconds that connecting may take, TLS included.
    ///     max_retries: How often a call may be sent again, where that is safe.
    ///     ca_file: A PEM file with further CA certificates to trust. `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` and
    ///         `CURL_CA_BUNDLE` add to them; without the first two, the system's own certificates are trusted as well.
    ///     trust_env: Whether `HTTPS_PROXY`, or else `ALL_PROXY`, and `NO_PROXY` count. Not by default: a scraper's proxy must
    ///         not carry the account's calls.
    ///
    /// Raises:
    ///     ConfigError: Credentials are missing or contradict each other, or a setting is unusable, as is a variable of the
    ///         environment that names certificates which cannot be read, or no proxy.
    Client(Blocking) { SubAccounts, Ips, Hostnames, Proxies, Tokens, Geo }

    /// Drops the connections. Later calls through this client raise `ConfigError`; calls under way go on. Closing
    /// twice is fine. A client made by `with_options` is closed for itself.
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
    /// The account's client for asyncio: the same calls as `Client`, to be awaited.
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
    /// What a call gives is a coroutine: it is sent when it is awaited or made a task. To cancel the task gives the call
    /// up and closes its connection. One client may be shared by any number of tasks, event loops and threads; a forked
    /// process goes on with connections of its own. It is for asyncio, with any event loop, uvloop and AnyIO's asyncio
    /// backend included; under trio it raises `RuntimeError`.
    ///
    /// Use it with `async with`, or await `aclose`, to drop its connections; garbage collection does too. Credentials and
    /// settings are those of `Client`.
    ///
    /// Args:
    ///     username: The account's username.
    ///     password: The account's password.
    ///     token: A token (`pm_…`) instead of both. It cannot make the token calls.
    ///     base_url: Where the service is; `https://proxymesh.com` by default. Plain http only to a loopback host.
    ///     timeout: Seconds that one attempt may take, from connecting to the last byte of the answer.
    ///     connect_timeout: Seconds that connecting may take, TLS included.
    ///     max_retries: How often a call may be sent again, where that is safe.
    ///     ca_file: A PEM file with further CA certificates to trust. `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` and
    ///         `CURL_CA_BUNDLE` add to them; without the first two, the system's own certificates are trusted as well.
    ///     trust_env: Whether `HTTPS_PROXY`, or else `ALL_PROXY`, and `NO_PROXY` count. Not by default: a scraper's proxy must
    ///         not carry the account's calls.
    ///
    /// Raises:
    ///     ConfigError: Credentials are missing or contradict each other, or a setting is unusable, as is a variable of the
    ///         environment that names certificates which cannot be read, or no proxy.
    AsyncClient(Awaited) { AsyncSubAccounts, AsyncIps, AsyncHostnames, AsyncProxies, AsyncTokens, AsyncGeo }

    /// Drops the connections. Later calls through this client raise `ConfigError`; calls under way go on. Closing
    /// twice is fine. A client made by `with_options` is closed for itself.
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
