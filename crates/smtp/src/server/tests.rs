//! The session as a client sees it: byte for byte, in pieces of every size.

use std::sync::Arc;
use std::time::Duration;

use reply::{Timestamp, catalogue};

use super::*;

/// A proof for tests: they have no spool.
#[derive(Debug)]
struct Stored;

impl Proof for Stored {
    fn queue_id(&self) -> String {
        "id1".into()
    }
}

fn options() -> Options {
    Options::new("mx.test", Protocol::Smtp)
}

/// What a session said, and the messages that it accepted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    said: String,
    messages: Vec<String>,
    closed: bool,
}

/// The policy of the tests: local parts that begin with `no` or `later` are refused.
fn decide(query: &Query) -> Decision {
    match query {
        Query::Recipient { path, .. } if path.to_string().starts_with("no") => {
            Decision::Refuse(catalogue::mailbox_unknown(path))
        }
        Query::Recipient { path, .. } if path.to_string().starts_with("later") => {
            Decision::Refuse(catalogue::mailbox_busy(path))
        }
        _ => Decision::Proceed,
    }
}

struct Shell {
    session: Session<Stored>,
    heard: Heard,
    draft: Option<Vec<u8>>,
}

impl Shell {
    fn new(options: Options) -> Shell {
        let session = Session::new(Arc::new(options), Timestamp::EPOCH);
        let mut shell = Shell { session, heard: Heard::default(), draft: None };
        shell.steps();
        shell
    }

    fn steps(&mut self) {
        loop {
            match self.session.poll() {
                Step::Receive => return,
                Step::Close => {
                    self.heard.closed = true;
                    return;
                }
                Step::Send(octets) => self.heard.said.push_str(&String::from_utf8(octets).unwrap()),
                Step::Ask(query) => self.session.resume(decide(&query)),
                Step::MessageBegin(_) => {
                    assert!(self.draft.is_none());
                    self.draft = Some(Vec::new());
                    self.session.message_begun(Ok(()));
                }
                Step::MessageData(octets) => self.draft.as_mut().unwrap().extend_from_slice(octets),
                Step::MessageEnd(facts) => {
                    let message = self.draft.take().unwrap();
                    assert_eq!(facts.octets, message.len() as u64);
                    self.heard.messages.push(String::from_utf8_lossy(&message).into_owned());
                    self.session.message_ended(Ended::Accepted(Stored));
                }
                Step::MessageAbort => assert!(self.draft.take().is_some()),
            }
        }
    }

    fn hear(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() && !self.heard.closed {
            let used = self.session.receive(octets, Timestamp::EPOCH);
            octets = &octets[used..];
            self.steps();
        }
    }
}

fn run(options: &Options, wire: &[u8], piece: usize) -> Heard {
    let mut shell = Shell::new(options.clone());
    wire.chunks(piece).for_each(|piece| shell.hear(piece));
    shell.heard
}

/// The codes that answer `wire`, and the messages; the same for pieces of every size.
fn check_with(options: &Options, wire: &str, codes: &str, messages: &[&str]) {
    let whole = run(options, wire.as_bytes(), wire.len().max(1));
    for piece in 1..wire.len().min(40) {
        let pieces = run(options, wire.as_bytes(), piece);
        assert_eq!(pieces, whole, "by {piece}");
    }
    let last = |line: &&str| line.as_bytes().get(3) == Some(&b' ');
    let said: Vec<&str> = whole.said.lines().filter(last).map(|line| &line[..3]).collect();
    assert_eq!(said.join(" "), codes, "{}", whole.said);
    assert_eq!(whole.messages, messages);
}

fn check(wire: &str, codes: &str, messages: &[&str]) {
    check_with(&options(), wire, codes, messages);
}

#[test]
fn a_transaction_is_accepted() {
    check(
        "EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@mx.test>\r\nDATA\r\n\
         Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
        "220 250 250 250 354 250 221",
        &["Subject: x\r\n\r\n.dot\r\n"],
    );
}

