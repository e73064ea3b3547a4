//! hyper-util: a connector for its client.

use crate::{
    Error, Result,
    proxy::{
        Proxy,
        adapter::{headers, not_rotating},
    },
};
use hyper::{Uri, http::uri::Scheme};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use std::task::{Context, Poll};
use tower_service::Service;

/// A connector for hyper-util's client, which opens a tunnel through a proxy. [`Proxy::hyper_util`] returns it.
#[derive(Clone, Debug)]
pub struct ProxyTunnel<C>(Tunnel<C>);

impl Proxy {
    /// A connector for [hyper-util's client](hyper_util::client::legacy::Client). `connector` connects to the proxy, and is usually
    /// an `HttpConnector`. Needs the feature `hyper-util`.
    ///
    /// It opens a tunnel for each connection, even to an http page (docs/assumptions.md, A28). The credentials and the exit
    /// choice are sent only with the `CONNECT`, so no site gets them. For https pages, put the TLS connector around this one, as
    /// in `HttpsConnectorBuilder::wrap_connector` of hyper-rustls. Without it, an https page is requested without TLS.
    ///
    /// The client keeps a tunnel open for later requests to the same site, which then have the same exit IP. To open a new tunnel
    /// for each request, create the client with `pool_max_idle_per_host(0)`. The connector alone cannot do that, so it refuses a
    /// [rotating](Self::rotating) proxy. hyper-util does not show the proxy's response, so a request does not fail if the proxy has
    /// lost the exit IP of a [session](Self::session).
    ///
    /// ```
    /// # fn main() -> proxymesh::Result<()> {
    /// use hyper_util::{client::legacy::{Client, connect::HttpConnector}, rt::TokioExecutor};
    /// use proxymesh::{Credentials, ExitChoice, Proxy};
    ///
    /// let proxy = Proxy::at("open.proxymesh.com", None)?.using(Credentials::basic("me@ex.com", "secret")?);
    /// let proxy = proxy.steer(ExitChoice::new().country("DE")?)?;
    /// let connector = proxy.hyper_util(HttpConnector::new())?;
    /// let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    /// # let _: Client<_, String> = client;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the credentials or the address cannot be sent. [`Error::Validation`] with the field `rotating` if the proxy
    /// rotates.
    pub fn hyper_util<C>(&self, connector: C) -> Result<ProxyTunnel<C>> {
        not_rotating(self, "create the client with pool_max_idle_per_host(0)")?;
        let address =
            self.plain_url().parse().map_err(|_| Error::config("the proxy's address is not a URL"))?;
        Ok(ProxyTunnel(Tunnel::new(address, connector).with_headers(headers(self)?)))
    }
}

impl<C> Service<Uri> for ProxyTunnel<C>
where
    Tunnel<C>: Service<Uri>,
{
    type Response = <Tunnel<C> as Service<Uri>>::Response;
    type Error = <Tunnel<C> as Service<Uri>>::Error;
    type Future = <Tunnel<C> as Service<Uri>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        self.0.call(with_port(target))
    }
}

/// An http URL with its port, because `Tunnel` would use 443 for every URL without one.
fn with_port(target: Uri) -> Uri {
    let is_complete = target.scheme() != Some(&Scheme::HTTP) || target.port().is_some();
    let Some(host) = target.host().filter(|_| !is_complete) else { return target };
    format!("http://{host}:80/").parse().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_url_has_port_80_unless_it_says_otherwise() {
        for (target, complete) in [
            ("http://site.test/a", "http://site.test:80/"),
            ("http://[::1]/", "http://[::1]:80/"),
            ("http://site.test:8080/", "http://site.test:8080/"),
            ("https://site.test/", "https://site.test/"),
        ] {
            assert_eq!(with_port(Uri::from_static(target)), complete);
        }
    }
}
