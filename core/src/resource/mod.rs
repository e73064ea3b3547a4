//! The handles: `client.ips()`, `client.sub_accounts()`, and so on, one file per resource.
//!
//! They are written once for every way of sending a call. With [`Client`](crate::Client), a method returns a
//! [`Pending`](crate::Pending) to await. With [`blocking::Client`](crate::blocking::Client), it returns the `Result`
//! itself. In the signatures, `D::Reply<T>` stands for either.
//!
//! Every method refuses bad input with [`Error::Validation`](crate::Error::Validation) before anything is sent, and
//! may fail with any of [`Error`](crate::Error)'s other kinds.

mod geo;
mod hostnames;
mod ips;
mod proxies;
mod sub_accounts;
mod tokens;

pub use geo::Geo;
pub use hostnames::{Hostnames, HostnamesOf};
pub use ips::Ips;
pub use proxies::Proxies;
pub use sub_accounts::SubAccounts;
pub use tokens::Tokens;

use crate::{endpoint::Endpoint, error::Result};

/// A way of sending a call: async, blocking, or a binding's own.
pub trait Dispatch {
    /// What a method returns.
    type Reply<T: Send + 'static>;

    /// Sends the call, or returns the error that kept it from being built.
    fn dispatch<E: Endpoint>(&self, endpoint: Result<E>) -> Self::Reply<E::Response>;
}

/// The handles as methods of a client, defined once.
macro_rules! handles {
    ($client:ident) => {
        impl $client {
            /// Sub-accounts: `/api/sub/…`.
            #[must_use]
            pub fn sub_accounts(&self) -> $crate::resource::SubAccounts<'_, Self> {
                $crate::resource::SubAccounts::new(self)
            }

            /// Authorised IPs: `/api/ip…`.
            #[must_use]
            pub fn ips(&self) -> $crate::resource::Ips<'_, Self> {
                $crate::resource::Ips::new(self)
            }

            /// Authorised hostnames: `/api/hostname…`.
            #[must_use]
            pub fn hostnames(&self) -> $crate::resource::Hostnames<'_, Self> {
                $crate::resource::Hostnames::new(self)
            }

            /// Proxies: `/api/prox…`.
            #[must_use]
            pub fn proxies(&self) -> $crate::resource::Proxies<'_, Self> {
                $crate::resource::Proxies::new(self)
            }

            /// Bearer tokens: `/api/token…`.
            #[must_use]
            pub fn tokens(&self) -> $crate::resource::Tokens<'_, Self> {
                $crate::resource::Tokens::new(self)
            }

            /// Exit IPs per country: `/api/geoips/…`.
            #[must_use]
            pub fn geo(&self) -> $crate::resource::Geo<'_, Self> {
                $crate::resource::Geo::new(self)
            }
        }
    };
}
pub(crate) use handles;
