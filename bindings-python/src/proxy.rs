//! `proxymesh.Proxy`: the address of a proxy, how to authenticate to it, and how to pass it to Python libraries.

use crate::{
    asyncio::Call,
    blocking,
    error::Result,
    input::{some_text, text, whole},
    model::ProxyCheck,
    setting,
};
use proxymesh::{
    Credentials, Error, ProxyHost,
    binding::{self, seconds},
    secrecy::ExposeSecret,
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{IntoPyDict, PyDict, PyString, PyTuple},
};
use std::cmp::Ordering;

/// A proxy server that the account may use.
///
///     >>> from proxymesh import Proxy
///     >>> proxy = Proxy("us-ca.proxymesh.com", 31280)
///     >>> proxy.url()
///     'http://us-ca.proxymesh.com:31280'
///     >>> proxy.url("me@ex.com", "a b")
///     'http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280'
///     >>> proxy.name, proxy.country, str(proxy)
///     ('us-ca', 'US', 'us-ca.proxymesh.com:31280')
///
/// A proxy from `client.proxies.list()` has no credentials. It works as it is on a machine whose IP or hostname is authorised.
/// `using` returns the same proxy with credentials, and `steer` returns it with an exit choice. Each method that is named after
/// a library returns what that library accepts.
///
///     >>> print(proxy.using("me@ex.com", "a b").requests()["https"])
///     http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
///
/// Two proxies are equal if their hosts, ports, credentials and exit choices are equal, and both rotate or neither does. Proxies are
/// ordered by host and port. A proxy with credentials cannot be pickled.
///
/// Args:
///     host: The domain. It may include the port, as the service writes it: `us-ca.proxymesh.com:31280`.
///     port: The port. If neither `host` nor `port` gives one, it is 31280, which all proxies of the service use.
///
/// Raises:
///     ValidationError: The host is neither a DNS name nor an IPv4 address, the port is not from 1 to 65535, or the host includes a
///         port that differs from the one given.
#[pyclass(frozen, eq, hash, ord, module = "proxymesh")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Proxy {
    pub(crate) core: proxymesh::Proxy,
}

impl From<proxymesh::Proxy> for Proxy {
    fn from(core: proxymesh::Proxy) -> Self {
        Self { core }
    }
}

impl PartialOrd for Proxy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.host(), self.port()).partial_cmp(&(other.host(), other.port()))
    }
}

fn port(value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if value.is_none() { Ok(None) } else { Ok(Some(whole("port", value)?)) }
}

/// The credentials of a Python client of either class.
pub(crate) struct Account(pub(crate) Credentials);

/// The object that a library accepts. `proxymesh._adapters` creates it.
fn adapted<'py>(
    slf: &Bound<'py, Proxy>,
    library: &str,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    slf.py().import("proxymesh._adapters")?.call_method(library, (slf,), options)
}

/// The arguments of `requests.adapters.HTTPAdapter`, and `verify`.
fn http_adapter<'py>(
    py: Python<'py>,
    max_retries: Option<&Bound<'py, PyAny>>,
    pool_connections: usize,
    pool_maxsize: usize,
    pool_block: bool,
    verify: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let options = PyDict::new(py);
    if let Some(retries) = max_retries {
        options.set_item("max_retries", retries)?;
    }
    options.set_item("pool_connections", pool_connections)?;
    options.set_item("pool_maxsize", pool_maxsize)?;
    options.set_item("pool_block", pool_block)?;
    options.set_item("verify", verify)?;
    Ok(options)
}

