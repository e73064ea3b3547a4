//! Text that a caller passes.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| proxymesh::hostile::input(text));
