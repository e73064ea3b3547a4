//! The handles of a client, one file per resource. Each call is defined once for both `Client` and `AsyncClient`.

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

use crate::{error::Result, input::some_text};
use proxymesh::binding::{self, Handle};
use pyo3::{prelude::*, types::PyString};

/// The handle, narrowed to the named sub-account if there is one.
fn of<H: Handle>(handle: H, username: Option<&Bound<'_, PyString>>) -> Result<H::Narrowed> {
    Ok(binding::of(handle, some_text("username", username)?)?)
}

/// The handle of a resource, for both kinds of client. A call's expression evaluates to the core's reply. Methods that are not
/// calls go into `also`, once per kind.
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
        pub(crate) struct $name(pub(crate) std::sync::Arc<$crate::call::Shared<$mode>>);

        #[pymethods]
        impl $name {
            $(
                $(#[$method_attribute])*
                #[allow(clippy::too_many_arguments)]
                fn $method<'py>(&self, $py: Python<'py> $(, $argument: $type )*) -> $crate::error::Result<Bound<'py, PyAny>> {
                    let name = concat!(stringify!($name), ".", stringify!($method));
                    $crate::call::Caller::<'py, $mode>::make($py, &self.0, name, |$caller| Ok($body))
                }
            )*

            $( $($also)* )?
        }
    };
}
use handle;
