//! Mails about mail: delivery status notifications (RFC 3464, 6522, 6533), the bounces of
//! programs that do not write them, warnings of delay, feedback reports (RFC 5965, 6591)
//! and automatic replies (RFC 3834). One result for each recipient.
//!
//! No program is known by name. `mail` takes the octets apart, `status` reads the fields
//! of a notification, `text` finds recipients and their lines in the human part,
//! `replies` what servers said, and `judge` makes the verdict. Start at [`read`].

mod address;
mod decode;
mod judge;
mod mail;
mod phrases;
mod replies;
mod report;
mod status;
mod text;

use std::borrow::Cow;

use judge::{Said, judge};
use mail::{Content, Header, Mail};
use status::Status;
use text::Lines;

use super::{Heard, Kind, Unreadable};
use crate::{EnhancedCode, Permanence};

/// Most octets of one mail that are read: the returned message stands at its end.
pub const MAX_MAIL_OCTETS: usize = 4 * 1024 * 1024;
/// Most octets of the human parts together.
const MAX_HUMAN_OCTETS: usize = 128 * 1024;

/// Most bounces in bounces that are opened.
const MAX_DEPTH: usize = 2;
/// Rules and white space before a returned message.
const LEADING: &[char] = &['\n', ' ', '-', '=', '\t', '|', '*'];

/// Fields that mails have, of which a text must begin with some to be taken for one.
const MAIL_FIELDS: &[&str] = &[
    "from",
    "to",
    "subject",
    "date",
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "content-type",
    "delivered-to",
    "x-failed-recipients",
    "auto-submitted",
    "reply-to",
];

/// Whether `octets` are a mail: a header with fields that mails have.
pub(super) fn is_mail(octets: &[u8]) -> bool {
    let start = &octets[..octets.len().min(32 * 1024)];
    let mut rest = without_envelope_line(start);
    let mut seen = 0;
    while seen < 2 {
        let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else { return false };
        let line = &rest[..end];
        let next = &rest[end..];
        rest = next.strip_prefix(b"\r\n").unwrap_or(&next[1..]);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(name) = mail::field_name(line) else { return false };
        let is_known = MAIL_FIELDS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        seen += usize::from(is_known);
    }
    true
}

/// Cuts the "From " line of an mbox, and empty lines.
fn without_envelope_line(octets: &[u8]) -> &[u8] {
    let octets = octets.trim_ascii_start();
    if !octets.starts_with(b"From ") {
        return octets;
    }
    let end = memchr::memchr2(b'\n', b'\r', octets).unwrap_or(octets.len());
    octets[end..].trim_ascii_start()
}

/// What a mail says, for each recipient that it is about.
pub(super) fn read(octets: &[u8]) -> Vec<Heard> {
    read_at(octets, 0)
}

/// The same with what could not be read of it.
pub(super) fn read_damaged(octets: &[u8]) -> (Vec<Heard>, Vec<Unreadable>) {
    taken_apart(octets, |mail| (of_mail(mail, 0), damage(mail)))
}

/// Reads a mail that stands in `depth` others.
fn read_at(octets: &[u8], depth: usize) -> Vec<Heard> {
    taken_apart(octets, |mail| of_mail(mail, depth))
}

fn taken_apart<T>(octets: &[u8], read: impl FnOnce(&Mail<'_>) -> T) -> T {
    let octets = &octets[..octets.len().min(MAX_MAIL_OCTETS)];
    let octets = mail::with_lf(octets);
    read(&Mail::read(without_envelope_line(&octets)))
}

/// What could not be read. Words that are cut are no loss where the returned message follows
/// them: of that nothing is asked.
fn damage(mail: &Mail<'_>) -> Vec<Unreadable> {
    let mut unreadable = mail.unreadable();
    let is_of_words = |what: &Unreadable| {
        let Unreadable::Long { part, .. } = what else { return false };
        mail.parts.get(part - 1).is_some_and(|part| part.content != Content::Status)
    };
    let words_end =
        || mail.part(Content::Returned).is_some() || !text::cut(&human_part(mail)).1.is_empty();
    if unreadable.iter().any(is_of_words) && words_end() {
        unreadable.retain(|what| !is_of_words(what));
    }
    unreadable
}

/// What a mail says that was taken apart.
fn of_mail(mail: &Mail<'_>, depth: usize) -> Vec<Heard> {
    if let Some(report) = report::read(mail) {
        return report;
    }
    let human = without_quoting(human_part(mail));
    let (words, returned) = text::cut(&human);
    if let Some(notices) = super::webhook::in_mail(&human) {
        return notices;
    }
    let bounce = Bounce::new(mail, words, returned);
    match bounce.within(returned, depth) {
        Some(within) => within,
        None => bounce.read(),
    }
}

/// What a mail service tells of one recipient over HTTP.
#[derive(Clone, Debug, Default)]
pub(super) struct Notice {
    pub(super) recipient: Option<String>,
    pub(super) diagnostic: String,
    pub(super) status: Option<EnhancedCode>,
    pub(super) action: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) message_id: Option<String>,
    pub(super) arrival: Option<String>,
    pub(super) remote_mta: Option<String>,
}