#[pymethods]
impl Proxy {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("host", "port")
    }

    #[new]
    #[pyo3(signature = (host: "str", port: "int | None" = None))]
    fn new(host: &Bound<'_, PyString>, #[pyo3(from_py_with = port)] port: Option<i64>) -> Result<Self> {
        Ok(proxymesh::Proxy::at(text("proxy", host)?, port)?.into())
    }

    /// The domain, such as `us-ca.proxymesh.com`.
    #[getter]
    fn host(&self) -> &str {
        self.core.host()
    }

    /// The port, usually 31280.
    #[getter]
    fn port(&self) -> u16 {
        self.core.port()
    }

    /// The first part of the domain, such as `us-ca`.
    #[getter]
    fn name(&self) -> &str {
        self.core.name()
    }

    /// The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`. `None` for
    /// `open` and `world`, which have exit IPs in many countries.
    #[getter]
    fn country(&self) -> Option<String> {
        self.core.country()
    }

    /// Whether `steer` can choose the country: true for `open` and `world`, which have exit IPs in many countries.
    #[getter]
    fn chooses_country(&self) -> bool {
        self.core.chooses_country()
    }

    /// Returns the same proxy with these credentials. Without arguments, the returned proxy has no credentials.
    ///
    /// Args:
    ///     username: The username of the account or of a sub-account.
    ///     password: The password for the username.
    ///     token: A token (`pm_…`), instead of a username and password.
    ///     client: A client whose credentials to use.
    ///
    /// Raises:
    ///     ConfigError: The credentials are incomplete or invalid, or several kinds of credentials are given.
    #[pyo3(signature = (
        username: "str | None" = None,
        password: "str | None" = None,
        *,
        token: "str | None" = None,
        client: "Client | AsyncClient | None" = None,
    ) -> "Proxy")]
    fn using(
        &self,
        username: Option<&Bound<'_, PyString>>,
        password: Option<&Bound<'_, PyString>>,
        token: Option<&Bound<'_, PyString>>,
        client: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let credentials = match (username, password, token, client) {
            (None, None, None, None) => None,
            (Some(username), Some(password), None, None) => {
                Some(Credentials::basic(text("username", username)?, text("password", password)?)?)
            }
            (None, None, Some(token), None) => Some(Credentials::bearer(text("token", token)?)?),
            (None, None, None, Some(client)) => Some(client.extract::<Account>()?.0),
            _ => {
                let reason = "give a username and password, or a token, or a client".to_owned();
                return Err(Error::Config { reason }.into());
            }
        };
        Ok(self.core.clone().using(credentials).into())
    }

    /// Returns the same proxy with this exit choice. It replaces an earlier choice. The choice is sent in the headers
    /// `X-ProxyMesh-Country`, `X-ProxyMesh-Prefer-IP` and `X-ProxyMesh-Not-IP`. If the choice holds an exit IP, the returned proxy
    /// does not rotate.
    ///
    ///     >>> from proxymesh import Proxy
    ///     >>> Proxy("open.proxymesh.com").steer(country="DE").headers()
    ///     {'X-ProxyMesh-Country': 'DE'}
    ///
    /// Args:
    ///     country: A two-letter code, as the geo calls return it. Only the proxies `open` and `world` can choose a country.
    ///     prefer_ip: The exit IP to use if the proxy has it.
    ///     not_ip: One or more exit IPs to avoid.
    ///     hold_ip: The exit IP to hold, instead of `prefer_ip`; see `session`.
    ///
    /// Raises:
    ///     ValidationError: An argument is malformed, or this proxy cannot choose the country.
    #[pyo3(signature = (
        *,
        country: "str | None" = None,
        prefer_ip: "str | None" = None,
        not_ip: "str | Iterable[str] | None" = None,
        hold_ip: "str | None" = None,
    ) -> "Proxy")]
    fn steer(
        &self,
        country: Option<&Bound<'_, PyString>>,
        prefer_ip: Option<&Bound<'_, PyString>>,
        not_ip: Option<&Bound<'_, PyAny>>,
        hold_ip: Option<&Bound<'_, PyString>>,
    ) -> Result<Self> {
        let not_ips = match not_ip {
            None => Vec::new(),
            Some(ips) => match ips.cast::<PyString>() {
                Ok(ip) => vec![ip.clone()],
                Err(_) => ips.try_iter()?.map(|ip| Ok(ip?.cast_into()?)).collect::<PyResult<_>>()?,
            },
        };
        let not_ips = not_ips.iter().map(|ip| text("not_ip", ip)).collect::<Result<Vec<_>>>()?;
        let (country, prefer_ip) = (some_text("country", country)?, some_text("prefer_ip", prefer_ip)?);
        let exit = binding::exit_choice(country, prefer_ip, some_text("hold_ip", hold_ip)?, not_ips)?;
        Ok(self.core.clone().steer(exit)?.into())
    }

    /// Returns the same proxy, with a new tunnel for each https request. Each request may then have another exit IP.
    ///
    /// Without this, an HTTP library keeps a tunnel open for later requests to the same site, and a tunnel keeps its exit IP. The
    /// methods that are named after a library make it open new tunnels, or raise a `ConfigError` that says how to do that. `url` and
    /// `headers` do not change. A request for an http page has no tunnel, so the proxy chooses the exit IP for each such request.
    ///
    /// If this proxy holds an exit IP, the returned one does not.
    #[pyo3(signature = () -> "Proxy")]
    fn rotating(&self) -> Self {
        self.core.clone().rotating().into()
    }

    /// Whether each https request opens a new tunnel; see `rotating`.
    #[getter]
    fn is_rotating(&self) -> bool {
        self.core.is_rotating()
    }

    /// Returns the same proxy, which then holds one exit IP: requests to any site, over any number of connections, come from this
    /// address. A login at a site often needs that.
    ///
    /// This makes one `check` to find an exit IP that fits the exit choice, and then asks for this one with
    /// `X-ProxyMesh-Prefer-IP`. If the proxy loses the address, a request with requests or urllib3 fails with that library's
    /// proxy error. An https request is then not sent. With other libraries, it goes on with another exit IP, and
    /// `check().preferred_ip_is_gone` is true. Call this again to hold another address.
    ///
    ///     >>> from proxymesh.sandbox import Sandbox
    ///     >>> with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
    ///     ...     proxy = client.proxies.pool().get().session()
    ///     ...     proxy.check().exit_ip == proxy.held_ip
    ///     True
    ///
    /// Args:
    ///     target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///     timeout: The time limit, in seconds.
    ///
    /// Raises:
    ///     ValidationError: The target is not `host:port`.
    ///     ConfigError: The timeout is invalid.
    ///     ConnectionError, TimeoutError: The proxy did not respond.
    ///     APIError: The proxy refused, such as `AuthenticationError` for a 407.
    ///     DecodeError: The proxy did not say which exit IP it used.
    #[pyo3(signature = (target: "str" = "proxymesh.com:443", *, timeout: "float" = 10.0) -> "Proxy")]
    fn session(
        &self,
        py: Python<'_>,
        target: &str,
        #[pyo3(from_py_with = setting::timeout)] timeout: f64,
    ) -> Result<Self> {
        let timeout = seconds("timeout", timeout)?;
        Ok(blocking::run(py, "proxies.session", self.core.session(target, timeout))?.into())
    }

    /// The same as `session`, for asyncio.
    #[pyo3(signature = (
        target: "str" = "proxymesh.com:443",
        *,
        timeout: "float" = 10.0,
    ) -> "Coroutine[Any, Any, Proxy]")]
    fn asession(&self, target: &str, #[pyo3(from_py_with = setting::timeout)] timeout: f64) -> Result<Call> {
        let timeout = seconds("timeout", timeout)?;
        let (proxy, target) = (self.core.clone(), target.to_owned());
        let session = async move { proxy.session(&target, timeout).await };
        Ok(Call::of("Proxy.asession", "proxies.session", None, Box::pin(session)))
    }

    /// The exit IP that this proxy holds; `None` if it holds none. See `session`.
    #[getter]
    fn held_ip(&self) -> Option<String> {
        self.core.exit_choice().held_ip().map(|ip| ip.to_string())
    }

    /// Why a request did not go through the exit IP that this proxy holds, for the adapters. The arguments are the values of
    /// `X-ProxyMesh-IP` and `X-ProxyMesh-IP-Not-Found` in the proxy's response.
    #[pyo3(signature = (used: "str | None", missing: "str | None") -> "str | None")]
    fn _lost_exit(&self, used: Option<&str>, missing: Option<&str>) -> Option<String> {
        self.core.lost_exit(used, missing)
    }

    /// The proxy's URL, for any HTTP library.
    ///
    /// Credentials are percent-encoded, so they may contain `@` or `:`. The URL then contains the password, so keep it out of
    /// logs. A URL without credentials is for a machine whose IP or hostname is authorised. An exit choice cannot go into a URL;
    /// use `headers`.
    ///
    /// Args:
    ///     username: The username of the account or of a sub-account; by default, the credentials given to `using`.
    ///     password: The password for the username.
    ///
    /// Raises:
    ///     TypeError: Only one of the two is given.
    ///     ValidationError: The credentials given to `using` are a token. A token cannot go into a URL; use `headers`.
    #[pyo3(signature = (username: "str | None" = None, password: "str | None" = None) -> "str")]
    fn url(
        &self,
        username: Option<&Bound<'_, PyString>>,
        password: Option<&Bound<'_, PyString>>,
    ) -> Result<String> {
        match (username, password) {
            (None, None) => Ok(self.core.url()?.expose_secret().to_owned()),
            (Some(username), Some(password)) => {
                Ok(self.core.url_with(text("username", username)?, text("password", password)?))
            }
            _ => Err(PyTypeError::new_err("give both username and password, or neither").into()),
        }
    }

    /// The headers to send to the proxy: on the `CONNECT` request for an https target, and on the request itself for an http
    /// target. `Proxy-Authorization` contains the credentials, as Basic in UTF-8 or as Bearer. Keep it out of logs.
    ///
    /// Pass the headers to a library only if it sends them to the proxy alone. Do not pass them to these:
    ///
    /// - `headers=` of requests, httpx, urllib3, aiohttp and curl_cffi: they send all of the headers to an https site, including
    ///   the password, and the proxy picks any exit IP. Use `requests_session`, `httpx`, `urllib3`, `aiohttp` and `curl_cffi`.
    /// - `urllib.request`, Scrapy's `headers=` and Playwright's `extra_http_headers`: they send the exit choice to an https site.
    ///   For Scrapy, use `proxymesh.scrapy`. For urllib and browsers, use `url` and `playwright`, without an exit choice.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in self.core.headers() {
            headers.set_item(name, value.expose_secret())?;
        }
        Ok(headers)
    }

    /// Checks the proxy: asks it to open a tunnel to `target`, and closes the tunnel. A refusal, an unreachable proxy and a
    /// time-out are results, not errors.
    ///
    /// Args:
    ///     target: The `host:port` to connect to. It sees a connection, but receives no data.
    ///     timeout: The time limit for the check, in seconds.
    ///
    /// Raises:
    ///     ValidationError: The target is not `host:port`.
    ///     ConfigError: The timeout is invalid.
    #[pyo3(signature = (target: "str" = "proxymesh.com:443", *, timeout: "float" = 10.0) -> "ProxyCheck")]
    fn check(
        &self,
        py: Python<'_>,
        target: &str,
        #[pyo3(from_py_with = setting::timeout)] timeout: f64,
    ) -> Result<ProxyCheck> {
        let timeout = seconds("timeout", timeout)?;
        Ok(blocking::run(py, "Proxy.check", self.core.check(target, timeout))?.into())
    }

    /// The same as `check`, for asyncio.
    #[pyo3(signature = (
        target: "str" = "proxymesh.com:443",
        *,
        timeout: "float" = 10.0,
    ) -> "Coroutine[Any, Any, ProxyCheck]")]
    fn acheck(&self, target: &str, #[pyo3(from_py_with = setting::timeout)] timeout: f64) -> Result<Call> {
        let timeout = seconds("timeout", timeout)?;
        let (proxy, target) = (self.core.clone(), target.to_owned());
        let check = async move { proxy.check(&target, timeout).await };
        Ok(Call::of("Proxy.acheck", "Proxy.check", None, Box::pin(check)))
    }

    /// The value for `requests.get(…, proxies=…)`, `session.get(…, proxies=…)` and `session.proxies`: the URL, for http and for
    /// https. It is encoded so that requests sends the credentials in UTF-8.
    ///
    /// Raises:
    ///     ConfigError: The proxy has a token or an exit choice. Both need headers; use `requests_session`.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn requests<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "requests", None)
    }

    /// A `requests.Session` that goes through the proxy and ignores the environment's proxy settings. It sends the proxy headers to
    /// the proxy alone. Every response has the exit IP in its header `X-ProxyMesh-IP`.
    ///
    /// Adapters that are mounted on the session go through the proxy as well. So does another session with the same `proxies`,
    /// such as a scraper of cloudscraper. A request that asks for another proxy fails with
    /// `requests.exceptions.InvalidProxyURL`. The session can be copied. It can be pickled only if it has no credentials.
    ///
    /// Args:
    ///     max_retries: How many times a request is retried, as for `requests.adapters.HTTPAdapter`: a number or a
    ///         `urllib3.Retry`. A request that the proxy refuses (400 to 499, 509) is not retried.
    ///     pool_connections: The number of sites to keep connections for.
    ///     pool_maxsize: The number of connections to keep per site.
    ///     pool_block: Whether `pool_maxsize` is a hard limit.
    ///     verify: A file or folder of CA certificates for verifying sites, or whether to verify them at all. By default, the
    ///         certificates are those of `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`, or else those of requests.
    #[pyo3(signature = (
        *,
        max_retries: "int | Retry | None" = None,
        pool_connections: "int" = 10,
        pool_maxsize: "int" = 10,
        pool_block: "bool" = false,
        verify: "bool | str | None" = None,
    ) -> "RequestsSession")]
    fn requests_session<'py>(
        slf: &Bound<'py, Self>,
        max_retries: Option<&Bound<'py, PyAny>>,
        pool_connections: usize,
        pool_maxsize: usize,
        pool_block: bool,
        verify: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options =
            http_adapter(slf.py(), max_retries, pool_connections, pool_maxsize, pool_block, verify)?;
        adapted(slf, "requests_session", Some(&options))
    }

    /// An adapter for requests. Mount it for `http://` and `https://` on an existing `requests.Session`, or on a session of a
    /// derived class, such as that of requests-cache. The session then goes through the proxy, as with
    /// `requests_session`, and ignores the environment's proxy settings. A request that asks for another proxy fails.
    ///
    ///     adapter = proxy.requests_adapter(max_retries=3)
    ///     session.mount("http://", adapter)
    ///     session.mount("https://", adapter)
    ///
    /// Args:
    ///     max_retries: As for `requests_session`.
    ///     pool_connections: As for `requests_session`.
    ///     pool_maxsize: As for `requests_session`.
    ///     pool_block: As for `requests_session`.
    ///     verify: As for `requests_session`, unless the session or the request sets its own value.
    #[pyo3(signature = (
        *,
        max_retries: "int | Retry | None" = None,
        pool_connections: "int" = 10,
        pool_maxsize: "int" = 10,
        pool_block: "bool" = false,
        verify: "bool | str | None" = None,
    ) -> "HTTPAdapter")]
    fn requests_adapter<'py>(
        slf: &Bound<'py, Self>,
        max_retries: Option<&Bound<'py, PyAny>>,
        pool_connections: usize,
        pool_maxsize: usize,
        pool_block: bool,
        verify: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options =
            http_adapter(slf.py(), max_retries, pool_connections, pool_maxsize, pool_block, verify)?;
        adapted(slf, "requests_adapter", Some(&options))
    }

    /// A `urllib3.ProxyManager` that goes through the proxy. It sends the proxy headers to the proxy alone. Every response has the
    /// exit IP in its header `X-ProxyMesh-IP`. A `CONNECT` that the proxy refuses (400 to 499, 509) is not retried.
    ///
    /// Args:
    ///     options: Other arguments of `ProxyManager`, such as `ca_certs` or `timeout`.
    #[pyo3(signature = (**options: "Any") -> "ProxyManager")]
    fn urllib3<'py>(
        slf: &Bound<'py, Self>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "urllib3", options)
    }

    /// An `httpx.Proxy`, for `httpx.Client(proxy=…)`, `httpx.AsyncClient(proxy=…)`, `httpx.get(…, proxy=…)` and
    /// `httpx.HTTPTransport(proxy=…)`. httpx does not accept a proxy for a single request of a client. For an http target, the exit
    /// IP is in the response header `X-ProxyMesh-IP`. For an https target, it is in the response to the CONNECT, which httpx's
    /// `trace` extension shows.
    #[pyo3(signature = () -> "HttpxProxy")]
    fn httpx<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "httpx", None)
    }

    /// The keyword arguments for `session.get(…, **proxy.aiohttp())`, and in the same way for `ClientSession`, `ws_connect` and
    /// `aiohttp.request`. The proxy of a request overrides the session's. For an http target, the exit IP is in the response header
    /// `X-ProxyMesh-IP`. For an https target, aiohttp does not expose it.
    ///
    /// The value of `proxy` is valid only in this process. In another process or another library, the request fails and nothing is
    /// sent.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn aiohttp<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "aiohttp", None)
    }

    /// The keyword arguments for `curl_cffi.requests.get(…, **proxy.curl_cffi())`, and in the same way for `Session`,
    /// `AsyncSession`, their requests, `stream` and `ws_connect`. The proxy of a request overrides the session's. For an http
    /// target, the exit IP is in the response header `X-ProxyMesh-IP`.
    ///
    /// The value of `proxy` is valid only in this process, as for `aiohttp`. Before curl_cffi 0.13, each request opens its own
    /// connection.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn curl_cffi<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "curl_cffi", None)
    }

    /// The entries for a Scrapy request's `meta`. They contain the URL, encoded so that Scrapy sends the credentials in UTF-8. To cover
    /// all requests of a project, to use a token, or to choose the exit IP, use `proxymesh.scrapy`.
    ///
    /// Raises:
    ///     ConfigError: The proxy has a token or an exit choice. Both need headers.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn scrapy_meta<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "scrapy_meta", None)
    }

    /// The value for Playwright's `launch(proxy=…)`, and for a browser's `new_context(proxy=…)` and `new_page(proxy=…)`: a dict with
    /// `server`, `username` and `password`. A context's `new_page` does not accept a proxy.
    ///
    /// Raises:
    ///     ConfigError: The proxy has a token or an exit choice. A browser cannot send headers to a proxy.
    #[pyo3(signature = () -> "PlaywrightProxy")]
    fn playwright<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "playwright", None)
    }

    /// A `selenium.webdriver.Proxy`, for `options.proxy`, on a machine whose IP is authorised.
    ///
    /// On other machines, pass the password to the browser over WebDriver BiDi, with `options.enable_bidi = True`. Open the first
    /// page over BiDi, too. With `driver.get`, Chrome would wait until it times out. Chrome remembers the password, so remove the
    /// handler afterwards. Otherwise, sites that ask for a password would get this one.
    ///
    ///     options.proxy = proxy.using().selenium()
    ///     driver = webdriver.Chrome(options=options)
    ///     handler = driver.network.add_auth_handler(username, password)
    ///     driver.browsing_context.navigate(driver.current_window_handle, url, wait="complete")
    ///     driver.network.remove_auth_handler(handler)
    ///
    /// `driver.get` does not report that a proxy refused the connection. Use `check` to find out.
    ///
    /// Raises:
    ///     ConfigError: The proxy has credentials or an exit choice. A browser does not accept them here.
    #[pyo3(signature = () -> "SeleniumProxy")]
    fn selenium<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "selenium", None)
    }

    /// The environment variables from which most programs read a proxy: `http_proxy`, `https_proxy`, and both in upper case. They
    /// contain the password.
    ///
    /// Raises:
    ///     ConfigError: The proxy has a token or an exit choice. Both need headers.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn env<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "env", None)
    }

    /// The username and password, for the adapters.
    #[pyo3(signature = () -> "tuple[str, str] | None")]
    fn _username_and_password(&self) -> Option<(&str, &str)> {
        let (username, password) = self.core.credentials()?.username_and_password()?;
        Some((username, password.expose_secret()))
    }

    /// The host, the port, the arguments given to `steer`, and whether it rotates, as a dict for `json.dumps`. Credentials are left out.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("host", self.host())?;
        dict.set_item("port", self.port())?;
        if !self.core.exit_choice().is_empty() {
            dict.set_item("steer", self.steered(py)?.into_py_dict(py)?)?;
        }
        if self.is_rotating() {
            dict.set_item("rotating", true)?;
        }
        Ok(dict)
    }

    fn __str__(&self) -> String {
        self.core.to_string()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = format!("Proxy(host='{}', port={})", self.host(), self.port());
        match self.core.credentials().map(Credentials::username_and_password) {
            None => {}
            Some(None) => shown.push_str(".using(token='[redacted]')"),
            Some(Some((username, _))) => {
                let username = PyString::new(py, username).repr()?;
                shown.push_str(&format!(".using({username}, '[redacted]')"));
            }
        }
        if !self.core.exit_choice().is_empty() {
            let mut wishes = Vec::new();
            for (name, value) in self.steered(py)? {
                wishes.push(format!("{name}={}", value.repr()?));
            }
            shown.push_str(&format!(".steer({})", wishes.join(", ")));
        }
        if self.is_rotating() {
            shown.push_str(".rotating()");
        }
        Ok(shown)
    }

    #[pyo3(signature = () -> "tuple[Any, ...]")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, this) = (slf.py(), slf.get());
        if this.core.credentials().is_some() {
            let reason = "a Proxy with credentials cannot be pickled, because they are secret; pickle proxy.using(), \
                          which has none, and add the credentials again after loading it";
            return Err(PyTypeError::new_err(reason));
        }
        let rotating = this.is_rotating();
        if this.core.exit_choice().is_empty() && !rotating {
            return (slf.get_type(), (this.host(), this.port())).into_pyobject(py);
        }
        let method = |name, options: Option<&Bound<'py, PyDict>>| {
            py.import("operator")?.call_method("methodcaller", (name,), options)
        };
        let plain = slf.get_type().call1((this.host(), this.port()))?;
        if this.core.exit_choice().is_empty() {
            return (method("rotating", None)?, (plain,)).into_pyobject(py);
        }
        let steer = method("steer", Some(&this.steered(py)?.into_py_dict(py)?))?;
        // A proxy that holds an exit IP does not rotate, so `steer` keeps this.
        let plain = if rotating { plain.call_method0("rotating")? } else { plain };
        (steer, (plain,)).into_pyobject(py)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (memo: "object", /))]
    fn __deepcopy__(slf: Py<Self>, memo: &Bound<'_, PyAny>) -> Py<Self> {
        let _ = memo;
        slf
    }
}

