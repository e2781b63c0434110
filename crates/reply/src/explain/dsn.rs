//! The words of a delivery status notification for the person who sent the message: the
//! frame, and what is said of each recipient. How a notification is built is the
//! protocol's business; when one is due, the queue's.

use super::words::duration_from_now;
use super::{Language, clock_time, fill, quoted, text};
use crate::{Permanence, Reply, Timestamp, Verdict};

/// After so many transient refusals in a row the mailbox may be full or disabled.
pub const REFUSALS_THAT_MAKE_ONE_ASK: u32 = 3;

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// It will not be delivered.
    Failed,
    /// It was not delivered yet, and is tried again.
    Delayed,
    /// It is in the mailbox.
    Delivered,
    /// It was handed to a server that does not notify.
    Relayed,
    /// It went to a list or the like, which sends it on.
    Expanded,
}

impl Notice {
    /// Every kind.
    pub const ALL: &[Notice] =
        &[Notice::Failed, Notice::Delayed, Notice::Delivered, Notice::Relayed, Notice::Expanded];

    const fn name(self) -> &'static str {
        match self {
            Notice::Failed => "failed",
            Notice::Delayed => "delayed",
            Notice::Delivered => "delivered",
            Notice::Relayed => "relayed",
            Notice::Expanded => "expanded",
        }
    }
}

/// The words around the recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The name of the sender of notifications.
    pub from_name: String,
    /// The subject.
    pub subject: String,
    /// Paragraphs before the recipients.
    pub opening: Vec<String>,
    /// Paragraphs after them.
    pub closing: Vec<String>,
}

/// The frame of a notification from `host` about a message that came at `arrival`.
pub fn dsn_frame(notice: Notice, host: &str, arrival: Timestamp, language: Language) -> Frame {
    let values = [("host", host.into()), ("at", clock_time(arrival).into())];
    let of_notice = |part: &str| format!("dsn-{}.{part}", notice.name());
    Frame {
        from_name: text(language, "dsn-from"),
        subject: text(language, &of_notice("subject")),
        opening: vec![fill(language, &of_notice("opening"), &values)],
        closing: vec![text(language, "dsn-closing")],
    }
}

/// What is known of one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What the notification says of it.
    pub notice: Notice,
    /// Its address.
    pub recipient: &'a str,
    /// The host that was spoken to, or was tried.
    pub remote: Option<&'a str>,
    /// The last reply, where one was heard.
    pub reply: Option<&'a Reply>,
    /// What it means, or what our own diagnosis is.
    pub verdict: &'a Verdict,
    /// When the next attempt comes.
    pub next_attempt: Option<Timestamp>,
    /// Until when it is tried.
    pub try_until: Option<Timestamp>,
    /// How many transient refusals came one after another.
    pub transient_in_a_row: u32,
    /// Now, so that times can be told from here.
    pub now: Timestamp,
}

