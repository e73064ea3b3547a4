//! `proxymesh.sandbox`: an emulation of the service, for users' tests.

use crate::{
    client::{AsyncClient, Client},
    error::Result,
    model::{ProxiedRequest, RecordedRequest},
    setting,
};
use proxymesh::binding::SettingParts;
use proxymesh_sandbox::{Error, Fault, Plan, RecordedAuth};
use pyo3::{
    exceptions::{PyLookupError, PyOSError, PyValueError},
    prelude::*,
    types::{PyDateTime, PyDict, PyString, PyTuple},
};
use std::{ffi::OsString, time::Duration};

/// An emulation of the service, with all 23 calls. It is as strict as the service. It keeps its state in memory and listens on a
/// local port.
///
///     >>> from proxymesh.sandbox import Sandbox
///     >>> with Sandbox() as sandbox, sandbox.client() as client:
///     ...     client.ips.add("203.0.113.7", label="office")
///     ...     sandbox.requests()[-1].form
///     '203.0.113.7'
///     {'ip': '203.0.113.7', 'label': 'office'}
///
/// It starts when it is created and runs on its own thread until it is stopped.
///
/// Args:
///     username: The parent account's username.
///     password: The parent account's password.
///     plan: The parent account's plan: `trial`, `10`, `20`, `50` or `100`. It sets the limits on tokens, sub-accounts and proxies.
///     host: The address to listen on. If it is not a loopback address, other machines can reach the account and the controls
///         under `/_sandbox/`. With `proxies`, they can also reach everything that listens on this machine's loopback addresses.
///         So the default password is refused, and the controls require the parent's username and password. The logger
///         `proxymesh` gets a warning that says what others can reach.
///     port: The port; 0 picks a free one.
///     proxies: Whether to run the proxies as well, each on its own port. The API then lists them as `us-ca.localhost:PORT`.
///     monthly_limit: The monthly limit for the parent and its sub-accounts together, in gigabytes; 0 means no limit.
///     keep_alive: The seconds after which an idle connection is closed; by default, it stays open.
///
/// Raises:
///     ValueError: The service would reject the username or password, there is no such plan, the keep-alive is 0, or others
///         could reach the sandbox with the default password.
///     OSError: The address is in use or not available.
#[pyclass(frozen, module = "proxymesh.sandbox")]
pub(crate) struct Sandbox(proxymesh_sandbox::Sandbox);

