//! What the processes of one user on one machine share about an authorised IP.
//!
//! Each IP has one lock file for each set of credentials and owner, next to a file with what is known about the IP. A process that
//! needs the IP holds a shared lock on the lock file, which the system releases however the process ends. If one of them added the
//! IP, the other file says so. It is written before the IP is added, so that the next process takes over what a killed one left.
//!
//! The names are keyed hashes. The files contain keyed hashes, and whether the service has answered. So they reveal no address, no
//! username and no label. The lock has a file of its own, because Windows lets nobody write to a locked file.
//!
//! Files are created, changed and removed only by the process that holds the [`Guard`].

use super::CALL;
use crate::{
    error::{Error, Result},
    process::{self, PerProcess},
    runtime::lack,
    state_folder::{Unusable, VARIABLES},
};
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    fs::TryLockError,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::ThreadId,
    time::Duration,
};
use zeroize::Zeroizing;

/// The files and the time, which the model checker replaces in tests.
mod sync {
    #[cfg(test)]
    pub(super) use super::super::interleavings::{
        machine::{File, StateFolder, fs, private_file},
        sleep,
    };
    #[cfg(test)]
    pub(super) use crate::simulated::Instant;
    #[cfg(not(test))]
    pub(super) use crate::state_folder::{StateFolder, private_file};
    #[cfg(not(test))]
    pub(super) use std::fs::{self, File};
    #[cfg(not(test))]
    pub(super) use tokio::time::{Instant, sleep};
}
use sync::{File, Instant, StateFolder, fs, private_file, sleep};

/// Lets one process at a time enter or leave. Only the process that has it may use records.
pub(super) struct Guard {
    folder: StateFolder,
    lock: Lock,
    /// The thread of a blocking caller, which a signal handler may interrupt.
    thread: Option<ThreadId>,
}

/// The record of one IP for one set of credentials.
#[derive(Clone)]
pub(super) struct Record {
    folder: StateFolder,
    /// The beginning of the file's name. It depends on the service and the IP, so that processes with different credentials for the
    /// account find each other.
    ip: String,
    /// The rest of the file's name. It depends on the credentials and the owner of the IP.
    account: String,
    /// A hash of the account's name, if it is known.
    name: Option<String>,
}

/// The content of a record. Without one, nobody has added the IP.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Added {
    /// A hash of the label with which the IP was added. If the IP has a different label now, it belongs to someone else.
    label: String,
    /// A hash of the name of the machine that added it. Machines may share the folder, but perhaps not its locks.
    machine: String,
    /// A hash of the account's name, if it is known. The IPs of different accounts have nothing to do with each other.
    account: Option<String>,
    state: State,
}

/// What is known about an IP that was added. The names have the same length.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// The service was asked to add it, and may still do so.
    Asked,
    There,
}

impl Added {
    /// The same record, before the service has answered.
    pub(super) fn asked(self) -> Self {
        Self { state: State::Asked, ..self }
    }

    /// Whether the service may still add the IP: it was asked to, and the outcome is unknown.
    pub(super) fn may_be_added(&self) -> bool {
        self.state == State::Asked
    }

    /// Whether this may be about the same account's IP, with the same label.
    fn may_be_of(&self, other: &Self) -> bool {
        let names = self.account.as_ref().zip(other.account.as_ref());
        self.is_labelled_as(other) && names.is_none_or(|(one, other)| one == other)
    }

    /// Whether the IP was added with the same label.
    pub(super) fn is_labelled_as(&self, other: &Self) -> bool {
        self.label == other.label
    }
}

/// A file with a lock that can be given back. Closing the file is not enough: a forked process shares the lock.
pub(super) struct Lock {
    file: File,
    is_held: bool,
    process: u32,
}

/// What a [`Guard`] and its records belong to.
pub(super) struct Account<'a> {
    pub(super) service: &'a str,
    /// The username, or the authorization with a token.
    pub(super) credentials: &'a [u8],
    /// The sub-account that owns the IP, if the caller is its parent.
    pub(super) owner: &'a str,
    /// The name of the account that owns the IP. It is unknown if the caller uses a token.
    pub(super) name: Option<&'a str>,
}

