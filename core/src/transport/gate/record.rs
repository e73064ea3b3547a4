//! What the processes of one user on one machine share about credentials that have not worked yet.
//!
//! Each combination of credentials and service has a small file in the user's state folder, named by a keyed hash of both.
//! The file contains only times. The process that holds the file's lock is the one that tries the credentials. If the process
//! ends, the system releases the lock. If there is no such folder, or it is not writable, each process works on its own.

use super::state::{GOES_ON, PER_CREDENTIALS, STANDS_FOR, WINDOW, delay_after};
use crate::state_folder::{StateFolder, private_file};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, SystemTime},
};

/// Files that have not been written to for this long are removed.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

/// The record of one set of credentials.
pub(super) struct Record {
    /// Base URL and credentials, from which the file's name is derived. Only the first trial needs it.
    of: zeroize::Zeroizing<Vec<u8>>,
    path: OnceLock<Option<PathBuf>>,
}

/// The result of asking for the trial.
pub(super) enum Claimed {
    Mine(Claim),
    /// Another process is trying the credentials.
    Busy,
    /// Another process has tried them, and they are right.
    Accepted,
    /// Another process has tried them, and they are wrong.
    Rejected,
    Blocked(Duration),
    Delayed(Duration),
    /// No record can be shared.
    Unavailable,
}

/// Keeps other processes from trying the credentials. Dropping it without a verdict means that the trial decided nothing.
pub(super) struct Claim {
    file: File,
    known: Known,
}

/// The contents of a record. All times are in milliseconds since 1970.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    /// 401s within the window.
    failures: Vec<u64>,
    /// Trials without a response, within the window and since the last one that had a response.
    unanswered: Vec<u64>,
    accepted: Option<u64>,
    /// When the current trial will have ended at the latest.
    trial: Option<u64>,
}

impl Record {
    pub(super) fn of(base_url: &str, authorization: &[u8]) -> Self {
        let of = zeroize::Zeroizing::new([base_url.as_bytes(), b"\n", authorization].concat());
        Self { of, path: OnceLock::new() }
    }

    /// No record, so each process works on its own.
    pub(super) fn none() -> Self {
        Self { of: zeroize::Zeroizing::default(), path: OnceLock::from(None) }
    }

    /// Asks for the trial, for a call that has been waiting since `began` and whose request may take `limit`.
    pub(super) fn claim(&self, now: SystemTime, began: SystemTime, limit: Duration) -> Claimed {
        let Some(mut file) = self.open() else { return Claimed::Unavailable };
        let (now, began) = (milliseconds(now), milliseconds(began));
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                // A process that was suspended during its trial must not hold up all others.
                let overdue = Known::read(&mut file).trial.is_some_and(|until| until < now);
                return if overdue { Claimed::Unavailable } else { Claimed::Busy };
            }
            Err(TryLockError::Error(_)) => return Claimed::Unavailable,
        }
        let known = Known::read(&mut file);
        let mut claim = Claim { file, known };
        claim.known.forget(now);
        if let Some(lost) = claim.known.trial.take() {
            // Its process ended before the response arrived.
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

    /// Records a 401 outside a trial: proven credentials have been revoked.
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
        private_file().open(path).ok()
    }

    fn locate(&self) -> io::Result<PathBuf> {
        let folder = StateFolder::open("credentials")?;
        remove_forgotten(folder.path());
        Ok(folder.path().join(folder.hash(&self.of)))
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
        // If writing fails, the other processes know less, and the next trial asks the service.
        let _ = self.write();
        // Closing the file is not enough: a forked process shares the lock.
        let _ = self.file.unlock();
    }
}

impl Known {
    /// Reads the record. An unreadable one counts as empty.
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

    /// What the record means for a call that has been waiting since `began`; `None` if the call has to try the credentials.
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

/// Removes outdated records, except those that a process holds.
fn remove_forgotten(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = entry
            .metadata()
            .and_then(|about| about.modified())
            .is_ok_and(|written| SystemTime::now().duration_since(written).is_ok_and(|age| age > FORGOTTEN));
        if old
            && let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Refusal, transport::gate::Gate};
    use std::sync::Arc;

    const LIMIT: Duration = Duration::from_secs(20);

