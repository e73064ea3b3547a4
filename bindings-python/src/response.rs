//! Converts the results of the core's calls into Python objects.

use crate::{
    call::Response,
    model::{LabeledIp, NewToken, ProxyCheck, SubAccount, Token},
    proxy::Proxy,
};
use proxymesh::{
    GeoCounts,
    binding::{ip_text, write_ip},
};
use pyo3::{
    IntoPyObjectExt,
    prelude::*,
    types::{PyList, PyString},
};
use std::net::IpAddr;

/// Implements `Response` by converting a result into something that pyo3 can turn into a Python object.
macro_rules! answers {
    ($( $core:ty $([needs $module:literal])?, |$py:ident, $response:ident| $python:expr; )*) => {
        $( impl Response for $core {
            $( const MODULE: Option<&'static str> = Some($module); )?

            fn into_python(self, $py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
                let $response = self;
                $python.into_bound_py_any($py)
            }
        } )*
    };
}

answers! {
    (), |py, _nothing| py.None();
    String, |py, text| text;
    Vec<String>, |py, texts| texts;
    IpAddr, |py, ip| ip_text(&ip);
    Vec<IpAddr>, |py, ips| addresses(py, &ips)?;
    Vec<proxymesh::LabeledIp>, |py, ips| PyList::new(py, ips.into_iter().map(LabeledIp::from))?;
    Vec<proxymesh::Proxy>, |py, proxies| PyList::new(py, proxies.into_iter().map(Proxy::from))?;
    proxymesh::SubAccount, |py, account| SubAccount::from(account);
    proxymesh::Token [needs "datetime"], |py, token| Token::from_core(py, &token)?;
    Vec<proxymesh::Token> [needs "datetime"], |py, tokens| tokens.iter().map(|token| Token::from_core(py, token)).collect::<PyResult<Vec<_>>>()?;
    proxymesh::NewToken [needs "datetime"], |py, token| NewToken::from_core(py, &token)?;
    GeoCounts, |py, counts| counts;
    proxymesh::Check, |py, check| ProxyCheck::from(check);
}

fn addresses<'py>(py: Python<'py>, ips: &[IpAddr]) -> PyResult<Bound<'py, PyList>> {
    let mut text = String::new();
    let addresses = ips.iter().map(|ip| {
        write_ip(ip, &mut text);
        PyString::new(py, &text)
    });
    PyList::new(py, addresses)
}
