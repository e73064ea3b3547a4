//! `/api/ip…`

use crate::{BlockingClient, Client, calls::calls, model::LabeledIp};
use proxymesh::binding::{new_ip, of};

calls! {
    /// Authorises an IP address: `POST /api/ip/add/`. If the response is lost, the call looks the address up: it succeeds if the
    /// address is there.
    ///
    /// # Arguments
    ///
    /// * `ip`: The address, IPv4 or IPv6.
    /// * `label`: A note to keep with it, at most 255 characters.
    /// * `username`: The sub-account that it is for; by default, your own account.
    ///
    /// # Returns
    ///
    /// The address.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The address is already authorised, or the account already has 100.
    /// * `PermissionDenied`: A username was given, and you are not the parent account.
    fn ips_add(account, ip: String, label: Option<String>, username: Option<String>) -> String {
        of(account.ips(), username.as_deref())?.add(new_ip(&ip, label.as_deref())?)
    }

    /// Deauthorises an IP address: `POST /api/ip/delete/`.
    ///
    /// # Arguments
    ///
    /// * `ip`: The address.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The address is not authorised.
    /// * `PermissionDenied`: A username was given, and you are not the parent account.
    fn ips_delete(account, ip: String, username: Option<String>) -> () {
        of(account.ips(), username.as_deref())?.delete(ip.as_str())
    }

    /// Lists the authorised IP addresses: `GET /api/ips/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The sub-account to list; by default, your own account. Only the parent account may name one.
    fn ips_list(account, username: Option<String>) -> Vec<String> {
        of(account.ips(), username.as_deref())?.list()
    }

    /// Lists the authorised IP addresses with their labels: `GET /api/ip_labels/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The sub-account to list; by default, your own account. Only the parent account may name one.
    fn ips_labels(account, username: Option<String>) -> Vec<LabeledIp> {
        of(account.ips(), username.as_deref())?.labels()
    }
}
