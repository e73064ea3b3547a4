//! `proxymesh.ProxyPool` and `proxymesh.AsyncProxyPool`: the core's pool for both kinds of client.

use crate::{
    asyncio::{Awaited, Call},
    blocking::Blocking,
    call::{Caller, Response, Shared},
    error::{Failure, Result},
    input::text,
    log,
    model::{ProxyCheck, ProxyStats},
    proxy::{Named, Proxy},
    setting,
};
use proxymesh::{
    Outcome, Report,
    binding::{self, HandedOut, Pool, PoolParts, Wanted, seconds},
};
use pyo3::{
    Borrowed,
    exceptions::{PyBaseException, PyTypeError},
    prelude::*,
    types::{PyBool, PyDict, PyInt, PyString},
};
use std::sync::Arc;

/// One or more countries.
#[derive(FromPyObject)]
pub(crate) enum Countries<'py> {
    #[pyo3(transparent, annotation = "str")]
    One(Bound<'py, PyString>),
    #[pyo3(transparent, annotation = "Iterable[str]")]
    Several(Bound<'py, PyAny>),
}

impl Countries<'_> {
    fn codes(&self) -> Result<Vec<String>> {
        let code = |code: &Bound<'_, PyString>| Ok(text("country", code)?.to_owned());
        match self {
            Self::One(one) => Ok(vec![code(one)?]),
            Self::Several(several) => {
                several.try_iter()?.map(|one| code(one?.cast::<PyString>().map_err(PyErr::from)?)).collect()
            }
        }
    }
}

/// The arguments of `proxies.pool()`.
pub(crate) fn options(
    country: Option<&Countries<'_>>,
    exclude: Option<&Bound<'_, PyAny>>,
    order: &str,
    ttl: f64,
    cooldown: f64,
    credentials: bool,
    rotating: bool,
) -> Result<Arc<Pool>> {
    let countries = country.map(Countries::codes).transpose()?;
    let mut excluded = Vec::new();
    for proxy in exclude.map(|proxies| proxies.try_iter()).transpose()?.into_iter().flatten() {
        excluded.push(proxy?.extract::<Named<'_>>()?.host()?);
    }
    let (ttl, cooldown) = (Some(ttl), Some(cooldown));
    let parts = PoolParts { countries, exclude: excluded, order, ttl, cooldown, credentials, rotating };
    Ok(Arc::new(Pool::new(parts.check()?)))
}

/// How a request went.
enum Reported<'py> {
    /// Nothing was said about it.
    Success,
    Given(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Reported<'py> {
    type Error = PyErr;

    fn extract(outcome: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::Given(outcome.to_owned()))
    }
}

impl Reported<'_> {
    fn report(&self, latency: Option<f64>, bytes: u64) -> Result<Report> {
        let (outcome, measured) = match self {
            Self::Success => (Outcome::Success, None),
            Self::Given(outcome) => given(outcome)?,
        };
        Ok(binding::report(outcome, latency.or(measured), bytes)?)
    }
}

/// The outcome, and the latency of a check.
fn given(outcome: &Bound<'_, PyAny>) -> Result<(Outcome, Option<f64>)> {
    if outcome.is_none() || outcome.is_instance_of::<PyBaseException>() {
        return Ok((Outcome::Failure, None));
    }
    let success = |is_true| if is_true { Outcome::Success } else { Outcome::Failure };
    if let Ok(given) = outcome.cast::<PyBool>() {
        return Ok((success(given.is_true()), None));
    }
    if outcome.is_instance_of::<PyInt>() {
        // A number that is not a status is a failure, like 0.
        return Ok((Outcome::Status(outcome.extract().unwrap_or(0)), None));
    }
    if let Ok(check) = outcome.cast::<ProxyCheck>() {
        let ProxyCheck { ok, latency, .. } = check.get();
        return Ok((success(*ok), ok.then_some(*latency)));
    }
    let given = outcome.get_type().name()?;
    let reason = format!("outcome must be bool, a status, an exception, a ProxyCheck or None, not {given}");
    Err(PyTypeError::new_err(reason).into())
}

