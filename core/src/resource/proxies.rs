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
    via: &'a D,
}

impl<'a, D: Dispatch> Proxies<'a, D> {
    /// The handle for a client.
    pub fn new(via: &'a D) -> Self {
        Self { via }
    }

    /// The proxies that the account may use: `GET /api/proxies/`.
    pub fn list(&self) -> D::Reply<Vec<Proxy>> {
        self.via.dispatch(Ok(List))
    }

    /// Authorises a proxy for the account, named as `us-ca`, `us-ca.proxymesh.com` or `domain:port`:
    /// `POST /api/proxy/add/`. Returns its domain. If the proxy is already authorised, the call changes nothing and
    /// succeeds.
    ///
    /// Errors: [`Error::BadRequest`] for an unknown proxy, [`Error::PlanLimit`] when the plan allows no more,
    /// [`Error::Server`] (503) when the plan could not be looked up: try again in a few minutes.
    pub fn add<P>(&self, proxy: P) -> D::Reply<String>
    where
        P: TryInto<ProxyHost>,
        Error: From<P::Error>,
    {
        self.via.dispatch(proxy.try_into().map_err(Error::from).map(Add))
    }

    /// Deauthorises a proxy: `POST /api/proxy/delete/`. If the proxy is not authorised, the call changes nothing and
    /// succeeds.
    ///
    /// Errors: [`Error::BadRequest`] for an unknown proxy.
    pub fn delete<P>(&self, proxy: P) -> D::Reply<()>
    where
        P: TryInto<ProxyHost>,
        Error: From<P::Error>,
    {
        self.via.dispatch(proxy.try_into().map_err(Error::from).map(Delete))
    }
}
