//! The sending side of a session: octets of the server in, octets for it out, and for
//! each recipient what became of it. No socket, no clock, no DNS; the mirror of `server`.
//!
//! [`Session`] is driven like this: [`Session::poll`] until it says [`Step::Receive`],
//! then wait for octets ([`Session::receive`]), for the end of the connection
//! ([`Session::end_of_input`]) or for the time of [`Session::poll_timeout`]
//! ([`Session::handle_timeout`]), and poll again. At [`Step::Ready`] the shell looks at
//! [`Session::capabilities`], and hands over a [`Transaction`], a command, or quits.
//!
//! Start reading at `states` (what each reply leads to); `exchange` holds the rules of
//! one transaction, `encode` the octets of a message.

mod capabilities;
mod exchange;
mod knowledge;
mod report;
mod states;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reply::{Reply, ReplyReader, Stage, Timestamp};

pub use capabilities::{Capabilities, Extension};

pub use knowledge::{HostKnowledge, Parameter};
pub use report::{
    Broken, End, Extent, Outcome, RecipientOutcome, Said, Transaction, TransactionReport,
};

use exchange::Awaited;
use states::State;

/// Most octets of replies that one session reads for one transaction or command: a
/// server that says 256 KiB to each of 1,000 recipients is not listened to.
pub const MAX_HEARD_OCTETS: usize = 4 * 1024 * 1024;
/// Most lines of [`Said`] that are kept until the shell takes them; the oldest go first.
pub const MAX_SAID: usize = 4096;
/// Longest text of one [`Said::Heard`], in octets.
pub const MAX_SAID_OCTETS: usize = 1024;

/// The protocol that the server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321.
    #[default]
    Smtp,
    /// RFC 2033: LHLO, and a reply for each recipient after the message.
    Lmtp,
}

/// How long each answer is waited for (RFC 5321 §4.5.3.2; its minima are the defaults).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The connection, which the shell makes: 30 seconds. RFC 5321 names no time; the
    /// operating system's own two minutes are long with twenty addresses to try.
    pub connect: Duration,
    /// The greeting: 5 minutes.
    pub greeting: Duration,
    /// EHLO, HELO, LHLO, RSET and the shell's own commands: 5 minutes.
    pub command: Duration,
    /// MAIL: 5 minutes.
    pub mail: Duration,
    /// RCPT: 5 minutes.
    pub recipient: Duration,
    /// DATA: 2 minutes.
    pub data: Duration,
    /// One piece of the message to leave, or a BDAT chunk to be answered: 3 minutes.
    pub block: Duration,
    /// The end of the message: 10 minutes.
    pub end_of_data: Duration,
    /// QUIT: 10 seconds, since nothing depends on it.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        Timeouts {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            mail: minutes(5),
            recipient: minutes(5),
            data: minutes(2),
            block: minutes(3),
            end_of_data: minutes(10),
            quit: Duration::from_secs(10),
        }
    }
}

impl Timeouts {
    fn of(&self, awaited: Awaited) -> Duration {
        match awaited {
            Awaited::Greeting => self.greeting,
            Awaited::Hello(_) | Awaited::Reset | Awaited::Raw(_) => self.command,
            Awaited::Mail => self.mail,
            Awaited::Recipient(_) => self.recipient,
            Awaited::Data => self.data,
            Awaited::Chunk => self.block,
            Awaited::EndOfData | Awaited::EndOfDataFor(_) | Awaited::LoneDot => self.end_of_data,
            Awaited::Quit => self.quit,
        }
    }
}

/// What holds for a whole session.
#[derive(Clone, Debug)]
pub struct Options {
    /// What we call ourselves in EHLO: a domain name, or an address literal in brackets.
    pub hostname: String,
    /// What the server speaks.
    pub protocol: Protocol,
    /// How long each answer is waited for.
    pub timeouts: Timeouts,
    /// What is known about the server.
    pub known: HostKnowledge,
    /// Most octets of commands that are sent ahead of their replies, so that neither
    /// side blocks while the other one writes (RFC 2920 §3.1).
    pub pipeline_octets: usize,
    /// Most octets of the message that are asked for at a time; also the size of a BDAT
    /// chunk.
    pub piece_octets: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hostname: "localhost".to_owned(),
            protocol: Protocol::Smtp,
            timeouts: Timeouts::default(),
            known: HostKnowledge::default(),
            pipeline_octets: 4096,
            piece_octets: 64 * 1024,
        }
    }
}

/// What the shell is to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Write these octets, then poll again.
    Send(Vec<u8>),
    /// Nothing before octets come, the connection ends, or the time is up.
    Receive,
    /// No transaction is under way: hand one over, send a command, or quit.
    Ready,
    /// Give the message's octets from `offset` on, at most `at_most`, to
    /// [`Session::body`]. A later round may ask from the beginning again.
    NeedBody {
        /// Octets of the message before the wanted ones.
        offset: u64,
        /// Most octets that are taken at once.
        at_most: usize,
    },
    /// What became of a transaction. Poll again.
    Finished(TransactionReport),
    /// The answer to [`Session::command`]. Poll again.
    Answered(Stage, Reply),
    /// Close the connection; [`Session::end`] says why.
    Close,
}

/// A line that [`Session::command`] does not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCommand {
    /// It has control characters, or is longer than 512 octets with CRLF.
    NotALine,
    /// It is part of a hello, a transaction or a handshake, which have their own ways.
    HasItsOwnWay,
    /// A transaction or another command is under way, or the session is over.
    NotReady,
}

