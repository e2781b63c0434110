//! A client session against a server session, without a socket: octets pass in pieces of
//! random sizes, and every message that the server says it took is the one that was sent.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::prelude::*;
use reply::{Timestamp, catalogue};
use secondpost_smtp::client::{self, Extent, Outcome, Transaction, TransactionReport};
use secondpost_smtp::envelope::{Envelope, Recipient};
use secondpost_smtp::extension::Extensions;
use secondpost_smtp::query::{Decision, Query};
use secondpost_smtp::server::{self, Ended, Proof};
use secondpost_smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

/// The spool of the pair.
struct Taken(usize);

impl Proof for Taken {
    fn queue_id(&self) -> String {
        format!("q{}", self.0)
    }
}

/// Both sessions and the octets between them.
struct Pair {
    client: client::Session,
    server: server::Session<Taken>,
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    message: Vec<u8>,
    draft: Vec<u8>,
    /// What the server took, with its recipients.
    taken: Vec<(Vec<String>, Vec<u8>)>,
    envelope: Vec<String>,
    finished: Vec<TransactionReport>,
    lmtp: bool,
    over: bool,
}

impl Pair {
    fn new(protocol: client::Protocol, extensions: Extensions, piece: usize) -> Pair {
        let lmtp = protocol == client::Protocol::Lmtp;
        let spoken = if lmtp { server::Protocol::Lmtp } else { server::Protocol::Smtp };
        let mut options = server::Options::new("mx.example.net", spoken);
        options.extensions = extensions;
        let offered = client::Options {
            hostname: "mx.example.org".to_owned(),
            protocol,
            piece_octets: piece,
            ..client::Options::default()
        };
        Pair {
            client: client::Session::new(Arc::new(offered), NOW),
            server: server::Session::new(Arc::new(options), NOW),
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            message: Vec::new(),
            draft: Vec::new(),
            taken: Vec::new(),
            envelope: Vec::new(),
            finished: Vec::new(),
            lmtp,
            over: false,
        }
    }

    /// One transaction, from its beginning to its report.
    fn send(&mut self, recipients: &[&str], message: &[u8], pieces: &[usize]) -> Vec<Outcome> {
        self.message = message.to_vec();
        self.client.transaction(transaction(recipients, message), NOW);
        let mut pieces = pieces.iter().copied().cycle();
        let begun = self.finished.len();
        for _ in 0..200_000 {
            self.drive_client();
            self.drive_server();
            if self.finished.len() > begun || self.over {
                break;
            }
            let size = pieces.next().unwrap_or(usize::MAX);
            self.pass_to_server(size);
            self.pass_to_client(size);
        }
        let report = self.finished.pop().expect("every transaction ends");
        report.recipients.into_iter().map(|recipient| recipient.outcome).collect()
    }

    fn drive_client(&mut self) {
        loop {
            match self.client.poll() {
                client::Step::Send(octets) => self.to_server.extend(octets),
                client::Step::NeedBody { offset, at_most } => {
                    let rest = &self.message[usize::try_from(offset).unwrap()..];
                    let piece = &rest[..rest.len().min(at_most)];
                    self.client.body(piece, piece.len() == rest.len(), NOW);
                }
                client::Step::Finished(report) => self.finished.push(report),
                client::Step::Answered(..) => {}
                client::Step::Receive | client::Step::Ready => return,
                client::Step::Close => {
                    self.over = true;
                    return;
                }
            }
        }
    }

