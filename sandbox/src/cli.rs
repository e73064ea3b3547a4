//! The program: reads its flags, prints its help, and serves until it is shut down.

use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lexopt::prelude::*;

use crate::{Builder, Error, Plan, Sandbox, control};

const HELP: &str = include_str!("help.txt");
const PROGRAM: &str = "proxymesh-sandbox";
const PASSWORD_VARIABLE: &str = "PROXYMESH_SANDBOX_PASSWORD";

enum Command {
    Serve(Builder, Until),
    Help,
    Version,
}

/// When the program stops.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    Signal,
    /// At a signal, or when its standard input ends. If the program that has started it is killed, that happens too.
    EndOfInput,
}

/// Runs the program `proxymesh-sandbox` and returns its exit status: 0 after SIGINT or SIGTERM, 1 if it cannot serve, 2
/// for an invalid flag or value. The first argument is the program's name.
///
/// It prints to stdout and stderr, and handles SIGINT and SIGTERM, so it is meant to be called by `main`.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    match parse(arguments) {
        Ok(Command::Serve(builder, until)) => served(builder, until, PROGRAM),
        Ok(Command::Help) => {
            print_out(&format!("{HELP}\n{}", control::PAGE));
            0
        }
        Ok(Command::Version) => {
            print_out(concat!("proxymesh-sandbox ", env!("CARGO_PKG_VERSION"), "\n"));
            0
        }
        Err(error) => usage_error(&error, PROGRAM),
    }
}

/// Does what the program does once it has read its flags, for a program with flags of its own. The password is that of the
/// variable `PROXYMESH_SANDBOX_PASSWORD`, if it is set. With `until_eof`, it also stops when its standard input ends. `program`
/// is the command that prints the help.
pub fn serve(builder: Builder, until_eof: bool, program: &str) -> u8 {
    let builder = match password(builder) {
        Ok(builder) => builder,
        Err(error) => return usage_error(&error, program),
    };
    served(builder, if until_eof { Until::EndOfInput } else { Until::Signal }, program)
}

fn served(builder: Builder, until: Until, program: &str) -> u8 {
    match serve_until(builder, until) {
        Ok(()) => 0,
        Err(error @ Error::Invalid(_)) => usage_error(&error, program),
        Err(error @ Error::PublishedPassword { address }) => {
            // Whoever started the program waits for a line with the address it listens on.
            print_out(&format!("not listening on http://{address}: a password of your own is required\n"));
            usage_error(&error, program)
        }
        Err(error) => {
            print_err(&format!("error: {error}\n"));
            1
        }
    }
}

fn usage_error(error: &dyn std::error::Error, program: &str) -> u8 {
    print_err(&format!("error: {error}\nTry '{program} --help'.\n"));
    2
}

/// Takes the password from the environment, where other users cannot see it.
fn password(builder: Builder) -> Result<Builder, lexopt::Error> {
    match std::env::var_os(PASSWORD_VARIABLE) {
        Some(password) => Ok(builder.password(password.string()?)),
        None => Ok(builder),
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut builder = password(Sandbox::builder())?;
    let mut until = Until::Signal;
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
            Long("until-eof") => {
                until = Until::EndOfInput;
                continue;
            }
            Long("proxies") => builder.proxies(true),
            Long("monthly-limit") => builder.monthly_limit(parser.value()?.parse()?),
            Long("keep-alive") => builder.keep_alive(Some(parser.value()?.parse_with(seconds)?)),
            other => return Err(other.unexpected()),
        };
    }
    Ok(Command::Serve(builder, until))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a number of seconds (0 or more)")
}

fn serve_until(builder: Builder, until: Until) -> Result<(), Error> {
    // Signals are caught before the address is printed, because whoever reads it may send one at once.
    let wait_for_signal = catch_signals().map_err(Error::Start)?;
    let sandbox = builder.start()?;
    if let Some(opened) = sandbox.opens() {
        print_err(&format!("warning: {opened}\n"));
    }
    print_out(&format!("listening on http://{}\n", sandbox.address()));
    let signal = match until {
        Until::Signal => wait_for_signal(),
        Until::EndOfInput => first(wait_for_signal),
    };
    sandbox.stop();
    let count = sandbox.requests().len();
    let calls = if count == 1 { "call" } else { "calls" };
    print_err(&format!("stopped by {signal} after {count} API {calls}\n"));
    Ok(())
}

/// Waits for a signal or for the end of the standard input. Returns the name of what came first.
fn first(wait_for_signal: impl FnOnce() -> &'static str + Send + 'static) -> &'static str {
    let (ends, ended) = mpsc::channel();
    let at_eof = ends.clone();
    // Both threads end with the process.
    thread::spawn(move || ends.send(wait_for_signal()));
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        at_eof.send("the end of its input")
    });
    ended.recv().unwrap_or("an error")
}

/// Catches the signals from now on. The function that it returns waits for one and returns its name.
///
/// On Unix it does not use tokio, which would add file descriptors for signals to every event loop of the process, and
/// so to those of the Python package's clients.
#[cfg(unix)]
fn catch_signals() -> io::Result<impl FnOnce() -> &'static str> {
    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        iterator::Signals,
    };
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    Ok(move || if signals.forever().next() == Some(SIGTERM) { "SIGTERM" } else { "SIGINT" })
}

#[cfg(windows)]
fn catch_signals() -> io::Result<impl FnOnce() -> &'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut interrupt = runtime.block_on(async { tokio::signal::windows::ctrl_c() })?;
    Ok(move || {
        runtime.block_on(interrupt.recv());
        "Ctrl-C"
    })
}

/// Prints to stdout and flushes it. If nobody reads the output, that is not an error.
fn print_out(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Prints to stderr.
fn print_err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
