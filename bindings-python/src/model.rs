//! The values that calls return: frozen, comparable, hashable, readable.

use proxymesh::{
    binding::ip_text,
    jiff::{Timestamp, civil::Date, tz::Offset},
    secrecy::ExposeSecret,
};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDate, PyDateTime, PyDict, PyString, PyTuple, PyTzInfo},
};
use std::collections::BTreeMap;

/// A class of plain fields. Everything that Python expects of a value is derived from the list of fields.
macro_rules! model {
    (
        $(#[doc = $doc:literal])*
        $name:ident {
            $( $(#[doc = $field_doc:literal])* $field:ident: $type:ty, )*
        }
        secret: $secret:expr,
        module: $module:literal,
    ) => {
        $(#[doc = $doc])*
        #[pyclass(frozen, eq, get_all, module = $module)]
        pub(crate) struct $name {
            $( $(#[doc = $field_doc])* pub(crate) $field: $type, )*
        }

        impl $name {
            const SECRET: Option<&'static str> = $secret;

            fn fields<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
                Ok(vec![ $( (stringify!($field), (&self.$field).into_bound_py_any(py)?), )* ])
            }

            fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
                PyTuple::new(py, self.fields(py)?.into_iter().map(|(_, value)| value))
            }
        }

        /// For `==`. Comparing with another class returns NotImplemented, so that the other class can decide.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Python::attach(|py| self.values(py)?.eq(other.values(py)?)).unwrap_or(false)
            }
        }

        #[pymethods]
        impl $name {
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                PyTuple::new(py, [ $( stringify!($field), )* ])
            }

            #[new]
            #[pyo3(signature = ( $( $field ),* ))]
            #[allow(clippy::too_many_arguments)]
            fn new( $( $field: $type ),* ) -> Self {
                Self { $( $field ),* }
            }

            /// The fields as a dict for `json.dumps`. Dates and times are ISO 8601 strings.
            #[pyo3(signature = () -> "dict[str, Any]")]
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let dict = PyDict::new(py);
                for (name, value) in self.fields(py)? {
                    dict.set_item(name, plain(value)?)?;
                }
                Ok(dict)
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let mut shown = Vec::new();
                for (name, value) in self.fields(py)? {
                    if Self::SECRET == Some(name) {
                        shown.push(format!("{name}='[redacted]'"));
                    } else {
                        shown.push(format!("{name}={}", value.repr()?));
                    }
                }
                Ok(format!("{}({})", stringify!($name), shown.join(", ")))
            }

            fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
                let mut values = Vec::new();
                for (_, value) in self.fields(py)? {
                    values.push(match value.cast::<PyDict>() {
                        Ok(dict) => dict.items().to_tuple().into_any(),
                        Err(_) => value,
                    });
                }
                PyTuple::new(py, values)?.hash()
            }

            #[pyo3(signature = () -> "tuple[Any, ...]")]
            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
                if let Some(secret) = Self::SECRET {
                    return Err(PyTypeError::new_err(format!(
                        "{} cannot be pickled, because its {secret} is secret; store the {secret} separately",
                        stringify!($name),
                    )));
                }
                Ok((slf.get_type().into_any(), slf.get().values(slf.py())?))
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
    };
}

model! {
    /// A sub-account with its usage and limits.
    SubAccount {
        /// The username. The sub-account logs in with it.
        username: String,
        /// Whether it may use the proxies. The proxies respond with 402 to a deactivated sub-account.
        active: bool,
        /// The gigabytes used in this billing period.
        monthly_bandwidth: f64,
        /// The gigabytes used in total; at least `monthly_bandwidth`.
        total_bandwidth: f64,
        /// The limit per billing period in gigabytes; 0 means no limit. Set it with `monthly_limit`.
        monthly_bandwidth_limit: u64,
        /// The limit on the total usage in gigabytes; 0 means no limit. Set it with `total_limit`.
        total_bandwidth_limit: u64,
        /// The first name, if one was ever set.
        first_name: Option<String>,
        /// The last name, if one was ever set.
        last_name: Option<String>,
        /// The email address, if one was ever set.
        email: Option<String>,
    }
    secret: None,
    module: "proxymesh",
}

