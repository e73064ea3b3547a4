//! `proxymesh login`

use crate::{
    account::{client, profile_name},
    context::Context,
    failure::{Failure, Status},
    keyring, terminal,
};
use clap::{Args, ValueEnum};
use proxymesh::{
    Error, ExpiryDate, NewToken, Settings, TokenId, TokenRequest,
    blocking::Client,
    jiff::{Span, Timestamp, tz::Offset},
    profile::{Profile, SecretKind},
    secrecy::SecretString,
};

/// Store credentials for the other commands
#[derive(Args)]
#[command(after_help = "\
Asks for the account's password, makes a token with it, and stores only the
token. If the account cannot have tokens, as in a free trial, the password
itself is stored.")]
pub(crate) struct Login {
    /// The account's username [default: it is asked for]
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// Read the password from stdin
    #[arg(long)]
    password_stdin: bool,
    /// file or keyring [default: file for a token, keyring for a password]
    #[arg(long, value_enum, value_name = "PLACE", hide_possible_values = true)]
    store: Option<Store>,
    /// How many days the token is valid
    #[arg(long, value_name = "NUMBER", default_value_t = 90)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..=3650))]
    days: i64,
    /// Make no token, and store the password
    #[arg(long)]
    no_token: bool,
    /// The service, such as the sandbox's [default: https://proxymesh.com]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

/// A file that only the user can read, or the system's keyring.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Store {
    File,
    Keyring,
}

impl Login {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let name = profile_name(context.profile.as_deref());
        // A wrong name is refused before anything is asked.
        Profile::path(&name)?;
        let username = match &self.username {
            Some(username) => username.clone(),
            None if terminal::is_there() => terminal::ask("Username: ")?,
            None => return Err(Failure::usage("there is no terminal to ask on: add --username")),
        };
        let password = if self.password_stdin {
            terminal::password_from_stdin()?
        } else if terminal::is_there() {
            terminal::ask_password(&format!("Password for {username}: "))?
        } else {
            return Err(Failure::usage("there is no terminal to ask on: add --password-stdin"));
        };
        let mut settings = Settings::new().username(&username).password(password.clone());
        if let Some(url) = &self.base_url {
            settings = settings.base_url(url);
        }
        let client = client(settings)?;
        let base_url = client.base_url().to_owned();
        let before = Profile::read(&name).ok().flatten();

        let token = if self.no_token { None } else { self.token(&client)? };
        let (mut profile, secret) = match &token {
            Some(token) => {
                let mut profile = Profile::new(base_url, username, SecretKind::Token);
                profile.token_id = Some(token.id);
                profile.expires_at = token.expires_at.map(|date| ExpiryDate::from(date).to_string());
                (profile, token.secret.clone())
            }
            None => {
                if self.no_token {
                    // Nothing has shown yet whether the password is right.
                    client.proxies().list()?;
                }
                (Profile::new(base_url, username, SecretKind::Password), password)
            }
        };
        match self.store(&name, &mut profile, secret) {
            Ok(place) => {
                let kind = if token.is_some() { "a token" } else { "the password" };
                let until =
                    profile.expires_at.as_deref().map(|date| format!(" until {date}")).unwrap_or_default();
                terminal::say(&format!("logged in as {}{until}, with {kind} in {place}", profile.username));
            }
            Err(failure) => {
                // A token that nobody can use any more should not stay.
                if let Some(token) = &token {
                    forget(&client, token.id);
                }
                return Err(failure);
            }
        }
        // The token of the last login is no longer needed.
        if let Some(before) = before
            && before.base_url == profile.base_url
            && before.username == profile.username
            && let Some(id) = before.token_id
        {
            forget(&client, id);
        }
        Ok(())
    }

    /// Makes a token. `None` if the account cannot have any.
    fn token(&self, client: &Client) -> Result<Option<NewToken>, Failure> {
        let today = Offset::UTC.to_datetime(Timestamp::now()).date();
        let expires = today
            .checked_add(Span::new().days(self.days))
            .map_err(|error| Failure::usage(error.to_string()))?;
        let request = TokenRequest::new().label("proxymesh login")?.expires_at(expires)?;
        let refused = match client.tokens().create(request) {
            Ok(token) => return Ok(Some(token)),
            Err(error @ Error::PlanLimit(_)) => error,
            Err(Error::PermissionDenied(_)) => {
                terminal::say("a sub-account cannot make tokens, so its password is stored");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        // The service refuses in the same way whether the plan has no tokens or no more.
        if client.tokens().list()?.is_empty() {
            terminal::say("the plan has no tokens, so the password is stored");
            return Ok(None);
        }
        Err(Failure::new(Status::PlanLimit, refused.to_string())
            .next("delete a token with `proxymesh tokens delete`, or store the password with --no-token"))
    }

    /// Stores the secret and the profile, and says where.
    fn store(&self, name: &str, profile: &mut Profile, secret: SecretString) -> Result<String, Failure> {
        let default = if profile.kind == SecretKind::Token { Store::File } else { Store::Keyring };
        match self.store.unwrap_or(default) {
            Store::File => {
                profile.secret = Some(secret);
                Ok(profile.write(name)?.display().to_string())
            }
            Store::Keyring => {
                keyring::set(name, &secret)?;
                profile.write(name)?;
                Ok("the keyring".to_owned())
            }
        }
    }
}

/// Deletes a token that is no longer needed. If that fails, it says so.
fn forget(client: &Client, id: i64) {
    let deleted = TokenId::new(id).and_then(|id| client.tokens().delete(id));
    match deleted {
        Ok(()) | Err(Error::NotFound(_)) => {}
        Err(error) => terminal::warning(&format!("the token {id} is still valid: {error}")),
    }
}
