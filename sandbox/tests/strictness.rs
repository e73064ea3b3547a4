//! What the service refuses. Each refusal says what was wrong.

mod support;

use std::io::ErrorKind;

use serde_json::json;
use support::{Answer, Caller, FORM, started};

#[test]
fn a_path_without_its_slash_is_404_and_says_so() {
    let (_sandbox, parent) = started();
    let answer = parent.get("/api/ips");
    assert_eq!(answer.status, 404);
    assert!(answer.error().contains("The trailing slash is missing: /api/ips/"));
    assert_eq!(parent.post("/api/ip/add", &[("ip", "192.0.2.1")]).status, 404);
}

#[test]
fn an_unknown_path_is_404() {
    let (_sandbox, parent) = started();
    for path in ["/", "/api/", "/api/nothing/", "/API/IPS/", "/api//ips/", "/api/ips/x/"] {
        let answer = parent.get(path);
        let expected = (404, format!("There is nothing at {path}."));
        assert_eq!((answer.status, answer.error()), expected);
    }
}

#[test]
fn a_wrong_method_is_405_and_tells_the_right_one() {
    let (_sandbox, parent) = started();
    for (method, path, allowed) in [
        ("POST", "/api/ips/", "GET"),
        ("HEAD", "/api/ips/", "GET"),
        ("OPTIONS", "/api/ips/", "GET"),
        ("GET", "/api/ip/add/", "POST"),
        ("PUT", "/api/ip/add/", "POST"),
        ("DELETE", "/api/ip/delete/", "POST"),
        ("get", "/api/ips/", "GET"),
    ] {
        let mut connection = parent.connect().unwrap();
        connection.write(method, path, &[("Connection", "close")], b"").unwrap();
        let answer = String::from_utf8(connection.rest().unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{method} {path}: {answer}");
        assert!(answer.contains(&format!("\r\nallow: {allowed}\r\n")), "{answer}");
    }
}

#[test]
fn a_body_that_is_not_form_encoded_is_415() {
    let (_sandbox, parent) = started();
    let post =
        |headers: &[(&str, &str)], body: &[u8]| parent.send("POST", "/api/ip/add/", headers, body).unwrap();
    for content_type in ["application/json", "multipart/form-data; boundary=x", "text/plain", ""] {
        let answer = post(&[("Content-Type", content_type)], b"ip=192.0.2.1");
        assert_eq!(answer.status, 415, "{content_type}");
        assert!(answer.error().contains("must be application/x-www-form-urlencoded"));
    }
    assert_eq!(post(&[], b"ip=192.0.2.1").status, 415);
    // Another content type is refused even if the body is empty.
    assert_eq!(post(&[("Content-Type", "application/json")], b"").status, 415);
    let with_charset = "Application/X-WWW-Form-Urlencoded; charset=utf-8";
    assert_eq!(post(&[("Content-Type", with_charset)], b"ip=192.0.2.1").status, 200);
}

#[test]
fn a_body_of_more_than_64_kib_is_413() {
    let (_sandbox, parent) = started();
    let form = |length: usize| {
        let start = "ip=192.0.2.1&label=";
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    let post = |length| {
        let body = form(length);
        let headers = [("Content-Type", FORM)];
        parent.send("POST", "/api/ip/add/", &headers, body.as_bytes()).unwrap()
    };
    assert_eq!(post(64 * 1024 + 1).status, 413);
    assert_eq!(post(1024 * 1024).status, 413);
    assert_eq!(post(64 * 1024).status, 200);
}

#[test]
fn a_malformed_form_is_400() {
    let (_sandbox, parent) = started();
    for (body, reason) in [
        (&b"ip=192.0.2.1&label=%ff"[..], "not UTF-8"),
        (b"ip=192.0.2.1&label=\xff", "not UTF-8"),
        (b"ip=192.0.2.1&label=100%", "two hexadecimal digits"),
    ] {
        let headers = [("Content-Type", FORM)];
        let answer = parent.send("POST", "/api/ip/add/", &headers, body).unwrap();
        assert_eq!(answer.status, 400);
        assert!(answer.error().contains(reason), "{}", answer.error());
    }
    assert_eq!(parent.get("/api/ips/?username=%zz").status, 400);
}

#[test]
fn an_unknown_parameter_is_400_and_the_error_names_it_and_the_known_ones() {
    let (_sandbox, parent) = started();
    let answer = parent.post("/api/ip/add/", &[("ip", "192.0.2.1"), ("lable", "x")]);
    let reason = "Unknown parameter: this call takes ip, username, label.";
    assert_eq!((answer.status, answer.json()), (400, json!({ "lable": [reason] })));

    let answer = parent.get("/api/hostnames/?username=sub");
    let reason = "Unknown parameter: this call takes none.";
    assert_eq!((answer.status, answer.json()), (400, json!({ "username": [reason] })));

    // The limits have different names in the answer than in the request.
    let form = [("username", "sub"), ("monthly_bandwidth_limit", "5")];
    let answer = parent.post("/api/sub/create/", &form);
    assert!(answer.json().get("monthly_bandwidth_limit").is_some());
    assert_eq!(parent.get("/api/sub/get/?username=sub").status, 404);
}

#[test]
fn every_call_refuses_an_unknown_parameter() {
    let (_sandbox, parent) = started();
    for path in [
        "/api/sub/get/",
        "/api/ips/",
        "/api/ip_labels/",
        "/api/hostnames/",
        "/api/proxies/",
        "/api/tokens/",
        "/api/geoips/open/",
        "/api/geoips/world/",
    ] {
        let answer = parent.get(&format!("{path}?colour=red"));
        assert_eq!((answer.status, answer.json()["colour"].is_array()), (400, true), "{path}");
    }
    for path in [
        "/api/sub/create/",
        "/api/sub/edit/",
        "/api/sub/deactivate/",
        "/api/sub/activate/",
        "/api/sub/delete/",
        "/api/ip/add/",
        "/api/ip/delete/",
        "/api/hostname/add/",
        "/api/hostname/delete/",
        "/api/proxy/add/",
        "/api/proxy/delete/",
        "/api/token/create/",
        "/api/token/deactivate/",
        "/api/token/activate/",
        "/api/token/delete/",
    ] {
        let answer = parent.post(path, &[("colour", "red")]);
        assert_eq!((answer.status, answer.json()["colour"].is_array()), (400, true), "{path}");
    }
}

#[test]
fn a_parameter_given_twice_is_400() {
    let (_sandbox, parent) = started();
    let answer = parent.post("/api/ip/add/", &[("ip", "192.0.2.1"), ("ip", "192.0.2.1")]);
    let reason = "This field was given more than once.";
    assert_eq!((answer.status, answer.json()), (400, json!({ "ip": [reason] })));
}

#[test]
fn a_query_on_a_post_and_a_body_on_a_get_are_400() {
    let (_sandbox, parent) = started();
    let answer = parent.post("/api/ip/add/?ip=192.0.2.1", &[]);
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("must not have a query"));
    let headers = [("Content-Type", FORM)];
    let answer = parent.send("GET", "/api/ips/", &headers, b"username=sub").unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("must not have a body"));
}

