//! The proxies behind the gateway: which one a connection goes through, and what happens if it refuses.

use crate::{policy::Policy, refusal::Refusal, target::Target};
use proxymesh::{
    Check, Client, Error, Outcome, PoolOptions, Proxy, ProxyPool, Report,
    binding::{self, Tunnel},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::Mutex as Turn,
    time::{Instant, timeout_at},
};

/// How many sessions are remembered. The one that was idle for longest makes room.
const MOST_SESSIONS: usize = 10_000;

/// The proxies of an account.
pub(crate) struct Upstream {
    pool: ProxyPool,
    /// How long it may take until a proxy has accepted a connection.
    budget: Duration,
    /// How many proxies are tried.
    tries: u32,
    sessions: Mutex<HashMap<Policy, Session>>,
}

/// The proxy that holds the exit of a session. Its connections take turns until it is found.
struct Session {
    held: Arc<Turn<Option<Proxy>>>,
    used: Instant,
}

/// A tunnel through a proxy.
pub(crate) struct Opened {
    pub(crate) proxy: Proxy,
    pub(crate) exit_ip: Option<String>,
    pub(crate) stream: TcpStream,
    /// What the target has sent already.
    pub(crate) early: Vec<u8>,
}

/// What a refusal says about the proxy.
#[derive(PartialEq, Eq)]
pub(crate) enum Blame {
    /// Another proxy may accept the connection.
    Proxy,
    /// Every proxy would refuse.
    Target,
}

/// Who is to blame if a proxy answers with this status itself. `None` if it did not respond.
pub(crate) fn blame(status: Option<u16>) -> Blame {
    match status {
        None | Some(402 | 407 | 500 | 501 | 505..) => Blame::Proxy,
        Some(_) => Blame::Target,
    }
}

impl Upstream {
    pub(crate) fn new(client: &Client, credentials: bool, budget: Duration, tries: u32) -> Self {
        let pool = client.proxies().pool(PoolOptions::new().credentials(credentials));
        Self { pool, budget, tries, sessions: Mutex::default() }
    }

    pub(crate) fn pool(&self) -> &ProxyPool {
        &self.pool
    }

    /// Opens a tunnel. If a proxy refuses, tries another one. Nothing has been sent to the target then.
    pub(crate) async fn tunnel(&self, policy: &Policy, target: &Target) -> Result<Opened, Refusal> {
        let target = target.to_string();
        let mut search = self.search(policy, &target);
        loop {
            let (proxy, left) = search.next().await?;
            let Tunnel { check, stream } = binding::tunnel(&proxy, &target, left)
                .await
                .map_err(|error| Refusal::new(400, error.to_string()))?;
            let Some((stream, early)) = stream else {
                search.refused(proxy, &check)?;
                continue;
            };
            self.pool.report(&proxy, &check);
            if search.lost(&proxy, &check) {
                continue;
            }
            return Ok(Opened { proxy, exit_ip: check.exit_ip, stream, early });
        }
    }

    /// Goes through the proxies until one of them accepts a connection.
    pub(crate) fn search<'a>(&'a self, policy: &'a Policy, target: &'a str) -> Search<'a> {
        let deadline = Instant::now() + self.budget;
        Search { upstream: self, policy, target, deadline, tries: 0, refused: None }
    }

    async fn proxy(&self, policy: &Policy, target: &str, left: Duration) -> Result<Proxy, Error> {
        if policy.session.is_some() {
            return self.session(policy, target, left).await;
        }
        match &policy.country {
            Some(country) => self.pool.get_in([country.as_str()]).await,
            None => self.pool.get().await,
        }
    }

    async fn session(&self, policy: &Policy, target: &str, left: Duration) -> Result<Proxy, Error> {
        let held = self.held(policy);
        let mut held = held.lock().await;
        if let Some(proxy) = &*held {
            return Ok(proxy.clone());
        }
        let proxy = match &policy.country {
            Some(country) => self.pool.session_in([country.as_str()], target, left).await?,
            None => self.pool.session(target, left).await?,
        };
        *held = Some(proxy.clone());
        Ok(proxy)
    }

    fn held(&self, policy: &Policy) -> Arc<Turn<Option<Proxy>>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if sessions.len() >= MOST_SESSIONS && !sessions.contains_key(policy) {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(policy, _)| policy.clone()) {
                sessions.remove(&oldest);
            }
        }
        let session =
            sessions.entry(policy.clone()).or_insert_with(|| Session { held: Arc::default(), used: now });
        session.used = now;
        session.held.clone()
    }

    /// Lets the session find another exit, unless it has already done so.
    async fn forget(&self, policy: &Policy, proxy: &Proxy) {
        if policy.session.is_none() {
            return;
        }
        let held = self.held(policy);
        let mut held = held.lock().await;
        if held.as_ref() == Some(proxy) {
            *held = None;
        }
    }
}

