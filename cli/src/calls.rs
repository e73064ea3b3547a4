//! Which command makes which call.

/// Each call of the API, and the command that makes it.
pub(crate) const COMMANDS: &[(&str, &str)] = &[
    ("sub_accounts.create", "subs create"),
    ("sub_accounts.edit", "subs edit"),
    ("sub_accounts.get", "subs get"),
    ("sub_accounts.deactivate", "subs deactivate"),
    ("sub_accounts.activate", "subs activate"),
    ("sub_accounts.delete", "subs delete"),
    ("ips.add", "ips add"),
    ("ips.delete", "ips delete"),
    ("ips.list", "ips list --addresses"),
    ("ips.labels", "ips list"),
    ("hostnames.add", "hostnames add"),
    ("hostnames.delete", "hostnames delete"),
    ("hostnames.list", "hostnames list"),
    ("proxies.list", "proxies list"),
    ("proxies.add", "proxies add"),
    ("proxies.delete", "proxies delete"),
    ("tokens.list", "tokens list"),
    ("tokens.create", "tokens create"),
    ("tokens.deactivate", "tokens deactivate"),
    ("tokens.activate", "tokens activate"),
    ("tokens.delete", "tokens delete"),
    ("geo.open", "geo open"),
    ("geo.world", "geo world"),
];

/// A sentence of the core with the commands instead of the calls.
pub(crate) fn in_commands(sentence: &str) -> String {
    // No call's name is the beginning of another's.
    COMMANDS.iter().fold(sentence.to_owned(), |sentence, (call, command)| {
        sentence.replace(call, &format!("`proxymesh {command}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_call_has_a_command() {
        let mut root = crate::arguments::Arguments::command();
        root.build();
        let calls: Vec<_> = proxymesh::endpoint::CALLS.iter().map(|call| call.name).collect();
        assert_eq!(COMMANDS.iter().map(|(call, _)| *call).collect::<Vec<_>>(), calls);
        for (call, command) in COMMANDS {
            let mut at = &root;
            for word in command.split(' ') {
                match word.strip_prefix("--") {
                    None => at = at.find_subcommand(word).unwrap_or_else(|| panic!("{call}: {command}")),
                    Some(flag) => {
                        assert!(
                            at.get_arguments().any(|argument| argument.get_long() == Some(flag)),
                            "{command}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_hint_names_commands() {
        assert_eq!(in_commands("check with sub_accounts.get"), "check with `proxymesh subs get`");
        assert_eq!(in_commands("check with ips.list"), "check with `proxymesh ips list --addresses`");
    }
}