#[pymethods]
impl Sandbox {
    #[new]
    #[pyo3(signature = (
        *,
        username: "str" = "parent",
        password: "str" = "parent-password",
        plan: "str" = "50",
        host: "str" = "127.0.0.1",
        port: "int" = 0,
        proxies: "bool" = false,
        monthly_limit: "int" = 0,
        keep_alive: "float | None" = None,
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        username: &str,
        password: &str,
        plan: &str,
        host: &str,
        port: u16,
        proxies: bool,
        monthly_limit: u32,
        keep_alive: Option<f64>,
    ) -> PyResult<Self> {
        let plan: Plan = plan.parse().map_err(exception)?;
        let keep_alive = keep_alive.map(seconds).transpose()?;
        let builder = proxymesh_sandbox::Sandbox::builder()
            .username(username)
            .password(password)
            .plan(plan)
            .host(host)
            .port(port)
            .proxies(proxies)
            .monthly_limit(monthly_limit)
            .keep_alive(keep_alive);
        let sandbox = py.detach(|| builder.start()).map_err(exception)?;
        if let Some(opened) = sandbox.opens() {
            let logger = py.import("logging")?.call_method1("getLogger", ("proxymesh",))?;
            logger.call_method1("warning", ("%s", opened))?;
        }
        Ok(Self(sandbox))
    }

    /// The base URL, such as `http://127.0.0.1:40123`, without a trailing slash.
    #[getter]
    fn base_url(&self) -> &str {
        self.0.base_url()
    }

    /// The parent account's username.
    #[getter]
    fn username(&self) -> &str {
        self.0.username()
    }

    /// The parent account's password.
    #[getter]
    fn password(&self) -> &str {
        self.0.password()
    }

    /// The sandbox's current time, in UTC: the real time plus everything added with `advance`.
    #[getter]
    fn now(&self, py: Python<'_>) -> PyResult<Py<PyDateTime>> {
        let now = proxymesh::jiff::Timestamp::try_from(self.0.now());
        crate::model::moment(py, now.map_err(|error| PyValueError::new_err(error.to_string()))?)
    }

    /// The number of open TCP connections.
    #[getter]
    fn open_connections(&self) -> usize {
        self.0.open_connections()
    }

    /// Creates a `Client` for this sandbox. It uses the parent's credentials unless you pass others.
    ///
    /// Args:
    ///     username: Another username, such as a sub-account's.
    ///     password: The password for the username.
    ///     token: A token (`pm_…`), instead of a username and password.
    ///     timeout: The time limit for one attempt, in seconds.
    ///     max_retries: How many times a call may be retried, if that is safe.
    ///
    /// Raises:
    ///     ConfigError: The credentials are incomplete, invalid or contradictory, or an option is invalid.
    #[pyo3(signature = (
        *,
        username: "str | None" = None,
        password: "str | None" = None,
        token: "str | None" = None,
        timeout: "float" = 30.0,
        max_retries: "int" = 2,
    ) -> "Client")]
    fn client(
        &self,
        username: Option<&Bound<'_, PyString>>,
        password: Option<&Bound<'_, PyString>>,
        token: Option<&Bound<'_, PyString>>,
        #[pyo3(from_py_with = setting::timeout)] timeout: f64,
        #[pyo3(from_py_with = setting::max_retries)] max_retries: i64,
    ) -> Result<Client> {
        Client::made_from(self.settings(username, password, token, timeout, max_retries)?)
    }

    /// Creates an `AsyncClient` for this sandbox. It uses the parent's credentials unless you pass others.
    ///
    /// Args:
    ///     username: Another username, such as a sub-account's.
    ///     password: The password for the username.
    ///     token: A token (`pm_…`), instead of a username and password.
    ///     timeout: The time limit for one attempt, in seconds.
    ///     max_retries: How many times a call may be retried, if that is safe.
    ///
    /// Raises:
    ///     ConfigError: The credentials are incomplete, invalid or contradictory, or an option is invalid.
    #[pyo3(signature = (
        *,
        username: "str | None" = None,
        password: "str | None" = None,
        token: "str | None" = None,
        timeout: "float" = 30.0,
        max_retries: "int" = 2,
    ) -> "AsyncClient")]
    fn async_client(
        &self,
        username: Option<&Bound<'_, PyString>>,
        password: Option<&Bound<'_, PyString>>,
        token: Option<&Bound<'_, PyString>>,
        #[pyo3(from_py_with = setting::timeout)] timeout: f64,
        #[pyo3(from_py_with = setting::max_retries)] max_retries: i64,
    ) -> Result<AsyncClient> {
        AsyncClient::made_from(self.settings(username, password, token, timeout, max_retries)?)
    }

    /// The API calls that arrived, oldest first. Only the last 100,000 are kept.
    #[pyo3(signature = () -> "list[RecordedRequest]")]
    fn requests(&self) -> Vec<RecordedRequest> {
        self.0.requests().into_iter().map(RecordedRequest::from).collect()
    }

    /// Clears the recorded calls. Numbering continues.
    #[pyo3(signature = () -> "None")]
    fn clear_requests(&self) {
        self.0.clear_requests();
    }

    /// The requests that the proxies received, oldest first. Only the last 100,000 are kept.
    #[pyo3(signature = () -> "list[ProxiedRequest]")]
    fn proxied(&self) -> Vec<ProxiedRequest> {
        self.0.proxied().into_iter().map(ProxiedRequest::from).collect()
    }

    /// Clears the requests recorded by the proxies. Numbering continues.
    #[pyo3(signature = () -> "None")]
    fn clear_proxied(&self) {
        self.0.clear_proxied();
    }

    /// Makes the next matching calls fail. If several faults match, the one injected first applies.
    ///
    ///     >>> from proxymesh.sandbox import Sandbox
    ///     >>> with Sandbox() as sandbox, sandbox.client(max_retries=0) as client:
    ///     ...     sandbox.fault("status", status=503, path="/api/proxies/")
    ///     ...     client.proxies.list()
    ///     Traceback (most recent call last):
    ///     proxymesh.ServerError: proxies.list: server error (503): An injected fault: status 503.
    ///
    /// Args:
    ///     kind: `status`, `redirect`, `drop`, `reset`, `delay`, `delay_after_apply`, `drop_after_apply`, `truncate`, `garbage`,
    ///         `wrong_type`, `html`, `empty`, `huge`, `drip` or `close_idle`; `proxymesh-sandbox --help` explains each of them.
    ///     method: Restricts the fault to calls with this method.
    ///     path: Restricts the fault to calls with this path.
    ///     proxy: Applies the fault to requests to the proxy with this name, instead of API calls. Only `status`, `drop`, `reset`
    ///         and `delay` are possible then.
    ///     times: How many calls the fault applies to; 0 means all.
    ///     after: How many matching calls pass before the fault applies.
    ///     fields: The fields of the kind, such as `status`, `body`, `headers`, `seconds`, `bytes` or `location`.
    ///
    /// Raises:
    ///     ValueError: There is no such kind, path or proxy, or the kind does not accept a field or value.
    #[pyo3(signature = (
        kind: "str",
        *,
        method: "str | None" = None,
        path: "str | None" = None,
        proxy: "str | None" = None,
        times: "int" = 1,
        after: "int" = 0,
        **fields: "object",
    ) -> "None")]
    #[allow(clippy::too_many_arguments)]
    fn fault(
        &self,
        py: Python<'_>,
        kind: &str,
        method: Option<&str>,
        path: Option<&str>,
        proxy: Option<&str>,
        times: u32,
        after: u32,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let fault = match fields {
            Some(fields) => fields.copy()?,
            None => PyDict::new(py),
        };
        fault.set_item("kind", kind)?;
        fault.set_item("times", times)?;
        fault.set_item("after", after)?;
        if let Some(method) = method {
            fault.set_item("method", method)?;
        }
        if let Some(path) = path {
            fault.set_item("path", path)?;
        }
        if let Some(proxy) = proxy {
            fault.set_item("proxy", proxy)?;
        }
        let json: String = py.import("json")?.call_method1("dumps", (fault,))?.extract()?;
        let fault = Fault::from_json(&json).map_err(exception)?;
        self.0.inject(fault).map_err(exception)
    }

    /// Clears the pending faults.
    #[pyo3(signature = () -> "None")]
    fn clear_faults(&self) {
        self.0.clear_faults();
    }

    /// Moves the sandbox's clock forward, to test bans, expiry and the billing period. It can be moved by at most 100 years in
    /// total; anything beyond that is ignored.
    ///
    /// Args:
    ///     by: The number of seconds.
    ///
    /// Raises:
    ///     ValueError: The value is negative or not finite.
    #[pyo3(signature = (by: "float") -> "None")]
    fn advance(&self, by: f64) -> PyResult<()> {
        self.0.advance(seconds(by)?);
        Ok(())
    }

    /// Adds traffic to the usage of the parent or a sub-account. A sub-account's traffic also counts for the parent.
    ///
    /// Args:
    ///     username: The account that used the traffic.
    ///     gigabytes: The amount of traffic, from 0 to 1e9.
    ///
    /// Raises:
    ///     LookupError: No account has that username.
    ///     ValueError: The amount is not from 0 to 1e9.
    #[pyo3(signature = (username: "str", gigabytes: "float") -> "None")]
    fn book_usage(&self, username: &str, gigabytes: f64) -> PyResult<()> {
        self.0.book_usage(username, gigabytes).map_err(exception)
    }

    /// Restores the initial state: the account, the bans, the clock, the faults and the recorded requests. Connections stay open.
    #[pyo3(signature = () -> "None")]
    fn reset(&self) {
        self.0.reset();
    }

    /// Stops the sandbox and closes all connections. Calls in progress have 200 ms to finish. Recorded requests stay readable. You
    /// may stop a sandbox twice.
    #[pyo3(signature = () -> "None")]
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.0.stop());
    }

    #[pyo3(signature = () -> "Sandbox")]
    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*exception: "object") -> "None")]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        self.stop(py);
    }

    fn __repr__(&self) -> String {
        format!("<proxymesh.sandbox.Sandbox {}>", self.0.base_url())
    }
}

