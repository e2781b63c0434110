//! A client session against a scripted server: what is said, octet for octet.

use std::sync::Arc;
use std::time::Duration;

use reply::{ReplyError, Stage, Timestamp};

use super::*;
use crate::envelope::{Envelope, Recipient};
use crate::syntax::{
    ForwardPath, MailParameters, Notify, OriginalRecipient, RecipientParameters, Ret, ReversePath,
};

const START: Timestamp = Timestamp::from_secs(1_000_000);

/// Drives a session: a line that begins with `C: ` must be what it sends next, one with
/// `S: ` is what it hears.
struct Script {
    session: Session,
    message: Vec<u8>,
    sent: String,
    finished: Vec<TransactionReport>,
    answered: Vec<(Stage, String)>,
    closed: bool,
    /// Octets that are given to the session at once.
    split: usize,
}

impl Script {
    fn new(options: Options, split: usize) -> Script {
        Script {
            session: Session::new(Arc::new(options), START),
            message: b"Subject: x\r\n\r\n.dot\r\n".to_vec(),
            sent: String::new(),
            finished: Vec::new(),
            answered: Vec::new(),
            closed: false,
            split,
        }
    }

    fn drain(&mut self) {
        loop {
            match self.session.poll() {
                Step::Send(octets) => self.sent += &String::from_utf8_lossy(&octets),
                Step::Receive | Step::Ready => return,
                Step::NeedBody { offset, at_most } => {
                    let rest = &self.message[usize::try_from(offset).unwrap()..];
                    let piece = &rest[..rest.len().min(at_most)];
                    self.session.body(piece, piece.len() == rest.len(), START);
                }
                Step::Finished(report) => self.finished.push(report),
                Step::Answered(stage, reply) => self.answered.push((stage, reply.to_string())),
                Step::Close => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn hear(&mut self, octets: &[u8]) {
        for piece in octets.chunks(self.split) {
            self.session.receive(piece, START);
            self.drain();
        }
    }

    fn run(&mut self, script: &str) {
        self.drain();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_at(3) {
                ("S: ", said) => self.hear(format!("{said}\r\n").as_bytes()),
                (_, expected) => {
                    let (said, rest) = self.sent.split_once("\r\n").unwrap_or((&self.sent, ""));
                    assert_eq!(said, expected, "in {script}");
                    self.sent = rest.to_owned();
                }
            }
        }
        assert_eq!(self.sent, "", "said too much in {script}");
    }

    /// `ok`, the refusing reply with its stage, or what broke with its stage.
    fn outcomes(&self) -> Vec<String> {
        let all = self.finished.iter().flat_map(|report| &report.recipients);
        all.map(|recipient| brief(&recipient.outcome)).collect()
    }
}

fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(reply) => format!("ok {}", reply.code()),
        Outcome::Refused { reply, stage } => format!("{} at {stage}", reply.code()),
        Outcome::Broken { what, stage } => format!("{what} at {stage}"),
    }
}

fn recipient(address: &str) -> Recipient {
    let path = ForwardPath::Mailbox(address.parse().unwrap());
    Recipient { path, parameters: RecipientParameters::default() }
}

fn transaction(recipients: &[&str]) -> Transaction {
    let envelope = Envelope {
        reverse_path: ReversePath(Some("a@example.org".parse().unwrap())),
        mail: MailParameters::default(),
        recipients: recipients.iter().map(|address| recipient(address)).collect(),
    };
    let extent = Extent::Message;
    Transaction { envelope, octets: 20, eight_bit: false, needs_utf8: false, extent }
}

fn options() -> Options {
    Options { hostname: "mx.example.org".to_owned(), ..Options::default() }
}

fn lmtp() -> Options {
    Options { protocol: Protocol::Lmtp, ..options() }
}

/// Runs the script with the transaction handed over at once, whole and octet by octet.
fn check(options: &Options, transaction: &Transaction, script: &str, outcomes: &[&str]) -> Script {
    let run = |split| {
        let mut run = Script::new(options.clone(), split);
        run.session.transaction(transaction.clone(), START);
        run.run(script);
        assert_eq!(run.outcomes(), outcomes, "{script}");
        run
    };
    run(1);
    run(usize::MAX)
}

