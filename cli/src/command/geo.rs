//! `proxymesh geo`

use crate::{
    context::Context,
    failure::Failure,
    output::{Column, Record, column, list},
};
use clap::Subcommand;
use serde::Serialize;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Count the exit IPs of the proxy `open` in each country
    Open,
    /// Count the exit IPs of the proxy `world` in each country
    World,
}

#[derive(Serialize)]
struct Country {
    country: String,
    exit_ips: u64,
}

impl Record for Country {
    const COLUMNS: &'static [Column] = &[column("country", "COUNTRY"), column("exit_ips", "EXIT IPS")];
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let sender = context.sender(false)?;
        let geo = sender.client().geo();
        let counts = match self {
            Self::Open => geo.open()?,
            Self::World => geo.world()?,
        };
        drop(sender);
        list(context.format(), counts.into_iter().map(|(country, exit_ips)| Country { country, exit_ips }))
    }
}
