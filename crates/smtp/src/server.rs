//! The server's side of a session as a state machine without I/O (RFC 5321).
//!
//! Octets go in with [`Session::receive`], steps come out of [`Session::poll`]. Where the
//! protocol leaves a choice the session *stops to ask* and takes nothing until it is
//! resumed, so the replies to a pipelined group stay in order (RFC 2920 §3.2). What a verb
//! does stands in `verbs`; how a message comes in, in `incoming`.

mod incoming;
mod input;
mod options;
mod scan;
mod step;
mod transaction;
mod verbs;

#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use memchr::memmem;

use reply::{Answer, Class, Stage, Timestamp, catalogue};

use self::incoming::Incoming;
use self::input::Lines;
pub use self::options::{EightBitHeaders, Limits, Offer, Options, Protocol};
pub use self::step::{Ended, MessageFacts, Proof, Step};
use self::transaction::Transaction;
use self::verbs::Outcome;
use crate::extension::Extensions;
use crate::framing::decode::Decoder;
use crate::query::{Decision, Query};
use crate::syntax::{ForwardPath, HelloName, RecipientParameters, ReversePath};

/// How much of a message is taken at once, in octets; what it becomes is at most double.
const DATA_OCTETS: usize = 64 * 1024;
/// Replies that wait to be polled before no further command is taken, in octets.
const OUTPUT_OCTETS: usize = 16 * 1024;

/// How late a timer may fire that nothing held up.
const LATE: Duration = Duration::from_secs(1);

/// What incoming octets are.
#[derive(Debug)]
enum Mode {
    /// Nothing may come yet: the greeting is held back until then.
    Silence(Timestamp),
    /// Command lines.
    Commands,
    /// Command lines, all refused but QUIT (RFC 5321 §3.1).
    NoService,
    /// Message data up to the dot.
    Data(Box<Incoming>),
    /// Message data, this many octets more.
    Chunk(Chunk),
    /// Nothing any more.
    Closed,
}

/// One BDAT chunk while it comes in.
#[derive(Debug)]
struct Chunk {
    size: u64,
    remaining: u64,
    last: bool,
    kind: ChunkKind,
}

#[derive(Debug)]
enum ChunkKind {
    /// Octets of a message.
    Message(Box<Incoming>),
    /// Octets that belong to nothing: read, forgotten, and then this is said.
    Nothing(Answer),
}

/// In LMTP the replies to the chunks that follow a refused one are counted by the client.
#[derive(Debug)]
struct RefusedChunks {
    answer: Answer,
    /// Recipients that were accepted: each has a reply after the last chunk.
    recipients: usize,
}

/// What the session waits to hear from the shell.
#[derive(Debug)]
enum Question {
    Policy(Query),
    /// May a draft begin? For DATA, or for the first chunk.
    Begin(Begin),
    /// Is the message durable?
    End,
}

#[derive(Clone, Copy, Debug)]
enum Begin {
    Data,
    Chunk { size: u64, last: bool },
}

/// How the client introduced itself.
#[derive(Debug)]
struct Hello {
    name: HelloName,
    stage: Stage,
}

/// One session. `P` is the proof that lets it say that a message is accepted.
#[derive(Debug)]
pub struct Session<P> {
    options: Arc<Options>,
    mode: Mode,
    lines: Lines,
    output: Vec<u8>,
    question: Option<Question>,
    /// The question was polled; now only the answer goes on.
    asked: bool,
    hello: Option<Hello>,
    transaction: Option<Transaction>,
    /// The message between its chunks.
    between_chunks: Option<Box<Incoming>>,
    /// LMTP: a chunk before the last was refused.
    refused_chunks: Option<RefusedChunks>,
    /// A draft is open that the shell must drop.
    abort: bool,
    /// A draft is open.
    draft: bool,
    /// The data that were polled last can be forgotten.
    data_polled: bool,
    /// A complete command is still in the shell's buffer: replies wait for its own.
    more_commands: bool,
    /// The command, or the moment, that the next reply answers.
    answering: Stage,
    /// A reply waits that may not be held back for others (RFC 2920 §3.2).
    urgent: bool,
    errors: usize,
    shutting_down: bool,
    heard_at: Timestamp,
    /// Since it was heard the client waited for us, so that its silence is no idleness.
    waited_for_us: bool,
    proof: PhantomData<fn(P)>,
}

