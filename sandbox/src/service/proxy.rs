//! `/api/proxies/` and `/api/proxy/…`: the authorised proxies. A sub-account has those of its parent.

use serde_json::json;

use crate::answer::Answer;
use crate::service::fields::Fields;
use crate::service::route::{Audience::All, Route, get, post};
use crate::service::{Context, Reply, input};

pub(super) const ROUTES: &[Route] = &[
    get("/api/proxies/", &[], All, list),
    post("/api/proxy/add/", &["proxy"], All, add),
    post("/api/proxy/delete/", &["proxy"], All, delete),
];

fn list(context: Context<'_>, _: Fields<'_>) -> Reply {
    let proxies = context.account.proxies.list();
    Ok(Answer::ok(&json!({ "proxies": proxies })))
}

fn add(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let proxy = fields.required("proxy", input::proxy);
    fields.check()?;
    let domain = context.account.proxies.add(&proxy?)?;
    Ok(Answer::ok(&json!({ "proxy": domain })))
}

fn delete(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let proxy = fields.required("proxy", input::proxy);
    fields.check()?;
    context.account.proxies.delete(&proxy?)?;
    Ok(Answer::no_content())
}
