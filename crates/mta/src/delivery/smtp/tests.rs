//! One job against scripted hosts on loopback: which host, which dialogue, which ending.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};
use queue::retry::RetryOptions;
use reply::{Stage, Timestamp};
use store::table::MemoryTable;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UnixListener};

use super::super::Notifier;
use super::*;

type Heard = Arc<Mutex<Vec<String>>>;

/// What a host says to a command line: `None` closes the connection without a word.
type Script = fn(&str) -> Option<String>;

fn lines(heard: &Heard) -> Vec<String> {
    heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn count(heard: &Heard, start: &str) -> usize {
    lines(heard).iter().filter(|line| line.starts_with(start)).count()
}

async fn host(name: &str, script: Script) -> (Endpoint, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let log = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(converse(stream, script, log.clone()));
        }
    });
    (Endpoint::Tcp { host: name.to_owned(), address }, heard)
}

/// The greeting is the script's answer to an empty line.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Script,
    heard: Heard,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(format!("{}\r\n", script("")?).as_bytes()).await.ok()?;
    let mut in_data = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        if in_data && line != "." {
            continue;
        }
        if let Some(size) = line.strip_prefix("BDAT ") {
            let size = size.split(' ').next().and_then(|size| size.parse().ok());
            let mut chunk = vec![0; size.unwrap_or(0)];
            stream.read_exact(&mut chunk).await.ok()?;
        }
        let said = script(line)?;
        in_data = said.starts_with("354");
        stream.write_all(format!("{said}\r\n").as_bytes()).await.ok()?;
        if line == "QUIT" {
            return None;
        }
    }
}

fn willing(line: &str) -> Option<String> {
    let said = match line.split([' ', ':']).next() {
        Some("") => "220 peer.test ESMTP",
        Some("EHLO" | "LHLO") => "250-peer.test\r\n250 PIPELINING",
        Some("DATA") => "354 go ahead",
        Some("QUIT") => "221 bye",
        _ => "250 fine",
    };
    Some(said.to_owned())
}

fn sender() -> Sender {
    let learned = LearnedStore::new(Arc::new(MemoryTable::default()), &RetryOptions::default());
    Sender {
        options: Options::default(),
        learned,
        clock: Clock::starting_at(Timestamp::from_secs(1_764_000_000)),
        conversions: Arc::new(tokio::sync::Semaphore::new(1)),
        hosts: Arc::new(Mutex::new(Hosts::new(&RetryOptions::default()))),
    }
}

fn job(message: &[u8], recipients: usize) -> Job {
    let recipient = |number: usize| Recipient {
        path: ForwardPath::Mailbox(format!("b{number}@example.net").parse().unwrap()),
        parameters: RecipientParameters::default(),
    };
    Job {
        envelope: Envelope {
            reverse_path: ReversePath(Some("a@example.org".parse().unwrap())),
            mail: MailParameters::default(),
            recipients: (0..recipients).map(recipient).collect(),
        },
        body: Body::in_memory(Arc::new(message.to_vec())),
        from: None,
        destination: "mx:example.net".to_owned(),
        by_dns: false,
        insist: false,
    }
}

const PLAIN: &[u8] = b"Subject: test\r\n\r\nHello.\r\n";

async fn send(endpoints: &[Endpoint], job: &Job) -> Attempted {
    send_by(&sender(), endpoints, job).await
}

async fn send_by(sender: &Sender, endpoints: &[Endpoint], job: &Job) -> Attempted {
    let mut lane = Lane::default();
    let attempted = sender.send(&mut lane, endpoints, job).await;
    lane.close().await;
    attempted
}

fn causes(attempted: &Attempted) -> Vec<Cause> {
    attempted.endings.iter().map(|ending| ending.verdict.cause).collect()
}

fn accepted(attempted: &Attempted) -> usize {
    let positive = |ending: &&Ending| ending.verdict.permanence == Permanence::Positive;
    attempted.endings.iter().filter(positive).count()
}

async fn nobody() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Endpoint::Tcp { host: "dead.test".to_owned(), address: listener.local_addr().unwrap() }
}

