//! A text that a caller gives.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| proxymesh::hostile::input(text));
