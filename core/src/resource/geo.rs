//! `/api/geoips/…`

use super::Dispatch;
use crate::{
    endpoint::geo::{Open, World},
    model::GeoCounts,
};

/// Exit IPs per country code, for the proxies that let you choose a country.
#[derive(Clone, Debug)]
pub struct Geo<'a, D> {
    via: &'a D,
}

impl<'a, D: Dispatch> Geo<'a, D> {
    /// The handle for a client.
    pub fn new(via: &'a D) -> Self {
        Self { via }
    }

    /// Exit IPs of the `open` proxy: `GET /api/geoips/open/`.
    pub fn open(&self) -> D::Reply<GeoCounts> {
        self.via.dispatch(Ok(Open))
    }

    /// Exit IPs of the `world` proxy: `GET /api/geoips/world/`.
    pub fn world(&self) -> D::Reply<GeoCounts> {
        self.via.dispatch(Ok(World))
    }
}
