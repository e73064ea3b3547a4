//! Authorises an IP for as long as it is needed: `ips().authorized()` and `ips().follow()`.
//!
//! Processes of the same user on the same machine share an IP, even with different credentials. The first one adds it, and the
//! last one removes it. An IP that was already authorised stays. [`record`] has the files that the processes share. [`address`]
//! finds this machine's address. [`follow`] changes the IP when that address changes.

mod address;
mod follow;
#[cfg(test)]
mod interleavings;
mod options;
mod record;

pub use follow::{Follow, IpFollower};
pub use options::{AuthorizedIp, FollowedIp};

#[cfg(feature = "testing")]
pub(crate) use address::asked;

use crate::{
    client::{Client, Pending},
    error::{Error, Result},
    model::{NewIp, Username},
    observer::{Event, Observer},
    process,
    resource::Ips,
};
use record::{Account, Guard, Lock, Record};
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    net::IpAddr,
    sync::{Arc, PoisonError},
    thread::ThreadId,
};
use tokio::{runtime::Handle, sync::oneshot};

/// The primitives that the model checker replaces in tests, so that it can run leases in every order.
mod sync {
    #[cfg(test)]
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    #[cfg(not(test))]
    pub(super) use std::sync::{Mutex, MutexGuard};
}
use sync::{Mutex, MutexGuard};

/// The call's name in errors.
const CALL: &str = "ips.authorized";

/// One claim on an authorised IP, without a client: what [`IpLease`], [`blocking::IpLease`](crate::blocking::IpLease) and
/// [`Follow`] share. Bindings build their own on it.
///
/// Whatever happens to [`enter`](Self::enter), including that its future is dropped, call [`release`](Self::release) afterwards, or
/// let [`Unreleased`] do it. If that does not happen, the record stays, and the next lease of this machine takes over the IP.
pub struct Lease {
    wanted: AuthorizedIp,
    owner: Option<Username>,
    held: Mutex<Option<Held>>,
    /// The process that created the lease. A process forked later has no part in it.
    process: u32,
}

/// What a lease holds between the start of `enter` and the end of `release`.
struct Held {
    ip: IpAddr,
    record: Record,
    lock: Lock,
    /// Whether a lease had already added the IP when this one was entered.
    was_added: bool,
    /// Whether the service has said which IPs are authorised. Without that, nothing was done, so nothing is undone.
    has_looked: bool,
}

/// The account's IPs at the service.
trait Service: Sync {
    fn record(&self, guard: &Guard, ip: IpAddr) -> Record;
    fn labels(&self) -> impl Future<Output = Result<BTreeMap<IpAddr, String>>> + Send;
    fn add(&self, new: NewIp) -> impl Future<Output = Result<()>> + Send;
    fn delete(&self, ip: IpAddr) -> impl Future<Output = Result<()>> + Send;

    /// Who is told about a removal that failed.
    fn observer(&self) -> Option<&Observer> {
        None
    }
}

impl Lease {
    /// A lease that holds nothing yet. `owner` is the sub-account to authorise the IP for; by default, the client's own account.
    #[must_use]
    pub fn new(wanted: AuthorizedIp, owner: Option<Username>) -> Self {
        Self { wanted, owner, held: Mutex::new(None), process: process::id() }
    }

    /// Authorises the IP, if it is not authorised yet, and returns it. A blocking caller gives its thread, because a signal handler
    /// may interrupt it and use another lease.
    ///
    /// # Errors
    ///
    /// Those of [`Ips::authorized`].
    pub async fn enter(&self, client: &Client, thread: Option<ThreadId>) -> Result<IpAddr> {
        let ip = self.wanted.address(client).await?;
        self.claim(&self.ips(client), ip, thread).await?;
        Ok(ip)
    }

