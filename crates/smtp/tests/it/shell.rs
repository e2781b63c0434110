//! A shell for a server session without sockets: a small world of mailboxes, a disk that
//! may be full, and all that the session said and stored.

use std::sync::Arc;
use std::time::Duration;

use reply::{Answer, Timestamp, catalogue};
use smtp::query::{Decision, Query};
use smtp::server::{Ended, Options, Proof, Session, Step};
use smtp::syntax::{ForwardPath, VerifyArgument};

use crate::dialog::Disk;

/// A proof for tests: they have no spool.
#[derive(Clone, Debug)]
pub(crate) struct Stored(u32);

impl Proof for Stored {
    fn queue_id(&self) -> String {
        format!("test{:07}", self.0)
    }
}

/// One message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) reverse_path: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) octets: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Shell {
    session: Session<Stored>,
    now: Timestamp,
    draft: Option<Message>,
    pub(crate) disk: Disk,
    pub(crate) said: Vec<u8>,
    pub(crate) messages: Vec<Message>,
    pub(crate) closed: bool,
}

impl Shell {
    pub(crate) fn new(options: Options) -> Shell {
        let now = Timestamp::from_secs(1_800_000_000);
        let mut shell = Shell {
            session: Session::new(Arc::new(options), now),
            now,
            draft: None,
            disk: Disk::Works,
            said: Vec::new(),
            messages: Vec::new(),
            closed: false,
        };
        shell.steps();
        shell
    }

    /// Hands in octets in pieces of at most `size`; what comes after the end is lost.
    pub(crate) fn hear(&mut self, octets: &[u8], size: usize) {
        for mut piece in octets.chunks(size.max(1)) {
            while !piece.is_empty() && !self.closed {
                let used = self.session.receive(piece, self.now);
                piece = &piece[used..];
                let progress = self.steps();
                assert!(used > 0 || progress, "the session neither takes octets nor says why");
            }
        }
    }

    /// Lets time pass, with every timer on the way.
    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(timer) = self.session.poll_timeout().filter(|timer| *timer <= end) {
            self.now = timer.max(self.now);
            self.session.handle_timeout(self.now);
            self.steps();
        }
        self.now = end;
    }

    pub(crate) fn shut_down(&mut self) {
        self.session.shut_down();
        self.steps();
    }

    pub(crate) fn hang_up(&mut self) {
        self.session.end_of_input();
        self.steps();
    }

    pub(crate) fn has_draft(&self) -> bool {
        self.draft.is_some()
    }

    /// Does what the session wants; whether it wanted anything.
    fn steps(&mut self) -> bool {
        let mut progress = false;
        loop {
            match self.session.poll() {
                Step::Receive => return progress,
                Step::Close => {
                    self.closed = true;
                    return true;
                }
                Step::Send(octets) => self.said.extend(octets),
                Step::Ask(query) => self.session.resume(decide(&query)),
                Step::MessageBegin(envelope) => {
                    assert!(self.draft.is_none(), "one draft at a time");
                    let begun = if self.disk == Disk::Full {
                        Err(catalogue::server_full())
                    } else {
                        self.draft = Some(Message {
                            reverse_path: envelope.reverse_path.to_string(),
                            recipients: envelope
                                .recipients
                                .iter()
                                .map(|recipient| recipient.path.to_string())
                                .collect(),
                            octets: Vec::new(),
                        });
                        Ok(())
                    };
                    self.session.message_begun(begun);
                }
                Step::MessageData(octets) => {
                    assert!(octets.len() <= 128 * 1024 + 2, "data come in small pieces");
                    self.draft.as_mut().expect("a draft is open").octets.extend(octets);
                }
                Step::MessageEnd(facts) => {
                    let message = self.draft.take().expect("a draft is open");
                    assert_eq!(facts.octets, message.octets.len() as u64);
                    let ended = if self.disk == Disk::Works {
                        self.messages.push(message);
                        Ended::Accepted(Stored(self.messages.len() as u32))
                    } else {
                        Ended::Refused(catalogue::server_fault())
                    };
                    self.session.message_ended(ended);
                }
                Step::MessageAbort => assert!(self.draft.take().is_some(), "a draft is dropped"),
            }
            progress = true;
        }
    }
}

/// The world of the tests: example.org is ours and its mailboxes are named after their
/// state; everything else is elsewhere, and nobody may relay.
fn decide(query: &Query) -> Decision {
    match query {
        Query::Recipient { path, .. } => {
            recipient(path).map_or(Decision::Proceed, Decision::Refuse)
        }
        Query::Verify { argument, .. } => Decision::Answer(verify(argument)),
        Query::Expand { name, .. } if name.starts_with("staff") => Decision::Answer(
            catalogue::expanded("alice@example.org").with_lines(["<bob@example.org>"]),
        ),
        Query::Expand { name, .. } if name == "alice" => {
            Decision::Answer(catalogue::expanded("alice@example.org"))
        }
        Query::Expand { name, .. } => Decision::Answer(catalogue::list_unknown(name)),
        Query::Mail { reverse_path, .. } if reverse_path.to_string() == "limited@example.net" => {
            Decision::Refuse(catalogue::rate_limited_sender("00:01:00"))
        }
        _ => Decision::Proceed,
    }
}

fn recipient(path: &ForwardPath) -> Option<Answer> {
    let mailbox = path.mailbox()?;
    if !(mailbox.domain == *"example.org" || mailbox.domain.as_str().starts_with("b\u{fc}")) {
        return Some(catalogue::relay_denied(path));
    }
    match mailbox.local_part.as_str() {
        "locked" => Some(catalogue::mailbox_locked(path)),
        "busy" => Some(catalogue::mailbox_busy(path)),
        "away" => Some(catalogue::mailbox_disabled_for_now(path)),
        "disabled" => Some(catalogue::mailbox_disabled(path)),
        "full" => Some(catalogue::mailbox_full(path)),
        name if name.starts_with("unknown") => Some(catalogue::mailbox_unknown(path)),
        _ => None,
    }
}

fn verify(argument: &VerifyArgument) -> Answer {
    match argument {
        VerifyArgument::Mailbox(mailbox) if mailbox.domain == *"example.org" => {
            match recipient(&ForwardPath::Mailbox(mailbox.clone())) {
                Some(_) => catalogue::mailbox_unknown(mailbox),
                None => catalogue::verified(mailbox),
            }
        }
        VerifyArgument::Mailbox(mailbox) => catalogue::not_local(mailbox),
        VerifyArgument::Name(name) if name == "smith" => catalogue::mailbox_ambiguous(name),
        VerifyArgument::Name(name) if name.starts_with("unknown") => {
            catalogue::mailbox_unknown(name)
        }
        VerifyArgument::Name(name) => catalogue::verified(format!("{name}@example.org")),
    }
}
