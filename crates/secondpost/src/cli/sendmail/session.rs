//! `sendmail -bs`: SMTP on stdin and stdout, by the rules of submission. The protocol is
//! `smtp::server`'s, as on a socket; what is asked goes to the daemon, or without one is
//! decided by the settings and kept in the drop folder.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use mta::clock::Clock;
use mta::control::protocol::SubmittedRecipient;
use mta::control::{Client, ClientError, RefusedKind, Submission};
use mta::mailbox::Registry;
use reply::{Answer, Class, Code, Timestamp, catalogue};
use smtp::envelope::Envelope;
use smtp::query::{Decision, Query};
use smtp::server::{Ended, Proof, Protocol, Session, Step};

use super::super::message::{Message, Reading, prepare};
use super::super::submit::{SubmitError, Submitted, complete, refusal, submit};
use super::super::{Global, daemon};
use config::Config;

/// A message that the daemon or the drop folder has synced.
struct Kept(String);

impl Proof for Kept {
    fn queue_id(&self) -> String {
        self.0.clone()
    }
}

/// Where a message is collected while its data come: the session bounds its size.
#[derive(Default)]
struct Draft {
    envelope: Option<Envelope>,
    octets: Vec<u8>,
}

/// Speaks until QUIT or the end of input.
///
/// # Errors
/// Those of the streams.
pub(super) fn run(
    global: &Global,
    config: &Config,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<()> {
    let clock = Clock::start();
    let mut session = Session::<Kept>::new(
        Arc::new(config.session_options(Protocol::Submission)),
        clock.steady(),
    );
    let mut shell = Shell { global, config, draft: Draft::default() };
    while shell.settle(&mut session, output)? {
        let octets = input.fill_buf()?;
        if octets.is_empty() {
            session.end_of_input();
            continue;
        }
        let used = session.receive(octets, now(&clock));
        input.consume(used);
    }
    Ok(())
}

fn now(clock: &Clock) -> Timestamp {
    clock.steady()
}

/// What stands around the session: it answers its questions.
struct Shell<'a> {
    global: &'a Global,
    config: &'a Config,
    draft: Draft,
}

impl Shell<'_> {
    /// Does every step until the session wants octets; `false` where it is over.
    fn settle(&mut self, session: &mut Session<Kept>, output: &mut impl Write) -> io::Result<bool> {
        loop {
            match session.poll() {
                Step::Receive => {
                    output.flush()?;
                    return Ok(true);
                }
                Step::Close => {
                    output.flush()?;
                    return Ok(false);
                }
                Step::Send(octets) => output.write_all(&octets)?,
                Step::MessageData(octets) => self.draft.octets.extend_from_slice(octets),
                Step::MessageAbort => self.draft = Draft::default(),
                Step::MessageBegin(envelope) => {
                    self.draft = Draft { envelope: Some(envelope), octets: Vec::new() };
                    session.message_begun(Ok(()));
                }
                Step::Ask(query) => {
                    let decision = self.decide(&query);
                    session.resume(decision);
                }
                Step::MessageEnd(_) => {
                    let draft = std::mem::take(&mut self.draft);
                    session.message_ended(self.keep(&draft));
                }
            }
        }
    }

    /// Only a recipient can be refused before the message is there.
    fn decide(&self, query: &Query) -> Decision {
        let Query::Recipient { reverse_path, path, .. } = query else { return Decision::Proceed };
        let submission = Submission {
            sender: reverse_path.to_string(),
            recipients: vec![SubmittedRecipient::new(path.to_string())],
            ..Submission::default()
        };
        let answer = match daemon::connect(self.global) {
            Ok(Some(mut client)) => check(&mut client, submission),
            Ok(None) => {
                let registry = Registry::in_dir(&self.global.data_dir);
                refusal(self.config, &registry, &submission)
            }
            Err(_) => Some(catalogue::server_fault()),
        };
        answer.map_or(Decision::Proceed, Decision::Refuse)
    }

    fn keep(&self, draft: &Draft) -> Ended<Kept> {
        let Some(envelope) = &draft.envelope else {
            return Ended::Refused(catalogue::server_fault());
        };
        let Ok(message) = prepare(&draft.octets, Reading::Sendmail) else {
            return Ended::Refused(catalogue::server_fault());
        };
        let message: Message = complete(message, self.config);
        let submission = Submission::of(envelope, message.octets.len() as u64);
        match submit(self.global, submission, &message) {
            Ok(Submitted::Queued(id)) => Ended::Accepted(Kept(id)),
            Ok(Submitted::Dropped(file)) => {
                let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                Ended::Accepted(Kept(name))
            }
            Err(SubmitError::Refused(refused)) => Ended::Refused(of_message(&refused.message)),
            Err(SubmitError::Fault(_)) => Ended::Refused(catalogue::server_fault()),
        }
    }
}

/// What the daemon says to one recipient.
fn check(client: &mut Client, submission: Submission) -> Option<Answer> {
    let recipient = submission.recipients.first().map(|one| one.address.clone());
    match client.check(submission) {
        Ok(()) => None,
        Err(ClientError::Refused(refused)) if refused.kind == RefusedKind::Policy => {
            Some(of_recipient(&recipient.unwrap_or_default(), &refused.message))
        }
        Err(_) => Some(catalogue::server_fault()),
    }
}

/// The answer that the daemon gave as text: the one of the catalogue's that reads just so,
/// else one of the same permanence.
fn of_recipient(recipient: &str, said: &str) -> Answer {
    let about: [fn(&str) -> Answer; 11] = [
        |to| catalogue::mailbox_unknown(to),
        |to| catalogue::mailbox_locked(to),
        |to| catalogue::mailbox_busy(to),
        |to| catalogue::mailbox_disabled_for_now(to),
        |to| catalogue::mailbox_disabled(to),
        |to| catalogue::mailbox_full(to),
        |to| catalogue::mailbox_full_finally(to),
        |to| catalogue::relay_off(to),
        |to| catalogue::relay_denied(to),
        |to| catalogue::policy_temporary_recipient(to),
        |to| catalogue::recipient_refused(to),
    ];
    let reads_so =
        |answer: &Answer| answer.to_bytes().trim_ascii_end() == said.trim_end().as_bytes();
    let found = about.into_iter().map(|answer| answer(recipient)).find(reads_so);
    found.unwrap_or_else(|| match class_of(said) {
        Some(Class::Permanent) => catalogue::recipient_refused(recipient),
        _ => catalogue::server_fault(),
    })
}

/// The same at the end of data, where nearly all has been decided before.
fn of_message(said: &str) -> Answer {
    match class_of(said) {
        Some(Class::Permanent) => catalogue::no_valid_recipients(),
        _ => catalogue::server_fault(),
    }
}

fn class_of(said: &str) -> Option<Class> {
    Some(Code::new(said.get(..3)?.parse().ok()?)?.class())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_daemon_is_said_in_its_own_words() {
        let check = |said: Answer, expected: &str| {
            let text = String::from_utf8(said.to_bytes()).unwrap();
            assert_eq!(of_recipient("a@x.test", &text).row().id, expected);
        };
        check(catalogue::mailbox_locked("a@x.test"), "mailbox_locked");
        check(catalogue::relay_off("a@x.test"), "relay_off");
        check(catalogue::sender_refused("a@x.test"), "recipient_refused");
        check(catalogue::server_full(), "server_fault");
    }
}
