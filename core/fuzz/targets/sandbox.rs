//! Sends bytes to the sandbox's socket. A panic on any thread ends the process, so libFuzzer finds it.
#![no_main]

#[path = "../../../sandbox/tests/support/hostile.rs"]
#[allow(dead_code)]
mod hostile;

use proxymesh_sandbox::Sandbox;
use std::sync::LazyLock;

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::start().unwrap());

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::survives(&SANDBOX, data));
