//! The commands.

use crate::{
    command::{completion, geo, hostnames, ips, login, logout, man, proxies, subs, tokens, whoami},
    context::Context,
    failure::Failure,
};
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

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
    context: Context,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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

impl Arguments {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let context = &self.context;
        match self.command {
            Command::Login(login) => login.run(context),
            Command::Logout(logout) => logout.run(context),
            Command::Whoami(whoami) => whoami.run(context),
            Command::Proxies(command) => command.run(context),
            Command::Ips(command) => command.run(context),
            Command::Hostnames(command) => command.run(context),
            Command::Subs(command) => command.run(context),
            Command::Tokens(command) => command.run(context),
            Command::Geo(command) => command.run(context),
            #[cfg(feature = "gateway")]
            Command::Gateway(gateway) => gateway.run(context),
            #[cfg(feature = "sandbox")]
            Command::Sandbox(sandbox) => return Ok(sandbox.run()),
            Command::Completion(completion) => completion.run(&mut Self::command()),
            Command::Man(man) => man.run(Self::command()),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}