impl Guard {
    /// Waits until no other process enters or leaves, at most for `patience`.
    pub(super) async fn enter(patience: Duration, thread: Option<ThreadId>) -> Result<Self> {
        if thread.is_some_and(|thread| lock(&Self::inside()).contains(&thread)) {
            return Err(Error::config(
                "ips.authorized was called by a signal handler that has interrupted the start or end of another \
                 ips.authorized in the same thread; call it after the handler has returned",
            ));
        }
        let deadline = Instant::now() + patience;
        loop {
            let opened = StateFolder::open_or_temporary("ips", |folder| {
                private_file().open(folder.path().join("guard")).map(Lock::new)
            });
            match opened {
                Ok((folder, mut lock)) => {
                    while !lock.exclusive().map_err(|error| unusable(&folder, error))? {
                        wait(deadline, patience, &folder).await?;
                    }
                    return Ok(Self::inside_of(folder, lock, thread));
                }
                // Another process is creating the key.
                Err(failed)
                    if failed.error.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline =>
                {
                    sleep(pause()).await;
                }
                Err(failed) => return Err(no_record(&failed)),
            }
        }
    }

    fn inside_of(folder: StateFolder, held: Lock, thread: Option<ThreadId>) -> Self {
        if let Some(thread) = thread {
            lock(&Self::inside()).push(thread);
        }
        Self { folder, lock: held, thread }
    }

    /// The threads of this process that are inside a guard.
    fn inside() -> Arc<Mutex<Vec<ThreadId>>> {
        static INSIDE: PerProcess<Mutex<Vec<ThreadId>>> = PerProcess::empty();
        let Ok(inside) = INSIDE.get_or_try_init(|_| Ok::<_, Infallible>(Mutex::default()));
        inside
    }

    pub(super) fn record(&self, account: &Account<'_>, ip: &str) -> Record {
        let Account { service, credentials, owner, name } = account;
        Record {
            folder: self.folder.clone(),
            ip: self.folder.hash([service.as_bytes(), b"\n", ip.as_bytes()].concat().as_slice()),
            account: self
                .folder
                .hash(&Zeroizing::new([credentials, b"\n".as_slice(), owner.as_bytes()].concat())),
            // The service may not distinguish upper and lower case.
            name: name.map(|name| self.folder.hash(format!("name\n{}", name.to_lowercase()).as_bytes())),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(thread) = self.thread
            && self.lock.is_own()
        {
            lock(&Self::inside()).retain(|inside| *inside != thread);
        }
    }
}

impl Record {
    /// What to write if this machine adds an IP with this label.
    pub(super) fn added(&self, label: &str, machine: &str) -> Added {
        let hash = |kind: &str, text: &str| self.folder.hash(format!("{kind}\n{text}").as_bytes());
        Added {
            label: hash("label", label),
            machine: hash("machine", machine),
            account: self.name.clone(),
            state: State::There,
        }
    }

    /// Takes part: others see that the IP is needed.
    pub(super) async fn share(&self, patience: Duration) -> Result<Lock> {
        let deadline = Instant::now() + patience;
        let mut lock =
            private_file().open(self.lock_path()).map(Lock::new).map_err(|error| self.unusable(error))?;
        while !lock.share().map_err(|error| self.unusable(error))? {
            wait(deadline, patience, &self.folder).await?;
        }
        Ok(lock)
    }

