//! What the processes of one user on one machine know together of credentials that have not proven right.
//!
//! One small file for each set of credentials and service, named by a keyed hash of both, in the folder where programs keep their
//! state. It holds moments, and nothing else. Who holds its lock is the one process that tries the credentials; the
//! system takes the lock back from a process that ends. Where there is no such folder, or it cannot be
//! written to, each process goes by itself.

use super::state::{GOES_ON, PER_CREDENTIALS, STANDS_FOR, WINDOW, delay_after};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, SystemTime},
};

/// Files that nobody has written to for so long are removed.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// Where the record of one set of credentials is.
pub(super) struct Record {
    /// Base URL and credentials, for as long as the name is not known: it is needed by the first trial alone.
    of: zeroize::Zeroizing<Vec<u8>>,
    path: OnceLock<Option<PathBuf>>,
}

/// What comes of asking for the trial.
pub(super) enum Claimed {
    Mine(Claim),
    /// Another process is trying the credentials.
    Busy,
    /// Another one has, and they are right.
    Accepted,
    /// Another one has, and they are wrong.
    Rejected,
    Blocked(Duration),
    Delayed(Duration),
    /// There is no record to share.
    Unavailable,
}

/// That no other process tries the credentials. Dropped without a word, the trial has decided nothing.
pub(super) struct Claim {
    file: File,
    known: Known,
}

/// What a record says. All moments are in milliseconds since 1970.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    /// 401s in the window.
    failures: Vec<u64>,
    /// Trials without an answer in the window, since the last one that had one.
    unanswered: Vec<u64>,
    accepted: Option<u64>,
    /// When the trial under way will have ended.
    trial: Option<u64>,
}

impl Record {
    pub(super) fn of(base_url: &str, authorization: &[u8]) -> Self {
        let of = zeroize::Zeroizing::new([base_url.as_bytes(), b"\n", authorization].concat());
        Self { of, path: OnceLock::new() }
    }

    /// None of them all.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self { of: zeroize::Zeroizing::default(), path: OnceLock::from(None) }
    }

    /// Asks for the trial, for a call that has waited since `began` and has `limit` for its request.
    pub(super) fn claim(&self, now: SystemTime, began: SystemTime, limit: Duration) -> Claimed {
        let Some(mut file) = self.open() else { return Claimed::Unavailable };
        let (now, began) = (milliseconds(now), milliseconds(began));
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                // A process that was stopped in the middle of its trial must not hold up all others.
                let overdue = Known::read(&mut file).trial.is_some_and(|until| until < now);
                return if overdue { Claimed::Unavailable } else { Claimed::Busy };
            }
            Err(TryLockError::Error(_)) => return Claimed::Unavailable,
        }
        let known = Known::read(&mut file);
        let mut claim = Claim { file, known };
        claim.known.forget(now);
        if let Some(lost) = claim.known.trial.take() {
            // Its process ended before the answer came.
            claim.known.unanswered.push(lost.min(now));
        }
        match claim.known.tells(now, began) {
            Some(told) => told,
            None => {
                let most = (limit.min(WINDOW) + GOES_ON * 2).as_millis();
                claim.known.trial = Some(now.saturating_add(u64::try_from(most).unwrap_or(u64::MAX)));
                if claim.write().is_ok() { Claimed::Mine(claim) } else { Claimed::Unavailable }
            }
        }
    }

    /// A 401 that was no trial's: the credentials have been revoked.
    pub(super) fn failed(&self, now: SystemTime) {
        if let Some(mut file) = self.open()
            && file.try_lock().is_ok()
        {
            let known = Known::read(&mut file);
            Claim { file, known }.rejected(now);
        }
    }

    fn open(&self) -> Option<File> {
        let path = self.path.get_or_init(|| self.locate().ok()).as_ref()?;
        private().create(true).truncate(false).read(true).write(true).open(path).ok()
    }

    fn locate(&self) -> io::Result<PathBuf> {
        let folder = folder().ok_or(io::ErrorKind::NotFound)?;
        make(&folder)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key(&folder.join("key"))?);
        let name: String =
            hmac::sign(&key, &self.of).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        remove_forgotten(&folder);
        Ok(folder.join(name))
    }
}

