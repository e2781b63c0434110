//! A client's octets into the server's session: every reply is lawful, one draft is open at
//! a time, and it makes no difference how the octets are cut into pieces.

use std::sync::Arc;

use reply::{Timestamp, catalogue};
use smtp::query::{Decision, Query};
use smtp::server::{Ended, Options, Proof, Protocol, Session, Step};

/// A proof without a spool.
#[derive(Clone, Debug)]
struct Stored;

impl Proof for Stored {
    fn queue_id(&self) -> String {
        "stored".to_owned()
    }
}

/// What a session said, and the messages that it took.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    said: Vec<u8>,
    messages: Vec<Vec<u8>>,
    closed: bool,
}

/// The first octet says how the rest is cut; all three protocols hear it.
pub(crate) fn run(octets: &[u8]) {
    let Some((piece, wire)) = octets.split_first() else { return };
    for protocol in [Protocol::Smtp, Protocol::Submission, Protocol::Lmtp] {
        let whole = play(protocol, wire, usize::MAX);
        lawful(&whole.said);
        assert_eq!(whole, play(protocol, wire, usize::from(*piece).max(1)), "{protocol:?}");
    }
}

fn play(protocol: Protocol, wire: &[u8], piece: usize) -> Heard {
    let mut options = Options::new("mx.example.org", protocol);
    options.limits.message_octets = 2000;
    let now = Timestamp::from_secs(1_800_000_000);
    let mut session = Session::new(Arc::new(options), now);
    let (mut heard, mut draft) = (Heard::default(), None);
    steps(&mut session, &mut heard, &mut draft);
    for mut piece in wire.chunks(piece) {
        while !piece.is_empty() && !heard.closed {
            let used = session.receive(piece, now);
            piece = &piece[used..];
            let progress = steps(&mut session, &mut heard, &mut draft);
            assert!(used > 0 || progress, "the session neither takes octets nor says why");
        }
    }
    session.end_of_input();
    steps(&mut session, &mut heard, &mut draft);
    assert!(draft.is_none(), "a draft outlives its session");
    heard
}

fn steps(session: &mut Session<Stored>, heard: &mut Heard, draft: &mut Option<Vec<u8>>) -> bool {
    let mut progress = false;
    loop {
        match session.poll() {
            Step::Receive => return progress,
            Step::Close => {
                heard.closed = true;
                return true;
            }
            Step::Send(octets) => heard.said.extend(octets),
            Step::Ask(query) => session.resume(decide(&query)),
            Step::MessageBegin(_) => {
                assert!(draft.replace(Vec::new()).is_none(), "one draft at a time");
                session.message_begun(Ok(()));
            }
            Step::MessageData(octets) => draft.as_mut().expect("a draft is open").extend(octets),
            Step::MessageEnd(_) => {
                heard.messages.push(draft.take().expect("a draft is open"));
                session.message_ended(Ended::Accepted(Stored));
            }
            Step::MessageAbort => assert!(draft.take().is_some(), "a draft is dropped"),
        }
        progress = true;
    }
}

fn decide(query: &Query) -> Decision {
    match query {
        Query::Recipient { path, .. } if path.to_string().starts_with("locked") => {
            Decision::Refuse(catalogue::mailbox_locked(path))
        }
        Query::Recipient { path, .. } if path.to_string().starts_with("unknown") => {
            Decision::Refuse(catalogue::mailbox_unknown(path))
        }
        _ => Decision::Proceed,
    }
}

/// RFC 5321 §4.2: a code and a text in each line, 512 octets with CRLF at most.
fn lawful(said: &[u8]) {
    for line in said.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
        let text = line.strip_suffix(b"\r").expect("a line ends with CRLF");
        let is_code = text.len() >= 4 && text[..3].iter().all(u8::is_ascii_digit);
        assert!(is_code && text.len() <= 510 && !text.contains(&b'\r'), "{line:?}");
    }
}
