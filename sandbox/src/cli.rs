//! The program: its flags, its help, and serving until it is told to stop.

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

use lexopt::prelude::*;

use crate::{Builder, Error, Plan, Sandbox, control};

const HELP: &str = include_str!("help.txt");
const PASSWORD_VARIABLE: &str = "PROXYMESH_SANDBOX_PASSWORD";

enum Command {
    Serve(Builder),
    Help,
    Version,
}

/// Runs the program `proxymesh-sandbox` with these arguments, the program's name first, and returns
/// its exit status: 0 after SIGINT or SIGTERM, 1 if it cannot serve, 2 for flags or values it does not take.
///
/// It prints to stdout and stderr, and takes over SIGINT and SIGTERM: it is meant for a `main`.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let builder = match parse(arguments) {
        Ok(Command::Serve(builder)) => builder,
        Ok(Command::Help) => {
            say(&format!("{HELP}\n{}", control::PAGE));
            return 0;
        }
        Ok(Command::Version) => {
            say(concat!("proxymesh-sandbox ", env!("CARGO_PKG_VERSION"), "\n"));
            return 0;
        }
        Err(error) => return misused(&error),
    };
    match serve(builder) {
        Ok(()) => 0,
        Err(error @ Error::Invalid(_)) => misused(&error),
        Err(error @ Error::PublishedPassword { address }) => {
            // Who started it waits for a line that says where it listens.
            say(&format!("not listening on http://{address}: it wants a password of your own\n"));
            misused(&error)
        }
        Err(error) => {
            complain(&format!("error: {error}\n"));
            1
        }
    }
}

fn misused(error: &dyn std::error::Error) -> u8 {
    complain(&format!("error: {error}\nTry 'proxymesh-sandbox --help'.\n"));
    2
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut builder = Sandbox::builder();
    if let Some(password) = std::env::var_os(PASSWORD_VARIABLE) {
        builder = builder.password(password.string()?);
    }
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        builder = match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            Long("host") => builder.host(parser.value()?.string()?),
            Long("port") => builder.port(parser.value()?.parse()?),
            Long("username") => builder.username(parser.value()?.string()?),
            Long("password") => builder.password(parser.value()?.string()?),
            Long("plan") => builder.plan(parser.value()?.parse_with(str::parse::<Plan>)?),
            Long("proxies") => builder.proxies(true),
            Long("monthly-limit") => builder.monthly_limit(parser.value()?.parse()?),
            Long("keep-alive") => builder.keep_alive(Some(parser.value()?.parse_with(seconds)?)),
            other => return Err(other.unexpected()),
        };
    }
    Ok(Command::Serve(builder))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a number of seconds from 0")
}

fn serve(builder: Builder) -> Result<(), Error> {
    // Before the line that says it listens, so that whoever read it may stop it.
    let told_to_stop = stop_signal().map_err(Error::Start)?;
    let sandbox = builder.start()?;
    if let Some(opened) = sandbox.opens() {
        complain(&format!("warning: {opened}\n"));
    }
    say(&format!(
        "listening on http://{}
",
        sandbox.address()
    ));
    let signal = told_to_stop();
    sandbox.stop();
    let count = sandbox.requests().len();
    let calls = if count == 1 { "call" } else { "calls" };
    complain(&format!("stopped by {signal} after {count} API {calls}\n"));
    Ok(())
}

/// From now on the signals are caught; what this gives waits for one, and tells which. On Unix, tokio's way would
/// make every event loop of the process hold descriptors for it, those of the Python package's clients included.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl FnOnce() -> &'static str> {
    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        iterator::Signals,
    };
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    Ok(move || if signals.forever().next() == Some(SIGTERM) { "SIGTERM" } else { "SIGINT" })
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl FnOnce() -> &'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut interrupt = runtime.block_on(async { tokio::signal::windows::ctrl_c() })?;
    Ok(move || {
        runtime.block_on(interrupt.recv());
        "Ctrl-C"
    })
}

/// To stdout, at once. Nobody may be reading: that is no reason to stop.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// To stderr.
fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
