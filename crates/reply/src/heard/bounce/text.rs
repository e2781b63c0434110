//! The human part of a bounce: where the returned message begins in it, whom it is
//! about, and which of its lines are about whom. It knows no program by name: addresses
//! head paragraphs, labels name recipients, and transcripts quote commands.

use std::cell::OnceCell;
use std::ops::Range;

use super::address::{self, Role};
use super::phrases;

/// Most lines that are looked at.
const MAX_LINES: usize = 2000;
/// Most recipients that one text names.
const MAX_RECIPIENTS: usize = 200;
/// Most octets of the lines about one recipient.
const MAX_ABOUT_OCTETS: usize = 4096;
/// Longest line, in octets, that is looked at; the rest of it is passed over.
const MAX_LINE_OCTETS: usize = 2000;

/// `text` in two: what the program says, and the returned message.
pub(super) fn cut(text: &str) -> (&str, &str) {
    let copy = phrases::copies(text)
        .map(|at| line_around(text, at))
        .find(|line| announces_copy(&text[line.clone()]));
    let (words, returned) = match copy {
        Some(line) => (&text[..line.start], &text[line.end..]),
        None => (text, ""),
    };
    let mut at = 0;
    let mut headers = HeaderRun::default();
    for line in words.split_inclusive('\n').take(MAX_LINES) {
        if let Some(start) = headers.take(line, at) {
            return text.split_at(start);
        }
        at += line.len();
    }
    (words, returned)
}

/// The line, its end included, in which `at` stands.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let octets = text.as_bytes();
    let start = memchr::memrchr(b'\n', &octets[..at]).map_or(0, |before| before + 1);
    let end = memchr::memchr(b'\n', &octets[at..]).map_or(text.len(), |end| at + end + 1);
    start..end
}

/// A heading like "--- Below this line is a copy of the message."
fn announces_copy(line: &str) -> bool {
    let line = line.trim();
    if line.len() < 8 || line.len() > 160 {
        return false;
    }
    let is_ruled = line.starts_with(['-', '=', '*', '#', '|', '_', '~', '+']);
    let is_sentence = line.ends_with([':', '.', '：']) && line.len() < 90;
    if !is_ruled && !is_sentence {
        return false;
    }
    let lower = line.to_lowercase();
    // In a sentence the words stand further behind.
    let most = if is_ruled { usize::MAX } else { 28 };
    let is_told = [
        " was ",
        " were ",
        " will ",
        " please ",
        " could ",
        " has ",
        "your message:",
        " is: ",
        " is a bounced",
    ];
    // "Message header:" is a heading, "A copy of the message was sent to …" is none.
    phrases::COPIES.iter().any(|words| lower.find(words).is_some_and(|at| at <= most))
        && !is_told.iter().any(|told| lower.contains(told))
}

/// Lines that look like the header of a message, one under the other.
#[derive(Default)]
struct HeaderRun {
    start: usize,
    fields: usize,
    has_trace: bool,
}

/// Fields that a mail server writes, not a summary of the message.
const TRACES: &[&str] =
    &["received", "return-path", "message-id", "dkim-signature", "mime-version", "delivered-to"];
const FIELDS: &[&str] =
    &["from", "to", "cc", "subject", "date", "sender", "reply-to", "content-type"];

impl HeaderRun {
    /// Takes a line; returns where the header began once it is surely one.
    fn take(&mut self, line: &str, at: usize) -> Option<usize> {
        if self.fields == 0 && !line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        if self.fields > 0 && line.starts_with([' ', '\t']) && !line.trim().is_empty() {
            return None;
        }
        let name = line.split_once(':').map(|(name, _)| name.trim_end());
        let is = |names: &[&str]| {
            name.is_some_and(|name| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
        };
        let is_trace = is(TRACES);
        let is_extension =
            self.fields > 0 && name.is_some_and(|name| name.len() < 40 && !name.contains(' '));
        if !(is_trace || is(FIELDS) || is_extension) {
            *self = HeaderRun::default();
            return None;
        }
        if self.fields == 0 {
            self.start = at;
        }
        self.fields += 1;
        self.has_trace |= is_trace;
        let is_certain = self.has_trace && self.fields >= 2;
        is_certain.then_some(self.start)
    }
}

/// Whom a text is about.
#[derive(Debug, Default)]
pub(super) struct Named<'t> {
    pub(super) recipients: Vec<&'t str>,
    /// How clearly.
    pub(super) role: Option<Role>,
}

/// Whom `text` names as recipients, the clearest way only. `senders` are left out
/// unless nobody else is named.
pub(super) fn named<'t>(text: &'t str, senders: &[String]) -> Named<'t> {
    let mut found: Vec<(Role, &str)> = Vec::new();
    let mut before = "";
    for line in lines(text) {
        let is_answer = answers_mail(before, line);
        before = line;
        if is_answer || !line.contains('@') {
            continue;
        }
        for spot in address::spots(line) {
            let role = spot.role();
            let is_new = !found.iter().any(|(known, address)| {
                *known >= role && address.eq_ignore_ascii_case(spot.address)
            });
            if role > Role::Other && is_new && found.len() < MAX_RECIPIENTS {
                found.push((role, spot.address));
            }
        }
    }
    let is_sender = |address: &str| {
        senders.iter().any(|sender| sender.eq_ignore_ascii_case(address)) || is_daemon(address)
    };
    if found.iter().any(|(_, address)| !is_sender(address)) {
        found.retain(|(_, address)| !is_sender(address));
    }
    let role = found.iter().map(|(role, _)| *role).max();
    let mut recipients: Vec<&str> = Vec::new();
    for (_, address) in found.iter().filter(|(known, _)| Some(*known) == role) {
        if !recipients.iter().any(|other| other.eq_ignore_ascii_case(address)) {
            recipients.push(address);
        }
    }
    Named { recipients, role }
}

