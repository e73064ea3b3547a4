//! Who makes a call, or whom a thing belongs to.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    Parent,
    SubAccount(String),
}
