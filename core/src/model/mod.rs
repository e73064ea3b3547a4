//! Input and output values, one file per resource. A value that exists is valid.

mod geo;
mod hostname;
mod ip;
pub(crate) mod read;
pub(crate) mod rule;
mod sub_account;
mod token;
mod username;

pub use geo::GeoCounts;
pub use hostname::Hostname;
pub use ip::{IpAddress, IpLabel, LabeledIp, NewIp};
pub use sub_account::{NewSubAccount, SubAccount, SubAccountEdit};
pub use token::{ExpiryDate, NewToken, Token, TokenId, TokenLabel, TokenRequest};
pub use username::Username;

pub(crate) use ip::{IpList, LabeledIpList};
pub(crate) use sub_account::SubAccountFields;