impl fmt::Display for BadCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadCommand::NotALine => "the command is no single line of at most 512 octets",
            BadCommand::HasItsOwnWay => "the command cannot be sent by itself",
            BadCommand::NotReady => "the session is not ready for a command",
        })
    }
}

impl std::error::Error for BadCommand {}

/// One connection to a server, from the greeting to the end.
#[derive(Debug)]
pub struct Session {
    options: Arc<Options>,
    now: Timestamp,
    reader: ReplyReader,
    heard_octets: usize,
    state: State,
    output: Vec<u8>,
    /// Commands without a reply, oldest first, with the octets of each.
    awaited: VecDeque<(Awaited, usize)>,
    /// How many of them, the youngest, still stand in `output`.
    unsent: usize,
    deadline: Option<Timestamp>,
    capabilities: Capabilities,
    greeting: Option<Reply>,
    hello: Option<Reply>,
    learned: HostKnowledge,
    waiting: VecDeque<Transaction>,
    leave_when_idle: bool,
    /// A transaction may be open on the other side.
    needs_reset: bool,
    finished: VecDeque<Step>,
    said: VecDeque<Said>,
}

impl Session {
    /// A session on a connection that was just made.
    pub fn new(options: Arc<Options>, now: Timestamp) -> Session {
        let deadline = Some(now + options.timeouts.greeting);
        Session {
            learned: options.known.clone(),
            options,
            now,
            reader: ReplyReader::default(),
            heard_octets: 0,
            state: State::Opening,
            output: Vec::new(),
            awaited: VecDeque::from([(Awaited::Greeting, 0)]),
            unsent: 0,
            deadline,
            capabilities: Capabilities::default(),
            greeting: None,
            hello: None,
            waiting: VecDeque::new(),
            leave_when_idle: false,
            needs_reset: false,
            finished: VecDeque::new(),
            said: VecDeque::new(),
        }
    }

    /// Takes octets of the server. Returns how many it took: fewer than given only when
    /// the session is over. Poll afterwards.
    pub fn receive(&mut self, input: &[u8], now: Timestamp) -> usize {
        self.now = self.now.max(now);
        let mut used = 0;
        while used < input.len() && !self.is_over() {
            let read = self.reader.receive(&input[used..]);
            used += self.take_reply(read, input.len() - used);
        }
        used
    }

    /// What to do next; call it until [`Step::Receive`], and again after every other
    /// call on the session.
    pub fn poll(&mut self) -> Step {
        if !self.output.is_empty() {
            self.unsent = 0;
            return Step::Send(std::mem::take(&mut self.output));
        }
        match self.finished.pop_front() {
            Some(step) => step,
            None => self.next_step(),
        }
    }

    /// Hands over a message. It may be given at any time: it begins when those before it
    /// have ended, and ends with [`Step::Finished`] in every case.
    pub fn transaction(&mut self, transaction: Transaction, now: Timestamp) {
        self.now = self.now.max(now);
        self.waiting.push_back(transaction);
        self.wake();
    }

    /// Answers [`Step::NeedBody`] with the message's next octets; `last` with the end of
    /// it, where `octets` may be empty. Not asked for, they are ignored.
    pub fn body(&mut self, octets: &[u8], last: bool, now: Timestamp) {
        self.now = self.now.max(now);
        self.encode_body(octets, last);
    }

    /// The message cannot be read to its end: the connection is dropped before the
    /// server can take a part for the whole.
    pub fn body_failed(&mut self) {
        self.fail(Broken::Abandoned, Stage::EndOfData);
    }

    /// Sends a command of the shell's own at [`Step::Ready`]: VRFY, EXPN, NOOP, HELP,
    /// TURN, or a word that is none. Its reply comes as [`Step::Answered`]; any 2yz to
    /// TURN ends the session, since the sides would change.
    ///
    /// # Errors
    /// Where the line is none that may be sent now.
    pub fn command(&mut self, line: &str, now: Timestamp) -> Result<(), BadCommand> {
        self.now = self.now.max(now);
        self.send_raw(line)
    }

    /// Ends the session with QUIT once everything that was handed over has ended.
    pub fn quit(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.leave_when_idle = true;
        self.wake();
    }

    /// The peer closed, or reading or writing failed.
    pub fn end_of_input(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.connection_ended();
    }

    /// When [`Session::handle_timeout`] is due. Ask again after every other call.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Gives up on what is awaited where its time is over.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        if self.deadline.is_some_and(|deadline| deadline <= self.now) {
            self.time_is_up();
        }
    }

    /// What the server lists; empty before [`Step::Ready`] and after HELO.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The greeting, once it was heard.
    pub fn greeting(&self) -> Option<&Reply> {
        self.greeting.as_ref()
    }

    /// The reply to EHLO, LHLO or HELO, once one was accepted.
    pub fn hello_reply(&self) -> Option<&Reply> {
        self.hello.as_ref()
    }

    /// What is known about the server by now; worth keeping where it differs from what
    /// the session was given.
    pub fn knowledge(&self) -> &HostKnowledge {
        &self.learned
    }

    /// How the session ended, once it has.
    pub fn end(&self) -> Option<&End> {
        match &self.state {
            State::Over(end) => Some(end),
            _ => None,
        }
    }

    /// What was said since the last call, oldest first.
    pub fn take_said(&mut self) -> Vec<Said> {
        self.said.drain(..).collect()
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }
}
