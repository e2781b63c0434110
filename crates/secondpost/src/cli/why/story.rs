//! Events of one message as a story for people: a time and a sentence each, a reply with
//! what it means, whose move it is and what was decided; at the end what comes next.

use mta::control::{QueuedMessage, VerdictView};
use mta::events::Event;
use queue::QueueId;
use reply::Timestamp;
use reply::explain::{Language, duration_in_words};
use serde_json::Value;

use crate::cli::{queue as queued, text};

/// The width of the labels below an event.
const LABEL: usize = 6;
/// Where the sentences begin: after the time.
const INDENT: usize = 22;

/// The whole story.
pub(crate) fn tell(
    id: QueueId,
    events: &[(Timestamp, Event)],
    waiting: Option<&QueuedMessage>,
    language: Language,
) -> String {
    let mut told = format!("{}\n", text::bold(&id.to_string()));
    let mut before = None;
    for (at, event) in events {
        told.push_str(&paragraph(*at, before, event, language));
        before = Some(*at);
    }
    told.push_str(&text::labelled(0, "next", INDENT - 1, &next(events, waiting, language)));
    for recipient in waiting.iter().flat_map(|message| &message.recipients) {
        if let Some(advice) = queued::advice(recipient) {
            told.push_str(&text::labelled(0, "note", INDENT - 1, &advice));
        }
    }
    told
}

/// One event: its time, how long after the one before, and the sentence.
fn paragraph(
    at: Timestamp,
    before: Option<Timestamp>,
    event: &Event,
    language: Language,
) -> String {
    let sentence = sentence(event);
    let pause = before.map(|before| at.since(before)).filter(|pause| pause.as_secs() > 0);
    let sentence = match pause {
        Some(pause) => format!("{sentence}, {} later", duration_in_words(pause, language)),
        None => sentence,
    };
    let mut told = text::labelled(0, &at.to_string(), INDENT - 1, &sentence);
    let mut line = |label: &str, text: &str| {
        told.push_str(&text::labelled(INDENT, label, LABEL, text));
    };
    if let Some((said, verdict)) = heard(event) {
        line("said", &text::printable(said));
        if let Some(verdict) = verdict {
            line("means", &queued::meaning(verdict, language));
            line("move", &queued::whose_move(verdict, language));
        }
    }
    if let Event::Attempt { next_at, why, .. } = event {
        match next_at {
            Some(at) => line("then", &format!("next attempt at {at} ({why})")),
            None => line("then", &format!("given up ({why})")),
        }
    }
    told
}

/// What the other side said, and what it means where it was no yes.
fn heard(event: &Event) -> Option<(&str, Option<&VerdictView>)> {
    match event {
        Event::Attempt { said, verdict, .. } => Some((said, Some(verdict))),
        Event::Delivered { said: Some(said), .. } => Some((said, None)),
        _ => None,
    }
}

/// What happened, without its time.
fn sentence(event: &Event) -> String {
    let addresses =
        |list: &[String]| list.iter().map(|one| text::address(one)).collect::<Vec<_>>().join(", ");
    let at_host = |host: &Option<String>| {
        host.as_ref().map_or(String::new(), |host| format!(" at {}", text::printable(host)))
    };
    match event {
        Event::Received { origin, client, hello, sender, recipients, octets } => {
            let client = client.as_ref().map_or(String::new(), |client| format!(" by {client}"));
            let hello = hello.as_ref().map_or(String::new(), |name| format!(" ({name})"));
            let (from, to) = (text::address(sender), addresses(recipients));
            let origin = queued::origin_in_words(origin);
            let came = format!("{origin}{client}{}", text::printable(&hello));
            format!("received from {from} for {to}, {}, {came}", text::size(*octets))
        }
        Event::Attempt { recipient, attempt, host, stage, .. } => {
            let stage = stage.as_ref().map_or(String::new(), |stage| format!(", at {stage}"));
            let to = text::address(recipient);
            format!("attempt {attempt} for {to}{} did not deliver{stage}", at_host(host))
        }
        Event::Delivered { recipient, attempt, host, .. } => {
            let to = text::address(recipient);
            format!("delivered to {to}{} with attempt {attempt}", at_host(host))
        }
        Event::Notified { kind, recipients, notification } => {
            let of = addresses(recipients);
            match notification {
                Some(id) => format!("the sender was told of {kind} for {of}, with message {id}"),
                None => format!("nobody may be told of {kind} for {of}"),
            }
        }
        Event::Held { reason } => format!("held: {}", text::printable(reason)),
        Event::Released => "released".to_owned(),
        Event::Hastened => "an administrator asked for an attempt now".to_owned(),
        Event::Bounced => "an administrator gave up on it".to_owned(),
        Event::Removed { reason } => format!("removed: {}", text::printable(reason)),
        Event::Ended => "nothing was left to do".to_owned(),
    }
}

