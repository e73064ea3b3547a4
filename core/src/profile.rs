//! Profiles: the credentials that `proxymesh login` stores, one file each. The program writes them, and any client may read them.

use crate::{
    error::{Error, Result},
    settings::Settings,
    state_folder::{make_private, private_file},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    env,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The name of the profile that is used if none is named.
pub const DEFAULT: &str = "default";

/// No profile is larger.
const LARGEST: u64 = 64 * 1024;

/// Credentials, and the service that they are for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Profile {
    /// The base URL of the service. The credentials are sent nowhere else.
    pub base_url: String,
    /// The username of the account, also if the secret is a token.
    pub username: String,
    /// What the secret is.
    pub kind: SecretKind,
    /// The password or token; `None` if it is in the system's keyring.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub secret: Option<SecretString>,
    /// The ID of a token that `login` has made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<i64>,
    /// The date on which the token expires, as the service writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// What the secret of a profile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SecretKind {
    /// The account's password.
    Password,
    /// A token.
    Token,
}

impl Profile {
    /// A profile whose secret is in the keyring.
    pub fn new(base_url: impl Into<String>, username: impl Into<String>, kind: SecretKind) -> Self {
        Self {
            base_url: base_url.into(),
            username: username.into(),
            kind,
            secret: None,
            token_id: None,
            expires_at: None,
        }
    }

    /// The file of a profile. It may not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the name cannot be a file's, or if the user has no folder for such files.
    pub fn path(name: &str) -> Result<PathBuf> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(allowed) {
            return Err(Error::config(
                "the name of a profile must be 1 to 64 letters, digits and - _ . and must not begin with a dot",
            ));
        }
        Ok(folder()?.join(format!("{name}.json")))
    }

    /// Reads a profile. `None` if there is no such profile.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if it cannot be read, or if other users could read it.
    pub fn read(name: &str) -> Result<Option<Self>> {
        Self::read_file(&Self::path(name)?)
    }

    fn read_file(path: &Path) -> Result<Option<Self>> {
        let refuse = |reason: String| Err(Error::config(format!("{}: {reason}", path.display())));
        let mut text = Zeroizing::new(String::new());
        let read = File::open(path).and_then(|file| {
            check_private(&file)?;
            file.take(LARGEST).read_to_string(&mut text)
        });
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return refuse(error.to_string()),
            Ok(_) => {}
        }
        match serde_json::from_str(&text) {
            Ok(profile) => Ok(Some(profile)),
            // serde's error may quote the secret.
            Err(error) => {
                refuse(format!("it is not a profile (line {}, column {})", error.line(), error.column()))
            }
        }
    }

    /// Writes the profile to a file that only this user can read. A profile of the same name is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if it cannot be written.
    pub fn write(&self, name: &str) -> Result<PathBuf> {
        let path = Self::path(name)?;
        self.write_file(&path)?;
        Ok(path)
    }

    fn write_file(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map(Zeroizing::new);
        let written = text.map_err(io::Error::from).and_then(|text| replace(path, text.as_bytes()));
        written.map_err(|error| Error::config(format!("{}: {error}", path.display())))
    }

    /// Removes a profile. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if it cannot be removed.
    pub fn remove(name: &str) -> Result<bool> {
        let path = Self::path(name)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::config(format!("{}: {error}", path.display()))),
        }
    }

    /// The settings of a client that uses the profile with this secret.
    #[must_use]
    pub fn settings(&self, secret: SecretString) -> Settings {
        let settings = Settings::new().base_url(&self.base_url);
        match self.kind {
            SecretKind::Password => settings.username(&self.username).password(secret),
            SecretKind::Token => settings.token(secret),
        }
    }
}

/// The folder of the profiles, among the files where the user's programs keep their settings.
fn folder() -> Result<PathBuf> {
    // The XDG Base Directory Specification says to ignore a relative path.
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::home_dir().filter(|home| home.is_absolute());
    let settings = if cfg!(windows) {
        variable("APPDATA")
    } else if cfg!(target_vendor = "apple") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config")))
    };
    match settings {
        Some(settings) => Ok(settings.join("proxymesh").join("profiles")),
        None => Err(Error::config("there is no folder for profiles, because this user has no home folder")),
    }
}

/// Writes a file at once or not at all.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    if let Some(base) = folder.parent() {
        make_private(base)?;
    }
    make_private(folder)?;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    // A killed process with the same ID may have left one.
    let _ = fs::remove_file(&new);
    let written = private_file().create_new(true).open(&new).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(unix)]
fn check_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    let reason = if found.uid() != rustix::process::geteuid().as_raw() {
        "it belongs to another user"
    } else if found.mode() & 0o077 != 0 {
        "other users can read or change it, so its secret may be known; forbid that with chmod 600, or log in again"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

/// Other users cannot read it, because it is in the user's own folder.
#[cfg(not(unix))]
fn check_private(_: &File) -> io::Result<()> {
    Ok(())
}

fn expose<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_str(secret.expose_secret()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_it_was_written() {
        let folder = env::temp_dir().join(format!("proxymesh-test-{}-profile", std::process::id()));
        let path = folder.join("profiles").join("work.json");
        assert!(Profile::read_file(&path).unwrap().is_none());
        let mut profile = Profile::new("https://proxymesh.com", "me@ex.com", SecretKind::Token);
        profile.token_id = Some(7);
        for secret in [None, Some("pm_x".into())] {
            profile.secret = secret;
            profile.write_file(&path).unwrap();
            let read = Profile::read_file(&path).unwrap().unwrap();
            let secret = read.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
            assert_eq!(secret, profile.secret.as_ref().map(|secret| secret.expose_secret().to_owned()));
            assert_eq!(
                (read.username.as_str(), read.kind, read.token_id),
                ("me@ex.com", SecretKind::Token, Some(7))
            );
        }
        // A field of a later version is ignored. The error for a wrong one does not show the secret.
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen('{', "{\"later\": 1,", 1)).unwrap();
        assert!(Profile::read_file(&path).unwrap().is_some());
        fs::write(&path, text.replace("\"token\"", "\"pm_x\"")).unwrap();
        let error = Profile::read_file(&path).unwrap_err().to_string();
        assert!(error.contains("it is not a profile") && !error.contains("pm_x"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_profile_that_others_could_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = env::temp_dir().join(format!("proxymesh-test-{}-shared-profile", std::process::id()));
        let path = folder.join("profiles").join("default.json");
        Profile::new("https://proxymesh.com", "x", SecretKind::Password).write_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o604, 0o640, 0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Profile::read_file(&path).unwrap_err().to_string();
            assert!(error.contains("other users can read or change it"), "{error}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "a b", "ä", &"x".repeat(65)] {
            assert!(Profile::path(name).is_err(), "{name}");
        }
        assert!(Profile::path("work-2.eu_x").is_ok());
    }
}