    async fn claim(&self, service: &impl Service, ip: IpAddr, thread: Option<ThreadId>) -> Result<()> {
        let label = self.wanted.label_or_default()?;
        let guard = Guard::enter(self.wanted.patience, thread).await?;
        let record = service.record(&guard, ip);
        let lock = record.share(self.wanted.patience).await?;
        let ours = record.read()?;
        let was_added = ours.is_some();
        // Whatever happens from here on, `release` gives the claim back.
        self.hold(Held { ip, record: record.clone(), lock, was_added, has_looked: false });
        let mut there = service.labels().await?;
        self.note(|held| held.has_looked = true);
        remove_abandoned(service, &guard, &mut there, ip).await?;
        let as_labelled = |label: &str| record.added(label, &options::machine());
        let label = match there.remove(&ip) {
            Some(label) => label,
            None => {
                let added = as_labelled(label.as_str());
                record.write(&added.clone().asked())?;
                match service.add(NewIp { ip, label: Some(label) }).await {
                    Ok(()) => return record.write(&added),
                    Err(error @ Error::BadRequest(_)) => {
                        // This lease has not added the IP, so what was known before is still true.
                        match &ours {
                            Some(ours) => record.write(ours)?,
                            None => record.clear()?,
                        }
                        service.labels().await?.remove(&ip).ok_or(error)?
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let there = as_labelled(&label);
        match ours {
            // The IP of an earlier lease is gone. This one belongs to someone else.
            Some(ours) if !ours.is_labelled_as(&there) => record.clear(),
            Some(_) => record.write(&there),
            // A process with different credentials for the account added the IP. This one needs it, too.
            None if record.has_others(&there, false)? => record.write(&there),
            None => Ok(()),
        }
    }

    /// Gives the claim back. Removes the IP if it was added for a lease and nobody needs it any more. Does nothing if there is no
    /// claim, or in a process that was forked since the lease was created. After an error, or if the future is dropped, this may
    /// be tried again.
    ///
    /// # Errors
    ///
    /// Those of [`IpLease::release`].
    pub async fn release(&self, client: &Client, thread: Option<ThreadId>) -> Result<()> {
        self.give_back(&self.ips(client), thread).await
    }

    async fn give_back(&self, service: &impl Service, thread: Option<ThreadId>) -> Result<()> {
        if self.ip().is_none() {
            return Ok(());
        }
        let _guard = Guard::enter(self.wanted.patience, thread).await?;
        let mut returning = Returning { lease: self, held: self.lock().take() };
        let Some(Held { ip, record, lock, was_added, has_looked }) = &mut returning.held else {
            return Ok(());
        };
        let mut is_unsettled = !*has_looked;
        let is_last = lock.exclusive().map_err(|error| record.unusable(error))?;
        let added = record.read()?;
        // A lease that never looked leaves everything to the next one, unless another lease has come and gone meanwhile, and has left
        // the IP to this one.
        if is_last
            && (*has_looked || !*was_added)
            && let Some(added) = &added
            && !record.has_others(added, true)?
        {
            let there = service.labels().await?;
            let label = there.get(ip).map(|label| record.added(label, ""));
            is_unsettled = label.is_none() && added.may_be_added();
            if label.is_some_and(|label| added.is_labelled_as(&label)) {
                delete(service, *ip).await?;
            }
        }
        let Some(Held { record, lock, .. }) = returning.held.take() else { return Ok(()) };
        // The next lease needs the record of an IP that may be authorised, now or in a moment.
        if is_last && (added.is_none() || !is_unsettled) { record.remove(lock) } else { Ok(()) }
    }

    fn ips<'a>(&self, client: &'a Client) -> Ips<'a, Client> {
        Ips { via: client, owner: self.owner.clone() }
    }

    fn hold(&self, held: Held) {
        *self.lock() = Some(held);
    }

    fn note(&self, change: impl FnOnce(&mut Held)) {
        if let Some(held) = &mut *self.lock() {
            change(held);
        }
    }

    /// Whether this process created the lease. A process forked since then has no part in it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.process == process::id()
    }

    /// The address, while the lease holds it.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        if !self.is_own() {
            return None;
        }
        self.lock().as_ref().map(|held| held.ip)
    }

    /// The lock is held only to move a value in or out.
    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the other IPs that killed processes of this machine have left in the account: its address has changed since.
async fn remove_abandoned(
    service: &impl Service,
    guard: &Guard,
    there: &mut BTreeMap<IpAddr, String>,
    needed: IpAddr,
) -> Result<()> {
    for (ip, label) in there.clone() {
        if ip == needed {
            continue;
        }
        let record = service.record(guard, ip);
        let added = record.added(&label, &options::machine());
        let Some(lock) = record.abandoned(&added)? else { continue };
        if record.has_others(&added, true)? {
            continue;
        }
        match delete(service, ip).await {
            Ok(()) => {
                record.remove(lock)?;
                there.remove(&ip);
            }
            Err(error) => warn(service.observer(), ip, &error),
        }
    }
    Ok(())
}

