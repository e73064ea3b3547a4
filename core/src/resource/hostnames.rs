//! `/api/hostname…`

use super::Dispatch;
use crate::{
    endpoint::hostname::{Add, Delete, List},
    error::{Error, Result},
    model::{Hostname, Username},
};

/// Hostnames that may use the proxies without credentials.
#[derive(Clone, Debug)]
pub struct Hostnames<'a, D> {
    via: &'a D,
}

impl<'a, D: Dispatch> Hostnames<'a, D> {
    /// Creates a handle that sends its calls with `via`.
    pub fn new(via: &'a D) -> Self {
        Self { via }
    }

    /// Returns a handle for the hostnames of a sub-account. Only the parent account may use it. It has no `list`, because
    /// the service lists only your own hostnames.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `username` if it breaks a rule.
    pub fn of<U>(&self, username: U) -> Result<HostnamesOf<'a, D>>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        Ok(HostnamesOf { via: self.via, owner: Some(username.try_into()?) })
    }

    /// The caller's own hostnames, with the calls that can also be made for a sub-account.
    pub(crate) fn own(&self) -> HostnamesOf<'a, D> {
        HostnamesOf { via: self.via, owner: None }
    }

    /// Authorises a hostname: `POST /api/hostname/add/`. Returns the hostname.
    ///
    /// If the response is lost, the client looks the hostname up. The call succeeds if the hostname is there.
    ///
    /// Errors: [`Error::BadRequest`] if the hostname is already authorised.
    pub fn add<H>(&self, domain: H) -> D::Reply<String>
    where
        H: TryInto<Hostname>,
        Error: From<H::Error>,
    {
        self.own().add(domain)
    }

    /// Deauthorises a hostname: `POST /api/hostname/delete/`.
    ///
    /// Errors: [`Error::BadRequest`] if the hostname is not authorised.
    pub fn delete<H>(&self, domain: H) -> D::Reply<()>
    where
        H: TryInto<Hostname>,
        Error: From<H::Error>,
    {
        self.own().delete(domain)
    }

    /// Lists your own authorised hostnames: `GET /api/hostnames/`. The service does not list a sub-account's hostnames.
    pub fn list(&self) -> D::Reply<Vec<String>> {
        self.via.dispatch(Ok(List))
    }
}

/// The hostnames of a sub-account. They can be added and deleted, but not listed. Only the parent account may make these
/// calls.
#[derive(Clone, Debug)]
pub struct HostnamesOf<'a, D> {
    via: &'a D,
    owner: Option<Username>,
}

impl<D: Dispatch> HostnamesOf<'_, D> {
    /// Authorises a hostname for the sub-account: `POST /api/hostname/add/`. Returns the hostname.
    ///
    /// Errors: [`Error::BadRequest`] if the hostname is already authorised, [`Error::PermissionDenied`] if the sub-account is
    /// not yours, [`Error::NotFound`] if there is no such sub-account, [`Error::OutcomeUnknown`] if the response was lost. A
    /// sub-account's hostnames cannot be looked up.
    pub fn add<H>(&self, domain: H) -> D::Reply<String>
    where
        H: TryInto<Hostname>,
        Error: From<H::Error>,
    {
        let domain = domain.try_into().map_err(Error::from);
        self.via.dispatch(domain.map(|domain| Add { domain, owner: self.owner.clone() }))
    }

    /// Deauthorises a hostname of the sub-account: `POST /api/hostname/delete/`.
    ///
    /// Errors: [`Error::BadRequest`] if the hostname is not authorised, [`Error::PermissionDenied`] if the sub-account is not
    /// yours, [`Error::NotFound`] if there is no such sub-account, [`Error::OutcomeUnknown`] if the response was lost. A
    /// sub-account's hostnames cannot be looked up.
    pub fn delete<H>(&self, domain: H) -> D::Reply<()>
    where
        H: TryInto<Hostname>,
        Error: From<H::Error>,
    {
        let domain = domain.try_into().map_err(Error::from);
        self.via.dispatch(domain.map(|domain| Delete { domain, owner: self.owner.clone() }))
    }
}
