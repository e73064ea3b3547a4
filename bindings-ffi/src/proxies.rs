//! `/api/prox…`

use crate::{calls::calls, proxy::Proxy};

calls! {
    /// Lists the proxies that the account may use: `GET /api/proxies/`.
    fn proxies_list(account) -> Vec<Proxy> {
        account.proxies().list()
    }

    /// Authorises the account to use a proxy: `POST /api/proxy/add/`. If the proxy is already authorised, the call succeeds
    /// and changes nothing.
    ///
    /// # Arguments
    ///
    /// * `proxy`: The host (`us-ca`), the domain (`us-ca.proxymesh.com`) or `domain:port`.
    ///
    /// # Returns
    ///
    /// The domain.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: There is no such proxy.
    /// * `PlanLimit`: The plan does not allow more proxies.
    /// * `Server`: The service could not look up the plan (503). Try again in a few minutes.
    fn proxies_add(account, proxy: String) -> String {
        account.proxies().add(proxy.as_str())
    }

    /// Deauthorises a proxy: `POST /api/proxy/delete/`. If the proxy is not authorised, the call succeeds and changes
    /// nothing.
    ///
    /// # Arguments
    ///
    /// * `proxy`: The host (`us-ca`), the domain (`us-ca.proxymesh.com`) or `domain:port`.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: There is no such proxy.
    fn proxies_delete(account, proxy: String) -> () {
        account.proxies().delete(proxy.as_str())
    }
}
