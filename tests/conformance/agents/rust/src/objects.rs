//! What a client creates, and the values that need no client: pools, leases, followers and proxies.

use crate::Kind;
use proxymesh::{
    Credentials, IpFollower, IpLease, Outcome, Proxy, ProxyHost, ProxyPool, ProxyStats, Result,
    binding::{self, PoolParts, exit_choice, seconds},
    blocking,
    secrecy::ExposeSecret as _,
};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::runtime::Runtime;

#[allow(clippy::large_enum_variant, reason = "there are few")]
pub(crate) enum Object {
    Pool(ProxyPool),
    BlockingPool(blocking::ProxyPool),
    Lease(IpLease),
    BlockingLease(blocking::IpLease),
    Follower(IpFollower),
    BlockingFollower(blocking::IpFollower),
}

type Args = Map<String, Value>;

fn text<'a>(args: &'a Args, name: &str) -> Option<&'a str> {
    args.get(name).map(|value| value.as_str().unwrap())
}

fn number(args: &Args, name: &str) -> Option<f64> {
    args.get(name).map(|value| value.as_f64().unwrap())
}

fn texts(args: &Args, name: &str) -> Option<Vec<String>> {
    let texts = args.get(name)?.as_array().unwrap();
    Some(texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect())
}

fn is_true(args: &Args, name: &str) -> bool {
    args.get(name).is_some_and(|value| value.as_bool().unwrap())
}

/// What a check connects to, and its time limit.
fn checking(args: &Args) -> Result<(&str, Duration)> {
    let target = text(args, "target").unwrap_or("proxymesh.com:443");
    Ok((target, seconds("timeout", number(args, "timeout").unwrap_or(10.0))?))
}

/// Creates an object, or fails as the call does. Returns the object and the result of the call.
pub(crate) fn create(
    runtime: Option<&Runtime>,
    client: &Kind,
    call: &str,
    args: &Args,
) -> Option<Result<(Object, Value)>> {
    Some(match call {
        "proxies.pool" => pool(client, args),
        "ips.authorized" => lease(runtime, client, args),
        "ips.follow" => follower(runtime, client, args),
        _ => return None,
    })
}

fn pool(client: &Kind, args: &Args) -> Result<(Object, Value)> {
    let exclude = texts(args, "exclude").unwrap_or_default();
    let parts = PoolParts {
        countries: texts(args, "countries"),
        exclude: exclude.iter().map(|proxy| ProxyHost::new(proxy)).collect::<Result<_>>()?,
        order: text(args, "order").unwrap_or("round_robin"),
        ttl: number(args, "ttl"),
        cooldown: number(args, "cooldown"),
        credentials: args.get("credentials").is_none_or(|value| value.as_bool().unwrap()),
        rotating: is_true(args, "rotating"),
    };
    let options = parts.check()?;
    let pool = match client {
        Kind::Async(client) => Object::Pool(client.proxies().pool(options)),
        Kind::Blocking(client) => Object::BlockingPool(client.proxies().pool(options)),
    };
    Ok((pool, Value::Null))
}

fn lease(runtime: Option<&Runtime>, client: &Kind, args: &Args) -> Result<(Object, Value)> {
    let wanted = binding::authorized_ip(text(args, "ip"), text(args, "label"), text(args, "lookup"))?;
    let username = text(args, "username");
    Ok(match client {
        Kind::Async(client) => {
            let ips = binding::of(client.ips(), username)?;
            let lease = runtime.unwrap().block_on(ips.authorized(wanted))?;
            let ip = lease.ip();
            (Object::Lease(lease), json!(ip))
        }
        Kind::Blocking(client) => {
            let lease = binding::of(client.ips(), username)?.authorized(wanted)?;
            let ip = lease.ip();
            (Object::BlockingLease(lease), json!(ip))
        }
    })
}

