//! What is said to a person, and what a person is asked. All of it is on stderr; stdout is for data.

use crate::failure::{Failure, Status};
use clap::builder::styling::{AnsiColor, Style};
use proxymesh::secrecy::SecretString;
use std::io::{self, IsTerminal, Read, Write};
use zeroize::Zeroizing;

const RED: Style = AnsiColor::Red.on_default().bold();
/// No password is longer.
const LARGEST: u64 = 8192;

/// Whether there is someone to ask.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Writes a line to stderr. If nobody reads it, that is not an error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", printable(line));
}

pub(crate) fn error(text: &str) {
    let _ = writeln!(anstream::stderr(), "{RED}error:{RED:#} {}", printable(text));
}

pub(crate) fn warning(text: &str) {
    say(&format!("warning: {text}"));
}

/// The text without control characters, which a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Asks for a line.
pub(crate) fn ask(question: &str) -> Result<String, Failure> {
    let mut stderr = anstream::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Asks for a password, and does not show what is typed.
pub(crate) fn ask_password(question: &str) -> Result<SecretString, Failure> {
    Ok(rpassword::prompt_password(question)?.into())
}

/// Reads a password from stdin. One line break at its end does not belong to it.
pub(crate) fn password_from_stdin() -> Result<SecretString, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(8192));
    io::stdin().take(LARGEST).read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).into())
}

/// Asks whether to do what cannot be undone. Without a terminal, `--yes` must be given.
pub(crate) fn confirm(yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !is_there() {
        return Err(Failure::usage("this cannot be undone, and there is no terminal to ask on: add --yes"));
    }
    match ask(&format!("{} [y/N] ", printable(question)))?.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Status::Failed, "nothing was changed")),
    }
}