#[test]
fn without_pipelining_each_command_waits_for_its_reply() {
    let script = "
        S: 220 mx.example.net
        C: EHLO mx.example.org
        S: 250 mx.example.net
        C: MAIL FROM:<a@example.org>
        S: 250 ok
        C: RCPT TO:<b@example.net>
        S: 450 4.2.0 greylisted
        C: RCPT TO:<c@example.net>
        S: 250 ok
        C: DATA
        S: 354 go
        C: Subject: x
        C:\u{20}
        C: ..dot
        C: .
        S: 250 2.0.0 queued";
    let script = script.replace("C:\u{20}\n", "C: ~\n");
    let mut run = Script::new(options(), usize::MAX);
    run.message = b"Subject: x\r\n~\r\n.dot\r\n".to_vec();
    run.session.transaction(transaction(&["b@example.net", "c@example.net"]), START);
    run.run(&script);
    assert_eq!(run.outcomes(), ["450 at RCPT", "ok 250"]);
    assert_eq!(run.session.poll(), Step::Ready);
    assert_eq!(run.session.poll_timeout(), None);
}

const HELLO: &str = "
    S: 220 mx.example.net
    C: EHLO mx.example.org
    S: 250-mx.example.net\n";

#[test]
fn with_pipelining_the_envelope_is_one_group() {
    rfc!(2920, "3.1");
    let mut run = Script::new(options(), usize::MAX);
    run.run(&format!("{HELLO} S: 250 PIPELINING"));
    run.session.transaction(transaction(&["b@example.net", "c@example.net"]), START);
    assert_eq!(
        run.session.poll(),
        Step::Send(
            b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n\
              RCPT TO:<c@example.net>\r\nDATA\r\n"
                .to_vec()
        )
    );
    run.message = b"x".to_vec();
    run.run("S: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\nS: 354 go\nC: x\nC: .\nS: 250 ok");
    assert_eq!(run.outcomes(), ["550 at RCPT", "ok 250"]);
}

const GROUP: &str = "S: 250 PIPELINING
    C: MAIL FROM:<a@example.org>
    C: RCPT TO:<b@example.net>
    C: DATA\n";

#[test]
fn data_that_is_taken_for_nobody_ends_with_a_lone_dot() {
    rfc!(5321, "3.3");
    let script =
        format!("{HELLO}{GROUP} S: 250 ok\nS: 450 4.2.0 later\nS: 354 go\nC: .\nS: 554 5.5.1 none");
    check(&options(), &transaction(&["b@example.net"]), &script, &["450 at RCPT"]);
    let script = format!("{HELLO}{GROUP} S: 250 ok\nS: 450 4.2.0 later\nS: 554 5.5.1 none");
    check(&options(), &transaction(&["b@example.net"]), &script, &["450 at RCPT"]);
}

#[test]
fn data_after_a_refused_mail_is_never_ended() {
    rfc!(5321, "3.3");
    let script = format!("{HELLO}{GROUP} S: 550 5.7.1 no\nS: 250 ok\nS: 354 go");
    let run = check(&options(), &transaction(&["b@example.net"]), &script, &["550 at MAIL"]);
    assert!(run.closed);
}

#[test]
fn a_refused_message_is_refused_for_those_that_were_accepted() {
    let script = format!("{HELLO}{GROUP} S: 250 ok\nS: 250 ok\nS: 451 4.3.0 fault");
    check(&options(), &transaction(&["b@example.net"]), &script, &["451 at DATA"]);
    let two = transaction(&["b@example.net", "c@example.net"]);
    let script = format!(
        "{HELLO} S: 250 HELP
         C: MAIL FROM:<a@example.org>\nS: 250 ok
         C: RCPT TO:<b@example.net>\nS: 550 no\nC: RCPT TO:<c@example.net>\nS: 250 ok
         C: DATA\nS: 354 go\nC: Subject: x\nC: \nC: ..dot\nC: .\nS: 554 5.6.0 no"
    );
    let script = script.replace("C: \n", "");
    let mut run = Script::new(options(), usize::MAX);
    run.message = b"Subject: x\r\n.dot\r\n".to_vec();
    run.session.transaction(two, START);
    run.run(&script);
    assert_eq!(run.outcomes(), ["550 at RCPT", "554 at end of data"]);
}