/// A proxy given by name, or as a `Proxy`.
#[derive(FromPyObject)]
pub(crate) enum Named<'py> {
    #[pyo3(transparent, annotation = "str")]
    Text(Bound<'py, PyString>),
    #[pyo3(transparent, annotation = "Proxy")]
    Listed(PyRef<'py, Proxy>),
}

impl Named<'_> {
    pub(crate) fn host(&self) -> Result<ProxyHost> {
        match self {
            Self::Text(name) => Ok(ProxyHost::new(text("proxy", name)?)?),
            Self::Listed(proxy) => Ok(ProxyHost::from(&proxy.core)),
        }
    }
}

impl Proxy {
    /// The arguments that `steer` was given.
    fn steered<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let (mut given, exit) = (Vec::new(), self.core.exit_choice());
        if let Some(country) = exit.wanted_country() {
            given.push(("country", PyString::new(py, country).into_any()));
        }
        if let Some(ip) = exit.preferred_ip() {
            let name = if exit.held_ip().is_some() { "hold_ip" } else { "prefer_ip" };
            given.push((name, PyString::new(py, &ip.to_string()).into_any()));
        }
        let not_ips = exit.unwanted_ips();
        if !not_ips.is_empty() {
            let texts = not_ips.iter().map(ToString::to_string);
            given.push(("not_ip", PyTuple::new(py, texts.collect::<Vec<_>>())?.into_any()));
        }
        Ok(given)
    }
}
