//! `/api/hostname…`

use crate::{BlockingClient, Client, calls::calls};

calls! {
    /// Authorises a hostname: `POST /api/hostname/add/`. Gives the hostname.
    fn hostnames_add(account, domain: String, username: Option<String>) -> String {
        match username {
            None => account.hostnames().add(domain.as_str()),
            Some(username) => account.hostnames().of(username.as_str())?.add(domain.as_str()),
        }
    }

    /// Takes a hostname away: `POST /api/hostname/delete/`.
    fn hostnames_delete(account, domain: String, username: Option<String>) -> () {
        match username {
            None => account.hostnames().delete(domain.as_str()),
            Some(username) => account.hostnames().of(username.as_str())?.delete(domain.as_str()),
        }
    }

    /// The caller's authorised hostnames: `GET /api/hostnames/`.
    fn hostnames_list(account) -> Vec<String> {
        account.hostnames().list()
    }
}
