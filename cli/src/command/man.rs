//! `proxymesh man`

use crate::{arguments::Arguments, failure::Failure};
use clap::{Args, CommandFactory};
use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

/// Write the man pages to a folder
#[derive(Args)]
pub(crate) struct Man {
    /// The folder [default: print the page of the program itself]
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut command = Arguments::command();
        command.build();
        match self.folder {
            Some(folder) => {
                fs::create_dir_all(&folder)?;
                clap_mangen::generate_to(command, folder)?;
            }
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command).render(&mut page)?;
                let mut out = io::stdout().lock();
                out.write_all(&page)?;
                out.flush()?;
            }
        }
        Ok(())
    }
}
