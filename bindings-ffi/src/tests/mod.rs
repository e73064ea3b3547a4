//! They are in here because no other crate can link this one (see `crate-type`).

/// Every call that the macro `calls` exported.
fn calls() -> Vec<&'static str> {
    let files = [
        crate::client::CALLS,
        crate::geo::CALLS,
        crate::hostnames::CALLS,
        crate::ips::CALLS,
        crate::proxies::CALLS,
        crate::sub_accounts::CALLS,
        crate::tokens::CALLS,
    ];
    files.concat()
}

#[test]
fn there_are_23_calls_and_the_one_that_panics() {
    assert_eq!(calls().len(), 24);
}
