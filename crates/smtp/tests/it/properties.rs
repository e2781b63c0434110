//! Properties of the server's session, on hostile and on likely input.

use proptest::collection::vec;
use proptest::prelude::*;
use smtp::server::{Options, Protocol};

use crate::shell::{Message, Shell};

fn options(protocol: Protocol) -> Options {
    let mut options = Options::new("mx.example.org", protocol);
    options.limits.errors = 1000;
    options.limits.message_octets = 300;
    options
}

/// Lines that real clients send, in any order, lawful or not.
fn line() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("EHLO client.example.net\r\n"),
        Just("HELO client.example.net\r\n"),
        Just("LHLO client.example.net\r\n"),
        Just("MAIL FROM:<a@example.net>\r\n"),
        Just("mail from:<> SIZE=1000 BODY=8BITMIME\r\n"),
        Just("RCPT TO:<alice@example.org>\r\n"),
        Just("RCPT TO:<unknown@example.org> NOTIFY=NEVER\r\n"),
        Just("RCPT TO:<locked@example.org>\r\n"),
        Just("RSET\r\n"),
        Just("NOOP x\r\n"),
        Just("VRFY alice\r\n"),
        Just("HELP\r\n"),
        Just("TURN\r\n"),
        Just("XYZZY\r\n"),
        Just("MAIL FROM:\0\r\n"),
        Just("BDAT 4\r\na\r\n.BDAT 2 LAST\r\nb\r\n"),
        Just("BDAT 5\r\nRSET\n"),
        Just("BDAT 0 LAST\r\n"),
        Just("BDAT x\r\n"),
    ]
}

/// DATA is apart: its data are sent only where it was answered 354.
const DATA: &str = "DATA\r\n";

fn said(shell: &mut Shell) -> String {
    String::from_utf8(std::mem::take(&mut shell.said)).expect("replies are ASCII")
}

/// How many replies stand in `said`, and whether each of their lines is lawful.
fn replies(said: &str) -> usize {
    let lines: Vec<&str> = said.split_terminator("\r\n").collect();
    for line in &lines {
        let digits = line.get(..3).is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit()));
        assert!(digits && line.len() <= 510 && !line.contains(['\r', '\n']), "{line:?}");
    }
    lines.iter().filter(|line| line.as_bytes()[3] == b' ').count()
}

fn play(wire: &[u8], piece: usize, protocol: Protocol) -> (String, Vec<Message>, bool) {
    let mut shell = Shell::new(options(protocol));
    shell.hear(wire, piece);
    (said(&mut shell), shell.messages.clone(), shell.closed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hostile_octets_get_lawful_replies(wire in vec(any::<u8>(), 0..2000), piece in 1usize..300) {
        let (said, ..) = play(&wire, piece, Protocol::Smtp);
        replies(&said);
    }

    #[test]
    fn hostile_arguments_get_one_reply_each(
        lines in vec(("(EHLO|MAIL FROM:|RCPT TO:|VRFY|EXPN|BDAT|HELP|NOOP|AUTH|[A-Z]{4}) ?", "[ -~é]{0,60}"), 1..20),
    ) {
        let mut shell = Shell::new(options(Protocol::Smtp));
        said(&mut shell);
        for (verb, argument) in lines {
            // QUIT ends the session, and these begin octets that are no commands.
            let line = format!("{verb}{argument}");
            let begins_data = ["DATA", "BDAT", "QUIT"].iter().any(|verb| line.starts_with(verb));
            if begins_data {
                continue;
            }
            shell.hear(format!("{line}\r\n").as_bytes(), usize::MAX);
            let said = said(&mut shell);
            prop_assert_eq!(replies(&said), 1, "{} was answered {}", line, said);
        }
    }

    #[test]
    fn pipelined_and_one_by_one_are_answered_alike(
        lines in vec(line(), 0..40), lmtp in any::<bool>(), piece in 1usize..200,
    ) {
        rfc!(2920, "3.2");
        let protocol = if lmtp { Protocol::Lmtp } else { Protocol::Smtp };
        let group = play(lines.concat().as_bytes(), usize::MAX, protocol);
        let pieces = play(lines.concat().as_bytes(), piece, protocol);
        prop_assert_eq!(&group, &pieces);
        let mut shell = Shell::new(options(protocol));
        for line in &lines {
            shell.hear(line.as_bytes(), usize::MAX);
        }
        prop_assert_eq!(group, (said(&mut shell), shell.messages.clone(), shell.closed));
    }

    #[test]
    fn a_message_is_stored_as_it_was_before_dots_were_doubled(
        lines in vec("[ -~]{0,40}|\\.|\\.\\.", 0..30), piece in 1usize..100,
    ) {
        rfc!(5321, "4.5.2");
        let content: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let stuffed: String = lines
            .iter()
            .map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" }))
            .collect();
        let mut options = options(Protocol::Smtp);
        options.limits.message_octets = 1_000_000;
        let mut shell = Shell::new(options);
        shell.hear(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n", 1000);
        shell.hear(format!("{stuffed}.\r\nNOOP\r\n").as_bytes(), piece);
        prop_assert!(said(&mut shell).ends_with("250 2.0.0 ok\r\n"));
        prop_assert_eq!(shell.messages.last().map(|m| m.octets.as_slice()), Some(content.as_bytes()));
    }

    #[test]
    fn chunks_are_stored_however_they_are_cut(
        content in "([ -~]{0,30}\r\n){0,10}", cuts in vec(0usize..60, 0..8), piece in 1usize..100,
    ) {
        rfc!(3030, "2");
        let mut wire = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\n".to_vec();
        let mut rest = content.as_str();
        for cut in cuts {
            let (chunk, tail) = rest.split_at(cut.min(rest.len()));
            wire.extend(format!("BDAT {}\r\n{chunk}", chunk.len()).bytes());
            rest = tail;
        }
        wire.extend(format!("BDAT {} LAST\r\n{rest}", rest.len()).bytes());
        let mut options = options(Protocol::Smtp);
        options.limits.message_octets = 1_000_000;
        let mut shell = Shell::new(options);
        shell.hear(&wire, piece);
        prop_assert_eq!(shell.messages.last().map(|m| m.octets.as_slice()), Some(content.as_bytes()));
    }
}

#[test]
fn data_that_never_end_are_read_in_bounded_memory_and_refused() {
    let mut shell = Shell::new(options(Protocol::Smtp));
    shell.hear(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\n", 1000);
    shell.hear(DATA.as_bytes(), 1000);
    let block = "0123456789\r\n".repeat(10_000);
    for _ in 0..50 {
        shell.hear(block.as_bytes(), 1 << 20);
        assert!(!shell.has_draft(), "what is too big is not kept");
    }
    shell.hear(b".\r\n", 10);
    assert!(said(&mut shell).contains("\r\n552 5.3.4 "));
}

#[test]
fn replies_wait_while_their_reader_does_not_poll() {
    // One call takes what fits in the output; the shell must send before it goes on.
    let mut shell = Shell::new(options(Protocol::Smtp));
    let wire = format!("EHLO c\r\n{}", "RSET\r\n".repeat(20_000));
    shell.hear(wire.as_bytes(), usize::MAX);
    assert_eq!(replies(&said(&mut shell)), 20_002);
}
