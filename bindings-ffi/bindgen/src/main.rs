//! `proxymesh-bindgen LIBRARY FOLDER` generates the Kotlin and Swift code that calls the library. FOLDER is `bindings-ffi/`. It
//! writes UniFFI's bindings for Swift, the code that calls the library from the JVM, and the resource classes that wrap both.
//!
//! The library must have its symbols, as a debug build does, because they describe the interface.

mod interface;
mod jvm;
mod kotlin;
mod swift;

use anyhow::{Context, Result, bail};
use askama::Template;
use camino::{Utf8Path, Utf8PathBuf};
use std::fs;
use uniffi_bindgen::bindings::{SwiftBindingsOptions, generate_swift_bindings};

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).map(Utf8PathBuf::from).collect();
    let [library, folder] = arguments.as_slice() else {
        bail!("usage: proxymesh-bindgen LIBRARY FOLDER");
    };
    let swift = SwiftBindingsOptions {
        source: library.clone(),
        module_name: Some("ProxyMeshFFI".to_owned()),
        modulemap_filename: Some("module.modulemap".to_owned()),
        ..SwiftBindingsOptions::default()
    };
    generate_swift_bindings(SwiftBindingsOptions {
        generate_headers: true,
        generate_modulemap: true,
        out_dir: folder.join("swift/Sources/ProxyMeshFFI"),
        source: swift.source.clone(),
        module_name: swift.module_name.clone(),
        modulemap_filename: swift.modulemap_filename.clone(),
        ..SwiftBindingsOptions::default()
    })
    .context("the C module for Swift")?;
    generate_swift_bindings(SwiftBindingsOptions {
        generate_swift_sources: true,
        out_dir: folder.join("swift/Sources/ProxyMeshInternal"),
        ..swift
    })
    .context("Swift")?;
    let of_jvm = folder.join("kotlin/native/src/main/kotlin/generated");
    fs::create_dir_all(&of_jvm)?;
    fs::write(of_jvm.join("Interface.kt"), jvm::Interface::of(library)?.render()?)?;
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
    let resources = interface::resources(library)?;
    fs::write(of_kotlin_tests.join("Calls.kt"), kotlin::Calls { resources: &resources }.render()?)?;
    fs::write(of_swift_tests.join("Calls.swift"), swift::Calls { resources: &resources }.render()?)?;
    for resource in &resources {
        let name = interface::pascal(resource.name);
        fs::write(of_kotlin.join(format!("{name}.kt")), kotlin::File { resource }.render()?)?;
        let name = swift::type_name(resource.name);
        fs::write(of_swift.join(format!("{name}.swift")), swift::File { resource }.render()?)?;
    }
    Ok(())
}