#[test]
fn ehlo_falls_back_to_helo_and_remembers() {
    rfc!(5321, "3.2");
    let script = "
        S: 220 hi\nC: EHLO mx.example.org\nS: 502 5.5.1 no\nC: HELO mx.example.org
        S: 250 hi\nC: MAIL FROM:<a@example.org>\nS: 550 5.7.1 not you";
    let run = check(&options(), &transaction(&["b@example.net"]), script, &["550 at MAIL"]);
    assert!(run.session.knowledge().no_ehlo);
    let known = Options { known: run.session.knowledge().clone(), ..options() };
    let old = script.replace("502 5.5.1 no", "550 what?");
    check(&options(), &transaction(&["b@example.net"]), &old, &["550 at MAIL"]);
    let script = "S: 220 hi\nC: HELO mx.example.org\nS: 421 4.3.2 busy";
    check(&known, &transaction(&["b@example.net"]), script, &["421 at HELO"]);
}

#[test]
fn a_refused_greeting_or_hello_decides_for_all_and_is_answered_with_quit() {
    let two = transaction(&["b@example.net", "c@example.net"]);
    let script = "S: 554 5.7.1 no service\nC: QUIT\nS: 221 bye";
    let run = check(&options(), &two, script, &["554 at connection"; 2]);
    assert!(run.closed);
    let script = "S: 220 hi\nC: EHLO mx.example.org\nS: 550 5.7.1 bad name\nC: QUIT\nS: 221 bye";
    check(&options(), &two, script, &["550 at EHLO"; 2]);
    let run = check(&options(), &two, "S: 421 4.3.2 busy", &["421 at connection"; 2]);
    assert!(run.closed);
}

#[test]
fn a_421_anywhere_decides_what_is_undecided() {
    let two = transaction(&["b@example.net", "c@example.net"]);
    let script = format!(
        "{HELLO} S: 250 HELP
         C: MAIL FROM:<a@example.org>\nS: 250 ok
         C: RCPT TO:<b@example.net>\nS: 550 5.1.1 no
         C: RCPT TO:<c@example.net>\nS: 421 4.4.2 bye"
    );
    check(&options(), &two, &script, &["550 at RCPT", "421 at RCPT"]);
}

fn with_dsn(address: &str) -> Transaction {
    let mut wanted = transaction(&[address]);
    wanted.envelope.mail.ret = Some(Ret::Headers);
    wanted.envelope.mail.envid = Some("q+2B1".to_owned());
    let (address_type, xtext) = ("rfc822".to_owned(), "b@example.net".to_owned());
    let parameters = &mut wanted.envelope.recipients[0].parameters;
    parameters.orcpt = Some(OriginalRecipient { address_type, xtext });
    parameters.notify = Notify::parse("SUCCESS,FAILURE");
    wanted
}

#[test]
fn parameters_go_only_where_they_are_offered() {
    rfc!(5321, "4.1.1.11");
    rfc!(3461, "5.2.1");
    rfc!(3461, "5.2.2");
    let script = format!(
        "{HELLO} S: 250-SIZE 1000\nS: 250 DSN
         C: MAIL FROM:<a@example.org> SIZE=20 RET=HDRS ENVID=q+2B1\nS: 250 ok
         C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@example.net
         S: 550 5.1.1 no"
    );
    let run = check(&options(), &with_dsn("b@example.net"), &script, &["550 at RCPT"]);
    assert!(run.finished[0].recipients[0].dsn_passed_on);
    let script = format!(
        "{HELLO} S: 250 HELP\nC: MAIL FROM:<a@example.org>\nS: 250 ok
         C: RCPT TO:<b@example.net>\nS: 550 5.1.1 no"
    );
    let run = check(&options(), &with_dsn("b@example.net"), &script, &["550 at RCPT"]);
    assert!(!run.finished[0].recipients[0].dsn_passed_on);
}