impl Response for HandedOut {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        if let Some(warning) = self.warning() {
            log::warn(py, warning)?;
        }
        Ok(Bound::new(py, Proxy::from(self.proxy))?.into_any())
    }
}

impl Response for proxymesh::Proxy {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        Ok(Bound::new(py, Proxy::from(self))?.into_any())
    }
}

macro_rules! pool {
    ($(#[$attribute:meta])* $name:ident($mode:ty) { $($get:tt)* }) => {
        $(#[$attribute])*
        #[pyclass(frozen, module = "proxymesh")]
        pub(crate) struct $name {
            shared: Arc<Shared<$mode>>,
            pool: Arc<Pool>,
        }

        impl $name {
            pub(crate) fn new(shared: &Arc<Shared<$mode>>, pool: Arc<Pool>) -> Self {
                Self { shared: shared.clone(), pool }
            }

            fn wanted(&self, country: Option<&Countries<'_>>, blocking: bool) -> Result<Wanted> {
                let codes = country.map(Countries::codes).transpose()?;
                let codes = codes.as_deref().map(|codes| codes.iter().map(String::as_str));
                Ok(self.pool.wanted(codes, blocking)?)
            }
        }

        #[pymethods]
        impl $name {
            $($get)*

            /// Reports how a request through a proxy went. After a failure, the proxy is left out for the cooldown. Each failure
            /// after that doubles the cooldown, up to 16 times the first. Failures that are reported during a cooldown do not
            /// extend it. A success resets the cooldown to its first length, but does not end one that has begun. A proxy that
            /// the pool does not know is ignored.
            ///
            /// Args:
            ///     proxy: The proxy that was handed out. Its credentials and its exit choice do not matter.
            ///     outcome: `True`, the default, and a `ProxyCheck` that is `ok` are successes. `False`, an exception and `None`
            ///         (no response) are failures. A status is a failure if it is 402, 403, 407, 429, or 500 and above. Such a
            ///         status usually comes from the proxy, or from a site that blocks it. A number below 100 is not a status, so
            ///         it counts as a failure.
            ///     latency: The seconds until the response arrived. It counts for the order `fastest`. A `ProxyCheck` has its own.
            ///     bytes: How many bytes were transferred. The pool only adds them up.
            ///
            /// Returns:
            ///     The seconds for which the proxy is now left out. `None` if it is not left out, or if it was already.
            ///
            /// Raises:
            ///     TypeError: The proxy or the outcome is of another type.
            ///     ValidationError: The latency is not a number of seconds.
            #[pyo3(signature = (
                proxy: "Proxy",
                outcome: "bool | int | BaseException | ProxyCheck | None" = Reported::Success,
                *,
                latency: "float | None" = None,
                bytes: "int" = 0,
            ) -> "float | None")]
            fn report(
                &self,
                proxy: &Bound<'_, PyAny>,
                outcome: Reported<'_>,
                latency: Option<f64>,
                bytes: u64,
            ) -> Result<Option<f64>> {
                let Ok(handed_out) = proxy.cast::<Proxy>() else {
                    let given = proxy.get_type().name()?;
                    return Err(PyTypeError::new_err(format!("proxy must be a Proxy, not {given}")).into());
                };
                let report = outcome.report(latency, bytes)?;
                Ok(self.pool.report(&handed_out.get().core, report).map(|cooldown| cooldown.as_secs_f64()))
            }

            /// The proxies that are cooling down, with the remaining seconds.
            #[pyo3(signature = () -> "dict[Proxy, float]")]
            fn cooling<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let cooling = PyDict::new(py);
                for stats in self.pool.stats() {
                    if let Some(seconds) = stats.cooling {
                        cooling.set_item(Proxy::from(stats.proxy), seconds.as_secs_f64())?;
                    }
                }
                Ok(cooling)
            }

            /// The proxies that the pool hands out, from the last list, and what the pool knows about each. Empty until the list has
            /// been fetched.
            #[pyo3(signature = () -> "dict[Proxy, ProxyStats]")]
            fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let all = PyDict::new(py);
                for stats in self.pool.stats() {
                    all.set_item(Proxy::from(stats.proxy.clone()), ProxyStats::from(stats))?;
                }
                Ok(all)
            }

            /// The proxies that the pool hands out, from the last list. Empty until the list has been fetched.
            #[getter]
            fn proxies(&self) -> Vec<Proxy> {
                self.pool.stats().into_iter().map(|stats| stats.proxy.into()).collect()
            }

            /// Whether the list of proxies has been fetched.
            #[getter]
            fn listed(&self) -> bool {
                self.pool.is_listed()
            }

            fn __repr__(&self) -> String {
                let stats = self.pool.stats();
                let cooling = stats.iter().filter(|stats| stats.cooling.is_some()).count();
                let countries = self.pool.countries().map(|codes| format!(" country={}", codes.join(",")));
                let (name, proxies) = (stringify!($name), stats.len());
                format!("<proxymesh.{name}{} proxies={proxies} cooling={cooling}>", countries.unwrap_or_default())
            }
        }
    };
}

