//! `proxymesh proxies`

use crate::{
    account::Password,
    context::Context,
    failure::{Failure, Status},
    names::{FromFile, Several},
    output::{Column, Record, column, list, optional},
    sender::{Change, Changed, Sender},
    terminal,
};
use clap::{Args, Subcommand};
use proxymesh::{Credentials, ExitChoice, Proxy, ProxyHost, blocking, secrecy::ExposeSecret};
use serde::Serialize;
use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the proxies that the account may use
    List,
    /// Authorise the account to use proxies
    Add(Proxies),
    /// Deauthorise proxies
    Delete(Proxies),
    /// Check whether proxies accept a connection
    Check(Check),
    /// Print the URLs of proxies, for http_proxy
    #[command(after_help = "\
Without --with-credentials, a URL works from an authorised IP or hostname.

  http_proxy=$(proxymesh proxies url us-ca) curl http://example.com")]
    Url(Url),
}

#[derive(Args)]
pub(crate) struct Proxies {
    /// The proxies: us-ca, us-ca.proxymesh.com or us-ca.proxymesh.com:31280
    #[arg(value_name = "PROXY")]
    proxies: Vec<String>,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
pub(crate) struct Check {
    /// The proxies [default: all that the account may use]
    #[arg(value_name = "PROXY")]
    proxies: Vec<String>,
    /// Where the proxy connects to; it sees a connection, but no data
    #[arg(long, value_name = "HOST:PORT", default_value = "proxymesh.com:443")]
    target: String,
    /// How many seconds to wait for each proxy
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Ask for an exit IP in this country; only open and world can choose
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// Send no credentials, to see whether this machine is authorised
    #[arg(long)]
    without_credentials: bool,
    #[command(flatten)]
    several: Several,
}

#[derive(Args)]
pub(crate) struct Url {
    /// The proxies [default: all that the account may use]
    #[arg(value_name = "PROXY")]
    proxies: Vec<String>,
    /// Include the username and the password, in plain text
    #[arg(long)]
    with_credentials: bool,
    #[command(flatten)]
    password: Password,
    #[command(flatten)]
    from: FromFile,
}

/// A proxy of the list.
#[derive(Serialize)]
struct Listed {
    name: String,
    host: String,
    port: u16,
    country: Option<String>,
    chooses_country: bool,
}

impl Record for Listed {
    const COLUMNS: &'static [Column] = &[
        column("name", "NAME"),
        column("host", "HOST"),
        column("port", "PORT"),
        column("country", "COUNTRY"),
        column("chooses_country", "CHOOSES COUNTRY"),
    ];
}

impl From<Proxy> for Listed {
    fn from(proxy: Proxy) -> Self {
        Self {
            name: proxy.name().to_owned(),
            host: proxy.host().to_owned(),
            port: proxy.port(),
            country: proxy.country(),
            chooses_country: proxy.chooses_country(),
        }
    }
}

/// The result of a check.
#[derive(Serialize)]
struct Checked {
    proxy: String,
    ok: bool,
    status: Option<u16>,
    exit_ip: Option<String>,
    latency_ms: u64,
    meaning: String,
    error: Option<String>,
}

impl Record for Checked {
    const COLUMNS: &'static [Column] = &[
        column("proxy", "PROXY"),
        column("ok", "OK"),
        column("status", "STATUS"),
        column("exit_ip", "EXIT IP"),
        column("latency_ms", "MS"),
        column("meaning", "MEANING"),
        optional("error", "ERROR"),
    ];
}

#[derive(Serialize)]
struct Address {
    proxy: String,
    url: String,
}

