//! An IP that is authorised for as long as it is needed.

use crate::{calls::operations, client::Via, error::Failure};
use proxymesh::{Username, binding};
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
    core: binding::Lease,
    /// A release waits until an entry that is being cancelled has ended.
    turn: Mutex<()>,
}

impl Lease {
    pub(crate) fn new(via: &Via, options: &LeaseOptions) -> Result<Self, Failure> {
        let LeaseOptions { ip, label, lookup, username } = options;
        let wanted = binding::authorized_ip(ip.as_deref(), label.as_deref(), lookup.as_deref())?;
        Ok(Self {
            via: via.kept()?,
            core: binding::Lease::new(wanted, owner(username.as_deref())?),
            turn: Mutex::new(()),
        })
    }
}

operations! {
    Lease:

    /// Authorises the IP, if it is not authorised yet, and returns it.
    calls("ips.authorized")
    fn lease_enter(lease, client) -> String {
        let _turn = lease.turn.lock().await;
        Ok(lease.core.enter(&client, None).await?)
    }

    /// Removes the IP, if a lease added it and nobody on this machine needs it any more.
    finishes("ips.authorized")
    fn lease_release(lease, client) -> () {
        let _turn = lease.turn.lock().await;
        Ok(lease.core.release(&client, None).await?)
    }
}
