//! `/api/prox…`

use super::Dispatch;
use crate::{
    endpoint::proxy::{Add, Delete, List},
    error::Error,
    proxy::{Proxy, ProxyHost},
};

/// The proxies that the account may use.
#[derive(Clone, Debug)]
pub struct Proxies<'a, D> {
    pub(crate) via: &'a D,
}

impl<'a, D: Dispatch> Proxies<'a, D> {
    /// Creates a handle that sends its calls with `via`.
    pub fn new(via: &'a D) -> Self {
        Self { via }
    }

    /// Lists the proxies that the account may use: `GET /api/proxies/`.
    pub fn list(&self) -> D::Reply<Vec<Proxy>> {
        self.via.dispatch(Ok(List))
    }

    /// Authorises the account to use a proxy: `POST /api/proxy/add/`. If the proxy is already authorised, the call succeeds
    /// and changes nothing. Takes the host (`us-ca`), the domain (`us-ca.proxymesh.com`), `domain:port` or a [`Proxy`].
    /// Returns the domain.
    ///
    /// Errors: [`Error::BadRequest`] if there is no such proxy, [`Error::PlanLimit`] if the plan does not allow more proxies,
    /// [`Error::Server`] (503) if the service could not look up the plan. In this case, try again in a few minutes.
    pub fn add<P>(&self, proxy: P) -> D::Reply<String>
    where
        P: TryInto<ProxyHost>,
        Error: From<P::Error>,
    {
        self.via.dispatch(proxy.try_into().map_err(Error::from).map(Add))
    }

    /// Deauthorises a proxy: `POST /api/proxy/delete/`. If the proxy is not authorised, the call succeeds and changes
    /// nothing. Takes the same as [`add`](Self::add).
    ///
    /// Errors: [`Error::BadRequest`] if there is no such proxy.
    pub fn delete<P>(&self, proxy: P) -> D::Reply<()>
    where
        P: TryInto<ProxyHost>,
        Error: From<P::Error>,
    {
        self.via.dispatch(proxy.try_into().map_err(Error::from).map(Delete))
    }
}
