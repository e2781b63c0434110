//! `probe` and `verify` against a scripted server on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::secondpost;

/// Answers one connection: each verb as the script says, else 250.
fn server(script: &'static [(&str, &str)]) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut output = stream.try_clone().unwrap();
        let mut say = |verb: &str| {
            let row = script.iter().find(|(known, _)| *known == verb);
            let answer = row.map_or("250 2.0.0 yes", |(_, answer)| *answer);
            output.write_all(format!("{answer}\r\n").as_bytes()).is_ok()
        };
        say("greeting");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let verb = line.split_whitespace().next().unwrap_or_default().to_uppercase();
            if !say(&verb) || verb == "QUIT" {
                break;
            }
        }
    });
    (address, thread)
}

const GREETING: (&str, &str) = ("greeting", "220 mx.example.net ready");
const EHLO: (&str, &str) = ("EHLO", "250-mx.example.net\r\n250-SIZE 1000\r\n250 X-OTHER");

#[test]
fn probe_explains_what_is_offered_and_tells_the_optional_commands_apart() {
    let script = &[
        GREETING,
        EHLO,
        ("VRFY", "252 2.0.0 send some mail"),
        ("EXPN", "502 5.5.1 off"),
        ("TURN", "500 5.5.2 what"),
        ("QUIT", "221 bye"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let (address, thread) = server(script);
    let ended = secondpost(dir.path(), &["probe", &address], b"");
    thread.join().unwrap();
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    for part in ["220 mx.example.net ready", "largest message", "not known here", "noncommittal"] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    assert!(ended.out.lines().all(|line| line.chars().count() <= 80), "{}", ended.out);
    let (address, thread) = server(script);
    let json = secondpost(dir.path(), &["probe", &address, "--json"], b"").out;
    thread.join().unwrap();
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(told["commands"]["vrfy"]["stand"], "noncommittal");
    assert_eq!(told["commands"]["expn"]["stand"], "switched-off");
    assert_eq!(told["commands"]["turn"]["stand"], "unknown");
    assert_eq!(told["extensions"][0]["keyword"], "SIZE");
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &["probe", "127.0.0.1:1"], b"");
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("error: `127.0.0.1:1` cannot be reached"), "{}", ended.err);
    assert_eq!(secondpost(dir.path(), &["probe", "a b"], b"").status, 2);
}

#[test]
fn verify_says_what_is_known_and_how_sure_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let verify = |script: &'static [(&str, &str)]| {
        let (address, thread) = server(script);
        let args = ["verify", "b@example.net", "--host", &address, "--json"];
        let ended = secondpost(dir.path(), &args, b"");
        thread.join().unwrap();
        let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        (ended.status, told["known"].as_str().unwrap().to_owned(), told)
    };
    let off = verify(&[GREETING, EHLO, ("VRFY", "502 5.5.1 off"), ("QUIT", "221 bye")]);
    assert_eq!((off.0, off.1.as_str()), (0, "accepted"));
    assert_eq!(off.2["steps"][0]["stage"], "VRFY");
    assert_eq!(off.2["steps"][0]["verdict"]["cause"], "command-not-implemented");
    assert_eq!(off.2["steps"][1]["stage"], "RCPT");
    let unknown = verify(&[GREETING, EHLO, ("VRFY", "550 5.1.1 no such user"), ("QUIT", "221 x")]);
    assert_eq!((unknown.0, unknown.1.as_str()), (1, "does-not-exist"));
}

#[test]
fn a_test_message_needs_a_daemon_and_a_sender() {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &["verify", "b@example.net", "--send-test"], b"");
    assert_eq!(ended.status, 2);
    let args = ["verify", "b@example.net", "--send-test", "--from", "a@example.org"];
    let ended = secondpost(dir.path(), &args, b"");
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("error: no daemon is running"), "{}", ended.err);
}
