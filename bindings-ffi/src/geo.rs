//! `/api/geoips/…`

use crate::calls::calls;
use std::collections::HashMap;

calls! {
    /// Counts the exit IPs of the `open` proxy in each country: `GET /api/geoips/open/`.
    ///
    /// # Returns
    ///
    /// The number of exit IPs for each country code, such as `US`.
    fn geo_open(account) -> HashMap<String, i64> {
        account.geo().open()
    }

    /// Counts the exit IPs of the `world` proxy in each country: `GET /api/geoips/world/`.
    ///
    /// # Returns
    ///
    /// The number of exit IPs for each country code, such as `US`.
    fn geo_world(account) -> HashMap<String, i64> {
        account.geo().world()
    }
}