impl Claim {
    pub(super) fn accepted(mut self, now: SystemTime) {
        self.known =
            Known { accepted: Some(milliseconds(now)), failures: self.take_failures(), ..Known::default() };
    }

    pub(super) fn rejected(mut self, now: SystemTime) {
        self.known.accepted = None;
        self.known.trial = None;
        self.known.failures.push(milliseconds(now));
    }

    pub(super) fn unanswered(mut self, now: SystemTime) {
        self.known.trial = None;
        self.known.unanswered.push(milliseconds(now));
    }

    fn take_failures(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.known.failures)
    }

    fn write(&mut self) -> io::Result<()> {
        let text = serde_json::to_vec(&self.known)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len() as u64)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.known.trial = None;
        // Where it cannot be written, the others know less; the next trial will ask the service.
        let _ = self.write();
        // Not by closing it alone: a forked process has the same lock.
        let _ = self.file.unlock();
    }
}

impl Known {
    /// What cannot be read says nothing.
    fn read(file: &mut File) -> Self {
        let mut text = Vec::new();
        let read = file.rewind().and_then(|()| file.take(4096).read_to_end(&mut text));
        read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn forget(&mut self, now: u64) {
        let recent = |at: &u64| Duration::from_millis(at.abs_diff(now)) < WINDOW;
        self.failures.retain(recent);
        self.unanswered.retain(recent);
        self.accepted = self.accepted.filter(recent);
    }

    /// What it tells a call that has waited since `began`, if that is enough.
    fn tells(&self, now: u64, began: u64) -> Option<Claimed> {
        let stands = |at: &u64| *at >= began || Duration::from_millis(at.abs_diff(now)) < STANDS_FOR;
        if self.accepted.as_ref().is_some_and(stands) {
            return Some(Claimed::Accepted);
        }
        if self.failures.last().is_some_and(stands) {
            return Some(Claimed::Rejected);
        }
        let mut doubtful = self.failures.clone();
        if !doubtful.is_empty() {
            doubtful.extend(&self.unanswered);
            doubtful.sort_unstable();
        }
        if let Some(oldest) = doubtful.len().checked_sub(PER_CREDENTIALS).and_then(|i| doubtful.get(i)) {
            return Some(Claimed::Blocked(
                WINDOW.saturating_sub(Duration::from_millis(oldest.abs_diff(now))),
            ));
        }
        let last = self.unanswered.last()?;
        let passed = Duration::from_millis(last.abs_diff(now));
        let delay = delay_after(self.unanswered.len()).saturating_sub(passed);
        (!delay.is_zero()).then_some(Claimed::Delayed(delay))
    }
}

fn milliseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Where the user's programs keep their state.
fn folder() -> Option<PathBuf> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        variable("LOCALAPPDATA")?
    } else if cfg!(target_vendor = "apple") {
        env::home_dir()?.join("Library/Application Support")
    } else {
        variable("XDG_STATE_HOME").or_else(|| env::home_dir().map(|home| home.join(".local/state")))?
    };
    Some(state.join("proxymesh").join("credentials"))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// The key of the hash, made by the first process.
fn key(path: &Path) -> io::Result<Vec<u8>> {
    const LENGTH: usize = 32;
    let mut file = private().create(true).truncate(false).read(true).write(true).open(path)?;
    for _ in 0..40 {
        match file.try_lock() {
            Ok(()) => {
                let mut key = Vec::new();
                file.read_to_end(&mut key)?;
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
            // For as long as it takes to read 32 bytes.
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Removes the records that say nothing any more, unless a process holds one.
fn remove_forgotten(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = entry
            .metadata()
            .and_then(|about| about.modified())
            .is_ok_and(|written| SystemTime::now().duration_since(written).is_ok_and(|age| age > FORGOTTEN));
        if old
            && entry.file_name() != "key"
            && let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}
