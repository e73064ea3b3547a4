//! The handles of a client, one file a resource. Each call is written once, for `Client` and `AsyncClient`.

mod geo;
mod hostnames;
mod ips;
mod proxies;
mod sub_accounts;
mod tokens;

pub(crate) use geo::{AsyncGeo, Geo};
pub(crate) use hostnames::{AsyncHostnames, Hostnames};
pub(crate) use ips::{AsyncIps, Ips};
pub(crate) use proxies::{AsyncProxies, Proxies};
pub(crate) use sub_accounts::{AsyncSubAccounts, SubAccounts};
pub(crate) use tokens::{AsyncTokens, Tokens};

use crate::error::exception;
use proxymesh::Error;
use pyo3::{prelude::*, types::PyString};

/// Raises the core's errors about input.
fn checked<T>(py: Python<'_>, result: proxymesh::Result<T>) -> PyResult<T> {
    result.map_err(|error| exception(py, &error))
}

/// Text for `field`. What no UTF-8 can hold is bad input like any other, and is not left to Python's own
/// `UnicodeEncodeError`: that carries the whole text, which may be a password.
pub(crate) fn text<'a>(
    py: Python<'_>,
    field: &'static str,
    value: &'a Bound<'_, PyString>,
) -> PyResult<&'a str> {
    value.to_str().map_err(|_| {
        let reason = "holds a lone surrogate, which is no character".to_owned();
        exception(py, &Error::Validation { field, reason })
    })
}

/// A whole number for `field`. What is none, or fits in no integer of the service, is bad input like any other.
pub(crate) fn whole(py: Python<'_>, field: &'static str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    value.extract().map_err(|_| {
        let reason = "is not a whole number, or not one in range".to_owned();
        exception(py, &Error::Validation { field, reason })
    })
}

/// The handle of a resource, for both kinds of client. The expression of a call gives the core's reply to it. What is no
/// call stands in `also`, for each kind.
macro_rules! handle {
    (
        $(#[$attribute:meta])*
        $blocking:ident, $awaited:ident {
            $(
                $(#[$method_attribute:meta])*
                fn $method:ident($py:ident, $caller:ident $(, $argument:ident: $type:ty )* $(,)?) $body:block
            )*
        }
        $( also { $($in_blocking:tt)* } { $($in_awaited:tt)* } )?
    ) => {
        handle! {
            @$blocking, $crate::blocking::Blocking, $( #[$attribute] )* ;
            $( $( #[$method_attribute] )* $method, $py, $caller, { $( $argument: $type, )* }, $body; )*
            $( + { $($in_blocking)* } )?
        }
        handle! {
            @$awaited, $crate::asyncio::Awaited, $( #[$attribute] )* ;
            $( $( #[$method_attribute] )* $method, $py, $caller, { $( $argument: $type, )* }, $body; )*
            $( + { $($in_awaited)* } )?
        }
    };
    (
        @$name:ident, $mode:ty, $(#[$attribute:meta])* ;
        $(
            $(#[$method_attribute:meta])*
            $method:ident, $py:ident, $caller:ident, { $( $argument:ident: $type:ty, )* }, $body:block;
        )*
        $( + { $($also:tt)* } )?
    ) => {
        $(#[$attribute])*
        #[pyclass(frozen, module = "proxymesh")]
        pub(crate) struct $name(pub(crate) std::sync::Arc<$crate::client::Shared<$mode>>);

        #[pymethods]
        impl $name {
            $(
                $(#[$method_attribute])*
                #[allow(clippy::too_many_arguments)]
                fn $method<'py>(&self, $py: Python<'py> $(, $argument: $type )*) -> PyResult<Bound<'py, PyAny>> {
                    let name = concat!(stringify!($name), ".", stringify!($method));
                    $crate::client::Caller::<'py, $mode>::make($py, &self.0, name, |$caller| Ok($body))
                }
            )*

            $( $($also)* )?
        }
    };
}
use handle;
