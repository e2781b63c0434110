//! What each verb does: one small function a verb, named after it, that returns what the
//! session says or asks next.

use reply::{Answer, Stage, catalogue};

use super::{Begin, ChunkKind, Offer, Options, Proof, Protocol, Session};
use crate::query::Query;
use crate::syntax::Verb;
use crate::syntax::command;

/// What a command comes to.
#[derive(Debug)]
pub(super) enum Outcome {
    Say(Answer),
    SayAndClose(Answer),
    Ask(Query),
    Begin(Begin),
    Chunk { size: u64, last: bool, kind: ChunkKind },
}

use Outcome::{Ask, Say, SayAndClose};

/// The command that opens a session, by protocol.
const fn opening(options: &Options) -> &'static str {
    match options.protocol {
        Protocol::Lmtp => "LHLO",
        Protocol::Smtp | Protocol::Submission => "EHLO",
    }
}

/// Whether a command's arguments may be UTF-8 (RFC 6531 §3.7); elsewhere octets above 127
/// are an error of syntax (RFC 5321 §4.1.2).
const fn takes_utf8(stage: Stage) -> bool {
    matches!(stage, Stage::Mail | Stage::Rcpt | Stage::Vrfy | Stage::Expn)
}

impl<P: Proof> Session<P> {
    /// After a greeting that refuses: only QUIT works (RFC 5321 §3.1).
    pub(super) fn without_service(&mut self, line: &str) -> Outcome {
        match command::split(line) {
            (Verb::Smtp(Stage::Quit, _), "") => {
                self.answering = Stage::Quit;
                Say(catalogue::goodbye(&self.options.hostname))
            }
            _ => Say(catalogue::no_service()),
        }
    }

    /// One command line. Between BDAT chunks only BDAT, RSET, NOOP and QUIT go on, as RFC
    /// 3030 §2 has it; the others are told so by their own functions.
    pub(super) fn command(&mut self, line: &str) -> Outcome {
        let (verb, rest) = command::split(line);
        let Verb::Smtp(stage, word) = verb else {
            return match verb {
                Verb::Http => SayAndClose(catalogue::not_http()),
                _ => Say(catalogue::command_unknown()),
            };
        };
        self.answering = stage;
        if !rest.is_ascii() && !takes_utf8(stage) {
            return Say(catalogue::command_not_ascii());
        }
        match stage {
            Stage::Ehlo | Stage::Helo | Stage::Lhlo => self.hello_verb(stage, word, rest),
            Stage::Mail => self.mail(rest),
            Stage::Rcpt => self.rcpt(rest),
            Stage::Data => self.data(rest),
            Stage::Bdat if self.options.extensions.chunking => self.bdat(rest),
            Stage::Rset => self.rset(rest),
            Stage::Noop => Say(catalogue::noop()),
            Stage::Quit => self.quit(rest),
            Stage::Vrfy => self.vrfy(rest),
            Stage::Expn => self.expn(rest),
            Stage::Help if self.options.extensions.help => self.help(rest),
            _ => Say(catalogue::command_not_implemented(word)),
        }
    }

    fn hello_verb(&mut self, stage: Stage, word: &'static str, rest: &str) -> Outcome {
        let lmtp = self.options.protocol == Protocol::Lmtp;
        if lmtp != (stage == Stage::Lhlo) {
            return Say(catalogue::command_unknown());
        }
        match command::hello(rest, word) {
            Ok(name) => Ask(Query::Hello { name, stage }),
            Err(answer) => Say(answer),
        }
    }

    fn mail(&mut self, rest: &str) -> Outcome {
        if self.hello.is_none() {
            return Say(catalogue::bad_sequence(opening(&self.options)));
        }
        if self.transaction.is_some() {
            return Say(catalogue::sender_already_given());
        }
        let limit = self.options.limits.message_octets;
        match command::mail(rest, &self.offered()) {
            Ok((_, parameters)) if parameters.size.is_some_and(|size| size > limit) => {
                Say(catalogue::declared_size_too_big(limit))
            }
            Ok((reverse_path, parameters)) => Ask(Query::Mail { reverse_path, parameters }),
            Err(answer) => Say(answer),
        }
    }

    fn rcpt(&mut self, rest: &str) -> Outcome {
        let (offered, reverse_path) = (self.offered(), self.reverse_path());
        let limit = self.options.limits.recipients;
        let Some(transaction) = &mut self.transaction else {
            let first = if self.hello.is_none() { opening(&self.options) } else { "MAIL" };
            return Say(catalogue::bad_sequence(first));
        };
        if transaction.is_chunked() {
            return Say(catalogue::wrong_now("the message has begun; send BDAT or RSET"));
        }
        let mail = &transaction.envelope().mail;
        let (utf8, declared_octets) = (mail.smtputf8, mail.size);
        match command::rcpt(rest, &offered, utf8) {
            Err(answer) => {
                transaction.attempt();
                Say(answer)
            }
            Ok(_) if transaction.attempts() >= limit || transaction.is_full() => {
                Say(catalogue::too_many_recipients(limit))
            }
            Ok((path, parameters)) => {
                let ordinal = transaction.attempt();
                Ask(Query::Recipient { reverse_path, path, parameters, declared_octets, ordinal })
            }
        }
    }

