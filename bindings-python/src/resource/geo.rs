//! `client.geo`: `/api/geoips/…`

use super::handle;
use pyo3::prelude::*;

handle! {
    /// The number of exit IPs in each country, for the proxies that can choose a country. See `client.geo`.
    Geo, AsyncGeo {
        /// Counts the exit IPs of the `open` proxy in each country: `GET /api/geoips/open/`.
        ///
        /// Returns:
        ///     The number of exit IPs for each country code, such as `US`.
        #[pyo3(signature = () -> "dict[str, int]")]
        fn open(py, caller) {
            caller.geo().open()
        }

        /// Counts the exit IPs of the `world` proxy in each country: `GET /api/geoips/world/`.
        ///
        /// Returns:
        ///     The number of exit IPs for each country code, such as `US`.
        #[pyo3(signature = () -> "dict[str, int]")]
        fn world(py, caller) {
            caller.geo().world()
        }
    }
}