pool! {
    /// Hands out the account's proxies in turn. `client.proxies.pool()` creates it.
    ///
    /// Any number of threads may share one.
    ///
    ///     >>> from proxymesh.sandbox import Sandbox
    ///     >>> with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
    ///     ...     pool = client.proxies.pool()
    ///     ...     proxy = pool.get()
    ///     ...     pool.report(proxy, proxy.check())
    ProxyPool(Blocking) {
        /// Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than `ttl`. One
        /// caller at a time fetches it. A signal handler may call this, too.
        ///
        /// Args:
        ///     country: One or more two-letter codes. The proxy has exit IPs in one of these countries. They override the pool's
        ///         countries.
        ///
        /// Raises:
        ///     PoolExhaustedError: All proxies are cooling down, or the account has no authorised proxy.
        ///     ValidationError: No proxy has exit IPs in the countries, all are excluded, or a code is invalid.
        ///     ProxyMeshError: The list could not be fetched, and there is no older one.
        #[pyo3(signature = (*, country: "str | Iterable[str] | None" = None) -> "Proxy")]
        fn get<'py>(&self, py: Python<'py>, country: Option<Countries<'_>>) -> Result<Bound<'py, PyAny>> {
            let wanted = self.wanted(country.as_ref(), true)?;
            if let Some(proxy) = self.pool.at_once(&wanted) {
                return Ok(Bound::new(py, Proxy::from(proxy?))?.into_any());
            }
            let caller = Caller::<Blocking>::new(py, &self.shared)?;
            let next = self.pool.next(&caller.client, &wanted);
            Ok(caller.wait("proxies.list", async { Ok(next.await?) })?.into_python(py)?)
        }

        /// Returns the next proxy, which then holds one exit IP; see `Proxy.session`. If a proxy does not work, the pool tries the
        /// next one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a proxy that does not respond, or
        /// that reports an error of its own, for the cooldown.
        ///
        /// Args:
        ///     country: As for `get`.
        ///     target: As for `Proxy.session`.
        ///     timeout: The time limit for each proxy, in seconds.
        ///
        /// Raises:
        ///     ProxyMeshError: The errors of `get` and of `Proxy.session`. If no proxy works, it is the error of the last one.
        #[pyo3(signature = (
            *,
            country: "str | Iterable[str] | None" = None,
            target: "str" = "proxymesh.com:443",
            timeout: "float" = 10.0,
        ) -> "Proxy")]
        fn session<'py>(
            &self,
            py: Python<'py>,
            country: Option<Countries<'_>>,
            target: &str,
            #[pyo3(from_py_with = setting::timeout)] timeout: f64,
        ) -> Result<Bound<'py, PyAny>> {
            let (wanted, timeout) = (self.wanted(country.as_ref(), true)?, seconds("timeout", timeout)?);
            let caller = Caller::<Blocking>::new(py, &self.shared)?;
            let session = self.pool.session(&caller.client, &wanted, target, timeout);
            Ok(caller.wait("proxies.session", async { Ok(session.await?) })?.into_python(py)?)
        }
    }
}

