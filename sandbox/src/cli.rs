//! The program: its flags, its help, and serving until it is told to stop.

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

use lexopt::prelude::*;
use tokio::runtime;

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
    let runtime = runtime::Builder::new_current_thread().enable_io().build().map_err(Error::Start)?;
    // Before the line that says it listens, so that whoever read it may stop it.
    let told_to_stop = runtime.block_on(async { stop_signal() });
    let told_to_stop = told_to_stop.map_err(Error::Start)?;
    let sandbox = builder.start()?;
    if let Some(opened) = sandbox.opens() {
        complain(&format!("warning: {opened}\n"));
    }
    say(&format!("listening on http://{}\n", sandbox.address()));
    let signal = runtime.block_on(told_to_stop);
    sandbox.stop();
    let count = sandbox.requests().len();
    let calls = if count == 1 { "call" } else { "calls" };
    complain(&format!("stopped by {signal} after {count} API {calls}\n"));
    Ok(())
}

/// From now on the signals are caught; the future tells which one came.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
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