impl<P: Proof> Session<P> {
    /// A session that begins with the question whether it may. Poll it first.
    pub fn new(options: Arc<Options>, now: Timestamp) -> Session<P> {
        Session {
            options,
            mode: Mode::Commands,
            lines: Lines::default(),
            output: Vec::new(),
            question: Some(Question::Policy(Query::Connect)),
            asked: false,
            hello: None,
            transaction: None,
            between_chunks: None,
            refused_chunks: None,
            abort: false,
            draft: false,
            data_polled: false,
            more_commands: false,
            answering: Stage::Connection,
            urgent: false,
            errors: 0,
            shutting_down: false,
            heard_at: now,
            waited_for_us: false,
            proof: PhantomData,
        }
    }

    /// Takes octets from the client and returns how many; poll afterwards, then hand in
    /// the rest. Takes none while a question or unpolled data or replies wait.
    pub fn receive(&mut self, input: &[u8], now: Timestamp) -> usize {
        self.forget_polled_data();
        let mut used = 0;
        while used < input.len() && self.can_receive() {
            used += self.take(&input[used..]);
            self.heard_at = now;
            self.waited_for_us = false;
        }
        let rest = &input[used..];
        let commands = matches!(self.mode, Mode::Commands | Mode::NoService);
        self.more_commands = commands && memmem::find(rest, b"\r\n").is_some();
        used
    }