#[test]
fn an_original_recipient_beyond_ascii_goes_on_in_ascii_without_smtputf8() {
    rfc!(6533, "3");
    let mut wanted = with_dsn("b@example.net");
    let orcpt = wanted.envelope.recipients[0].parameters.orcpt.as_mut().unwrap();
    (orcpt.address_type, orcpt.xtext) = ("UTF-8".into(), "j\u{fc}rgen\u{1f600}@example.net".into());
    let script = |utf8: &str, address: &str| {
        format!(
            "{HELLO} S: 250-SMTPUTF8\nS: 250-8BITMIME\nS: 250 DSN
             C: MAIL FROM:<a@example.org>{utf8} RET=HDRS ENVID=q+2B1\nS: 250 ok
             C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=UTF-8;{address}
             S: 550 5.1.1 no"
        )
    };
    let encoded = script("", "j\\x{FC}rgen\\x{1F600}@example.net");
    check(&options(), &wanted, &encoded, &["550 at RCPT"]);
    wanted.needs_utf8 = true;
    let native = script(" SMTPUTF8", "j\u{fc}rgen\u{1f600}@example.net");
    check(&options(), &wanted, &native, &["550 at RCPT"]);
}

#[test]
fn a_refused_parameter_is_left_out_and_remembered_once_that_helped() {
    let script = format!(
        "{HELLO} S: 250-SIZE\nS: 250 DSN
         C: MAIL FROM:<a@example.org> SIZE=20 RET=HDRS ENVID=q+2B1\nS: 555 5.5.4 no ENVID here
         C: MAIL FROM:<a@example.org> SIZE=20 RET=HDRS\nS: 250 ok
         C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@example.net
         S: 501 5.5.4 syntax
         C: RSET\nS: 250 ok
         C: MAIL FROM:<a@example.org> SIZE=20 RET=HDRS\nS: 250 ok
         C: RCPT TO:<b@example.net>\nS: 501 5.5.4 syntax"
    );
    let run = check(&options(), &with_dsn("b@example.net"), &script, &["501 at RCPT"]);
    // Without NOTIFY and ORCPT it was refused as well, so they were not at fault.
    assert_eq!(run.session.knowledge().refused, [Parameter::Envid]);
    let known = Options { known: run.session.knowledge().clone(), ..options() };
    let script = format!(
        "{HELLO} S: 250-SIZE\nS: 250 DSN
         C: MAIL FROM:<a@example.org> SIZE=20 RET=HDRS\nS: 450 4.7.1 later"
    );
    check(&known, &with_dsn("b@example.net"), &script, &["450 at MAIL"]);
}

#[test]
fn a_refused_mail_without_parameters_is_final_and_not_remembered() {
    rfc!(5321, "4.5.4.1");
    let script = format!("{HELLO} S: 250 HELP\nC: MAIL FROM:<a@example.org>\nS: 555 5.5.4 no");
    let run = check(&options(), &transaction(&["b@example.net"]), &script, &["555 at MAIL"]);
    assert!(run.session.knowledge().is_empty());
}

#[test]
fn a_message_is_not_begun_where_its_extension_is_missing() {
    let script = format!("{HELLO} S: 250 HELP");
    let eight_bit = Transaction { eight_bit: true, ..transaction(&["b@example.net"]) };
    check(&options(), &eight_bit, &script, &["the server does not offer 8BITMIME at MAIL"]);
    let utf8 = Transaction { needs_utf8: true, ..eight_bit.clone() };
    check(&options(), &utf8, &script, &["the server does not offer SMTPUTF8 at MAIL"]);
    let script = format!(
        "{HELLO} S: 250-8BITMIME\nS: 250 SMTPUTF8
         C: MAIL FROM:<a@example.org> BODY=8BITMIME SMTPUTF8\nS: 450 later"
    );
    check(&options(), &utf8, &script, &["450 at MAIL"]);
}

#[test]
fn a_message_bigger_than_the_server_takes_is_not_begun() {
    rfc!(1870, "5");
    let script = format!("{HELLO} S: 250 SIZE 100");
    let big = Transaction { octets: 101, ..transaction(&["b@example.net"]) };
    let told = "the message has 101 octets and the server takes at most 100 at MAIL";
    check(&options(), &big, &script, &[told]);
    let script = format!("{script}\nC: MAIL FROM:<a@example.org> SIZE=100\nS: 450 later");
    check(&options(), &Transaction { octets: 100, ..big.clone() }, &script, &["450 at MAIL"]);
    let script =
        format!("{HELLO} S: 250 SIZE 0\nC: MAIL FROM:<a@example.org> SIZE=101\nS: 450 later");
    check(&options(), &big, &script, &["450 at MAIL"]);
}

