//! `/api/sub/…`: a parent's sub-accounts.

use serde::Serialize;

use crate::answer::Answer;
use crate::service::fields::{Fields, Invalid};
use crate::service::route::{self, Audience::Parent, Route, post};
use crate::service::{Context, Reply, input};
use crate::state::sub_account::{Changes, SubAccount};

const PROFILE: &[&str] =
    &["username", "password", "first_name", "last_name", "email", "monthly_limit", "total_limit"];

pub(super) const ROUTES: &[Route] = &[
    post("/api/sub/create/", PROFILE, Parent, create),
    post("/api/sub/edit/", PROFILE, Parent, edit),
    route::get("/api/sub/get/", &["username"], Parent, get),
    post("/api/sub/deactivate/", &["username"], Parent, deactivate),
    post("/api/sub/activate/", &["username"], Parent, activate),
    post("/api/sub/delete/", &["username"], Parent, delete),
];

#[derive(Serialize)]
struct Body<'a> {
    username: &'a str,
    active: bool,
    monthly_bandwidth: f64,
    total_bandwidth: f64,
    monthly_bandwidth_limit: u32,
    total_bandwidth_limit: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    first_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    last_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
}

fn create(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let username = fields.required("username", input::username);
    let changes = changes(&mut fields, context.account.exposed);
    fields.check()?;
    shown(context.account.create(username?, changes?)?)
}

fn edit(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let username = fields.required("username", input::username);
    let changes = changes(&mut fields, context.account.exposed);
    fields.check()?;
    let sub_account = context.account.sub_account(&username?)?;
    sub_account.apply(changes?);
    shown(sub_account)
}

fn get(context: Context<'_>, fields: Fields<'_>) -> Reply {
    shown(named(context, fields)?)
}

fn deactivate(context: Context<'_>, fields: Fields<'_>) -> Reply {
    let sub_account = named(context, fields)?;
    sub_account.active = false;
    shown(sub_account)
}

fn activate(context: Context<'_>, fields: Fields<'_>) -> Reply {
    let sub_account = named(context, fields)?;
    sub_account.active = true;
    shown(sub_account)
}

fn delete(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let username = fields.required("username", input::username);
    fields.check()?;
    context.account.delete(&username?)?;
    Ok(Answer::bare(200))
}

fn named<'a>(
    context: Context<'a>,
    mut fields: Fields<'_>,
) -> Result<&'a mut SubAccount, crate::answer::Refusal> {
    let username = fields.required("username", input::username);
    fields.check()?;
    Ok(context.account.sub_account(&username?)?)
}

/// Reads all fields before it fails, so that all errors are reported together.
fn changes(fields: &mut Fields<'_>, exposed: bool) -> Result<Changes, Invalid> {
    let password = fields.optional("password", if exposed { input::own_password } else { input::password });
    let first_name = fields.optional("first_name", input::name);
    let last_name = fields.optional("last_name", input::name);
    let email = fields.optional("email", input::email);
    let monthly_limit = fields.optional("monthly_limit", input::limit);
    let total_limit = fields.optional("total_limit", input::limit);
    Ok(Changes {
        password: password?,
        first_name: first_name?,
        last_name: last_name?,
        email: email?,
        monthly_limit: monthly_limit?,
        total_limit: total_limit?,
    })
}

fn shown(sub_account: &SubAccount) -> Reply {
    Ok(Answer::ok(&Body {
        username: &sub_account.username,
        active: sub_account.active,
        monthly_bandwidth: sub_account.usage.monthly,
        total_bandwidth: sub_account.usage.total,
        monthly_bandwidth_limit: sub_account.monthly_limit,
        total_bandwidth_limit: sub_account.total_limit,
        first_name: &sub_account.first_name,
        last_name: &sub_account.last_name,
        email: &sub_account.email,
    }))
}