    /// The next step; call until it is [`Step::Receive`] or [`Step::Close`], and again
    /// after `receive`, `resume`, `message_begun`, `message_ended`, `handle_timeout`,
    /// `shut_down` and `end_of_input`.
    pub fn poll(&mut self) -> Step<'_> {
        self.forget_polled_data();
        if std::mem::take(&mut self.abort) {
            return Step::MessageAbort;
        }
        if self.has_data() {
            self.data_polled = true;
            return Step::MessageData(self.incoming().map_or(&[], |incoming| incoming.octets()));
        }
        if !self.asked
            && let Some(question) = &self.question
        {
            let slow = matches!(question, Question::End);
            if slow && !self.output.is_empty() {
                return Step::Send(self.flush());
            }
            self.asked = true;
            return self.ask();
        }
        let held = self.question.is_some() || (self.more_commands && !self.must_flush());
        if !self.output.is_empty() && !held {
            return Step::Send(self.flush());
        }
        if matches!(self.mode, Mode::Closed) { Step::Close } else { Step::Receive }
    }

    /// The replies that wait for others of their group: for a shell whose answer to a
    /// question takes long.
    pub fn take_output(&mut self) -> Option<Vec<u8>> {
        (!self.output.is_empty()).then(|| self.flush())
    }

    /// The answer to [`Step::Ask`].
    pub fn resume(&mut self, decision: Decision) {
        match self.answered() {
            Some(Question::Policy(query)) => self.decided(query, decision),
            other => self.question = other,
        }
    }

    /// The answer to [`Step::MessageBegin`]: the draft is open, or why not.
    pub fn message_begun(&mut self, begun: Result<(), Answer>) {
        match (self.answered(), begun) {
            (Some(Question::Begin(begin)), Ok(())) => {
                self.draft = true;
                self.begin(begin);
            }
            (Some(Question::Begin(begin)), Err(why)) => self.not_begun(begin, why),
            (other, _) => self.question = other,
        }
    }

    /// The draft took no more octets: the rest is read to its end, then this is said.
    pub fn message_failed(&mut self, why: Answer) {
        self.drop_draft();
        if let Some(incoming) = self.incoming_mut() {
            incoming.fail(why);
        } else if matches!(self.question, Some(Question::End)) {
            self.message_ended(Ended::Refused(why));
        }
    }

    /// The answer to [`Step::MessageEnd`]. Only a proof lets the session say that the
    /// message is accepted.
    pub fn message_ended(&mut self, ended: Ended<P>) {
        if !matches!(self.answered(), Some(Question::End)) {
            return;
        }
        self.draft = false;
        let Some(transaction) = self.transaction.take() else { return };
        match (self.options.protocol, ended) {
            (Protocol::Lmtp, Ended::Accepted(proof)) => {
                let id = proof.queue_id();
                let results = transaction.envelope().recipients.iter();
                let answers: Vec<Answer> = results
                    .map(|recipient| catalogue::message_accepted_for(&recipient.path, &id))
                    .collect();
                self.say_all(answers);
            }
            (_, Ended::Accepted(proof)) => self.say(catalogue::message_accepted(proof.queue_id())),
            (Protocol::Lmtp, Ended::Refused(why)) => {
                self.say_all(vec![why; transaction.envelope().recipients.len()]);
            }
            (_, Ended::Refused(why)) => self.say(why),
            (Protocol::Lmtp, Ended::PerRecipient(results)) => {
                self.per_recipient(&transaction, results);
            }
            // SMTP knows no partial success (RFC 5321 §4.1.1.4): one that is safe decides.
            (_, Ended::PerRecipient(results)) => self.say(all_or_none(results)),
        }
        self.after_command();
    }

    /// When [`Session::handle_timeout`] is to be called, unless something is heard first.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match self.mode {
            Mode::Closed => None,
            _ if self.question.is_some() => None,
            Mode::Silence(until) => Some(until),
            _ => Some(self.heard_at + self.options.limits.idle),
        }
    }

    /// Time has passed: the greeting is due, or nothing was heard for too long.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let late = match self.poll_timeout() {
            Some(deadline) if deadline <= now => now.since(deadline),
            _ => return,
        };
        if matches!(self.mode, Mode::Silence(_)) {
            self.heard_at = now;
            return self.greet();
        }
        // The deadline went by while the client waited for our answer: it starts again.
        if std::mem::take(&mut self.waited_for_us) && late > LATE {
            self.heard_at = now;
            return;
        }
        self.drop_draft();
        self.say(catalogue::idle_too_long());
    }

    /// The client sends no more. What was said before is still answered.
    pub fn end_of_input(&mut self) {
        self.drop_draft();
        self.question = None;
        self.mode = Mode::Closed;
    }

    /// Says 421 at the next moment that is lawful, then closes: at once between commands,
    /// after its end where a message is under way.
    pub fn shut_down(&mut self) {
        self.shutting_down = true;
        if self.question.is_none() && !self.is_mid_message() {
            self.after_command();
        }
    }

    /// Says 421 now, closes, and takes back a message that is not whole: for who has waited
    /// for its end after [`Session::shut_down`] for long enough.
    pub fn break_off(&mut self) {
        self.drop_draft();
        self.question = None;
        if !matches!(self.mode, Mode::Closed) {
            self.say(catalogue::shutting_down());
        }
    }

    /// How the client introduced itself, and with which command.
    pub fn hello(&self) -> Option<(&HelloName, Stage)> {
        self.hello.as_ref().map(|hello| (&hello.name, hello.stage))
    }

    /// Whether message data are on their way.
    pub const fn is_mid_message(&self) -> bool {
        matches!(self.mode, Mode::Data(_) | Mode::Chunk(_))
    }
}

/// Octets in.
impl<P: Proof> Session<P> {
    fn can_receive(&self) -> bool {
        self.question.is_none()
            && !self.has_data()
            && !self.abort
            && !self.urgent
            && self.output.len() < OUTPUT_OCTETS
            && !matches!(self.mode, Mode::Closed)
    }

