//! `proxymesh.Client`

use crate::{
    error::exception,
    resource::{Geo, Hostnames, Ips, Proxies, SubAccounts, Tokens},
    run::Caller,
};
use arc_swap::ArcSwapOption;
use proxymesh::{Error, Options, Settings, blocking::Driver};
use pyo3::{
    prelude::*,
    types::{PyString, PyTuple},
};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// What a client and its handles share: the open client, or none once it is closed.
#[derive(Default)]
pub(crate) struct Shared {
    open: ArcSwapOption<Open>,
}

struct Open {
    client: proxymesh::Client,
    driver: Arc<Driver>,
    /// The process that made it. A fork's child has a copy, whose connections are still the parent's: calls over them
    /// would be given each other's answers, and even to close them would disturb the parent.
    process: u32,
}

impl Open {
    fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }
}

impl Shared {
    fn new(client: proxymesh::Client, driver: Arc<Driver>) -> Arc<Self> {
        let process = std::process::id();
        Arc::new(Self { open: ArcSwapOption::from_pointee(Open { client, driver, process }) })
    }

    fn open(&self, py: Python<'_>) -> PyResult<Arc<Open>> {
        match self.open.load_full() {
            Some(open) if open.is_inherited() => Err(config_error(
                py,
                "the client was made before this process was forked; make one in each process",
            )),
            Some(open) => Ok(open),
            None => Err(config_error(py, "the client is closed; make a new one")),
        }
    }

    fn close(&self) {
        if let Some(open) = self.open.swap(None)
            && open.is_inherited()
        {
            std::mem::forget(open);
        }
    }

    /// For one call from Python.
    pub(crate) fn caller<'py>(&self, py: Python<'py>) -> PyResult<Caller<'py>> {
        let open = self.open(py)?;
        Ok(Caller::new(py, open.client.clone(), open.driver.clone()))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

fn config_error(py: Python<'_>, reason: &str) -> PyErr {
    exception(py, &Error::Config { reason: reason.to_owned() })
}

fn seconds(py: Python<'_>, name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| config_error(py, &format!("{name} must be a number of seconds above 0, not {value}")))
}

/// Text for a setting. Python's own error about what no UTF-8 can hold would carry all of it.
fn text<'a>(py: Python<'_>, name: &str, value: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    value
        .to_str()
        .map_err(|_| config_error(py, &format!("{name} holds a lone surrogate, which is no character")))
}

fn retries(py: Python<'_>, value: i64) -> PyResult<u32> {
    u32::try_from(value)
        .map_err(|_| config_error(py, &format!("max_retries must be a whole number from 0, not {value}")))
}

/// The account's client: a handle for each resource, and every call returns when it is done.
///
/// Credentials are a username and password, or a token. What is not given comes from the environment:
/// `PROXYMESH_USERNAME`, `PROXYMESH_PASSWORD`, `PROXYMESH_TOKEN`, `PROXYMESH_BASE_URL`.
///
/// One client may be shared by any number of threads, but not by processes: after a fork, make one in each. Use it as a
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
///     ca_file: A PEM file with further CA certificates to trust; `SSL_CERT_FILE` adds to them too.
///     trust_env: Whether `HTTPS_PROXY` and `NO_PROXY` count. Not by default: a scraper's proxy must
///         not carry the account's calls.
///
/// Raises:
///     ConfigError: Credentials are missing or contradict each other, or a setting is unusable.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct Client {
    shared: Arc<Shared>,
}

#[pymethods]
impl Client {
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
        timeout: f64,
        connect_timeout: f64,
        max_retries: i64,
        ca_file: Option<PathBuf>,
        trust_env: bool,
    ) -> PyResult<Self> {
        let mut settings = Settings::new()
            .timeout(seconds(py, "timeout", timeout)?)
            .connect_timeout(seconds(py, "connect_timeout", connect_timeout)?)
            .max_retries(retries(py, max_retries)?)
            .trust_env(trust_env)
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
        let made = proxymesh::Client::new(settings).and_then(|client| Ok((client, Arc::new(Driver::new()?))));
        let (client, driver) = made.map_err(|error| exception(py, &error))?;
        Ok(Self { shared: Shared::new(client, driver) })
    }

    /// Sub-accounts: create, limit, watch, delete.
    #[getter]
    fn sub_accounts(&self) -> SubAccounts {
        SubAccounts(self.shared.clone())
    }

    /// IPs that may use the proxies without credentials.
    #[getter]
    fn ips(&self) -> Ips {
        Ips(self.shared.clone())
    }

    /// Hostnames that may use the proxies without credentials.
    #[getter]
    fn hostnames(&self) -> Hostnames {
        Hostnames(self.shared.clone())
    }

    /// The proxies that the account may use.
    #[getter]
    fn proxies(&self) -> Proxies {
        Proxies(self.shared.clone())
    }

    /// Bearer tokens.
    #[getter]
    fn tokens(&self) -> Tokens {
        Tokens(self.shared.clone())
    }

    /// Exit IPs per country.
    #[getter]
    fn geo(&self) -> Geo {
        Geo(self.shared.clone())
    }

    /// The same client with other options for the calls made through it. It shares the connections.
    ///
    /// Args:
    ///     timeout: Seconds that one attempt may take; as the client has it by default.
    ///     max_retries: How often a call may be sent again; as the client has it by default.
    ///
    /// Raises:
    ///     ConfigError: An option is unusable, or the client is closed.
    #[pyo3(signature = (*, timeout: "float | None" = None, max_retries: "int | None" = None) -> "Client")]
    fn with_options(&self, py: Python<'_>, timeout: Option<f64>, max_retries: Option<i64>) -> PyResult<Self> {
        let open = self.shared.open(py)?;
        let mut options = Options::new();
        if let Some(timeout) = timeout {
            options = options.timeout(seconds(py, "timeout", timeout)?);
        }
        if let Some(max_retries) = max_retries {
            options = options.max_retries(retries(py, max_retries)?);
        }
        let client = open.client.with_options(options).map_err(|error| exception(py, &error))?;
        Ok(Self { shared: Shared::new(client, open.driver.clone()) })
    }

    /// Drops the connections. Later calls through this client raise `ConfigError`; calls under way go on. Closing
    /// twice is fine. A client made by `with_options` is closed for itself.
    #[pyo3(signature = () -> "None")]
    fn close(&self) {
        self.shared.close();
    }

    #[pyo3(signature = () -> "Client")]
    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*exception: "object") -> "None")]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        self.close();
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let open = self.shared.open.load_full();
        let state = open.as_ref().map_or("closed", |open| open.client.base_url());
        PyString::from_fmt(py, format_args!("<proxymesh.Client {state}>"))
    }
}
