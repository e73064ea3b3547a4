//! `proxymesh ips`

use crate::{
    context::Context,
    failure::Failure,
    names::Several,
    output::{Column, Output, Record, column, list},
    sender::{Change, Changed},
    signals::catch_signals,
    terminal,
};
use clap::{Args, Subcommand};
use proxymesh::{FollowedIp, LabeledIp, NewIp};
use serde::Serialize;
use std::{net::IpAddr, sync::atomic::Ordering, thread, time::Duration};

/// How often `follow` looks whether something has happened.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the authorised IPs
    List(List),
    /// Authorise IPs, at most 100 per account
    Add(Add),
    /// Deauthorise IPs
    Delete(Delete),
    /// Keep this machine's IP authorised until Ctrl-C or SIGTERM
    #[command(after_help = "\
Adds the IP, follows it when it changes, and removes it at the end. An IP that
was authorised before stays. Each new IP is written to stdout.")]
    Follow(Follow),
}

#[derive(Args)]
pub(crate) struct List {
    /// Leave out the labels
    #[arg(long)]
    addresses: bool,
    #[command(flatten)]
    owner: Owner,
}

#[derive(Args)]
pub(crate) struct Add {
    /// The IPs, IPv4 or IPv6
    #[arg(value_name = "IP")]
    ips: Vec<String>,
    /// A note that is stored with each IP
    #[arg(short, long)]
    label: Option<String>,
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
pub(crate) struct Delete {
    /// The IPs
    #[arg(value_name = "IP")]
    ips: Vec<String>,
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
pub(crate) struct Follow {
    /// The note that is stored with the IP [default: proxymesh on, and this machine's name]
    #[arg(short, long)]
    label: Option<String>,
    /// How many seconds to wait between checks
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    interval: u64,
    /// A page that returns the requester's IP as text [default: the core's]
    #[arg(long, value_name = "URL")]
    lookup: Option<String>,
    #[command(flatten)]
    owner: Owner,
}

#[derive(Args)]
struct Owner {
    /// For this sub-account
    #[arg(long, value_name = "USERNAME")]
    sub: Option<String>,
}

impl Record for LabeledIp {
    const COLUMNS: &'static [Column] = &[column("ip", "IP"), column("label", "LABEL")];
}

#[derive(Serialize)]
struct Address {
    ip: IpAddr,
}

impl Record for Address {
    const COLUMNS: &'static [Column] = &[column("ip", "IP")];
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(arguments) => {
                let sender = context.sender(false)?;
                let ips = sender.client().ips();
                let ips = arguments.owner.sub.as_deref().map_or(Ok(ips.clone()), |sub| ips.of(sub))?;
                if arguments.addresses {
                    let ips = ips.list()?;
                    drop(sender);
                    return list(context.format(), ips.into_iter().map(|ip| Address { ip }));
                }
                let ips = ips.labels()?;
                drop(sender);
                list(context.format(), ips)
            }
            Self::Add(arguments) => {
                let names = arguments.several.names(&arguments.ips)?;
                let sender = context.sender(arguments.change.dry_run)?;
                let ips = sender.ips(arguments.owner.sub.as_deref())?;
                arguments.several.each::<Changed>(context.format(), &sender, &names, |name| {
                    let new = NewIp::new(name)?;
                    let new = arguments.label.as_deref().map_or(Ok(new.clone()), |label| new.label(label))?;
                    Ok(ips.add(new)?.row(|ip| Changed::added(ip.to_string())))
                })
            }
            Self::Delete(arguments) => {
                let names = arguments.several.names(&arguments.ips)?;
                let sender = context.sender(arguments.change.dry_run)?;
                let ips = sender.ips(arguments.owner.sub.as_deref())?;
                arguments.several.each::<Changed>(context.format(), &sender, &names, |name| {
                    Ok(ips.delete(name)?.row(|()| Changed::deleted(name)))
                })
            }
            Self::Follow(arguments) => arguments.run(context),
        }
    }
}

impl Follow {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let mut wanted = FollowedIp::new().interval(Duration::from_secs(self.interval))?;
        if let Some(label) = &self.label {
            wanted = wanted.label(label)?;
        }
        if let Some(url) = &self.lookup {
            wanted = wanted.lookup(url)?;
        }
        // Signals are caught before the IP is added, so that one that arrives meanwhile removes it again.
        let ended = catch_signals()?;
        let sender = context.sender(false)?;
        let ips = sender.client().ips();
        let ips = self.owner.sub.as_deref().map_or(Ok(ips.clone()), |sub| ips.of(sub))?;
        let follower = ips.follow(wanted)?;
        sender.progress.hide();
        let mut output = Output::new(context.format());
        let (mut shown, mut warned) = (None, None);
        while follower.is_running() && !ended.load(Ordering::Relaxed) {
            let ip = follower.ip();
            if shown.replace(ip) != Some(ip) {
                terminal::say(&format!("{ip} is authorised; Ctrl-C ends this and removes it"));
                output.row(Address { ip })?;
            }
            let error = follower.error().map(|error| error.to_string());
            if error != warned {
                match &error {
                    Some(error) => terminal::warning(error),
                    None => terminal::say("the check works again"),
                }
                warned = error;
            }
            thread::sleep(LOOK);
        }
        follower.close()?;
        output.end::<Address>()
    }
}
