//! A refusal: the number of the call, two bytes of status, `Retry-After` up to the end of the line, the body.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [number, high, low, rest @ ..] = data else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (header, body) = rest.split_at(end);
    let status = 300 + u16::from_be_bytes([*high, *low]) % 700;
    proxymesh::hostile::refused(
        *number,
        status,
        &String::from_utf8_lossy(header),
        body.get(1..).unwrap_or_default(),
    );
});