#[test]
fn replies_to_a_pipelined_group_leave_together() {
    rfc!(2920, "3.2");
    let mut shell = Shell::new(options());
    shell.hear(b"EHLO c.test\r\n");
    shell.heard.said.clear();
    let group = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<no@mx.test>\r\nRCPT TO:<c@mx.test>\r\nDATA\r\n";
    let mut sent = 0;
    let mut rest = &group[..];
    while !rest.is_empty() {
        let used = shell.session.receive(rest, Timestamp::EPOCH);
        rest = &rest[used..];
        let before = shell.heard.said.len();
        shell.steps();
        sent += usize::from(shell.heard.said.len() > before);
    }
    assert_eq!(sent, 1, "{}", shell.heard.said);
    assert_eq!(shell.heard.said.lines().count(), 4);
}

#[test]
fn commands_out_of_sequence_are_503() {
    rfc!(5321, "3.3");
    rfc!(5321, "4.1.4");
    check("MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n", "220 503 503 503", &[]);
    let wire = "EHLO c\r\nDATA\r\nRCPT TO:<a@b.test>\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\n";
    check(wire, "220 250 503 503 250 503 503", &[]);
    check("HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<no@b.test>\r\nDATA\r\n", "220 250 250 550 554", &[]);
}

#[test]
fn known_commands_that_are_not_offered_are_502_and_unknown_words_500() {
    check(
        "VRFY a\r\nEXPN b\r\nTURN\r\nSOML\r\nETRN x\r\nSTARTTLS\r\nAUTH PLAIN\r\nXYZZY\r\n\r\n",
        "220 502 502 502 502 502 502 502 500 500",
        &[],
    );
}

#[test]
fn arguments_where_none_belong_are_501() {
    check(
        "DATA x\r\nRSET x\r\nQUIT x\r\nNOOP x\r\nEHLO\r\nHELO a b\r\n",
        "220 501 501 501 250 501 501",
        &[],
    );
}

