//! `proxymesh completion`

use crate::failure::Failure;
use clap::{Args, Command};
use clap_complete::Shell;
use std::io::{self, Write};

/// Print the completion script of a shell
#[derive(Args)]
#[command(after_help = "\
bash, in ~/.bashrc:
  source <(proxymesh completion bash)
zsh, in ~/.zshrc, after compinit:
  source <(proxymesh completion zsh)
fish:
  proxymesh completion fish > ~/.config/fish/completions/proxymesh.fish
PowerShell, in the profile:
  proxymesh completion powershell | Out-String | Invoke-Expression")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    /// Writes the script for a program with these commands.
    pub(crate) fn run(self, root: &mut Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, root, "proxymesh", &mut script);
        let mut out = io::stdout().lock();
        out.write_all(&script)?;
        Ok(out.flush()?)
    }
}
