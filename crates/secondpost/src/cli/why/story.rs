//! Events of one message as a story for people: a time and a sentence each, a reply with
//! what it means, whose move it is and what was decided; at the end what comes next.

use mta::control::{QueuedMessage, VerdictView};
use mta::events::Event;
use queue::QueueId;
use reply::Timestamp;
use reply::explain::{Language, duration_in_words, enumerated, story};
use serde_json::Value;

use crate::cli::queue::{self as queued, Labels};
use crate::cli::text;

/// Where the sentences begin: after the time.
const INDENT: usize = 22;

/// The whole story.
pub(crate) fn tell(
    id: QueueId,
    events: &[(Timestamp, Event)],
    waiting: Option<&QueuedMessage>,
    language: Language,
) -> String {
    let labels = Labels::new(language);
    let mut told = format!("{}\n", text::bold(&id.to_string()));
    let mut before = None;
    for (at, event) in events {
        told.push_str(&paragraph(*at, before, event, &labels, language));
        before = Some(*at);
    }
    for next in next(events, waiting, language) {
        told.push_str(&labels.wide(INDENT - 1, "next", &next));
    }
    for recipient in waiting.iter().flat_map(|message| &message.recipients) {
        if let Some(advice) = queued::advice(recipient, language) {
            told.push_str(&labels.wide(INDENT - 1, "note", &advice));
        }
    }
    told
}

/// One event: its time, how long after the one before, and the sentence.
fn paragraph(
    at: Timestamp,
    before: Option<Timestamp>,
    event: &Event,
    labels: &Labels,
    language: Language,
) -> String {
    let sentence = sentence(event, language);
    let pause = before.map(|before| at.since(before)).filter(|pause| pause.as_secs() > 0);
    let sentence = match pause.map(|pause| duration_in_words(pause, language)) {
        Some(pause) => story(language, "later", &[("sentence", &sentence), ("pause", &pause)]),
        None => sentence,
    };
    let mut told = text::labelled(0, &at.to_string(), INDENT - 1, &sentence);
    let mut line = |label: &str, text: &str| told.push_str(&labels.line(INDENT, label, text));
    if let Some((said, verdict)) = heard(event) {
        line("said", &text::printable(said));
        if let Some(verdict) = verdict {
            line("means", &queued::meaning(verdict, language));
            line("move", &queued::whose_move(verdict, language));
        }
    }
    if let Event::Attempt { next_at, why, .. } = event {
        let why = queued::why_in_words(why, language);
        let then = match next_at {
            Some(at) => story(language, "then", &[("at", at), ("why", &why)]),
            None => story(language, "given-up", &[("why", &why)]),
        };
        line("then", &then);
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
fn sentence(event: &Event, language: Language) -> String {
    let plain = |name: &str| story(language, name, &[]);
    match event {
        Event::Received { .. } => received(event, language),
        Event::Attempt { recipient, attempt, host, stage, .. } => {
            let sentence = attempted("attempt", recipient, *attempt, host.as_deref(), language);
            match stage {
                Some(stage) => {
                    story(language, "stage", &[("sentence", &sentence), ("stage", stage)])
                }
                None => sentence,
            }
        }
        Event::Delivered { recipient, attempt, host, .. } => {
            attempted("delivered", recipient, *attempt, host.as_deref(), language)
        }
        Event::Notified { kind, recipients, notification } => {
            let to = addresses(recipients, language);
            match notification {
                Some(id) => story(language, &format!("told-{kind}"), &[("to", &to), ("id", id)]),
                None => story(language, "untold", &[("to", &to)]),
            }
        }
        Event::Held { reason } => {
            story(language, "held", &[("reason", &queued::reason_in_words(reason, language))])
        }
        Event::Removed { reason } => {
            story(language, "removed", &[("reason", &queued::reason_in_words(reason, language))])
        }
        Event::Released => plain("released"),
        Event::Hastened => plain("hastened"),
        Event::Bounced => plain("bounced"),
        Event::Ended => plain("ended"),
    }
}

fn addresses(list: &[String], language: Language) -> String {
    enumerated(&list.iter().map(|one| text::address(one)).collect::<Vec<_>>(), language)
}

fn received(event: &Event, language: Language) -> String {
    let Event::Received { origin, client, hello, sender, recipients, octets } = event else {
        return String::new();
    };
    let origin = queued::origin_in_words(origin, language);
    let came = match client {
        Some(client) => story(language, "came-by", &[("came", &origin), ("client", client)]),
        None => origin,
    };
    let hello = hello.as_ref().map_or(String::new(), |name| format!(" ({name})"));
    let came = format!("{came}{}", text::printable(&hello));
    let (from, to) = (text::address(sender), addresses(recipients, language));
    let size = text::size(*octets, language);
    story(language, "received", &[("from", &from), ("to", &to), ("size", &size), ("came", &came)])
}

/// `what` is `attempt` or `delivered`.
fn attempted(
    what: &str,
    recipient: &str,
    attempt: u32,
    host: Option<&str>,
    language: Language,
) -> String {
    let (to, number) = (text::address(recipient), attempt.to_string());
    match host.map(text::printable) {
        Some(host) => {
            let values = [("to", to.as_str()), ("number", &number), ("host", &host)];
            story(language, &format!("{what}-host"), &values)
        }
        None => story(language, what, &[("to", &to), ("number", &number)]),
    }
}

/// What comes next, by the queue where a daemon was asked, else by the last events.
fn next(
    events: &[(Timestamp, Event)],
    waiting: Option<&QueuedMessage>,
    language: Language,
) -> Vec<String> {
    if let Some(message) = waiting {
        return next_in_queue(message, language);
    }
    let last = events.iter().rev().find_map(|(_, event)| match event {
        Event::Ended | Event::Removed { .. } => Some(story(language, "next-over", &[])),
        Event::Held { .. } => Some(next_when_held(language)),
        Event::Attempt { next_at: Some(at), recipient, .. } => {
            let to = text::address(recipient);
            Some(story(language, "next-attempt", &[("to", &to), ("at", at)]))
        }
        _ => None,
    });
    vec![last.unwrap_or_else(|| story(language, "next-start", &[]))]
}

fn next_when_held(language: Language) -> String {
    story(language, "next-held", &[("command", "`secondpost queue release`")])
}

fn next_in_queue(message: &QueuedMessage, language: Language) -> Vec<String> {
    if message.held.is_some() {
        return vec![next_when_held(language)];
    }
    let waiting = message.recipients.iter().filter(|recipient| recipient.status == "waiting");
    let attempts = waiting.map(|recipient| {
        if recipient.held.is_some() {
            return next_when_held(language);
        }
        let (to, when) = (text::address(&recipient.address), queued::next(recipient, language));
        story(language, "next-for", &[("to", &to), ("when", &when)])
    });
    let attempts: Vec<String> = attempts.collect();
    match attempts.is_empty() {
        true => vec![story(language, "next-settled", &[])],
        false => attempts,
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
            why: "hint".into(),
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
        assert_eq!(said, ["nothing until it is released with `secondpost queue release`"]);
    }
}
