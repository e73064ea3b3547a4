//! Completion in real shells: keys are typed on a terminal, and the completed command is run.

use crate::{
    support::{Place, skip},
    terminal::Session,
};
use std::process::Command;

/// Starts a shell, loads the completion with `load`, and completes a command, an option and a value.
fn completes(shell: &str, arguments: &[&str], load: &str) {
    if let Err(error) = Command::new(shell).arg("--version").output() {
        return skip(shell, &error);
    }
    let place = Place::new();
    let mut session =
        Session::of(shell, &place, arguments, &[("PS1", "ready> "), ("fish_greeting", "")], (50, 120));
    session.type_in(&format!("{load}\n"));
    session.type_in("echo load''ed\n");
    session.expect("loaded");
    // `subs dea` has one completion, and so has `--dry`.
    session.shown.clear();
    session.type_in("proxymesh subs dea\t");
    session.expect("ctivate");
    session.type_in("--dry\t");
    session.expect("-run");
    session.type_in("--help\n");
    session.expect("Stop sub-accounts from using the proxies");
    session.shown.clear();
    session.type_in("proxymesh geo open -o nd\t");
    session.expect("json");
    session.type_in("\u{15}exit\n");
    session.end();
}

#[test]
fn bash() {
    completes("bash", &["--norc", "-i"], "source <(proxymesh completion bash)");
}

#[test]
fn zsh() {
    completes("zsh", &["-f", "-i"], "autoload -Uz compinit; compinit -u; source <(proxymesh completion zsh)");
}

#[test]
fn fish() {
    completes("fish", &["--no-config", "-i"], "proxymesh completion fish | source");
}

#[test]
fn powershell_gets_a_script() {
    let script = Place::new().run("completion powershell").stdout;
    assert!(script.contains("Register-ArgumentCompleter") && script.contains("deactivate"));
}
