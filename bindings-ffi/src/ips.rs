//! `/api/ip…`

use crate::{calls::calls, model::LabeledIp};
use proxymesh::binding::{new_ip, of};

calls! {
    /// Authorises an IP: `POST /api/ip/add/`. If the response is lost, the client looks the IP up. The call succeeds if the
    /// IP is there.
    ///
    /// # Arguments
    ///
    /// * `ip`: The address, IPv4 or IPv6.
    /// * `label`: A note to store with it, at most 255 characters.
    /// * `username`: The sub-account to authorise it for; by default, your own account.
    ///
    /// # Returns
    ///
    /// The address.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The IP is already authorised, or the account already has 100.
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    fn ips_add(account, ip: String, label: Option<String>, username: Option<String>) -> String {
        of(account.ips(), username.as_deref())?.add(new_ip(&ip, label.as_deref())?)
    }

    /// Deauthorises an IP: `POST /api/ip/delete/`.
    ///
    /// # Arguments
    ///
    /// * `ip`: The address.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The IP is not authorised.
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    fn ips_delete(account, ip: String, username: Option<String>) -> () {
        of(account.ips(), username.as_deref())?.delete(ip.as_str())
    }

    /// Lists the authorised IPs: `GET /api/ips/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The sub-account whose IPs to list; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    fn ips_list(account, username: Option<String>) -> Vec<String> {
        of(account.ips(), username.as_deref())?.list()
    }

    /// Lists the authorised IPs with their labels: `GET /api/ip_labels/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The sub-account whose IPs to list; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    fn ips_labels(account, username: Option<String>) -> Vec<LabeledIp> {
        of(account.ips(), username.as_deref())?.labels()
    }
}