#[test]
fn http_is_told_so_and_closed() {
    let heard = run(&options(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 100);
    assert!(heard.closed && heard.said.contains("421 4.7.0 "), "{heard:?}");
}

#[test]
fn twenty_errors_in_a_row_end_the_session() {
    let heard = run(&options(), "XYZZY\r\n".repeat(30).as_bytes(), 1000);
    assert_eq!(heard.said.matches("500 ").count(), 20);
    assert!(heard.closed && heard.said.contains("421 4.7.0 "), "{heard:?}");
}

#[test]
fn transient_refusals_never_count_as_errors() {
    let wire =
        format!("HELO c\r\nMAIL FROM:<>\r\n{}QUIT\r\n", "RCPT TO:<later@x.test>\r\n".repeat(50));
    let heard = run(&options(), wire.as_bytes(), 1000);
    assert!(heard.said.ends_with("closing connection\r\n") && heard.said.contains("221 "));
}

#[test]
fn chunks_make_a_message() {
    check(
        "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nBDAT 6\r\na\r\n.\r\nBDAT 3\r\nb\r\nBDAT 0 LAST\r\n",
        "220 250 250 250 250 250 250",
        &["a\r\n.\r\nb\r\n"],
    );
}

#[test]
fn chunks_that_belong_to_nothing_are_swallowed() {
    check(
        "EHLO c\r\nBDAT 6\r\nQUIT\r\nMAIL FROM:<>\r\nRCPT TO:<no@x.test>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
        "220 250 503 250 550 554 250",
        &[],
    );
    let wire =
        "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nBDAT 99999999999999999999\r\nQUIT\r\n";
    check(wire, "220 250 250 250", &[]);
}

#[test]
fn a_message_over_the_limit_is_read_to_its_end_and_refused() {
    let mut options = options();
    options.limits.message_octets = 10;
    let start = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\n";
    check_with(
        &options,
        &format!("{start}DATA\r\n0123456789\r\n\r\n.\r\nNOOP\r\n"),
        "220 250 250 250 354 552 250",
        &[],
    );
    check_with(
        &options,
        &format!("{start}BDAT 12 LAST\r\n0123456789\r\nNOOP\r\n"),
        "220 250 250 250 552 250",
        &[],
    );
    check_with(&options, "EHLO c\r\nMAIL FROM:<> SIZE=11\r\n", "220 250 552", &[]);
}

#[test]
fn bare_line_ends_are_refused_and_never_end_the_data() {
    let start = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nDATA\r\n";
    check(
        &format!("{start}a\n.\r\nMAIL FROM:<x@y.test>\r\n.\r\nNOOP\r\n"),
        "220 250 250 250 354 550 250",
        &[],
    );
    let submission = Options::new("mx.test", Protocol::Submission);
    check_with(
        &submission,
        &format!("{start}a\n.\nb\r\n.\r\n"),
        "220 250 250 250 354 250",
        &["a\r\n.\r\nb\r\n"],
    );
}

#[test]
fn loops_are_cut() {
    let fields = "Received: x\r\n".repeat(101);
    let wire = format!("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nDATA\r\n{fields}\r\n.\r\n");
    check(&wire, "220 250 250 250 354 554", &[]);
}

#[test]
fn lmtp_answers_for_each_recipient() {
    rfc!(2033, "4.2");
    rfc!(2033, "4.3");
    let options = Options::new("mx.test", Protocol::Lmtp);
    check_with(
        &options,
        // A chunk before the last has one reply, the last one for each recipient, and none
        // where there is no recipient (RFC 2033 §4.3).
        "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<no@x.test>\r\nBDAT 2\r\nxxMAIL FROM:<>\r\n\
         RCPT TO:<no@x.test>\r\nBDAT 2 LAST\r\nxxMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\n\
         RCPT TO:<b@x.test>\r\nBDAT 2\r\nxxBDAT 0 LAST\r\nQUIT\r\n",
        "220 250 250 550 503 250 550 250 250 250 250 250 250 221",
        &["xx"],
    );
    check_with(
        &options,
        "EHLO c\r\nLHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<no@x.test>\r\n\
         RCPT TO:<b@x.test>\r\nDATA\r\nx\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<no@x.test>\r\nDATA\r\n",
        "220 500 250 250 250 550 250 354 250 250 250 550 503",
        &["x\r\n"],
    );
}

#[test]
fn silence_ends_a_session() {
    let mut shell = Shell::new(options());
    let deadline = shell.session.poll_timeout().unwrap();
    assert_eq!(deadline, Timestamp::EPOCH + Duration::from_secs(300));
    shell.session.handle_timeout(deadline);
    shell.steps();
    assert!(shell.heard.closed && shell.heard.said.contains("421 4.4.2 "));
}

#[test]
fn a_client_that_waited_for_us_was_not_idle() {
    let mut shell = Shell::new(options());
    let late = shell.session.poll_timeout().unwrap() + Duration::from_secs(60);
    shell.session.handle_timeout(late);
    shell.steps();
    assert!(!shell.heard.closed);
    let again = shell.session.poll_timeout().unwrap();
    assert_eq!(again, late + Duration::from_secs(300));
    shell.session.handle_timeout(again + Duration::from_secs(60));
    shell.steps();
    assert!(shell.heard.closed);
}

#[test]
fn replies_that_may_not_wait_leave_at_once() {
    rfc!(2920, "3.2");
    let mut shell = Shell::new(options());
    for line in ["NOOP", "EHLO c", "VRFY x", "XYZZY", "DATA"] {
        let wire = format!("{line}\r\nRSET\r\n");
        let used = shell.session.receive(wire.as_bytes(), Timestamp::EPOCH);
        assert_eq!(used, line.len() + 2, "{line}");
        shell.heard.said.clear();
        shell.steps();
        assert!(!shell.heard.said.is_empty(), "{line}");
        shell.hear(b"RSET\r\n");
    }
}

#[test]
fn only_addresses_may_be_utf_8() {
    check("EHLO \u{e9}.test\r\nNOOP \u{e9}\r\nHELP \u{e9}\r\n", "220 501 501 501", &[]);
    let wire = "EHLO c\r\nMAIL FROM:<\u{e9}@b.test> SMTPUTF8\r\nRCPT TO:<\u{e9}@x.test>\r\n";
    check(wire, "220 250 250 250", &[]);
    let wire = "EHLO c\r\nMAIL FROM:<\u{e9}@b.test>\r\nMAIL FROM:<>\r\nRCPT TO:<\u{e9}@x.test>\r\n";
    check(wire, "220 250 550 250 553", &[]);
}

#[test]
fn an_early_talker_gets_no_service() {
    let mut options = options();
    options.greet_delay = Some(Duration::from_secs(2));
    let heard = run(&options, b"EHLO c\r\nQUIT\r\n", 100);
    assert!(heard.closed);
    let codes: Vec<&str> = heard.said.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["554", "503", "221"]);
    let mut patient = Shell::new(options);
    patient.session.handle_timeout(Timestamp::from_secs(2));
    patient.steps();
    assert!(patient.heard.said.starts_with("220 "));
}

