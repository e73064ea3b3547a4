//! `/api/geoips/…`: how many exit IPs there are in each country.

use super::{Call, Endpoint, Mismatch, Params, json};
use crate::model::GeoCounts;

/// `GET /api/geoips/open/`
pub struct Open;

impl Endpoint for Open {
    type Response = GeoCounts;
    const CALL: &'static Call = &Call::get("geo.open", "/api/geoips/open/");

    fn params(&self, _params: &mut Params) {}

    fn decode(body: &[u8]) -> Result<GeoCounts, Mismatch> {
        json(body)
    }
}

/// `GET /api/geoips/world/`
pub struct World;

impl Endpoint for World {
    type Response = GeoCounts;
    const CALL: &'static Call = &Call::get("geo.world", "/api/geoips/world/");

    fn params(&self, _params: &mut Params) {}

    fn decode(body: &[u8]) -> Result<GeoCounts, Mismatch> {
        json(body)
    }
}
