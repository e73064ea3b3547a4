//! The reasons why the service refuses a well-formed call, with the status of each.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("The username '{0}' is already taken.")]
    UsernameTaken(String),
    #[error("The plan's limit of {0} sub-accounts is reached; upgrade, or delete one.")]
    SubAccountLimit(usize),
    #[error("'{0}' is not a sub-account of yours.")]
    NotYours(String),
    #[error("The sub-account '{0}' cannot be found.")]
    NoSubAccount(String),
    #[error("{0} is already authenticated.")]
    AlreadyAuthenticated(String),
    #[error("{0} is not authenticated.")]
    NotAuthenticated(String),
    #[error("The account already has {0} authorised IPs, the maximum; delete one.")]
    TooManyIps(usize),
    #[error("The proxy '{0}' is not recognised.")]
    UnknownProxy(String),
    #[error("The plan's limit of {0} proxies is reached; upgrade, or delete one.")]
    ProxyLimit(usize),
    #[error("The plan has no tokens; upgrade to a paid one.")]
    NoTokens,
    #[error("The plan's limit of {0} tokens is reached; upgrade, or delete one.")]
    TokenLimit(usize),
    #[error("There is no token {0} on this account.")]
    NoSuchToken(u64),
    #[error("The token {0} has expired and cannot be activated.")]
    TokenExpired(u64),
}

impl Refused {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::UsernameTaken(_)
            | Self::AlreadyAuthenticated(_)
            | Self::NotAuthenticated(_)
            | Self::TooManyIps(_)
            | Self::UnknownProxy(_)
            | Self::TokenExpired(_) => 400,
            Self::SubAccountLimit(_) | Self::ProxyLimit(_) | Self::NoTokens | Self::TokenLimit(_) => 402,
            Self::NotYours(_) => 403,
            Self::NoSubAccount(_) | Self::NoSuchToken(_) => 404,
        }
    }
}
