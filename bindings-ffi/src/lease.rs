//! An IP that is authorised for as long as it is needed.

use crate::{calls::operations, client::Via, error::Failure};
use proxymesh::{
    Username,
    binding::{self, Unreleased},
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// An IP to authorise for as long as it is needed.
#[derive(uniffi::Record)]
pub struct LeaseOptions {
    /// The address; by default, this machine's own.
    pub ip: Option<String>,
    /// The label to store with it.
    pub label: Option<String>,
    /// A page that returns the requester's address.
    pub lookup: Option<String>,
    /// The sub-account to authorise it for.
    pub username: Option<String>,
}

/// The sub-account with this name.
pub(crate) fn owner(username: Option<&str>) -> proxymesh::Result<Option<Username>> {
    username.map(Username::new).transpose()
}

/// A lease of an IP. Whatever happens to `lease_enter`, call `lease_release` afterwards.
#[cfg_attr(feature = "description", derive(uniffi::Object))]
pub struct Lease {
    /// A client that is not shut down before the lease is released.
    pub(crate) via: Via,
    /// `None` once it has been released. Then nothing here may hold on to the claim: an IP that could not be removed would look as if
    /// it were still needed. A release waits until an entry that is being cancelled has ended.
    core: Mutex<Option<Arc<binding::Lease>>>,
}

impl Lease {
    pub(crate) fn new(via: &Via, options: &LeaseOptions) -> Result<Self, Failure> {
        let LeaseOptions { ip, label, lookup, username } = options;
        let wanted = binding::authorized_ip(ip.as_deref(), label.as_deref(), lookup.as_deref())?;
        let core = binding::Lease::new(wanted, owner(username.as_deref())?);
        Ok(Self { via: via.kept()?, core: Mutex::new(Some(Arc::new(core))) })
    }
}

/// Releases a lease. If the call is cancelled, the release continues in the background. If it fails, that is logged too, because a
/// block that has failed already throws its own error.
pub(crate) async fn released(
    lease: Option<Arc<binding::Lease>>,
    client: proxymesh::Client,
) -> Result<(), Failure> {
    let Some(lease) = lease else { return Ok(()) };
    let ip = lease.ip();
    let released = Unreleased::new(lease, client.clone()).release(client.clone()).await;
    if let (Err(error), Some(ip)) = (&released, ip) {
        binding::warn(client.observer(), ip, error);
    }
    Ok(released?)
}

operations! {
    Lease:

    /// Authorises the IP, if it is not authorised yet, and returns it.
    calls("ips.authorized")
    fn lease_enter(lease, client) -> String {
        match &*lease.core.lock().await {
            Some(core) => Ok(core.enter(&client, None).await?),
            None => Err(Failure::internal("the lease has been released")),
        }
    }

    /// Removes the IP, if a lease added it and nobody on this machine needs it any more. Does nothing the second time.
    finishes("ips.authorized")
    fn lease_release(lease, client) -> () {
        let core = lease.core.lock().await.take();
        released(core, client).await
    }
}
