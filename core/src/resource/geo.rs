//! `/api/geoips/…`

use super::Dispatch;
use crate::{
    endpoint::geo::{Open, World},
    model::GeoCounts,
};

/// The number of exit IPs in each country, for the proxies that can choose a country.
#[derive(Clone, Debug)]
pub struct Geo<'a, D> {
    via: &'a D,
}

impl<'a, D: Dispatch> Geo<'a, D> {
    /// Creates a handle that sends its calls with `via`.
    pub fn new(via: &'a D) -> Self {
        Self { via }
    }

    /// Counts the exit IPs of the `open` proxy in each country: `GET /api/geoips/open/`.
    pub fn open(&self) -> D::Reply<GeoCounts> {
        self.via.dispatch(Ok(Open))
    }

    /// Counts the exit IPs of the `world` proxy in each country: `GET /api/geoips/world/`.
    pub fn world(&self) -> D::Reply<GeoCounts> {
        self.via.dispatch(Ok(World))
    }
}
