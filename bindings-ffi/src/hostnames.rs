//! `/api/hostname…`

use crate::{BlockingClient, Client, calls::calls};
use proxymesh::binding::of;

calls! {
    /// Authorises a hostname: `POST /api/hostname/add/`. Gives the hostname.
    fn hostnames_add(account, domain: String, username: Option<String>) -> String {
        of(account.hostnames(), username.as_deref())?.add(domain.as_str())
    }

    /// Takes a hostname away: `POST /api/hostname/delete/`.
    fn hostnames_delete(account, domain: String, username: Option<String>) -> () {
        of(account.hostnames(), username.as_deref())?.delete(domain.as_str())
    }

    /// The caller's authorised hostnames: `GET /api/hostnames/`.
    fn hostnames_list(account) -> Vec<String> {
        account.hostnames().list()
    }
}
