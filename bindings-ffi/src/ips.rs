//! `/api/ip…`

use crate::{BlockingClient, Client, calls::calls, model::LabeledIp};
use proxymesh::{
    NewIp,
    resource::{Dispatch, Ips},
};

calls! {
    /// Authorises an IP: `POST /api/ip/add/`. Gives the IP.
    fn ips_add(account, ip: String, label: Option<String>, username: Option<String>) -> String {
        of(account.ips(), username)?.add(labeled(&ip, label)?)
    }

    /// Takes an IP away: `POST /api/ip/delete/`.
    fn ips_delete(account, ip: String, username: Option<String>) -> () {
        of(account.ips(), username)?.delete(ip.as_str())
    }

    /// The authorised IPs: `GET /api/ips/`.
    fn ips_list(account, username: Option<String>) -> Vec<String> {
        of(account.ips(), username)?.list()
    }

    /// The authorised IPs with their labels: `GET /api/ip_labels/`.
    fn ips_labels(account, username: Option<String>) -> Vec<LabeledIp> {
        of(account.ips(), username)?.labels()
    }
}

/// The caller's own IPs, or a sub-account's.
fn of<D: Dispatch>(ips: Ips<'_, D>, username: Option<String>) -> proxymesh::Result<Ips<'_, D>> {
    match username {
        None => Ok(ips),
        Some(username) => ips.of(username.as_str()),
    }
}

fn labeled(ip: &str, label: Option<String>) -> proxymesh::Result<NewIp> {
    let ip = NewIp::new(ip)?;
    match label {
        None => Ok(ip),
        Some(label) => ip.label(&label),
    }
}
