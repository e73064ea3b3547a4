//! This machine's address, kept authorised while it changes.

use crate::{
    bridge::worker,
    calls::{methods, operations},
    client::Via,
    error::Failure,
    lease::owner,
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
    /// The lease of the first address.
    first: Arc<binding::Lease>,
    follow: Mutex<Option<Arc<Follow>>>,
    /// Closing waits until a start that is being cancelled has ended.
    turn: tokio::sync::Mutex<()>,
}

impl Follower {
    pub(crate) fn new(via: &Via, options: &FollowerOptions) -> Result<Self, Failure> {
        let FollowerOptions { label, lookup, username, interval } = options;
        let wanted = binding::followed_ip(label.as_deref(), lookup.as_deref(), *interval)?;
        let owner = owner(username.as_deref())?;
        let first = Arc::new(wanted.first(owner.clone()));
        Ok(Self {
            via: via.kept()?,
            wanted,
            owner,
            first,
            follow: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        })
    }

    fn follow(&self) -> MutexGuard<'_, Option<Arc<Follow>>> {
        self.follow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

methods! {
    Follower:

    /// Returns the IP that is authorised now.
    fn follower_ip(follower) -> Option<String> {
        Ok(follower.follow().as_ref().map(|follow| follow.ip()))
    }

    /// Fails with the error of the last check, if that failed.
    fn follower_check(follower) -> () {
        let error = follower.follow().as_ref().and_then(|follow| follow.error());
        error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Returns whether the follower goes on.
    fn follower_is_running(follower) -> bool {
        Ok(follower.follow().as_ref().is_some_and(|follow| follow.is_running()))
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
        let ip = follower.first.enter(&client, None).await?;
        let first = (ip, follower.first.clone());
        let (wanted, owner) = (follower.wanted.clone(), follower.owner.clone());
        *follower.follow() = Some(Arc::new(Follow::on(&worker, lasting, wanted, owner, first)));
        Ok(ip)
    }

    /// Ends the follower and removes the IP.
    finishes("ips.follow")
    fn follower_close(follower, client) -> () {
        let _turn = follower.turn.lock().await;
        let follow = follower.follow().clone();
        match follow {
            Some(follow) => follow.close().await?,
            None => follower.first.release(&client, None).await?,
        }
        Ok(())
    }
}
