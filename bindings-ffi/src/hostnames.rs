//! `/api/hostname…`

use crate::{BlockingClient, Client, calls::calls};
use proxymesh::binding::of;

calls! {
    /// Authorises a hostname: `POST /api/hostname/add/`.
    ///
    /// # Arguments
    ///
    /// * `domain`: The hostname, such as `crawler.example.com`.
    /// * `username`: The sub-account that it is for; by default, your own account.
    ///
    /// # Returns
    ///
    /// The hostname.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The hostname is already authorised.
    /// * `OutcomeUnknown`: The response was lost, and the hostname is a sub-account's, so the call could not look it up.
    fn hostnames_add(account, domain: String, username: Option<String>) -> String {
        of(account.hostnames(), username.as_deref())?.add(domain.as_str())
    }

    /// Deauthorises a hostname: `POST /api/hostname/delete/`.
    ///
    /// # Arguments
    ///
    /// * `domain`: The hostname.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The hostname is not authorised.
    /// * `OutcomeUnknown`: The response was lost, and the hostname is a sub-account's, so the call could not look it up.
    fn hostnames_delete(account, domain: String, username: Option<String>) -> () {
        of(account.hostnames(), username.as_deref())?.delete(domain.as_str())
    }

    /// Lists your own authorised hostnames: `GET /api/hostnames/`. The service does not list those of a sub-account.
    fn hostnames_list(account) -> Vec<String> {
        account.hostnames().list()
    }
}