const CHUNKED: &str = "S: 250-PIPELINING\nS: 250 CHUNKING
    C: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.net>\nS: 250 ok\nS: 250 ok\n";

#[test]
fn bdat_counts_its_octets_and_leaves_dots_alone() {
    let script = format!("{HELLO}{CHUNKED} C: BDAT 12 LAST\nC: .one\nC: .two\nS: 250 ok");
    let mut run = Script::new(options(), 1);
    run.message = b".one\n.two\n".to_vec();
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.run(&script);
    assert_eq!(run.outcomes(), ["ok 250"]);
}

#[test]
fn refused_bdat_ends_the_connection_and_is_remembered() {
    let script = format!("{HELLO}{CHUNKED} C: BDAT 3 LAST\nC: x\nS: 502 5.5.1 no BDAT");
    let mut run = Script::new(options(), usize::MAX);
    run.message = b"x".to_vec();
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.run(&script);
    assert_eq!(run.outcomes(), ["502 at BDAT"]);
    assert!(run.closed && run.session.knowledge().no_chunking);
    let known = Options { known: run.session.knowledge().clone(), ..options() };
    let script = format!(
        "{HELLO} S: 250-PIPELINING\nS: 250 CHUNKING
         C: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.net>\nC: DATA\nS: 250 ok\nS: 250 ok
         S: 452 4.3.1 full"
    );
    check(&known, &transaction(&["b@example.net"]), &script, &["452 at DATA"]);
}

#[test]
fn a_chunk_that_is_refused_in_the_middle_stops_the_message() {
    rfc!(3030, "2");
    let small = Options { piece_octets: 4, ..options() };
    let mut run = Script::new(small, usize::MAX);
    run.message = b"12345678901234567890".to_vec();
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.run(&format!(
        "{HELLO}{CHUNKED} C: BDAT 4\nC: 1234BDAT 4\nC: 5678BDAT 4\nC: 9012BDAT 4\nC: 3456"
    ));
    run.run("S: 250 ok\nC: BDAT 6 LAST\nC: 7890");
    run.run("S: 552 5.3.4 big\nS: 503 no\nS: 503 no");
    assert_eq!(run.outcomes(), [] as [&str; 0]);
    run.run("S: 503 no");
    assert_eq!(run.outcomes(), ["552 at BDAT"]);
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.run("C: RSET\nC: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.net>");
}

#[test]
fn a_connection_lost_after_the_last_chunk_leaves_it_open_whichever_reply_was_due() {
    let small = Options { piece_octets: 4, ..options() };
    let chunks = format!("{HELLO}{CHUNKED} C: BDAT 4\nC: 1234BDAT 4 LAST\nC: 56");
    for (script, outcome) in [
        ("", "the connection was lost at end of data"),
        ("S: 250 ok", "the connection was lost at end of data"),
        ("S: 452 4.3.1 full", "452 at BDAT"),
    ] {
        let mut run = Script::new(small.clone(), usize::MAX);
        run.message = b"123456".to_vec();
        run.session.transaction(transaction(&["b@example.net"]), START);
        run.run(&chunks);
        run.run(script);
        run.session.end_of_input(START);
        run.drain();
        assert_eq!(run.outcomes(), [outcome], "after `{script}`");
    }
}

#[test]
fn lmtp_answers_for_each_accepted_recipient() {
    let three = transaction(&["b@example.net", "c@example.net", "d@example.net"]);
    let script = "
        S: 220 hi\nC: LHLO mx.example.org\nS: 250 hi
        C: MAIL FROM:<a@example.org>\nS: 250 ok
        C: RCPT TO:<b@example.net>\nS: 250 ok\nC: RCPT TO:<c@example.net>\nS: 550 5.1.1 no
        C: RCPT TO:<d@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\nC: x\nC: .
        S: 452 4.2.2 full\nS: 250 ok";
    let mut run = Script::new(lmtp(), 1);
    run.message = b"x".to_vec();
    run.session.transaction(three, START);
    run.run(script);
    assert_eq!(run.outcomes(), ["452 at end of data", "550 at RCPT", "ok 250"]);
}