/// What a notice means, as a bounce would be judged that says the same.
pub(super) fn of_notice(notice: &Notice, permanence: Permanence) -> Heard {
    let action = match permanence {
        Permanence::Positive => "delivered",
        Permanence::Transient => "delayed",
        Permanence::Permanent => "failed",
    };
    let (diagnostic_type, diagnostic) = status::without_type(&notice.diagnostic);
    let fields = status::Recipient {
        action: Some(action.to_owned()),
        status: notice.status,
        diagnostic_type: diagnostic_type.to_ascii_lowercase(),
        diagnostic: diagnostic.to_owned(),
        ..status::Recipient::default()
    };
    let said = Said { fields: Some(&fields), ..Said::default() };
    Heard { action: notice.action.clone(), ..judge(&said) }
}

/// The text before the returned message: the plain parts, or the HTML one without tags.
fn human_part<'a>(mail: &Mail<'a>) -> Cow<'a, str> {
    let parts = || mail.parts.iter().take_while(|part| part.content != Content::Returned);
    let mut plain = parts().filter(|part| part.content == Content::Text);
    if let Some(first) = plain.next() {
        let mut text = first.text();
        for part in plain {
            if text.len() < MAX_HUMAN_OCTETS {
                let more = part.text();
                text.to_mut().push('\n');
                text.to_mut().push_str(&more);
            }
        }
        if !text.trim().is_empty() {
            return text;
        }
    }
    let html = parts().find(|part| part.content == Content::Html);
    html.map_or(Cow::Borrowed(""), |part| Cow::Owned(without_tags(&part.text())))
}

/// A bounce that somebody passed on with "> " before its lines.
fn without_quoting(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr::memmem::find(text.as_bytes(), b"\n> ").is_none() {
        return text;
    }
    let is_quoted = ["\n> Final-Recipient:", "\n> Reporting-MTA:", "\n>    ----- Transcript"]
        .iter()
        .any(|mark| text.contains(mark));
    if !is_quoted {
        return text;
    }
    let bare = |line: &str| {
        let rest = line.strip_prefix('>').unwrap_or(line);
        rest.strip_prefix(' ').unwrap_or(rest).to_owned()
    };
    Cow::Owned(text.lines().map(bare).collect::<Vec<_>>().join("\n"))
}

/// The text of an HTML part: tags cut, line ends where blocks end, common entities.
fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at + 1..];
        let name: String =
            tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').take(10).collect();
        let name = name.to_ascii_lowercase();
        let end = match name.as_str() {
            "style" | "script" => tag.find("</").unwrap_or(tag.len()),
            _ => tag.find('>').map_or(tag.len(), |end| end + 1),
        };
        // An address in angle brackets that was not escaped is no tag.
        if tag[..end].contains('@') && !tag[..end].contains(['"', '=']) {
            out.push_str(&tag[..end]);
        } else if matches!(
            name.as_str(),
            "br" | "br/"
                | "p"
                | "/p"
                | "/div"
                | "/tr"
                | "/td"
                | "/li"
                | "/h1"
                | "/h2"
                | "/h3"
                | "/table"
        ) {
            out.push('\n');
        }
        rest = &tag[end..];
    }
    out.push_str(rest);
    unescaped(&out)
}