#[tokio::test]
async fn the_next_host_takes_what_the_first_could_not() {
    rfc!(5321, "5.1");
    let scripts: [Script; 4] = [
        |_| None,
        |_| Some("554 no service".to_owned()),
        |_| Some("421 4.3.2 busy".to_owned()),
        |line| if line.starts_with("MAIL") { None } else { willing(line) },
    ];
    for script in scripts {
        let (first, _) = host("first.test", script).await;
        let (second, heard) = host("second.test", willing).await;
        let attempted = send(&[nobody().await, first, second], &job(PLAIN, 2)).await;
        assert_eq!(accepted(&attempted), 2);
        assert_eq!(attempted.endings[0].host.as_deref(), Some("second.test"));
        assert_eq!(count(&heard, "RCPT"), 2);
    }
}

#[tokio::test]
async fn a_host_that_goes_away_in_the_middle_is_followed_by_the_next() {
    let scripts: [Script; 2] = [
        |line| if line.starts_with("RCPT") { leaving() } else { willing(line) },
        |line| if line == "DATA" { leaving() } else { willing(line) },
    ];
    for script in scripts {
        let (first, _) = host("first.test", script).await;
        let (second, _) = host("second.test", willing).await;
        let attempted = send(&[first, second], &job(PLAIN, 2)).await;
        assert_eq!(accepted(&attempted), 2);
        assert_eq!(attempted.endings[0].host.as_deref(), Some("second.test"));
    }
}

fn leaving() -> Option<String> {
    Some("421 4.3.2 going down".to_owned())
}

#[tokio::test]
async fn a_host_of_our_own_name_that_dns_led_to_is_a_loop_and_so_are_those_after_it() {
    rfc!(5321, "5.1");
    let ours: Script = |line| match line.split([' ', ':']).next() {
        Some("EHLO") => Some("250-LOCALHOST greets you\r\n250 PIPELINING".to_owned()),
        _ => willing(line),
    };
    let ((us, heard), (backup, unused)) =
        (host("us.test", ours).await, host("backup.test", willing).await);
    let by_dns = Job { by_dns: true, ..job(PLAIN, 1) };
    let attempted = send(&[us.clone(), backup.clone()], &by_dns).await;
    assert_eq!(causes(&attempted), [Cause::RouteUnusable]);
    assert_eq!(attempted.endings[0].verdict.permanence, Permanence::Permanent);
    assert_eq!((count(&heard, "MAIL"), lines(&unused).len()), (0, 0));
    let attempted = send(&[nobody().await, us.clone()], &by_dns).await;
    assert_eq!(causes(&attempted), [Cause::HostUnreachable], "a better host may come back");
    assert_eq!(accepted(&send(&[us], &job(PLAIN, 1)).await), 1, "a route is what it says");
}

#[tokio::test]
async fn a_server_that_takes_one_transaction_a_session_gets_as_many_sessions() {
    let strict: Script = |line| match line.split([' ', ':']).next() {
        Some("EHLO") => Some("250-peer.test\r\n250 LIMITS RCPTMAX=2 MAILMAX=1".to_owned()),
        _ => willing(line),
    };
    let (endpoint, heard) = host("strict.test", strict).await;
    let attempted = send(&[endpoint], &job(PLAIN, 5)).await;
    assert_eq!(accepted(&attempted), 5);
    assert_eq!((count(&heard, "EHLO"), count(&heard, "MAIL"), count(&heard, "RCPT")), (3, 3, 5));
}

#[tokio::test]
async fn a_reply_to_a_recipient_ends_the_attempt() {
    let (first, _) = host("first.test", |line| match line.starts_with("RCPT") {
        true => Some("450 4.2.0 try again later".to_owned()),
        false => willing(line),
    })
    .await;
    let (second, heard) = host("second.test", willing).await;
    let attempted = send(&[first, second], &job(PLAIN, 1)).await;
    assert_eq!((accepted(&attempted), lines(&heard).len()), (0, 0));
    assert_eq!(attempted.endings[0].stage, Some(Stage::Rcpt));
    assert!(attempted.reached);
}

#[tokio::test]
async fn after_an_end_of_data_without_a_reply_nobody_else_is_tried() {
    let (first, _) =
        host("first.test", |line| if line == "." { None } else { willing(line) }).await;
    let (second, heard) = host("second.test", willing).await;
    let attempted = send(&[first, second], &job(PLAIN, 1)).await;
    assert_eq!(causes(&attempted), [Cause::ConnectionLost]);
    assert_eq!(attempted.endings[0].verdict.permanence, Permanence::Transient);
    assert_eq!(lines(&heard).len(), 0, "the first may have it");
}