pool! {
    /// A `ProxyPool` for asyncio. `proxies.pool()` of an `AsyncClient` creates it. Any number of tasks may share one.
    AsyncProxyPool(Awaited) {
        /// Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than `ttl`. One
        /// task at a time fetches it.
        ///
        /// Args:
        ///     country: One or more two-letter codes. The proxy has exit IPs in one of these countries. They override the pool's
        ///         countries.
        ///
        /// Raises:
        ///     PoolExhaustedError: All proxies are cooling down, or the account has no authorised proxy.
        ///     ValidationError: No proxy has exit IPs in the countries, all are excluded, or a code is invalid.
        ///     ProxyMeshError: The list could not be fetched, and there is no older one.
        #[pyo3(signature = (*, country: "str | Iterable[str] | None" = None) -> "Coroutine[Any, Any, Proxy]")]
        fn get<'py>(&self, py: Python<'py>, country: Option<Countries<'_>>) -> Result<Bound<'py, PyAny>> {
            const NAME: &str = "AsyncProxyPool.get";
            let made = self.wanted(country.as_ref(), false).and_then(|wanted| {
                if let Some(proxy) = self.pool.at_once(&wanted) {
                    let proxy = Proxy::from(proxy?);
                    return Ok(Call::at_once(NAME, |py| Ok(Py::new(py, proxy)?.into_any())));
                }
                let Caller { client, log, .. } = Caller::<Awaited>::new(py, &self.shared)?;
                let pool = self.pool.clone();
                let next = async move { pool.next(&client, &wanted).await };
                Ok(Call::of(NAME, "proxies.list", log, Box::pin(next)))
            });
            let made = made.unwrap_or_else(|failure: Failure| Call::at_once(NAME, move |_| Err(failure.into())));
            Ok(Bound::new(py, made)?.into_any())
        }

        /// Returns the next proxy, which then holds one exit IP; see `Proxy.asession`. If a proxy does not work, the pool tries the
        /// next one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a proxy that does not respond, or
        /// that reports an error of its own, for the cooldown.
        ///
        /// Args:
        ///     country: As for `get`.
        ///     target: As for `Proxy.session`.
        ///     timeout: The time limit for each proxy, in seconds.
        ///
        /// Raises:
        ///     ProxyMeshError: The errors of `get` and of `Proxy.session`. If no proxy works, it is the error of the last one.
        #[pyo3(signature = (
            *,
            country: "str | Iterable[str] | None" = None,
            target: "str" = "proxymesh.com:443",
            timeout: "float" = 10.0,
        ) -> "Coroutine[Any, Any, Proxy]")]
        fn session<'py>(
            &self,
            py: Python<'py>,
            country: Option<Countries<'_>>,
            target: &str,
            #[pyo3(from_py_with = setting::timeout)] timeout: f64,
        ) -> Result<Bound<'py, PyAny>> {
            const NAME: &str = "AsyncProxyPool.session";
            let made = self.wanted(country.as_ref(), false).and_then(|wanted| {
                let timeout = seconds("timeout", timeout)?;
                let Caller { client, log, .. } = Caller::<Awaited>::new(py, &self.shared)?;
                let (pool, target) = (self.pool.clone(), target.to_owned());
                let session = async move { pool.session(&client, &wanted, &target, timeout).await };
                Ok(Call::of(NAME, "proxies.session", log, Box::pin(session)))
            });
            let made = made.unwrap_or_else(|failure: Failure| Call::at_once(NAME, move |_| Err(failure.into())));
            Ok(Bound::new(py, made)?.into_any())
        }
    }
}
