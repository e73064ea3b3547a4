//! The program `proxymesh-sandbox`: see [`proxymesh_sandbox::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(proxymesh_sandbox::cli::run(std::env::args_os()))
}
