//! Probing scripted servers over real sockets.

use std::net::Ipv4Addr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// A server that answers each verb as the script says, and anything else with 250.
/// Returns where it listens, and the lines it will have heard.
async fn server(script: &'static [(&str, &str)]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut heard = Vec::new();
        let answer = |verb: &str| {
            let row = script.iter().find(|(known, _)| *known == verb);
            format!("{}\r\n", row.map_or("250 2.0.0 yes", |(_, answer)| *answer))
        };
        stream.write_all(answer("greeting").as_bytes()).await.unwrap();
        let mut line = String::new();
        while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
            let verb = line.split_whitespace().next().unwrap_or_default().to_owned();
            heard.push(line.trim_end().to_owned());
            line.clear();
            if stream.write_all(answer(&verb).as_bytes()).await.is_err() || verb == "QUIT" {
                break;
            }
        }
        heard
    });
    (address, heard)
}

const GREETING: (&str, &str) = ("greeting", "220 mx.example.net ready");
const QUIT: (&str, &str) = ("QUIT", "221 2.0.0 bye");

#[tokio::test]
async fn optional_commands_are_told_apart() {
    let (address, heard) = server(&[
        GREETING,
        ("EHLO", "250-mx.example.net\r\n250-SIZE 1000\r\n250 PIPELINING"),
        ("VRFY", "252 2.0.0 send some mail"),
        ("EXPN", "502 5.5.1 off"),
        ("TURN", "500 5.5.2 what"),
        QUIT,
    ])
    .await;
    let probed = probe(address, Options::default(), Clock::start()).await.unwrap();
    let stands: Vec<Stand> = probed.asked.iter().map(|asked| asked.stand).collect();
    assert_eq!(stands, [Stand::Noncommittal, Stand::SwitchedOff, Stand::Unknown]);
    let keywords: Vec<&str> = probed.extensions.iter().map(|e| e.keyword.as_str()).collect();
    assert_eq!(keywords, ["SIZE", "PIPELINING"]);
    assert_eq!(probed.ended, None);
    assert_eq!(heard.await.unwrap().last().unwrap(), "QUIT");
}

#[tokio::test]
async fn a_server_that_takes_turn_is_left_at_once() {
    let (address, heard) = server(&[GREETING, ("TURN", "250 your turn"), QUIT]).await;
    let probed = probe(address, Options::default(), Clock::start()).await.unwrap();
    assert_eq!(probed.asked[2].stand, Stand::Offered);
    assert_eq!(heard.await.unwrap().last().unwrap(), "TURN");
}

#[tokio::test]
async fn a_refusing_greeting_is_the_result_and_no_error() {
    let (address, _heard) = server(&[("greeting", "554 5.7.1 go away"), QUIT]).await;
    let probed = probe(address, Options::default(), Clock::start()).await.unwrap();
    assert!(probed.asked.is_empty());
    assert!(probed.ended_in_english().unwrap().contains("554 5.7.1 go away"));
}

/// Verifies `b@example.net`; what is known, and the commands that were heard.
async fn verified(script: &'static [(&str, &str)]) -> (Known, Vec<String>) {
    let (address, heard) = server(script).await;
    let mailbox: Mailbox = "b@example.net".parse().unwrap();
    let checked =
        verify(address, &mailbox, &ReversePath(None), Options::default(), Clock::start()).await;
    let known = checked.unwrap().last().unwrap().known;
    (known, heard.await.unwrap())
}

#[tokio::test]
async fn vrfy_is_believed_where_it_answers() {
    let (known, heard) = verified(&[GREETING, ("VRFY", "250 2.1.5 <b@example.net>"), QUIT]).await;
    assert_eq!(known, Known::Exists);
    assert!(!heard.iter().any(|line| line.starts_with("RCPT")), "{heard:?}");
    let (known, _) = verified(&[GREETING, ("VRFY", "550 5.1.1 no such user"), QUIT]).await;
    assert_eq!(known, Known::DoesNotExist);
}

#[tokio::test]
async fn where_vrfy_is_off_a_recipient_is_named_and_taken_back() {
    let (known, heard) = verified(&[GREETING, ("VRFY", "502 5.5.1 off"), QUIT]).await;
    assert_eq!(known, Known::Accepted);
    assert!(heard.contains(&"MAIL FROM:<>".to_owned()), "{heard:?}");
    assert!(heard.contains(&"RCPT TO:<b@example.net>".to_owned()), "{heard:?}");
    assert!(heard.contains(&"RSET".to_owned()), "{heard:?}");
    assert!(!heard.contains(&"DATA".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn refusals_of_a_recipient_say_what_is_known() {
    let (known, _) = verified(&[
        GREETING,
        ("VRFY", "252 2.0.0 who knows"),
        ("RCPT", "452 4.2.2 mailbox full"),
        QUIT,
    ])
    .await;
    assert_eq!(known, Known::ExistsUnavailable);
    let (known, _) = verified(&[
        GREETING,
        ("VRFY", "502 5.5.1 off"),
        ("RCPT", "450 4.2.0 greylisted, try again in 300 seconds"),
        QUIT,
    ])
    .await;
    assert_eq!(known, Known::NotKnown);
}

#[test]
fn a_policy_in_an_answer_is_no_answer() {
    let stand = |text: &str| Stand::of(&Reply::parse(text.as_bytes()).unwrap());
    assert_eq!(stand("550 5.1.1 no such user"), Stand::Offered);
    assert_eq!(stand("550 5.7.1 not for you"), Stand::Refused);
    assert_eq!(stand("530 5.7.0 log in first"), Stand::Refused);
    assert_eq!(stand("450 4.7.1 not now"), Stand::Refused);
}
