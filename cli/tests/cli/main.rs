//! Runs the program as a process against the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

mod calls;
mod exit_status;
mod login;
mod several;
#[cfg(unix)]
mod terminal;
