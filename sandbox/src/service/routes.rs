//! Finds the call that a request makes. Each resource lists its own calls.

use crate::answer::Refusal;
use crate::service::route::Route;
use crate::service::{geo, hostname, ip, proxy, sub, token};

/// All calls.
fn routes() -> impl Iterator<Item = &'static Route> {
    [sub::ROUTES, ip::ROUTES, hostname::ROUTES, proxy::ROUTES, token::ROUTES, geo::ROUTES]
        .into_iter()
        .flatten()
}

/// The call, or a refusal: 404 for an unknown path, 405 for a wrong method.
pub(crate) fn find(method: &str, path: &str) -> Result<&'static Route, Refusal> {
    let Some(route) = routes().find(|route| route.path == path) else {
        let with_slash = format!("{path}/");
        let reason = if routes().any(|route| route.path == with_slash) {
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
        assert!(routes().all(|route| exists(route.path)));
        let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(document["paths"].as_object().unwrap().len(), routes().count());
    }
}
