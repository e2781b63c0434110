//! Notices of mail services over HTTP, in JSON: Amazon SES (in SNS's envelope as well),
//! SendGrid, Brevo, Mailgun, Mailjet, Postmark, SparkPost. Each service is a small reader of its own
//! fields; what it read is judged as a bounce is.

use serde_json::{Deserializer, Value};

use crate::{EnhancedCode, Permanence};

use super::bounce::{Notice, of_notice};
use super::{Heard, Kind};

/// Most octets of JSON that are read.
const MAX_JSON_OCTETS: usize = 8 * 1024 * 1024;
/// Most notices of one reading.
const MAX_NOTICES: usize = 10_000;

/// Keys of which a notice has one; JSON without them is not taken apart.
const MARKS: &[&[u8]] = &[
    b"notificationType",
    b"eventType",
    b"event-data",
    b"RecordType",
    b"\"msys\"",
    b"\"email\"",
    b"\"recipient\"",
    b"TypeCode",
    b"message_event",
];

/// Notices that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// What they say.
    pub heard: Vec<Heard>,
    /// From which octet on nothing more was read, where there is more.
    pub ends_at: Option<usize>,
    /// Whether the JSON makes no sense there, or is cut off; else there is more of it than is
    /// read.
    pub is_damaged: bool,
}

/// Reads the notices in `octets`, one JSON value after another. `None` where they are no
/// JSON, or no service's.
pub(super) fn read(octets: &[u8]) -> Option<Notices> {
    let whole = octets.len();
    let octets = octets.trim_ascii_start();
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let before = whole - octets.len();
    let is_json = matches!(octets.first(), Some(b'{' | b'['));
    let start = &octets[..octets.len().min(64 * 1024)];
    if !is_json || !MARKS.iter().any(|mark| memchr::memmem::find(start, mark).is_some()) {
        return None;
    }
    let read = &octets[..octets.len().min(MAX_JSON_OCTETS)];
    let mut notices = Notices::default();
    let mut values = Deserializer::from_slice(read).into_iter::<Value>();
    while let Some(value) = values.next() {
        // Half a file: what was whole before counts.
        let Ok(value) = value else {
            notices.is_damaged = read.len() == octets.len();
            notices.ends_at = Some(before + values.byte_offset());
            break;
        };
        if notices.heard.len() >= MAX_NOTICES {
            notices.ends_at = Some(before + values.byte_offset());
            break;
        }
        add(&value, 0, &mut notices.heard);
    }
    Some(notices).filter(|notices| !notices.heard.is_empty() || notices.is_damaged)
}

/// Reads the notice that a mail of the service holds: JSON, with lines that were broken.
pub(super) fn in_mail(text: &str) -> Option<Vec<Heard>> {
    let text = text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let heard = |text: &str| Some(read(text.as_bytes())?.heard).filter(|heard| !heard.is_empty());
    heard(text).or_else(|| heard(&text.replace('\n', "")))
}

/// Adds what `value` says; arrays and envelopes are opened.
fn add(value: &Value, depth: usize, heard: &mut Vec<Heard>) {
    if depth > 4 || heard.len() >= MAX_NOTICES {
        return;
    }
    if let Value::Array(all) = value {
        return all.iter().for_each(|one| add(one, depth + 1, heard));
    }
    if let Some(inner) = enveloped(value) {
        return add(&inner, depth + 1, heard);
    }
    let readers = [ses, mailgun, sparkpost, postmark, mailjet, sendgrid];
    let notices = readers.iter().find_map(|reader| reader(value)).unwrap_or_default();
    heard.extend(notices.iter().filter_map(Event::heard));
}

/// What stands in SNS's or SparkPost's envelope.
fn enveloped(value: &Value) -> Option<Value> {
    let message = value.get("Message").or_else(|| value.get("content"));
    if let Some(text) = message.and_then(Value::as_str).filter(|text| text.starts_with('{')) {
        return serde_json::from_str(text).ok();
    }
    value.get("msys").and_then(|inner| inner.as_object()?.values().next()).cloned()
}

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Of(Permanence),
    Complaint,
    AutoReply,
}

