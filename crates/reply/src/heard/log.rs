//! Lines of mail servers' logs: who tried to deliver what to whom, what was answered,
//! and what became of it.
//!
//! [`recognise`] reads one line and knows nothing of others; [`LogReader`] takes octets as
//! they come, splits them, and joins the lines of one queue id; [`Summary`] counts. Each
//! program has a file with its name. An entry borrows from its line, and what it means is
//! made on request ([`LogEntry::verdict`]): most lines of a log say nothing about a reply.

mod courier;
mod exchange;
mod exim;
mod fields;
mod generations;
mod haraka;
mod join;
mod json;
mod mask;
mod opensmtpd;
mod other;
mod postfix;
mod prefix;
mod qmail;
mod reader;
mod report;
mod said;
mod secondpost;
mod sendmail;
mod stalwart;
mod summary;
mod time;
mod top;
mod trend;
mod zonemta;

use std::borrow::Cow;

use super::{Heard, Kind};
use crate::{Code, EnhancedCode, Reply, Stage, Timestamp, Verdict};

pub use reader::{Counts, Damage, Line, LogReader, MAX_LINE_OCTETS};
pub use report::MAX_TO_DO;
pub use summary::{Meaning, Meanings, OfCause, Summary, ToDo, domain};
pub use time::Reference;
pub use top::{Tally, Top};
pub use trend::{Trend, bars};

/// The program whose log a line is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are the programs'
pub enum Format {
    Postfix,
    Exim,
    Sendmail,
    OpenSmtpd,
    Qmail,
    Courier,
    Dovecot,
    Exchange,
    Haraka,
    KumoMta,
    Stalwart,
    ZoneMta,
    /// Our own.
    Secondpost,
    /// Another program's; what it quotes is read all the same.
    Other,
}

impl Format {
    /// Every form.
    pub const ALL: [Format; 14] = [
        Format::Postfix,
        Format::Exim,
        Format::Sendmail,
        Format::OpenSmtpd,
        Format::Qmail,
        Format::Courier,
        Format::Dovecot,
        Format::Exchange,
        Format::Haraka,
        Format::KumoMta,
        Format::Stalwart,
        Format::ZoneMta,
        Format::Secondpost,
        Format::Other,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Postfix => "postfix",
            Format::Exim => "exim",
            Format::Sendmail => "sendmail",
            Format::OpenSmtpd => "opensmtpd",
            Format::Qmail => "qmail",
            Format::Courier => "courier",
            Format::Dovecot => "dovecot",
            Format::Exchange => "exchange",
            Format::Haraka => "haraka",
            Format::KumoMta => "kumomta",
            Format::Stalwart => "stalwart",
            Format::ZoneMta => "zone-mta",
            Format::Secondpost => "secondpost",
            Format::Other => "other",
        }
    }
}

/// What became of a message or a recipient by one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Delivered, or taken by the next server.
    Sent,
    /// Not delivered; tried again later.
    Deferred,
    /// Given up.
    Bounced,
    /// This server refused it for now.
    RejectedForNow,
    /// This server refused it.
    Rejected,
    /// This server took a message.
    Received,
    /// Nothing is left to do for the message.
    Ended,
    /// Something went wrong, and what comes of it stands on another line.
    Trouble,
    /// Nothing about a delivery.
    Note,
}

impl Status {
    /// Every one.
    pub const ALL: [Status; 9] = [
        Status::Sent,
        Status::Deferred,
        Status::Bounced,
        Status::RejectedForNow,
        Status::Rejected,
        Status::Received,
        Status::Ended,
        Status::Trouble,
        Status::Note,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Sent => "sent",
            Status::Deferred => "deferred",
            Status::Bounced => "bounced",
            Status::RejectedForNow => "rejected-for-now",
            Status::Rejected => "rejected",
            Status::Received => "received",
            Status::Ended => "ended",
            Status::Trouble => "trouble",
            Status::Note => "note",
        }
    }

    /// Whether the line says how an attempt ended, or that this server refused one.
    pub const fn is_outcome(self) -> bool {
        matches!(
            self,
            Status::Sent
                | Status::Deferred
                | Status::Bounced
                | Status::RejectedForNow
                | Status::Rejected
        )
    }

    /// Whether this server refused it.
    pub const fn is_rejection(self) -> bool {
        matches!(self, Status::Rejected | Status::RejectedForNow)
    }
}

/// The host at the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer<'a> {
    /// Its name, or what the program calls the way to it (`dovecot`, `local`).
    pub name: Option<&'a str>,
    /// Its address.
    pub address: Option<&'a str>,
}

