//! `proxymesh whoami`

use crate::{
    account::{Account, is_set},
    context::Context,
    failure::Failure,
    output::{Column, Record, column, list, optional},
};
use clap::Args;
use proxymesh::profile::{Profile, SecretKind};
use serde::Serialize;

/// Show which credentials are used, and where they come from
#[derive(Args)]
#[command(after_help = "Sends nothing, and shows no secret.")]
pub(crate) struct Whoami {}

#[derive(Serialize)]
struct Identity {
    source: &'static str,
    profile: Option<String>,
    username: Option<String>,
    kind: &'static str,
    base_url: String,
    token_id: Option<i64>,
    expires_at: Option<String>,
    file: Option<String>,
}

impl Record for Identity {
    const COLUMNS: &'static [Column] = &[
        column("source", "FROM"),
        optional("profile", "PROFILE"),
        column("username", "USERNAME"),
        column("kind", "KIND"),
        column("base_url", "SERVICE"),
        optional("token_id", "TOKEN ID"),
        optional("expires_at", "EXPIRES"),
        optional("file", "FILE"),
    ];
}

impl Whoami {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let account = context.account()?;
        let identity = match account {
            Account::Environment => {
                // The client checks what the environment says.
                let client = account.client()?;
                let credentials = client.credentials();
                Identity {
                    source: "environment",
                    profile: None,
                    username: credentials.username_and_password().map(|(username, _)| username.to_owned()),
                    kind: if is_set("PROXYMESH_TOKEN") { "token" } else { "password" },
                    base_url: client.base_url().to_owned(),
                    token_id: None,
                    expires_at: None,
                    file: None,
                }
            }
            Account::Profile(name, profile) => Identity {
                source: if profile.secret.is_some() { "file" } else { "keyring" },
                file: Some(Profile::path(&name)?.display().to_string()),
                profile: Some(name),
                username: Some(profile.username),
                kind: if profile.kind == SecretKind::Token { "token" } else { "password" },
                base_url: profile.base_url,
                token_id: profile.token_id,
                expires_at: profile.expires_at,
            },
        };
        list(context.format(), [identity])
    }
}