fn follower(runtime: Option<&Runtime>, client: &Kind, args: &Args) -> Result<(Object, Value)> {
    let wanted = binding::followed_ip(text(args, "label"), text(args, "lookup"), number(args, "interval"))?;
    let username = text(args, "username");
    Ok(match client {
        Kind::Async(client) => {
            let ips = binding::of(client.ips(), username)?;
            let follower = runtime.unwrap().block_on(ips.follow(wanted))?;
            let ip = follower.ip();
            (Object::Follower(follower), json!(ip))
        }
        Kind::Blocking(client) => {
            let follower = binding::of(client.ips(), username)?.follow(wanted)?;
            let ip = follower.ip();
            (Object::BlockingFollower(follower), json!(ip))
        }
    })
}

/// Ends a lease or a follower.
pub(crate) fn end(runtime: Option<&Runtime>, object: Object) -> Result<Value> {
    match object {
        Object::Lease(lease) => runtime.unwrap().block_on(lease.release()),
        Object::BlockingLease(lease) => lease.release(),
        Object::Follower(follower) => runtime.unwrap().block_on(follower.close()),
        Object::BlockingFollower(follower) => follower.close(),
        Object::Pool(_) | Object::BlockingPool(_) => panic!("a pool has no end"),
    }?;
    Ok(Value::Null)
}

/// Makes a call of a pool.
pub(crate) fn of_pool(runtime: Option<&Runtime>, pool: &Object, call: &str, args: &Args) -> Result<Value> {
    match call {
        "pool.get" => next(runtime, pool, texts(args, "countries").as_deref()).map(|proxy| shown(&proxy)),
        "pool.session" => {
            let (target, timeout) = checking(args)?;
            let proxy = match (pool, texts(args, "countries")) {
                (Object::Pool(pool), None) => runtime.unwrap().block_on(pool.session(target, timeout)),
                (Object::Pool(pool), Some(codes)) => {
                    let session = pool.session_in(codes.iter().map(String::as_str), target, timeout);
                    runtime.unwrap().block_on(session)
                }
                (Object::BlockingPool(pool), None) => pool.session(target, timeout),
                (Object::BlockingPool(pool), Some(codes)) => {
                    pool.session_in(codes.iter().map(String::as_str), target, timeout)
                }
                _ => panic!("it is no pool"),
            };
            proxy.map(|proxy| shown(&proxy))
        }
        "pool.report" => {
            let proxy: Proxy = text(args, "proxy").unwrap().parse()?;
            let outcome = match (args.get("status"), args.get("succeeded")) {
                (Some(status), None) => Outcome::Status(u16::try_from(status.as_u64().unwrap()).unwrap()),
                (None, Some(Value::Bool(true))) => Outcome::Success,
                (None, Some(Value::Bool(false))) => Outcome::Failure,
                _ => panic!("either status or succeeded"),
            };
            let bytes = args.get("bytes").map_or(0, |bytes| bytes.as_u64().unwrap());
            let report = binding::report(outcome, number(args, "latency"), bytes)?;
            let cooldown = match pool {
                Object::Pool(pool) => pool.report(&proxy, report),
                Object::BlockingPool(pool) => pool.report(&proxy, report),
                _ => panic!("it is no pool"),
            };
            Ok(json!(cooldown.map(|cooldown| cooldown.as_secs_f64())))
        }
        "pool.stats" => {
            let stats = match pool {
                Object::Pool(pool) => pool.stats(),
                Object::BlockingPool(pool) => pool.stats(),
                _ => panic!("it is no pool"),
            };
            Ok(stats.iter().map(stats_of).collect())
        }
        _ => panic!("unknown: {call}"),
    }
}

