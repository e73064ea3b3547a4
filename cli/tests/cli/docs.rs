//! Runs the blocks of docs/cli.md, and draws its picture.

use crate::{
    support::{PASSWORD, Place, ran},
    terminal::Session,
};
use std::{fmt::Write as _, fs, process::Command};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.svg");
const USERNAME: &str = "me@ex.com";

/// The blocks of the guide: their language and their text.
fn blocks(guide: &str) -> Vec<(&str, &str)> {
    let parts = guide.split("```").skip(1).step_by(2);
    parts.map(|part| part.split_once('\n').unwrap()).collect()
}

#[test]
fn every_block_of_the_guide_works() {
    let guide = fs::read_to_string(GUIDE).unwrap();
    let place = Place::with(|builder| builder.username(USERNAME));
    let proxies = Place::with(|builder| builder.username(USERNAME).proxies(true));
    let blocks = blocks(&guide);
    assert!(blocks.len() >= 10);
    for (language, block) in blocks {
        match language {
            "console" => commands(block).for_each(|(command, expected)| {
                // These need proxies, whose addresses differ from those of the service.
                let environment = [("PROXYMESH_USERNAME", USERNAME), ("PROXYMESH_PASSWORD", PASSWORD)];
                match command.contains("proxies check") {
                    true => shows(&proxies, command, expected, &environment),
                    false => shows(&place, command, expected, &[]),
                }
            }),
            "sh" => {
                let mut shell = Command::new("bash");
                place.prepare(&mut shell);
                let ran = ran(shell.args(["-euo", "pipefail", "-c", block]));
                assert_eq!(ran.status, 0, "{block}\n{}{}", ran.stdout, ran.stderr);
            }
            other => panic!("no test runs {other:?}"),
        }
    }
}

#[test]
fn the_guide_has_a_command_for_each_call() {
    let guide = fs::read_to_string(GUIDE).unwrap();
    let (_, table) = guide.split_once("## Which command makes which call\n").unwrap();
    let listed: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(listed, proxymesh::endpoint::CALLS.iter().map(|call| call.name).collect::<Vec<_>>());
    let place = Place::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let command = line.split('`').nth(3).unwrap().strip_prefix("proxymesh ").unwrap();
        assert!(crate::calls::makes(line.split('`').nth(1).unwrap(), command), "{line}");
        assert_eq!(place.run(&format!("{command} --help")).status, 0, "{line}");
    }
}

/// The commands of a block, each with the lines that it shows.
fn commands(block: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    block.split("$ ").skip(1).map(|part| {
        let mut lines = part.lines();
        (lines.next().unwrap(), lines.collect())
    })
}

/// Runs a command on a terminal, and types what the block shows as an answer.
fn shows(place: &Place, command: &str, expected: Vec<&str>, environment: &[(&str, &str)]) {
    let environment: Vec<_> = environment.iter().copied().chain([("NO_COLOR", "1")]).collect();
    let mut session = Session::of("bash", place, &["-c", command], &environment, (40, 200));
    answer(&mut session, &expected);
    session.end();
    let shown: Vec<&str> = session.shown.lines().collect();
    assert_eq!(shown.len(), expected.len(), "$ {command}\n{}", session.shown);
    for (shown, expected) in shown.iter().zip(expected) {
        assert!(fits(shown.trim_end(), expected), "$ {command}\n{shown}\nis not\n{expected}");
    }
}

fn answer(session: &mut Session, expected: &[&str]) {
    for line in expected {
        if let Some(answer) = line.strip_prefix("Username: ") {
            session.expect("Username: ");
            session.type_in(&format!("{answer}\n"));
        } else if line.starts_with("Password for") {
            session.expect(line);
            session.type_in(&format!("{PASSWORD}\n"));
        } else if let Some(question) = line.strip_suffix('y').filter(|line| line.ends_with("[y/N] ")) {
            session.expect(question);
            session.type_in("y\n");
        }
    }
}

/// Whether the parts of `expected` between `…` are in `shown`, in this order. Spaces around `…` may differ.
fn fits(shown: &str, expected: &str) -> bool {
    let mut parts = expected.split('…').map(str::trim);
    let Some(mut rest) = parts.next().and_then(|first| shown.strip_prefix(first)) else { return false };
    let mut open = false;
    for part in parts {
        open = true;
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    open || rest.is_empty()
}

/// The picture is drawn from a real session. `UPDATE=1` writes it.
#[test]
fn the_picture_is_up_to_date() {
    let place = Place::with(|builder| builder.username(USERNAME));
    let mut drawn = String::new();
    for (command, expected) in [
        ("proxymesh login", &["Username: me@ex.com", "Password for me@ex.com: "][..]),
        ("proxymesh proxies list", &[]),
        ("proxymesh subs create crawler-1 crawler-2 --monthly-limit 5", &[]),
        ("proxymesh subs delete crawler-2", &["Delete the sub-account permanently: crawler-2? [y/N] y"]),
        ("proxymesh subs get crawler-2", &[]),
    ] {
        let mut session = Session::of("bash", &place, &["-c", command], &[], (40, 100));
        answer(&mut session, expected);
        session.end();
        let _ = write!(drawn, "\u{1b}[2m$\u{1b}[0m {command}\n{}", session.shown.replace('\r', ""));
    }
    let profile: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place.profile("default")).unwrap()).unwrap();
    let drawn = drawn.replace(profile["expires_at"].as_str().unwrap(), "2027-01-31");
    let drawn = drawn
        .replace(place.profile("default").to_str().unwrap(), "~/.config/proxymesh/profiles/default.json");
    let picture = svg(&drawn);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PICTURE, &picture).unwrap();
    }
    let kept = fs::read_to_string(PICTURE).unwrap_or_default();
    assert!(
        picture == kept,
        "docs/cli.svg is out of date: UPDATE=1 cargo test --package proxymesh-cli picture"
    );
}

/// Text with colours as a picture.
fn svg(text: &str) -> String {
    const LINE: usize = 19;
    let lines: Vec<&str> = text.lines().collect();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap();
    let (width, height) = (longest * 9 + 20, lines.len() * LINE + 30);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n\
         <g font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\" fill=\"#d8dbe2\">\n"
    );
    for (index, line) in lines.iter().enumerate() {
        let _ = write!(picture, "<text x=\"14\" y=\"{}\">", 28 + index * LINE);
        let mut parts = line.split('\u{1b}');
        let _ = write!(picture, "{}", escaped(parts.next().unwrap()));
        let mut style = String::new();
        for part in parts {
            let (code, text) = part.split_once('m').unwrap();
            match code {
                "[0" => style.clear(),
                "[1" => style.push_str(" font-weight=\"bold\""),
                "[2" => style.push_str(" fill=\"#7f8696\""),
                "[31" => style.push_str(" fill=\"#ff7b72\""),
                other => panic!("{other:?} in {line:?}"),
            }
            if !text.is_empty() {
                let _ = write!(picture, "<tspan{style}>{}</tspan>", escaped(text));
            }
        }
        picture.push_str("</text>\n");
    }
    picture.push_str("</g>\n</svg>\n");
    picture
}

fn escaped(text: &str) -> String {
    // Several ordinary spaces would be shown as one.
    text.replace('&', "&amp;").replace('<', "&lt;").replace(' ', "\u{a0}")
}
