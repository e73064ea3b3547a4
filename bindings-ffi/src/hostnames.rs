//! `/api/hostname…`

use crate::calls::calls;
use proxymesh::binding::of;

calls! {
    /// Authorises a hostname: `POST /api/hostname/add/`. If the response is lost, the client looks the hostname up. The call
    /// succeeds if the hostname is there.
    ///
    /// # Arguments
    ///
    /// * `domain`: The hostname, such as `crawler.example.com`.
    /// * `username`: The sub-account to authorise it for; by default, your own account.
    ///
    /// # Returns
    ///
    /// The hostname.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The hostname is already authorised.
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    /// * `OutcomeUnknown`: The response was lost, and `username` was given. A sub-account's hostnames cannot be
    ///   looked up.
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
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    /// * `OutcomeUnknown`: The response was lost, and `username` was given. A sub-account's hostnames cannot be
    ///   looked up.
    fn hostnames_delete(account, domain: String, username: Option<String>) -> () {
        of(account.hostnames(), username.as_deref())?.delete(domain.as_str())
    }

    /// Lists your own authorised hostnames: `GET /api/hostnames/`. The service does not list a sub-account's hostnames.
    fn hostnames_list(account) -> Vec<String> {
        account.hostnames().list()
    }
}