impl Record for Address {
    const COLUMNS: &'static [Column] = &[column("proxy", "PROXY"), column("url", "URL")];
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List => {
                let proxies = context.sender(false)?.client().proxies().list()?;
                list(context.format(), proxies.into_iter().map(Listed::from))
            }
            Self::Add(Proxies { proxies, several, change }) => {
                let names = several.names(&proxies)?;
                let sender = context.sender(change.dry_run)?;
                several.each::<Changed>(context.format(), &sender, &names, |name| {
                    Ok(sender.proxies().add(name)?.row(Changed::added))
                })
            }
            Self::Delete(Proxies { proxies, several, change }) => {
                let names = several.names(&proxies)?;
                let sender = context.sender(change.dry_run)?;
                several.each::<Changed>(context.format(), &sender, &names, |name| {
                    Ok(sender.proxies().delete(name)?.row(|()| Changed::deleted(name)))
                })
            }
            Self::Check(check) => check.run(context),
            Self::Url(url) => url.run(context),
        }
    }
}

impl Check {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let given = self.several.from.names(&self.proxies)?;
        let sender = context.sender(false)?;
        let (known, names) = chosen(&sender, given)?;
        let names = self.several.left(names)?;
        let credentials: Option<Credentials> = match self.without_credentials {
            true => None,
            false => Some(sender.client().credentials().clone()),
        };
        let exit = match &self.country {
            Some(country) => ExitChoice::new().country(country)?,
            None => ExitChoice::new(),
        };
        let refused = AtomicUsize::new(0);
        self.several.each::<Checked>(context.format(), &sender, &names, |name| {
            let proxy = find(&known, name)?.using(credentials.clone()).steer(exit.clone())?;
            let check = blocking::check(&proxy, &self.target, Duration::from_secs(self.timeout))?;
            if !check.ok() {
                refused.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Checked {
                proxy: proxy.to_string(),
                ok: check.ok(),
                status: check.status,
                exit_ip: check.exit_ip,
                latency_ms: u64::try_from(check.latency.as_millis()).unwrap_or(u64::MAX),
                meaning: check.meaning,
                error: check.error,
            }
            .into())
        })?;
        match refused.into_inner() {
            0 => Ok(()),
            count => Err(Failure::new(Status::Failed, format!("{count} of {} cannot be used", names.len()))),
        }
    }
}

impl Url {
    fn run(self, context: &Context) -> Result<(), Failure> {
        if self.password.password_stdin && self.from.is_stdin() {
            return Err(Failure::usage("stdin cannot be both the names and the password"));
        }
        let given = self.from.names(&self.proxies)?;
        let account = context.account()?;
        let client = if self.with_credentials {
            account.client_with_password(&self.password)
        } else {
            account.client()
        };
        let sender = Sender::new(client?, false);
        let (known, names) = chosen(&sender, given)?;
        let credentials = self.with_credentials.then(|| sender.client().credentials().clone());
        if self.with_credentials && io::stdout().is_terminal() {
            terminal::warning(
                "what follows contains the password, and stays in the scrollback of this terminal",
            );
        }
        let url = |name: &str| {
            let proxy = find(&known, name)?.using(credentials.clone());
            Ok(Address { proxy: proxy.to_string(), url: proxy.url()?.expose_secret().to_owned() })
        };
        drop(sender);
        let addresses = names.iter().map(|name| url(name)).collect::<Result<Vec<_>, Failure>>()?;
        if context.output.is_some() {
            return list(context.format(), addresses);
        }
        let mut out = io::stdout().lock();
        for address in addresses {
            writeln!(out, "{}", address.url)?;
        }
        Ok(out.flush()?)
    }
}

/// The account's proxies, and the names that were given, or else those of all proxies.
fn chosen(sender: &Sender, given: Vec<String>) -> Result<(Vec<Proxy>, Vec<String>), Failure> {
    let known = sender.client().proxies().list()?;
    let names = if given.is_empty() { known.iter().map(Proxy::to_string).collect() } else { given };
    Ok((known, names))
}

/// The proxy of this name.
fn find(known: &[Proxy], name: &str) -> Result<Proxy, Failure> {
    let wanted = ProxyHost::new(name)?;
    known.iter().find(|proxy| wanted.names(proxy)).cloned().ok_or_else(|| {
        Failure::new(Status::NotFound, format!("{name} is not among the account's proxies"))
            .next("see `proxymesh proxies list`, or add it with `proxymesh proxies add`")
    })
}