    /// What keeps a message from beginning, if anything does.
    fn not_ready(&self) -> Option<Answer> {
        match &self.transaction {
            None if self.hello.is_none() => Some(catalogue::bad_sequence(opening(&self.options))),
            None => Some(catalogue::bad_sequence("MAIL")),
            Some(transaction) if transaction.has_recipients() => None,
            Some(transaction) if transaction.attempts() == 0 => {
                Some(catalogue::bad_sequence("RCPT"))
            }
            // RFC 2033 §4.2 asks for 503 where SMTP may also say 554.
            Some(_) if self.options.protocol == Protocol::Lmtp => {
                Some(catalogue::wrong_now("no valid recipients"))
            }
            Some(_) => Some(catalogue::no_valid_recipients()),
        }
    }

    fn data(&mut self, rest: &str) -> Outcome {
        if !rest.is_empty() {
            return Say(catalogue::argument_not_allowed("DATA"));
        }
        if self.transaction.as_ref().is_some_and(|transaction| transaction.is_chunked()) {
            return Say(catalogue::wrong_now("the message has begun with BDAT; go on with it"));
        }
        self.not_ready().map_or(Outcome::Begin(Begin::Data), Say)
    }

    /// The octets of a chunk are read even where they belong to nothing, so that they are
    /// never taken for commands (RFC 3030 §2).
    fn bdat(&mut self, rest: &str) -> Outcome {
        let (size, last) = match command::bdat(rest) {
            Ok(chunk) => chunk,
            Err(answer) => return Say(answer),
        };
        let refused = self.refused_chunks.as_ref().map(|refused| refused.answer.clone());
        if let Some(answer) = refused.or_else(|| self.not_ready()) {
            return Outcome::Chunk { size, last, kind: ChunkKind::Nothing(answer) };
        }
        let limit = self.options.limits.message_octets;
        if size > limit {
            // Nothing of it is kept that will not be: it may take its client years to send.
            self.between_chunks = None;
            self.drop_draft();
            let kind = ChunkKind::Nothing(catalogue::message_too_big(limit));
            return Outcome::Chunk { size, last, kind };
        }
        match self.between_chunks.take() {
            Some(incoming) => Outcome::Chunk { size, last, kind: ChunkKind::Message(incoming) },
            None => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.begin_chunks();
                }
                Outcome::Begin(Begin::Chunk { size, last })
            }
        }
    }

    fn rset(&mut self, rest: &str) -> Outcome {
        if !rest.is_empty() {
            return Say(catalogue::argument_not_allowed("RSET"));
        }
        self.reset();
        Say(catalogue::reset())
    }

    fn quit(&mut self, rest: &str) -> Outcome {
        if !rest.is_empty() {
            return Say(catalogue::argument_not_allowed("QUIT"));
        }
        Say(catalogue::goodbye(&self.options.hostname))
    }

    fn vrfy(&mut self, rest: &str) -> Outcome {
        match self.options.vrfy {
            Offer::Off => Say(catalogue::vrfy_off()),
            offer => match command::verify(rest) {
                Err(answer) => Say(answer),
                Ok(_) if offer == Offer::Noncommittal => Say(catalogue::cannot_verify()),
                // Our replies are ASCII, so they cannot show the mailbox: 252 (RFC 6531
                // §3.7.4.2).
                Ok((argument, _)) if !argument.to_string().is_ascii() => {
                    Say(catalogue::cannot_verify())
                }
                Ok((argument, smtputf8)) => Ask(Query::Verify { argument, smtputf8 }),
            },
        }
    }

    fn expn(&mut self, rest: &str) -> Outcome {
        match self.options.expn {
            Offer::Off => Say(catalogue::expn_off()),
            offer => match command::expand(rest) {
                Err(answer) => Say(answer),
                Ok(_) if offer == Offer::Noncommittal => Say(catalogue::cannot_verify()),
                Ok((name, smtputf8)) => Ask(Query::Expand { name, smtputf8 }),
            },
        }
    }

    /// The commands that work here, and what is known of one.
    fn help(&mut self, rest: &str) -> Outcome {
        let topic = rest.trim_matches(' ');
        if topic.is_empty() {
            let about = "commands that work here; RFC 5321 tells what they do";
            return Say(catalogue::help(about).with_lines([self.offered_verbs().join(" ")]));
        }
        match command::split(topic) {
            (Verb::Smtp(_, word), _) if self.offered_verbs().contains(&word) => {
                Say(catalogue::help(command::usage(word)))
            }
            _ => Say(catalogue::argument_not_implemented("HELP")),
        }
    }

    fn offered_verbs(&self) -> Vec<&'static str> {
        let lmtp = self.options.protocol == Protocol::Lmtp;
        let rows = [
            (lmtp, "LHLO"),
            (!lmtp, "EHLO"),
            (!lmtp, "HELO"),
            (true, "MAIL"),
            (true, "RCPT"),
            (true, "DATA"),
            (self.options.extensions.chunking, "BDAT"),
            (true, "RSET"),
            (true, "NOOP"),
            (true, "QUIT"),
            (self.options.vrfy != Offer::Off, "VRFY"),
            (self.options.expn != Offer::Off, "EXPN"),
            (self.options.extensions.help, "HELP"),
        ];
        rows.into_iter().filter(|(on, _)| *on).map(|(_, verb)| verb).collect()
    }
}
