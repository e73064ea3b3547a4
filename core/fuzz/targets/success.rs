//! The body of a successful response. The first byte is the number of the call.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((number, body)) = data.split_first() {
        proxymesh::hostile::success(*number, body);
    }
});
