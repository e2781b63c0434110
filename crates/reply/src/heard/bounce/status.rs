//! The fields of a delivery status notification (RFC 3464 §2.2 and §2.3), per recipient,
//! from a message/delivery-status part or from a text into which they were written.

use crate::classify::hint::date;
use crate::{EnhancedCode, Timestamp};

use super::{address, decode};

/// Most recipients of one notification; further ones are left out.
const MAX_RECIPIENTS: usize = 1000;
/// Most octets of a diagnosis.
const MAX_DIAGNOSTIC_OCTETS: usize = 4096;

/// What a notification says of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recipient {
    pub(super) last: Option<String>,
    pub(super) original: Option<String>,
    pub(super) action: Option<String>,
    pub(super) status: Option<EnhancedCode>,
    /// The words in brackets behind the status.
    pub(super) comment: String,
    /// The type before the semicolon of the diagnosis, in lower case.
    pub(super) diagnostic_type: String,
    /// The diagnosis, its lines as they were folded.
    pub(super) diagnostic: String,
    pub(super) remote_mta: Option<String>,
    /// Until when the reporting host goes on trying (RFC 3464 §2.3.9).
    pub(super) retry_until: Option<Timestamp>,
}

impl Recipient {
    /// The final recipient; where that is no address, the original one.
    pub(super) fn address(&self) -> Option<&String> {
        // A source route (RFC 5321 §F.2) is the local server's own name for him.
        let is_address = |address: &&String| address.contains('@') && !address.starts_with('@');
        let both = || self.last.iter().chain(&self.original);
        both().find(is_address).or_else(|| both().next())
    }

    fn names_nobody(&self) -> bool {
        self.last.is_none() && self.original.is_none()
    }

    fn says_something(&self) -> bool {
        self.action.is_some() || self.status.is_some() || !self.diagnostic.is_empty()
    }
}

/// What a notification says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) reporting_mta: Option<String>,
    pub(super) arrival: Option<String>,
    pub(super) recipients: Vec<Recipient>,
}

/// Reads the fields in `text`; what is no field is passed over.
pub(super) fn read(text: &str) -> Status {
    let mut status = Status::default();
    let mut group = Recipient::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            status.end(std::mem::take(&mut group));
            continue;
        }
        let Some((name, first)) = field(line) else { continue };
        let mut value = first.trim().to_owned();
        while let Some(more) = lines.next_if(|next| {
            next.starts_with([' ', '\t'])
                && field(next.trim_start()).is_none_or(|(name, _)| !is_known(name))
        }) {
            if !more.trim().is_empty() && value.len() < MAX_DIAGNOSTIC_OCTETS {
                value.push('\n');
                value.push_str(more.trim());
            }
        }
        status.field(&mut group, &name.to_ascii_lowercase(), value);
    }
    status.end(group);
    status
}

/// The fields that are read.
const KNOWN: &[&str] = &[
    "reporting-mta",
    "arrival-date",
    "final-recipient",
    "original-recipient",
    "action",
    "status",
    "diagnostic-code",
    "remote-mta",
    "x-actual-recipient",
    "will-retry-until",
    "last-attempt-date",
    "x-supplementary-info",
    "x-display-name",
];

fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end();
    let is_name = name.len() < 40
        && !name.is_empty()
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    is_name.then_some((name, value))
}

impl Status {
    fn field(&mut self, group: &mut Recipient, name: &str, value: String) {
        match name {
            "reporting-mta" => self.reporting_mta = Some(without_type(&value).1.to_owned()),
            "arrival-date" => self.arrival = Some(value),
            "final-recipient" => {
                if group.last.is_some() {
                    self.end(std::mem::take(group));
                }
                group.last = recipient(&value);
            }
            "original-recipient" => {
                if group.original.is_some() {
                    self.end(std::mem::take(group));
                }
                group.original = recipient(&value);
            }
            "action" => {
                let word = value.split([' ', '(', ';', '\n']).next().unwrap_or_default();
                group.action = Some(word.to_ascii_lowercase()).filter(|word| !word.is_empty());
            }
            "status" => {
                let found = EnhancedCode::at_start(&value);
                group.status = found.map(|(code, _)| code);
                group.comment =
                    found.map_or(value.as_str(), |(_, used)| &value[used..]).trim().to_owned();
            }
            "diagnostic-code" => {
                let (name, text) = without_type(&value);
                group.diagnostic_type = name.to_ascii_lowercase();
                group.diagnostic = text.to_owned();
            }
            "remote-mta" => group.remote_mta = Some(without_type(&value).1.to_owned()),
            "will-retry-until" => group.retry_until = date::read(&value),
            _ => {}
        }
    }

    /// Ends a group of fields. One without a recipient belongs to the one before, which
    /// a stray empty line cut short, or to a recipient that is named elsewhere.
    fn end(&mut self, group: Recipient) {
        if self.recipients.len() >= MAX_RECIPIENTS || group == Recipient::default() {
            return;
        }
        if !group.names_nobody() {
            let before = self.recipients.last_mut().filter(|before| before.names_nobody());
            match before {
                Some(before) => *before = merged(before.clone(), group),
                None => self.recipients.push(group),
            }
            return;
        }
        if !group.says_something() {
            return;
        }
        match self.recipients.last_mut().filter(|before| !before.says_something()) {
            Some(before) => *before = merged(before.clone(), group),
            None => self.recipients.push(group),
        }
    }
}

fn merged(before: Recipient, group: Recipient) -> Recipient {
    let longer = |a: String, b: String| if a.is_empty() { b } else { a };
    Recipient {
        last: before.last.or(group.last),
        original: before.original.or(group.original),
        action: before.action.or(group.action),
        status: before.status.or(group.status),
        comment: longer(before.comment, group.comment),
        diagnostic_type: longer(before.diagnostic_type, group.diagnostic_type),
        diagnostic: longer(before.diagnostic, group.diagnostic),
        remote_mta: before.remote_mta.or(group.remote_mta),
        retry_until: before.retry_until.or(group.retry_until),
    }
}

/// `smtp; 550 …` in two. A first word with a space before its semicolon is no type.
pub(super) fn without_type(value: &str) -> (&str, &str) {
    match value.split_once(';') {
        Some((name, rest)) if name.len() < 24 && !name.trim().contains([' ', '<', '\n', '@']) => {
            (name.trim(), rest.trim())
        }
        _ => ("", value),
    }
}

/// The address after `rfc822;` or `utf-8;`, without brackets.
fn recipient(value: &str) -> Option<String> {
    let (name, address) = without_type(value);
    let decoded = name.eq_ignore_ascii_case("utf-8").then(|| decode::utf8_address(address));
    let address = decoded.as_deref().unwrap_or(address);
    let bare = match address::first(address) {
        Some(_) if address.starts_with('@') => address,
        Some(found) => found,
        None => address.trim_matches(['<', '>', ' ', '"', '\'']),
    };
    Some(bare.to_owned()).filter(|bare| !bare.is_empty())
}