fn unescaped(text: &str) -> String {
    let entities = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

/// A mail of which it is to be found out whether it is a bounce, and of whom.
struct Bounce<'a> {
    mail: &'a Mail<'a>,
    words: &'a str,
    original: Original<'a>,
    status: Status,
    has_status_part: bool,
    failed_recipients: Vec<String>,
    subject: String,
}

/// The returned message, or what is left of it.
struct Original<'a> {
    header: Header<'a>,
}

impl Original<'_> {
    fn addresses(&self, name: &str) -> Vec<String> {
        let Some(value) = self.header.text(name) else { return Vec::new() };
        address::spots(&value).iter().map(|spot| spot.address.to_owned()).collect()
    }

    fn sender(&self) -> Option<String> {
        ["return-path", "from"].iter().find_map(|name| self.addresses(name).into_iter().next())
    }
}

impl<'a> Bounce<'a> {
    fn new(mail: &'a Mail<'a>, words: &'a str, returned: &'a str) -> Bounce<'a> {
        let part = mail.part(Content::Status);
        let mut status = part.map(|part| status::read(&part.text())).unwrap_or_default();
        if status.recipients.is_empty() && has_fields(words) {
            status = status::read(words);
        }
        let failed = mail.header.text("x-failed-recipients").unwrap_or_default();
        let failed_recipients =
            address::spots(&failed).iter().map(|spot| spot.address.to_owned()).collect();
        Bounce {
            mail,
            words,
            original: Original { header: original_header(mail, returned) },
            has_status_part: part.is_some(),
            status,
            failed_recipients,
            subject: mail.header.text("subject").unwrap_or_default(),
        }
    }

    fn read(self) -> Vec<Heard> {
        if self.tells_every_action() {
            let mut heard = self.by_status(false);
            self.add_message(&mut heard);
            return heard;
        }
        let in_subject = phrases::said(&self.subject);
        let in_words = phrases::said(self.words);
        if let Some(kind) = self.other_kind(in_subject, in_words) {
            return vec![self.of_kind(kind)];
        }
        let is_late = (in_subject.late || in_words.late)
            && !in_words.gave_up
            && !in_subject.failed_for_good();
        let mut heard = if self.status.recipients.is_empty() {
            self.by_words(is_late)
        } else {
            self.by_status(is_late)
        };
        self.add_message(&mut heard);
        heard
    }

    /// A bounce that somebody passed on in another one, which tells nothing itself.
    fn within(&self, returned: &str, depth: usize) -> Option<Vec<Heard>> {
        let kind =
            self.original.header.value("content-type").unwrap_or_default().to_ascii_lowercase();
        let is_report = kind.replace('"', "").contains("report-type=delivery-status")
            || (is_from_daemon(&self.original.header) && !is_from_daemon(&self.mail.header));
        if depth >= MAX_DEPTH || !is_report || !self.status.recipients.is_empty() {
            return None;
        }
        let octets = match self.mail.part(Content::Returned) {
            Some(part) => part.body,
            None => returned.trim_start_matches(LEADING).as_bytes(),
        };
        let heard = read_at(octets, depth + 1);
        let says_something = |heard: &Heard| heard.recipient.is_some() && heard.verdict.is_some();
        Some(heard).filter(|heard| heard.iter().any(says_something))
    }

    /// Whether the fields say of every recipient what was done, so that the words need not.
    fn tells_every_action(&self) -> bool {
        let recipients = &self.status.recipients;
        !recipients.is_empty() && recipients.iter().all(|fields| fields.action.is_some())
    }

    /// Whether it is no bounce, and then what.
    fn other_kind(&self, in_subject: phrases::Said, in_words: phrases::Said) -> Option<Kind> {
        if self.has_status_part
            || !self.failed_recipients.is_empty()
            || !self.status.recipients.is_empty()
        {
            return None;
        }
        let header = &self.mail.header;
        if report::is_auto_reply_by_subject(&self.subject) || report::has_auto_reply_field(header) {
            return Some(Kind::AutoReply);
        }
        if is_of_a_list(header) && !is_from_daemon(header) {
            return Some(Kind::NotABounce);
        }
        let points = u8::from(is_from_daemon(&self.mail.header))
            + u8::from(in_subject.anything())
            + u8::from(in_words.anything());
        if points >= 2 || (points == 1 && self.tells_a_refusal()) {
            return None;
        }
        let is_auto = header.value("auto-submitted").is_some_and(|value| {
            value.trim_start().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("auto"))
        });
        Some(if is_auto { Kind::AutoReply } else { Kind::NotABounce })
    }

    /// Whether a program names an address and a refusal with it, in whatever language.
    fn tells_a_refusal(&self) -> bool {
        if !is_from_daemon(&self.mail.header) {
            return false;
        }
        let senders = self.senders();
        let named = text::named(self.words, &senders);
        let is_sender =
            |name: &&str| senders.iter().any(|sender| sender.eq_ignore_ascii_case(name));
        let is_labelled =
            named.role >= Some(address::Role::Labelled) && !named.recipients.iter().any(is_sender);
        let is_heading = named.role == Some(address::Role::Heading);
        let is_of_another = named.role.is_some() && !named.recipients.iter().any(is_sender);
        let is_by_daemon = is_of_another && self.is_of_a_daemon();
        let is_told = (is_labelled || is_by_daemon) && {
            let said = judge::in_words(self.words);
            judge::tells_of_a_mailbox(&said) || is_by_daemon && judge::tells_a_cause(&said)
        };
        let has_enhanced_code =
            || replies::read(self.words).iter().any(|said| said.reply.enhanced_code().is_some());
        is_told || is_heading && has_enhanced_code()
    }

    /// Whether it comes from a daemon by its own name, and nobody is to answer it (RFC 5321
    /// §4.5.5).
    fn is_of_a_daemon(&self) -> bool {
        let header = &self.mail.header;
        let from = header.text("from").unwrap_or_default();
        address::first(&from).is_some_and(text::is_daemon)
            && header.value("return-path").is_some_and(|path| path.trim() == "<>")
    }

    fn of_kind(&self, kind: Kind) -> Heard {
        let mut heard = Heard::of(kind);
        if kind == Kind::AutoReply {
            heard.recipient = self
                .mail
                .header
                .text("from")
                .and_then(|from| address::first(&from).map(str::to_owned));
        }
        heard.arrival = self.mail.header.value("date").map(Cow::into_owned);
        heard
    }

    /// One result for each recipient of the notification's fields.
    fn by_status(&self, is_late: bool) -> Vec<Heard> {
        let recipients = &self.status.recipients;
        let is_named =
            |fields: &status::Recipient| fields.address().is_some_and(|name| name.contains('@'));
        let fallback =
            if recipients.iter().all(is_named) { Vec::new() } else { self.fallback_recipients() };
        let names: Vec<&str> = recipients
            .iter()
            .enumerate()
            .map(|(at, fields)| match fields.address() {
                Some(address) if address.contains('@') || fallback.len() != recipients.len() => {
                    address
                }
                Some(_) | None => fallback.get(at).map_or("", String::as_str),
            })
            .collect();
        let words = self.human_words();
        let lines = Lines::new(words, &names, self.reason_in_subject());
        let each = recipients.iter().zip(&names).enumerate();
        each.map(|(at, (fields, name))| {
            judge(&Said {
                recipient: Some(*name).filter(|name| !name.is_empty()),
                fields: Some(fields),
                lines: Some((&lines, at)),
                is_late,
            })
        })
        .collect()
    }

    /// The words without a notification's fields that stand among them.
    fn human_words(&self) -> &'a str {
        if self.has_status_part {
            return self.words;
        }
        let end = self.words.find("Reporting-MTA:").filter(|_| has_fields(self.words));
        &self.words[..end.unwrap_or(self.words.len())]
    }

    /// What stands behind "Returned mail:" and the like. Behind "Undeliverable:" stands
    /// the subject of the message.
    fn reason_in_subject(&self) -> &str {
        let (first, rest) = self.subject.split_once(':').unwrap_or_default();
        let names = ["returned mail", "delivery failure", "mail failure", "delivery error"];
        let is_named = names.iter().any(|name| name.eq_ignore_ascii_case(first.trim()));
        if is_named { rest.trim() } else { "" }
    }

    /// One result for each recipient that the header or the words name.
    fn by_words(&self, is_late: bool) -> Vec<Heard> {
        let names = self.named();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let names = if names.is_empty() { vec![""] } else { names };
        let lines = Lines::new(self.words, &names, self.reason_in_subject());
        let each = names.iter().enumerate();
        each.map(|(at, name)| {
            let recipient = Some(*name).filter(|name| !name.is_empty());
            judge(&Said { recipient, fields: None, lines: Some((&lines, at)), is_late })
        })
        .collect()
    }

    /// The recipients that the header, the words or the returned message name.
    fn named(&self) -> Vec<String> {
        if !self.failed_recipients.is_empty() {
            return self.failed_recipients.clone();
        }
        let named = text::named(self.words, &self.senders());
        let is_clear = named.role.is_some_and(|role| role >= address::Role::Labelled);
        let mut names: Vec<String> =
            named.recipients.iter().map(|name| (*name).to_owned()).collect();
        if !is_clear {
            let original = self.original_recipients();
            // The words may say the same address, or another's.
            if original.len() == 1 || names.is_empty() {
                names = original;
            }
        }
        names
    }

    fn fallback_recipients(&self) -> Vec<String> {
        if self.failed_recipients.is_empty() {
            self.named()
        } else {
            self.failed_recipients.clone()
        }
    }

    fn original_recipients(&self) -> Vec<String> {
        ["x-failed-recipients", "to", "delivered-to"]
            .iter()
            .map(|name| self.original.addresses(name))
            .find(|all| !all.is_empty())
            .unwrap_or_default()
    }

    /// To whom the bounce goes is who sent the message.
    fn senders(&self) -> Vec<String> {
        let of_bounce = |name: &str| {
            let value = self.mail.header.text(name).unwrap_or_default();
            address::spots(&value).iter().map(|spot| spot.address.to_owned()).collect::<Vec<_>>()
        };
        let mut senders = of_bounce("to");
        senders.extend(of_bounce("from"));
        senders.extend(self.original.sender());
        senders
    }

    /// Adds what the bounce says of the message itself.
    fn add_message(&self, heard: &mut [Heard]) {
        let original = &self.original;
        let sender = original.sender().or_else(|| {
            let to = self.mail.header.text("to")?;
            address::first(&to).map(str::to_owned)
        });
        let message_id = original
            .header
            .value("message-id")
            .map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
        let arrival = self.status.arrival.clone();
        let arrival = arrival.or_else(|| self.mail.header.value("date").map(Cow::into_owned));
        for one in heard {
            one.sender.clone_from(&sender);
            one.message_id.clone_from(&message_id);
            one.arrival.clone_from(&arrival);
        }
    }
}

