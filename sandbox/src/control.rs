//! `/_sandbox/`: the controls, for tests in any language. They need no credentials unless other machines can reach
//! them.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Error;
use crate::answer::Answer;
use crate::fault::Fault;
use crate::openapi::OPENAPI;
use crate::service::Call;
use crate::service::authenticate::{self, Credentials};
use crate::shared::Shared;
use crate::state::account::Account;
use crate::state::holder::Holder;
use crate::world::World;

/// The text of `GET /_sandbox/`, and the second part of `--help`.
pub(crate) const PAGE: &str = include_str!("controls.txt");
const ROOT: &str = "/_sandbox/";
const CONTROLS: [(&str, &str); 11] = [
    ("", "GET"),
    ("openapi.json", "GET"),
    ("requests", "GET, DELETE"),
    ("proxied", "GET, DELETE"),
    ("ip", "GET"),
    ("faults", "GET, POST, DELETE"),
    ("clock", "GET, POST"),
    ("usage", "POST"),
    ("account", "GET"),
    ("connections", "GET"),
    ("reset", "POST"),
];

type Outcome = Result<Answer, Error>;

pub(crate) fn is_control(path: &str) -> bool {
    path.starts_with(ROOT) || path == "/_sandbox"
}

/// Answers a call under `/_sandbox/`.
pub(crate) fn answer(shared: &Shared, call: &Call) -> Answer {
    if !permitted(&shared.world().account, call) {
        let reason = "Others can reach this sandbox, so its controls require the parent account's username and \
                      password (Basic authentication).";
        return Answer::error(401, reason)
            .with_header("www-authenticate", "Basic realm=\"ProxyMesh sandbox\"");
    }
    route(shared, call).unwrap_or_else(|error| {
        let status = match error {
            Error::UnknownAccount(_) => 404,
            _ => 400,
        };
        Answer::error(status, &error.to_string())
    })
}

/// On loopback, everyone may use the controls. Otherwise only the parent may, even from this machine, because the
/// proxies relay calls to loopback. A banned client may use them too, because they are how a ban is lifted.
fn permitted(account: &Account, call: &Call) -> bool {
    !account.exposed
        || match authenticate::read(&call.authorization) {
            Credentials::Basic { username, password } => {
                account.with_password(&username, &password) == Some(Holder::Parent)
            }
            _ => false,
        }
}

fn route(shared: &Shared, call: &Call) -> Outcome {
    let name = call.path.strip_prefix(ROOT).unwrap_or_default();
    let Some((_, methods)) = CONTROLS.iter().find(|(control, _)| *control == name) else {
        let reason = format!("There is nothing at {}; see {ROOT}.", call.path);
        return Ok(Answer::error(404, &reason));
    };
    let body = call.body.as_deref().unwrap_or_default();
    let takes_body = call.method == "POST" && name != "reset";
    if !call.query.is_empty() || (!takes_body && !body.is_empty()) {
        let reason = "a control accepts no query, and only a POST (except reset) accepts a body";
        return Err(Error::Invalid(reason.to_owned()));
    }
    if call.body.is_none() {
        return Ok(Answer::error(413, "The body is too large."));
    }
    let world = &mut *shared.world();
    match (call.method.as_str(), name) {
        ("GET", "") => Ok(Answer::new(200, "text/plain; charset=utf-8", PAGE)),
        ("GET", "openapi.json") => Ok(Answer::new(200, "application/json", OPENAPI)),
        ("GET", "requests") => Ok(Answer::ok(&world.log.entries())),
        ("DELETE", "requests") => cleared(world.log.clear()),
        ("GET", "proxied") => Ok(Answer::ok(&world.proxied.entries())),
        ("DELETE", "proxied") => cleared(world.proxied.clear()),
        ("GET", "ip") => Ok(Answer::new(200, "text/plain; charset=utf-8", call.from.to_string())),
        ("GET", "faults") => Ok(Answer::ok(&world.faults.waiting())),
        ("POST", "faults") => inject(world, body),
        ("DELETE", "faults") => cleared(world.faults.clear()),
        ("GET", "clock") => Ok(clock(world)),
        ("POST", "clock") => advance(world, body),
        ("POST", "usage") => book(world, body),
        ("GET", "account") => Ok(account(world)),
        ("GET", "connections") => Ok(Answer::ok(&json!({ "open": shared.open_connections() }))),
        ("POST", "reset") => {
            world.reset();
            Ok(Answer::ok(&json!({ "reset": true })))
        }
        _ => {
            let reason = format!("{} accepts {methods}, not {}.", call.path, call.method);
            Ok(Answer::error(405, &reason).with_header("allow", methods))
        }
    }
}

