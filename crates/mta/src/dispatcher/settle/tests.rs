//! What an attempt's endings lead to, without a socket or a spool: states, notifications,
//! lessons.

use std::time::Duration;

use queue::retry::History;
use queue::{Origin, QueueId, Received};
use reply::Stage;
use smtp::client::{Broken, End};
use smtp::envelope::{Envelope, Recipient};
use smtp::message::convert::CannotConvert;
use smtp::syntax::{ForwardPath, MailParameters, Notify, ReversePath};

use super::*;
use crate::delivery::endings::{inconvertible, is_ourselves, why_it_ended};
use crate::dispatcher::notice::{Voice, notifications};
use crate::route_to::NoHost;

const START: Timestamp = Timestamp::from_secs(1_764_000_000);

fn message(notify: Option<Notify>) -> Message {
    let recipient = Recipient {
        path: ForwardPath::Mailbox("b@example.net".parse().unwrap()),
        parameters: RecipientParameters { notify, orcpt: None },
    };
    let envelope = Envelope {
        reverse_path: ReversePath(Some("a@example.org".parse().unwrap())),
        mail: MailParameters::default(),
        recipients: vec![recipient.clone()],
    };
    Message {
        id: QueueId::from_number(7).unwrap(),
        received: Received {
            envelope,
            at: START,
            origin: Origin::Submission,
            client: None,
            hello: None,
            held: None,
        }
        .into(),
        octets: 10,
        recipients: vec![RecipientState {
            recipient,
            status: Status::Waiting { due: START },
            history: History::default(),
        }],
        hold: queue::Hold::No,
    }
}

fn heard(text: &str) -> Ending {
    let ending = Ending::heard(Reply::parse(text.as_bytes()).unwrap(), Stage::Rcpt, START);
    Ending { host: Some("peer.test".to_owned()), ..ending }
}

fn settled(message: &Message, ending: Ending, now: Timestamp) -> Settled {
    settle(message, &[0], &[ending], None, &RetryOptions::default(), now)
}

#[test]
fn a_refusal_fails_with_the_status_that_was_heard() {
    let settled = settled(&message(None), heard("550 5.1.1 no such user\r\n"), START);
    assert!(settled.message.is_done());
    assert_eq!(settled.notices.len(), 1);
    assert_eq!(settled.notices[0].status.to_string(), "5.1.1");
    assert_eq!(settled.message.recipients[0].history.remote_host.as_deref(), Some("peer.test"));
}

#[test]
fn success_is_told_only_where_it_was_asked_for_and_nobody_else_will() {
    rfc!(3461, "5.2.2");
    rfc!(3461, "5.2.3");
    let success = Notify { success: true, failure: false, delay: false };
    let check = |notify, notifier, expected: &[Moment]| {
        let ending = Ending { notifier, ..heard("250 2.0.0 taken\r\n") };
        let settled = settled(&message(notify), ending, START);
        let moments: Vec<Moment> = settled.notices.iter().map(|notice| notice.moment).collect();
        assert_eq!(moments, expected);
    };
    check(Some(success), Notifier::UsOfRelaying, &[Moment::Relayed]);
    check(Some(success), Notifier::UsOfDelivery, &[Moment::Delivered]);
    check(Some(success), Notifier::SomebodyElse, &[]);
    check(None, Notifier::UsOfRelaying, &[]);
}

#[test]
fn a_delay_is_told_once() {
    rfc!(3461, "5.2.5");
    let refused = || heard("451 4.3.2 busy\r\n");
    let mut message = message(None);
    let mut delays = 0;
    for hour in 0..12 {
        let now = START + Duration::from_secs(hour * 3600);
        let after = settled(&message, refused(), now);
        delays += after.notices.iter().filter(|notice| notice.moment == Moment::Delayed).count();
        assert!(hour >= 4 || delays == 0, "hour {hour}");
        message = after.message;
    }
    assert_eq!(delays, 1);
    assert_eq!(message.recipients[0].history.attempts, 12);
}

#[test]
fn what_expires_is_told_as_expired_with_what_was_heard_last() {
    let mut message = message(None);
    message.recipients[0].history.first_attempt = Some(START);
    let now = START + Duration::from_secs(5 * 86_400);
    let settled = settled(&message, heard("451 4.3.2 busy\r\n"), now);
    let notice = &settled.notices[0];
    assert_eq!((notice.verdict.cause, notice.status.to_string()), (Cause::Expired, "4.4.7".into()));
    assert!(notice.reply.is_some());
}

#[test]
fn own_diagnoses_have_a_status_of_their_own() {
    rfc!(3463, "3");
    rfc!(7505, "3");
    let check = |cause, expected: &str| {
        let ending = Ending::trouble(cause, Permanence::Permanent, "words");
        let settled = settled(&message(None), ending, START);
        assert_eq!(settled.notices[0].status.to_string(), expected);
    };
    check(Cause::DomainNotFound, "5.1.2");
    check(Cause::DomainTakesNoMail, "5.1.10");
    check(Cause::ConversionNeeded, "5.6.3");
    check(Cause::Utf8NotSupported, "5.6.7");
}

#[test]
fn lessons_come_from_greylisting_alone() {
    let after = |first: &str, then: &str| {
        let message = settled(&message(None), heard(first), START).message;
        settled(&message, heard(then), START + Duration::from_secs(60)).lessons
    };
    let grey = "450 4.2.0 Greylisted\r\n";
    assert_eq!(after(grey, "250 taken\r\n"), [Lesson::Passed { first: START, last: START }]);
    assert_eq!(after(grey, grey), [Lesson::Refused { first: START }]);
    assert_eq!(after(grey, "550 5.1.1 no such user\r\n"), []);
    assert_eq!(after("452 4.2.2 mailbox full\r\n", "250 taken\r\n"), []);
}

/// What its notification says that the cause was.
fn cause_told(ending: Ending) -> Option<Cause> {
    let settled = settled(&message(None), ending, START);
    let voice = Voice {
        hostname: "mx.example.org".to_owned(),
        language: reply::explain::Language::En,
        offset_minutes: 0,
        lifetime: Duration::from_secs(5 * 86_400),
    };
    let original = b"Subject: x\r\n\r\n";
    let told = notifications(&settled.message, &settled.notices, original, &voice, START);
    let heard = reply::heard::read_any(&told.first()?.octets);
    Some(heard.first()?.verdict.as_ref()?.cause)
}

#[test]
fn a_notification_of_our_own_diagnosis_is_read_as_what_it_was() {
    let broken = |what| End::Broken { what, stage: Stage::Mail };
    let ended = |what| why_it_ended(Some(&broken(what)), START);
    let nowhere = [NoHost::NotFound, NoHost::NullMx, NoHost::Ourselves, NoHost::NoAddress];
    let endings = nowhere.iter().map(|why| Ending::diagnosed(why.verdict())).chain([
        is_ourselves("peer.test"),
        inconvertible("it does not fit in memory"),
        inconvertible(&CannotConvert::Signed.to_string()),
        inconvertible(&CannotConvert::Contradiction.to_string()),
        inconvertible(&CannotConvert::Malformed.to_string()),
        inconvertible(&CannotConvert::Header.to_string()),
        ended(Broken::NotOffered("SMTPUTF8")),
        ended(Broken::NotOffered("8BITMIME")),
        ended(Broken::TooBig { octets: 2000, most: 1000 }),
    ]);
    for ending in endings {
        assert_eq!(cause_told(ending.clone()), Some(ending.verdict.cause), "{}", ending.words);
    }
}
