//! `proxymesh tokens`

use crate::{
    account::Password,
    context::Context,
    failure::Failure,
    names::{Several, enumerated},
    output::{Column, Output, Record, column, date, list},
    sender::{Change, Changed, Irrevocable},
    terminal,
};
use clap::{Args, Subcommand};
use proxymesh::{NewToken, Token, TokenId, TokenRequest, secrecy::ExposeSecret};
use serde::Serialize;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the tokens, without their secrets
    List(List),
    /// Create a token; its secret is shown only now
    Create(Create),
    /// Let deactivated tokens be used again
    Activate(Toggle),
    /// Deactivate tokens until they are activated again
    Deactivate(Toggle),
    /// Delete tokens permanently
    Delete(Delete),
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    owner: Owner,
}

#[derive(Args)]
pub(crate) struct Create {
    /// A note, up to 100 characters
    #[arg(short, long)]
    label: Option<String>,
    /// The day on which it expires, YYYY-MM-DD [default: never]
    #[arg(short, long, value_name = "DATE")]
    expires_at: Option<String>,
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
pub(crate) struct Toggle {
    #[command(flatten)]
    ids: Ids,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    ids: Ids,
    #[command(flatten)]
    irrevocable: Irrevocable,
}

#[derive(Args)]
struct Ids {
    /// The IDs, as `tokens list` shows them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    several: Several,
}

#[derive(Args)]
struct Owner {
    /// For this sub-account
    #[arg(long, value_name = "USERNAME")]
    sub: Option<String>,
    #[command(flatten)]
    password: Password,
}

impl Record for Token {
    const COLUMNS: &'static [Column] = &[
        column("id", "ID"),
        column("label", "LABEL"),
        column("is_active", "ACTIVE"),
        date("expires_at", "EXPIRES"),
        column("created_at", "CREATED"),
    ];
}

/// A new token with its secret.
#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    details: Token,
    token: String,
}

impl Record for Created {
    const COLUMNS: &'static [Column] = &[
        column("id", "ID"),
        column("label", "LABEL"),
        column("is_active", "ACTIVE"),
        date("expires_at", "EXPIRES"),
        column("created_at", "CREATED"),
        column("token", "TOKEN"),
    ];
}

impl From<NewToken> for Created {
    fn from(new: NewToken) -> Self {
        Self { token: new.secret.expose_secret().to_owned(), details: new.details }
    }
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(List { owner }) => {
                let sender = context.sender_with_password(false, &owner.password)?;
                let tokens = sender.client().tokens();
                let tokens = owner.sub.as_deref().map_or(Ok(tokens.clone()), |sub| tokens.of(sub))?.list()?;
                drop(sender);
                list(context.format(), tokens)
            }
            Self::Create(Create { label, expires_at, owner, change }) => {
                let mut request = TokenRequest::new();
                if let Some(label) = &label {
                    request = request.label(label)?;
                }
                if let Some(date) = expires_at.as_deref() {
                    request = request.expires_at(date)?;
                }
                let sender = context.sender_with_password(change.dry_run, &owner.password)?;
                let row = sender.tokens(owner.sub.as_deref())?.create(request)?.row(Created::from);
                drop(sender);
                let mut output = Output::new(context.format());
                output.row(row)?;
                output.end::<Created>()
            }
            Self::Activate(toggle) => toggle.run(context, true),
            Self::Deactivate(toggle) => toggle.run(context, false),
            Self::Delete(Delete { ids: Ids { ids, owner, several }, irrevocable }) => {
                owner.check(&several)?;
                let names = several.names(&ids)?;
                if !names.is_empty() && !irrevocable.change.dry_run {
                    let what = if names.len() == 1 { "the token" } else { "these tokens" };
                    terminal::confirm(
                        irrevocable.yes,
                        &format!("Delete {what} permanently: {}?", enumerated(&names)),
                    )?;
                }
                let sender = context.sender_with_password(irrevocable.change.dry_run, &owner.password)?;
                let tokens = sender.tokens(owner.sub.as_deref())?;
                several.each::<Changed>(context.format(), &sender, &names, |name| {
                    Ok(tokens.delete(name.parse::<TokenId>()?)?.row(|()| Changed::deleted(name)))
                })
            }
        }
    }
}

impl Toggle {
    fn run(self, context: &Context, active: bool) -> Result<(), Failure> {
        let Ids { ids, owner, several } = self.ids;
        owner.check(&several)?;
        let names = several.names(&ids)?;
        let sender = context.sender_with_password(self.change.dry_run, &owner.password)?;
        let tokens = sender.tokens(owner.sub.as_deref())?;
        several.each::<Token>(context.format(), &sender, &names, |name| {
            let id = name.parse::<TokenId>()?;
            let sent = if active { tokens.activate(id) } else { tokens.deactivate(id) };
            Ok(sent?.row(|token| token))
        })
    }
}

impl Owner {
    fn check(&self, several: &Several) -> Result<(), Failure> {
        if self.password.password_stdin && several.is_stdin() {
            return Err(Failure::usage("stdin cannot be both the IDs and the password"));
        }
        Ok(())
    }
}