impl Sandbox {
    /// The settings of a client, with the parent's credentials unless others are given.
    fn settings(
        &self,
        username: Option<&Bound<'_, PyString>>,
        password: Option<&Bound<'_, PyString>>,
        token: Option<&Bound<'_, PyString>>,
        timeout: f64,
        max_retries: i64,
    ) -> Result<SettingParts> {
        let mut parts = SettingParts {
            username: setting::text("username", username)?,
            password: setting::text("password", password)?.map(Into::into),
            token: setting::text("token", token)?.map(Into::into),
            base_url: Some(self.0.base_url().to_owned()),
            timeout: Some(timeout),
            max_retries: Some(max_retries),
            ..SettingParts::default()
        };
        if username.is_none() && password.is_none() && token.is_none() {
            parts.username = Some(self.0.username().to_owned());
            parts.password = Some(self.0.password().into());
        }
        Ok(parts)
    }
}

/// Runs the program `proxymesh-sandbox` and returns its exit status.
///
/// Args:
///     arguments: The command line. The first argument is the program's name.
#[pyfunction]
#[pyo3(signature = (arguments: "list[str]") -> "int")]
pub(crate) fn sandbox_main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| proxymesh_sandbox::cli::run(arguments))
}

impl From<proxymesh_sandbox::RecordedRequest> for RecordedRequest {
    fn from(core: proxymesh_sandbox::RecordedRequest) -> Self {
        let auth = kind(&core.auth).to_owned();
        let username = match core.auth {
            RecordedAuth::Basic { username } => Some(username),
            _ => None,
        };
        Self {
            number: core.number,
            method: core.method,
            path: core.path,
            query: core.query.into_iter().collect(),
            form: core.form.into_iter().collect(),
            content_type: core.content_type,
            auth,
            username,
            status: core.status,
            fault: core.fault.map(str::to_owned),
        }
    }
}

impl From<proxymesh_sandbox::ProxiedRequest> for ProxiedRequest {
    fn from(core: proxymesh_sandbox::ProxiedRequest) -> Self {
        Self {
            number: core.number,
            proxy: core.proxy,
            method: core.method,
            target: core.target,
            headers: core.headers.into_iter().collect(),
            auth: kind(&core.auth).to_owned(),
            account: core.account,
            exit_ip: core.exit_ip.map(|ip| ip.to_string()),
            country: core.country,
            status: core.status,
            bytes: core.bytes,
            fault: core.fault.map(str::to_owned),
        }
    }
}

fn kind(auth: &RecordedAuth) -> &'static str {
    match auth {
        RecordedAuth::Basic { .. } => "basic",
        RecordedAuth::Bearer => "bearer",
        RecordedAuth::None => "none",
        RecordedAuth::Other => "other",
    }
}

fn exception(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::UnknownAccount(_) => PyLookupError::new_err(text),
        Error::Listen { .. } | Error::Start(_) => PyOSError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|_| {
        PyValueError::new_err(format!("the number of seconds must be 0 or greater, not {value}"))
    })
}
