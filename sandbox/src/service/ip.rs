//! `/api/ip/…`, `/api/ips/` and `/api/ip_labels/`: authorised IP addresses.

use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::service::fields::Fields;
use crate::service::route::{Audience::All, Route, get, post};
use crate::service::{Context, Reply, input};
use crate::state::access::Access;

pub(super) const ROUTES: &[Route] = &[
    post("/api/ip/add/", &["ip", "username", "label"], All, add),
    post("/api/ip/delete/", &["ip", "username"], All, delete),
    get("/api/ips/", &["username"], All, list),
    get("/api/ip_labels/", &["username"], All, labels),
];

fn add(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let ip = fields.required("ip", input::ip);
    let label = fields.optional("label", input::ip_label);
    let access = access(context, fields)?;
    let ip = ip?;
    access.add_ip(ip, label?.unwrap_or_default())?;
    Ok(Answer::ok(&json!({ "ip": ip.to_string() })))
}

fn delete(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let ip = fields.required("ip", input::ip);
    access(context, fields)?.delete_ip(ip?)?;
    Ok(Answer::no_content())
}

fn list(context: Context<'_>, fields: Fields<'_>) -> Reply {
    let ips = access(context, fields)?.ips.iter();
    let texts: Vec<String> = ips.map(|known| known.ip.to_string()).collect();
    Ok(Answer::ok(&json!({ "ips": texts })))
}

/// A bare array (docs/assumptions.md, A5).
fn labels(context: Context<'_>, fields: Fields<'_>) -> Reply {
    let ips = access(context, fields)?.ips.iter();
    let labels: Vec<Value> =
        ips.map(|known| json!({ "ip": known.ip.to_string(), "label": known.label })).collect();
    Ok(Answer::ok(&labels))
}

/// The access list of the account that the call is about, once all fields are known to be valid.
pub(super) fn access<'a>(context: Context<'a>, mut fields: Fields<'_>) -> Result<&'a mut Access, Refusal> {
    let username = fields.optional("username", input::username);
    fields.check()?;
    let holder = context.account.meant(&context.caller, username?)?;
    Ok(context.account.access(&holder)?)
}
