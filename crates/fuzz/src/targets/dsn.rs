//! Notifications about messages of any octets: our own reader finds in each one what it
//! was made to say, and no line breaks SMTP's limits.

use reply::heard::read_any;
use reply::{Code, Reply, Timestamp};
use smtp::dsn::{Action, Diagnostic, Frame, Original, RecipientReport, Report, build};
use smtp::syntax::{ForwardPath, Mailbox};

/// The octets are the message that goes back.
pub(crate) fn run(octets: &[u8]) {
    let Ok(said) = Reply::parse(b"550 5.1.1 <b@example.net> no such mailbox here") else { return };
    let Ok(to) = "a@example.org".parse() else { return };
    let Ok(mailbox) = "b@example.net".parse() else { return };
    let path = ForwardPath::Mailbox(mailbox);
    for original in [Original::Headers(octets), Original::Full(octets), Original::Nothing] {
        let mail = notification(original, &said, &to, &path);
        let longest = mail.split(|octet| *octet == b'\n').map(<[u8]>::len).max();
        assert!(longest.unwrap_or(0) <= 999, "a line of {longest:?} octets");
        let heard = read_any(&mail);
        let verdict = heard.first().and_then(|heard| heard.verdict.as_ref());
        assert_eq!(verdict.and_then(|verdict| verdict.code).map(Code::value), Some(550));
        assert_eq!(heard[0].recipient.as_deref(), Some("b@example.net"));
    }
}

fn notification(original: Original<'_>, said: &Reply, to: &Mailbox, path: &ForwardPath) -> Vec<u8> {
    let now = Timestamp::from_secs(1_800_000_000);
    build(&Report {
        reporting_mta: "mx.example.org",
        received_from: None,
        arrival: now,
        now,
        offset_minutes: 0,
        envid: None,
        to,
        frame: Frame { language: "en".to_owned(), ..Frame::default() },
        recipients: vec![RecipientReport {
            final_recipient: path,
            original_recipient: None,
            action: Action::Failed,
            status: said.enhanced_code().expect("it stands in the reply"),
            remote_mta: Some("mx.example.net"),
            diagnostic: Some(Diagnostic::Heard(said)),
            last_attempt: Some(now),
            will_retry_until: None,
            explanation: Vec::new(),
        }],
        original,
        seed: 7,
    })
}
