//! `--help` and the man pages.

use crate::support::{Place, ran};
use std::{fs, process::Command};

/// The words of every command, with those that only group others.
fn commands() -> Vec<String> {
    let place = Place::new();
    let mut found = vec![String::new()];
    let mut next = 0;
    while let Some(command) = found.get(next).cloned() {
        next += 1;
        let help = help(&place, &command);
        let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in list.take_while(|line| !line.is_empty()) {
            let word = line
                .strip_prefix("  ")
                .filter(|line| !line.starts_with(' '))
                .and_then(|line| line.split(' ').next());
            found.extend(word.map(|word| format!("{command} {word}").trim().to_owned()));
        }
    }
    found
}

fn help(place: &Place, command: &str) -> String {
    let ran = ran(place.bare().args(command.split_whitespace()).arg("--help"));
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{command}");
    ran.stdout
}

#[test]
fn the_help_of_every_command_fits_a_screen() {
    let place = Place::new();
    let commands = commands();
    assert!(commands.len() > 35, "{commands:?}");
    for command in &commands {
        let help = help(&place, command);
        assert!(help.lines().count() <= 50, "{command}: {} lines", help.lines().count());
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
        assert!(help.contains("Usage: proxymesh"), "{command}");
    }
}

#[test]
fn the_help_and_the_guide_list_the_exit_statuses() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md")).unwrap();
    let help = help(&Place::new(), "");
    for status in 0..=6 {
        assert!(help.contains(&format!("\n  {status}  ")), "{status}");
        assert!(guide.contains(&format!("\n| {status} | ")), "{status}");
    }
}

#[test]
fn every_command_has_a_man_page_that_renders_without_a_warning() {
    let place = Place::new();
    assert_eq!(place.run("man pages").status, 0);
    for command in commands() {
        let name = format!("proxymesh {command}").trim().replace(' ', "-");
        let page = place.home.join("pages").join(format!("{name}.1"));
        assert!(page.exists(), "{name}");
        match Command::new("groff").args(["-man", "-Tascii", "-P-cbou", "-ww"]).arg(&page).output() {
            Ok(output) => {
                assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
                assert!(String::from_utf8_lossy(&output.stdout).contains("SYNOPSIS"), "{name}");
            }
            Err(error) => crate::support::skip("groff", &error),
        }
    }
    let printed = place.run("man");
    assert_eq!(printed.stdout, fs::read_to_string(place.home.join("pages/proxymesh.1")).unwrap());
}
