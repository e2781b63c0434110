//! Readers of what others say: replies on the wire, replies quoted in a text, mails about
//! mail, logs, notices of mail services. [`read_any`] takes whatever somebody pasted or piped in.

mod bounce;
pub mod log;
pub mod mbox;
mod quoted;
pub mod reply;
mod unreadable;
mod webhook;

use crate::{Reply, Stage, Verdict};
pub use bounce::MAX_MAIL_OCTETS;
pub use quoted::{MAX_HEARD as MAX_HEARD_OF_TEXT, MAX_OCTETS as MAX_TEXT_OCTETS};
pub use unreadable::{Unreadable, first_odd_octet};
pub use webhook::Notices;

/// Most things that are heard in one reading.
const MAX_HEARD: usize = 100_000;

/// What something that was heard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An SMTP reply.
    Reply,
    /// A mail that says that another could not be delivered.
    Bounce,
    /// A mail that says that another is late.
    Delay,
    /// A line of a mail server's log.
    Log,
    /// A notice of a mail service over HTTP.
    Webhook,
    /// A complaint of a recipient in ARF (RFC 5965). Carries no cause.
    Complaint,
    /// A report about SPF, DKIM or DMARC (RFC 6591). Carries no cause.
    AuthReport,
    /// Vacation and the like. Carries no cause.
    AutoReply,
    /// Looks like a bounce and is none. Carries no cause.
    NotABounce,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::Reply,
        Kind::Bounce,
        Kind::Delay,
        Kind::Log,
        Kind::Webhook,
        Kind::Complaint,
        Kind::AuthReport,
        Kind::AutoReply,
        Kind::NotABounce,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Reply => "reply",
            Kind::Bounce => "bounce",
            Kind::Delay => "delay",
            Kind::Log => "log",
            Kind::Webhook => "webhook",
            Kind::Complaint => "complaint",
            Kind::AuthReport => "auth-report",
            Kind::AutoReply => "auto-reply",
            Kind::NotABounce => "not-a-bounce",
        }
    }
}

/// One thing that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What it is.
    pub kind: Kind,
    /// Whom it is about, where it says so.
    pub recipient: Option<String>,
    /// The reply in it.
    pub reply: Option<Reply>,
    /// What it means; none for the kinds that carry no cause.
    pub verdict: Option<Verdict>,
    /// What was answered, where it says so.
    pub stage: Option<Stage>,
    /// Who sent the message that it is about.
    pub sender: Option<String>,
    /// What a delivery status notification says was done (RFC 3464 §2.3.3), in lower case.
    pub action: Option<String>,
    /// The host that said it.
    pub remote_mta: Option<String>,
    /// The Message-ID of the message that it is about, without its brackets.
    pub message_id: Option<String>,
    /// When that message arrived, or when the report was made, as it is written there.
    pub arrival: Option<String>,
    /// The words that were judged, where they are more than the reply, or are none.
    pub diagnostic: Option<String>,
}

impl Heard {
    /// Something of which nothing but the kind is known.
    pub const fn of(kind: Kind) -> Heard {
        Heard {
            kind,
            recipient: None,
            reply: None,
            verdict: None,
            stage: None,
            sender: None,
            action: None,
            remote_mta: None,
            message_id: None,
            arrival: None,
            diagnostic: None,
        }
    }
}

/// Reads what is in `octets`, in its order: mails (a bounce, a report, an automatic reply;
/// several in an mbox), notices of mail services in JSON, replies on one or several lines, with
/// prompts, quotes or another program's sentence around them, bare codes, and numbers
/// that are no code of SMTP (`101`: a verdict without a code). Never fails: what says
/// nothing is left out.
///
/// ```
/// use reply::{Cause, Kind, Permanence};
///
/// let line = b"Nov 25 08:00:01 mx postfix/smtp[7]: 4Xy: to=<ann@example.org>, \
///     relay=mx.example.org[192.0.2.1]:25, dsn=4.2.2, status=deferred (host \
///     mx.example.org[192.0.2.1] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command))";
/// let heard = reply::read_any(line);
/// assert_eq!(heard[0].kind, Kind::Log);
/// assert_eq!(heard[0].recipient.as_deref(), Some("ann@example.org"));
///
/// let verdict = heard[0].verdict.as_ref().ok_or("a log line without a verdict")?;
/// assert_eq!((verdict.cause, verdict.permanence), (Cause::MailboxFull, Permanence::Transient));
/// # Ok::<(), &str>(())
/// ```
pub fn read_any(octets: &[u8]) -> Vec<Heard> {
    if quoted::begins_as_a_reply(octets) {
        return quoted::read(octets);
    }
    if let Some(heard) = read_document(octets) {
        return heard;
    }
    log::read(octets).unwrap_or_else(|| quoted::read(octets))
}

/// Whether `octets` begin a mail, or an mbox.
pub fn is_mail(octets: &[u8]) -> bool {
    bounce::is_mail(octets)
}

/// Reads what is no list of lines: mails, and notices of mail services in JSON. `None`
/// where `octets` are neither.
pub fn read_document(octets: &[u8]) -> Option<Vec<Heard>> {
    if let Some(notices) = read_notices(octets) {
        return Some(notices.heard);
    }
    is_mail(octets).then(|| mbox::mails(octets).flat_map(bounce::read).take(MAX_HEARD).collect())
}

/// Reads notices of mail services in JSON; `None` where `octets` are none.
pub fn read_notices(octets: &[u8]) -> Option<Notices> {
    webhook::read(octets)
}

/// Reads one mail: what it says of each recipient, or what it is where it is no bounce. What
/// lies beyond [`MAX_MAIL_OCTETS`] is not read.
pub fn read_mail(octets: &[u8]) -> Vec<Heard> {
    bounce::read(octets)
}

/// The same with what could not be read of it.
pub fn read_damaged_mail(octets: &[u8]) -> (Vec<Heard>, Vec<Unreadable>) {
    bounce::read_damaged(octets)
}