    fn take(&mut self, input: &[u8]) -> usize {
        match &mut self.mode {
            Mode::Silence(_) => {
                self.say(catalogue::talked_too_early());
                self.mode = Mode::NoService;
                0
            }
            Mode::Commands | Mode::NoService => self.take_line(input),
            Mode::Data(_) => self.take_data(input),
            Mode::Chunk(_) => self.take_chunk(input),
            Mode::Closed => 0,
        }
    }

    fn take_line(&mut self, input: &[u8]) -> usize {
        let (used, line) = self.lines.take(input, self.options.limits.command_line_octets);
        if let Some(line) = line {
            self.answering = Stage::Unrecognized;
            let no_service = matches!(self.mode, Mode::NoService);
            let outcome = match line {
                Ok(line) if no_service => self.without_service(&line),
                Ok(line) => self.command(&line),
                Err(answer) => Outcome::Say(answer),
            };
            self.act(outcome);
        }
        used
    }

    fn act(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Say(answer) => self.say(answer),
            Outcome::SayAndClose(answer) => {
                self.say(answer);
                self.mode = Mode::Closed;
            }
            Outcome::Ask(query) => self.question = Some(Question::Policy(query)),
            Outcome::Begin(begin) => self.question = Some(Question::Begin(begin)),
            Outcome::Chunk { size, last, kind } => self.begin_chunk(size, last, kind),
        }
        if self.question.is_none() {
            self.after_command();
        }
    }

    fn take_data(&mut self, input: &[u8]) -> usize {
        let limit = self.options.limits.message_octets;
        let Mode::Data(incoming) = &mut self.mode else { return 0 };
        let (decoded, hopeless) = incoming.take(&input[..input.len().min(DATA_OCTETS)], limit);
        if hopeless {
            self.drop_draft();
        }
        if decoded.ended
            && let Mode::Data(incoming) = std::mem::replace(&mut self.mode, Mode::Commands)
        {
            self.answering = Stage::EndOfData;
            self.whole(incoming);
        }
        decoded.used
    }

    fn take_chunk(&mut self, input: &[u8]) -> usize {
        let limit = self.options.limits.message_octets;
        let Mode::Chunk(chunk) = &mut self.mode else { return 0 };
        let most = usize::try_from(chunk.remaining).unwrap_or(usize::MAX).min(DATA_OCTETS);
        let octets = &input[..input.len().min(most)];
        chunk.remaining -= octets.len() as u64;
        let hopeless = match &mut chunk.kind {
            ChunkKind::Message(incoming) => incoming.take(octets, limit).1,
            ChunkKind::Nothing(_) => false,
        };
        if hopeless {
            self.drop_draft();
        }
        self.end_chunk_if_done();
        octets.len()
    }

    fn begin_chunk(&mut self, size: u64, last: bool, kind: ChunkKind) {
        self.mode = Mode::Chunk(Chunk { size, remaining: size, last, kind });
        self.end_chunk_if_done();
    }

    fn end_chunk_if_done(&mut self) {
        if !matches!(&self.mode, Mode::Chunk(chunk) if chunk.remaining == 0) {
            return;
        }
        let Mode::Chunk(chunk) = std::mem::replace(&mut self.mode, Mode::Commands) else { return };
        match chunk.kind {
            ChunkKind::Nothing(answer) => self.refuse_chunk(answer, chunk.last),
            ChunkKind::Message(mut incoming) if chunk.last => {
                self.answering = Stage::EndOfData;
                if incoming.finish(self.options.limits.message_octets) {
                    self.drop_draft();
                }
                self.whole(incoming);
            }
            ChunkKind::Message(incoming) => match incoming.failure() {
                Some(why) => self.refuse_chunk(why, chunk.last),
                None => {
                    self.between_chunks = Some(incoming);
                    self.say(catalogue::chunk_received(chunk.size));
                    self.after_command();
                }
            },
        }
    }

    /// The message is whole, or refused before its end: is it refused, or shall the shell
    /// make it durable?
    fn whole(&mut self, incoming: Box<Incoming>) {
        let utf8 = self.transaction.as_ref().is_some_and(|t| t.envelope().mail.smtputf8);
        match incoming.refusal(&self.options, utf8) {
            Some(answer) => self.end_transaction_with(answer),
            None => {
                self.between_chunks = Some(incoming);
                self.question = Some(Question::End);
                self.asked = false;
            }
        }
    }

    /// Refuses a chunk, and with it the message.
    fn refuse_chunk(&mut self, answer: Answer, last: bool) {
        if self.options.protocol == Protocol::Lmtp {
            return self.refuse_lmtp_chunk(answer, last);
        }
        if last && self.transaction.as_ref().is_some_and(Transaction::has_recipients) {
            self.answering = Stage::EndOfData;
        }
        self.end_transaction_with(answer);
    }

    /// In LMTP the last chunk has a reply for each accepted recipient, so none where the
    /// transaction has none (RFC 2033 §4.3); each chunk before it has one. The client may
    /// have sent all of them at once, so this holds for those after a refused one, too.
    fn refuse_lmtp_chunk(&mut self, answer: Answer, last: bool) {
        let begun = self.transaction.take().map(|t| t.envelope().recipients.len());
        let refused = self.refused_chunks.take().map(|refused| refused.recipients);
        self.drop_draft();
        let replies = match refused.or(begun) {
            Some(recipients) if last => recipients,
            Some(recipients) => {
                let answer = answer.clone();
                self.refused_chunks = Some(RefusedChunks { answer, recipients });
                1
            }
            None => 1,
        };
        if last && begun.or(refused).is_some() {
            self.answering = Stage::EndOfData;
        }
        self.say_all(vec![answer; replies]);
        self.after_command();
    }

    /// Refuses what was sent, and the transaction is over. In LMTP the end of the data has
    /// a reply for each recipient (RFC 2033 §4.2); a chunk before it has one.
    fn end_transaction_with(&mut self, answer: Answer) {
        self.drop_draft();
        let recipients = self.transaction.take().map_or(0, |t| t.envelope().recipients.len());
        let each = self.options.protocol == Protocol::Lmtp && self.answering == Stage::EndOfData;
        self.say_all(vec![answer; if each { recipients.max(1) } else { 1 }]);
        self.after_command();
    }
}