/// One line of a log, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// Whose line it is.
    pub format: Format,
    /// When, where the line says so and the year is known.
    pub time: Option<Timestamp>,
    /// The program as it names itself; empty where it does not.
    pub program: Cow<'a, str>,
    /// The message in the server's own naming.
    pub queue_id: Option<Cow<'a, str>>,
    /// The reverse-path; empty is the null one.
    pub sender: Option<Cow<'a, str>>,
    /// The forward-paths that the line is about.
    pub recipients: Vec<Cow<'a, str>>,
    /// The host that was delivered to, or that delivers to this server.
    pub peer_name: Option<Cow<'a, str>>,
    /// Its address.
    pub peer_address: Option<Cow<'a, str>>,
    /// What became of it.
    pub status: Status,
    /// The command that was answered.
    pub stage: Option<Stage>,
    /// The basic code, where the line has a field for it.
    pub code: Option<Code>,
    /// The enhanced code, where the line has a field for it (`dsn=`).
    pub enhanced_code: Option<EnhancedCode>,
    /// What was said: a reply with words around it, or words alone.
    pub diagnosis: Cow<'a, str>,
}

impl<'a> LogEntry<'a> {
    /// A line of which only the program and the status are known.
    fn new(format: Format, status: Status) -> LogEntry<'a> {
        LogEntry {
            format,
            time: None,
            program: Cow::Borrowed(""),
            queue_id: None,
            sender: None,
            recipients: Vec::new(),
            peer_name: None,
            peer_address: None,
            status,
            stage: None,
            code: None,
            enhanced_code: None,
            diagnosis: Cow::Borrowed(""),
        }
    }

    /// The same with what was said.
    fn saying(mut self, diagnosis: impl Into<Cow<'a, str>>) -> LogEntry<'a> {
        self.diagnosis = diagnosis.into();
        self
    }

    fn with_peer(mut self, peer: Peer<'a>) -> LogEntry<'a> {
        self.peer_name = peer.name.map(Cow::Borrowed);
        self.peer_address = peer.address.map(Cow::Borrowed);
        self
    }

    fn with_queue_id(mut self, id: &'a str) -> LogEntry<'a> {
        self.queue_id = Some(Cow::Borrowed(id)).filter(|id| !id.is_empty());
        self
    }

    /// The same without the line that it borrows from.
    pub fn into_owned(self) -> LogEntry<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        LogEntry {
            program: own(self.program),
            queue_id: self.queue_id.map(own),
            sender: self.sender.map(own),
            recipients: self.recipients.into_iter().map(own).collect(),
            peer_name: self.peer_name.map(own),
            peer_address: self.peer_address.map(own),
            diagnosis: own(self.diagnosis),
            ..self
        }
    }

    /// The reply that the line quotes.
    pub fn reply(&self) -> Option<Reply> {
        said::reply(self).map(|(reply, _)| reply)
    }

    /// What it means; `None` where the line says nothing about a delivery.
    pub fn verdict(&self) -> Option<Verdict> {
        said::verdict(self)
    }

    /// Whether the program wrote down too little to tell the cause, as qmail does and
    /// Sendmail with `stat=Service unavailable`: the reply stands elsewhere, if at all.
    pub fn keeps_too_little(&self) -> bool {
        let terse = matches!(self.format, Format::Qmail | Format::Sendmail | Format::Exchange);
        let failed = matches!(self.status, Status::Deferred | Status::Bounced);
        terse && failed && self.code.is_none() && said::reply(self).is_none()
    }

    /// A line about several recipients, each of whom it tells something of, once for each;
    /// `None` where it is about one, or tells the same of all.
    pub fn each(&self) -> Option<Vec<LogEntry<'_>>> {
        exchange::each(self)
    }

    /// The line as something that was heard: about its first recipient.
    pub fn heard(&self) -> Heard {
        exchange::statuses(self)
            .first()
            .map_or_else(|| self.heard_alike(), |status| self.clone().saying(*status).heard_alike())
    }

    /// The line as something that was heard, whichever of its recipients it is about.
    fn heard_alike(&self) -> Heard {
        let own = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let (reply, stage) = said::reply(self).unzip();
        Heard {
            recipient: self.recipients.first().map(|recipient| recipient.to_string()),
            reply,
            verdict: self.verdict(),
            stage: stage.flatten().or(self.stage),
            sender: own(&self.sender),
            remote_mta: own(&self.peer_name).or_else(|| own(&self.peer_address)),
            arrival: self.time.map(|time| time.to_string()),
            diagnostic: Some(self.diagnosis.to_string()).filter(|words| !words.is_empty()),
            ..Heard::of(Kind::Log)
        }
    }

    /// The same once for each recipient; nothing where it does not tell of a delivery.
    pub fn into_heard(self) -> Vec<Heard> {
        let first = self.heard();
        if first.verdict.is_none() {
            return Vec::new();
        }
        let statuses = exchange::statuses(&self);
        let others = self.recipients.iter().enumerate().skip(1).map(|(at, recipient)| {
            let said = statuses.get(at).map(|status| self.clone().saying(*status).heard_alike());
            let said = said.unwrap_or_else(|| first.clone());
            Heard { recipient: Some(recipient.to_string()), ..said }
        });
        let others: Vec<Heard> = others.collect();
        std::iter::once(first).chain(others).collect()
    }
}

