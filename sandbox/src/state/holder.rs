//! The account that makes a call, or that something belongs to.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    Parent,
    SubAccount(String),
}
