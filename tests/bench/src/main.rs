//! The native part of the benchmark. `bench.py` runs `serve CA_FILE` and `raw CA_FILE`, and `languages.py` runs `sdk`.

mod raw;
mod sdk;
mod server;

use std::{env, error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", ca_file] => server::run(Path::new(ca_file)),
        ["raw", ca_file] => raw::run(Path::new(ca_file)),
        ["sdk"] => sdk::run(),
        _ => Err("usage: proxymesh-bench serve CA_FILE | raw CA_FILE | sdk".into()),
    }
}