/// What a person is told of one recipient: the reply word for word, its cause, whose move
/// it is, what to do; for a delay also when the next attempt comes and until when it is
/// tried. Paragraphs without line breaks.
pub fn dsn_text(told: &Told<'_>, language: Language) -> Vec<String> {
    let mut paragraphs = vec![heard(told, language)];
    if matches!(told.notice, Notice::Failed | Notice::Delayed) {
        paragraphs.extend(reasons(told.verdict, language));
    }
    if told.notice == Notice::Delayed {
        paragraphs.extend(prospects(told, language));
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

fn heard(told: &Told<'_>, language: Language) -> String {
    let remote = told.remote.unwrap_or_default();
    match (told.reply, told.remote) {
        (Some(reply), Some(_)) => {
            let said = quoted(&reply.to_string(), language);
            fill(language, "dsn-remote-said", &[("remote", remote.into()), ("said", said.into())])
        }
        (Some(reply), None) => {
            let said = quoted(&reply.to_string(), language);
            fill(language, "dsn-said", &[("said", said.into())])
        }
        (None, Some(_)) if told.verdict.permanence != Permanence::Positive => {
            fill(language, "dsn-no-answer", &[("remote", remote.into())])
        }
        (None, _) => String::new(),
    }
}

fn reasons(verdict: &Verdict, language: Language) -> Vec<String> {
    let explanation = verdict.explain(language);
    let whose_move = [("move", explanation.whose_move.into())];
    let what_to_do = [("remedy", explanation.what_to_do.into())];
    vec![
        explanation.meaning,
        fill(language, "dsn-whose-move", &whose_move),
        fill(language, "dsn-what-to-do", &what_to_do),
    ]
}

fn prospects(told: &Told<'_>, language: Language) -> Vec<String> {
    let mut paragraphs = Vec::new();
    if let Some(at) = told.next_attempt {
        let values = [
            ("in", duration_from_now(at.since(told.now), language).into()),
            ("at", clock_time(at).into()),
        ];
        paragraphs.push(fill(language, "dsn-next-attempt", &values));
    }
    if let Some(until) = told.try_until {
        paragraphs.push(fill(language, "dsn-try-until", &[("at", clock_time(until).into())]));
    }
    let refused_by_450 = told.reply.is_some_and(|reply| reply.code().value() == 450);
    if refused_by_450 && told.transient_in_a_row >= REFUSALS_THAT_MAKE_ONE_ASK {
        let recipient = [("recipient", told.recipient.into())];
        paragraphs.push(fill(language, "dsn-may-be-full", &recipient));
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Context, classify};

    const NOW: Timestamp = Timestamp::from_secs(951_827_696);

    fn told_of(wire: &str, notice: Notice, refusals: u32, language: Language) -> String {
        let reply = Reply::parse(wire.as_bytes()).unwrap();
        let verdict = classify(&reply, &Context::default());
        let told = Told {
            notice,
            recipient: "b@example.net",
            remote: Some("mx.example.net"),
            reply: Some(&reply),
            verdict: &verdict,
            next_attempt: Some(Timestamp::from_secs(NOW.as_secs() + 1800)),
            try_until: Some(Timestamp::from_secs(NOW.as_secs() + 432_000)),
            transient_in_a_row: refusals,
            now: NOW,
        };
        dsn_text(&told, language).join("\n")
    }

    #[test]
    fn a_delay_says_when_the_next_attempt_comes_and_until_when() {
        let wire = "450 4.2.0 greylisted, come back later";
        for language in Language::COMPLETE {
            let text = told_of(wire, Notice::Delayed, 1, *language);
            assert!(text.contains(wire), "{text}");
            assert!(text.contains("mx.example.net"), "{text}");
            assert!(text.contains("2000-02-29 13:04 UTC"), "{text}");
            assert!(text.contains("2000-03-05 12:34 UTC"), "{text}");
            assert!(!text.contains("secondpost verify"), "{text}");
        }
    }

    #[test]
    fn the_third_450_makes_one_ask_about_the_mailbox() {
        for language in Language::COMPLETE {
            let ask = |wire, refusals| {
                told_of(wire, Notice::Delayed, refusals, *language)
                    .contains("secondpost verify b@example.net")
            };
            assert!(ask("450 4.2.0 busy", 3));
            assert!(!ask("450 4.2.0 busy", 2));
            assert!(!ask("421 4.3.2 busy", 3));
        }
    }

    #[test]
    fn a_failure_says_nothing_of_another_attempt() {
        let text = told_of("550 5.1.1 no such user", Notice::Failed, 3, Language::En);
        assert!(text.contains("550 5.1.1 no such user") && !text.contains("2000-"), "{text}");
        assert!(text.contains("Whose move is it? ") && text.contains("What can be done? "));
        let delivered = told_of("250 2.0.0 ok", Notice::Relayed, 0, Language::En);
        assert_eq!(delivered.lines().count(), 1, "{delivered}");
    }

    #[test]
    fn every_notice_has_its_frame_in_every_language() {
        for language in Language::COMPLETE {
            for notice in Notice::ALL {
                let frame = dsn_frame(*notice, "mx.example.org", NOW, *language);
                let words =
                    [&frame.from_name, &frame.subject, &frame.opening[0], &frame.closing[0]];
                assert!(words.iter().all(|text| !text.contains("dsn-")), "{frame:?}");
                assert!(frame.opening[0].contains("mx.example.org"), "{frame:?}");
                assert!(frame.opening[0].contains("2000-02-29 12:34 UTC"), "{frame:?}");
            }
        }
    }
}
