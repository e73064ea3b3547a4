//! `proxymesh.Client` and `proxymesh.AsyncClient`: the same settings, handles and options.

use crate::{
    asyncio::{Awaited, Call},
    blocking::Blocking,
    error::exception,
    log::Log,
    resource::{
        AsyncGeo, AsyncHostnames, AsyncIps, AsyncProxies, AsyncSubAccounts, AsyncTokens, Geo, Hostnames, Ips,
        Proxies, SubAccounts, Tokens,
    },
    setting,
};
use arc_swap::ArcSwapOption;
use proxymesh::{
    Credentials, Error, Options, Settings, process::PerProcess, resource, seconds, whole_retries,
};
use pyo3::{
    prelude::*,
    types::{PyString, PyTuple},
};
use std::{path::PathBuf, sync::Arc};

/// How the calls of a client are made: blocking or awaited. A value of it is one process's way to the account.
pub(crate) trait Mode: Send + Sync + 'static {
    fn new(client: proxymesh::Client) -> proxymesh::Result<Self>
    where
        Self: Sized;

    fn client(&self) -> &proxymesh::Client;
}

/// What a client and its handles share: the way to the account, or none once it is closed.
pub(crate) struct Shared<M> {
    account: ArcSwapOption<PerProcess<M>>,
    options: Options,
}

impl<M: Mode> Shared<M> {
    fn new(settings: Settings) -> proxymesh::Result<Arc<Self>> {
        let mode = M::new(proxymesh::Client::new(settings)?)?;
        let account = ArcSwapOption::from_pointee(PerProcess::new(mode));
        Ok(Arc::new(Self { account, options: Options::new() }))
    }

    /// This process's way to the account. A forked process makes one of its own.
    fn open(&self, py: Python<'_>) -> PyResult<Arc<M>> {
        let account = self.account.load();
        let Some(account) = &*account else {
            return Err(exception(py, &Error::closed()));
        };
        let open = account.get_or_try_init(|inherited| match inherited {
            Some(inherited) => M::new(inherited.client().renewed()?),
            None => Err(Error::closed()),
        });
        open.map_err(|error| exception(py, &error))
    }

    fn with_options(&self, py: Python<'_>, options: Options) -> PyResult<Arc<Self>> {
        let options = options.over(self.options);
        self.open(py)?.client().with_options(options).map_err(|error| exception(py, &error))?;
        Ok(Arc::new(Self { account: ArcSwapOption::new(self.account.load_full()), options }))
    }

    fn credentials(&self, py: Python<'_>) -> PyResult<Credentials> {
        Ok(self.open(py)?.client().credentials().clone())
    }

    fn close(&self) {
        self.account.store(None);
    }

    fn state(&self, py: Python<'_>) -> String {
        self.open(py).map_or_else(|_| "closed".to_owned(), |open| open.client().base_url().to_owned())
    }
}

/// Makes one call for Python.
pub(crate) struct Caller<'py, M> {
    pub(crate) py: Python<'py>,
    pub(crate) mode: Arc<M>,
    pub(crate) client: proxymesh::Client,
    pub(crate) log: Option<Arc<Log>>,
}

impl<'py, M: Mode> Caller<'py, M>
where
    Self: resource::Dispatch,
{
    pub(crate) fn new(py: Python<'py>, shared: &Shared<M>) -> PyResult<Self> {
        let mode = shared.open(py)?;
        let client = mode.client().with_options(shared.options).map_err(|error| exception(py, &error))?;
        let log = Log::wanted(py)?;
        let client = match &log {
            Some(log) => client.with_observer(log.observer()),
            None => client,
        };
        Ok(Self { py, mode, client, log })
    }

    pub(crate) fn sub_accounts(&self) -> resource::SubAccounts<'_, Self> {
        resource::SubAccounts::new(self)
    }

    pub(crate) fn ips(&self) -> resource::Ips<'_, Self> {
        resource::Ips::new(self)
    }

    pub(crate) fn hostnames(&self) -> resource::Hostnames<'_, Self> {
        resource::Hostnames::new(self)
    }

    pub(crate) fn proxies(&self) -> resource::Proxies<'_, Self> {
        resource::Proxies::new(self)
    }

    pub(crate) fn tokens(&self) -> resource::Tokens<'_, Self> {
        resource::Tokens::new(self)
    }

    pub(crate) fn geo(&self) -> resource::Geo<'_, Self> {
        resource::Geo::new(self)
    }
}

