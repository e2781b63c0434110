//! Clients that speak slowly, too much, or not at all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use secondpost_web::{Patience, Site};

use crate::server::Server;

/// A site that waits for nobody.
fn hasty() -> Server {
    let soon = Duration::from_millis(200);
    let mut site = Site::new(Some("https://replies.test".into()));
    site.patience = Patience { head: soon, body: soon, connection: 5 * soon, last: soon };
    Server::start_site(site)
}

/// What comes until the server hangs up.
fn rest(mut stream: TcpStream) -> String {
    let mut octets = Vec::new();
    // A reset is an end as well.
    drop(stream.read_to_end(&mut octets));
    String::from_utf8_lossy(&octets).into_owned()
}

#[test]
fn a_client_that_never_ends_its_request_is_hung_up_on() {
    let server = hasty();
    let mut silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"GET /en/ HTTP/1.1\r\nHost: x\r\n").unwrap();
    silent.write_all(b"").unwrap();
    // Both would wait for longer than the test may if nobody hung up.
    assert_eq!(rest(silent), "");
    assert!(!rest(slow).contains("200 OK"));
}

#[test]
fn a_connection_is_used_again_and_does_not_stay_open_for_nothing() {
    let server = hasty();
    let mut stream = server.connect();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all((get("/en/") + &get("/de/") + &get("/fr/")).as_bytes()).unwrap();
    let told = rest(stream);
    let answers: Vec<usize> =
        ["en", "de", "fr"].map(|tag| told.find(&format!("<html lang=\"{tag}\">")).unwrap()).into();
    assert!(answers.is_sorted(), "{answers:?}");
}

#[test]
fn a_body_that_does_not_come_is_answered_in_the_readers_language() {
    let server = hasty();
    for (path, kind, status) in [
        ("/de/explain", "application/x-www-form-urlencoded", "text/html"),
        ("/api/v1/explain?lang=de", "text/plain", "application/problem+json"),
    ] {
        let mut stream = server.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 9\r\n\r\n4"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let told = rest(stream);
        assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
        assert!(told.contains(status) && told.contains("zu lange gedauert"), "{told}");
    }
}

#[test]
fn a_head_that_is_too_long_is_answered_in_the_readers_language() {
    let server = hasty();
    let long = "x".repeat(20 * 1024);
    let german = "Accept-Language: de\r\n";
    let answer = server.get(&format!("/search?q={long}"), german);
    assert_eq!(answer.status, 414);
    assert!(answer.body.contains("Die Adresse ist zu lang"), "{}", answer.body);
    let answer = server.get(&format!("/api/v1/explain?lang=de&text={long}"), "");
    assert_eq!((answer.status, answer.field("content-language")), (414, Some("de")));
    let answer = server.get("/en/", &format!("{german}Cookie: {long}{long}\r\n"));
    assert_eq!(answer.status, 431);
    assert!(answer.body.contains("<html lang=\"en\">"), "{}", answer.body);
    // What does not even fit into the buffer is refused all the same.
    let answer = server.get("/en/", &format!("Cookie: {}\r\n", long.repeat(4)));
    assert!(matches!(answer.status, 431 | 0), "{}", answer.status);
}

#[test]
fn whatever_is_not_answered_says_so_on_a_page() {
    let server = Server::start();
    for (request, status) in [
        ("DELETE /de/codes/450", 405),
        ("PUT /de/explain", 405),
        ("POST /de/search", 405),
        ("GET /de/gremlins", 404),
        ("GET /assets/gremlins.css", 404),
        ("POST /robots.txt", 405),
    ] {
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\nAccept-Language: de\r\n");
        let answer = server.send(head.as_bytes(), b"");
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.field("content-language"), Some("de"), "{request}");
        assert!(answer.body.contains("<html lang=\"de\">"), "{request}");
        assert_eq!(answer.field("allow").is_some(), status == 405, "{request}");
    }
}

#[test]
fn a_text_that_is_too_big_is_told_so_however_it_comes() {
    let server = Server::start();
    let form = format!("text={}", "x".repeat(5 * 1024 * 1024));
    let kind = "application/x-www-form-urlencoded";
    let answer = server.post("/de/explain", kind, form.as_bytes());
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("4 MB"), "{}", answer.body);
}
