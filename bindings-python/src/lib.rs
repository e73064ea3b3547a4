//! The native module of the Python package `proxymesh`: it converts types, and holds no meaning of its own.
//!
//! The doc comments are the package's docstrings, and the annotations in the signatures its type hints: the
//! stub `_proxymesh.pyi` is generated from them (`make stubs`).

mod answer;
mod asyncio;
mod blocking;
mod call;
mod client;
mod error;
mod input;
#[cfg(not(feature = "stubs"))]
mod interpreter;
mod log;
mod model;
mod proxy;
mod resource;
mod sandbox;
mod setting;

use pyo3::prelude::*;

/// To be called when the package is imported, and in every process forked from then on.
#[pyfunction]
#[pyo3(signature = () -> "None")]
fn remember_process() {
    proxymesh::process::remember_id();
}

/// To be called before the interpreter exits: no thread of the package has to do with it from then on.
#[pyfunction]
#[pyo3(signature = () -> "None")]
fn leave_interpreter(py: Python<'_>) {
    asyncio::Waker::stop(py);
}

/// What it means that a proxy answers with this status, and what to do about it: as `ProxyCheck.meaning` has it.
#[pyfunction]
#[pyo3(signature = (status: "int") -> "str")]
fn meaning_of(status: u16) -> &'static str {
    proxymesh::Check::meaning_of(status)
}

/// The module of the exceptions: the same for as long as the process runs, so that what is raised is caught, even by who has
/// imported the package again.
#[pyfunction]
#[pyo3(signature = () -> "ModuleType")]
fn exceptions(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    error::module(py).cloned()
}

/// Writes the module twice. The generator of stubs knows only a declared one; but what is declared makes all classes before it
/// can refuse an interpreter, and a class lives in the interpreter that made it.
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
        crate::model::LabeledIp,
        crate::model::NewToken,
        crate::model::ProxiedRequest,
        crate::model::ProxyCheck,
        crate::model::RecordedRequest,
        crate::model::SubAccount,
        crate::model::Token,
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
