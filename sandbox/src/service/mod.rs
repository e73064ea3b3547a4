//! The service over HTTP, without the sockets: it takes a call and returns an answer.
//!
//! The checks come in this order: path, method, authentication, content type, size, permission,
//! input, and then the checks of the call itself.

pub(crate) mod authenticate;
mod fields;
pub(crate) mod form;
mod geo;
mod hostname;
pub(crate) mod input;
mod ip;
mod proxy;
mod route;
mod routes;
mod sub;
mod token;

use std::net::IpAddr;

use bytes::Bytes;

use crate::answer::{Answer, Refusal};
use crate::service::authenticate::Scheme;
use crate::service::fields::Fields;
use crate::service::route::{Audience, Route};
use crate::state::account::Account;
use crate::state::clock::Moment;
use crate::state::holder::Holder;
use crate::world::World;

/// The largest body that is accepted, in bytes.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// The parts of a request that the service uses.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) from: IpAddr,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) content_type: Option<String>,
    /// Every `Authorization` header. Bytes that are not UTF-8 are replaced.
    pub(crate) authorization: Vec<String>,
    /// `None` if it was larger than [`LARGEST_BODY`].
    pub(crate) body: Option<Bytes>,
}

/// What a handler works on.
pub(crate) struct Context<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) caller: Holder,
    pub(crate) now: Moment,
}

pub(crate) type Reply = Result<Answer, Refusal>;

/// Carries out a call.
pub(crate) fn answer(world: &mut World, call: &Call) -> Answer {
    serve(world, call).unwrap_or_else(Answer::from)
}

fn serve(world: &mut World, call: &Call) -> Reply {
    let route = routes::find(&call.method, &call.path)?;
    let now = world.clock.now();
    world.account.turn(now);
    let (caller, scheme) = authenticate::caller(&world.account, &mut world.bans, call, now)?;
    let body = readable_body(call, route)?;
    permit_caller(route, &caller, scheme)?;
    let (fields, elsewhere) = match route.method {
        "GET" => (call.query.as_bytes(), body),
        _ => (body, call.query.as_bytes()),
    };
    if !elsewhere.is_empty() {
        return Err(Refusal::new(400, misplaced(route)));
    }
    let pairs = form::decode(fields).map_err(|reason| Refusal::new(400, reason))?;
    permit_username(&caller, route, &pairs)?;
    let fields = Fields::new(&pairs, route.parameters)?;
    let context = Context { account: &mut world.account, caller, now };
    (route.run)(context, fields)
}

/// The body, if it is form-encoded and not too large.
fn readable_body<'a>(call: &'a Call, route: &Route) -> Result<&'a [u8], Refusal> {
    let body = call.body.as_deref();
    match call.content_type.as_deref().map(is_form) {
        Some(true) => {}
        None if body.is_some_and(<[u8]>::is_empty) => {}
        _ if route.method == "GET" => {}
        _ => {
            let given = call.content_type.as_deref().unwrap_or("none");
            let reason =
                format!("The body must be application/x-www-form-urlencoded; the Content-Type is {given}.");
            return Err(Refusal::new(415, reason));
        }
    }
    body.ok_or_else(|| {
        let reason = format!("The body is larger than {LARGEST_BODY} bytes.");
        Refusal::new(413, reason)
    })
}

/// Whether a `Content-Type` is that of a form.
pub(crate) fn is_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn permit_caller(route: &Route, caller: &Holder, scheme: Scheme) -> Result<(), Refusal> {
    let parent = *caller == Holder::Parent;
    match route.open_to {
        Audience::ParentByPassword if scheme == Scheme::Bearer => {
            let reason = "The token endpoints take Basic authentication only, not a token.";
            Err(Refusal::new(403, reason))
        }
        Audience::Parent | Audience::ParentByPassword if !parent => {
            let reason = "Only the parent account may make this call.";
            Err(Refusal::new(403, reason))
        }
        _ => Ok(()),
    }
}

fn permit_username(caller: &Holder, route: &Route, pairs: &[(String, String)]) -> Result<(), Refusal> {
    let given = pairs.iter().any(|(name, _)| name == "username");
    if given && *caller != Holder::Parent && route.parameters.contains(&"username") {
        let reason = "Only the parent account may give a username.";
        return Err(Refusal::new(403, reason));
    }
    Ok(())
}

fn misplaced(route: &Route) -> &'static str {
    match route.method {
        "GET" => "A GET takes its parameters in the query; it must not have a body.",
        _ => "A POST takes its parameters in the body; it must not have a query.",
    }
}
