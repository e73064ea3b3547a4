//! What every command takes, and what it needs.

use crate::{
    account::{Account, Password},
    failure::Failure,
    output::Format,
    sender::Sender,
};
use clap::Args;

/// The options of every command.
#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Context {
    /// table, json, ndjson or csv [default: table on a terminal, else json]
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) output: Option<Format>,
    /// Use the credentials of this profile, even if the environment has some
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

impl Context {
    /// The format of the output.
    pub(crate) fn format(&self) -> Format {
        Format::or_default(self.output)
    }

    /// The credentials that are used.
    pub(crate) fn account(&self) -> Result<Account, Failure> {
        Account::find(self.profile.as_deref())
    }

    /// Sends calls with these credentials. With `dry_run`, sends nothing.
    pub(crate) fn sender(&self, dry_run: bool) -> Result<Sender, Failure> {
        Ok(Sender::new(self.account()?.client()?, dry_run))
    }

    /// The same with the account's password, which the token calls need.
    pub(crate) fn sender_with_password(&self, dry_run: bool, password: &Password) -> Result<Sender, Failure> {
        let account = self.account()?;
        let client = if dry_run { account.client() } else { account.client_with_password(password) };
        Ok(Sender::new(client?, dry_run))
    }
}
