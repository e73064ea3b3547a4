//! A bar or a spinner on stderr, for whatever takes longer than a second. Without a terminal, there is none.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

/// It disappears when it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Dropping it tells the thread that the work is done.
    _done: Option<Sender<()>>,
}

impl Progress {
    /// Shows a spinner after a second.
    pub(crate) fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style("{spinner} {elapsed}"));
        if !io::stderr().is_terminal() {
            return Self { bar, _done: None };
        }
        let (done, wait) = channel();
        let shown = bar.clone();
        thread::spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) && !shown.is_finished() {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, _done: Some(done) }
    }

    /// Makes it a bar, which is full after `total` steps.
    pub(crate) fn total(&self, total: usize) {
        self.bar.set_style(style("{bar:30} {pos} of {len}, {elapsed}"));
        self.bar.set_length(total as u64);
    }

    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// Removes it, because nobody waits any more.
    pub(crate) fn hide(&self) {
        self.bar.finish_and_clear();
    }

    /// Hides it while something else is written.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.hide();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
