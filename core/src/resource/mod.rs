//! The handles of a client, one for each resource: `client.ips()`, `client.sub_accounts()`, and so on.
//!
//! A handle is generic over how its calls are sent. With [`Client`](crate::Client), a method returns a
//! [`Pending`](crate::Pending) to await. With [`blocking::Client`](crate::blocking::Client), it returns the `Result`
//! itself. In the signatures, `D::Reply<T>` stands for either.
//!
//! Every method refuses invalid input with [`Error::Validation`](crate::Error::Validation) before it sends anything. It may
//! also fail with any other [`Error`](crate::Error). Its documentation names those that have a special meaning for it.

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
    /// What a method returns for a response of type `T`.
    type Reply<T: Send + 'static>;

    /// Sends the call, or returns the error that prevented it from being built.
    fn dispatch<E: Endpoint>(&self, endpoint: Result<E>) -> Self::Reply<E::Response>;
}

/// The handles as methods of a client, defined once.
macro_rules! handles {
    ($client:ident) => {
        impl $client {
            /// Sub-accounts. Only the parent account may make these calls.
            #[must_use]
            pub fn sub_accounts(&self) -> $crate::resource::SubAccounts<'_, Self> {
                $crate::resource::SubAccounts::new(self)
            }

            /// IPs that may use the proxies without credentials.
            #[must_use]
            pub fn ips(&self) -> $crate::resource::Ips<'_, Self> {
                $crate::resource::Ips::new(self)
            }

            /// Hostnames that may use the proxies without credentials.
            #[must_use]
            pub fn hostnames(&self) -> $crate::resource::Hostnames<'_, Self> {
                $crate::resource::Hostnames::new(self)
            }

            /// The proxies that the account may use.
            #[must_use]
            pub fn proxies(&self) -> $crate::resource::Proxies<'_, Self> {
                $crate::resource::Proxies::new(self)
            }

            /// Bearer tokens. These calls require the parent account's username and password.
            #[must_use]
            pub fn tokens(&self) -> $crate::resource::Tokens<'_, Self> {
                $crate::resource::Tokens::new(self)
            }

            /// The number of exit IPs in each country.
            #[must_use]
            pub fn geo(&self) -> $crate::resource::Geo<'_, Self> {
                $crate::resource::Geo::new(self)
            }
        }
    };
}
pub(crate) use handles;