/// Questions and answers.
impl<P: Proof> Session<P> {
    fn ask(&mut self) -> Step<'_> {
        match &self.question {
            Some(Question::Policy(query)) => Step::Ask(query.clone()),
            Some(Question::Begin(_)) => match &self.transaction {
                Some(transaction) => Step::MessageBegin(transaction.envelope().clone()),
                None => Step::Receive,
            },
            Some(Question::End) => {
                let facts = self.between_chunks.take().map(|incoming| incoming.facts());
                Step::MessageEnd(facts.unwrap_or_default())
            }
            None => Step::Receive,
        }
    }

    /// The question that was asked; the session goes on.
    fn answered(&mut self) -> Option<Question> {
        self.asked = false;
        self.waited_for_us = true;
        self.question.take()
    }

    fn decided(&mut self, query: Query, decision: Decision) {
        match decision {
            Decision::Proceed => self.proceed(query),
            Decision::Refuse(answer) | Decision::Answer(answer) => self.refused(&query, answer),
            Decision::RefuseAndClose(answer) => {
                self.say(answer);
                self.mode = Mode::Closed;
            }
        }
        self.after_command();
    }

    fn proceed(&mut self, query: Query) {
        match query {
            Query::Connect => match self.options.greet_delay {
                Some(delay) => self.mode = Mode::Silence(self.heard_at + delay),
                None => self.greet(),
            },
            Query::Hello { name, stage } => self.greeted(name, stage),
            Query::Mail { reverse_path, parameters } => {
                self.say(catalogue::sender_ok(&reverse_path));
                self.transaction = Some(Transaction::new(reverse_path, parameters));
                self.refused_chunks = None;
            }
            Query::Recipient { path, parameters, .. } => self.accept_recipient(path, parameters),
            Query::Verify { .. } | Query::Expand { .. } => self.say(catalogue::cannot_verify()),
        }
    }

    fn accept_recipient(&mut self, path: ForwardPath, parameters: RecipientParameters) {
        self.say(catalogue::recipient_ok(&path));
        if let Some(transaction) = &mut self.transaction {
            transaction.accept(path, parameters);
        }
    }

    /// A greeting other than 220 or 421 leaves a session in which only QUIT works.
    fn refused(&mut self, query: &Query, answer: Answer) {
        self.say(answer);
        if matches!(query, Query::Connect) && !matches!(self.mode, Mode::Closed) {
            self.mode = Mode::NoService;
        }
    }

    fn greet(&mut self) {
        let hostname = &self.options.hostname;
        let greeting = match self.options.protocol {
            Protocol::Lmtp => catalogue::lmtp_greeting(hostname),
            Protocol::Smtp | Protocol::Submission => catalogue::greeting(hostname),
        };
        self.mode = Mode::Commands;
        self.say(greeting);
    }

    /// EHLO, HELO and LHLO undo a transaction (RFC 5321 §4.1.4).
    fn greeted(&mut self, name: HelloName, stage: Stage) {
        self.reset();
        let Options { hostname, extensions, limits, vrfy, expn, .. } = &*self.options;
        let answer = match stage {
            Stage::Helo => catalogue::hello(hostname, &name),
            _ => {
                let keywords =
                    extensions.keywords(limits, *vrfy != Offer::Off, *expn != Offer::Off);
                catalogue::hello_extended(hostname, &name).with_lines(keywords)
            }
        };
        self.hello = Some(Hello { name, stage });
        self.say(answer);
    }

    fn begin(&mut self, begin: Begin) {
        let policy = self.options.bare_line_end;
        match begin {
            Begin::Data => {
                self.say(catalogue::start_mail_input());
                self.mode = Mode::Data(Box::new(Incoming::new(Decoder::dotted(policy))));
            }
            Begin::Chunk { size, last } => {
                let incoming = Box::new(Incoming::new(Decoder::chunked(policy)));
                self.begin_chunk(size, last, ChunkKind::Message(incoming));
            }
        }
    }

    fn not_begun(&mut self, begin: Begin, why: Answer) {
        match begin {
            Begin::Data => {
                self.transaction = None;
                self.say(why);
                self.after_command();
            }
            Begin::Chunk { size, last } => self.begin_chunk(size, last, ChunkKind::Nothing(why)),
        }
    }

    /// One reply for each recipient, whatever the shell gave: a result that is missing is a
    /// fault of ours.
    fn per_recipient(&mut self, transaction: &Transaction, results: Vec<Result<P, Answer>>) {
        let mut results = results.into_iter();
        for recipient in &transaction.envelope().recipients {
            self.say(match results.next() {
                Some(Ok(proof)) => {
                    catalogue::message_accepted_for(&recipient.path, proof.queue_id())
                }
                Some(Err(why)) => why,
                None => catalogue::server_fault(),
            });
        }
    }
}