/// The search for a proxy that accepts one connection.
pub(crate) struct Search<'a> {
    upstream: &'a Upstream,
    policy: &'a Policy,
    target: &'a str,
    deadline: Instant,
    tries: u32,
    refused: Option<(Refusal, Proxy)>,
}

impl Search<'_> {
    /// The next proxy to try, and how long it may take.
    pub(crate) async fn next(&mut self) -> Result<(Proxy, Duration), Refusal> {
        if let Some((refusal, proxy)) = self.refused.take() {
            self.upstream.forget(self.policy, &proxy).await;
            let is_over = self.tries >= self.upstream.tries || Instant::now() >= self.deadline;
            if is_over {
                return Err(refusal);
            }
            return match self.find().await {
                Ok(found) => Ok(found),
                // What the last one said explains more.
                Err(_) => Err(refusal),
            };
        }
        self.find().await
    }

    async fn find(&mut self) -> Result<(Proxy, Duration), Refusal> {
        self.tries += 1;
        let left = || self.deadline.saturating_duration_since(Instant::now());
        let found = timeout_at(self.deadline, self.upstream.proxy(self.policy, self.target, left())).await;
        match found {
            Ok(Ok(proxy)) => Ok((proxy, left())),
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => Err(Refusal::new(504, "no proxy was found in time")),
        }
    }

    /// Notes that a proxy has refused. An error if another one would refuse too.
    pub(crate) fn refused(&mut self, proxy: Proxy, check: &Check) -> Result<(), Refusal> {
        let status = check.status.unwrap_or(502);
        let mut reason = format!("{}: {}", proxy.name(), check.meaning);
        if let Some(error) = &check.error {
            reason.push_str(": ");
            reason.push_str(error);
        }
        let refusal = Refusal { proxy: Some(proxy.name().to_owned()), ..Refusal::new(status, reason) };
        if blame(check.status) == Blame::Target {
            return Err(refusal);
        }
        self.upstream.pool.report(&proxy, check);
        self.refused = Some((refusal, proxy));
        Ok(())
    }

    /// The same for a proxy that has refused an http request.
    pub(crate) fn failed(&mut self, proxy: Proxy, status: u16, reason: &str, latency: Duration) -> Refusal {
        let reason = format!("{}: {reason}", proxy.name());
        let refusal = Refusal { proxy: Some(proxy.name().to_owned()), ..Refusal::new(status, reason) };
        self.upstream.pool.report(&proxy, Report::from(Outcome::Failure).latency(latency));
        self.refused = Some((refusal.clone(), proxy));
        refusal
    }

    /// Whether the proxy no longer has the exit of the session. Nothing has been sent to the target yet, so the session moves to another
    /// exit.
    fn lost(&mut self, proxy: &Proxy, check: &Check) -> bool {
        let missing = check.preferred_ip_is_gone.then_some("");
        let Some(reason) = proxy.lost_exit(check.exit_ip.as_deref(), missing) else { return false };
        self.refused = Some((Refusal::new(502, reason), proxy.clone()));
        true
    }
}

/// Why there is no proxy to try.
fn unavailable(error: &Error) -> Refusal {
    let status = match error {
        Error::PoolExhausted { .. } => 503,
        Error::Validation { .. } => 400,
        Error::Timeout { .. } => 504,
        _ => 502,
    };
    Refusal::new(status, error.to_string())
}