    /// Two processes that share a record, which begins with this text.
    fn shared(name: &str, text: &[u8]) -> (Record, Record, PathBuf) {
        let path = std::env::temp_dir().join(format!("proxymesh-record-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        (at(&path), at(&path), path)
    }

    fn at(path: &Path) -> Record {
        Record { path: OnceLock::from(Some(path.to_owned())), ..Record::none() }
    }

    #[test]
    fn a_process_that_is_suspended_during_its_trial_does_not_hold_up_the_others_for_ever() {
        let (one, other, path) = shared("suspended", b"");
        let now = SystemTime::now();
        let Claimed::Mine(claim) = one.claim(now, now, LIMIT) else { panic!() };
        let most = LIMIT + GOES_ON * 2;
        assert!(matches!(other.claim(now + most, now, LIMIT), Claimed::Busy));
        let later = now + most + Duration::from_millis(1);
        assert!(matches!(other.claim(later, now, LIMIT), Claimed::Unavailable));
        // The process goes on, and its verdict applies to all.
        claim.rejected(later);
        assert!(matches!(other.claim(later, now, LIMIT), Claimed::Rejected));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_trial_whose_process_has_ended_delays_the_next_one_a_little() {
        let now = SystemTime::now();
        let ended = milliseconds(now + LIMIT);
        let (one, other, path) = shared("ended", format!(r#"{{"trial":{ended}}}"#).as_bytes());
        let Claimed::Delayed(delay) = one.claim(now, now, LIMIT) else { panic!() };
        assert_eq!(delay, delay_after(1));
        assert!(matches!(other.claim(now + delay, now, LIMIT), Claimed::Mine(_)));
        fs::remove_file(path).unwrap();
    }

    /// What a call is told that has been waiting for `waited`, if the record has these entries. All are milliseconds before now.
    fn told(failures: &[u64], unanswered: &[u64], accepted: Option<u64>, waited: u64) -> String {
        let now = 1_000_000_000;
        let at = |before: &u64| now - before;
        let mut known = Known {
            failures: failures.iter().map(at).collect(),
            unanswered: unanswered.iter().map(at).collect(),
            accepted: accepted.as_ref().map(at),
            trial: None,
        };
        known.forget(now);
        match known.tells(now, now - waited) {
            None => "try".to_owned(),
            Some(Claimed::Accepted) => "accepted".to_owned(),
            Some(Claimed::Rejected) => "rejected".to_owned(),
            Some(Claimed::Blocked(wait)) => format!("blocked for {} ms", wait.as_millis()),
            Some(Claimed::Delayed(wait)) => format!("delayed by {} ms", wait.as_millis()),
            Some(_) => unreachable!(),
        }
    }

    #[test]
    fn a_record_tells_only_what_is_recent() {
        for (failures, unanswered, accepted, waited, expected) in [
            (&[][..], &[][..], None, 0, "try"),
            // A verdict stands for a second, and for calls that were waiting for it.
            (&[], &[], Some(999), 0, "accepted"),
            (&[], &[], Some(1000), 0, "try"),
            (&[], &[], Some(1000), 999, "try"),
            (&[], &[], Some(1000), 1000, "accepted"),
            (&[], &[], Some(299_999), 299_999, "accepted"),
            (&[], &[], Some(300_000), 300_000, "try"),
            (&[999], &[], None, 0, "rejected"),
            (&[1000], &[], None, 0, "try"),
            (&[1000], &[], None, 999, "try"),
            (&[1000], &[], None, 1000, "rejected"),
            (&[299_999], &[], None, 299_999, "rejected"),
            (&[300_000], &[], None, 300_000, "try"),
            (&[5000, 999], &[], None, 0, "rejected"),
            (&[2000], &[], Some(500), 0, "accepted"),
            // Two failures block. If there is one, a trial without a response may have been another.
            (&[5000, 2000], &[], None, 0, "blocked for 295000 ms"),
            (&[9000, 5000, 2000], &[], None, 0, "blocked for 295000 ms"),
            (&[300_000, 2000], &[], None, 0, "try"),
            (&[5000], &[3000], None, 0, "blocked for 295000 ms"),
            (&[3000], &[5000], None, 0, "blocked for 295000 ms"),
            (&[5000], &[300_000], None, 0, "try"),
            // Otherwise, it delays the next one.
            (&[], &[200], None, 0, "delayed by 300 ms"),
            (&[], &[499], None, 0, "delayed by 1 ms"),
            (&[], &[500], None, 0, "try"),
            (&[], &[5000, 300], None, 0, "delayed by 700 ms"),
            (&[300_000], &[300_000, 300], None, 0, "delayed by 200 ms"),
        ] {
            let message = format!("{failures:?} {unanswered:?} {accepted:?} {waited}");
            assert_eq!(told(failures, unanswered, accepted, waited), expected, "{message}");
        }
    }

    #[test]
    fn the_end_of_a_trial_is_recorded_and_earlier_failures_remain() {
        let now = SystemTime::now();
        let (failed, at) = (milliseconds(now) - 5000, milliseconds(now));
        type End = fn(Claim, SystemTime);
        let ends: [(End, _); 4] = [
            (Claim::accepted, (vec![failed], vec![], Some(at))),
            (Claim::rejected, (vec![failed, at], vec![], None)),
            (Claim::unanswered, (vec![failed], vec![at], None)),
            (|claim, _| drop(claim), (vec![failed], vec![], None)),
        ];
        for (ends, expected) in ends {
            let (one, other, path) = shared("verdict", format!(r#"{{"failures":[{failed}]}}"#).as_bytes());
            let Claimed::Mine(claim) = one.claim(now, now, LIMIT) else { panic!() };
            assert!(matches!(other.claim(now, now, LIMIT), Claimed::Busy));
            ends(claim, now);
            let Known { failures, unanswered, accepted, trial } =
                Known::read(&mut File::open(&path).unwrap());
            assert_eq!((failures, unanswered, accepted), expected);
            assert_eq!(trial, None);
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn records_of_the_last_hour_and_those_in_use_are_kept() {
        let folder = std::env::temp_dir().join(format!("proxymesh-forgotten-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let minute = Duration::from_secs(60);
        let file = |name: &str, age| {
            let file = File::create(folder.join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            file
        };
        file("old", 61 * minute);
        file("recent", 59 * minute);
        let in_use = file("in use", 61 * minute);
        in_use.lock().unwrap();
        remove_forgotten(&folder);
        let mut kept: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        kept.sort();
        assert_eq!(kept, ["in use", "recent"]);
        fs::remove_dir_all(folder).unwrap();
    }

    /// Many requests with proven credentials may be in flight when these are revoked.
    #[test]
    fn a_revocation_blocks_the_other_processes_and_is_recorded_only_as_often_as_that_takes() {
        // The gate works only inside the model checker.
        let test = || {
            let (one, other, path) = shared("revoked", b"");
            let gate = Arc::new(Gate::at(Arc::default(), 7, one));
            gate.state().accept(7);
            let in_flight: Vec<_> = (0..5).filter_map(|_| gate.pass()).collect();
            assert_eq!(in_flight.len(), 5);
            for (number, permit) in in_flight.into_iter().enumerate() {
                permit.rejected(&Refusal::elsewhere("ips.list"));
                let known = Known::read(&mut File::open(&path).unwrap());
                assert_eq!(known.failures.len(), (number + 1).min(PER_CREDENTIALS));
            }
            let later = SystemTime::now() + STANDS_FOR;
            assert!(matches!(other.claim(later, later, LIMIT), Claimed::Blocked(_)));
            fs::remove_file(path).unwrap();
        };
        shuttle::check_random(test, 1);
    }

    #[test]
    fn a_corrupt_record_counts_as_empty_and_is_written_anew() {
        let long = "9".repeat(5000);
        let texts: [&[u8]; 8] = [
            b"",
            b"{",
            b"\xff\xfe\x00",
            b"[]",
            b"null",
            br#"{"failures": ["now"]}"#,
            br#"{"accepted": -1, "trial": 1e300}"#,
            long.as_bytes(),
        ];
        for text in texts {
            let (one, other, path) = shared("corrupt", text);
            let now = SystemTime::now();
            let Claimed::Mine(claim) = one.claim(now, now, LIMIT) else { panic!("{text:?}") };
            claim.rejected(now);
            assert!(matches!(other.claim(now, now, LIMIT), Claimed::Rejected), "{text:?}");
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn times_of_a_clock_that_was_wrong_block_nobody() {
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let now = SystemTime::now();
        for wrong in [now - year, now + year, SystemTime::UNIX_EPOCH] {
            let at = milliseconds(wrong);
            let text = format!(r#"{{"failures":[{at},{at},{at}],"unanswered":[{at}],"accepted":{at}}}"#);
            let (one, _, path) = shared("clock", text.as_bytes());
            assert!(matches!(one.claim(now, now, LIMIT), Claimed::Mine(_)), "{wrong:?}");
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_record_that_cannot_be_opened_or_written_is_not_shared() {
        let now = SystemTime::now();
        let folder = std::env::temp_dir();
        let mut paths = vec![folder.clone(), folder.join("missing/record")];
        if cfg!(target_os = "linux") {
            paths.push("/dev/full".into());
        }
        for path in paths {
            assert!(matches!(at(&path).claim(now, now, LIMIT), Claimed::Unavailable), "{path:?}");
            at(&path).failed(now);
        }
    }
}
