//! A machine with processes that can be killed at any step, and the files that they share.
//!
//! It replaces [`std::fs`] and the state folder. Each access to a file is a step: other processes may run before it. A killed
//! process goes on running, but nothing that it does has an effect, and its locks are free.

use crate::state_folder::Unusable;
use shuttle::sync::atomic::AtomicI64;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::OsString,
    fs::TryLockError,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

shuttle::thread_local! {
    /// The process that the current task belongs to.
    static CURRENT: RefCell<Option<Arc<Process>>> = RefCell::new(None);
}

#[derive(Default)]
pub(super) struct Machine {
    disk: Mutex<Disk>,
    processes: AtomicUsize,
}

#[derive(Default)]
struct Disk {
    names: BTreeMap<PathBuf, usize>,
    /// A file without a name exists until it is closed.
    files: Vec<Content>,
    opened: usize,
}

#[derive(Default)]
struct Content {
    text: Vec<u8>,
    locks: Vec<Locked>,
}

struct Locked {
    process: usize,
    opened: usize,
    is_exclusive: bool,
}

pub(super) struct Process {
    machine: Arc<Machine>,
    pub(super) number: usize,
    steps_left: AtomicI64,
    is_dead: AtomicBool,
}

impl Machine {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// Makes the current task a process that is killed after some steps.
    pub(super) fn start(self: &Arc<Self>, steps: i64) -> Arc<Process> {
        let number = self.processes.fetch_add(1, SeqCst);
        let (steps_left, is_dead) = (AtomicI64::new(steps), AtomicBool::new(false));
        let process = Arc::new(Process { machine: self.clone(), number, steps_left, is_dead });
        process.runs_here();
        process
    }

    /// The names of all files.
    pub(super) fn names(&self) -> Vec<String> {
        self.disk().names.keys().map(|path| path.file_name().unwrap().display().to_string()).collect()
    }
}

impl Process {
    /// Makes the current task a part of the process.
    pub(super) fn runs_here(self: &Arc<Self>) {
        CURRENT.with(|current| current.replace(Some(self.clone())));
    }

    /// Lets other tasks run. Fails if this process is dead.
    pub(super) fn step(&self) -> io::Result<()> {
        if self.steps_left.fetch_sub(1, SeqCst) <= 0 && !self.is_dead.swap(true, SeqCst) {
            for file in &mut self.machine.disk().files {
                file.locks.retain(|lock| lock.process != self.number);
            }
        }
        if self.is_dead() { Err(io::Error::other("killed")) } else { Ok(()) }
    }

    fn disk(&self) -> io::Result<MutexGuard<'_, Disk>> {
        self.step()?;
        Ok(self.machine.disk())
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(SeqCst)
    }
}

fn current() -> Arc<Process> {
    CURRENT.with(|current| current.borrow().clone()).expect("it runs in a process")
}

#[derive(Clone)]
pub(crate) struct StateFolder;

impl StateFolder {
    pub(crate) fn open_or_temporary<T>(
        name: &str,
        probe: impl Fn(&Self) -> io::Result<T>,
    ) -> Result<(Self, T), Unusable> {
        match probe(&Self) {
            Ok(probed) => Ok((Self, probed)),
            Err(error) => Err(Unusable { path: name.into(), error }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        Path::new("ips")
    }

    /// It can be read, unlike the real one.
    pub(crate) fn hash(&self, text: &[u8]) -> String {
        text.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

pub(crate) fn private_file() -> Options {
    Options
}

pub(crate) struct Options;

impl Options {
    pub(crate) fn open(&self, path: PathBuf) -> io::Result<File> {
        let process = current();
        let (file, opened) = {
            let mut disk = process.disk()?;
            let file = match disk.names.get(&path) {
                Some(file) => *file,
                None => {
                    disk.files.push(Content::default());
                    let file = disk.files.len() - 1;
                    disk.names.insert(path, file);
                    file
                }
            };
            disk.opened += 1;
            (file, disk.opened)
        };
        Ok(File { process, file, opened, position: 0 })
    }
}

/// An open file.
pub(crate) struct File {
    process: Arc<Process>,
    file: usize,
    opened: usize,
    position: usize,
}

impl File {
    pub(crate) fn set_len(&self, length: u64) -> io::Result<()> {
        self.process.disk()?.files[self.file].text.resize(usize::try_from(length).unwrap(), 0);
        Ok(())
    }

    pub(crate) fn try_lock(&self) -> Result<(), TryLockError> {
        self.lock(true)
    }

    pub(crate) fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.lock(false)
    }

    fn lock(&self, is_exclusive: bool) -> Result<(), TryLockError> {
        let mut disk = self.process.disk().map_err(TryLockError::Error)?;
        let locks = &mut disk.files[self.file].locks;
        locks.retain(|lock| lock.opened != self.opened);
        if locks.iter().any(|other| is_exclusive || other.is_exclusive) {
            return Err(TryLockError::WouldBlock);
        }
        locks.push(Locked { process: self.process.number, opened: self.opened, is_exclusive });
        Ok(())
    }

    pub(crate) fn unlock(&self) -> io::Result<()> {
        self.process.disk()?.files[self.file].locks.retain(|lock| lock.opened != self.opened);
        Ok(())
    }
}

impl Write for File {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut disk = self.process.disk()?;
        let there = &mut disk.files[self.file].text;
        let end = self.position + text.len();
        there.resize(end.max(there.len()), 0);
        there[self.position..end].copy_from_slice(text);
        self.position = end;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let mut disk = self.process.machine.disk();
        disk.files[self.file].locks.retain(|lock| lock.opened != self.opened);
    }
}

/// The functions of [`std::fs`] that leases use.
pub(crate) mod fs {
    use super::*;

    pub(crate) fn read(path: PathBuf) -> io::Result<Vec<u8>> {
        let process = current();
        let disk = process.disk()?;
        let file = disk.names.get(&path).ok_or(io::ErrorKind::NotFound)?;
        Ok(disk.files[*file].text.clone())
    }

    pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
        current().disk()?.names.remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    pub(crate) fn read_dir(_: &Path) -> io::Result<impl Iterator<Item = io::Result<Entry>>> {
        let process = current();
        process.step()?;
        Ok(process.machine.names().into_iter().map(|name| Ok(Entry(name))))
    }

    pub(crate) struct Entry(String);

    impl Entry {
        pub(crate) fn file_name(&self) -> OsString {
            self.0.clone().into()
        }
    }
}
