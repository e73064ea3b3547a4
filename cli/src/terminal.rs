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

/// Says why something failed. `name` is the one of several that failed.
pub(crate) fn show(failure: &Failure, name: Option<&str>) {
    let Some(text) = failure.text() else { return };
    let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
    let _ = writeln!(anstream::stderr(), "{RED}error:{RED:#} {}", printable(&format!("{name}{text}")));
}

/// Says what to do next.
pub(crate) fn show_hint(hint: &str) {
    say(&format!("next: {hint}"));
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
#[cfg(unix)]
pub(crate) fn ask_password(question: &str) -> Result<SecretString, Failure> {
    use std::fs::File;
    // Reading stdin would leave a copy in its buffer.
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let line = {
        let _silence = silence::Silence::of(terminal.try_clone()?)?;
        write!(terminal, "{}", printable(question))?;
        let mut line = Zeroizing::new(vec![0; 8192]);
        // A terminal hands over one line at a time.
        let length = terminal.read(&mut line)?;
        writeln!(terminal)?;
        line.truncate(length);
        line
    };
    let Ok(text) = std::str::from_utf8(&line) else {
        return Err(Failure::usage("the password is not valid UTF-8"));
    };
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

/// Keeps a terminal from showing what is typed, until it is dropped or a signal ends the program.
#[cfg(unix)]
mod silence {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };
    use std::{fs::File, io, sync::Arc, thread};

    pub(super) struct Silence {
        terminal: Arc<File>,
        before: Termios,
    }

    impl Silence {
        pub(super) fn of(terminal: File) -> io::Result<Self> {
            let terminal = Arc::new(terminal);
            let before = tcgetattr(&*terminal)?;
            let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
            let silence = Self { terminal: terminal.clone(), before: before.clone() };
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            // What was typed before the question is discarded.
            tcsetattr(&*terminal, OptionalActions::Flush, &silent)?;
            // The thread stays, because a signal that nobody handles any more would be ignored.
            thread::spawn(move || {
                for signal in signals.forever() {
                    let _ = tcsetattr(&*terminal, OptionalActions::Now, &before);
                    let _ = emulate_default_handler(signal);
                }
            });
            Ok(silence)
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            let _ = tcsetattr(&*self.terminal, OptionalActions::Now, &self.before);
        }
    }
}

/// Asks for a password, and does not show what is typed.
#[cfg(windows)]
pub(crate) fn ask_password(question: &str) -> Result<SecretString, Failure> {
    Ok(rpassword::prompt_password(printable(question))?.into())
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
