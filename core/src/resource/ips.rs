//! `/api/ip…`

use super::Dispatch;
use crate::{
    endpoint::ip::{Add, Delete, Labels, List},
    error::{Error, Result},
    model::{IpAddress, LabeledIp, NewIp, Username},
};
use std::net::IpAddr;

/// IPs that may use the proxies without credentials, at most 100 per account.
#[derive(Clone, Debug)]
pub struct Ips<'a, D> {
    pub(crate) via: &'a D,
    pub(crate) owner: Option<Username>,
}

impl<'a, D: Dispatch> Ips<'a, D> {
    /// Creates a handle that sends its calls with `via`.
    pub fn new(via: &'a D) -> Self {
        Self { via, owner: None }
    }

    /// Returns a handle for the IPs of a sub-account. Only the parent account may use it. Its calls fail with
    /// [`Error::PermissionDenied`] if the sub-account is not yours, and with [`Error::NotFound`] if it does not exist.
    ///
    /// ```no_run
    /// # fn example(client: proxymesh::blocking::Client) -> proxymesh::Result<()> {
    /// let ips = client.ips().of("crawler-1")?.list()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `username` if it breaks a rule.
    pub fn of<U>(&self, username: U) -> Result<Self>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        Ok(Self { via: self.via, owner: Some(username.try_into()?) })
    }

    /// Authorises an IP: `POST /api/ip/add/`. Takes a [`NewIp`], an [`IpAddr`] or text. Returns the address.
    ///
    /// If the response is lost, the client looks the IP up. The call succeeds if the IP is there.
    ///
    /// Errors: [`Error::BadRequest`] if the IP is already authorised, or if the account already has 100.
    pub fn add<N>(&self, ip: N) -> D::Reply<IpAddr>
    where
        N: TryInto<NewIp>,
        Error: From<N::Error>,
    {
        let new = ip.try_into().map_err(Error::from);
        self.via.dispatch(new.map(|new| Add { new, owner: self.owner.clone() }))
    }

    /// Deauthorises an IP: `POST /api/ip/delete/`. Takes an [`IpAddr`] or text.
    ///
    /// Errors: [`Error::BadRequest`] if the IP is not authorised.
    pub fn delete<I>(&self, ip: I) -> D::Reply<()>
    where
        I: TryInto<IpAddress>,
        Error: From<I::Error>,
    {
        let ip = ip.try_into().map_err(Error::from);
        self.via.dispatch(ip.map(|IpAddress(ip)| Delete { ip, owner: self.owner.clone() }))
    }

    /// Lists the authorised IPs: `GET /api/ips/`.
    pub fn list(&self) -> D::Reply<Vec<IpAddr>> {
        self.via.dispatch(Ok(List { owner: self.owner.clone() }))
    }

    /// Lists the authorised IPs with their labels: `GET /api/ip_labels/`.
    pub fn labels(&self) -> D::Reply<Vec<LabeledIp>> {
        self.via.dispatch(Ok(Labels { owner: self.owner.clone() }))
    }
}
