//! The calls: which handler answers which method and path, with which parameters.

use crate::answer::Refusal;
use crate::service::fields::Fields;
use crate::service::{Context, Reply, geo, hostname, ip, proxy, sub, token};

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

use Audience::{All, Parent, ParentByPassword};

const PROFILE: &[&str] =
    &["username", "password", "first_name", "last_name", "email", "monthly_limit", "total_limit"];

#[rustfmt::skip] // A table, as in docs/api.md, "Calls".
const ROUTES: &[Route] = &[
    post("/api/sub/create/",       PROFILE,                              Parent, sub::create),
    post("/api/sub/edit/",         PROFILE,                              Parent, sub::edit),
    get ("/api/sub/get/",          &["username"],                        Parent, sub::get),
    post("/api/sub/deactivate/",   &["username"],                        Parent, sub::deactivate),
    post("/api/sub/activate/",     &["username"],                        Parent, sub::activate),
    post("/api/sub/delete/",       &["username"],                        Parent, sub::delete),
    post("/api/ip/add/",           &["ip", "username", "label"],         All, ip::add),
    post("/api/ip/delete/",        &["ip", "username"],                  All, ip::delete),
    get ("/api/ips/",              &["username"],                        All, ip::list),
    get ("/api/ip_labels/",        &["username"],                        All, ip::labels),
    post("/api/hostname/add/",     &["domain", "username"],              All, hostname::add),
    post("/api/hostname/delete/",  &["domain", "username"],              All, hostname::delete),
    get ("/api/hostnames/",        &[],                                  All, hostname::list),
    get ("/api/proxies/",          &[],                                  All, proxy::list),
    post("/api/proxy/add/",        &["proxy"],                           All, proxy::add),
    post("/api/proxy/delete/",     &["proxy"],                           All, proxy::delete),
    get ("/api/tokens/",           &["username"],                        ParentByPassword, token::list),
    post("/api/token/create/",     &["label", "expires_at", "username"], ParentByPassword, token::create),
    post("/api/token/deactivate/", &["id", "username"],                  ParentByPassword, token::deactivate),
    post("/api/token/activate/",   &["id", "username"],                  ParentByPassword, token::activate),
    post("/api/token/delete/",     &["id", "username"],                  ParentByPassword, token::delete),
    get ("/api/geoips/open/",      &[],                                  All, geo::open),
    get ("/api/geoips/world/",     &[],                                  All, geo::world),
];

type Run = fn(Context<'_>, Fields<'_>) -> Reply;

const fn get(path: &'static str, parameters: &'static [&'static str], open_to: Audience, run: Run) -> Route {
    Route { method: "GET", path, parameters, open_to, run }
}

const fn post(path: &'static str, parameters: &'static [&'static str], open_to: Audience, run: Run) -> Route {
    Route { method: "POST", path, parameters, open_to, run }
}

/// The call, or a refusal: 404 for an unknown path, 405 for a wrong method.
pub(crate) fn find(method: &str, path: &str) -> Result<&'static Route, Refusal> {
    let Some(route) = ROUTES.iter().find(|route| route.path == path) else {
        let with_slash = format!("{path}/");
        let reason = if ROUTES.iter().any(|route| route.path == with_slash) {
            format!("There is nothing at {path}. The trailing slash is missing: {with_slash}.")
        } else {
            format!("There is nothing at {path}.")
        };
        return Err(Refusal::new(404, reason));
    };
    if route.method != method {
        let reason = format!("{path} only accepts {}, not {method}.", route.method);
        return Err(Refusal::new(405, reason).with_header("allow", route.method));
    }
    Ok(route)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::{OPENAPI, exists};

    #[test]
    fn the_routes_are_those_of_the_description() {
        assert!(ROUTES.iter().all(|route| exists(route.path)));
        let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(document["paths"].as_object().unwrap().len(), ROUTES.len());
    }
}
