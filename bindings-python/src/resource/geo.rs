//! `client.geo`: `/api/geoips/…`

use crate::client::Shared;
use pyo3::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

/// Exit IPs per country code, for the proxies that let a country be picked. From `Client.geo`.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct Geo(pub(crate) Arc<Shared>);

#[pymethods]
impl Geo {
    /// Exit IPs per country code of the `open` proxy: `GET /api/geoips/open/`.
    #[pyo3(signature = () -> "dict[str, int]")]
    fn open(&self, py: Python<'_>) -> PyResult<BTreeMap<String, u64>> {
        self.0.caller(py)?.geo().open()
    }

    /// Exit IPs per country code of the `world` proxy: `GET /api/geoips/world/`.
    #[pyo3(signature = () -> "dict[str, int]")]
    fn world(&self, py: Python<'_>) -> PyResult<BTreeMap<String, u64>> {
        self.0.caller(py)?.geo().world()
    }
}