#[test]
fn shutting_down_says_421_between_commands_and_after_a_message() {
    let mut idle = Shell::new(options());
    idle.session.shut_down();
    idle.steps();
    assert!(idle.heard.closed && idle.heard.said.contains("421 4.3.2 "));

    let mut busy = Shell::new(options());
    busy.hear(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nDATA\r\nx\r\n");
    busy.session.shut_down();
    busy.steps();
    assert!(!busy.heard.closed);
    busy.hear(b".\r\n");
    assert_eq!(busy.heard.messages, ["x\r\n"]);
    assert!(busy.heard.closed && busy.heard.said.contains("421 4.3.2 "));
}

#[test]
fn a_message_that_does_not_end_is_broken_off_with_421() {
    let mut slow = Shell::new(options());
    slow.hear(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nDATA\r\nx\r\n");
    slow.session.shut_down();
    slow.session.break_off();
    slow.steps();
    assert!(slow.heard.messages.is_empty());
    assert!(slow.heard.closed && slow.heard.said.ends_with("try again later\r\n"));
    assert_eq!(slow.heard.said.matches("421 4.3.2 ").count(), 1);
    slow.session.break_off();
    slow.steps();
    assert_eq!(slow.heard.said.matches("421 ").count(), 1);
}

#[test]
fn a_draft_that_fails_is_told_at_the_end() {
    let mut shell = Shell::new(options());
    shell.hear(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nDATA\r\nx\r\n");
    shell.session.message_failed(catalogue::server_full());
    shell.hear(b"y\r\n.\r\nNOOP\r\n");
    assert!(shell.heard.messages.is_empty());
    assert!(shell.heard.said.contains("452 4.3.1 ") && shell.heard.said.ends_with("ok\r\n"));
}

#[test]
fn a_lost_client_leaves_no_draft() {
    rfc!(5321, "4.1.1.10");
    let mut shell = Shell::new(options());
    shell.hear(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nDATA\r\nx\r\n");
    assert!(shell.draft.is_some());
    shell.session.end_of_input();
    shell.steps();
    assert!(shell.draft.is_none() && shell.heard.closed);
}

#[test]
fn long_recipients_fill_a_transaction_before_they_fill_the_memory() {
    let mut shell = Shell::new(options());
    shell.hear(b"EHLO c\r\nMAIL FROM:<>\r\n");
    shell.heard.said.clear();
    let domain = ["d".repeat(63), "d".repeat(63), "d".repeat(63), "d".repeat(60)].join(".");
    let longest = format!("{}@{domain}", "l".repeat(64));
    let orcpt = format!("rfc822;{}", "o".repeat(490));
    for _ in 0..1000 {
        shell.hear(format!("RCPT TO:<{longest}> ORCPT={orcpt}\r\n").as_bytes());
    }
    let accepted = shell.heard.said.lines().filter(|line| line.starts_with("250 ")).count();
    let refused = shell.heard.said.lines().filter(|line| line.starts_with("452 4.5.3 ")).count();
    assert!((100..200).contains(&accepted), "{accepted}");
    assert_eq!(accepted + refused, 1000);
}