impl From<proxymesh::SubAccount> for SubAccount {
    fn from(core: proxymesh::SubAccount) -> Self {
        Self {
            username: core.username,
            active: core.active,
            monthly_bandwidth: core.monthly_bandwidth,
            total_bandwidth: core.total_bandwidth,
            monthly_bandwidth_limit: core.monthly_bandwidth_limit,
            total_bandwidth_limit: core.total_bandwidth_limit,
            first_name: core.first_name,
            last_name: core.last_name,
            email: core.email,
        }
    }
}

model! {
    /// An authorised IP and its label.
    LabeledIp {
        /// The address, IPv4 or IPv6.
        ip: String,
        /// The label; empty if there is none.
        label: String,
    }
    secret: None,
    module: "proxymesh",
}

impl From<proxymesh::LabeledIp> for LabeledIp {
    fn from(core: proxymesh::LabeledIp) -> Self {
        Self { ip: ip_text(&core.ip), label: core.label }
    }
}

model! {
    /// A token, without its secret.
    Token {
        /// The ID, which the other token calls take.
        id: i64,
        /// The label; empty if there is none.
        label: String,
        /// Whether it is active. A deactivated token cannot be used.
        is_active: bool,
        /// The date on which it expires; `None` means never.
        expires_at: Option<Py<PyDate>>,
        /// When it was created. The service sends no time zone, so UTC is assumed.
        created_at: Py<PyDateTime>,
    }
    secret: None,
    module: "proxymesh",
}

impl Token {
    pub(crate) fn from_core(py: Python<'_>, core: &proxymesh::Token) -> PyResult<Self> {
        Ok(Self {
            id: core.id,
            label: core.label.clone(),
            is_active: core.is_active,
            expires_at: core.expires_at.map(|expiry| date(py, expiry)).transpose()?,
            created_at: moment(py, core.created_at)?,
        })
    }
}

model! {
    /// A new token with its secret. The service shows the secret only once, so store it now.
    ///
    /// `repr` redacts the secret. The object cannot be pickled.
    NewToken {
        /// The ID, which the other token calls take.
        id: i64,
        /// The label; empty if there is none.
        label: String,
        /// Whether it is active. A deactivated token cannot be used.
        is_active: bool,
        /// The date on which it expires; `None` means never.
        expires_at: Option<Py<PyDate>>,
        /// When it was created. The service sends no time zone, so UTC is assumed.
        created_at: Py<PyDateTime>,
        /// The secret, `pm_…`. Pass it to `Client(token=…)`, or to the proxies as `Proxy-Authorization: Bearer`.
        token: Py<PyString>,
    }
    secret: Some("token"),
    module: "proxymesh",
}

impl NewToken {
    pub(crate) fn from_core(py: Python<'_>, core: &proxymesh::NewToken) -> PyResult<Self> {
        let Token { id, label, is_active, expires_at, created_at } = Token::from_core(py, &core.details)?;
        let token = PyString::new(py, core.secret.expose_secret()).unbind();
        Ok(Self { id, label, is_active, expires_at, created_at, token })
    }
}

model! {
    /// The result of one CONNECT to a proxy. `proxy.check()` returns it.
    ProxyCheck {
        /// Whether you can use the proxy: it responded with 200.
        ok: bool,
        /// Whether the proxy responded.
        reachable: bool,
        /// The status of its response; `None` if it did not respond. 200 means that it opened a tunnel.
        status: Option<u16>,
        /// The exit IP, from the header `X-ProxyMesh-IP` of the response, if it is there.
        exit_ip: Option<String>,
        /// Whether the proxy does not have the exit IP that `steer(prefer_ip=…)` asked for. It then uses another one.
        preferred_ip_is_gone: bool,
        /// Why the proxy refused, in its own words, if it says so.
        error: Option<String>,
        /// The seconds from the start of the connection to the response or the failure.
        latency: f64,
        /// What the result means, and what to do about it.
        meaning: String,
    }
    secret: None,
    module: "proxymesh",
}

impl From<proxymesh::Check> for ProxyCheck {
    fn from(core: proxymesh::Check) -> Self {
        Self {
            ok: core.ok(),
            reachable: core.reachable,
            status: core.status,
            exit_ip: core.exit_ip,
            preferred_ip_is_gone: core.preferred_ip_is_gone,
            error: core.error,
            latency: core.latency.as_secs_f64(),
            meaning: core.meaning,
        }
    }
}

