//! `/api/hostname…`: hostnames that may use the proxies without credentials.

use super::{
    Call, Endpoint, Finding, Found, Mismatch, NOT_THE_PARENT, Params, ReadBack, Replay, json, nothing,
};
use crate::model::{Hostname, Username};
use serde::Deserialize;

const FIND_OUT: &str = "check with hostnames.list; for a sub-account's hostname, use a client with the sub-account's credentials";

/// `POST /api/hostname/add/`
pub struct Add {
    /// The hostname to authorise.
    pub domain: Hostname,
    /// The sub-account to authorise it for; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Add {
    type Response = String;
    const CALL: &'static Call = &Call::post("hostnames.add", "/api/hostname/add/", Replay::Verifiable)
        .documented(NOT_THE_PARENT)
        .already_applied(&[400])
        .recovery_hint(FIND_OUT);

    fn params(&self, params: &mut Params) {
        params.add("domain", &self.domain);
        params.add_some("username", self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<String, Mismatch> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with domain")]
        struct Added {
            domain: String,
        }
        json(body).map(|Added { domain }| domain)
    }

    fn read_back(&self) -> Option<ReadBack<String>> {
        let domain = own(&self.domain, self.owner.as_ref())?;
        ReadBack::with(&List, move |found| match found {
            Found::Response(domains) => {
                Finding::confirmed_if(domains.into_iter().find(|there| there.eq_ignore_ascii_case(&domain)))
            }
            Found::Nothing => Finding::Unclear,
        })
    }
}

/// `POST /api/hostname/delete/`
pub struct Delete {
    /// The hostname to deauthorise.
    pub domain: Hostname,
    /// The sub-account that it belongs to; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Delete {
    type Response = ();
    const CALL: &'static Call = &Call::post("hostnames.delete", "/api/hostname/delete/", Replay::Verifiable)
        .documented(NOT_THE_PARENT)
        .already_applied(&[400])
        .recovery_hint(FIND_OUT);

    fn params(&self, params: &mut Params) {
        params.add("domain", &self.domain);
        params.add_some("username", self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<(), Mismatch> {
        nothing(body)
    }

    fn read_back(&self) -> Option<ReadBack<()>> {
        let domain = own(&self.domain, self.owner.as_ref())?;
        ReadBack::with(&List, move |found| match found {
            Found::Response(domains) => {
                let gone = !domains.iter().any(|there| there.eq_ignore_ascii_case(&domain));
                Finding::confirmed_if(gone.then_some(()))
            }
            Found::Nothing => Finding::Unclear,
        })
    }
}

/// Only the caller's own hostnames can be read back: the list takes no username.
fn own(domain: &Hostname, owner: Option<&Username>) -> Option<String> {
    owner.is_none().then(|| domain.as_str().to_owned())
}

/// `GET /api/hostnames/`
pub struct List;

impl Endpoint for List {
    type Response = Vec<String>;
    const CALL: &'static Call = &Call::get("hostnames.list", "/api/hostnames/");

    fn params(&self, _params: &mut Params) {}

    fn decode(body: &[u8]) -> Result<Vec<String>, Mismatch> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with domains")]
        struct Hostnames {
            domains: Vec<String>,
        }
        json(body).map(|Hostnames { domains }| domains)
    }
}
