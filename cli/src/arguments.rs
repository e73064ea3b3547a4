//! The commands, and the options that all of them share.

use crate::{
    command::{completion, geo, hostnames, ips, login, logout, man, proxies, subs, tokens, whoami},
    output::Format,
};
use clap::{Args, Parser, Subcommand};

const AFTER: &str = "\
The data goes to stdout, and everything else to stderr.

Exit status:
  0  done
  1  failed
  2  wrong arguments or settings
  3  no credentials, or the service refused them or does not allow this
  4  the plan does not allow it
  5  there is no such thing
  6  sent, but it is unknown whether it was done

If some of several names fail, the status is that of the failures, or 1 if they
differ.

Environment: PROXYMESH_USERNAME and PROXYMESH_PASSWORD, or PROXYMESH_TOKEN;
PROXYMESH_PROFILE, PROXYMESH_BASE_URL, NO_COLOR";

/// The ProxyMesh account on the command line
#[derive(Parser)]
#[command(name = "proxymesh", version, after_help = AFTER, max_term_width = 80)]
#[command(disable_help_subcommand = true, infer_long_args = false)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// table, json, ndjson or csv [default: table on a terminal, else json]
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) output: Option<Format>,
    /// Use the credentials of this profile, even if the environment has some
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Login(login::Login),
    Logout(logout::Logout),
    Whoami(whoami::Whoami),
    /// The proxies that the account may use
    #[command(subcommand)]
    Proxies(proxies::Command),
    /// IPs that may use the proxies without credentials
    #[command(subcommand)]
    Ips(ips::Command),
    /// Hostnames that may use the proxies without credentials
    #[command(subcommand)]
    Hostnames(hostnames::Command),
    /// Sub-accounts, with their usage and limits
    #[command(subcommand)]
    Subs(subs::Command),
    /// Tokens, which stand in for a username and password
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// How many exit IPs there are in each country
    #[command(subcommand)]
    Geo(geo::Command),
    #[cfg(feature = "gateway")]
    Gateway(crate::command::gateway::GatewayCommand),
    #[cfg(feature = "sandbox")]
    Sandbox(crate::command::sandbox::Sandbox),
    Completion(completion::Completion),
    Man(man::Man),
}