/// Whether a mail is from a program that delivers mail, or from its keeper.
fn is_from_daemon(header: &Header<'_>) -> bool {
    let Some(from) = header.text("from") else { return !header.is_empty() };
    let lower = from.to_ascii_lowercase();
    let names = [
        "mail delivery",
        "mailer-daemon",
        "postmaster",
        "mail administrator",
        "system administrator",
        "mail system",
        "post_master",
        "mailerdaemon",
    ];
    let address = address::first(&from);
    address.is_none_or(text::is_daemon)
        || names.iter().any(|name| lower.contains(name))
        || header.value("return-path").is_some_and(|path| path.trim() == "<>")
}

/// Whether a mailing list sent it (RFC 2369, RFC 2919), which may write about bounces.
fn is_of_a_list(header: &Header<'_>) -> bool {
    ["list-unsubscribe", "list-id", "list-post"].iter().any(|name| header.value(name).is_some())
}

/// Whether the fields of a notification stand in a text.
fn has_fields(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"-Recipient:").is_some()
        && (text.contains("Action:") || text.contains("Status:"))
}

/// The header of the returned message: in a part of its own, or at the end of the words.
fn original_header<'a>(mail: &Mail<'a>, returned: &'a str) -> Header<'a> {
    if let Some(part) = mail.part(Content::Returned) {
        let (header, _) = Header::read(part.body.trim_ascii_start());
        if !header.is_empty() {
            return header;
        }
    }
    let start = returned.trim_start_matches(LEADING);
    Header::read(without_envelope_line(start.as_bytes())).0
}