#[tokio::test]
async fn where_no_host_can_be_used_a_transient_reason_outweighs_a_permanent_one() {
    let (refusing, _) = host("no.test", |_| Some("554 no service".to_owned())).await;
    let attempted = send(&[refusing.clone(), nobody().await], &job(PLAIN, 1)).await;
    assert_eq!(attempted.endings[0].verdict.permanence, Permanence::Transient);
    assert!(!attempted.reached);
    let attempted = send(&[nobody().await, refusing.clone()], &job(PLAIN, 1)).await;
    assert_eq!(attempted.endings[0].verdict.permanence, Permanence::Transient);
    let attempted = send(&[refusing], &job(PLAIN, 1)).await;
    assert_eq!(attempted.endings[0].verdict.permanence, Permanence::Permanent);
    assert_eq!(causes(&send(&[], &job(PLAIN, 1)).await), [Cause::HostUnreachable]);
}

#[tokio::test]
async fn recipients_that_are_too_many_follow_in_the_next_transaction() {
    // Takes three recipients a transaction.
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let (endpoint, heard) = host("peer.test", |line| {
        if line.starts_with("MAIL") {
            TAKEN.store(0, Relaxed);
        }
        match line.starts_with("RCPT") && TAKEN.fetch_add(1, Relaxed) >= 3 {
            true => Some("452 4.5.3 Too many recipients".to_owned()),
            false => willing(line),
        }
    })
    .await;
    let attempted = send(&[endpoint], &job(PLAIN, 8)).await;
    assert_eq!(accepted(&attempted), 8, "{:?}", causes(&attempted));
    assert_eq!((count(&heard, "MAIL"), count(&heard, "EHLO")), (3, 1));
}

#[tokio::test]
async fn a_recipient_that_never_fits_waits() {
    let (endpoint, heard) = host("peer.test", |line| match line.contains("b1@") {
        true => Some("552 too many recipients".to_owned()),
        false => willing(line),
    })
    .await;
    let attempted = send(&[endpoint], &job(PLAIN, 2)).await;
    assert_eq!(accepted(&attempted), 1);
    assert_eq!(causes(&attempted)[1], Cause::TooManyRecipients);
    assert!(count(&heard, "MAIL") <= 2);
}

#[tokio::test]
async fn transactions_keep_to_the_limit_that_the_server_names() {
    rfc!(9422, "3");
    let (endpoint, heard) = host("peer.test", |line| match line.starts_with("EHLO") {
        true => Some("250-peer.test\r\n250 LIMITS MAILMAX=9 RCPTMAX=4".to_owned()),
        false => willing(line),
    })
    .await;
    let attempted = send(&[endpoint], &job(PLAIN, 10)).await;
    assert_eq!((accepted(&attempted), count(&heard, "MAIL")), (10, 3));
}

#[tokio::test]
async fn a_transaction_in_which_all_are_refused_does_not_keep_the_others_waiting() {
    let (endpoint, heard) = host("peer.test", |line| match line {
        line if line.starts_with("EHLO") => {
            Some("250-peer.test\r\n250 LIMITS RCPTMAX=2".to_owned())
        }
        line if line.contains("b0@") || line.contains("b1@") => Some("550 5.1.1 no".to_owned()),
        line => willing(line),
    })
    .await;
    let attempted = send(&[endpoint], &job(PLAIN, 5)).await;
    assert_eq!((accepted(&attempted), count(&heard, "MAIL")), (3, 3));
}

#[tokio::test]
async fn eight_bit_mail_is_converted_where_it_must_be() {
    rfc!(6152, "3");
    let message = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                   Content-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n";
    let (old, heard) = host("old.test", willing).await;
    assert_eq!(accepted(&send(&[old], &job(message.as_bytes(), 1)).await), 1);
    assert!(lines(&heard).iter().any(|line| line.contains("Gr=C3=BC=C3=9Fe")), "{heard:?}");
    let (new, heard) = host("new.test", |line| match line.starts_with("EHLO") {
        true => Some("250-peer.test\r\n250 8BITMIME".to_owned()),
        false => willing(line),
    })
    .await;
    assert_eq!(accepted(&send(&[new], &job(message.as_bytes(), 1)).await), 1);
    assert!(lines(&heard).iter().any(|line| line == "Grüße"));
    assert_eq!(count(&heard, "MAIL FROM:<a@example.org> BODY=8BITMIME"), 1);
}

