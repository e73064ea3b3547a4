//! `proxymesh hostnames`

use crate::{
    context::Context,
    failure::Failure,
    names::Several,
    output::{Column, Record, column, list},
    sender::{Change, Changed},
};
use clap::{Args, Subcommand};
use proxymesh::resource::HostnamesOf;
use serde::Serialize;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List your own authorised hostnames; the service does not list those of a sub-account
    List,
    /// Authorise hostnames
    Add(Hostnames),
    /// Deauthorise hostnames
    Delete(Hostnames),
}

#[derive(Args)]
pub(crate) struct Hostnames {
    /// The hostnames, such as home.example.net
    #[arg(value_name = "HOSTNAME")]
    hostnames: Vec<String>,
    /// For this sub-account
    #[arg(long, value_name = "USERNAME")]
    sub: Option<String>,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    change: Change,
}

#[derive(Serialize)]
struct Authorised {
    hostname: String,
}

impl Record for Authorised {
    const COLUMNS: &'static [Column] = &[column("hostname", "HOSTNAME")];
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let (arguments, add) = match self {
            Self::List => {
                let hostnames = context.sender(false)?.client().hostnames().list()?;
                return list(context.format(), hostnames.into_iter().map(|hostname| Authorised { hostname }));
            }
            Self::Add(arguments) => (arguments, true),
            Self::Delete(arguments) => (arguments, false),
        };
        let names = arguments.several.names(&arguments.hostnames)?;
        let sender = context.sender(arguments.change.dry_run)?;
        let of: Option<HostnamesOf<'_, _>> =
            arguments.sub.as_deref().map(|sub| sender.hostnames().of(sub)).transpose()?;
        arguments.several.each::<Changed>(context.format(), &sender, &names, |name| {
            let own = sender.hostnames();
            Ok(if add {
                of.as_ref().map_or_else(|| own.add(name), |of| of.add(name))?.row(Changed::added)
            } else {
                of.as_ref()
                    .map_or_else(|| own.delete(name), |of| of.delete(name))?
                    .row(|()| Changed::deleted(name))
            })
        })
    }
}
