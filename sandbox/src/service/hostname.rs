//! `/api/hostname/…` and `/api/hostnames/`: authorised hostnames.

use serde_json::json;

use crate::answer::Answer;
use crate::service::fields::Fields;
use crate::service::ip::access;
use crate::service::route::{Audience::All, Route, get, post};
use crate::service::{Context, Reply, input};

pub(super) const ROUTES: &[Route] = &[
    post("/api/hostname/add/", &["domain", "username"], All, add),
    post("/api/hostname/delete/", &["domain", "username"], All, delete),
    get("/api/hostnames/", &[], All, list),
];

fn add(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let domain = fields.required("domain", input::domain);
    let access = access(context, fields)?;
    let domain = domain?;
    access.add_hostname(&domain)?;
    Ok(Answer::ok(&json!({ "domain": domain })))
}

fn delete(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let domain = fields.required("domain", input::domain);
    access(context, fields)?.delete_hostname(&domain?)?;
    Ok(Answer::no_content())
}

/// Lists the caller's own hostnames. Unlike the other two calls, this one takes no username.
fn list(context: Context<'_>, _: Fields<'_>) -> Reply {
    let access = context.account.access(&context.caller)?;
    Ok(Answer::ok(&json!({ "domains": access.hostnames })))
}
