//! `proxymesh-bindgen LIBRARY FOLDER`: writes the Kotlin and Swift that call the library, as they stand in `bindings-ffi/`.
//!
//! The library must have its symbols, as the debug build does: the interface is described in them.

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use uniffi_bindgen::bindings::{
    GenerateOptions, SwiftBindingsOptions, TargetLanguage, generate, generate_swift_bindings,
};

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).map(Utf8PathBuf::from).collect();
    let [library, folder] = arguments.as_slice() else {
        bail!("usage: proxymesh-bindgen LIBRARY FOLDER");
    };
    generate(GenerateOptions {
        languages: vec![TargetLanguage::Kotlin],
        source: library.clone(),
        out_dir: folder.join("kotlin/native/src/main/kotlin"),
        ..GenerateOptions::default()
    })
    .context("Kotlin")?;
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
    .context("Swift")
}