/// Removes the IP. It may be gone already.
async fn delete(service: &impl Service, ip: IpAddr) -> Result<()> {
    match service.delete(ip).await {
        Err(error @ Error::BadRequest(_)) if service.labels().await?.contains_key(&ip) => Err(error),
        Err(Error::BadRequest(_)) => Ok(()),
        result => result,
    }
}

impl Service for Ips<'_, Client> {
    fn record(&self, guard: &Guard, ip: IpAddr) -> Record {
        let credentials = self.via.credentials();
        let authorization = credentials.authorization();
        let username = credentials.username_and_password().map(|(username, _)| username);
        let owner = self.owner.as_ref().map(Username::as_str);
        let account = Account {
            service: self.via.base_url(),
            // Without the password, because it may change.
            credentials: username.unwrap_or(&authorization).as_bytes(),
            owner: owner.unwrap_or_default(),
            name: owner.or(username),
        };
        guard.record(&account, &ip.to_string())
    }

    async fn labels(&self) -> Result<BTreeMap<IpAddr, String>> {
        let labels = self.labels().await?;
        Ok(labels.into_iter().map(|known| (known.ip, known.label)).collect())
    }

    async fn add(&self, new: NewIp) -> Result<()> {
        self.add(new).await.map(drop)
    }

    async fn delete(&self, ip: IpAddr) -> Result<()> {
        self.delete(ip).await
    }

    fn observer(&self) -> Option<&Observer> {
        self.via.observer()
    }
}

/// Holds on to the claim while it is being given back.
struct Returning<'a> {
    lease: &'a Lease,
    held: Option<Held>,
}

impl Drop for Returning<'_> {
    fn drop(&mut self) {
        if let Some(mut held) = self.held.take() {
            // Others must not meet an exclusive lock.
            if held.lock.share().is_ok_and(|shared| shared) {
                self.lease.hold(held);
            }
        }
    }
}

/// Releases a lease in the background if it is dropped, for example because a task was cancelled.
pub struct Unreleased {
    lease: Arc<Lease>,
    client: Client,
    runtime: Option<Handle>,
    is_armed: bool,
}

impl Unreleased {
    /// Releases `lease` on the current runtime when this is dropped. If there is none, the record stays, so that the next lease of this
    /// machine takes over the IP.
    #[must_use]
    pub fn new(lease: Arc<Lease>, client: Client) -> Self {
        Self { lease, client, runtime: Handle::try_current().ok(), is_armed: true }
    }

    /// The lease.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Releases the lease with `client`, which may have a different observer from the client of the background task. If this
    /// future is dropped, the release continues, and the observer of the background task learns if it fails. If the delete call were
    /// abandoned, it could take effect after the next lease has found the IP.
    ///
    /// # Errors
    ///
    /// Those of [`Lease::release`].
    pub async fn release(self, client: Client) -> Result<()> {
        let Some(runtime) = self.runtime.clone() else { return self.disarm().release(&client, None).await };
        let observer = self.client.observer().cloned();
        let lease = self.disarm();
        let (tell, told) = oneshot::channel();
        runtime.spawn(async move {
            let ip = lease.ip();
            let failure = lease.release(&client, None).await.err();
            let _ = tell.send(Told { failure, ip, observer });
        });
        match told.await {
            Ok(mut told) => told.failure.take().map_or(Ok(()), Err),
            Err(_) => Err(Error::config("the runtime has ended, so the IP stays authorised")),
        }
    }

    /// The lease is in good hands.
    #[allow(clippy::must_use_candidate)]
    pub fn disarm(mut self) -> Arc<Lease> {
        self.is_armed = false;
        self.lease.clone()
    }
}

/// What is told to the caller of [`Unreleased::release`]. A failure that the caller does not take, because it was cancelled, becomes
/// a warning.
struct Told {
    failure: Option<Error>,
    ip: Option<IpAddr>,
    observer: Option<Observer>,
}

impl Drop for Told {
    fn drop(&mut self) {
        if let (Some(error), Some(ip)) = (self.failure.take(), self.ip) {
            warn(self.observer.as_ref(), ip, &error);
        }
    }
}

impl Drop for Unreleased {
    fn drop(&mut self) {
        let Some(runtime) = &self.runtime else { return };
        if !self.is_armed {
            return;
        }
        // In a forked process, the runtime has no threads, and the lease belongs to the parent.
        let Some(ip) = self.lease.ip() else { return };
        let (lease, client) = (self.lease.clone(), self.client.clone());
        runtime.spawn(async move {
            if let Err(error) = lease.release(&client, None).await {
                warn(client.observer(), ip, &error);
            }
        });
    }
}