#[test]
fn lmtp_replies_that_came_count_when_the_connection_is_lost_after_them() {
    rfc!(2033, "5");
    let mut run = Script::new(lmtp(), 1);
    run.message = b"x".to_vec();
    run.session.transaction(transaction(&["b@example.net", "c@example.net"]), START);
    run.run(
        "S: 220 hi\nC: LHLO mx.example.org\nS: 250 hi
         C: MAIL FROM:<a@example.org>\nS: 250 ok
         C: RCPT TO:<b@example.net>\nS: 250 ok\nC: RCPT TO:<c@example.net>\nS: 250 ok
         C: DATA\nS: 354 go\nC: x\nC: .\nS: 250 ok",
    );
    run.session.end_of_input(START);
    run.drain();
    assert_eq!(run.outcomes(), ["ok 250", "the connection was lost at end of data"]);
}

#[test]
fn more_recipients_than_the_server_takes_at_once_follow_in_another_round() {
    let mut run = Script::new(options(), usize::MAX);
    run.message = b"x".to_vec();
    run.session.transaction(transaction(&["b@example.net", "c@example.net"]), START);
    run.run(&format!(
        "{HELLO} S: 250 LIMITS RCPTMAX=1
         C: MAIL FROM:<a@example.org>\nS: 250 ok\nC: RCPT TO:<b@example.net>\nS: 250 ok
         C: DATA\nS: 354 go\nC: x\nC: .\nS: 250 one
         C: MAIL FROM:<a@example.org>\nS: 250 ok\nC: RCPT TO:<c@example.net>\nS: 250 ok
         C: DATA\nS: 354 go\nC: x\nC: .\nS: 450 two"
    ));
    assert_eq!(run.outcomes(), ["ok 250", "450 at end of data"]);
}

#[test]
fn a_probe_of_recipients_ends_with_rset() {
    let probe = Transaction {
        extent: Extent::RecipientsOnly,
        ..transaction(&["b@example.net", "c@example.net"])
    };
    let script = format!(
        "{HELLO} S: 250 PIPELINING
         C: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.net>\nC: RCPT TO:<c@example.net>
         C: RSET\nS: 250 ok\nS: 250 yes\nS: 550 5.1.1 no\nS: 250 ok"
    );
    check(&options(), &probe, &script, &["ok 250", "550 at RCPT"]);
}

#[test]
fn commands_of_the_shell_are_answered_and_an_accepted_turn_ends_the_session() {
    let mut run = Script::new(options(), usize::MAX);
    run.run(&format!("{HELLO} S: 250 HELP"));
    let now = START;
    assert_eq!(run.session.command("VRFY b\r\nDATA", now), Err(BadCommand::NotALine));
    assert_eq!(run.session.command("data", now), Err(BadCommand::HasItsOwnWay));
    assert_eq!(run.session.command("VRFY b", now), Ok(()));
    assert_eq!(run.session.command("NOOP", now), Err(BadCommand::NotReady));
    run.run("C: VRFY b\nS: 252 2.5.0 cannot say");
    assert_eq!(run.session.command("TURN", now), Ok(()));
    run.run("C: TURN\nS: 250 your turn");
    assert!(run.closed);
    let answers = [(Stage::Vrfy, "252 2.5.0 cannot say"), (Stage::Turn, "250 your turn")];
    assert_eq!(run.answered, answers.map(|(stage, text)| (stage, text.to_owned())));
}

#[test]
fn quit_waits_for_what_was_handed_over() {
    rfc!(5321, "4.1.1.10");
    let mut run = Script::new(options(), usize::MAX);
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.session.quit(START);
    run.run(&format!(
        "{HELLO} S: 250 HELP\nC: MAIL FROM:<a@example.org>\nS: 550 no\nC: QUIT\nS: 221 bye"
    ));
    assert_eq!(run.outcomes(), ["550 at MAIL"]);
    assert_eq!(run.session.end(), Some(&End::Quit));
    run.session.transaction(transaction(&["c@example.net"]), START);
    run.drain();
    assert_eq!(run.outcomes()[1], "the session was already over at connection");
}

