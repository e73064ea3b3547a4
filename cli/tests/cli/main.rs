//! Runs the program as a process against the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod support;

mod calls;
#[cfg(unix)]
mod completion;
#[cfg(unix)]
mod docs;
mod exit_status;
#[cfg(unix)]
mod gateway;
mod help;
mod login;
mod several;
#[cfg(unix)]
mod terminal;