#[test]
fn a_missing_required_parameter_is_named() {
    let (_sandbox, parent) = started();
    let required = |name: &str| json!({ name: ["This field is required."] });
    for (path, name) in [
        ("/api/sub/create/", "username"),
        ("/api/sub/edit/", "username"),
        ("/api/sub/deactivate/", "username"),
        ("/api/sub/activate/", "username"),
        ("/api/sub/delete/", "username"),
        ("/api/ip/add/", "ip"),
        ("/api/ip/delete/", "ip"),
        ("/api/hostname/add/", "domain"),
        ("/api/hostname/delete/", "domain"),
        ("/api/proxy/add/", "proxy"),
        ("/api/proxy/delete/", "proxy"),
        ("/api/token/deactivate/", "id"),
        ("/api/token/activate/", "id"),
        ("/api/token/delete/", "id"),
    ] {
        for form in [&[][..], &[(name, "")]] {
            let answer = parent.post(path, form);
            assert_eq!((answer.status, answer.json()), (400, required(name)), "{path}");
        }
    }
    let answer = parent.get("/api/sub/get/");
    assert_eq!((answer.status, answer.json()), (400, required("username")));
}

#[test]
fn all_that_is_wrong_with_a_form_is_reported_at_once() {
    let (_sandbox, parent) = started();
    let answer = parent.post(
        "/api/sub/create/",
        &[
            ("username", "a b"),
            ("password", ""),
            ("first_name", &"x".repeat(21)),
            ("last_name", &"x".repeat(21)),
            ("email", "nonsense"),
            ("monthly_limit", "1.5"),
            ("total_limit", "-1"),
        ],
    );
    assert_eq!(answer.status, 400);
    let too_long = "Enter at most 20 characters, not 21.";
    let expected = json!({
        "username": ["Enter letters, digits and . @ + - _ only."],
        "password": ["The password must not be empty."],
        "first_name": [too_long],
        "last_name": [too_long],
        "email": ["Enter an email address."],
        "monthly_limit": ["Enter a whole number of GB, from 0 to 4294967295."],
        "total_limit": ["Enter a whole number of GB, from 0 to 4294967295."],
    });
    assert_eq!(answer.json(), expected);
}