model! {
    /// What a pool knows about one of its proxies. `pool.stats()` returns it.
    ProxyStats {
        /// How often the pool has handed it out.
        handed_out: u64,
        /// How many successes were reported.
        successes: u64,
        /// How many failures were reported.
        failures: u64,
        /// How many bytes were reported.
        bytes: u64,
        /// The average of the reported latencies in seconds; `None` if there is none. Newer ones count more.
        latency: Option<f64>,
        /// The seconds for which it will still be left out; `None` if it is not left out.
        cooling: Option<f64>,
    }
    secret: None,
    module: "proxymesh",
}

impl From<proxymesh::ProxyStats> for ProxyStats {
    fn from(core: proxymesh::ProxyStats) -> Self {
        Self {
            handed_out: core.handed_out,
            successes: core.successes,
            failures: core.failures,
            bytes: core.bytes,
            latency: core.latency.map(|latency| latency.as_secs_f64()),
            cooling: core.cooling.map(|cooling| cooling.as_secs_f64()),
        }
    }
}

model! {
    /// A request that one of the sandbox's proxies received.
    ProxiedRequest {
        /// The number of the request, counted from 1 since the start or the last reset.
        number: u64,
        /// The proxy's name, such as `us-ca`.
        proxy: String,
        /// The method, as sent: `CONNECT` for an https target.
        method: String,
        /// The target, as sent but without credentials: `host:port` for `CONNECT`, a URL for any other method.
        target: String,
        /// The headers that the proxy received, with lower-case names. Credentials and cookies are shown as `***`.
        headers: BTreeMap<String, String>,
        /// The kind of credentials in `Proxy-Authorization`: `basic`, `bearer`, `none` or `other`.
        auth: String,
        /// The account that the traffic counts for, if one was recognised by the credentials or by the client's IP.
        account: Option<String>,
        /// The exit IP, if the request was accepted.
        exit_ip: Option<String>,
        /// The country of the exit IP, if the proxy has exit IPs in several countries.
        country: Option<String>,
        /// The status of the response; for `CONNECT`, of the response to `CONNECT` itself. `None` if there is none yet, or none was
        /// sent.
        status: Option<u16>,
        /// The bytes sent to the target and received from it so far. They count towards the account's usage.
        bytes: u64,
        /// The kind of the fault that was applied, if any.
        fault: Option<String>,
    }
    secret: None,
    module: "proxymesh.sandbox",
}

model! {
    /// An API call, as the sandbox received it. Calls under `/_sandbox/` are not recorded. Passwords are shown as `***`.
    RecordedRequest {
        /// The number of the request, counted from 1 since the start or the last reset.
        number: u64,
        /// The method, as sent.
        method: String,
        /// The path without the query, as sent.
        path: String,
        /// The parameters of the query, decoded.
        query: BTreeMap<String, String>,
        /// The parameters of a form-encoded body, decoded.
        form: BTreeMap<String, String>,
        /// The `Content-Type` header, if any.
        content_type: Option<String>,
        /// The kind of credentials that the request had: `basic`, `bearer`, `none` or `other`.
        auth: String,
        /// The username, if the kind is `basic`.
        username: Option<String>,
        /// The status of the response; `None` if there is none yet, or none was sent.
        status: Option<u16>,
        /// The kind of the fault that was applied, if any.
        fault: Option<String>,
    }
    secret: None,
    module: "proxymesh.sandbox",
}

/// Converts a value for JSON. Dates and times become text: `datetime` is a subclass of `date`.
fn plain(value: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if value.is_instance_of::<PyDate>() { value.call_method0("isoformat") } else { Ok(value) }
}

fn date(py: Python<'_>, date: Date) -> PyResult<Py<PyDate>> {
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    PyDate::new(py, date.year().into(), month, day).map(Bound::unbind)
}

pub(crate) fn moment(py: Python<'_>, moment: Timestamp) -> PyResult<Py<PyDateTime>> {
    let utc = Offset::UTC.to_datetime(moment);
    PyDateTime::new(
        py,
        utc.year().into(),
        utc.month().unsigned_abs(),
        utc.day().unsigned_abs(),
        utc.hour().unsigned_abs(),
        utc.minute().unsigned_abs(),
        utc.second().unsigned_abs(),
        utc.subsec_nanosecond().unsigned_abs() / 1000,
        Some(&*PyTzInfo::utc(py)?),
    )
    .map(Bound::unbind)
}
