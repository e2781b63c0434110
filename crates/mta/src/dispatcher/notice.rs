//! Builds the notifications that a settled attempt asks for: one for each kind, for all
//! recipients that it is about.

use queue::notify::Moment;
use queue::{Message, Origin, Received};
use reply::Timestamp;
use reply::explain::Language;
use reply::explain::dsn::{Notice as About, Told, dsn_frame, dsn_text};
use smtp::dsn::{Action, Diagnostic, Frame, Original, RecipientReport, Report, build};
use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{ForwardPath, MailParameters, RecipientParameters, Ret, ReversePath};

use super::settle::Notice;

/// What does not depend on the message.
#[derive(Clone, Debug)]
pub struct Voice {
    /// Our host name.
    pub hostname: String,
    /// The language that senders are told in.
    pub language: Language,
    /// Our offset from UTC, in minutes.
    pub offset_minutes: i32,
    /// How long a message is tried, for "will retry until".
    pub lifetime: std::time::Duration,
}

/// A notification, ready for the queue.
#[derive(Debug)]
pub struct Notification {
    /// Of what.
    pub moment: Moment,
    /// About which recipients, by their places in the message.
    pub about: Vec<usize>,
    /// Its envelope, with a null reverse-path.
    pub received: Received,
    /// Its data.
    pub octets: Vec<u8>,
}

/// The notifications about `message` that `notices` ask for. `original` is its beginning,
/// or all of it. None where there is nobody to tell.
pub fn notifications(
    message: &Message,
    notices: &[Notice],
    original: &[u8],
    voice: &Voice,
    now: Timestamp,
) -> Vec<Notification> {
    let moments = [Moment::Failed, Moment::Delayed, Moment::Relayed, Moment::Delivered];
    let of = |moment| notices.iter().filter(move |notice| notice.moment == moment);
    let due = moments.into_iter().filter(|moment| of(*moment).next().is_some());
    due.filter_map(|moment| {
        let about: Vec<&Notice> = of(moment).collect();
        notification(message, moment, &about, original, voice, now)
    })
    .collect()
}

fn notification(
    message: &Message,
    moment: Moment,
    about: &[&Notice],
    original: &[u8],
    voice: &Voice,
    now: Timestamp,
) -> Option<Notification> {
    let envelope = &message.received.envelope;
    let to = envelope.reverse_path.0.as_ref()?;
    let whole = envelope.mail.ret == Some(Ret::Full) && original.len() as u64 == message.octets;
    let attempts = about.iter().map(|notice| message.recipients[notice.index].history.attempts);
    let report = Report {
        reporting_mta: &voice.hostname,
        received_from: message
            .received
            .hello
            .as_deref()
            .map(|hello| (hello, message.received.client)),
        arrival: message.received.at,
        now,
        offset_minutes: voice.offset_minutes,
        envid: envelope.mail.envid.as_deref(),
        to,
        frame: frame(moment, message, voice),
        recipients: Vec::new(),
        original: if whole { Original::Full(original) } else { Original::Headers(original) },
        seed: message.id.number()
            ^ u64::from(attempts.sum::<u32>()).rotate_left(40)
            ^ moment as u64,
    };
    let originals: Vec<Option<String>> =
        about.iter().map(|notice| original_recipient(message, notice.index)).collect();
    let recipients = about.iter().zip(&originals);
    let recipients = recipients
        .map(|(notice, original)| recipient(message, notice, original.as_deref(), voice, now));
    let octets = build(&Report { recipients: recipients.collect(), ..report });
    let recipient = Recipient {
        path: ForwardPath::Mailbox(to.clone()),
        parameters: RecipientParameters::default(),
    };
    let mail = MailParameters {
        body: (!octets.is_ascii()).then_some(smtp::syntax::Body::EightBitMime),
        smtputf8: !to.is_ascii() || !envelope.reverse_path.is_ascii(),
        ..MailParameters::default()
    };
    let envelope = Envelope { reverse_path: ReversePath(None), mail, recipients: vec![recipient] };
    Some(Notification {
        moment,
        about: about.iter().map(|notice| notice.index).collect(),
        received: Received {
            envelope,
            at: now,
            origin: Origin::Notification,
            client: None,
            hello: None,
            held: None,
        },
        octets,
    })
}

fn original_recipient(message: &Message, index: usize) -> Option<String> {
    message.recipients[index].recipient.parameters.orcpt.as_ref().map(ToString::to_string)
}

fn frame(moment: Moment, message: &Message, voice: &Voice) -> Frame {
    let words = dsn_frame(about(moment), &voice.hostname, message.received.at, voice.language);
    Frame {
        language: voice.language.tag().to_owned(),
        from_name: words.from_name,
        subject: words.subject,
        opening: words.opening,
        closing: words.closing,
    }
}

fn recipient<'a>(
    message: &'a Message,
    notice: &'a Notice,
    original_recipient: Option<&'a str>,
    voice: &Voice,
    now: Timestamp,
) -> RecipientReport<'a> {
    let state = &message.recipients[notice.index];
    let delayed = notice.moment == Moment::Delayed;
    let until = state.history.first_attempt.map(|first| first + voice.lifetime);
    let until = until.filter(|_| delayed);
    let address = state.recipient.path.to_string();
    let told = Told {
        notice: about(notice.moment),
        recipient: &address,
        remote: notice.host.as_deref(),
        reply: notice.reply.as_ref(),
        verdict: &notice.verdict,
        next_attempt: state.status.due(),
        try_until: until,
        transient_in_a_row: state.history.transient_in_a_row,
        now,
    };
    RecipientReport {
        final_recipient: &state.recipient.path,
        original_recipient,
        action: action(notice.moment),
        status: notice.status,
        remote_mta: notice.host.as_deref(),
        diagnostic: diagnostic(notice),
        last_attempt: state.history.last_attempt,
        will_retry_until: until,
        explanation: dsn_text(&told, voice.language),
    }
}

/// Of a success that no host announced there is nothing to diagnose.
fn diagnostic(notice: &Notice) -> Option<Diagnostic<'_>> {
    let failed = matches!(notice.moment, Moment::Failed | Moment::Delayed);
    let ours = || failed.then_some(Diagnostic::Ours(&notice.verdict.evidence.text));
    notice.reply.as_ref().map(Diagnostic::Heard).or_else(ours)
}

const fn about(moment: Moment) -> About {
    match moment {
        Moment::Failed => About::Failed,
        Moment::Delayed => About::Delayed,
        Moment::Delivered => About::Delivered,
        Moment::Relayed => About::Relayed,
    }
}

const fn action(moment: Moment) -> Action {
    match moment {
        Moment::Failed => Action::Failed,
        Moment::Delayed => Action::Delayed,
        Moment::Delivered => Action::Delivered,
        Moment::Relayed => Action::Relayed,
    }
}

/// The name of a moment in events: `failure`, `delay` or `success`.
pub const fn kind(moment: Moment) -> &'static str {
    match moment {
        Moment::Failed => "failure",
        Moment::Delayed => "delay",
        Moment::Delivered | Moment::Relayed => "success",
    }
}
