//! Servers that do what none should: each ends its own session, in bounded time and memory,
//! with a verdict that neither loses nor bounces the message; the next host takes it.

use super::*;

/// How a peer says what it says.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// At once, whatever it hears; then it listens on.
    AtOnce,
    /// The same, and closes.
    AndCloses,
    /// An octet a minute.
    Dribbles,
    /// Again and again, without an end.
    ForEver,
}

/// A peer that says `octets` and hears whatever it is told.
async fn speaker(octets: Vec<u8>, way: Way) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(speak(stream, octets.clone(), way));
        }
    });
    Endpoint::Tcp { host: "hostile.test".to_owned(), address }
}

async fn speak(stream: tokio::net::TcpStream, octets: Vec<u8>, way: Way) -> std::io::Result<()> {
    let (mut input, mut output) = stream.into_split();
    match way {
        Way::AtOnce | Way::AndCloses => output.write_all(&octets).await?,
        Way::ForEver => loop {
            output.write_all(&octets).await?;
        },
        Way::Dribbles => {
            for octet in octets {
                output.write_all(&[octet]).await?;
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
        }
    }
    if let Way::AndCloses = way {
        output.shutdown().await?;
    }
    tokio::io::copy(&mut input, &mut tokio::io::sink()).await.map(drop)
}

/// What the good host of each test says to everything in one session.
const WILLING: &str = "220 peer.test\r\n250 peer.test\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n";

/// A peer that is willing, but for the reply to lines that begin with `verb`.
async fn willing_but(verb: &'static str, said: &'static str) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, verb, said));
        }
    });
    Endpoint::Tcp { host: "odd.test".to_owned(), address }
}

async fn answer(
    stream: tokio::net::TcpStream,
    verb: &'static str,
    said: &'static str,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 odd.test\r\n").await?;
    let (mut line, mut in_data) = (String::new(), false);
    while stream.read_line(&mut line).await? > 0 {
        let is_end = in_data && line == ".\r\n";
        if !in_data || is_end {
            let usual = if line.starts_with("DATA") { "354 go\r\n" } else { "250 ok\r\n" };
            let reply = if line.starts_with(verb) { said } else { usual };
            in_data = reply.starts_with("354");
            stream.write_all(reply.as_bytes()).await?;
        }
        line.clear();
    }
    Ok(())
}

/// The message stays in the queue, whatever that server did: no ending is a success, and
/// none is a failure for good.
async fn stays(what: &str, endpoint: Endpoint) -> Attempted {
    let attempted = send(&[endpoint], &job(PLAIN, 2)).await;
    for ending in &attempted.endings {
        assert_eq!(ending.verdict.permanence, Permanence::Transient, "{what}: {ending:?}");
    }
    attempted
}

#[tokio::test]
async fn what_is_no_smtp_keeps_the_message_in_the_queue_and_the_next_host_takes_it() {
    let line = |octets: &[u8]| [octets, b"\r\n"].concat();
    let hello = b"220 hi\r\n".to_vec();
    let cases: [(&str, Vec<u8>, Way); 8] = [
        ("a megabyte without an end of line", vec![b'2'; 1 << 20], Way::AtOnce),
        ("a line of a megabyte", line(&[&b"220 "[..], &vec![b'x'; 1 << 20]].concat()), Way::AtOnce),
        ("a megabyte of NULs", vec![0; 1 << 20], Way::AtOnce),
        ("a NUL in the greeting", line(b"220 a\0b"), Way::AndCloses),
        ("a greeting that goes on for ever", line(b"220-and more"), Way::ForEver),
        (
            "an EHLO that goes on for ever",
            [hello, line(b"250-MORE").repeat(100_000)].concat(),
            Way::AtOnce,
        ),
        ("all replies before the commands", WILLING.into(), Way::AtOnce),
        (
            "codes that differ in one reply",
            b"220 hi\r\n250-a\r\n450 b\r\n".to_vec(),
            Way::AndCloses,
        ),
    ];
    for (what, octets, way) in cases {
        let hostile = speaker(octets, way).await;
        stays(what, hostile.clone()).await;
        let (good, heard) = host("good.test", willing).await;
        let attempted = send(&[hostile, good], &job(PLAIN, 2)).await;
        assert_eq!(accepted(&attempted), 2, "{what}");
        assert_eq!(count(&heard, "."), 1, "{what}");
    }
}

/// A reply that takes for ever counts as none: its time began when the command was sent.
#[tokio::test(start_paused = true)]
async fn a_greeting_of_an_octet_a_minute_is_left_when_its_time_is_up() {
    let began = tokio::time::Instant::now();
    let greeting = [&b"220-"[..], &[b'x'; 200], b"\r\n220 hi\r\n"].concat();
    stays("a dribble", speaker(greeting, Way::Dribbles).await).await;
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(300) && waited < Duration::from_secs(400), "{waited:?}");
}

/// Ten minutes are asked for (RFC 5321, section 4.5.3.2.6).
#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_after_354_is_left_and_the_message_stays() {
    let began = tokio::time::Instant::now();
    let silent = willing_but(".", "").await;
    let attempted = stays("silence", silent).await;
    assert!(attempted.reached);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(600) && waited < Duration::from_secs(700), "{waited:?}");
}

/// Whoever has said no and then says yes has said no: what came first counts, and the
/// second is no answer to anything.
#[tokio::test]
async fn a_refusal_that_is_followed_by_a_welcome_is_not_taken_for_one() {
    for verb in ["RCPT", "DATA", "."] {
        stays(verb, willing_but(verb, "450 4.2.0 no\r\n250 2.0.0 yes\r\n").await).await;
    }
    for verb in ["EHLO", "MAIL", "RCPT", "DATA", "."] {
        stays(verb, willing_but(verb, "250-yes\r\n450 no\r\n").await).await;
    }
}

/// The good dialog cut off behind each octet: only the whole reply to the end of the data is
/// a success, and nothing else is ever a failure for good.
#[tokio::test]
async fn a_server_that_closes_at_any_octet_never_has_the_message_by_halves() {
    const REPLIES: &[&str] = &[
        "220 peer.test\r\n",
        "250 peer.test\r\n",
        "250 from\r\n",
        "250 one\r\n",
        "250 two\r\n",
        "354 go\r\n",
        "250 ok\r\n",
    ];
    let whole: usize = REPLIES.iter().map(|reply| reply.len()).sum();
    for end in 0..=whole {
        let attempted = send(&[closing(REPLIES, end).await], &job(PLAIN, 2)).await;
        let expected = if end == whole { 2 } else { 0 };
        assert_eq!(accepted(&attempted), expected, "closed after {end} of {whole} octets");
        if end < whole {
            let transient = |ending: &Ending| ending.verdict.permanence == Permanence::Transient;
            assert!(attempted.endings.iter().all(transient), "{end}: {attempted:?}");
        }
    }
}

/// Says a reply to each line, and closes in the middle of one: behind `left` octets.
async fn closing(replies: &'static [&'static str], left: usize) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(close_after(stream, replies, left).await);
        }
    });
    Endpoint::Tcp { host: "closing.test".to_owned(), address }
}

async fn close_after(
    stream: tokio::net::TcpStream,
    replies: &[&str],
    mut left: usize,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    for reply in replies {
        let said = &reply.as_bytes()[..left.min(reply.len())];
        stream.write_all(said).await?;
        left -= said.len();
        if said.len() < reply.len() {
            return Ok(());
        }
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            // The message itself is answered at its end.
            if reply.starts_with("354") && line != ".\r\n" {
                line.clear();
                continue;
            }
            break;
        }
    }
    Ok(())
}
