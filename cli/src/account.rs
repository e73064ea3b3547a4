//! Which credentials are used, and where they come from.

use crate::{
    failure::{Failure, Status},
    keyring, terminal,
};
use clap::Args;
use proxymesh::{
    ExpiryDate, Settings,
    blocking::Client,
    jiff::{Timestamp, tz::Offset},
    profile::{self, Profile, SecretKind},
    secrecy::SecretString,
};
use std::env;

/// The option of commands that need the account's password even if only a token is stored.
#[derive(Args)]
pub(crate) struct Password {
    /// Read the account's password from stdin, if a profile has only a token
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// The credentials that a command uses.
pub(crate) enum Account {
    /// Those of the environment, which the core reads.
    Environment,
    Profile(String, Profile),
}

impl Account {
    /// The profile that `--profile` names, or else the environment, or else the default profile.
    pub(crate) fn find(named: Option<&str>) -> Result<Self, Failure> {
        let in_environment =
            ["PROXYMESH_USERNAME", "PROXYMESH_PASSWORD", "PROXYMESH_TOKEN"].into_iter().any(is_set);
        if named.is_none() && in_environment {
            return Ok(Self::Environment);
        }
        let name = profile_name(named);
        let Some(profile) = Profile::read(&name)? else {
            let failure = match name == profile::DEFAULT {
                true => Failure::new(Status::Authentication, "there are no credentials"),
                false => Failure::new(Status::Authentication, format!("there is no profile {name}")),
            };
            return Err(failure.next(
                "log in with `proxymesh login`, or set PROXYMESH_USERNAME and PROXYMESH_PASSWORD, or PROXYMESH_TOKEN",
            ));
        };
        if let Ok(url) = env::var("PROXYMESH_BASE_URL")
            && !url.is_empty()
            && url.trim_end_matches('/') != profile.base_url
        {
            return Err(Failure::usage(format!(
                "PROXYMESH_BASE_URL is {url}, but the profile {name} is for {}",
                profile.base_url
            ))
            .next("unset PROXYMESH_BASE_URL, or name another profile with --profile"));
        }
        Ok(Self::Profile(name, profile))
    }

    /// A client with these credentials.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        match self {
            Self::Environment => client(Settings::new()),
            Self::Profile(name, profile) => {
                // The service would refuse it, and each refusal is a step towards a ban.
                if let Some(date) = profile.expires_at.as_deref().filter(|date| *date < today().as_str()) {
                    let text = format!("the token of the profile {name} was valid until {date}");
                    return Err(
                        Failure::new(Status::Authentication, text).next("log in again: `proxymesh login`")
                    );
                }
                client(profile.settings(secret(name, profile)?))
            }
        }
    }

    /// A client with the account's username and password. Asks for the password if only a token is stored.
    pub(crate) fn client_with_password(&self, from: &Password) -> Result<Client, Failure> {
        let Self::Profile(_, profile) = self else { return self.client() };
        if !from.password_stdin && profile.kind == SecretKind::Password {
            return self.client();
        }
        let password = if from.password_stdin {
            terminal::password_from_stdin()?
        } else if terminal::is_there() {
            terminal::ask_password(&format!("Password for {}: ", profile.username))?
        } else {
            return Err(Failure::new(
                Status::Authentication,
                "this needs the account's password, but the profile has only a token",
            )
            .next("pass the password with --password-stdin"));
        };
        client(Settings::new().base_url(&profile.base_url).username(&profile.username).password(password))
    }
}

/// The name of the profile that a command uses.
pub(crate) fn profile_name(named: Option<&str>) -> String {
    let from_environment = || env::var("PROXYMESH_PROFILE").ok().filter(|name| !name.is_empty());
    named.map(str::to_owned).or_else(from_environment).unwrap_or_else(|| profile::DEFAULT.to_owned())
}

pub(crate) fn client(settings: Settings) -> Result<Client, Failure> {
    Ok(Client::new(settings.user_agent(concat!("proxymesh-cli/", env!("CARGO_PKG_VERSION"))))?)
}

/// The secret of a profile, from the profile itself or the keyring.
fn secret(name: &str, profile: &Profile) -> Result<SecretString, Failure> {
    profile.secret.clone().map_or_else(|| keyring::get(name), Ok)
}

/// The date in UTC, as the service writes it. A token is valid until the end of its last day.
fn today() -> String {
    ExpiryDate::from(Offset::UTC.to_datetime(Timestamp::now()).date()).to_string()
}

pub(crate) fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}