/// What comes next, by the queue where a daemon was asked, else by the last events.
fn next(
    events: &[(Timestamp, Event)],
    waiting: Option<&QueuedMessage>,
    language: Language,
) -> String {
    if let Some(message) = waiting {
        return next_in_queue(message, language);
    }
    for (_, event) in events.iter().rev() {
        match event {
            Event::Ended | Event::Removed { .. } => return "nothing: its story is over".to_owned(),
            Event::Held { .. } => {
                return "nothing until it is released with `secondpost queue release`".to_owned();
            }
            Event::Attempt { next_at: Some(at), recipient, .. } => {
                let to = text::address(recipient);
                return format!("an attempt for {to} at {at}, while the daemon runs");
            }
            _ => {}
        }
    }
    "an attempt, as soon as the daemon runs".to_owned()
}

fn next_in_queue(message: &QueuedMessage, language: Language) -> String {
    if let Some(reason) = &message.held {
        return format!("nothing until it is released: {}", text::printable(reason));
    }
    let waiting = message.recipients.iter().filter(|recipient| recipient.status == "waiting");
    let attempts: Vec<String> = waiting
        .map(|recipient| {
            format!(
                "for {} {}",
                text::address(&recipient.address),
                queued::next(recipient, language)
            )
        })
        .collect();
    match attempts.is_empty() {
        true => "nothing: every recipient is settled".to_owned(),
        false => format!("an attempt {}", attempts.join("; ")),
    }
}

/// One event in JSON: its time and its own fields.
pub(crate) fn json(at: Timestamp, event: &Event) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("at".to_owned(), at.to_string().into());
    }
    value
}

#[cfg(test)]
mod tests {
    use mta::control::view::EvidenceView;
    use reply::Cause;

    use super::*;

    fn greylisted(next_at: Option<&str>) -> Event {
        Event::Attempt {
            recipient: "b@example.net".into(),
            attempt: 1,
            host: Some("mx.example.net [192.0.2.1]".into()),
            stage: Some("RCPT".into()),
            said: "450 4.2.0 Greylisted, try again in 300 seconds".into(),
            verdict: VerdictView {
                code: Some(450),
                enhanced_code: Some("4.2.0".into()),
                cause: Cause::Greylisted.name().into(),
                permanence: "transient".into(),
                whose_move: Cause::Greylisted.whose_move().name().into(),
                retry_after_seconds: Some(300),
                retry_at: None,
                alternatives: Vec::new(),
                evidence: EvidenceView::default(),
                confidence: "high".into(),
            },
            next_at: next_at.map(str::to_owned),
            why: "the time that the reply named".into(),
        }
    }

    fn received() -> Event {
        Event::Received {
            origin: "submission".into(),
            client: Some("127.0.0.1".into()),
            hello: Some("localhost".into()),
            sender: "a@example.org".into(),
            recipients: vec!["b@example.net".into()],
            octets: 812,
        }
    }

    fn told(events: &[Event]) -> String {
        let at = |n: usize| Timestamp::from_secs(1_764_000_000 + 301 * n as u64);
        let events: Vec<_> = events.iter().enumerate().map(|(n, e)| (at(n), e.clone())).collect();
        let id = "3bq8fz4k0000".parse().unwrap();
        let told = tell(id, &events, None, Language::En);
        assert!(
            told.lines().all(|line| anstream::adapter::strip_str(line).to_string().len() <= 80)
        );
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_story_tells_each_reply_with_its_meaning_and_the_end() {
        let delivered = Event::Delivered {
            recipient: "b@example.net".into(),
            attempt: 2,
            host: None,
            said: Some("taken".into()),
        };
        let told =
            told(&[received(), greylisted(Some("2025-11-24T16:05:02Z")), delivered, Event::Ended]);
        for part in [
            "received from <a@example.org> for <b@example.net>, 812 octets, over submission by 127.0.0.1",
            "attempt 1 for <b@example.net> at mx.example.net [192.0.2.1] did not deliver, at RCPT",
            "said 450 4.2.0 Greylisted",
            "then next attempt at 2025-11-24T16:05:02Z (the time that the reply named)",
            "delivered to <b@example.net> with attempt 2, 5 minutes and 1 second later",
            "next nothing: its story is over",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
    }

    #[test]
    fn without_a_daemon_the_last_event_says_what_comes_next() {
        let waiting = told(&[received(), greylisted(Some("2025-11-24T16:05:02Z"))]);
        let expected =
            "next an attempt for <b@example.net> at 2025-11-24T16:05:02Z, while the daemon";
        assert!(waiting.contains(expected), "{waiting}");
        let held = told(&[received(), Event::Held { reason: "relay is off".into() }]);
        assert!(held.contains("next nothing until it is released"), "{held}");
    }

    #[test]
    fn the_queue_knows_better_what_comes_next() {
        let message = QueuedMessage { held: Some("by hand".into()), ..QueuedMessage::default() };
        let said = next(&[], Some(&message), Language::En);
        assert_eq!(said, "nothing until it is released: by hand");
    }
}
