//! The native module of the Python package `proxymesh`: it converts types, and holds no meaning of its own.
//!
//! The doc comments are the package's docstrings, and the annotations in the signatures its type hints: the
//! stub `_proxymesh.pyi` is generated from them (`make stubs`).

mod asyncio;
mod blocking;
mod client;
mod error;
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

/// The native part of proxymesh. Import from `proxymesh` instead.
#[pymodule]
mod _proxymesh {
    #[pymodule_export]
    use super::client::{AsyncClient, Client};
    #[pymodule_export]
    use super::model::{LabeledIp, NewToken, ProxiedRequest, ProxyCheck, RecordedRequest, SubAccount, Token};
    #[pymodule_export]
    use super::proxy::Proxy;
    #[pymodule_export]
    use super::resource::{
        AsyncGeo, AsyncHostnames, AsyncIps, AsyncProxies, AsyncSubAccounts, AsyncTokens, Geo, Hostnames, Ips,
        Proxies, SubAccounts, Tokens,
    };
    #[pymodule_export]
    use super::sandbox::{Sandbox, sandbox_main};

    #[pymodule_export]
    use super::{leave_interpreter, meaning_of, remember_process};

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
