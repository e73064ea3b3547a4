//! The system's keyring: Keychain on macOS, Credential Manager on Windows, the Secret Service elsewhere.

use crate::failure::{Failure, Status};
use proxymesh::secrecy::SecretString;

#[cfg(feature = "keyring")]
use ::keyring::v1::{Entry, Error};

#[cfg(feature = "keyring")]
const SERVICE: &str = "proxymesh";

/// The secret of a profile.
#[cfg(feature = "keyring")]
pub(crate) fn get(profile: &str) -> Result<SecretString, Failure> {
    match entry(profile)?.get_password() {
        Ok(secret) => Ok(secret.into()),
        Err(Error::NoEntry) => Err(Failure::new(
            Status::Authentication,
            format!("the keyring has no secret for the profile {profile}"),
        )
        .next("log in again: `proxymesh login`")),
        Err(error) => Err(unreachable(&error)),
    }
}

#[cfg(feature = "keyring")]
pub(crate) fn set(profile: &str, secret: &SecretString) -> Result<(), Failure> {
    use proxymesh::secrecy::ExposeSecret;
    entry(profile)?.set_password(secret.expose_secret()).map_err(|error| unreachable(&error))
}

/// Removes the secret of a profile, if there is one.
#[cfg(feature = "keyring")]
pub(crate) fn delete(profile: &str) -> Result<(), Failure> {
    match entry(profile)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(unreachable(&error)),
    }
}

#[cfg(feature = "keyring")]
fn entry(profile: &str) -> Result<Entry, Failure> {
    match Entry::store_status() {
        Ok(()) => Entry::new(SERVICE, profile).map_err(|error| unreachable(&error)),
        Err(error) => Err(unreachable(error)),
    }
}

#[cfg(feature = "keyring")]
fn unreachable(error: &Error) -> Failure {
    no_keyring(&format!("no keyring can be reached: {error}"))
}

fn no_keyring(reason: &str) -> Failure {
    Failure::new(Status::Failed, reason).next(
        "unlock or start the keyring, or keep the secret in a file that only you can read: --store file",
    )
}

#[cfg(not(feature = "keyring"))]
pub(crate) fn get(_: &str) -> Result<SecretString, Failure> {
    Err(none())
}

#[cfg(not(feature = "keyring"))]
pub(crate) fn set(_: &str, _: &SecretString) -> Result<(), Failure> {
    Err(none())
}

#[cfg(not(feature = "keyring"))]
pub(crate) fn delete(_: &str) -> Result<(), Failure> {
    Err(none())
}

#[cfg(not(feature = "keyring"))]
fn none() -> Failure {
    no_keyring("this program was built without support for a keyring")
}
