//! Whatever arrives, the sandbox responds or closes the connection. It never panics.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::test_runner::TestRunner;
use proptest::{collection::vec, prelude::*, sample};
use proxymesh_sandbox::Sandbox;
use support::hostile::{REQUESTS, survives};

/// How many panics there were, on any thread. A panic in a task would otherwise go unnoticed.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// A request with some of its bytes overwritten, and then cut or repeated.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let bytes = vec((any::<sample::Index>(), any::<u8>()), 0..4);
    (sample::select(REQUESTS.to_vec()), bytes, any::<sample::Index>(), 1..3usize).prop_map(
        |(request, bytes, end, times)| {
            let mut request = request.to_vec();
            for (at, byte) in bytes {
                let at = at.index(request.len());
                request[at] = byte;
            }
            let end = end.index(2 * request.len());
            request.truncate(end);
            request.repeat(times)
        },
    )
}

#[test]
fn any_bytes_get_a_clean_answer_or_a_close() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        before(panic);
    }));
    let sandbox = Sandbox::start().unwrap();
    let config = ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() };
    let any = prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => damaged()];
    TestRunner::new(config)
        .run(&any, |bytes| {
            survives(&sandbox, &bytes);
            Ok(())
        })
        .unwrap();
    for request in REQUESTS {
        survives(&sandbox, request);
    }
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}
