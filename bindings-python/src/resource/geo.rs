//! `client.geo`: `/api/geoips/…`

use super::handle;
use pyo3::prelude::*;

handle! {
    /// Number of exit IPs per country, for the proxies that let you choose a country. From `client.geo`.
    Geo, AsyncGeo {
        /// The number of exit IPs of the `open` proxy, per country code: `GET /api/geoips/open/`.
        #[pyo3(signature = () -> "dict[str, int]")]
        fn open(py, caller) {
            caller.geo().open()
        }

        /// The number of exit IPs of the `world` proxy, per country code: `GET /api/geoips/world/`.
        #[pyo3(signature = () -> "dict[str, int]")]
        fn world(py, caller) {
            caller.geo().world()
        }
    }
}
