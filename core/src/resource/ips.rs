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
    via: &'a D,
    owner: Option<Username>,
}

impl<'a, D: Dispatch> Ips<'a, D> {
    /// The handle for a client.
    pub fn new(via: &'a D) -> Self {
        Self { via, owner: None }
    }

    /// The IPs of a sub-account instead of the caller's own. For the parent account only.
    ///
    /// ```no_run
    /// # fn example(client: proxymesh::blocking::Client) -> proxymesh::Result<()> {
    /// let ips = client.ips().of("crawler-1")?.list()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `username`.
    pub fn of<U>(&self, username: U) -> Result<Self>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        Ok(Self { via: self.via, owner: Some(username.try_into()?) })
    }

    /// Authorises an IP, v4 or v6: `POST /api/ip/add/`. Takes a [`NewIp`], an [`IpAddr`], or text. Returns the
    /// IP.
    ///
    /// If the response is lost, the client looks the IP up. The call succeeds if it is there.
    ///
    /// Errors: [`Error::BadRequest`] for an IP that is already authorised, and for the 101st IP.
    pub fn add<N>(&self, ip: N) -> D::Reply<IpAddr>
    where
        N: TryInto<NewIp>,
        Error: From<N::Error>,
    {
        let new = ip.try_into().map_err(Error::from);
        self.via.dispatch(new.map(|new| Add { new, owner: self.owner.clone() }))
    }

    /// Deauthorises an IP: `POST /api/ip/delete/`. Takes an [`IpAddr`], or text.
    ///
    /// Errors: [`Error::BadRequest`] for an IP that is not authorised.
    pub fn delete<I>(&self, ip: I) -> D::Reply<()>
    where
        I: TryInto<IpAddress>,
        Error: From<I::Error>,
    {
        let ip = ip.try_into().map_err(Error::from);
        self.via.dispatch(ip.map(|IpAddress(ip)| Delete { ip, owner: self.owner.clone() }))
    }

    /// The authorised IPs: `GET /api/ips/`.
    pub fn list(&self) -> D::Reply<Vec<IpAddr>> {
        self.via.dispatch(Ok(List { owner: self.owner.clone() }))
    }

    /// The authorised IPs with their labels: `GET /api/ip_labels/`.
    pub fn labels(&self) -> D::Reply<Vec<LabeledIp>> {
        self.via.dispatch(Ok(Labels { owner: self.owner.clone() }))
    }
}
