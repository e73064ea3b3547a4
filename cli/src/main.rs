//! The program `proxymesh`: the account on the command line. docs/cli.md is its guide.
#![forbid(unsafe_code)]

mod account;
mod arguments;
mod calls;
mod command;
mod context;
mod failure;
mod keyring;
mod names;
mod output;
mod progress;
mod sender;
mod signals;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match arguments::Arguments::parse().run() {
        Ok(code) => code,
        Err(failure) => {
            terminal::show(&failure, None);
            failure.hint().into_iter().for_each(terminal::show_hint);
            failure.exit_code()
        }
    }
}
