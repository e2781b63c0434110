//! How a session with another server came to its end, in the reader's language. In JSON the
//! words are English, the same for all.

use mta::probe::Trouble;
use reply::compare::stage_in_words;
use reply::explain::cli;
use reply::{Language, ReplyError};
use smtp::client::{Broken, End};

use super::text::printable;

/// Why a session ended before all was asked.
pub(super) fn ended(end: &End, language: Language) -> String {
    let at = |name: &str, stage, what: (&'static str, &str)| {
        cli(language, name, &[("stage", &stage_in_words(stage, language)), what])
    };
    match end {
        End::Quit => cli(language, "session-over", &[]),
        End::Refused { reply, stage } => {
            at("ended-refused", *stage, ("reply", &printable(&reply.to_string())))
        }
        End::Broken { what, stage } => {
            at("ended-broken", *stage, ("what", &broken(what, language)))
        }
    }
}

/// Why a question was not answered.
pub(super) fn trouble(trouble: &Trouble, language: Language) -> String {
    match trouble {
        Trouble::Broken(what) => broken(what, language),
        Trouble::Ended => cli(language, "session-over", &[]),
    }
}

fn broken(what: &Broken, language: Language) -> String {
    let say = |name: &str, values: &[(&'static str, &str)]| {
        cli(language, &format!("broken-{name}"), values)
    };
    match what {
        Broken::ConnectionLost => say("connection-lost", &[]),
        Broken::TimedOut => say("timed-out", &[]),
        Broken::NotSmtp(error) => say("not-smtp", &[("error", &no_reply(error, language))]),
        Broken::OutOfTurn(reply) => {
            say("out-of-turn", &[("reply", &format!("`{}`", printable(&reply.to_string())))])
        }
        Broken::NotOffered(keyword) => say("not-offered", &[("keyword", keyword)]),
        Broken::TooBig { octets, most } => {
            say("too-big", &[("octets", &octets.to_string()), ("most", &most.to_string())])
        }
        Broken::Abandoned => say("abandoned", &[]),
        Broken::SessionOver => cli(language, "session-over", &[]),
    }
}

/// Why octets are no reply.
fn no_reply(error: &ReplyError, language: Language) -> String {
    match error {
        ReplyError::NotAReply(line) => {
            cli(language, "reply-none", &[("line", &format!("`{}`", printable(line)))])
        }
        ReplyError::CodesDiffer(first, then) => {
            let values = [("first", &*first.to_string()), ("then", &*then.to_string())];
            cli(language, "reply-codes-differ", &values)
        }
        ReplyError::TooLong => cli(language, "reply-too-long", &[]),
        ReplyError::Incomplete => cli(language, "reply-incomplete", &[]),
    }
}

#[cfg(test)]
mod tests {
    use reply::{Reply, Stage};

    use super::*;

    #[test]
    fn what_broke_a_session_is_said_in_every_language_and_in_english_as_ever() {
        let reply = || Reply::parse(b"421 4.3.2 going down\r\n").unwrap();
        let all = [
            Broken::ConnectionLost,
            Broken::TimedOut,
            Broken::NotSmtp(ReplyError::NotAReply("hello".into())),
            Broken::NotSmtp(ReplyError::CodesDiffer(reply().code(), reply().code())),
            Broken::NotSmtp(ReplyError::TooLong),
            Broken::NotSmtp(ReplyError::Incomplete),
            Broken::OutOfTurn(reply()),
            Broken::NotOffered("SMTPUTF8"),
            Broken::TooBig { octets: 9, most: 8 },
            Broken::Abandoned,
            Broken::SessionOver,
        ];
        for what in all {
            assert_eq!(broken(&what, Language::En), what.to_string());
            let end = End::Broken { what, stage: Stage::EndOfData };
            check(&end, "the end of the message data");
        }
        check(&End::Refused { reply: reply(), stage: Stage::EndOfData }, "421 4.3.2 going down");
    }

    fn check(end: &End, english: &str) {
        assert!(ended(end, Language::En).contains(english));
        let mut told: Vec<String> =
            Language::COMPLETE.iter().map(|language| ended(end, *language)).collect();
        assert!(told.iter().all(|words| !words.contains("cli-")), "{told:?}");
        told.sort();
        told.dedup();
        assert_eq!(told.len(), Language::COMPLETE.len(), "{told:?}");
    }
}
