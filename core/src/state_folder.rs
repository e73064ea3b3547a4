//! The folder where the processes of one user on one machine keep what they share.
//!
//! It holds no names and no secrets: files are named by a hash with a key that only this user can read.

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use std::{
    env, fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// The environment variables that move the folder, for errors.
pub(crate) const VARIABLES: &str = if cfg!(windows) {
    "LOCALAPPDATA or TEMP"
} else if cfg!(target_vendor = "apple") {
    "HOME or TMPDIR"
} else {
    "XDG_STATE_HOME or TMPDIR"
};

/// A folder that only this user can write to, and the key for the names of its files.
#[derive(Clone, Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    key: hmac::Key,
}

/// Why a folder cannot be used.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) path: PathBuf,
    pub(crate) error: io::Error,
}

impl StateFolder {
    /// Opens the folder `name` among the user's state files, and creates it if necessary.
    ///
    /// This takes up to 40 ms if another process is creating the key. It then fails with [`io::ErrorKind::WouldBlock`].
    pub(crate) fn open(name: &str) -> io::Result<Self> {
        Self::at(&state().ok_or(io::ErrorKind::NotFound)?, name)
    }

    /// The same, but falls back on a folder among the temporary files. `probe` makes sure that the folder can be written to.
    #[cfg_attr(test, allow(dead_code))] // The model checker replaces it.
    pub(crate) fn open_or_temporary<T>(
        name: &str,
        probe: impl Fn(&Self) -> io::Result<T>,
    ) -> Result<(Self, T), Unusable> {
        let open = |base: PathBuf| {
            let opened = Self::at(&base, name).and_then(|folder| Ok((probe(&folder)?, folder)));
            opened.map(|(probed, folder)| (folder, probed)).map_err(|error| Unusable { path: base, error })
        };
        match state().map(open) {
            Some(Ok(opened)) => Ok(opened),
            // Processes that use different folders do not find each other, so a passing failure must not change the folder.
            Some(Err(failed)) if failed.is_passing() => Err(failed),
            _ => open(temporary()),
        }
    }

    fn at(base: &Path, name: &str) -> io::Result<Self> {
        let path = base.join(name);
        make_private(base)?;
        make_private(&path)?;
        Ok(Self { path, key: hmac::Key::new(hmac::HMAC_SHA256, &key(&base.join("key"))?) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A hash of `text`, as a name for a file. Only this user's programs can compute it.
    pub(crate) fn hash(&self, text: &[u8]) -> String {
        hmac::sign(&self.key, text).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Unusable {
    /// Whether the folder may be usable a moment later.
    #[cfg_attr(test, allow(dead_code))] // The model checker replaces it.
    pub(crate) fn is_passing(&self) -> bool {
        self.error.kind() == io::ErrorKind::WouldBlock || crate::runtime::lack(&self.error).is_some()
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

/// Options for opening a file that only this user can read and write. They create the file if it does not exist.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Our folder among the files where the user's programs keep their state.
fn state() -> Option<PathBuf> {
    // The XDG Base Directory Specification says to ignore a relative path.
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        variable("LOCALAPPDATA")?
    } else if cfg!(target_vendor = "apple") {
        env::home_dir()?.join("Library/Application Support")
    } else {
        variable("XDG_STATE_HOME").or_else(|| env::home_dir().map(|home| home.join(".local/state")))?
    };
    Some(state.join("proxymesh"))
}

/// Our folder among the temporary files, which all users share on many systems.
#[cfg_attr(test, allow(dead_code))] // The model checker replaces it.
fn temporary() -> PathBuf {
    #[cfg(unix)]
    let name = format!("proxymesh-{}", rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    let name = "proxymesh";
    env::temp_dir().join(name)
}

/// Creates the folder if it does not exist. Fails if other users can write to it.
#[cfg(unix)]
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = folder.symlink_metadata()?;
    let owner = rustix::process::geteuid().as_raw();
    if !found.is_dir() || found.uid() != owner || found.mode() & 0o022 != 0 {
        let reason = "it is not a folder that only this user can write to";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    }
    Ok(())
}

/// Creates the folder if it does not exist. Other users cannot write to it, because it is in the user's profile.
#[cfg(not(unix))]
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// The key of the hashes. The first process creates it.
fn key(path: &Path) -> io::Result<Vec<u8>> {
    const LENGTH: usize = 32;
    let read = |file: &mut File| {
        let mut key = Vec::new();
        file.rewind()?;
        file.take(LENGTH as u64 + 1).read_to_end(&mut key)?;
        Ok::<_, io::Error>(key)
    };
    let mut file = private_file().open(path)?;
    for _ in 0..40 {
        // Nobody changes a complete key, so it needs no lock. On Windows, reading fails while another process holds the lock.
        if let Ok(key) = read(&mut file)
            && key.len() == LENGTH
        {
            return Ok(key);
        }
        match file.try_lock() {
            Ok(()) => {
                let mut key = read(&mut file)?;
                if key.len() != LENGTH {
                    key = vec![0; LENGTH];
                    SystemRandom::new().fill(&mut key).map_err(|_| io::ErrorKind::Other)?;
                    file.set_len(0)?;
                    file.rewind()?;
                    file.write_all(&key)?;
                }
                file.unlock()?;
                return Ok(key);
            }
            // Another process holds the lock only while it reads or writes 32 bytes.
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder for one test.
    fn scratch(name: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("proxymesh-test-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_hash_depends_on_the_key_and_stays_the_same() {
        let (one, other) = (scratch("one"), scratch("other"));
        let first = StateFolder::at(&one, "ips").unwrap();
        assert_eq!(first.hash(b"x"), StateFolder::at(&one, "credentials").unwrap().hash(b"x"));
        assert_ne!(first.hash(b"x"), first.hash(b"y"));
        assert_ne!(first.hash(b"x"), StateFolder::at(&other, "ips").unwrap().hash(b"x"));
        // A key that was only half written is replaced.
        fs::write(other.join("key"), b"short").unwrap();
        StateFolder::at(&other, "ips").unwrap();
        assert_eq!(fs::read(other.join("key")).unwrap().len(), 32);
        for folder in [one, other] {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn many_threads_agree_on_the_key() {
        let folder = scratch("key");
        make_private(&folder).unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| key(&folder.join("key")))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_change_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = scratch("private");
        StateFolder::at(&folder, "ips").unwrap();
        let refused = |name: &str| StateFolder::at(&folder, name).unwrap_err().kind();
        fs::set_permissions(folder.join("ips"), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(refused("ips"), io::ErrorKind::PermissionDenied);
        symlink(folder.join("ips"), folder.join("link")).unwrap();
        assert_eq!(refused("link"), io::ErrorKind::PermissionDenied);
        fs::write(folder.join("file"), "").unwrap();
        refused("file");
        fs::remove_dir_all(folder).unwrap();
    }
}