fn config_error(py: Python<'_>, reason: &str) -> PyErr {
    exception(py, &Error::Config { reason: reason.to_owned() })
}

/// Raises the core's errors about settings.
fn checked<T>(py: Python<'_>, setting: proxymesh::Result<T>) -> PyResult<T> {
    setting.map_err(|error| exception(py, &error))
}

/// Text for a setting. Python's own error about what no UTF-8 can hold would carry all of it.
fn text<'a>(py: Python<'_>, name: &str, value: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    value
        .to_str()
        .map_err(|_| config_error(py, &format!("{name} holds a lone surrogate, which is no character")))
}

impl Client {
    pub(crate) fn credentials(&self, py: Python<'_>) -> PyResult<Credentials> {
        self.shared.credentials(py)
    }
}

impl AsyncClient {
    pub(crate) fn credentials(&self, py: Python<'_>) -> PyResult<Credentials> {
        self.shared.credentials(py)
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
            pub(crate) shared: Arc<Shared<$mode>>,
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
            pub(crate) fn new(
                py: Python<'_>,
                username: Option<&Bound<'_, PyString>>,
                password: Option<&Bound<'_, PyString>>,
                token: Option<&Bound<'_, PyString>>,
                base_url: Option<&Bound<'_, PyString>>,
                #[pyo3(from_py_with = setting::timeout)] timeout: f64,
                #[pyo3(from_py_with = setting::connect_timeout)] connect_timeout: f64,
                #[pyo3(from_py_with = setting::max_retries)] max_retries: i64,
                ca_file: Option<PathBuf>,
                trust_env: bool,
            ) -> PyResult<Self> {
                let mut settings = Settings::new()
                    .timeout(checked(py, seconds("timeout", timeout))?)
                    .connect_timeout(checked(py, seconds("connect_timeout", connect_timeout))?)
                    .max_retries(checked(py, whole_retries(max_retries))?)
                    .trust_env(trust_env)
                    .ca_variables(&["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
                    .user_agent(concat!("proxymesh-python/", env!("CARGO_PKG_VERSION")));
                if let Some(username) = username {
                    settings = settings.username(text(py, "username", username)?);
                }
                if let Some(password) = password {
                    settings = settings.password(text(py, "password", password)?);
                }
                if let Some(token) = token {
                    settings = settings.token(text(py, "token", token)?);
                }
                if let Some(base_url) = base_url {
                    settings = settings.base_url(text(py, "base_url", base_url)?);
                }
                if let Some(ca_file) = ca_file {
                    settings = settings.ca_file(ca_file);
                }
                Ok(Self { shared: Shared::new(settings).map_err(|error| exception(py, &error))? })
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
            fn base_url(&self, py: Python<'_>) -> PyResult<String> {
                Ok(self.shared.open(py)?.client().base_url().to_owned())
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
                py: Python<'_>,
                #[pyo3(from_py_with = setting::some_timeout)] timeout: Option<f64>,
                #[pyo3(from_py_with = setting::some_retries)] max_retries: Option<i64>,
            ) -> PyResult<Self> {
                let mut options = Options::new();
                if let Some(timeout) = timeout {
                    options = options.timeout(checked(py, seconds("timeout", timeout))?);
                }
                if let Some(max_retries) = max_retries {
                    options = options.max_retries(checked(py, whole_retries(max_retries))?);
                }
                Ok(Self { shared: self.shared.with_options(py, options)? })
            }

            fn __repr__(&self, py: Python<'_>) -> String {
                format!("<proxymesh.{} {}>", stringify!($name), self.shared.state(py))
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
