//! Both Rust clients pass all cases. Apart from Cargo, this needs only Python.

use std::{env, process::Command};

#[test]
fn both_clients_pass_all_cases() {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let status = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../runner/run.py"))
        .args(["--surface", "Rust, async", "--surface", "Rust, blocking", "--jobs", "6"])
        .env("PROXYMESH_CONFORMANCE_AGENT", env!("CARGO_BIN_EXE_proxymesh-conformance"))
        .status();
    assert!(status.is_ok_and(|status| status.success()), "a case has failed, see above");
}