#[test]
fn invalid_input_is_refused_field_by_field() {
    let (_sandbox, parent) = started();
    let refused = |answer: Answer, name: &str| {
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.json()[name].is_array(), "{}", answer.text());
    };
    let too_long = "x".repeat(101);
    refused(parent.post("/api/ip/add/", &[("ip", "192.0.2.256")]), "ip");
    refused(parent.post("/api/ip/add/", &[("ip", "192.0.2.0/24")]), "ip");
    refused(parent.post("/api/hostname/add/", &[("domain", "a b")]), "domain");
    refused(parent.post("/api/token/create/", &[("label", &too_long)]), "label");
    refused(parent.post("/api/token/create/", &[("expires_at", "2027-02-29")]), "expires_at");
    refused(parent.post("/api/token/create/", &[("expires_at", "")]), "expires_at");
    refused(parent.post("/api/token/delete/", &[("id", "one")]), "id");
    refused(parent.get("/api/ips/?username="), "username");
    refused(parent.get("/api/sub/get/?username=a%20b"), "username");
}

#[test]
fn the_checks_come_in_the_documented_order() {
    let (sandbox, parent) = started();
    let sub = Caller::sub_account(&sandbox, "sub");
    let nobody = Caller::nobody(&sandbox);
    let json = [("Content-Type", "application/json")];
    let large = "x".repeat(65 * 1024);
    let status = |caller: &Caller, method, path, headers: &[_], body: &[u8]| {
        caller.send(method, path, headers, body).unwrap().status
    };
    // path, method, authentication, content type, size, permission, input, the call's own checks
    assert_eq!(status(&nobody, "PUT", "/api/nothing/", &json, b"{}"), 404);
    assert_eq!(status(&nobody, "PUT", "/api/sub/edit/", &json, b"{}"), 405);
    assert_eq!(status(&nobody, "POST", "/api/sub/edit/", &json, b"{}"), 401);
    assert_eq!(status(&sub, "POST", "/api/sub/edit/", &json, large.as_bytes()), 415);
    let form = [("Content-Type", FORM)];
    assert_eq!(status(&sub, "POST", "/api/sub/edit/", &form, large.as_bytes()), 413);
    assert_eq!(status(&sub, "POST", "/api/sub/edit/", &form, b"colour=red"), 403);
    assert_eq!(status(&sub, "POST", "/api/ip/add/", &form, b"username=x&colour=red"), 403);
    assert_eq!(status(&parent, "POST", "/api/sub/edit/", &form, b"username=x&email=x"), 400);
    assert_eq!(status(&parent, "POST", "/api/sub/edit/", &form, b"username=x"), 404);
}

#[test]
fn hostile_bytes_get_a_clean_400_or_a_closed_connection_and_the_next_call_an_answer() {
    let (_sandbox, parent) = started();
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    let long_header = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(1_000_000));
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"GET /api/ips/ HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /api/ip/add/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/ip/add/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /api/ip/add/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nConnection: close\r\n\r\n",
        many_headers.as_bytes(),
        long_header.as_bytes(),
    ] {
        let mut connection = parent.connect().unwrap();
        // The server may close the connection before it has read everything.
        let _ = connection.raw(bytes);
        match connection.rest() {
            Ok(answer) => assert!(
                answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
                "{}",
                String::from_utf8_lossy(&answer),
            ),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    assert_eq!(parent.get("/api/ips/").status, 200);
}

#[test]
fn a_connection_serves_one_call_after_the_other() {
    let (sandbox, parent) = started();
    let mut connection = parent.connect().unwrap();
    for _ in 0..3 {
        assert_eq!(connection.send("GET", "/api/ips/", &[], b"").unwrap().status, 200);
        assert_eq!(connection.send("GET", "/api/x/", &[], b"").unwrap().status, 404);
    }
    assert_eq!(sandbox.open_connections(), 1);
}
