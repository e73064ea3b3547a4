//! `proxymesh subs`

use crate::{
    context::Context,
    failure::Failure,
    names::{Several, enumerated},
    output::{Column, Record, column, limit, optional},
    sender::{Change, Irrevocable},
    terminal,
};
use clap::{Args, Subcommand};
use proxymesh::{
    NewSubAccount, SubAccount, SubAccountEdit,
    secrecy::{ExposeSecret, SecretString},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create sub-accounts
    Create(Create),
    /// Change sub-accounts; what is not given stays as it is
    Edit(Create),
    /// Show sub-accounts with their usage and limits; the service cannot list them
    Get(Read),
    /// Let deactivated sub-accounts use the proxies again
    Activate(Toggle),
    /// Stop sub-accounts from using the proxies
    Deactivate(Toggle),
    /// Delete sub-accounts permanently
    Delete(Delete),
}

#[derive(Args)]
pub(crate) struct Create {
    /// The usernames
    #[arg(value_name = "USERNAME")]
    usernames: Vec<String>,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    several: Several,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
struct Fields {
    /// Ask for the password of the sub-account
    #[arg(long, conflicts_with = "password_stdin")]
    ask_password: bool,
    /// Read the password of the sub-account from stdin
    #[arg(long)]
    password_stdin: bool,
    /// Up to 20 characters; an empty text clears it
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// Up to 20 characters; an empty text clears it
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// An empty text clears it
    #[arg(long)]
    email: Option<String>,
    /// The limit per billing period; 0 means no limit
    #[arg(long, value_name = "GB")]
    monthly_limit: Option<u32>,
    /// The limit on the total usage; 0 means no limit
    #[arg(long, value_name = "GB")]
    total_limit: Option<u32>,
}

#[derive(Args)]
pub(crate) struct Read {
    /// The usernames
    #[arg(value_name = "USERNAME")]
    usernames: Vec<String>,
    #[command(flatten)]
    several: Several,
}

#[derive(Args)]
pub(crate) struct Toggle {
    #[command(flatten)]
    read: Read,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    read: Read,
    #[command(flatten)]
    irrevocable: Irrevocable,
}

impl Record for SubAccount {
    const COLUMNS: &'static [Column] = &[
        column("username", "USERNAME"),
        column("active", "ACTIVE"),
        column("monthly_bandwidth", "MONTH GB"),
        limit("monthly_bandwidth_limit", "LIMIT"),
        column("total_bandwidth", "TOTAL GB"),
        limit("total_bandwidth_limit", "LIMIT"),
        optional("first_name", "FIRST NAME"),
        optional("last_name", "LAST NAME"),
        optional("email", "EMAIL"),
    ];
}

/// Calls the setter of each field that is given. Both types of fields have the same setters.
macro_rules! set {
    ($form:expr, $fields:expr, $password:expr) => {{
        let (mut form, fields) = ($form, $fields);
        if let Some(password) = $password {
            form = form.password(password.expose_secret())?;
        }
        if let Some(name) = &fields.first_name {
            form = form.first_name(name)?;
        }
        if let Some(name) = &fields.last_name {
            form = form.last_name(name)?;
        }
        if let Some(email) = &fields.email {
            form = form.email(email)?;
        }
        if let Some(gigabytes) = fields.monthly_limit {
            form = form.monthly_limit(gigabytes);
        }
        if let Some(gigabytes) = fields.total_limit {
            form = form.total_limit(gigabytes);
        }
        form
    }};
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(arguments) => arguments.run(context, true),
            Self::Edit(arguments) => arguments.run(context, false),
            Self::Get(Read { usernames, several }) => {
                let names = several.names(&usernames)?;
                let sender = context.sender(false)?;
                several.each::<SubAccount>(context.format(), &sender, &names, |name| {
                    Ok(sender.sub_accounts().get(name)?.row(|account| account))
                })
            }
            Self::Activate(toggle) => toggle.run(context, true),
            Self::Deactivate(toggle) => toggle.run(context, false),
            Self::Delete(Delete { read: Read { usernames, several }, irrevocable }) => {
                use crate::sender::Changed;
                let names = several.names(&usernames)?;
                let sender = context.sender(irrevocable.change.dry_run)?;
                if !names.is_empty() && !sender.dry_run {
                    let what = if names.len() == 1 { "the sub-account" } else { "these sub-accounts" };
                    let question = format!("Delete {what} permanently: {}?", enumerated(&names));
                    terminal::confirm(irrevocable.yes, &question)?;
                }
                several.each::<Changed>(context.format(), &sender, &names, |name| {
                    Ok(sender.sub_accounts().delete(name)?.row(|()| Changed::deleted(name)))
                })
            }
        }
    }
}

impl Create {
    fn run(self, context: &Context, new: bool) -> Result<(), Failure> {
        if self.fields.password_stdin && self.several.is_stdin() {
            return Err(Failure::usage("stdin cannot be both the names and the password"));
        }
        let names = self.several.names(&self.usernames)?;
        let password = self.fields.password()?;
        let (fields, password) = (&self.fields, password.as_ref());
        let sender = context.sender(self.change.dry_run)?;
        self.several.each::<SubAccount>(context.format(), &sender, &names, |name| {
            let sent = if new {
                sender.sub_accounts().create(set!(NewSubAccount::new(name)?, fields, password))
            } else {
                sender.sub_accounts().edit(set!(SubAccountEdit::new(name)?, fields, password))
            };
            Ok(sent?.row(|account| account))
        })
    }
}

impl Fields {
    fn password(&self) -> Result<Option<SecretString>, Failure> {
        if self.password_stdin {
            return terminal::password_from_stdin().map(Some);
        }
        if !self.ask_password {
            return Ok(None);
        }
        if !terminal::is_there() {
            return Err(Failure::usage("there is no terminal to ask on: use --password-stdin"));
        }
        let password = terminal::ask_password("Password of the sub-account: ")?;
        let again = terminal::ask_password("The same again: ")?;
        if password.expose_secret() != again.expose_secret() {
            return Err(Failure::usage("the two passwords differ"));
        }
        Ok(Some(password))
    }
}

impl Toggle {
    fn run(self, context: &Context, active: bool) -> Result<(), Failure> {
        let Read { usernames, several } = self.read;
        let names = several.names(&usernames)?;
        let sender = context.sender(self.change.dry_run)?;
        several.each::<SubAccount>(context.format(), &sender, &names, |name| {
            let accounts = sender.sub_accounts();
            let sent = if active { accounts.activate(name) } else { accounts.deactivate(name) };
            Ok(sent?.row(|account| account))
        })
    }
}