/// Whether `line` is a reply below a heading that ends in MAIL FROM: it names the sender.
fn answers_mail(before: &str, line: &str) -> bool {
    let command = before.trim_end_matches([':', ' ', '\t']);
    let ends = command.get(command.len().saturating_sub(9)..);
    ends.is_some_and(|end| end.eq_ignore_ascii_case("MAIL FROM"))
        && line.trim_start().starts_with(['4', '5'])
}

/// Whether an address is a program's or its keeper's.
pub(super) fn is_daemon(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    ["mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "mailer_daemon", "double-bounce"]
        .contains(&local.as_str())
}

/// The lines of `text` that are looked at, each cut to a bound.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take(MAX_LINES).map(|line| {
        let end = crate::classify::floor_char_boundary(line, MAX_LINE_OCTETS);
        &line[..end]
    })
}

/// The lines about each of the recipients, and those about all.
#[derive(Debug, Default)]
struct About {
    /// One for each recipient, in their order.
    each: Vec<String>,
    all: String,
}

/// The words of a bounce, given to its recipients line by line, once somebody asks.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    recipients: &'t [&'t str],
    subject: &'t str,
    about: OnceCell<About>,
}

impl<'t> Lines<'t> {
    /// Of `text`, and of the reason that a subject gives.
    pub(super) fn new(text: &'t str, recipients: &'t [&'t str], subject: &'t str) -> Lines<'t> {
        Lines { text, recipients, subject, about: OnceCell::new() }
    }

    fn given(&self) -> &About {
        self.about.get_or_init(|| about(self.text, self.recipients))
    }

    /// The lines about the recipient of that place.
    pub(super) fn of(&self, recipient: usize) -> &str {
        self.given().each.get(recipient).map_or("", String::as_str)
    }

    /// The lines that are nobody's.
    pub(super) fn of_all(&self) -> &str {
        &self.given().all
    }

    /// What is about all: those lines; for one recipient the whole text; the subject.
    pub(super) fn around(&self) -> [&str; 3] {
        let end = crate::classify::floor_char_boundary(self.text, MAX_ABOUT_OCTETS);
        let whole = if self.recipients.len() == 1 { &self.text[..end] } else { "" };
        [self.of_all(), whole, self.subject]
    }

    /// The whole text.
    pub(super) fn text(&self) -> &str {
        self.text
    }

    /// Whether the text has one of these words, in this case.
    pub(super) fn has_any(&self, words: &[&str]) -> bool {
        let octets = self.text.as_bytes();
        words.iter().any(|word| memchr::memmem::find(octets, word.as_bytes()).is_some())
    }
}

/// Gives each line of `text` to the recipient that it is about: a line that names one
/// is his, as are the lines below it, up to a rule or a command about the whole message.
fn about(text: &str, recipients: &[&str]) -> About {
    let mut about = About { each: vec![String::new(); recipients.len()], all: String::new() };
    let mut current = Vec::new();
    for line in lines(text) {
        whose(line, recipients, &mut current);
        if current.is_empty() {
            push_line(&mut about.all, line);
        }
        for at in &current {
            push_line(&mut about.each[*at], line);
        }
    }
    about
}

fn push_line(lines: &mut String, line: &str) {
    if lines.len() + line.len() < MAX_ABOUT_OCTETS {
        lines.push_str(line);
        lines.push('\n');
    }
}

/// Sendmail says what a host had: "550 mx.example.net (smtp)... 550 Host unknown".
fn is_of_a_host(line: &str) -> bool {
    let is_coded = line.len() > 4 && line.bytes().take(3).all(|octet| octet.is_ascii_digit());
    let about = line.split_once("...").map(|(about, _)| about);
    is_coded && about.is_some_and(|about| !about.contains('@') && about.split(' ').count() <= 3)
}

/// Whose `line` is, behind a line of `current`: of one recipient, or of those whom it
/// lists, "<bob@example.net>, <eve@example.net>: gone".
fn whose(line: &str, recipients: &[&str], current: &mut Vec<usize>) {
    if line.contains('@') {
        let lower = line.to_lowercase();
        let is_named = |address: &str| lower.contains(&address.to_lowercase());
        let mut named = recipients.iter().enumerate().filter(|(_, address)| is_named(address));
        if let Some((first, _)) = named.next() {
            current.clear();
            current.push(first);
            if address::is_list(line) {
                current.extend(named.map(|(at, _)| at));
            }
            return;
        }
    }
    let line = line.trim_start();
    let is_rule = line.starts_with("---") || line.starts_with("===") || line.starts_with("***");
    let command = line.strip_prefix(">>>").map(str::trim_start);
    let is_of_all = command
        .is_some_and(|command| !command.to_ascii_lowercase().starts_with("rcpt"))
        || line.starts_with("... while talking")
        || line.starts_with("While talking");
    if is_rule || is_of_all || is_of_a_host(line) {
        current.clear();
    }
}
