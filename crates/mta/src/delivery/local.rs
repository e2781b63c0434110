//! Delivery into a mailbox of this machine: what is delivered ([`LocalMail`]) and what
//! becomes of it ([`Delivery`]). Each refusal is one of the catalogue's answers, so that
//! the queue plans by its cause just as if another server had said it. The two formats are
//! `maildir` and `mbox`; which mailbox it is, [`crate::mailbox::Mailboxes`] knows.

use std::fmt::Display;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use policy::MailboxState;
use reply::{Answer, Class, Timestamp, catalogue};
use smtp::message::trace;
use smtp::syntax::{Mailbox, ReversePath};

use super::unix_text::CopyError;
use super::{Body, LocalDelivery, LocalMessage};
use crate::mailbox::quota::{self, Usage};
use crate::mailbox::{MailboxOptions, Mailboxes, Quota};

/// One message for one mailbox; its body comes beside it.
#[derive(Clone, Copy, Debug)]
pub struct LocalMail<'a> {
    /// The queue id: with the recipient it makes a delivery unique.
    pub queue_id: &'a str,
    /// When we received the message.
    pub arrival: Timestamp,
    /// For the Return-Path field (RFC 5321 §4.4).
    pub reverse_path: &'a ReversePath,
    /// The recipient, as the envelope has it.
    pub recipient: &'a Mailbox,
    /// Octets of the body, for the quota.
    pub octets: u64,
    /// Whether another process may have delivered it: it was in the spool when the server
    /// started. Then the mailbox is searched for it first. (An attempt of this process
    /// that failed is remembered without that.)
    pub may_be_there: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is in the mailbox and synced.
    Delivered {
        /// Whether an earlier attempt had delivered it.
        already: bool,
    },
    /// Not now; the mailbox is as it was.
    Deferred(Trouble),
    /// Never; the mailbox is as it was.
    Failed(Trouble),
}

/// Why a message is not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is told: of a class that says whether it is for now, with its cause.
    pub answer: Answer,
    /// What only our log tells: paths, errors of the system.
    pub reason: String,
    /// Whether the message may be in the mailbox all the same: its last sync failed.
    pub(crate) may_have_delivered: bool,
}

impl Trouble {
    pub(crate) const fn new(answer: Answer, reason: String) -> Trouble {
        Trouble { answer, reason, may_have_delivered: false }
    }

    /// Our own fault: deferred.
    pub(crate) fn fault(error: &dyn Display) -> Trouble {
        Trouble::new(catalogue::server_fault(), error.to_string())
    }

    /// An error of the file system at `path`.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Trouble {
        let answer = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => catalogue::server_full(),
            _ => catalogue::server_fault(),
        };
        Trouble::new(answer, format!("`{}`: {error}", path.display()))
    }

    /// A message that could not be copied to `path`.
    pub(super) fn copying(path: &Path, error: CopyError) -> Trouble {
        match error {
            CopyError::Read(error) => Trouble::fault(&format!("the spooled message: {error}")),
            CopyError::Write(error) => Trouble::io(path, &error),
        }
    }

    /// Deferred or failed, by the class of the answer.
    pub(crate) fn into_delivery(self) -> Delivery {
        match self.answer.code().class() {
            Class::Permanent => Delivery::Failed(self),
            _ => Delivery::Deferred(self),
        }
    }
}

/// Reads a body from its beginning.
struct BodyReader<'a> {
    body: &'a Body,
    offset: u64,
}

impl Read for BodyReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let piece = self.body.read(self.offset, into.len())?;
        into[..piece.len()].copy_from_slice(&piece);
        self.offset += piece.len() as u64;
        Ok(piece.len())
    }
}

