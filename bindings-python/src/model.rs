//! The values that calls return: frozen, comparable, hashable, readable.

use proxymesh::{
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
    /// A sub-account with its usage and its limits.
    SubAccount {
        /// The username. The sub-account logs in with it.
        username: String,
        /// Whether it may use the proxies. The proxies respond with 402 to a deactivated sub-account.
        active: bool,
        /// Gigabytes used in this billing period.
        monthly_bandwidth: f64,
        /// Gigabytes used in total; at least `monthly_bandwidth`.
        total_bandwidth: f64,
        /// Gigabytes that it may use per billing period; 0 means no limit. Set it with `monthly_limit`.
        monthly_bandwidth_limit: u64,
        /// Gigabytes that it may use in total; 0 means no limit. Set it with `total_limit`.
        total_bandwidth_limit: u64,
        /// First name, if one was ever set.
        first_name: Option<String>,
        /// Last name, if one was ever set.
        last_name: Option<String>,
        /// E-mail address, if one was ever set.
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
        /// The address.
        ip: String,
        /// The label; empty if it has none.
        label: String,
    }
    secret: None,
    module: "proxymesh",
}

impl From<proxymesh::LabeledIp> for LabeledIp {
    fn from(core: proxymesh::LabeledIp) -> Self {
        Self { ip: core.ip.to_string(), label: core.label }
    }
}

model! {
    /// A token, without its secret value.
    Token {
        /// The ID, for the other token calls.
        id: i64,
        /// The label; empty if it has none.
        label: String,
        /// Whether the token can be used.
        is_active: bool,
        /// The date on which it expires; `None` if it never does.
        expires_at: Option<Py<PyDate>>,
        /// When it was created, in UTC.
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
    /// A newly created token with its secret value. The service shows the secret only once, so store it now.
    ///
    /// `repr` redacts the secret, and `pickle` refuses the token.
    NewToken {
        /// The ID, for the other token calls.
        id: i64,
        /// The label; empty if it has none.
        label: String,
        /// Whether the token can be used.
        is_active: bool,
        /// The date on which it expires; `None` if it never does.
        expires_at: Option<Py<PyDate>>,
        /// When it was created, in UTC.
        created_at: Py<PyDateTime>,
        /// The secret, `pm_…`. Use it for `Client(token=…)`, and for the proxies as `Proxy-Authorization: Bearer`.
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
    /// How a proxy responded to one CONNECT. From `proxy.check()`.
    ProxyCheck {
        /// Whether you can use the proxy: it returned 200.
        ok: bool,
        /// Whether it responded at all.
        reachable: bool,
        /// The status of its response; `None` if it did not respond.
        status: Option<u16>,
        /// The exit IP, from `X-ProxyMesh-IP`.
        exit_ip: Option<String>,
        /// Seconds from the start of the connection to the response or the failure.
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
            latency: core.latency.as_secs_f64(),
            meaning: core.meaning,
        }
    }
}

model! {
    /// A request that one of the sandbox's proxies received. Credentials and cookies are shown as `***`.
    ProxiedRequest {
        /// Counts from 1 since the start or the last reset.
        number: u64,
        /// The proxy's name, such as `us-ca`.
        proxy: String,
        /// The method: `CONNECT` for an https target.
        method: String,
        /// `host:port` for `CONNECT`, a URL for any other method.
        target: String,
        /// The headers that the proxy received, with lower-case names.
        headers: BTreeMap<String, String>,
        /// The kind of credentials: `basic`, `bearer`, `none` or `other`.
        auth: String,
        /// The account that the traffic belongs to, if one was recognised.
        account: Option<String>,
        /// The exit IP, if the request was let through.
        exit_ip: Option<String>,
        /// The country that the request asked for and got.
        country: Option<String>,
        /// The status of the response; `None` if there is none, or none yet.
        status: Option<u16>,
        /// Bytes sent to and received from the target so far, as counted against the account.
        bytes: u64,
        /// The kind of the fault that was applied, if any.
        fault: Option<String>,
    }
    secret: None,
    module: "proxymesh.sandbox",
}

model! {
    /// An API call as the sandbox saw it. Passwords are shown as `***`.
    RecordedRequest {
        /// Counts from 1 since the start or the last reset.
        number: u64,
        /// The method.
        method: String,
        /// The path, without the query.
        path: String,
        /// The query parameters, decoded.
        query: BTreeMap<String, String>,
        /// The form parameters, decoded.
        form: BTreeMap<String, String>,
        /// The `Content-Type` header, if any.
        content_type: Option<String>,
        /// The kind of credentials: `basic`, `bearer`, `none` or `other`.
        auth: String,
        /// The username of `basic` credentials.
        username: Option<String>,
        /// The status of the response; `None` if there is none, or none yet.
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
