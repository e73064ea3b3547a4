//! `/api/prox…`: the proxies that the account may use.

use super::{Call, Endpoint, Mismatch, Params, Replay, json, nothing};
use crate::proxy::{Proxy, ProxyHost};
use serde::Deserialize;

/// `GET /api/proxies/`
pub struct List;

impl Endpoint for List {
    type Response = Vec<Proxy>;
    const CALL: &'static Call = &Call::get("proxies.list", "/api/proxies/");

    fn params(&self, _params: &mut Params) {}

    fn decode(body: &[u8]) -> Result<Vec<Proxy>, Mismatch> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with proxies")]
        struct Proxies {
            proxies: Vec<Proxy>,
        }
        json(body).map(|Proxies { proxies }| proxies)
    }
}

/// `POST /api/proxy/add/`
pub struct Add(pub ProxyHost);

impl Endpoint for Add {
    type Response = String;
    const CALL: &'static Call = &Call::post("proxies.add", "/api/proxy/add/", Replay::Idempotent)
        .recovery_hint("check with proxies.list")
        .documented(&[
            (402, "the plan does not allow more proxies"),
            (503, "the plan could not be looked up; try again in a few minutes"),
        ]);

    fn params(&self, params: &mut Params) {
        params.add("proxy", &self.0);
    }

    fn decode(body: &[u8]) -> Result<String, Mismatch> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with proxy")]
        struct Added {
            proxy: String,
        }
        json(body).map(|Added { proxy }| proxy)
    }
}

/// `POST /api/proxy/delete/`
pub struct Delete(pub ProxyHost);

impl Endpoint for Delete {
    type Response = ();
    const CALL: &'static Call = &Call::post("proxies.delete", "/api/proxy/delete/", Replay::Idempotent)
        .recovery_hint("check with proxies.list");

    fn params(&self, params: &mut Params) {
        params.add("proxy", &self.0);
    }

    fn decode(body: &[u8]) -> Result<(), Mismatch> {
        nothing(body)
    }
}
