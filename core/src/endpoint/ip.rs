//! `/api/ip…`: IP addresses that may use the proxies without credentials.

use super::{
    Call, Endpoint, Finding, Found, Mismatch, NOT_THE_PARENT, Params, ReadBack, Replay, json, nothing,
};
use crate::model::{IpList, LabeledIp, LabeledIpList, NewIp, Username};
use serde::Deserialize;
use std::net::IpAddr;

const FIND_OUT: &str = "check with ips.list";

/// `POST /api/ip/add/`
pub struct Add {
    /// The IP to authorise, and its label.
    pub new: NewIp,
    /// The sub-account to authorise it for; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Add {
    type Response = IpAddr;
    const CALL: &'static Call = &Call::post("ips.add", "/api/ip/add/", Replay::Verifiable)
        .documented(NOT_THE_PARENT)
        .already_applied(&[400])
        .recovery_hint(FIND_OUT);

    fn params(&self, params: &mut Params) {
        params.add("ip", self.new.ip);
        params.add_some("username", self.owner.as_ref());
        params.add_some("label", self.new.label.as_ref());
    }

    fn decode(body: &[u8]) -> Result<IpAddr, Mismatch> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with ip")]
        struct Added {
            ip: IpAddr,
        }
        json(body).map(|Added { ip }| ip)
    }

    fn read_back(&self) -> Option<ReadBack<IpAddr>> {
        let (owner, ip) = (self.owner.clone(), self.new.ip);
        match self.new.label.clone() {
            None => ReadBack::with(&List { owner }, move |found| match found {
                Found::Response(ips) => Finding::confirmed_if(ips.contains(&ip).then_some(ip)),
                Found::Nothing => Finding::Unclear,
            }),
            // An IP with another label was there before, so this request was not carried out.
            Some(label) => ReadBack::with(&Labels { owner }, move |found| match found {
                Found::Response(ips) => {
                    let wished = |there: &LabeledIp| there.ip == ip && there.label == label.as_str();
                    Finding::confirmed_if(ips.iter().any(wished).then_some(ip))
                }
                Found::Nothing => Finding::Unclear,
            }),
        }
    }
}

/// `POST /api/ip/delete/`
pub struct Delete {
    /// The address to deauthorise.
    pub ip: IpAddr,
    /// The sub-account that it belongs to; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Delete {
    type Response = ();
    const CALL: &'static Call = &Call::post("ips.delete", "/api/ip/delete/", Replay::Verifiable)
        .documented(NOT_THE_PARENT)
        .already_applied(&[400])
        .recovery_hint(FIND_OUT);

    fn params(&self, params: &mut Params) {
        params.add("ip", self.ip);
        params.add_some("username", self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<(), Mismatch> {
        nothing(body)
    }

    fn read_back(&self) -> Option<ReadBack<()>> {
        let ip = self.ip;
        ReadBack::with(&List { owner: self.owner.clone() }, move |found| match found {
            Found::Response(ips) => Finding::confirmed_if((!ips.contains(&ip)).then_some(())),
            Found::Nothing => Finding::Unclear,
        })
    }
}

/// `GET /api/ips/`
pub struct List {
    /// The sub-account whose IPs to list; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for List {
    type Response = Vec<IpAddr>;
    const CALL: &'static Call = &Call::get("ips.list", "/api/ips/").documented(NOT_THE_PARENT);

    fn params(&self, params: &mut Params) {
        params.add_some("username", self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<Vec<IpAddr>, Mismatch> {
        json(body).map(|IpList { ips }| ips)
    }
}

/// `GET /api/ip_labels/`
pub struct Labels {
    /// The sub-account whose IPs to list; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Labels {
    type Response = Vec<LabeledIp>;
    const CALL: &'static Call = &Call::get("ips.labels", "/api/ip_labels/").documented(NOT_THE_PARENT);

    fn params(&self, params: &mut Params) {
        params.add_some("username", self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<Vec<LabeledIp>, Mismatch> {
        json(body).map(|LabeledIpList(labels)| labels)
    }
}
