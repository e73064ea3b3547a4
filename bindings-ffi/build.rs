//! Keeps the library in memory once a JVM has loaded it. A JVM unloads a library together with the class loader that loaded it, but
//! the worker thread never ends.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if matches!(std::env::var("CARGO_CFG_TARGET_OS").as_deref(), Ok("linux" | "android")) {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
