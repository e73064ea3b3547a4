//! `proxymesh.Proxy`: where a proxy is, how one shows oneself to it, and the shapes that Python's libraries take it in.

use crate::{
    asyncio::Call,
    blocking,
    error::Result,
    input::{some_text, text, whole},
    model::ProxyCheck,
    setting,
};
use proxymesh::{
    Credentials, Error, ExitChoice,
    binding::{self, seconds},
    secrecy::ExposeSecret,
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{IntoPyDict, PyDict, PyString, PyTuple},
};
use std::{cmp::Ordering, hash::Hash};

/// A proxy server that the account may use, and how it is used.
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
/// As listed it has no credentials, which is right where this machine's IP is authorised. `using` gives the same proxy
/// with credentials, and `steer` with a choice of the exit; the methods named after a library then give what that library takes.
///
///     >>> print(proxy.using("me@ex.com", "a b").requests()["https"])
///     http://me%40ex.com:a%20b@us-ca.proxymesh.com:31280
///
/// Two are equal if all of this is. They are ordered by host and port. One with credentials is not pickled.
///
/// Args:
///     host: The domain; with its port, as the service writes it (`us-ca.proxymesh.com:31280`), if you like.
///     port: Its port; 31280, that of all proxies of the service, where neither names one.
///
/// Raises:
///     ValidationError: The host is no DNS name, the port is not from 1 to 65535, or the host holds another port than
///         the one given.
#[pyclass(frozen, eq, hash, ord, module = "proxymesh")]
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) core: proxymesh::Proxy,
    credentials: Option<Credentials>,
    exit: ExitChoice,
}

impl From<proxymesh::Proxy> for Proxy {
    fn from(core: proxymesh::Proxy) -> Self {
        Self { core, credentials: None, exit: ExitChoice::new() }
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        (&self.core, &self.credentials, &self.exit) == (&other.core, &other.credentials, &other.exit)
    }
}

impl Hash for Proxy {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.core.hash(state);
        self.exit.hash(state);
    }
}

impl PartialOrd for Proxy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.core.partial_cmp(&other.core)
    }
}

fn port(value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if value.is_none() { Ok(None) } else { Ok(Some(whole("port", value)?)) }
}

/// The credentials of a client of Python's, of either class.
pub(crate) struct Account(pub(crate) Credentials);

/// What one of the libraries takes, as `proxymesh._adapters` makes it when it is wanted.
fn adapted<'py>(
    slf: &Bound<'py, Proxy>,
    library: &str,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    slf.py().import("proxymesh._adapters")?.call_method(library, (slf,), options)
}

