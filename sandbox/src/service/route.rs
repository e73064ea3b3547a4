//! One call: its method and path, who may make it, its parameters, and its handler.

use crate::service::fields::Fields;
use crate::service::{Context, Reply};

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    All,
    Parent,
    /// With Basic authentication only, because a token must not create tokens.
    ParentByPassword,
}

pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) parameters: &'static [&'static str],
    pub(crate) open_to: Audience,
    pub(crate) run: fn(Context<'_>, Fields<'_>) -> Reply,
}

type Run = fn(Context<'_>, Fields<'_>) -> Reply;

pub(crate) const fn get(
    path: &'static str,
    parameters: &'static [&'static str],
    open_to: Audience,
    run: Run,
) -> Route {
    Route { method: "GET", path, parameters, open_to, run }
}

pub(crate) const fn post(
    path: &'static str,
    parameters: &'static [&'static str],
    open_to: Audience,
    run: Run,
) -> Route {
    Route { method: "POST", path, parameters, open_to, run }
}
