//! Decides who may use a proxy. The refusals are 407, 402 and 509.

use std::net::IpAddr;

use super::Refused;
use crate::service::authenticate::{self, Credentials};
use crate::state::holder::Holder;
use crate::world::World;

/// The account that the traffic of a request through this proxy counts for.
///
/// If the request has credentials, they decide, even if the client's IP is authenticated.
pub(crate) fn holder(world: &World, proxy: &str, shown: &[String], from: IpAddr) -> Result<Holder, Refused> {
    let account = &world.account;
    let now = world.clock.now();
    let (found, reason) = match authenticate::read(shown) {
        Credentials::Basic { username, password } => {
            (account.with_password(&username, &password), "Wrong username or password.".to_owned())
        }
        Credentials::Bearer(secret) => {
            (account.with_token(&secret, now), "Unknown, deactivated or expired token.".to_owned())
        }
        Credentials::None => {
            let reason = format!("No Proxy-Authorization header, and {from} is not an authorised IP.");
            (account.with_ip(from), reason)
        }
        Credentials::Unreadable(reason) => (None, format!("{reason}.")),
    };
    let holder = found.ok_or_else(|| Refused::new(407, reason))?;
    if !account.is_active(&holder) {
        return Err(Refused::new(402, "The sub-account is deactivated."));
    }
    if !account.proxies.is_authorised(proxy) {
        return Err(Refused::new(407, format!("The account has not authorised the proxy {proxy}.")));
    }
    match account.limit_reached(&holder) {
        Some(reason) => Err(Refused::new(509, reason)),
        None => Ok(holder),
    }
}