/// Says that an IP stays authorised.
pub fn warn(observer: Option<&Observer>, ip: IpAddr, error: &Error) {
    let text =
        "could not remove the authorised IP, so it stays until an IP is next authorised on this machine";
    tracing::warn!(target: "proxymesh", %ip, %error, "{text}");
    if let Some(observer) = observer {
        observer.tell(Event::Warning(stays_authorised(ip, error)));
    }
}

/// One line that says that an IP stays authorised.
#[must_use]
pub fn stays_authorised(ip: IpAddr, error: &Error) -> String {
    format!(
        "could not remove the authorised IP {ip}, so it stays until an IP is next authorised on this machine: {error}"
    )
}

/// An IP that is authorised until this is released. [`Ips::authorized`] returns it.
///
/// Call [`release`](Self::release) when the IP is no longer needed. If the lease is dropped instead, for example because its task
/// was cancelled, a task of the current runtime releases it. If the runtime ends before that, or if there is none, the IP stays
/// authorised. The next lease of the same account on this machine then takes it over or removes it.
#[derive(Debug)]
#[must_use = "dropping it releases the IP"]
pub struct IpLease {
    ip: IpAddr,
    unreleased: Unreleased,
}

impl IpLease {
    /// The authorised address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Removes the IP, if a lease added it and nobody on this machine needs it any more. Does nothing in a process that was forked
    /// since the lease was created. If the future is dropped, the release continues in the background.
    ///
    /// # Errors
    ///
    /// Those of [`Ips::labels`] and [`Ips::delete`], and [`Error::Timeout`] and [`Error::Config`] as in [`Ips::authorized`]. The IP
    /// then stays authorised, and the next lease of the same account on this machine takes it over or removes it.
    pub async fn release(self) -> Result<()> {
        let client = self.unreleased.client.clone();
        self.unreleased.release(client).await
    }
}

impl Ips<'_, Client> {
    /// Authorises an IP, by default this machine's own, for as long as the returned lease exists.
    ///
    /// The IP is added if it is not authorised yet. Leases of one user on one machine share an IP: the last one removes it,
    /// whichever process added it, and even if they use different credentials for the account. A killed process leaves its IP
    /// behind. The next lease of the same account on this machine takes it over. If this machine has a different address by then,
    /// the next lease with the same credentials removes the old one. If the IP's label has changed, the IP belongs to someone
    /// else and stays. An IP that was already authorised stays.
    ///
    /// The leases find each other through files in the user's state folder, or else in a folder for temporary files. These contain
    /// no address, name or secret.
    ///
    /// ```no_run
    /// # async fn example(client: proxymesh::Client) -> proxymesh::Result<()> {
    /// use proxymesh::AuthorizedIp;
    ///
    /// let lease = client.ips().authorized(AuthorizedIp::new().label("nightly crawl")?).await?;
    /// println!("{} may use the proxies without credentials", lease.ip());
    /// lease.release().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`labels`](Self::labels) and [`add`](Self::add). [`Error::Connection`] if this machine's address cannot be determined
    /// within 10 seconds. [`Error::Timeout`] if another process has been adding or removing an IP for more than 60 seconds.
    /// [`Error::Config`] if there is no folder that only this user can write to.
    pub fn authorized(&self, wanted: AuthorizedIp) -> Pending<IpLease> {
        let (client, lease) = (self.via.clone(), Lease::new(wanted, self.owner.clone()));
        Box::pin(async move {
            let (ip, unreleased) = entered(&client, lease).await?;
            Ok(IpLease { ip, unreleased })
        })
    }
}

/// Enters a lease. If that fails, gives back what it holds.
async fn entered(client: &Client, lease: Lease) -> Result<(IpAddr, Unreleased)> {
    let unreleased = Unreleased::new(Arc::new(lease), client.clone());
    match unreleased.lease.enter(client, None).await {
        Ok(ip) => Ok((ip, unreleased)),
        Err(error) => {
            given_back(client, &unreleased.lease, unreleased.lease.release(client, None).await);
            unreleased.disarm();
            Err(error)
        }
    }
}

/// Logs the error of giving back a claim. Whoever asked for it has an error of their own.
pub(crate) fn given_back(client: &Client, lease: &Lease, result: Result<()>) {
    if let (Err(error), Some(ip)) = (result, lease.ip()) {
        warn(client.observer(), ip, &error);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl fmt::Debug for Unreleased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lease, f)
    }
}
