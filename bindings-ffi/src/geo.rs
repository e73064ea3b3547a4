//! `/api/geoips/…`

use crate::{BlockingClient, Client, calls::calls};
use std::collections::HashMap;

calls! {
    /// Exit IPs per country code of the open proxy: `GET /api/geoips/open/`.
    fn geo_open(account) -> HashMap<String, i64> {
        account.geo().open()
    }

    /// Exit IPs per country code of the world proxy: `GET /api/geoips/world/`.
    fn geo_world(account) -> HashMap<String, i64> {
        account.geo().world()
    }
}
