//! `/api/prox…`

use crate::{BlockingClient, Client, calls::calls, proxy::Proxy};

calls! {
    /// The proxies that the account may use: `GET /api/proxies/`.
    fn proxies_list(account) -> Vec<Proxy> {
        account.proxies().list()
    }

    /// Authorises the account for a proxy: `POST /api/proxy/add/`. Gives its domain.
    fn proxies_add(account, proxy: String) -> String {
        account.proxies().add(proxy.as_str())
    }

    /// Takes the authorisation for a proxy away: `POST /api/proxy/delete/`.
    fn proxies_delete(account, proxy: String) -> () {
        account.proxies().delete(proxy.as_str())
    }
}
