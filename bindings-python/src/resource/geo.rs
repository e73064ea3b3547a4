//! `client.geo`: `/api/geoips/…`

use super::handle;
use pyo3::prelude::*;

handle! {
    /// Exit IPs per country code, for the proxies that let a country be picked. From `client.geo`.
    Geo, AsyncGeo {
        /// Exit IPs per country code of the `open` proxy: `GET /api/geoips/open/`.
        #[pyo3(signature = () -> "dict[str, int]")]
        fn open(py, caller) {
            caller.geo().open()
        }

        /// Exit IPs per country code of the `world` proxy: `GET /api/geoips/world/`.
        #[pyo3(signature = () -> "dict[str, int]")]
        fn world(py, caller) {
            caller.geo().world()
        }
    }
}