#[test]
fn a_hostile_server_ends_the_session_and_no_more() {
    let check = |script: &str, outcome: &str| {
        let mut run = Script::new(options(), usize::MAX);
        run.session.transaction(transaction(&["b@example.net"]), START);
        run.run(script);
        assert_eq!(run.outcomes(), [outcome], "{script}");
        assert!(run.closed);
    };
    check(
        "S: SSH-2.0-x",
        "the server does not speak SMTP: `SSH-2.0-x` is no SMTP reply at connection",
    );
    check("S: 354 go", "the server said `354 go` out of turn at connection");
    let hello = "S: 220 hi\nC: EHLO mx.example.org\n";
    check(
        &format!("{hello} S: 250-a\nS: 450 b"),
        "the server does not speak SMTP: a reply that begins with 250 goes on with 450 at EHLO",
    );
    let mail = "S: 250 hi\nC: MAIL FROM:<a@example.org>\n";
    check(&format!("{hello}{mail} S: 354 go"), "the server said `354 go` out of turn at MAIL");
    let long = format!("{hello} S: 250 {}", "x".repeat(10_000));
    check(&long, "the server does not speak SMTP: the reply is longer than is read at EHLO");
}

#[test]
fn replies_before_their_commands_are_not_taken_for_answers() {
    rfc!(2920, "3.1");
    let mut run = Script::new(options(), usize::MAX);
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.session.receive(b"220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n", START);
    run.drain();
    assert_eq!(run.outcomes(), ["the server said `250 hi` out of turn at EHLO"]);
    assert_eq!(run.sent, "");
}

