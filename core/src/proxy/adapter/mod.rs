//! A proxy for an HTTP library. Each library has a file and a feature.
//!
//! An adapter sends the credentials and the exit choice to the proxy, and never to the site. If the library cannot do that, the
//! adapter refuses.

#[cfg(feature = "hyper-util")]
mod hyper_util;
#[cfg(any(feature = "reqwest-0-12", feature = "reqwest-0-13"))]
mod reqwest;
#[cfg(feature = "ureq-3")]
mod ureq;

#[cfg(feature = "hyper-util")]
pub use hyper_util::ProxyTunnel;

/// The proxy's headers, for libraries that use the crate `http`. The credentials print as `Sensitive`.
#[cfg(any(feature = "hyper-util", feature = "reqwest-0-12", feature = "reqwest-0-13"))]
fn headers(proxy: &super::Proxy) -> crate::Result<hyper::HeaderMap> {
    use hyper::header::{HeaderMap, HeaderValue, PROXY_AUTHORIZATION};

    let mut headers = HeaderMap::new();
    if let Some(credentials) = proxy.credentials() {
        headers.insert(PROXY_AUTHORIZATION, credentials.header()?);
    }
    for (name, value) in proxy.exit_headers() {
        let value = HeaderValue::try_from(value);
        headers
            .insert(name, value.map_err(|_| crate::Error::validation("exit", "cannot be sent in a header"))?);
    }
    Ok(headers)
}

/// Refuses a proxy that rotates, if its adapter cannot tell the library to open a new tunnel for each request.
#[cfg(any(feature = "hyper-util", feature = "ureq-3"))]
fn not_rotating(proxy: &super::Proxy, way_out: &str) -> crate::Result<()> {
    if proxy.is_rotating() {
        let reason = format!(
            "this adapter cannot open a new tunnel for each request; {way_out}, and do not call rotating()"
        );
        return Err(crate::Error::validation("rotating", reason));
    }
    Ok(())
}
