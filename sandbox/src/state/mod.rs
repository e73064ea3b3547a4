//! The model of the service: what an account is and what may be done with it. No I/O, no HTTP.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod ban;
pub(crate) mod clock;
pub(crate) mod geo;
pub(crate) mod holder;
pub(crate) mod proxies;
pub(crate) mod refused;
pub(crate) mod settings;
pub(crate) mod sub_account;
pub(crate) mod tokens;
pub(crate) mod usage;