fn cleared(count: usize) -> Outcome {
    Ok(Answer::ok(&json!({ "cleared": count })))
}

fn inject(world: &mut World, body: &[u8]) -> Outcome {
    let text = std::str::from_utf8(body).map_err(|_| invalid("the body is not UTF-8"))?;
    let fault = Fault::from_json(text)?;
    let answer = Answer::ok(&fault);
    world.faults.push(fault);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: Option<f64>,
    advance_days: Option<f64>,
}

fn advance(world: &mut World, body: &[u8]) -> Outcome {
    let seconds = match parse(body)? {
        Advance { advance_seconds: Some(seconds), advance_days: None } => seconds,
        Advance { advance_seconds: None, advance_days: Some(days) } => days * 86_400.0,
        _ => return Err(invalid("give either advance_seconds or advance_days")),
    };
    if seconds < 0.0 {
        return Err(invalid("the clock cannot go back"));
    }
    let by = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    if !world.clock.advance(by) {
        return Err(invalid("the clock cannot be advanced by more than 100 years in total"));
    }
    Ok(clock(world))
}

fn clock(world: &mut World) -> Answer {
    let now = world.clock.now();
    world.account.turn(now);
    Answer::ok(&json!({
        "now": format!("{now}Z"),
        "billing_period_ends": format!("{}Z", world.account.billing.ends()),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Usage {
    username: String,
    gigabytes: f64,
}

fn book(world: &mut World, body: &[u8]) -> Outcome {
    let usage: Usage = parse(body)?;
    world.book_usage(&usage.username, usage.gigabytes)?;
    Ok(Answer::ok(&json!({ "username": usage.username, "booked": usage.gigabytes })))
}

fn account(world: &mut World) -> Answer {
    let now = world.clock.now();
    world.account.turn(now);
    let account = &world.account;
    let plan = account.plan;
    let sub_accounts: Vec<Value> = account
        .sub_accounts
        .values()
        .map(|sub_account| {
            json!({
                "username": sub_account.username,
                "active": sub_account.active,
                "monthly_bandwidth": sub_account.usage.monthly,
                "total_bandwidth": sub_account.usage.total,
                "monthly_bandwidth_limit": sub_account.monthly_limit,
                "total_bandwidth_limit": sub_account.total_limit,
            })
        })
        .collect();
    let banned: Vec<Value> = world
        .bans
        .banned(now)
        .into_iter()
        .map(|(caller, until)| json!({ "caller": caller, "until": format!("{until}Z") }))
        .collect();
    Answer::ok(&json!({
        "username": account.username,
        "plan": plan.to_string(),
        "limits": {
            "tokens": plan.tokens(),
            "sub_accounts": plan.sub_accounts(),
            "proxies": plan.proxies(),
        },
        "monthly_bandwidth": account.usage.monthly,
        "total_bandwidth": account.usage.total,
        "sub_accounts": sub_accounts,
        "tokens": account.tokens.len(),
        "proxies": account.proxies.list(),
        "recent_failed_authentications": world.bans.failures(now),
        "banned": banned,
    }))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))
}

fn invalid(reason: &str) -> Error {
    Error::Invalid(reason.to_owned())
}