/// Replies and states.
impl<P: Proof> Session<P> {
    fn say_all(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            self.say(answer);
        }
    }

    /// Writes a reply, counts it, and closes after 421 and 221.
    fn say(&mut self, answer: Answer) {
        let lawful = answer.row().answers.contains(&self.answering);
        debug_assert!(lawful, "{} does not answer {}", answer.row().id, self.answering);
        let code = answer.code().value();
        answer.write(&mut self.output);
        self.urgent |= is_urgent(self.answering);
        self.errors += usize::from(is_error(self.answering, &answer));
        if self.answering == Stage::EndOfData && answer.code().class() == Class::Positive {
            self.errors = 0;
        }
        if code == 421 || code == 221 {
            self.drop_draft();
            self.mode = Mode::Closed;
        }
    }

    /// After each command: too many errors, or a shutdown that waited for its end.
    fn after_command(&mut self) {
        if matches!(self.mode, Mode::Closed) || self.question.is_some() || self.is_mid_message() {
            return;
        }
        if self.errors >= self.options.limits.errors {
            self.say(catalogue::too_many_errors());
        } else if self.shutting_down {
            self.say(catalogue::shutting_down());
        }
    }

    /// Replies that cannot wait for others: the client must hear them to go on.
    fn must_flush(&self) -> bool {
        let reads_commands = matches!(self.mode, Mode::Commands | Mode::NoService);
        self.urgent || !reads_commands || self.output.len() >= OUTPUT_OCTETS
    }

    fn flush(&mut self) -> Vec<u8> {
        self.urgent = false;
        std::mem::take(&mut self.output)
    }

    /// Ends a transaction without a word.
    fn reset(&mut self) {
        self.drop_draft();
        self.transaction = None;
        self.between_chunks = None;
        self.refused_chunks = None;
    }

    fn drop_draft(&mut self) {
        self.abort |= std::mem::take(&mut self.draft);
    }

    fn incoming(&self) -> Option<&Incoming> {
        match &self.mode {
            Mode::Data(incoming) => Some(incoming),
            Mode::Chunk(Chunk { kind: ChunkKind::Message(incoming), .. }) => Some(incoming),
            _ => self.between_chunks.as_deref(),
        }
    }

    fn incoming_mut(&mut self) -> Option<&mut Incoming> {
        match &mut self.mode {
            Mode::Data(incoming) => Some(incoming),
            Mode::Chunk(Chunk { kind: ChunkKind::Message(incoming), .. }) => Some(incoming),
            _ => self.between_chunks.as_deref_mut(),
        }
    }

    fn has_data(&self) -> bool {
        self.incoming().is_some_and(|incoming| !incoming.octets().is_empty())
    }

    fn forget_polled_data(&mut self) {
        if std::mem::take(&mut self.data_polled)
            && let Some(incoming) = self.incoming_mut()
        {
            incoming.forget_octets();
        }
    }

    /// What may be used now: nothing before a greeting, and no extension after HELO.
    fn offered(&self) -> Extensions {
        match &self.hello {
            Some(Hello { stage: Stage::Ehlo | Stage::Lhlo, .. }) => self.options.extensions,
            _ => Extensions::none(),
        }
    }

    fn reverse_path(&self) -> ReversePath {
        let transaction = self.transaction.as_ref();
        transaction.map_or(ReversePath(None), |t| t.envelope().reverse_path.clone())
    }
}

/// The errors that count: 500 to 504 (RFC 5321 §4.2.4), and a recipient refused for good.
fn is_error(answering: Stage, answer: &Answer) -> bool {
    let code = answer.code();
    let refused_recipient = answering == Stage::Rcpt && code.class() == Class::Permanent;
    refused_recipient || (500..=504).contains(&code.value())
}

/// Only replies to a group's own commands wait for each other; RFC 2920 §3.2 forbids it
/// for EHLO, DATA, VRFY, EXPN, TURN, QUIT, NOOP and what is not recognized.
const fn is_urgent(answering: Stage) -> bool {
    !matches!(answering, Stage::Mail | Stage::Rcpt | Stage::Rset | Stage::Bdat)
}

fn all_or_none<P: Proof>(results: Vec<Result<P, Answer>>) -> Answer {
    let mut refused = None;
    for result in results {
        match result {
            Ok(proof) => return catalogue::message_accepted(proof.queue_id()),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    refused.unwrap_or_else(catalogue::server_fault)
}
