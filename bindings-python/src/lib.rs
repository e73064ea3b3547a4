//! The native module of the Python package `proxymesh`. It converts types and has no logic of its own.
//!
//! The doc comments are the package's docstrings, and the annotations in the signatures are its type hints. The
//! stub `_proxymesh.pyi` is generated from them (`make stubs`).

mod asyncio;
mod blocking;
mod call;
mod client;
mod error;
mod input;
#[cfg(not(feature = "stubs"))]
mod interpreter;
mod lease;
mod lock;
mod log;
mod model;
mod pool;
mod proxy;
mod resource;
mod response;
mod sandbox;
mod setting;
mod threads;

use pyo3::prelude::*;

/// Call this when the package is imported, and in every process forked afterwards.
#[pyfunction]
#[pyo3(signature = () -> "None")]
fn remember_process() {
    proxymesh::process::remember_id();
}

/// Call this before the interpreter exits. Afterwards, no thread of the package uses the interpreter.
#[pyfunction]
#[pyo3(signature = () -> "None")]
fn leave_interpreter(py: Python<'_>) {
    threads::stop(py);
}

/// What this status means in a response of a proxy, and what to do about it. `ProxyCheck.meaning` has the same text.
#[pyfunction]
#[pyo3(signature = (status: "int") -> "str")]
fn meaning_of(status: u16) -> &'static str {
    proxymesh::Check::meaning_of(status)
}

/// The module of the exceptions. It stays the same as long as the process runs. So code that imports the package again still
/// catches what is raised.
#[pyfunction]
#[pyo3(signature = () -> "ModuleType")]
fn exceptions(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    error::module(py).cloned()
}

/// Defines the module twice. The stub generator understands only a declarative module. But a declarative module creates all
/// classes before it can reject an interpreter, and a class belongs to the interpreter that created it.
macro_rules! module {
    (
        $(#[doc = $doc:literal])*
        classes { $($class:path),* $(,)? }
        functions { $($function:path),* $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[cfg(feature = "stubs")]
        #[pymodule]
        mod _proxymesh {
            $( #[pymodule_export] use $class; )*
            $( #[pymodule_export] use $function; )*

            /// The version of the package.
            #[pymodule_export]
            #[allow(non_upper_case_globals)]
            const __version__: &str = env!("CARGO_PKG_VERSION");
        }

        $(#[doc = $doc])*
        #[cfg(not(feature = "stubs"))]
        #[pymodule]
        fn _proxymesh(module: &Bound<'_, PyModule>) -> PyResult<()> {
            interpreter::enter(module.py())?;
            $( module.add_class::<$class>()?; )*
            $( module.add_function(wrap_pyfunction!($function, module)?)?; )*
            module.add("__version__", env!("CARGO_PKG_VERSION"))
        }
    };
}

module! {
    /// The native part of proxymesh. Import from `proxymesh` instead.
    classes {
        crate::client::AsyncClient,
        crate::client::Client,
        crate::lease::AsyncAuthorizedIp,
        crate::lease::AsyncFollowedIp,
        crate::lease::AuthorizedIp,
        crate::lease::FollowedIp,
        crate::model::LabeledIp,
        crate::model::NewToken,
        crate::model::ProxiedRequest,
        crate::model::ProxyCheck,
        crate::model::ProxyStats,
        crate::model::RecordedRequest,
        crate::model::SubAccount,
        crate::model::Token,
        crate::pool::AsyncProxyPool,
        crate::pool::ProxyPool,
        crate::proxy::Proxy,
        crate::resource::AsyncGeo,
        crate::resource::AsyncHostnames,
        crate::resource::AsyncIps,
        crate::resource::AsyncProxies,
        crate::resource::AsyncSubAccounts,
        crate::resource::AsyncTokens,
        crate::resource::Geo,
        crate::resource::Hostnames,
        crate::resource::Ips,
        crate::resource::Proxies,
        crate::resource::SubAccounts,
        crate::resource::Tokens,
        crate::sandbox::Sandbox,
    }
    functions {
        crate::exceptions,
        crate::leave_interpreter,
        crate::meaning_of,
        crate::remember_process,
        crate::sandbox::sandbox_main,
    }
}
