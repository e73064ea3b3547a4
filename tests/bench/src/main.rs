//! The native half of the benchmark, driven by `bench.py`: `serve CA_FILE`, or `raw CA_FILE`.

mod raw;
mod server;

use std::{env, error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", ca_file] => server::run(Path::new(ca_file)),
        ["raw", ca_file] => raw::run(Path::new(ca_file)),
        _ => Err("usage: proxymesh-bench serve|raw CA_FILE".into()),
    }
}
