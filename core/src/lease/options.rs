//! What to authorise, and how to follow it.

use super::address::{self, Page};
use crate::{
    client::Client,
    error::{Error, Result},
    model::{IpAddress, IpLabel},
};
#[cfg(feature = "testing")]
use std::sync::Arc;
use std::{fmt, net::IpAddr, time::Duration};

/// How long entering or leaving waits for other processes.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a follower checks the address.
const INTERVAL: Duration = Duration::from_secs(60);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Which IP to authorise, and with which label. See [`Ips::authorized`](crate::resource::Ips::authorized).
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::AuthorizedIp;
///
/// let this_machine = AuthorizedIp::new().label("nightly crawl")?;
/// let other = AuthorizedIp::new().ip("203.0.113.7")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizedIp {
    pub(super) ip: Option<IpAddr>,
    pub(super) label: Option<IpLabel>,
    pub(super) page: Page,
    pub(super) patience: Duration,
    pub(super) source: Source,
}

/// Where the address comes from, if none was given.
#[derive(Clone)]
pub(super) enum Source {
    /// From this machine, for this call.
    Machine(&'static str),
    #[cfg(feature = "testing")]
    Given(Arc<dyn Fn() -> Result<IpAddr> + Send + Sync>),
}

impl AuthorizedIp {
    /// This machine's own address, with the default label: `proxymesh on` and the name of this machine.
    #[must_use]
    pub fn new() -> Self {
        let source = Source::Machine("ips.authorized");
        Self { ip: None, label: None, page: Page::default(), patience: PATIENCE, source }
    }

    /// Sets the address, IPv4 or IPv6. Without one, this machine's own address is used: the local address of a connection to the
    /// service if that address is public, and otherwise what the [`lookup`](Self::lookup) page returns.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `ip` if it is not an IP address.
    pub fn ip<I>(mut self, ip: I) -> Result<Self>
    where
        I: TryInto<IpAddress>,
        Error: From<I::Error>,
    {
        let IpAddress(ip) = ip.try_into()?;
        self.ip = Some(ip);
        Ok(self)
    }

    /// Sets the label that is stored with the IP, at most 255 characters.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `label` if it is too long or contains a control character.
    pub fn label(mut self, label: &str) -> Result<Self> {
        self.label = Some(IpLabel::new(label)?);
        Ok(self)
    }

    /// Sets the URL of a page that returns the requester's address as plain text; `https://api.ipify.org` by default. It is asked
    /// only if the service does not see this machine's own address, for example behind a router. It gets no credentials.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `lookup` if it is not an `http` or `https` URL, or if it contains credentials.
    pub fn lookup(mut self, url: &str) -> Result<Self> {
        self.page = Page::new(url)?;
        Ok(self)
    }

    /// Sets how long to wait for other processes.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Default for AuthorizedIp {
    fn default() -> Self {
        Self::new()
    }
}

/// How to follow this machine's address. See [`Ips::follow`](crate::resource::Ips::follow).
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::FollowedIp;
/// use std::time::Duration;
///
/// let followed = FollowedIp::new().label("home")?.interval(Duration::from_secs(300))?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FollowedIp {
    pub(super) authorized: AuthorizedIp,
    pub(super) interval: Duration,
}

impl FollowedIp {
    /// Checks the address every 60 seconds. The default label is `proxymesh on` and the name of this machine.
    #[must_use]
    pub fn new() -> Self {
        let source = Source::Machine("ips.follow");
        Self { authorized: AuthorizedIp { source, ..AuthorizedIp::new() }, interval: INTERVAL }
    }

    /// Sets the label that is stored with the IP, at most 255 characters.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `label` if it is too long or contains a control character.
    pub fn label(self, label: &str) -> Result<Self> {
        Ok(Self { authorized: self.authorized.label(label)?, ..self })
    }

    /// Sets the URL of a page that returns the requester's address as plain text. See [`AuthorizedIp::lookup`]. Behind a router, each
    /// check asks this page.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `lookup` if it is not an `http` or `https` URL, or if it contains credentials.
    pub fn lookup(self, url: &str) -> Result<Self> {
        Ok(Self { authorized: self.authorized.lookup(url)?, ..self })
    }

    /// Sets the time from the end of one check to the next, from one second to one day.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `interval` if it is shorter or longer.
    pub fn interval(self, interval: Duration) -> Result<Self> {
        if !(SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
            return Err(Error::validation("interval", "must be from 1 second to 86400 seconds (a day)"));
        }
        Ok(Self { interval, ..self })
    }

    /// Gets the address from `source`, at any interval.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    #[must_use]
    pub fn source(
        self,
        interval: Duration,
        source: impl Fn() -> Result<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        let source = Source::Given(Arc::new(source));
        Self { authorized: AuthorizedIp { source, ..self.authorized }, interval }
    }
}

impl Default for FollowedIp {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl AuthorizedIp {
    /// The address to authorise.
    pub(super) async fn address(&self, client: &Client) -> Result<IpAddr> {
        if let Some(ip) = self.ip {
            return Ok(ip);
        }
        match &self.source {
            Source::Machine(call) => address::seen(client, &self.page, call).await,
            #[cfg(feature = "testing")]
            Source::Given(source) => source(),
        }
    }

    /// The label to add the IP with.
    pub(super) fn label_or_default(&self) -> Result<IpLabel> {
        if let Some(label) = &self.label {
            return Ok(label.clone());
        }
        let name: String = machine().chars().filter(|c| !c.is_control()).take(200).collect();
        IpLabel::new(&format!("proxymesh on {name}"))
    }
}

/// The name of this machine.
pub(super) fn machine() -> String {
    #[cfg(unix)]
    {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
    #[cfg(not(unix))]
    {
        std::env::var("COMPUTERNAME").unwrap_or_default()
    }
}