const FAILED: What = What::Of(Permanence::Permanent);
const LATE: What = What::Of(Permanence::Transient);
const DELIVERED: What = What::Of(Permanence::Positive);

/// One notice about one recipient.
struct Event {
    what: What,
    notice: Notice,
}

impl Event {
    fn heard(&self) -> Option<Heard> {
        let notice = &self.notice;
        if notice.recipient.is_none() && notice.diagnostic.is_empty() {
            return None;
        }
        let mut heard = match self.what {
            What::Of(permanence) => of_notice(notice, permanence),
            What::Complaint => Heard::of(Kind::Complaint),
            What::AutoReply => Heard::of(Kind::AutoReply),
        };
        if matches!(self.what, What::Of(_)) {
            heard.kind = Kind::Webhook;
        }
        heard.recipient.clone_from(&notice.recipient);
        heard.sender.clone_from(&notice.sender);
        heard.message_id.clone_from(&notice.message_id);
        heard.arrival.clone_from(&notice.arrival);
        heard.remote_mta.clone_from(&notice.remote_mta);
        Some(heard)
    }
}

/// The text at a path of keys, joined with dots; numbers as text.
fn text(value: &Value, path: &str) -> Option<String> {
    let found = path.split('.').try_fold(value, |value, key| value.get(key))?;
    match found {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first of several paths that has a text.
fn first(value: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| text(value, path))
}

fn status(value: &Value, path: &str) -> Option<EnhancedCode> {
    EnhancedCode::at_start(&text(value, path)?).map(|(code, _)| code)
}

/// An address, out of a name and brackets if need be.
fn bare(address: String) -> String {
    match address.rsplit_once('<') {
        Some((_, inner)) => inner.trim_end_matches(['>', ' ']).to_owned(),
        None => address,
    }
}

/// The several texts of a notice, each once, one under the other.
fn joined(texts: &[Option<String>]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for text in texts.iter().flatten() {
        if !all.iter().any(|known| known.contains(text.as_str())) {
            all.push(text);
        }
    }
    all.join("\n")
}

/// Amazon SES: notifications and events.
fn ses(value: &Value) -> Option<Vec<Event>> {
    let name = first(value, &["notificationType", "eventType"])?;
    // The mail is left out where a program passes on no more than the event.
    ["mail", "bounce", "deliveryDelay"].iter().find_map(|known| value.get(*known))?;
    let (what, part, list) = match name.as_str() {
        "Bounce" => (FAILED, "bounce", "bouncedRecipients"),
        "Complaint" => (What::Complaint, "complaint", "complainedRecipients"),
        "Delivery" => (DELIVERED, "delivery", "recipients"),
        "DeliveryDelay" => (LATE, "deliveryDelay", "delayedRecipients"),
        "Reject" => (FAILED, "reject", "destination"),
        _ => return Some(Vec::new()),
    };
    let part = value.get(part)?;
    let listed = part.get(list).or_else(|| value.get("mail")?.get("destination"))?;
    let event = |one: &Value| Event {
        what,
        notice: Notice {
            recipient: one
                .as_str()
                .map(str::to_owned)
                .or_else(|| text(one, "emailAddress"))
                .map(bare),
            diagnostic: joined(&[
                text(one, "diagnosticCode"),
                text(part, "smtpResponse"),
                text(part, "reason"),
                text(part, "bounceSubType").and_then(|kind| ses_words(&kind)),
                text(part, "delayType").and_then(|kind| ses_words(&kind)),
            ]),
            status: status(one, "status"),
            action: text(one, "action"),
            sender: text(value, "mail.source"),
            message_id: text(value, "mail.messageId"),
            arrival: first(part, &["timestamp"]).or_else(|| text(value, "mail.timestamp")),
            remote_mta: first(part, &["remoteMtaIp"]),
        },
    };
    Some(listed.as_array()?.iter().map(event).collect())
}

/// What SES's own kinds of bounces and delays mean, in words that are judged.
fn ses_words(kind: &str) -> Option<String> {
    let words = match kind {
        "NoEmail" => "user unknown",
        "Suppressed" | "OnAccountSuppressionList" => "address is on the suppression list",
        "MailboxFull" => "mailbox full",
        "MessageTooLarge" => "message too large",
        "ContentRejected" => "message content rejected",
        "AttachmentRejected" => "attachment rejected",
        "IPFailure" => "IP address is blocked",
        "SpamDetected" => "spam detected",
        "RecipientServerError" => "temporary server error",
        "TransientCommunicationFailure" => "connection timed out",
        _ => return None,
    };
    Some(words.to_owned())
}

/// Mailgun: `event-data`, or the flat form of before.
fn mailgun(value: &Value) -> Option<Vec<Event>> {
    let data = value.get("event-data").unwrap_or(value);
    let name = text(data, "event")?;
    text(data, "recipient")?;
    let is_late = text(data, "severity").is_some_and(|severity| severity == "temporary");
    let what = match name.as_str() {
        "failed" if is_late => LATE,
        "failed" | "bounced" | "rejected" | "dropped" | "bounce" => FAILED,
        "delivered" => DELIVERED,
        "complained" => What::Complaint,
        _ => return Some(Vec::new()),
    };
    let code = first(data, &["delivery-status.code", "code"]).filter(|code| code.len() == 3);
    let message =
        first(data, &["delivery-status.message", "error", "description", "reject.reason"]);
    let reply = match (code, message) {
        (Some(code), Some(message)) if !message.starts_with(&code) => {
            Some(format!("{code} {message}"))
        }
        (code, message) => message.or(code),
    };
    let notice = Notice {
        recipient: text(data, "recipient").map(bare),
        diagnostic: joined(&[
            reply,
            text(data, "delivery-status.description"),
            text(data, "notification"),
        ]),
        status: status(data, "delivery-status.enhanced-code"),
        action: None,
        sender: first(data, &["envelope.sender", "message.headers.from", "sender"]).map(bare),
        message_id: first(data, &["message.headers.message-id", "Message-Id"]).map(bare),
        arrival: text(data, "timestamp"),
        remote_mta: text(data, "delivery-status.mx-host"),
    };
    Some(vec![Event { what, notice }])
}

/// SparkPost's `message_event`, out of its envelope.
fn sparkpost(value: &Value) -> Option<Vec<Event>> {
    let name = text(value, "type")?;
    let recipient = text(value, "rcpt_to").or_else(|| text(value, "raw_rcpt_to"))?;
    let what = match name.as_str() {
        "bounce"
        | "out_of_band"
        | "policy_rejection"
        | "generation_failure"
        | "generation_rejection" => FAILED,
        "delay" => LATE,
        "delivery" => DELIVERED,
        "spam_complaint" => What::Complaint,
        _ => return Some(Vec::new()),
    };
    let notice = Notice {
        recipient: Some(bare(recipient)),
        diagnostic: joined(&[first(value, &["raw_reason", "reason"]), text(value, "error_code")]),
        status: None,
        action: None,
        sender: first(value, &["msg_from", "friendly_from"]).map(bare),
        message_id: text(value, "message_id"),
        arrival: text(value, "timestamp"),
        remote_mta: text(value, "ip_address"),
    };
    Some(vec![Event { what, notice }])
}

/// Postmark: bounces, deliveries, complaints.
fn postmark(value: &Value) -> Option<Vec<Event>> {
    let record = text(value, "RecordType")
        .or_else(|| text(value, "TypeCode").map(|_| "Bounce".to_owned()))?;
    let kind = text(value, "Type").unwrap_or_default();
    let what = match (record.as_str(), kind.as_str()) {
        ("SpamComplaint", _) | (_, "SpamComplaint") => What::Complaint,
        ("Bounce", "AutoResponder" | "ChallengeVerification" | "OpenRelayTest") => What::AutoReply,
        ("Bounce", "Transient") => LATE,
        ("Bounce", _) => FAILED,
        ("Delivery", _) => DELIVERED,
        _ => return Some(Vec::new()),
    };
    let details = text(value, "Details");
    let notice = Notice {
        recipient: first(value, &["Email", "Recipient"]).map(bare),
        diagnostic: joined(&[details, postmark_words(&kind), text(value, "Description")]),
        status: None,
        action: text(value, "Action"),
        sender: text(value, "From").map(bare),
        message_id: text(value, "MessageID"),
        arrival: first(value, &["BouncedAt", "DeliveredAt", "ReceivedAt"]),
        remote_mta: None,
    };
    Some(vec![Event { what, notice }])
}

/// What Postmark's kinds of bounces mean, in words that are judged.
fn postmark_words(kind: &str) -> Option<String> {
    let words = match kind {
        "HardBounce" | "BadEmailAddress" => "user unknown",
        "DnsError" => "DNS error: host not found",
        "SpamNotification" => "spam detected",
        "VirusNotification" => "virus detected",
        "DMARCPolicy" => "rejected per DMARC policy",
        "ManuallyDeactivated" | "Unconfirmed" => "address is on the suppression list",
        _ => return None,
    };
    Some(words.to_owned())
}

/// Mailjet: events, of which the error is a few words of its own.
fn mailjet(value: &Value) -> Option<Vec<Event>> {
    let is_own = ["mj_campaign_id", "mj_contact_id", "error_related_to", "Message_GUID"];
    if !is_own.iter().any(|key| value.get(key).is_some()) {
        return None;
    }
    let recipient = text(value, "email")?;
    let error = text(value, "error").unwrap_or_default();
    let what = match text(value, "event")?.as_str() {
        // Mailjet tries again by itself.
        "bounce" | "blocked" if error == "greylisted" => LATE,
        "bounce" | "blocked" => FAILED,
        "sent" => DELIVERED,
        "spam" => What::Complaint,
        _ => return Some(Vec::new()),
    };
    let notice = Notice {
        recipient: Some(bare(recipient)),
        diagnostic: joined(&[
            text(value, "comment"),
            mailjet_words(&error).or(Some(error)),
            text(value, "smtp_reply"),
        ]),
        status: None,
        action: None,
        sender: None,
        message_id: first(value, &["MessageID", "Message_GUID"]),
        arrival: text(value, "time"),
        remote_mta: None,
    };
    Some(vec![Event { what, notice }])
}

/// What Mailjet's errors mean, in words that are judged, where its own could be read
/// otherwise.
fn mailjet_words(error: &str) -> Option<String> {
    let words = match error {
        "blacklisted" | "preblocked" | "spam reporter" => "address is on the suppression list",
        "invalid domain" => "domain not found",
        "no mail host" => "domain has no mail server",
        "sender blocked" => "sender is blocked",
        "content blocked" => "spam detected",
        "policy issue" => "refused by policy",
        "system issue" | "protocol issue" => "internal server error",
        "connection issue" => "connection failed",
        "relay/access denied" => "relay access denied",
        _ => return None,
    };
    Some(words.to_owned())
}

/// SendGrid: events, and the lists of its older interfaces. Brevo has the same fields.
fn sendgrid(value: &Value) -> Option<Vec<Event>> {
    let recipient = text(value, "email")?;
    let name = text(value, "event");
    let what = match name.as_deref() {
        Some("bounce" | "dropped" | "blocked") => FAILED,
        Some("hard_bounce" | "soft_bounce" | "invalid_email" | "error") => FAILED,
        None if value.get("reason").is_some() => FAILED,
        Some("deferred") => LATE,
        Some("delivered") => DELIVERED,
        Some("spamreport" | "spam" | "complaint") => What::Complaint,
        _ => return Some(Vec::new()),
    };
    let notice = Notice {
        recipient: Some(bare(recipient)),
        diagnostic: joined(&[text(value, "reason"), text(value, "response")]),
        status: status(value, "status"),
        action: None,
        sender: text(value, "from").map(bare),
        message_id: first(value, &["smtp-id", "sg_message_id", "message-id"])
            .map(|id| id.trim_matches(['<', '>']).to_owned()),
        arrival: first(value, &["timestamp", "created"]),
        remote_mta: None,
    };
    Some(vec![Event { what, notice }])
}
