//! A server's octets into the client's session: it ends or waits, what it sends is lawful,
//! and every recipient of a transaction gets one outcome.

use std::sync::Arc;

use reply::Timestamp;
use smtp::client::{Extent, Options, Protocol, Session, Step, Transaction};
use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};

const MESSAGE: &[u8] = b"Subject: fuzz\r\n\r\n.a dot, and caf\xc3\xa9\r\n";
/// Steps after which a session that still has something to do runs in circles.
const MOST_STEPS: usize = 100_000;

/// The first octet says how the rest is cut and what is spoken.
pub(crate) fn run(octets: &[u8]) {
    let Some((first, wire)) = octets.split_first() else { return };
    let protocol = if first & 1 == 0 { Protocol::Smtp } else { Protocol::Lmtp };
    let options = Options { hostname: "mx.example.org".to_owned(), protocol, ..Options::default() };
    let now = Timestamp::from_secs(1_800_000_000);
    let mut session = Session::new(Arc::new(options), now);
    let mut world = World { given: 0, reports: 0, steps: 0, over: false };
    world.steps(&mut session, now);
    for mut piece in wire.chunks(usize::from(first >> 1).max(1)) {
        while !piece.is_empty() && !world.over {
            let used = session.receive(piece, now);
            piece = &piece[used..];
            let progress = world.steps(&mut session, now);
            assert!(used > 0 || progress, "the session neither takes octets nor says why");
        }
    }
    session.end_of_input(now);
    world.steps(&mut session, now);
    assert_eq!(world.given, world.reports, "each transaction is reported once");
}

struct World {
    given: usize,
    reports: usize,
    steps: usize,
    over: bool,
}

impl World {
    fn steps(&mut self, session: &mut Session, now: Timestamp) -> bool {
        let mut progress = false;
        while !self.over {
            self.steps += 1;
            assert!(self.steps < MOST_STEPS, "the session runs in circles");
            match session.poll() {
                Step::Receive => return progress,
                Step::Send(octets) => assert!(!octets.is_empty()),
                Step::Ready if self.given < 2 => {
                    self.given += 1;
                    session.transaction(transaction(), now);
                }
                Step::Ready => session.quit(now),
                Step::NeedBody { offset, at_most } => {
                    let start = (offset as usize).min(MESSAGE.len());
                    let end = (start + at_most).min(MESSAGE.len());
                    session.body(&MESSAGE[start..end], end == MESSAGE.len(), now);
                }
                Step::Finished(report) => {
                    assert_eq!(report.recipients.len(), 2);
                    self.reports += 1;
                }
                Step::Answered(..) => {}
                Step::Close => self.over = true,
            }
            progress = true;
        }
        progress
    }
}

fn transaction() -> Transaction {
    let recipient = |address: &str| Recipient {
        path: address.parse().map_or(ForwardPath::Postmaster, ForwardPath::Mailbox),
        parameters: RecipientParameters::default(),
    };
    Transaction {
        envelope: Envelope {
            reverse_path: ReversePath("a@example.org".parse().ok()),
            mail: MailParameters::default(),
            recipients: vec![recipient("b@example.net"), recipient("c@example.net")],
        },
        octets: MESSAGE.len() as u64,
        eight_bit: true,
        needs_utf8: false,
        extent: Extent::Message,
    }
}
