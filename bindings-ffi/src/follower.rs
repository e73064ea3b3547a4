//! This machine's address, kept authorised while it changes.

use crate::{
    bridge::worker,
    calls::{methods, operations},
    client::Via,
    error::Failure,
    lease::{owner, released},
};
use proxymesh::{
    FollowedIp, Username,
    binding::{self, Follow},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How to follow this machine's address.
#[derive(uniffi::Record)]
pub struct FollowerOptions {
    /// The label to store with the address.
    pub label: Option<String>,
    /// A page that returns the requester's address.
    pub lookup: Option<String>,
    /// The sub-account to authorise it for.
    pub username: Option<String>,
    /// The seconds between two checks; 60 by default.
    pub interval: Option<f64>,
}

/// Keeps this machine's address authorised. Whatever happens to `follower_start`, call `follower_close` afterwards.
#[cfg_attr(feature = "description", derive(uniffi::Object))]
pub struct Follower {
    /// A client that is not shut down before the follower is closed.
    pub(crate) via: Via,
    wanted: FollowedIp,
    owner: Option<Username>,
    state: Mutex<State>,
    /// Closing waits until a start that is being cancelled has ended.
    turn: tokio::sync::Mutex<()>,
}

/// Whether the follower has been started.
#[derive(Clone)]
enum State {
    /// Not yet. This is the lease of the first address. Once it has been started, nothing here may hold on to that lease: an IP that
    /// could not be removed would look as if it were still needed.
    New(Arc<binding::Lease>),
    Following(Arc<Follow>),
    /// It was closed before it was started.
    Closed,
}

impl Follower {
    pub(crate) fn new(via: &Via, options: &FollowerOptions) -> Result<Self, Failure> {
        let FollowerOptions { label, lookup, username, interval } = options;
        let wanted = binding::followed_ip(label.as_deref(), lookup.as_deref(), *interval)?;
        let owner = owner(username.as_deref())?;
        let state = State::New(Arc::new(wanted.first(owner.clone())));
        Ok(Self {
            via: via.kept()?,
            wanted,
            owner,
            state: Mutex::new(state),
            turn: tokio::sync::Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes a follower that has not been started. Returns its lease.
    fn never_started(&self) -> Option<Arc<binding::Lease>> {
        match std::mem::replace(&mut *self.state(), State::Closed) {
            State::New(first) => Some(first),
            State::Following(_) | State::Closed => None,
        }
    }

    fn follow(&self) -> Option<Arc<Follow>> {
        match &*self.state() {
            State::New(_) | State::Closed => None,
            State::Following(follow) => Some(follow.clone()),
        }
    }
}

methods! {
    Follower:

    /// Returns the IP that is authorised now.
    fn follower_ip(follower) -> Option<String> {
        Ok(follower.follow().map(|follow| follow.ip()))
    }

    /// Fails with the error of the last check, if that failed.
    fn follower_check(follower) -> () {
        let error = follower.follow().and_then(|follow| follow.error());
        error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Returns whether the follower is still running.
    fn follower_is_running(follower) -> bool {
        Ok(follower.follow().is_some_and(|follow| follow.is_running()))
    }
}

operations! {
    Follower:

    /// Authorises this machine's address, and starts to follow it.
    calls("ips.follow")
    fn follower_start(follower, client) -> String {
        let _turn = follower.turn.lock().await;
        let worker = worker("ips.follow")?;
        let lasting = follower.via.for_worker()?;
        let lasting = match client.observer() {
            Some(observer) => lasting.with_observer(observer.clone()),
            None => lasting,
        };
        let first = match follower.state().clone() {
            State::New(first) => first,
            State::Following(follow) => return Ok(follow.ip()),
            State::Closed => return Err(Failure::internal("the follower has been closed")),
        };
        let ip = first.enter(&client, None).await?;
        let (wanted, owner) = (follower.wanted.clone(), follower.owner.clone());
        let follow = Follow::on(&worker, lasting, wanted, owner, (ip, first));
        *follower.state() = State::Following(Arc::new(follow));
        Ok(ip)
    }

    /// Ends the follower and removes the IP.
    finishes("ips.follow")
    fn follower_close(follower, client) -> () {
        let _turn = follower.turn.lock().await;
        match follower.follow() {
            Some(follow) => Ok(follow.close().await?),
            None => released(follower.never_started(), client).await,
        }
    }
}
