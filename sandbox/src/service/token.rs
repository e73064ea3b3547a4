//! `/api/tokens/` and `/api/token/…`: a parent's tokens, and those of its sub-accounts.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::json;

use crate::answer::{Answer, Refusal};
use crate::service::fields::Fields;
use crate::service::route::{Audience::ParentByPassword, Route, get, post};
use crate::service::{Context, Reply, input};
use crate::state::holder::Holder;
use crate::state::tokens::Token;

pub(super) const ROUTES: &[Route] = &[
    get("/api/tokens/", &["username"], ParentByPassword, list),
    post("/api/token/create/", &["label", "expires_at", "username"], ParentByPassword, create),
    post("/api/token/deactivate/", &["id", "username"], ParentByPassword, deactivate),
    post("/api/token/activate/", &["id", "username"], ParentByPassword, activate),
    post("/api/token/delete/", &["id", "username"], ParentByPassword, delete),
];

#[derive(Serialize)]
struct Body<'a> {
    id: u64,
    label: &'a str,
    is_active: bool,
    expires_at: Option<String>,
    created_at: String,
    /// The secret, which is only in the answer to `create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

fn list(context: Context<'_>, fields: Fields<'_>) -> Reply {
    let holder = holder(&context, fields)?;
    let tokens: Vec<Body<'_>> = context.account.tokens.of(&holder).map(shown).collect();
    Ok(Answer::ok(&json!({ "tokens": tokens })))
}

fn create(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let label = fields.optional("label", input::token_label);
    let expires_at = fields.optional("expires_at", input::date);
    let holder = holder(&context, fields)?;
    let (label, expires_at) = (label?.unwrap_or_default(), expires_at?);
    let tokens = &mut context.account.tokens;
    let token = tokens.create(holder, label, expires_at, context.now)?;
    let secret = Some(token.secret.as_str());
    Ok(Answer::ok(&Body { token: secret, ..shown(token) }))
}

fn deactivate(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let id = fields.required("id", input::id);
    let holder = holder(&context, fields)?;
    let token = context.account.tokens.deactivate(&holder, id?)?;
    Ok(Answer::ok(&shown(token)))
}

fn activate(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let id = fields.required("id", input::id);
    let holder = holder(&context, fields)?;
    let token = context.account.tokens.activate(&holder, id?, context.now)?;
    Ok(Answer::ok(&shown(token)))
}

fn delete(context: Context<'_>, mut fields: Fields<'_>) -> Reply {
    let id = fields.required("id", input::id);
    let holder = holder(&context, fields)?;
    context.account.tokens.delete(&holder, id?)?;
    Ok(Answer::no_content())
}

/// The account that the call is about, once all fields are known to be valid.
fn holder(context: &Context<'_>, mut fields: Fields<'_>) -> Result<Holder, Refusal> {
    let username = fields.optional("username", input::username);
    fields.check()?;
    Ok(context.account.meant(&context.caller, username?)?)
}

fn shown(token: &Token) -> Body<'_> {
    Body {
        id: token.id,
        label: &token.label,
        is_active: token.is_active,
        expires_at: token.expires_at.as_ref().map(Date::to_string),
        created_at: token.created_at.to_string(),
        token: None,
    }
}
