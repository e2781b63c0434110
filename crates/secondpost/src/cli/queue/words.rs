//! What `queue` and `why` say of a message, in the reader's language: its block, why it is
//! held, when it goes on and why then.

use std::time::Duration;

use mta::control::{QueuedMessage, QueuedRecipient, VerdictView};
use mta::dispatcher::BY_ADMINISTRATOR;
use reply::explain::{
    Language, cause_in_words, duration_from_now, duration_in_words, queued, queued_count,
    whose_move_in_words,
};
use reply::{Cause, WhoseMove};
use unicode_width::UnicodeWidthStr;

use crate::cli::text;

/// How a message came in.
pub(crate) fn origin_in_words(origin: &str, language: Language) -> String {
    match origin {
        "local" | "notification" => queued(language, &format!("origin-{origin}"), &[]),
        listener => queued(language, "origin-over", &[("listener", listener)]),
    }
}

/// Why a message is held or was removed: what an administrator did is told in the reader's
/// language, the rest as it was recorded.
pub(crate) fn reason_in_words(reason: &str, language: Language) -> String {
    match reason {
        BY_ADMINISTRATOR => queued(language, "by-administrator", &[]),
        recorded => text::printable(recorded),
    }
}

/// A label of [`Labels::ALL`] and its text, one under the other.
pub(crate) struct Labels {
    language: Language,
    width: usize,
}

impl Labels {
    const ALL: [&str; 9] = ["from", "to", "held", "said", "means", "move", "next", "note", "then"];

    pub(crate) fn new(language: Language) -> Labels {
        let widths = Labels::ALL.iter().map(|name| queued(language, name, &[]).width());
        Labels { language, width: widths.max().unwrap_or(0).max(6) }
    }

    /// One line, or more where the text is long.
    pub(crate) fn line(&self, indent: usize, name: &str, said: &str) -> String {
        text::labelled(indent, &queued(self.language, name, &[]), self.width, said)
    }

    /// The same with a wider column, as beside times.
    pub(crate) fn wide(&self, width: usize, name: &str, said: &str) -> String {
        text::labelled(0, &queued(self.language, name, &[]), width, said)
    }
}

/// One message for people, a block of lines of at most 80 columns.
pub(crate) fn block(message: &QueuedMessage, language: Language) -> String {
    let age = duration_in_words(text::seconds(message.age_seconds), language);
    let size = text::size(message.octets, language);
    let origin = origin_in_words(&message.origin, language);
    let head = queued(language, "head", &[("age", &age), ("size", &size), ("origin", &origin)]);
    let labels = Labels::new(language);
    let mut shown = format!("{}  {head}\n", text::bold(&message.id));
    shown.push_str(&labels.line(2, "from", &text::address(&message.sender)));
    if let Some(reason) = &message.held {
        shown.push_str(&labels.line(2, "held", &reason_in_words(reason, language)));
    }
    for recipient in &message.recipients {
        shown.push_str(&recipient_block(recipient, &labels));
    }
    shown.push('\n');
    shown
}

fn recipient_block(recipient: &QueuedRecipient, labels: &Labels) -> String {
    let language = labels.language;
    let status = match recipient.status.as_str() {
        "waiting" => String::new(),
        other => format!(" ({})", queued(language, &format!("status-{other}"), &[])),
    };
    let name = format!("{}{status}", text::address(&recipient.address));
    let mut shown = labels.line(2, "to", &name);
    let mut line = |label: &str, text: &str| shown.push_str(&labels.line(4, label, text));
    if let Some(reason) = &recipient.held {
        line("held", &reason_in_words(reason, language));
    }
    if let Some(reply) = &recipient.last_reply {
        line("said", &text::printable(reply));
    }
    if let Some(verdict) = &recipient.verdict {
        line("means", &meaning(verdict, language));
        line("move", &whose_move(verdict, language));
    }
    if recipient.next_attempt_at.is_some() {
        line("next", &next(recipient, language));
    }
    if let Some(advice) = advice(recipient, language) {
        line("note", &advice);
    }
    shown
}

/// The cause in words.
pub(crate) fn meaning(verdict: &VerdictView, language: Language) -> String {
    match verdict.cause() {
        Some(cause) => cause_in_words(cause, language),
        None => verdict.cause.clone(),
    }
}

/// Whose move it is, in words.
pub(crate) fn whose_move(verdict: &VerdictView, language: Language) -> String {
    let whose = WhoseMove::ALL.into_iter().find(|whose| whose.name() == verdict.whose_move);
    whose.map_or(verdict.whose_move.clone(), |whose| whose_move_in_words(whose, language))
}

/// When the next attempt is due, and why then.
pub(crate) fn next(recipient: &QueuedRecipient, language: Language) -> String {
    let due = match recipient.next_attempt_in_seconds.map(Duration::from_secs) {
        None => queued(language, "unplanned", &[]),
        Some(Duration::ZERO) => queued(language, "now", &[]),
        Some(wait) => duration_from_now(wait, language),
    };
    let when = match &recipient.next_attempt_at {
        Some(at) => queued(language, "at", &[("due", &due), ("time", at)]),
        None => due,
    };
    match &recipient.next_attempt_why {
        Some(why) => {
            let why = why_in_words(why, language);
            queued(language, "because", &[("when", &when), ("why", &why)])
        }
        None => when,
    }
}

/// Why an attempt is due when it is, or why there is none: the names of the events in words.
pub(crate) fn why_in_words(why: &str, language: Language) -> String {
    match why {
        setting if setting.starts_with("retry.") => {
            queued(language, "why-steps", &[("setting", &format!("`{setting}`"))])
        }
        "expired" => queued(language, "why-expired", &[("setting", "`retry.give_up_after`")]),
        known if WHY.contains(&known) => queued(language, &format!("why-{known}"), &[]),
        recorded => text::printable(recorded),
    }
}

/// Names that have words of their own.
const WHY: [&str; 5] =
    ["hint", "learned-window", "next-transaction", "host-left-alone", "permanent"];

/// After the third 450 in a row a mailbox that is full or disabled is likelier than one
/// that is busy.
pub(crate) fn advice(recipient: &QueuedRecipient, language: Language) -> Option<String> {
    let verdict = recipient.verdict.as_ref()?;
    let persists = recipient.transient_in_a_row >= 3 && verdict.code == Some(450);
    let known = matches!(verdict.cause(), Some(Cause::MailboxFull | Cause::MailboxDisabled));
    let asked = format!("`secondpost verify {}`", text::printable(&recipient.address));
    let count = u64::from(recipient.transient_in_a_row);
    (persists && !known && recipient.status == "waiting")
        .then(|| queued_count(language, "advice", count, &[("command", &asked)]))
}

#[cfg(test)]
mod tests;
