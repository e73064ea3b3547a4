//! ureq: a value for its setting `proxy`.

use crate::{
    Error, Result,
    proxy::{Proxy, adapter::not_rotating},
};
use secrecy::ExposeSecret;
use ureq::ProxyProtocol;

impl Proxy {
    /// The proxy for [ureq](ureq), for its setting [`proxy`](ureq::config::ConfigBuilder::proxy). Needs the feature `ureq-3`.
    ///
    /// ureq opens a tunnel for each connection, even to an http page (docs/assumptions.md, A28). The credentials are sent only
    /// with the `CONNECT`, so no site gets them. They can only be a username and password, and ureq cannot send an exit choice.
    ///
    /// An agent keeps a tunnel open for later requests to the same site, which then have the same exit IP. To open a new tunnel
    /// for each request, create the agent with `max_idle_connections(0)`. The proxy alone cannot do that, so a
    /// [rotating](Self::rotating) proxy is refused.
    ///
    /// ```
    /// # fn main() -> proxymesh::Result<()> {
    /// use proxymesh::{Credentials, Proxy};
    ///
    /// let proxy = Proxy::at("us-ca.proxymesh.com", None)?.using(Credentials::basic("me@ex.com", "secret")?);
    /// let config = ureq::Agent::config_builder().proxy(Some(proxy.ureq_3()?)).max_idle_connections(0);
    /// let agent = config.build().new_agent();
    /// # let _ = agent;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `token` if the credentials are a token, with the field `exit` if the proxy has an exit
    /// choice that it must be told, or with the field `rotating` if it rotates. [`Error::Config`] if ureq does not accept the address.
    pub fn ureq_3(&self) -> Result<ureq::Proxy> {
        not_rotating(self, "create the agent with max_idle_connections(0)")?;
        // ureq 3.5 has no setting for headers on its CONNECT.
        if let Some((name, _)) = self.exit_headers().first() {
            let reason = format!(
                "ureq cannot send the header {name} to a proxy; use the adapter for reqwest or hyper-util, or a proxy in the country that you want"
            );
            return Err(Error::validation("exit", reason));
        }
        let (host, port) = self.address();
        let mut proxy = ureq::Proxy::builder(ProxyProtocol::Http).host(host).port(port);
        if let Some(credentials) = self.credentials() {
            let Some((username, password)) = credentials.username_and_password() else {
                let reason = "ureq cannot send a token to a proxy; use a username and password, an authorised IP, or the adapter for \
                              reqwest or hyper-util";
                return Err(Error::validation("token", reason));
            };
            proxy = proxy.username(username).password(password.expose_secret());
        }
        proxy.build().map_err(|error| Error::config(format!("ureq does not accept the proxy: {error}")))
    }
}
