//! `proxymesh-bindgen LIBRARY FOLDER` generates the Kotlin and Swift code that calls the library. FOLDER is `bindings-ffi/`. It
//! writes the interface of the library for both internal packages, and the resource classes of the public ones.
//!
//! The library must have its symbols, as a debug build does, because they describe the interface.

mod interface;
mod kotlin;
mod kotlin_interface;
mod resources;
mod swift;
mod swift_interface;

use anyhow::{Result, bail};
use askama::Template;
use camino::{Utf8Path, Utf8PathBuf};
use interface::Interface;
use std::fs;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).map(Utf8PathBuf::from).collect();
    let [library, folder] = arguments.as_slice() else {
        bail!("usage: proxymesh-bindgen LIBRARY FOLDER");
    };
    let interface = Interface::of(library)?;
    let (version, interface) = (env!("CARGO_PKG_VERSION"), &interface);
    let of_kotlin = folder.join("kotlin/native/src/main/kotlin/generated");
    let of_swift = folder.join("swift/Sources/ProxyMeshInternal/Generated");
    for folder in [&of_kotlin, &of_swift] {
        fs::create_dir_all(folder)?;
    }
    fs::write(of_kotlin.join("Interface.kt"), kotlin_interface::File { version, interface }.render()?)?;
    fs::write(of_swift.join("Interface.swift"), swift_interface::File { version, interface }.render()?)?;
    write_resources(library, folder)
}

fn write_resources(library: &Utf8Path, folder: &Utf8Path) -> Result<()> {
    let of_kotlin = folder.join("kotlin/sdk/src/main/kotlin/generated");
    let of_kotlin_tests = folder.join("kotlin/sdk/src/test/kotlin/generated");
    let of_swift = folder.join("swift/Sources/ProxyMesh/Resource");
    let of_swift_tests = folder.join("swift/Tests/TestSupport/Generated");
    for folder in [&of_kotlin, &of_kotlin_tests, &of_swift, &of_swift_tests] {
        fs::create_dir_all(folder)?;
    }
    let resources = resources::resources(library)?;
    fs::write(of_kotlin_tests.join("Calls.kt"), kotlin::Calls { resources: &resources }.render()?)?;
    fs::write(of_swift_tests.join("Calls.swift"), swift::Calls { resources: &resources }.render()?)?;
    for resource in &resources {
        let name = resources::pascal(resource.name);
        fs::write(of_kotlin.join(format!("{name}.kt")), kotlin::File { resource }.render()?)?;
        let name = swift::type_name(resource.name);
        fs::write(of_swift.join(format!("{name}.swift")), swift::File { resource }.render()?)?;
    }
    Ok(())
}