    fn drive_server(&mut self) {
        loop {
            match self.server.poll() {
                server::Step::Receive => return,
                server::Step::Send(octets) => self.to_client.extend(octets),
                server::Step::Ask(query) => {
                    let decision = decide(&query);
                    self.server.resume(decision);
                }
                server::Step::MessageBegin(envelope) => {
                    let paths = envelope.recipients.iter();
                    self.envelope = paths.map(|recipient| recipient.path.to_string()).collect();
                    self.draft.clear();
                    self.server.message_begun(Ok(()));
                }
                server::Step::MessageData(octets) => self.draft.extend_from_slice(octets),
                server::Step::MessageAbort => self.draft.clear(),
                server::Step::MessageEnd(_) => self.take(),
                server::Step::Close => {
                    self.over = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self) {
        let proof = Taken(self.taken.len());
        let message = (std::mem::take(&mut self.envelope), std::mem::take(&mut self.draft));
        let ended = match self.lmtp {
            false => Ended::Accepted(proof),
            true => Ended::PerRecipient(message.0.iter().map(|to| per_recipient(to)).collect()),
        };
        self.taken.push(message);
        self.server.message_ended(ended);
    }

    fn pass_to_server(&mut self, size: usize) {
        let piece: Vec<u8> = self.to_server.iter().take(size).copied().collect();
        let used = self.server.receive(&piece, NOW);
        self.to_server.drain(..used);
    }

    fn pass_to_client(&mut self, size: usize) {
        let piece: Vec<u8> = self.to_client.iter().take(size).copied().collect();
        let used = self.client.receive(&piece, NOW);
        self.to_client.drain(..used);
    }
}

/// Recipients whose name begins with `no` are refused, with `later` greylisted.
fn decide(query: &Query) -> Decision {
    let Query::Recipient { path, .. } = query else { return Decision::Proceed };
    let path = path.to_string();
    match path.as_str() {
        no if no.starts_with("no") => Decision::Refuse(catalogue::mailbox_unknown(no)),
        later if later.starts_with("later") => {
            Decision::Refuse(catalogue::greylisted(later, "00:01:00", "x"))
        }
        _ => Decision::Proceed,
    }
}

fn per_recipient(to: &str) -> Result<Taken, reply::Answer> {
    match to.starts_with("full") {
        true => Err(catalogue::mailbox_full(to)),
        false => Ok(Taken(0)),
    }
}

fn transaction(recipients: &[&str], message: &[u8]) -> Transaction {
    let recipient = |address: &&str| Recipient {
        path: ForwardPath::Mailbox(address.parse().unwrap()),
        parameters: RecipientParameters::default(),
    };
    Transaction {
        envelope: Envelope {
            reverse_path: ReversePath(Some("a@example.org".parse().unwrap())),
            mail: MailParameters::default(),
            recipients: recipients.iter().map(recipient).collect(),
        },
        octets: message.len() as u64,
        eight_bit: false,
        needs_utf8: false,
        extent: Extent::Message,
    }
}

/// The codes, as in `["250", "450 at RCPT"]`.
fn brief(outcomes: &[Outcome]) -> Vec<String> {
    let brief = |outcome: &Outcome| match outcome {
        Outcome::Accepted(reply) => reply.code().to_string(),
        Outcome::Refused { reply, stage } => format!("{} at {stage}", reply.code()),
        Outcome::Broken { what, stage } => format!("{what} at {stage}"),
    };
    outcomes.iter().map(brief).collect()
}

/// With and without PIPELINING and CHUNKING.
fn extensions() -> Vec<Extensions> {
    let all = Extensions::all();
    let mut kinds = vec![all, Extensions::none()];
    kinds.push(Extensions { chunking: false, ..all });
    kinds.push(Extensions { pipelining: false, ..all });
    kinds
}

#[test]
fn each_recipient_keeps_its_own_reply_and_the_connection_is_used_again() {
    for extensions in extensions() {
        for piece in [1, 7, usize::MAX] {
            let mut pair = Pair::new(client::Protocol::Smtp, extensions, 5);
            let to = ["b@example.net", "no@example.net", "later@example.net"];
            let message = b"Subject: x\r\n\r\n.\r\n..a\r\n";
            let outcomes = pair.send(&to, message, &[piece]);
            assert_eq!(brief(&outcomes), ["250", "550 at RCPT", "450 at RCPT"]);
            let outcomes = pair.send(&["no@example.net", "later@example.net"], b"x", &[piece]);
            assert_eq!(brief(&outcomes), ["550 at RCPT", "450 at RCPT"]);
            let outcomes = pair.send(&["c@example.net"], b".\r\n", &[piece]);
            assert_eq!(brief(&outcomes), ["250"]);
            let taken = [
                (vec!["b@example.net".to_owned()], message.to_vec()),
                (vec!["c@example.net".to_owned()], b".\r\n".to_vec()),
            ];
            assert_eq!(pair.taken, taken);
        }
    }
}

#[test]
fn lmtp_tells_the_end_for_each_recipient() {
    for extensions in [Extensions::all(), Extensions { chunking: false, ..Extensions::all() }] {
        let mut pair = Pair::new(client::Protocol::Lmtp, extensions, 5);
        let to = ["b@example.net", "full@example.net", "no@example.net", "c@example.net"];
        let outcomes = pair.send(&to, b"x\r\n", &[3]);
        assert_eq!(brief(&outcomes), ["250", "452 at end of data", "550 at RCPT", "250"]);
    }
}

#[test]
fn a_thousand_recipients_go_through_in_groups() {
    let mut pair = Pair::new(client::Protocol::Smtp, Extensions::all(), 1000);
    let to: Vec<String> = (0..1000).map(|at| format!("b{at}@example.net")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let outcomes = pair.send(&to, b"x\r\n", &[997]);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))));
    assert_eq!(pair.taken[0].0.len(), 1000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_is_accepted_arrives_as_it_was_sent(
        lines in proptest::collection::vec("[.]{0,2}[ -~]{0,40}", 0..12),
        kind in 0usize..4,
        lmtp in any::<bool>(),
        piece in 1usize..50,
        pieces in proptest::collection::vec(1usize..80, 1..8),
    ) {
        let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let protocol = if lmtp { client::Protocol::Lmtp } else { client::Protocol::Smtp };
        let mut pair = Pair::new(protocol, extensions()[kind], piece);
        let outcomes = pair.send(&["b@example.net"], message.as_bytes(), &pieces);
        prop_assert_eq!(brief(&outcomes), ["250"]);
        let [(_, arrived)] = &pair.taken[..] else { panic!("one message") };
        prop_assert_eq!(arrived, message.as_bytes());
    }

    #[test]
    fn bad_line_ends_leave_as_crlf_so_that_nothing_is_smuggled(
        message in "[a.\r\n]{0,40}",
        kind in 0usize..4,
        piece in 1usize..9,
    ) {
        let mut pair = Pair::new(client::Protocol::Smtp, extensions()[kind], piece);
        let outcomes = pair.send(&["b@example.net"], message.as_bytes(), &[11]);
        prop_assert_eq!(brief(&outcomes), ["250"]);
        prop_assert_eq!(pair.taken.len(), 1);
        let arrived = String::from_utf8(pair.taken[0].1.clone()).unwrap();
        prop_assert!(!arrived.replace("\r\n", "").contains(['\r', '\n']));
        let visible = |text: &str| text.replace(['\r', '\n'], "");
        prop_assert_eq!(visible(&arrived), visible(&message));
    }
}
