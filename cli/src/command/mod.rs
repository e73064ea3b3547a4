//! The commands, one file for each resource, and one for each other command.

pub(crate) mod completion;
#[cfg(feature = "gateway")]
pub(crate) mod gateway;
pub(crate) mod geo;
pub(crate) mod hostnames;
pub(crate) mod ips;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod proxies;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
pub(crate) mod subs;
pub(crate) mod tokens;
pub(crate) mod whoami;