/// What `requests.adapters.HTTPAdapter` takes, and `verify`.
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

    /// The country that its exits are in, as an ISO 3166 code, if its name tells: `US` of `us-ca`, `GB` of `uk`. None
    /// for `open` and `world`, which have many.
    #[getter]
    fn country(&self) -> Option<String> {
        self.core.country()
    }

    /// Whether it has exits in many countries, of which `steer` can choose one: `open` and `world`.
    #[getter]
    fn chooses_country(&self) -> bool {
        self.core.chooses_country()
    }

    /// The same proxy with these credentials; with none where nothing is given.
    ///
    /// Args:
    ///     username: The account's, or a sub-account's.
    ///     password: Its password.
    ///     token: A token (`pm_…`) instead of both.
    ///     client: A client, whose credentials are taken.
    ///
    /// Raises:
    ///     ConfigError: A part is missing or unusable, or there are several kinds.
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
        Ok(Self { credentials, ..self.clone() })
    }

    /// The same proxy with this choice of its exit: what is sent to it as `X-ProxyMesh-Country`, `-Prefer-IP` and `-Not-IP`.
    ///
    ///     >>> from proxymesh import Proxy
    ///     >>> Proxy("open.proxymesh.com").steer(country="DE").headers()
    ///     {'X-ProxyMesh-Country': 'DE'}
    ///
    /// Args:
    ///     country: Two letters, as `client.geo` gives them; with the proxies `open` and `world`.
    ///     prefer_ip: The exit IP that is wanted, if the proxy has it.
    ///     not_ip: An exit IP that is not, or several of them.
    ///
    /// Raises:
    ///     ValidationError: One of them is malformed, or the proxy is in another country.
    #[pyo3(signature = (
        *,
        country: "str | None" = None,
        prefer_ip: "str | None" = None,
        not_ip: "str | Iterable[str] | None" = None,
    ) -> "Proxy")]
    fn steer(
        &self,
        country: Option<&Bound<'_, PyString>>,
        prefer_ip: Option<&Bound<'_, PyString>>,
        not_ip: Option<&Bound<'_, PyAny>>,
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
        let exit = binding::exit_choice(country, prefer_ip, not_ips)?;
        self.core.headers(None, &exit)?;
        Ok(Self { exit, ..self.clone() })
    }

    /// The proxy's URL, for any HTTP library.
    ///
    /// Credentials are percent-encoded, so that an `@` or `:` in them is safe; the URL then holds the password: keep it
    /// out of logs. Without, it is for a machine whose IP or hostname is authorised. The choice of the exit (`steer`) is in
    /// `headers` alone, as no URL can hold it.
    ///
    /// Args:
    ///     username: The account's, or a sub-account's; that of `using` by default.
    ///     password: Its password.
    ///
    /// Raises:
    ///     TypeError: One of the two is given without the other.
    ///     ValidationError: The credentials of `using` are a token, which goes into no URL, but into `headers`.
    #[pyo3(signature = (username: "str | None" = None, password: "str | None" = None) -> "str")]
    fn url(
        &self,
        username: Option<&Bound<'_, PyString>>,
        password: Option<&Bound<'_, PyString>>,
    ) -> Result<String> {
        match (username, password, &self.credentials) {
            (None, None, None) => Ok(self.core.url()),
            (None, None, Some(credentials)) => Ok(self.core.url_for(credentials)?.expose_secret().to_owned()),
            (Some(username), Some(password), _) => {
                Ok(self.core.url_with(text("username", username)?, text("password", password)?))
            }
            _ => Err(PyTypeError::new_err("give both username and password, or neither").into()),
        }
    }

    /// The headers that are for the proxy: on the CONNECT request for an https target, on the request itself for an http
    /// one. `Proxy-Authorization` holds the credentials, Basic in UTF-8 or Bearer: keep it out of logs.
    ///
    /// Give them to a library only where it sends them to the proxy alone. These do not, and must not get them:
    ///
    /// - `headers=` of requests, httpx, urllib3, aiohttp and curl_cffi sends all of them to an https site, the password
    ///   included, and the request goes out by any exit. Use `requests_session`, `httpx`, `urllib3`, `aiohttp` and `curl_cffi`.
    /// - `urllib.request`, Scrapy's `headers=` and Playwright's `extra_http_headers` send the choice of the exit to an https
    ///   site. For Scrapy use `proxymesh.scrapy`; for urllib and browsers there are `url` and `playwright`, without a choice.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn headers<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in self.core.headers(self.credentials.as_ref(), &self.exit)? {
            headers.set_item(name, value.expose_secret())?;
        }
        Ok(headers)
    }

    /// Asks the proxy for a tunnel and closes it: one CONNECT. What the proxy says, even that it cannot be reached, is
    /// a value and raises nothing.
    ///
    /// Args:
    ///     target: Where to, as host:port. It notices a connection, through which nothing is sent.
    ///     timeout: Seconds that it may take.
    ///
    /// Raises:
    ///     ValidationError: The target is not host:port.
    ///     ConfigError: The timeout is unusable.
    #[pyo3(signature = (target: "str" = "proxymesh.com:443", *, timeout: "float" = 10.0) -> "ProxyCheck")]
    fn check(
        &self,
        py: Python<'_>,
        target: &str,
        #[pyo3(from_py_with = setting::timeout)] timeout: f64,
    ) -> Result<ProxyCheck> {
        let timeout = seconds("timeout", timeout)?;
        let Self { core, credentials, exit } = self;
        let check =
            blocking::run(py, "Proxy.check", core.check(credentials.as_ref(), exit, target, timeout))?;
        Ok(check.into())
    }

    /// The same, to be awaited with asyncio.
    #[pyo3(signature = (
        target: "str" = "proxymesh.com:443",
        *,
        timeout: "float" = 10.0,
    ) -> "Coroutine[Any, Any, ProxyCheck]")]
    fn acheck(&self, target: &str, #[pyo3(from_py_with = setting::timeout)] timeout: f64) -> Result<Call> {
        let timeout = seconds("timeout", timeout)?;
        let (this, target) = (self.clone(), target.to_owned());
        let check =
            async move { this.core.check(this.credentials.as_ref(), &this.exit, &target, timeout).await };
        Ok(Call::of("Proxy.acheck", "Proxy.check", None, Box::pin(check)))
    }

    /// For `requests.get(…, proxies=…)`, `session.get(…, proxies=…)` and `session.proxies`: the URL for both schemes, such that
    /// requests sends the credentials in UTF-8.
    ///
    /// Raises:
    ///     ConfigError: It has a token or steers the exit, which need headers: use `requests_session`.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn requests<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "requests", None)
    }

    /// A `requests.Session` that goes through the proxy, whatever the environment says of proxies. It sends the proxy what is for
    /// the proxy, and every answer has the exit IP in its header `X-ProxyMesh-IP`.
    ///
    /// An adapter that is mounted on it goes through the proxy as well, and so does what takes over its `proxies`, such as
    /// `cloudscraper.create_scraper(sess=…)`. Where another proxy is asked for, the request fails with `requests.exceptions.InvalidProxyURL`.
    /// Copied it goes on; pickled it is only without credentials.
    ///
    /// Args:
    ///     max_retries: How often a request is sent again, as `requests.adapters.HTTPAdapter` takes it: a number, or an
    ///         `urllib3.Retry`. What the proxy refuses is asked for once (400 to 499, 509).
    ///     pool_connections: Of how many sites connections are kept.
    ///     pool_maxsize: How many connections are kept for each.
    ///     pool_block: Whether there may be no more than these.
    ///     verify: A file or directory of CA certificates for sites, or whether to verify at all; by default what
    ///         `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` says, and else requests' own.
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

    /// An adapter of requests, to be mounted for `http://` and `https://` on a `requests.Session` that there is already, or on one of a
    /// class derived from it (cloudscraper, requests-cache): it then goes through the proxy as `requests_session` does, whatever the
    /// environment says of proxies. Where the session asks for another proxy, the request fails.
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
    ///     verify: As for `requests_session`, where neither the session nor the request says anything else.
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

    /// An `urllib3.ProxyManager` that goes through the proxy. It sends the proxy what is for the proxy, and every answer
    /// has the exit IP in its header `X-ProxyMesh-IP`. A `CONNECT` that the proxy refuses (400 to 499, 509) is sent once.
    ///
    /// Args:
    ///     options: What `ProxyManager` takes besides, such as `ca_certs` or `timeout`.
    #[pyo3(signature = (**options: "Any") -> "ProxyManager")]
    fn urllib3<'py>(
        slf: &Bound<'py, Self>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "urllib3", options)
    }

    /// An `httpx.Proxy`, for `httpx.Client(proxy=…)`, `httpx.AsyncClient(proxy=…)`, `httpx.get(…, proxy=…)` and
    /// `httpx.HTTPTransport(proxy=…)`. The requests of a client take no proxy: httpx has it that way. The exit IP is in the answer's
    /// header `X-ProxyMesh-IP` for an http target; for an https one it is in httpx's trace of the CONNECT.
    #[pyo3(signature = () -> "HttpxProxy")]
    fn httpx<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "httpx", None)
    }

    /// For `session.get(…, **proxy.aiohttp())`, and in the same way for `ClientSession`, `ws_connect` and `aiohttp.request`. That of
    /// a request goes before that of its session. The exit IP is in the answer's header `X-ProxyMesh-IP` for an http target;
    /// aiohttp shows nothing of the answer to a CONNECT.
    ///
    /// Its `proxy` is a name for this process alone. What does not know it, such as another process, fails and sends nothing.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn aiohttp<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "aiohttp", None)
    }

    /// For `curl_cffi.requests.get(…, **proxy.curl_cffi())`, and in the same way for `Session`, `AsyncSession`, their requests,
    /// `stream` and `ws_connect`. That of a request goes before that of its session. The exit IP is in the answer's header
    /// `X-ProxyMesh-IP` for an http target.
    ///
    /// Its `proxy` is a name for this process alone, as that of `aiohttp`. Before curl_cffi 0.13 each request has a connection of
    /// its own.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn curl_cffi<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "curl_cffi", None)
    }

    /// For a Scrapy request's `meta`: the URL, such that Scrapy sends the credentials in UTF-8. For all of a project's requests, for
    /// tokens, and to choose the exit, there is `proxymesh.scrapy`.
    ///
    /// Raises:
    ///     ConfigError: It has a token or steers the exit, which need headers.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn scrapy_meta<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "scrapy_meta", None)
    }

    /// For Playwright's `launch(proxy=…)`, `new_context(proxy=…)` and `new_page(proxy=…)` of a browser: `server`, `username` and
    /// `password`. A page of a context takes none.
    ///
    /// Raises:
    ///     ConfigError: It has a token or steers the exit: a browser sends a proxy no headers.
    #[pyo3(signature = () -> "PlaywrightProxy")]
    fn playwright<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "playwright", None)
    }

    /// A `selenium.webdriver.Proxy`, for `options.proxy`, on a machine whose IP is authorised.
    ///
    /// Elsewhere the browser has to be told the password by WebDriver BiDi, with `options.enable_bidi = True`. The first page has to be
    /// opened by it, too, as with `driver.get` Chrome waits until its time limit. Chrome remembers the answer; if the handler stayed,
    /// sites that ask for a password would get this one.
    ///
    ///     options.proxy = proxy.using().selenium()
    ///     driver = webdriver.Chrome(options=options)
    ///     handler = driver.network.add_auth_handler(username, password)
    ///     driver.browsing_context.navigate(driver.current_window_handle, url, wait="complete")
    ///     driver.network.remove_auth_handler(handler)
    ///
    /// `driver.get` does not tell that a proxy refuses: `check` does.
    ///
    /// Raises:
    ///     ConfigError: It has credentials, which browsers do not take there, or steers the exit.
    #[pyo3(signature = () -> "SeleniumProxy")]
    fn selenium<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "selenium", None)
    }

    /// Environment variables by which most programs find a proxy: `http_proxy`, `https_proxy`, and both in capitals. They hold
    /// the password.
    ///
    /// Raises:
    ///     ConfigError: It has a token or steers the exit, which need headers.
    #[pyo3(signature = () -> "dict[str, str]")]
    fn env<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        adapted(slf, "env", None)
    }

    /// The username and password, for the adapters.
    #[pyo3(signature = () -> "tuple[str, str] | None")]
    fn _username_and_password(&self) -> Option<(&str, &str)> {
        let (username, password) = self.credentials.as_ref()?.username_and_password()?;
        Some((username, password.expose_secret()))
    }

    /// Host and port as a dict that `json.dumps` takes, with what `steer` was given, if it was. Credentials are left out.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("host", self.host())?;
        dict.set_item("port", self.port())?;
        if !self.exit.is_empty() {
            dict.set_item("steer", self.steered(py)?.into_py_dict(py)?)?;
        }
        Ok(dict)
    }

    fn __str__(&self) -> String {
        self.core.to_string()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut shown = format!("Proxy(host='{}', port={})", self.host(), self.port());
        match self.credentials.as_ref().map(Credentials::username_and_password) {
            None => {}
            Some(None) => shown.push_str(".using(token='[redacted]')"),
            Some(Some((username, _))) => {
                let username = PyString::new(py, username).repr()?;
                shown.push_str(&format!(".using({username}, '[redacted]')"));
            }
        }
        if !self.exit.is_empty() {
            let mut wishes = Vec::new();
            for (name, value) in self.steered(py)? {
                wishes.push(format!("{name}={}", value.repr()?));
            }
            shown.push_str(&format!(".steer({})", wishes.join(", ")));
        }
        Ok(shown)
    }

    #[pyo3(signature = () -> "tuple[Any, ...]")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, this) = (slf.py(), slf.get());
        if this.credentials.is_some() {
            let reason = "a Proxy with credentials is not pickled, because they are secret; pickle it without, \
                          proxy.using(), and give them again";
            return Err(PyTypeError::new_err(reason));
        }
        let plain = (slf.get_type(), (this.host(), this.port()));
        if this.exit.is_empty() {
            return plain.into_pyobject(py);
        }
        let steer = this.steered(py)?.into_py_dict(py)?;
        let again = py.import("operator")?.call_method("methodcaller", ("steer",), Some(&steer))?;
        let plain = Bound::new(py, Self::from(this.core.clone()))?;
        (again, (plain,)).into_pyobject(py)
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

impl Proxy {
    /// What `steer` was given.
    fn steered<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let mut given = Vec::new();
        if let Some(country) = self.exit.wanted_country() {
            given.push(("country", PyString::new(py, country).into_any()));
        }
        if let Some(ip) = self.exit.preferred_ip() {
            given.push(("prefer_ip", PyString::new(py, &ip.to_string()).into_any()));
        }
        let not_ips = self.exit.unwanted_ips();
        if !not_ips.is_empty() {
            let texts = not_ips.iter().map(ToString::to_string);
            given.push(("not_ip", PyTuple::new(py, texts.collect::<Vec<_>>())?.into_any()));
        }
        Ok(given)
    }
}