fn next(runtime: Option<&Runtime>, pool: &Object, countries: Option<&[String]>) -> Result<Proxy> {
    let codes = || countries.into_iter().flatten().map(String::as_str);
    match (pool, countries) {
        (Object::Pool(pool), None) => runtime.unwrap().block_on(pool.get()),
        (Object::Pool(pool), Some(_)) => runtime.unwrap().block_on(pool.get_in(codes())),
        (Object::BlockingPool(pool), None) => pool.get(),
        (Object::BlockingPool(pool), Some(_)) => pool.get_in(codes()),
        _ => panic!("it is no pool"),
    }
}

fn stats_of(stats: &ProxyStats) -> Value {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    json!({
        "proxy": stats.proxy.to_string(),
        "handed_out": stats.handed_out,
        "successes": stats.successes,
        "failures": stats.failures,
        "bytes": stats.bytes,
        "latency": seconds(stats.latency),
        "cooling": seconds(stats.cooling),
    })
}

/// A proxy with everything that is sent to it.
fn shown(proxy: &Proxy) -> Value {
    let headers: Map<_, _> = proxy
        .headers()
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value.expose_secret())))
        .collect();
    let mut shown = json!({ "proxy": proxy.to_string(), "headers": headers });
    if proxy.is_rotating() {
        shown["rotating"] = json!(true);
    }
    if let Some(ip) = proxy.exit_choice().held_ip() {
        shown["held_ip"] = json!(ip);
    }
    shown
}

/// The proxy that the arguments describe.
fn described(args: &Args) -> Result<Proxy> {
    let port = args.get("port").map(|port| port.as_i64().unwrap());
    let mut proxy = Proxy::at(text(args, "proxy").unwrap(), port)?;
    if let (Some(username), Some(password)) = (text(args, "username"), text(args, "password")) {
        proxy = proxy.using(Credentials::basic(username, password)?);
    } else if let Some(token) = text(args, "token") {
        proxy = proxy.using(Credentials::bearer(token)?);
    }
    if is_true(args, "rotating") {
        proxy = proxy.rotating();
    }
    if ["country", "prefer_ip", "hold_ip", "not_ip"].iter().any(|name| args.contains_key(*name)) {
        let not_ips = texts(args, "not_ip").unwrap_or_default();
        let not_ips = not_ips.iter().map(String::as_str);
        let (prefer_ip, hold_ip) = (text(args, "prefer_ip"), text(args, "hold_ip"));
        proxy = proxy.steer(exit_choice(text(args, "country"), prefer_ip, hold_ip, not_ips)?)?;
    }
    Ok(proxy)
}

/// Makes a call that needs no client.
pub(crate) fn of_proxy(runtime: Option<&Runtime>, call: &str, args: &Args) -> Result<Value> {
    let proxy = described(args)?;
    match call {
        "proxy.of" => {
            let mut shown = shown(&proxy);
            shown["name"] = json!(proxy.name());
            shown["country"] = json!(proxy.country());
            shown["chooses_country"] = json!(proxy.chooses_country());
            shown["plain_url"] = json!(proxy.plain_url());
            Ok(shown)
        }
        "proxy.rotating" => Ok(shown(&proxy.rotating())),
        "proxy.session" => {
            let (target, timeout) = checking(args)?;
            let session = match runtime {
                Some(runtime) => runtime.block_on(proxy.session(target, timeout)),
                None => blocking::session(&proxy, target, timeout),
            };
            session.map(|session| shown(&session))
        }
        "proxy.url" => Ok(json!(proxy.url()?.expose_secret())),
        "proxy.check" => {
            let (target, timeout) = checking(args)?;
            let check = match runtime {
                Some(runtime) => runtime.block_on(proxy.check(target, timeout)),
                None => blocking::check(&proxy, target, timeout),
            }?;
            Ok(json!({
                "ok": check.ok(),
                "reachable": check.reachable,
                "status": check.status,
                "exit_ip": check.exit_ip,
                "preferred_ip_is_gone": check.preferred_ip_is_gone,
                "error": check.error,
                "meaning": check.meaning,
            }))
        }
        _ => panic!("unknown: {call}"),
    }
}
