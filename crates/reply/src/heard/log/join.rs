//! Lines of one message joined: the sender stands on one, the recipient and what became of
//! it on others. The table is bounded; what it forgot is counted, and those deliveries
//! lack a sender.

use std::borrow::Cow;

use super::generations::Generations;
use super::{Format, LogEntry, Status};
use crate::Stage;

/// Most messages and sessions that are remembered at a time. A busy server has fewer
/// messages on their way.
const MAX_REMEMBERED: usize = 100_000;

#[derive(Debug)]
pub(super) struct Joins(Generations<Box<str>, Known>);

/// What earlier lines said.
#[derive(Debug, Default)]
struct Known {
    sender: Option<Box<str>>,
    recipient: Option<Box<str>>,
    stage: Option<Stage>,
    /// The message that a numbered delivery of qmail is of.
    message: Option<Box<str>>,
}

impl Joins {
    pub(super) fn new() -> Joins {
        Joins(Generations::new(MAX_REMEMBERED))
    }

    /// How many were forgotten before their last line.
    pub(super) const fn forgotten(&self) -> u64 {
        self.0.forgotten()
    }

    /// Learns from the entry, or adds to it what is known.
    pub(super) fn complete<'s, 'l: 's>(&'s mut self, entry: LogEntry<'l>) -> LogEntry<'s> {
        let Some(id) = entry.queue_id.as_deref() else { return entry };
        match entry.status {
            Status::Ended => self.0.remove(id),
            Status::Received => self.learn_message(&entry),
            Status::Note if says_something(&entry) => self.learn_part(&entry),
            Status::Note => {}
            _ => return self.add_known(entry),
        }
        entry
    }

    fn learn_message(&mut self, entry: &LogEntry<'_>) {
        let Some(id) = entry.queue_id.as_deref() else { return };
        let sender = entry.sender.as_deref().map(Box::from);
        self.0.insert(id.into(), Known { sender, ..Known::default() });
    }

    fn learn_part(&mut self, entry: &LogEntry<'_>) {
        let Some(id) = entry.queue_id.as_deref() else { return };
        if self.0.get(id).is_none() {
            self.0.insert(id.into(), Known::default());
        }
        let Some(known) = self.0.get(id) else { return };
        known.stage = entry.stage.or(known.stage);
        known.sender = entry.sender.as_deref().map(Box::from).or(known.sender.take());
        known.recipient =
            entry.recipients.first().map(|to| Box::from(&**to)).or(known.recipient.take());
        if entry.format == Format::Qmail {
            known.message = Some(Box::from(&*entry.diagnosis));
        }
    }

    fn add_known<'s, 'l: 's>(&'s mut self, mut entry: LogEntry<'l>) -> LogEntry<'s> {
        let is_complete = entry.sender.is_some() && !entry.recipients.is_empty();
        let Some(id) = entry.queue_id.as_deref().filter(|_| !is_complete) else { return entry };
        let message = self.0.get(id).and_then(|known| known.message.clone());
        if let Some(message) = message {
            // Copied: the two records cannot be borrowed at once.
            let sender = self.0.get(&*message).and_then(|known| known.sender.clone());
            entry.sender = sender.map(|sender| Cow::Owned(sender.into()));
        }
        let Some(id) = entry.queue_id.clone() else { return entry };
        let Some(known) = self.0.get(&*id) else { return entry };
        let mut entry: LogEntry<'s> = entry;
        if entry.sender.is_none() {
            entry.sender = known.sender.as_deref().map(Cow::Borrowed);
        }
        if entry.recipients.is_empty() {
            entry.recipients.extend(known.recipient.as_deref().map(Cow::Borrowed));
        }
        entry.stage = entry.stage.or(known.stage);
        entry
    }
}

fn says_something(entry: &LogEntry<'_>) -> bool {
    entry.sender.is_some() || !entry.recipients.is_empty() || entry.stage.is_some()
}
