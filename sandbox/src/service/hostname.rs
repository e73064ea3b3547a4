//! `/api/hostname/…` and `/api/hostnames/`: authenticated hostnames.

use serde_json::json;

use crate::answer::Answer;
use crate::service::fields::Fields;
use crate::service::ip::access;
use crate::service::{Context, Reply, input};

pub(crate) fn add(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let domain = fields.required("domain", input::domain);
    let access = access(context, fields)?;
    let domain = domain?;
    access.add_hostname(&domain)?;
    Ok(Answer::ok(&json!({ "domain": domain })))
}

pub(crate) fn delete(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let domain = fields.required("domain", input::domain);
    access(context, fields)?.delete_hostname(&domain?)?;
    Ok(Answer::no_content())
}

/// Lists the caller's own hostnames. Unlike the other two calls, this one takes no username.
pub(crate) fn list(context: Context<'_>, _: Fields<'_>) -> Reply {
    let access = context.account.access(&context.caller)?;
    Ok(Answer::ok(&json!({ "domains": access.hostnames })))
}
