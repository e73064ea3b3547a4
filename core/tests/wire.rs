//! How settings change a request, and the use of connections. The conformance cases cover what each call sends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::Settings;
use support::server::{Answer, Server};

#[test]
fn the_user_agent_can_be_set_and_a_base_url_may_have_a_path() {
    for slash in ["", "/"] {
        let server = Server::always(Answer::new(200, r#"{"ips": []}"#));
        let settings = Settings::new()
            .username(support::USERNAME)
            .password(support::PASSWORD)
            .base_url(format!("{}/behind/a proxy{slash}", server.base_url()))
            .user_agent("my-crawler/2");
        let client = support::blocking(settings);
        client.ips().list().unwrap();
        let request = server.only_request();
        assert_eq!(request.target(), "/behind/a%20proxy/api/ips/");
        assert_eq!(request.header("user-agent"), Some("my-crawler/2"));
    }
}

#[test]
fn calls_that_may_be_repeated_share_a_connection() {
    let server = Server::start(|request| match request.path() {
        "/api/ips/" => Answer::new(200, r#"{"ips": []}"#),
        _ => Answer::new(204, ""),
    });
    let client = support::blocking(support::basic(&server));
    for _ in 0..10 {
        client.ips().list().unwrap();
        client.proxies().delete("us-ca").unwrap();
    }
    assert_eq!((server.count(), server.connections()), (20, 1));
}
