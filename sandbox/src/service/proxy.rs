//! `/api/proxies/` and `/api/proxy/…`: the authorised proxies. A sub-account has those of its parent.

use serde_json::json;

use crate::answer::Answer;
use crate::service::fields::Fields;
use crate::service::{Context, Reply, input};

pub(crate) fn list(context: Context<'_>, _: Fields<'_>) -> Reply {
    let proxies = context.account.proxies.list();
    Ok(Answer::ok(&json!({ "proxies": proxies })))
}

pub(crate) fn add(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let proxy = fields.required("proxy", input::proxy);
    fields.check()?;
    let domain = context.account.proxies.add(&proxy?)?;
    Ok(Answer::ok(&json!({ "proxy": domain })))
}

pub(crate) fn delete(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let proxy = fields.required("proxy", input::proxy);
    fields.check()?;
    context.account.proxies.delete(&proxy?)?;
    Ok(Answer::no_content())
}