#[test]
fn endless_replies_are_bounded() {
    let mut run = Script::new(options(), usize::MAX);
    let many: Vec<String> = (0..100).map(|at| format!("b{at}@example.net")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    run.session.transaction(transaction(&many), START);
    run.hear(b"220 hi\r\n");
    run.hear(b"250-hi\r\n250 PIPELINING\r\n");
    let long =
        ["550-".to_owned() + &"x".repeat(4000) + "\r\n"; 1].concat().repeat(50) + "550 x\r\n";
    for _ in 0..100 {
        run.hear(long.as_bytes());
    }
    assert!(run.closed);
    assert_eq!(run.outcomes()[99], "550 at MAIL");
    let too_long = Broken::NotSmtp(ReplyError::TooLong);
    assert!(matches!(run.session.end(), Some(End::Broken { what, .. }) if *what == too_long));
}

#[test]
fn a_lost_connection_says_where_it_was_lost() {
    let lost = |script: &str| {
        let mut run = Script::new(options(), usize::MAX);
        run.message = b"x".to_vec();
        run.session.transaction(transaction(&["b@example.net"]), START);
        run.run(script);
        run.session.end_of_input(START);
        run.drain();
        assert!(run.closed);
        run.outcomes().concat()
    };
    assert_eq!(lost(""), "the connection was lost at connection");
    let group = format!("{HELLO}{GROUP}");
    assert_eq!(lost(&group), "the connection was lost at MAIL");
    let sent = format!("{group} S: 250 ok\nS: 250 ok\nS: 354 go\nC: x\nC: .");
    assert_eq!(lost(&sent), "the connection was lost at end of data");
}

#[test]
fn a_message_that_never_began_shares_no_end_of_data() {
    let mut run = Script::new(options(), usize::MAX);
    run.message = b"x".to_vec();
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.session.transaction(transaction(&["c@example.net"]), START);
    run.run(&format!("{HELLO}{GROUP} S: 250 ok\nS: 250 ok\nS: 354 go\nC: x\nC: ."));
    run.session.end_of_input(START);
    run.drain();
    let lost = "the connection was lost at end of data";
    assert_eq!(run.outcomes(), [lost, "the session was already over at connection"]);
}

#[test]
fn each_stage_has_its_own_time() {
    rfc!(5321, "4.5.3.2");
    let mut run = Script::new(options(), usize::MAX);
    run.message = b"x".to_vec();
    run.session.transaction(transaction(&["b@example.net"]), START);
    let minutes =
        |run: &Script| run.session.poll_timeout().map(|at| at.since(START).as_secs() / 60);
    assert_eq!(minutes(&run), Some(5));
    run.run(&format!(
        "{HELLO} S: 250 HELP\nC: MAIL FROM:<a@example.org>\nS: 250 ok
         C: RCPT TO:<b@example.net>"
    ));
    assert_eq!(minutes(&run), Some(5));
    run.hear(b"250 ok\r\n");
    assert_eq!(minutes(&run), Some(2));
    run.hear(b"354 go\r\n");
    assert_eq!(minutes(&run), Some(10));
    run.session.handle_timeout(START + Duration::from_secs(599));
    assert_eq!(run.outcomes(), [] as [&str; 0]);
    run.session.handle_timeout(START + Duration::from_secs(600));
    run.drain();
    assert_eq!(run.outcomes(), ["the server did not answer in time at end of data"]);
    assert!(run.closed);
}

#[test]
fn a_refusal_in_the_middle_of_the_message_is_believed() {
    let mut run = Script::new(options(), usize::MAX);
    run.session.transaction(transaction(&["b@example.net"]), START);
    run.hear(b"220 hi\r\n");
    for reply in ["250 hi", "250 ok", "250 ok"] {
        run.hear(format!("{reply}\r\n").as_bytes());
    }
    run.session.receive(b"354 go\r\n", START);
    run.session.body(b"x", false, START);
    run.session.receive(b"552 5.3.4 too big\r\n", START);
    run.drain();
    assert_eq!(run.outcomes(), ["552 at end of data"]);
    assert!(run.closed);
}

#[test]
fn a_message_that_cannot_be_read_is_never_ended() {
    let mut run = Script::new(options(), usize::MAX);
    run.session.transaction(transaction(&["b@example.net"]), START);
    for reply in ["220 hi", "250 hi", "250 ok", "250 ok"] {
        run.hear(format!("{reply}\r\n").as_bytes());
    }
    run.session.receive(b"354 go\r\n", START);
    run.session.body(b"x\r\n", false, START);
    run.sent.clear();
    run.session.body_failed();
    run.drain();
    assert!(run.closed && !run.sent.contains('.'));
    assert_eq!(run.outcomes(), ["the message could not be read to its end at end of data"]);
}

#[test]
fn large_envelopes_are_sent_in_groups_that_fit() {
    rfc!(2920, "3.1");
    let mut run = Script::new(options(), usize::MAX);
    let many: Vec<String> = (0..500).map(|at| format!("b{at}@example.net")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    run.session.transaction(transaction(&many), START);
    run.run(&format!("{HELLO} S: 250 PIPELINING").replace("S: 250 PIPELINING", ""));
    run.session.receive(b"250 PIPELINING\r\n", START);
    let Step::Send(group) = run.session.poll() else { panic!("a group is sent") };
    assert!(group.len() <= 4096 + 64, "{}", group.len());
}

#[test]
fn what_was_said_is_told() {
    let mut run = Script::new(options(), usize::MAX);
    run.run("S: 220 hi\nC: EHLO mx.example.org");
    let said = run.session.take_said();
    assert_eq!(
        said,
        [Said::Heard("220 hi".to_owned()), Said::Sent("EHLO mx.example.org".to_owned())]
    );
    assert_eq!(run.session.take_said(), []);
}

mod any_server {
    use proptest::prelude::*;

    use super::*;

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => "(220|250|354|450|550|421|503|555|502) [a-z]{0,3}(SIZE|ENVID)?",
            2 => "250-(PIPELINING|CHUNKING|SIZE 9|DSN|LIMITS RCPTMAX=1|8BITMIME)\r\n250 x",
            1 => "\\PC{0,10}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn whatever_it_says_each_transaction_ends_once(
            lines in proptest::collection::vec(line(), 0..40),
            lmtp_spoken in any::<bool>(),
            split in 1usize..60,
        ) {
            let options = if lmtp_spoken { lmtp() } else { options() };
            let mut run = Script::new(options, split);
            run.session.transaction(with_dsn("b@example.net"), START);
            run.session.transaction(transaction(&["c@example.net", "d@example.net"]), START);
            run.session.quit(START);
            run.drain();
            for line in &lines {
                run.hear(format!("{line}\r\n").as_bytes());
            }
            run.session.end_of_input(START);
            run.drain();
            prop_assert!(run.closed);
            let counts: Vec<usize> =
                run.finished.iter().map(|report| report.recipients.len()).collect();
            prop_assert_eq!(counts, [1, 2]);
            prop_assert!(run.session.poll_timeout().is_none());
        }
    }
}