/// What the line of a log says; `None` where no log of a mail server is known to have
/// such lines. `reference` gives times their year and zone.
pub fn recognise<'a>(line: &'a str, reference: Option<&Reference>) -> Option<LogEntry<'a>> {
    let line = line.trim_matches(['\r', '\n', ' ', '\u{feff}', '\0']);
    let line = prefix::without_container(line);
    if line.starts_with('{') {
        return json::read(line, reference);
    }
    if let Some(entry) = exchange::read_header(line).or_else(|| exchange::read_without_header(line))
    {
        return Some(entry);
    }
    let prefix = prefix::split(line, reference);
    read_message(&prefix)
}

/// Reads what a program wrote, by its name or else by its shape.
fn read_message<'a>(prefix: &prefix::Prefix<'a>) -> Option<LogEntry<'a>> {
    let mut entry = by_program(prefix).or_else(|| by_shape(prefix))?;
    entry.time = entry.time.or(prefix.time);
    if entry.program.is_empty() {
        entry.program = Cow::Borrowed(prefix.program);
    }
    Some(entry)
}

fn by_program<'a>(prefix: &prefix::Prefix<'a>) -> Option<LogEntry<'a>> {
    let (program, message) = (prefix.program, prefix.message);
    let first = program.split(['/', '-', '(', ' ', ':']).next().unwrap_or_default();
    match first {
        "postfix" => postfix::read(program.rsplit('/').next().unwrap_or_default(), message),
        "exim" | "exim4" => exim::read(message),
        "sendmail" | "sm" => sendmail::read(true, message),
        "smtpd" => opensmtpd::read(message),
        "qmail" | "rblsmtpd" => qmail::read(program, message),
        "haraka" => haraka::read(message),
        "dovecot" | "lmtp" | "deliver" | "lda" => courier::read_dovecot(message),
        "stalwart" => stalwart::read(message),
        _ if first.starts_with("courier") => courier::read(program, message),
        _ => None,
    }
}

fn by_shape<'a>(prefix: &prefix::Prefix<'a>) -> Option<LogEntry<'a>> {
    let message = prefix.message;
    exim::read_of_message(message)
        .or_else(|| secondpost::read(message))
        .or_else(|| haraka::read(message))
        .or_else(|| zonemta::read(message))
        .or_else(|| stalwart::read(message))
        .or_else(|| exim::read(message))
        .or_else(|| qmail::read(prefix.program, message))
        .or_else(|| opensmtpd::read(message))
        .or_else(|| sendmail::read(false, message))
        .or_else(|| postfix::read("", message))
        .or_else(|| courier::read(prefix.program, message))
}

/// Most lines of one text that are read.
const MAX_LINES: usize = 10_000;

/// Reads a text whose first line is one of a log, in its order; `None` where it
/// is not, or where nothing is said in it.
/// Lines that no log is known by are read as quoted replies.
pub(super) fn read(octets: &[u8]) -> Option<Vec<Heard>> {
    let text = super::unreadable::text(octets);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).take(MAX_LINES);
    let first = lines.next()?;
    let entry = recognise(first, None)?;
    // Its CSV holds what both sides said; what is no outcome is no reply to explain.
    let is_whole = entry.format == Format::Exchange;
    let mut columns = exchange::Columns::of_fields(first);
    let mut heard = entry.into_heard();
    for line in lines {
        if let Some(found) = exchange::Columns::of_fields(line) {
            columns = Some(found);
        }
        let row = columns.as_ref().and_then(|columns| columns.read(line));
        match row.or_else(|| recognise(line, None)) {
            Some(entry) => heard.extend(entry.into_heard()),
            None => heard.extend(super::quoted::read(line.as_bytes())),
        }
    }
    Some(heard).filter(|heard| is_whole || !heard.is_empty())
}

#[cfg(test)]
mod tests;