    /// What is known; `None` if we did not add the IP. An unreadable record counts as none.
    pub(super) fn read(&self) -> Result<Option<Added>> {
        match fs::read(self.path()) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(error)),
        }
    }

    pub(super) fn write(&self, added: &Added) -> Result<()> {
        let write = || {
            use io::Write as _;
            let text = serde_json::to_vec(added)?;
            let mut file = private_file().open(self.path())?;
            // A process that is killed in between must not leave half a record, and records have the same length.
            file.write_all(&text)?;
            file.set_len(text.len() as u64)
        };
        write().map_err(|error| self.unusable(error))
    }

    /// We did not add the IP, or it is gone.
    pub(super) fn clear(&self) -> Result<()> {
        remove(&self.path()).map_err(|error| self.unusable(error))
    }

    /// Removes the files of a record that nobody needs. `lock` is the exclusive lock on it.
    pub(super) fn remove(&self, lock: Lock) -> Result<()> {
        self.clear()?;
        // Some versions of Windows do not remove an open file.
        drop(lock);
        remove(&self.lock_path()).map_err(|error| self.unusable(error))
    }

    /// Whether another set of credentials has a record that says that the IP was added like this. With `held`, only records that a
    /// running process needs.
    pub(super) fn has_others(&self, added: &Added, held: bool) -> Result<bool> {
        for account in self.accounts().map_err(|error| self.unusable(error))? {
            let other = Self { account, ..self.clone() };
            if other.account == self.account || other.read()?.is_none_or(|there| !there.may_be_of(added)) {
                continue;
            }
            if !held || other.is_held()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The accounts that have a record of the IP.
    fn accounts(&self) -> io::Result<Vec<String>> {
        let mut accounts = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let name = entry?.file_name();
            if let Some((ip, account)) = name.to_str().and_then(|name| name.split_once('-'))
                && ip == self.ip
                && !account.contains('.')
            {
                accounts.push(account.to_owned());
            }
        }
        Ok(accounts)
    }

    fn is_held(&self) -> Result<bool> {
        Ok(self.lock_unheld()?.is_none())
    }

    /// If a process of this machine has added the IP like this and was killed: the lock on what it left.
    pub(super) fn abandoned(&self, added: &Added) -> Result<Option<Lock>> {
        let is_ours = |ours: Added| ours.is_labelled_as(added) && ours.machine == added.machine;
        if self.read()?.is_some_and(is_ours) { self.lock_unheld() } else { Ok(None) }
    }

    /// The exclusive lock; `None` if a running process needs the IP.
    fn lock_unheld(&self) -> Result<Option<Lock>> {
        let lock = || {
            let mut lock = Lock::new(private_file().open(self.lock_path())?);
            Ok(lock.exclusive()?.then_some(lock))
        };
        lock().map_err(|error| self.unusable(error))
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(format!("{}-{}", self.ip, self.account))
    }

    fn lock_path(&self) -> PathBuf {
        self.folder.path().join(format!("{}-{}.lock", self.ip, self.account))
    }

    pub(super) fn unusable(&self, error: io::Error) -> Error {
        unusable(&self.folder, error)
    }
}

impl Lock {
    fn new(file: File) -> Self {
        Self { file, is_held: false, process: process::id() }
    }

    fn is_own(&self) -> bool {
        self.process == process::id()
    }

    /// Locks the file for this holder alone. Returns whether that worked. If not, the lock that it had before is gone.
    pub(super) fn exclusive(&mut self) -> io::Result<bool> {
        self.unlock()?;
        self.is_held = locked(self.file.try_lock())?;
        Ok(self.is_held)
    }

    /// Locks the file together with others.
    pub(super) fn share(&mut self) -> io::Result<bool> {
        self.unlock()?;
        self.is_held = locked(self.file.try_lock_shared())?;
        Ok(self.is_held)
    }

    fn unlock(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_held) { self.file.unlock() } else { Ok(()) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // In a forked process, the lock belongs to the parent.
        if self.is_own() {
            let _ = self.unlock();
        }
    }
}

fn locked(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How long to wait until the next look. Processes that wait together should not look together.
fn pause() -> Duration {
    Duration::from_millis(fastrand::u64(5..25))
}

async fn wait(deadline: Instant, patience: Duration, folder: &StateFolder) -> Result<()> {
    if Instant::now() >= deadline {
        let (folder, patience) = (folder.path().display(), patience.as_secs_f64());
        let reason = format!(
            "another process has held the lock in {folder} for {patience} s; end that process if it hangs"
        );
        return Err(Error::Timeout { call: CALL, reason, attempts: 0 });
    }
    sleep(pause()).await;
    Ok(())
}

fn unusable(folder: &StateFolder, error: io::Error) -> Error {
    no_record(&Unusable { path: folder.path().to_owned(), error })
}

/// The error if the files cannot be used.
fn no_record(failed: &Unusable) -> Error {
    if lack(&failed.error).is_some() {
        return Error::lacking(CALL, &failed.error);
    }
    Error::config(format!(
        "ips.authorized needs a folder that only this user can write to ({failed}): set {VARIABLES} to such a folder, or use \
         ips.add and ips.delete"
    ))
}

/// Each change is a single step, so a panic elsewhere leaves the list consistent.
fn lock(threads: &Mutex<Vec<ThreadId>>) -> MutexGuard<'_, Vec<ThreadId>> {
    threads.lock().unwrap_or_else(PoisonError::into_inner)
}
