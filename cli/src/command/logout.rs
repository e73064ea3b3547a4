//! `proxymesh logout`

use crate::{
    account::{Account, Password, profile_name},
    context::Context,
    failure::{Failure, Status},
    keyring, terminal,
};
use clap::Args;
use proxymesh::{Error, TokenId, profile::Profile};

/// Delete the token that login made, and forget the profile
#[derive(Args)]
#[command(after_help = "Deleting the token needs the account's password, which is asked for.")]
pub(crate) struct Logout {
    /// Forget the profile, but leave its token valid
    #[arg(long, conflicts_with = "password_stdin")]
    keep_token: bool,
    #[command(flatten)]
    password: Password,
}

impl Logout {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let name = profile_name(context.profile.as_deref());
        let Some(profile) = Profile::read(&name)? else {
            return Err(Failure::new(Status::Failed, format!("there is no profile {name}")));
        };
        let (token, in_keyring) = (profile.token_id, profile.secret.is_none());
        if let Some(id) = token.filter(|_| !self.keep_token) {
            let account = Account::Profile(name.clone(), profile);
            let client = account.client_with_password(&self.password)?;
            match client.tokens().delete(TokenId::new(id)?) {
                Ok(()) | Err(Error::NotFound(_)) => terminal::say(&format!("deleted the token {id}")),
                Err(error) => {
                    return Err(Failure::from(error).next(
                        "nothing was forgotten; `proxymesh logout --keep-token` forgets the profile alone",
                    ));
                }
            }
        }
        if in_keyring {
            keyring::delete(&name)?;
        }
        Profile::remove(&name)?;
        terminal::say(&format!("forgot the profile {name}"));
        Ok(())
    }
}
