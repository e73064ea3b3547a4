//! `/api/ip…`

use crate::{BlockingClient, Client, calls::calls, model::LabeledIp};
use proxymesh::binding::{new_ip, of};

calls! {
    /// Authorises an IP: `POST /api/ip/add/`. Gives the IP.
    fn ips_add(account, ip: String, label: Option<String>, username: Option<String>) -> String {
        of(account.ips(), username.as_deref())?.add(new_ip(&ip, label.as_deref())?)
    }

    /// Takes an IP away: `POST /api/ip/delete/`.
    fn ips_delete(account, ip: String, username: Option<String>) -> () {
        of(account.ips(), username.as_deref())?.delete(ip.as_str())
    }

    /// The authorised IPs: `GET /api/ips/`.
    fn ips_list(account, username: Option<String>) -> Vec<String> {
        of(account.ips(), username.as_deref())?.list()
    }

    /// The authorised IPs with their labels: `GET /api/ip_labels/`.
    fn ips_labels(account, username: Option<String>) -> Vec<LabeledIp> {
        of(account.ips(), username.as_deref())?.labels()
    }
}
