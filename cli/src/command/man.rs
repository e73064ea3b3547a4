//! `proxymesh man`

use crate::failure::Failure;
use clap::{Args, Command};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Write the man pages to a folder
#[derive(Args)]
pub(crate) struct Man {
    /// The folder [default: print the page of the program itself]
    folder: Option<PathBuf>,
}

impl Man {
    /// Writes the pages of a program with these commands.
    pub(crate) fn run(self, mut root: Command) -> Result<(), Failure> {
        root.build();
        if let Some(folder) = self.folder {
            fs::create_dir_all(&folder)?;
            return Ok(write_all(&root, &folder)?);
        }
        let mut out = io::stdout().lock();
        out.write_all(&page(&root)?)?;
        Ok(out.flush()?)
    }
}

/// Writes the page of a command, and those of its subcommands.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)?;
    command.get_subcommands().filter(|each| !each.is_hide_set()).try_for_each(|each| write_all(each, folder))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.source(concat!("proxymesh ", env!("CARGO_PKG_VERSION"))).render(&mut page)?;
    // The heading for what follows the options in `--help`.
    Ok(String::from_utf8_lossy(&page).replace(".SH EXTRA", ".SH NOTES").into_bytes())
}
