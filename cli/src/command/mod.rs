//! The commands, one file for each resource, and one for each other command.

pub(crate) mod completion;
#[cfg(feature = "gateway")]
pub(crate) mod gateway;
pub(crate) mod geo;
pub(crate) mod hostnames;
pub(crate) mod ips;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod proxies;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
pub(crate) mod subs;
pub(crate) mod tokens;
pub(crate) mod whoami;

use crate::{
    account::{Account, Password},
    arguments::{Arguments, Command, Global},
    failure::Failure,
    output::Format,
    sender::Sender,
};
use std::process::ExitCode;

/// What every command needs.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) format: Format,
}

impl Context {
    /// Sends calls with the credentials that are used. With `dry_run`, sends nothing.
    pub(crate) fn sender(&self, dry_run: bool) -> Result<Sender, Failure> {
        Ok(Sender::new(Account::find(&self.global)?.client()?, dry_run))
    }

    /// The same with the account's password, which the token calls need.
    pub(crate) fn sender_with_password(&self, dry_run: bool, password: &Password) -> Result<Sender, Failure> {
        let account = Account::find(&self.global)?;
        let client = if dry_run { account.client() } else { account.client_with_password(password) };
        Ok(Sender::new(client?, dry_run))
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let global = arguments.global;
    let context = Context { format: Format::or_default(global.output), global };
    match arguments.command {
        Command::Login(login) => login.run(&context),
        Command::Logout(logout) => logout.run(&context),
        Command::Whoami(whoami) => whoami.run(&context),
        Command::Proxies(command) => command.run(&context),
        Command::Ips(command) => command.run(&context),
        Command::Hostnames(command) => command.run(&context),
        Command::Subs(command) => command.run(&context),
        Command::Tokens(command) => command.run(&context),
        Command::Geo(command) => command.run(&context),
        #[cfg(feature = "gateway")]
        Command::Gateway(gateway) => gateway.run(&context),
        #[cfg(feature = "sandbox")]
        Command::Sandbox(sandbox) => return Ok(sandbox.run()),
        Command::Completion(completion) => completion.run(),
        Command::Man(man) => man.run(),
    }?;
    Ok(ExitCode::SUCCESS)
}