#[tokio::test]
async fn what_needs_smtputf8_does_not_go_where_it_is_not_offered() {
    rfc!(6531, "3.2");
    rfc!(6531, "3.5");
    let (endpoint, heard) = host("old.test", willing).await;
    let mut job = job("Subject: Grüße\r\n\r\nHello.\r\n".as_bytes(), 1);
    job.envelope.mail.smtputf8 = true;
    let attempted = send(&[endpoint], &job).await;
    assert_eq!(causes(&attempted), [Cause::Utf8NotSupported]);
    assert_eq!(attempted.endings[0].verdict.permanence, Permanence::Permanent);
    assert_eq!(count(&heard, "MAIL"), 0);
}

/// A message whose header is ASCII, with `part` in it.
fn multipart(part: &str) -> Vec<u8> {
    let head = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    format!("{head}{part}\r\n--b--\r\n").into_bytes()
}

#[tokio::test]
async fn a_part_with_a_utf8_header_goes_only_where_smtputf8_is_offered() {
    rfc!(6531, "3.2");
    rfc!(6531, "3.5");
    rfc!(6531, "3.4");
    let eight = |line: &str| match line.starts_with("EHLO") {
        true => Some("250-peer.test\r\n250 8BITMIME".to_owned()),
        false => willing(line),
    };
    let utf8 = |line: &str| match line.starts_with("EHLO") {
        true => Some("250-peer.test\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned()),
        false => willing(line),
    };
    let hidden = multipart("Content-Type: text/plain; name=Grüße\r\n\r\nHello.");
    let mut job = job(&hidden, 1);
    job.envelope.mail.smtputf8 = true;
    let (old, heard) = host("old.test", eight).await;
    assert_eq!(causes(&send(&[old], &job).await), [Cause::Utf8NotSupported]);
    assert_eq!(count(&heard, "MAIL"), 0);
    let (new, heard) = host("new.test", utf8).await;
    assert_eq!(accepted(&send(&[new], &job).await), 1);
    assert_eq!(count(&heard, "MAIL FROM:<a@example.org> BODY=8BITMIME SMTPUTF8"), 1);
    let (old, heard) = host("old.test", eight).await;
    job.body = Body::in_memory(Arc::new(multipart("Content-Type: text/plain\r\n\r\nGrüße")));
    assert_eq!(accepted(&send(&[old], &job).await), 1);
    assert_eq!(count(&heard, "MAIL FROM:<a@example.org> BODY=8BITMIME"), 1);
}

#[tokio::test]
async fn what_is_signed_is_not_converted_and_the_host_is_named() {
    rfc!(6152, "3");
    rfc!(3461, "6.3");
    let signed = "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nGrüße\r\n--c--";
    let (old, heard) = host("old.test", willing).await;
    let attempted = send(&[old], &job(&multipart(signed), 1)).await;
    assert_eq!(causes(&attempted), [Cause::ConversionNeeded]);
    assert_eq!(attempted.endings[0].host.as_deref(), Some("old.test"));
    assert_eq!(count(&heard, "MAIL"), 0);
}

#[tokio::test]
async fn lmtp_delivers_where_smtp_relays() {
    rfc!(3461, "5.2.3");
    let (endpoint, _) = host("peer.test", willing).await;
    let relayed = send(&[endpoint], &job(PLAIN, 1)).await;
    assert_eq!(relayed.endings[0].notifier, Notifier::UsOfRelaying);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lmtp.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        converse(stream, willing, Heard::default()).await
    });
    let delivered = send(&[Endpoint::Unix(path)], &job(PLAIN, 1)).await;
    assert_eq!(accepted(&delivered), 1);
    assert_eq!(delivered.endings[0].notifier, Notifier::UsOfDelivery);
}

#[tokio::test]
async fn a_host_without_ehlo_is_greeted_by_helo_and_remembered() {
    let (endpoint, heard) = host("old.test", |line| match line.starts_with("EHLO") {
        true => Some("502 5.5.1 not implemented".to_owned()),
        false => willing(line),
    })
    .await;
    let sender = sender();
    for _ in 0..2 {
        let attempted = send_by(&sender, std::slice::from_ref(&endpoint), &job(PLAIN, 1)).await;
        assert_eq!(accepted(&attempted), 1);
    }
    assert_eq!((count(&heard, "EHLO"), count(&heard, "HELO")), (1, 2));
}

