//! Does the same for several names, some at a time.

use crate::{
    failure::{Failure, Status},
    output::{Format, Output, Record, Row},
    sender::Sender,
    terminal,
};
use clap::Args;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// The option of every command that takes several names.
#[derive(Args)]
pub(crate) struct FromFile {
    /// Also take the names in this file, one per line; - is stdin
    #[arg(short, long, value_name = "FILE")]
    from_file: Option<PathBuf>,
}

impl FromFile {
    /// The names that were given and those in the file, in order and each once.
    pub(crate) fn names(&self, given: &[String]) -> Result<Vec<String>, Failure> {
        let mut text = String::new();
        if let Some(path) = &self.from_file {
            let read = if self.is_stdin() {
                io::stdin().read_to_string(&mut text).map(drop)
            } else {
                fs::read_to_string(path).map(|read| text = read)
            };
            read.map_err(|error| unusable(path, &error))?;
        }
        let mut seen = HashSet::new();
        let names = given.iter().map(String::as_str).chain(lines(&text));
        Ok(names.filter(|name| seen.insert(*name)).map(str::to_owned).collect())
    }

    pub(crate) fn is_stdin(&self) -> bool {
        self.from_file.as_deref() == Some(Path::new("-"))
    }
}

/// The options of every command that makes a call for each name.
#[derive(Args)]
pub(crate) struct Several {
    #[command(flatten)]
    pub(crate) from: FromFile,
    /// Skip the names in this file, and add each name that is done
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// How many names to work on at a time
    #[arg(short, long, value_name = "NUMBER", default_value_t = 4)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    jobs: usize,
}

impl Several {
    /// The names that were given and those in the file, without those that are done already.
    pub(crate) fn names(&self, given: &[String]) -> Result<Vec<String>, Failure> {
        let names = self.from.names(given)?;
        if names.is_empty() {
            return Err(Failure::usage("no names: give some, or a file of them with --from-file"));
        }
        self.left(names)
    }

    /// The names that are not done yet.
    pub(crate) fn left(&self, mut names: Vec<String>) -> Result<Vec<String>, Failure> {
        let Some(path) = &self.resume else { return Ok(names) };
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            read => read.map_err(|error| unusable(path, &error))?,
        };
        let (done, total): (HashSet<&str>, usize) = (lines(&text).collect(), names.len());
        names.retain(|name| !done.contains(name.as_str()));
        if names.len() < total {
            terminal::say(&format!("{} of {total} are done already", total - names.len()));
        }
        Ok(names)
    }

    /// Whether the names come from stdin.
    pub(crate) fn is_stdin(&self) -> bool {
        self.from.is_stdin()
    }

    /// Calls `work` for each name, and writes the results in the order of the names. If it fails for a name, the others continue,
    /// unless it would fail for them as well. `R` is the type of the records.
    pub(crate) fn each<R: Record>(
        &self,
        format: Format,
        sender: &Sender,
        names: &[String],
        work: impl Fn(&str) -> Result<Row, Failure> + Sync,
    ) -> Result<(), Failure> {
        let mut journal = match &self.resume {
            Some(path) if !sender.dry_run => Some(Journal::open(path)?),
            _ => None,
        };
        sender.progress.total(names.len());
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let mut output = Output::new(format);
        let (mut failures, mut hints) = (Vec::new(), BTreeSet::new());
        let mut seen = 0;
        thread::scope(|scope| {
            let (results, finished) = mpsc::channel();
            for _ in 0..self.jobs.min(names.len()) {
                let (results, next, stop, work) = (results.clone(), &next, &stop, &work);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed)
                        && let index = next.fetch_add(1, Ordering::Relaxed)
                        && let Some(name) = names.get(index)
                    {
                        let result = work(name);
                        if result.as_ref().is_err_and(|failure| failure.general) {
                            stop.store(true, Ordering::Relaxed);
                        }
                        if results.send((index, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(results);
            let mut early = BTreeMap::new();
            for (index, result) in finished {
                if let (Ok(_), Some(journal), Some(name)) = (&result, &mut journal, names.get(index)) {
                    // What was done is recorded at once, although its result may have to wait for its turn.
                    journal.add(name).inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
                }
                early.insert(index, result);
                sender.progress.step();
                while let (Some(result), Some(name)) = (early.remove(&seen), names.get(seen)) {
                    seen += 1;
                    let row = sender.progress.aside(|| match result {
                        Ok(row) => output.row(row),
                        Err(failure) => {
                            terminal::show(&failure, (names.len() > 1).then_some(name));
                            hints.extend(failure.hint().map(str::to_owned));
                            failures.push(failure.status);
                            Ok(())
                        }
                    });
                    row.inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
                }
            }
            Ok::<_, Failure>(())
        })?;
        sender.progress.aside(|| output.end::<R>())?;
        hints.iter().for_each(|hint| terminal::show_hint(hint));
        let Some(first) = failures.first() else { return Ok(()) };
        let status = if failures.iter().all(|status| status == first) { *first } else { Status::Failed };
        if names.len() == 1 {
            return Err(Failure::silent(status));
        }
        let mut text = format!("{} of {} failed", failures.len(), names.len());
        if seen < names.len() {
            text.push_str(&format!(", and {} were not tried", names.len() - seen));
        }
        Err(Failure::new(status, text))
    }
}

/// The names that are done, so that the same command can continue.
struct Journal {
    path: PathBuf,
    file: fs::File,
}

impl Journal {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Ok(Self { path: path.to_owned(), file: file.map_err(|error| unusable(path, &error))? })
    }

    fn add(&mut self, name: &str) -> Result<(), Failure> {
        self.file.write_all(format!("{name}\n").as_bytes()).map_err(|error| unusable(&self.path, &error))
    }
}

/// The lines of a file, without blank ones and comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}

/// The names in a question.
pub(crate) fn enumerated(names: &[String]) -> String {
    const MOST: usize = 10;
    let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
    match names.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
