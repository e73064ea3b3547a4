//! A panic inside a call is an error of that call alone. Every exported call goes through `run`.

use super::{
    asynchronous, basic, blocking, failure,
    server::{Answer, Server},
    wait,
};
use crate::Failure;

const TEXT: &str = "internal error in the ProxyMesh library, please report it: panic: provoked by a test";

#[test]
fn the_async_client_still_works_after_a_panic() {
    let server = Server::always(Answer::new(200, r#"{"ips": []}"#));
    let client = asynchronous(basic(server.base_url()));
    for _ in 0..3 {
        let failure = failure(wait(client.run::<()>("proxies_delete", |_| panic!("provoked by a test"))));
        assert!(matches!(&failure, Failure::Internal { text } if text == TEXT), "{failure:?}");
        assert_eq!(failure.to_string(), TEXT);
    }
    wait(client.ips_list(None)).unwrap();
    assert_eq!(server.count(), 1);
}

#[test]
fn the_blocking_client_still_works_after_a_panic() {
    let server = Server::always(Answer::new(200, r#"{"ips": []}"#));
    let client = blocking(basic(server.base_url()));
    for _ in 0..3 {
        let failure = failure(client.run::<()>(|_| panic!("provoked by a test")));
        assert!(matches!(&failure, Failure::Internal { text } if text == TEXT), "{failure:?}");
    }
    client.ips_list(None).unwrap();
    assert_eq!(server.count(), 1);
}