#[tokio::test]
async fn chunking_that_is_listed_and_refused_falls_back_to_data_at_once() {
    let (endpoint, heard) = host("odd.test", |line| match line.split(' ').next() {
        Some("EHLO") => Some("250-peer.test\r\n250 CHUNKING".to_owned()),
        Some("BDAT") => Some("502 5.5.1 not implemented".to_owned()),
        _ => willing(line),
    })
    .await;
    let sender = sender();
    for expected in [1, 1] {
        let attempted = send_by(&sender, std::slice::from_ref(&endpoint), &job(PLAIN, 1)).await;
        assert_eq!(accepted(&attempted), 1, "{:?}", attempted.endings);
        assert_eq!(count(&heard, "BDAT"), expected, "it is remembered");
    }
    assert_eq!(count(&heard, "DATA"), 2);
}

#[tokio::test]
async fn a_lane_keeps_its_connection_and_replaces_one_that_died() {
    let (endpoint, heard) = host("peer.test", willing).await;
    let (sender, mut lane) = (sender(), Lane::default());
    for _ in 0..3 {
        let attempted =
            sender.send(&mut lane, std::slice::from_ref(&endpoint), &job(PLAIN, 1)).await;
        assert_eq!(accepted(&attempted), 1);
    }
    assert_eq!((count(&heard, "EHLO"), count(&heard, "MAIL")), (1, 3));
    lane.close().await;
    assert_eq!(count(&heard, "QUIT"), 1);
    // This one hangs up at the second message of its first connection.
    static MAILS: AtomicUsize = AtomicUsize::new(0);
    let (endpoint, heard) = host("curt.test", |line| match line.starts_with("MAIL") {
        true if MAILS.fetch_add(1, Relaxed) == 1 => None,
        _ => willing(line),
    })
    .await;
    let endpoints = [endpoint];
    assert_eq!(accepted(&sender.send(&mut lane, &endpoints, &job(PLAIN, 1)).await), 1);
    assert_eq!(accepted(&sender.send(&mut lane, &endpoints, &job(PLAIN, 1)).await), 1);
    assert_eq!((count(&heard, "EHLO"), count(&heard, "MAIL")), (2, 3));
    lane.close().await;
}

#[tokio::test]
async fn lmtp_gives_each_recipient_its_own_ending() {
    rfc!(2033, "5");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lmtp.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let heard = Heard::default();
    let log = heard.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let script: Script = |line| match line {
            "." => Some("250 2.0.0 taken\r\n452 4.2.2 mailbox full".to_owned()),
            line => willing(line),
        };
        converse(stream, script, log).await
    });
    let attempted = send(&[Endpoint::Unix(path)], &job(PLAIN, 2)).await;
    let permanences: Vec<Permanence> =
        attempted.endings.iter().map(|ending| ending.verdict.permanence).collect();
    assert_eq!(permanences, [Permanence::Positive, Permanence::Transient]);
    assert_eq!(count(&heard, "LHLO"), 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_goes_to_nobody() {
    struct Broken;
    impl super::super::body::ReadMessage for Broken {
        fn read_at(&self, _: queue::QueueId, _: u64, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("damaged"))
        }
    }
    let (endpoint, heard) = host("peer.test", willing).await;
    let id = queue::QueueId::from_number(1).unwrap();
    let body = Body::queued(Arc::new(Broken), id, 100);
    let attempted = send(&[endpoint], &Job { body, ..job(PLAIN, 1) }).await;
    assert_eq!(causes(&attempted), [Cause::ServerFault]);
    assert_eq!(attempted.endings[0].verdict.permanence, Permanence::Transient);
    assert_eq!(count(&heard, "."), 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_nothing_is_left_when_its_time_is_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = Endpoint::Tcp { host: "silent.test".to_owned(), address };
    let began = tokio::time::Instant::now();
    let attempted = send(&[silent], &job(PLAIN, 1)).await;
    assert_eq!(causes(&attempted), [Cause::ConnectionLost]);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(300) && waited < Duration::from_secs(330), "{waited:?}");
    drop(listener);
}

mod hostile;