impl LocalDelivery for Mailboxes {
    fn deliver(
        &self,
        mailbox: &Mailbox,
        message: &LocalMessage<'_>,
        now: Timestamp,
    ) -> Result<(), Answer> {
        let queue_id = message.id.to_string();
        let mail = LocalMail {
            queue_id: &queue_id,
            arrival: message.id.arrived(),
            reverse_path: message.reverse_path,
            recipient: mailbox,
            octets: message.body.octets(),
            may_be_there: message.id.arrived() <= self.opened_at(),
        };
        let mut body = BodyReader { body: message.body, offset: 0 };
        match self.deliver(&mail, &mut body, now) {
            Delivery::Delivered { .. } => Ok(()),
            Delivery::Deferred(trouble) | Delivery::Failed(trouble) => {
                tracing::warn!(id = %queue_id, reason = %trouble.reason, "not delivered here");
                Err(trouble.answer)
            }
        }
    }
}

/// Where to deliver.
pub(crate) struct Target<'a> {
    pub(crate) path: PathBuf,
    pub(crate) quota: Quota,
    pub(crate) options: &'a MailboxOptions,
}

impl Target<'_> {
    /// That the message fits, where the mailbox has a limit: `usage` is what it holds.
    pub(crate) fn check_quota(
        &self,
        mail: &LocalMail<'_>,
        usage: impl FnOnce() -> io::Result<Usage>,
    ) -> Result<(), Trouble> {
        if !quota::is_limited(&self.quota) {
            return Ok(());
        }
        let usage = usage().map_err(|error| Trouble::io(&self.path, &error))?;
        let room = usage.leaves_room(&self.quota, Some(mail.octets));
        if room { Ok(()) } else { Err(self.full(mail.recipient)) }
    }

    /// What to say where the message does not fit.
    fn full(&self, recipient: &Mailbox) -> Trouble {
        let is_final = self.quota.is_final;
        not_now(if is_final { MailboxState::FullFinally } else { MailboxState::Full }, recipient)
    }
}

/// The state in the way of a delivery: under the same cause as at RCPT.
pub(crate) fn not_now(state: MailboxState, recipient: &Mailbox) -> Trouble {
    let answer = state.refusal(&recipient.to_string()).unwrap_or_else(catalogue::server_fault);
    Trouble::new(answer, format!("mailbox of {recipient} is {}", state.name()))
}

/// The fields that final delivery puts in front of the message.
pub(super) fn delivery_fields(mail: &LocalMail<'_>) -> Vec<u8> {
    let return_path = trace::return_path_field(mail.reverse_path);
    [return_path, trace::delivered_to_field(mail.recipient)].concat()
}

/// What makes a delivery unique, as characters that may stand in the name of a file: the
/// queue id and a hash of the recipient in lower case (FNV-1a of 64 bits).
pub(crate) fn delivery_id(mail: &LocalMail<'_>) -> String {
    let recipient = mail.recipient.to_string().to_lowercase();
    let hash = recipient.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let id: String = mail.queue_id.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("Q{id}R{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    fn check(errno: Errno, expected: &str) {
        let trouble = Trouble::io(Path::new("/var/mail/user"), &errno.into());
        assert_eq!(trouble.answer.row().id, expected);
        assert!(trouble.reason.contains("/var/mail/user"));
        assert!(!trouble.answer.lines()[0].contains("/var/mail"), "the peer hears no path");
        assert!(matches!(trouble.into_delivery(), Delivery::Deferred(_)));
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_faults_and_both_wait() {
        check(Errno::NOSPC, "server_full");
        check(Errno::DQUOT, "server_full");
        check(Errno::IO, "server_fault");
        check(Errno::ACCESS, "server_fault");
    }

    #[test]
    fn a_delivery_is_one_by_its_queue_id_and_recipient() {
        let id = |queue_id, recipient: &str| {
            delivery_id(&LocalMail {
                queue_id,
                arrival: Timestamp::EPOCH,
                reverse_path: &ReversePath(None),
                recipient: &recipient.parse().unwrap(),
                octets: 0,
                may_be_there: false,
            })
        };
        assert_eq!(id("abc", "User@Example.org"), id("abc", "user@example.org"));
        assert_ne!(id("abc", "user@example.org"), id("abd", "user@example.org"));
        assert_ne!(id("abc", "user@example.org"), id("abc", "user+tag@example.org"));
        assert_eq!(id("../a", "user@example.org"), id("a", "user@example.org"));
    }
}
