//! reqwest: a client whose requests go through a proxy.
//!
//! For an https page, reqwest sends the headers of its `Proxy` on the `CONNECT`. For an http page it adds them to the request, and a
//! redirect repeats the headers of a request. So after a redirect from an http page to an https page, the site gets the exit
//! choice. reqwest 0.12 also sends it the credentials, if both URLs have the same port. Only the redirect policy can prevent
//! this, and a finished client cannot change its policy. So the adapters return clients, and no `reqwest::Proxy`.

use crate::{
    Error, Result,
    proxy::{Proxy, adapter::headers},
};
use hyper::header::{HeaderMap, PROXY_AUTHORIZATION};
use reqwest::Url;

/// Which redirects a client may follow.
#[derive(Clone, Copy)]
struct Redirects {
    /// Whether the proxy needs headers.
    headers: bool,
    /// Whether credentials are among them.
    credentials: bool,
}

impl Redirects {
    fn with(headers: &HeaderMap) -> Self {
        Self { headers: !headers.is_empty(), credentials: headers.contains_key(PROXY_AUTHORIZATION) }
    }

    /// Refuses a redirect after which headers would reach the site, or would not reach the proxy.
    fn check(self, from: &Url, to: &Url) -> Result<()> {
        let problem = match (from.scheme(), to.scheme()) {
            _ if !self.headers => return Ok(()),
            ("https", "https") => return Ok(()),
            ("http", "http") if !self.credentials || from.origin() == to.origin() => return Ok(()),
            ("http", "http") => "reqwest would not send the credentials to the proxy",
            ("http", _) => "reqwest would send the proxy's headers to the site",
            _ => "reqwest would not send the proxy's headers to the proxy",
        };
        let reason = format!("{problem} after the redirect from {from} to {to}; request {to} yourself");
        Err(Error::validation("redirect", reason))
    }
}

/// Writes the adapter for one kind of client of one version of reqwest.
macro_rules! adapter {
    ($method:ident, $reqwest:ident $(:: $blocking:ident)?, $feature:literal, $example:literal) => {
        impl Proxy {
            #[doc = concat!("A client of reqwest whose requests go through this proxy. Needs the feature `", $feature, "`.")]
            ///
            /// `builder` holds your other settings. Its proxies and its redirect policy are replaced. A request follows at most
            /// `redirects` redirects. With `0`, redirects are not followed, and you get the redirect response. Do not set a Unix
            /// socket, a named pipe or HTTP/3, because reqwest then uses no proxy.
            ///
            /// The credentials and the exit choice go to the proxy: on the `CONNECT` for an https page, and on the request itself
            /// for an http page, where the proxy removes them. Some redirects fail, because reqwest would send the credentials or
            /// the exit choice to the site, or would not send them to the proxy. If the proxy has credentials or an exit choice,
            /// these are the redirects between http and https. If it has credentials, a redirect from an http page to an http
            /// page of another site fails too. The source of the error is an [`Error::Validation`] with the new URL, which you
            /// can then request.
            ///
            /// The client keeps a tunnel open for later requests to the same site, which then have the same exit IP. If the proxy
            /// [rotates](Self::rotating), each request opens a new tunnel and uses HTTP/1.1. Requests for http pages have no tunnel,
            /// so each may have a different exit IP. reqwest does not show the response to a `CONNECT`, so a
            /// request does not fail if the proxy has lost the exit IP of a [session](Self::session).
            ///
            /// ```
            #[doc = concat!("# use ", stringify!($reqwest), " as reqwest;")]
            /// # fn main() -> proxymesh::Result<()> {
            /// # let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
            /// use proxymesh::{Credentials, ExitChoice, Proxy};
            ///
            /// let proxy = Proxy::at("open.proxymesh.com", None)?.using(Credentials::bearer("pm_token")?);
            /// let proxy = proxy.steer(ExitChoice::new().country("DE")?)?;
            #[doc = $example]
            /// # let _ = client;
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            ///
            /// [`Error::Config`] if reqwest cannot create the client.
            pub fn $method(
                &self,
                builder: $reqwest $(:: $blocking)? ::ClientBuilder,
                redirects: usize,
            ) -> Result<$reqwest $(:: $blocking)? ::Client> {
                use $reqwest::redirect::Policy;

                let headers = headers(self)?;
                let allowed = Redirects::with(&headers);
                let limit = Policy::limited(redirects);
                let policy = Policy::custom(move |attempt| {
                    match attempt.previous().last().map_or(Ok(()), |from| allowed.check(from, attempt.url())) {
                        Ok(()) => limit.redirect(attempt),
                        Err(refused) => attempt.error(refused),
                    }
                });
                let policy = if redirects == 0 { Policy::none() } else { policy };
                let failed = |error| Error::config(format!("reqwest cannot create the client: {error:?}"));
                let proxy = $reqwest::Proxy::all(self.plain_url()).map_err(failed)?.headers(headers);
                let builder = match self.is_rotating() {
                    // Requests at the same time would share the tunnel of an HTTP/2 connection.
                    true => builder.pool_max_idle_per_host(0).http1_only(),
                    false => builder,
                };
                // Of several proxies, reqwest uses the first one that matches.
                builder.no_proxy().proxy(proxy).redirect(policy).build().map_err(failed)
            }
        }
    };
}

#[cfg(feature = "reqwest-0-12")]
adapter!(
    reqwest_0_12,
    reqwest_0_12,
    "reqwest-0-12",
    "let client = proxy.reqwest_0_12(reqwest::Client::builder(), 10)?;"
);
#[cfg(feature = "reqwest-0-12-blocking")]
adapter!(
    reqwest_0_12_blocking,
    reqwest_0_12::blocking,
    "reqwest-0-12-blocking",
    "let client = proxy.reqwest_0_12_blocking(reqwest::blocking::Client::builder(), 10)?;"
);
#[cfg(feature = "reqwest-0-13")]
adapter!(
    reqwest_0_13,
    reqwest,
    "reqwest-0-13",
    "let client = proxy.reqwest_0_13(reqwest::Client::builder(), 10)?;"
);
#[cfg(feature = "reqwest-0-13-blocking")]
adapter!(
    reqwest_0_13_blocking,
    reqwest::blocking,
    "reqwest-0-13-blocking",
    "let client = proxy.reqwest_0_13_blocking(reqwest::blocking::Client::builder(), 10)?;"
);
