//! Feedback reports (RFC 5965), authentication failure reports (RFC 6591), and how
//! automatic replies are told (RFC 3834).

use std::borrow::Cow;

use crate::heard::{Heard, Kind};

use super::mail::{Content, Header, Mail};
use super::{address, decode, phrases};

/// Most recipients of one report.
const MAX_RECIPIENTS: usize = 200;

/// A feedback report, or none: one result for each recipient that it names.
pub(super) fn read(mail: &Mail<'_>) -> Option<Vec<Heard>> {
    let part = mail.part(Content::Feedback);
    let fields = match part {
        Some(part) => part.text(),
        None => return of_hotmail(mail),
    };
    let (fields, _) = Header::read(fields.trim_start().as_bytes());
    let is_auth = fields
        .value("feedback-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("auth-failure"))
        || fields.has("auth-failure");
    let kind = if is_auth { Kind::AuthReport } else { Kind::Complaint };
    let original =
        mail.part(Content::Returned).map(|part| Header::read(part.body.trim_ascii_start()).0);
    let original = original.unwrap_or_default();
    let named = ["original-rcpt-to", "removal-recipient", "rcpt-to"].iter();
    let mut recipients = named.map(|name| addresses(&fields, name)).find(|all| !all.is_empty());
    recipients =
        recipients.or_else(|| Some(addresses(&original, "to")).filter(|all| !all.is_empty()));
    let sender =
        ["original-mail-from", "reported-domain"].iter().find_map(|name| fields.text(name));
    let report = Heard {
        sender: sender.map(|sender| sender.trim_matches(['<', '>', ' ']).to_owned()),
        message_id: original
            .value("message-id")
            .map(|id| id.trim_matches(['<', '>', ' ']).to_owned()),
        arrival: ["arrival-date", "received-date"].iter().find_map(|name| fields.text(name)),
        ..Heard::of(kind)
    };
    Some(for_each(recipients.unwrap_or_default(), &report))
}

/// The reports of Hotmail are mails with the complaint's recipient in a field of their own.
fn of_hotmail(mail: &Mail<'_>) -> Option<Vec<Heard>> {
    let names = ["x-hmxmroriginalrecipient", "x-original-rcpt-to"];
    let returned = mail.part(Content::Returned)?;
    let (original, _) = Header::read(returned.body.trim_ascii_start());
    let subject = mail.header.text("subject").unwrap_or_default().to_ascii_lowercase();
    let is_complaint = mail.header.has(names[0])
        || original.has(names[0])
        || subject.starts_with("complaint about message from");
    if !is_complaint {
        return None;
    }
    let mut recipients = addresses(&original, names[0]);
    if recipients.is_empty() {
        recipients = addresses(&original, "to");
    }
    Some(for_each(recipients, &Heard::of(Kind::Complaint)))
}

fn for_each(recipients: Vec<String>, report: &Heard) -> Vec<Heard> {
    if recipients.is_empty() {
        return vec![report.clone()];
    }
    let each = recipients.into_iter().take(MAX_RECIPIENTS);
    each.map(|recipient| Heard { recipient: Some(recipient), ..report.clone() }).collect()
}

fn addresses(header: &Header<'_>, name: &str) -> Vec<String> {
    let of = |value: Cow<'_, str>| {
        let value = decode::words(&value).into_owned();
        address::spots(&value).iter().map(|spot| spot.address.to_owned()).collect::<Vec<_>>()
    };
    header.values(name).flat_map(of).collect()
}

/// Whether a subject is that of a program's answer.
pub(super) fn is_auto_reply_by_subject(subject: &str) -> bool {
    let lower = subject.trim_start().to_lowercase();
    phrases::AUTO_REPLIES.iter().any(|words| lower.starts_with(words))
}

/// Whether a header has a field that only programs which answer write.
pub(super) fn has_auto_reply_field(header: &Header<'_>) -> bool {
    let names = [
        "x-autoreply",
        "x-autorespond",
        "x-autoresponder",
        "x-auto-reply-from",
        "x-mail-autoreply",
    ];
    let is_precedence = |name: &str| {
        header.value(name).is_some_and(|value| {
            ["auto_reply", "auto-reply", "auto_replied"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(value.trim()))
        })
    };
    names.iter().any(|name| header.has(name))
        || is_precedence("precedence")
        || is_precedence("x-precedence")
}
