//! The states of a client session, and what each reply leads to. The mirror of the
//! server's states; the rules of a transaction itself stand in `exchange`.
//!
//! A state owns what it needs and is consumed by the transition out of it. Every
//! transition ends in [`State::Over`], or in a state that awaits a reply or the shell.

use reply::{Reply, ReplyError, Stage};

use super::capabilities::Capabilities;
use super::exchange::{Answered, Awaited, Exchange, Turn, is_unknown_command};
use super::report::{Broken, End, Outcome, Said, Transaction, TransactionReport};
use super::{BadCommand, MAX_HEARD_OCTETS, MAX_SAID, MAX_SAID_OCTETS, Protocol, Session, Step};
use crate::framing::encode::Framing;

/// Most BDAT chunks that are sent ahead of their replies.
const CHUNKS_AHEAD: usize = 4;
/// Longest command line with CRLF (RFC 5321 §4.5.3.1.4).
const MAX_COMMAND_OCTETS: usize = 512;

/// Where a session stands.
#[derive(Debug)]
pub(super) enum State {
    /// The greeting or the reply to a hello is due.
    Opening,
    /// No transaction is under way.
    Idle,
    /// MAIL, RCPTs and DATA are being sent and answered.
    Envelope(Box<Exchange>),
    /// The server waits for the message.
    Message(Box<Exchange>),
    /// The message was sent; its replies are due.
    Ending(Box<Exchange>),
    /// The reply to a command of the shell's is due.
    Raw,
    /// QUIT was sent; the end that is told when it is answered, or is not.
    Leaving(End),
    /// Nothing more is sent or heard.
    Over(End),
}

// What the shell gives: octets, the end of them, time, transactions, commands.
impl Session {
    /// Deals with what the reader made of the input; returns the octets that it used.
    pub(super) fn take_reply(
        &mut self,
        read: Result<(usize, Option<Reply>), ReplyError>,
        available: usize,
    ) -> usize {
        let (used, reply) = match read {
            Ok(read) => read,
            Err(error) => {
                self.fail(Broken::NotSmtp(error), self.awaited_stage());
                return available;
            }
        };
        self.heard_octets += used;
        if self.heard_octets > MAX_HEARD_OCTETS {
            self.fail(Broken::NotSmtp(ReplyError::TooLong), self.awaited_stage());
        } else if let Some(reply) = reply {
            self.heard(reply);
        }
        used
    }

    pub(super) fn wake(&mut self) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => self.state = self.idle(),
            State::Over(end) => self.report_waiting(end),
            other => self.state = other,
        }
    }

    /// After QUIT the end of the connection is what was wanted.
    pub(super) fn connection_ended(&mut self) {
        self.output.clear();
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Leaving(end) => self.finish(end),
            State::Over(end) => self.state = State::Over(end),
            other => {
                self.state = other;
                self.fail(Broken::ConnectionLost, self.awaited_stage());
            }
        }
    }

    pub(super) fn time_is_up(&mut self) {
        self.output.clear();
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Leaving(end) => self.finish(end),
            other => {
                self.state = other;
                self.fail(Broken::TimedOut, self.awaited_stage());
            }
        }
    }

    pub(super) fn send_raw(&mut self, line: &str) -> Result<(), BadCommand> {
        let clean = !line.chars().any(char::is_control) && !line.trim().is_empty();
        if !clean || line.len() + "\r\n".len() > MAX_COMMAND_OCTETS {
            return Err(BadCommand::NotALine);
        }
        let stage = stage_of(line).ok_or(BadCommand::HasItsOwnWay)?;
        if !matches!(self.state, State::Idle) || !self.awaited.is_empty() {
            return Err(BadCommand::NotReady);
        }
        self.heard_octets = 0;
        self.state = State::Raw;
        self.send(line, Awaited::Raw(stage));
        Ok(())
    }

    /// What to do when there is nothing to write and nothing to tell.
    pub(super) fn next_step(&self) -> Step {
        let ahead = self.awaited.len();
        match &self.state {
            State::Over(_) => Step::Close,
            State::Idle => Step::Ready,
            State::Message(exchange) if ahead == 0 || self.may_run_ahead() => {
                Step::NeedBody { offset: exchange.offset, at_most: self.options.piece_octets }
            }
            _ => Step::Receive,
        }
    }

    fn may_run_ahead(&self) -> bool {
        self.capabilities.pipelining() && self.awaited.len() < CHUNKS_AHEAD
    }

    /// The stage of the oldest command without a reply; in the middle of a message, its
    /// end. So too once the last chunk was sent, though replies to earlier ones are due:
    /// the server may have all of it (RFC 1047).
    fn awaited_stage(&self) -> Stage {
        match (self.awaited.front(), &self.state) {
            (_, State::Ending(exchange)) if exchange.chunk_refusal().is_none() => Stage::EndOfData,
            (Some((awaited, _)), _) => awaited.stage(),
            (None, State::Message(_)) => Stage::EndOfData,
            (None, _) => Stage::Connection,
        }
    }
}

// Replies.
impl Session {
    fn heard(&mut self, reply: Reply) {
        self.note(Said::Heard(cut(reply.to_string())));
        if self.awaited.len() == self.unsent {
            return self.heard_out_of_turn(reply);
        }
        let Some((awaited, _)) = self.awaited.pop_front() else { return };
        if awaited == Awaited::Greeting {
            self.greeting = Some(reply.clone());
        }
        let closing = reply.code().value() == 421 && !matches!(awaited, Awaited::Raw(_));
        let answered = Answered::of(awaited, reply.code());
        match answered {
            _ if awaited == Awaited::Quit => self.end_leaving(),
            _ if closing => self.refuse(reply, awaited.stage()),
            Answered::Nonsense if !matches!(awaited, Awaited::Raw(_)) => {
                self.fail(Broken::OutOfTurn(reply), awaited.stage());
            }
            _ => self.enter(awaited, answered == Answered::Yes, reply),
        }
    }

    /// A reply that no command asked for: 421 means that the server closes
    /// (RFC 5321 §3.8); in the middle of a message a refusal is believed, since the
    /// server will not read on; all else means that we lost count of each other.
    fn heard_out_of_turn(&mut self, reply: Reply) {
        let stage = self.awaited_stage();
        let refusal = Answered::of(Awaited::EndOfData, reply.code()) == Answered::No;
        let in_message = matches!(self.state, State::Message(_)) && refusal;
        if reply.code().value() == 421 || in_message {
            self.refuse(reply, stage);
        } else {
            self.fail(Broken::OutOfTurn(reply), stage);
        }
    }

    fn enter(&mut self, awaited: Awaited, accepted: bool, reply: Reply) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        self.state = match state {
            State::Opening => self.opened(awaited, accepted, reply),
            State::Envelope(exchange) => self.envelope(exchange, awaited, accepted, reply),
            State::Message(exchange) => self.chunk(exchange, accepted, reply),
            State::Ending(exchange) => self.ending(exchange, awaited, accepted, reply),
            State::Raw => self.raw(awaited, reply),
            other => other,
        };
        self.rewind_timer();
    }

    fn opened(&mut self, awaited: Awaited, accepted: bool, reply: Reply) -> State {
        match awaited {
            Awaited::Hello(verb) => self.greeted_back(verb, accepted, reply),
            _ if accepted => self.say_hello(self.first_hello()),
            _ => self.leave(End::Refused { reply, stage: Stage::Connection }),
        }
    }

    fn first_hello(&self) -> Stage {
        match (self.options.protocol, self.learned.no_ehlo) {
            (Protocol::Lmtp, _) => Stage::Lhlo,
            (Protocol::Smtp, false) => Stage::Ehlo,
            (Protocol::Smtp, true) => Stage::Helo,
        }
    }

    fn say_hello(&mut self, verb: Stage) -> State {
        let line = format!("{verb} {}", self.options.hostname);
        self.send(&line, Awaited::Hello(verb));
        State::Opening
    }

    /// A server that does not know EHLO is greeted with HELO (RFC 5321 §3.2). Old ones say
    /// 550 to it (§4.3.2); with an enhanced code, 550 is a refusal of us.
    fn greeted_back(&mut self, verb: Stage, accepted: bool, reply: Reply) -> State {
        let unknown = is_unknown_hello(&reply);
        if accepted {
            self.learned.no_ehlo = verb == Stage::Helo;
            if verb != Stage::Helo {
                self.capabilities = Capabilities::from_reply(&reply);
            }
            self.hello = Some(reply);
            return self.idle();
        }
        if verb == Stage::Ehlo && unknown {
            return self.say_hello(Stage::Helo);
        }
        self.leave(End::Refused { reply, stage: verb })
    }

    fn envelope(
        &mut self,
        mut exchange: Box<Exchange>,
        awaited: Awaited,
        accepted: bool,
        reply: Reply,
    ) -> State {
        match (awaited, accepted) {
            (Awaited::Mail, true) => {
                self.needs_reset = true;
                exchange.mail_accepted();
            }
            (Awaited::Mail, false) => exchange.mail_refused(reply),
            (Awaited::Recipient(at), true) => exchange.recipient_accepted(at, reply),
            (Awaited::Recipient(at), false) => exchange.recipient_refused(at, reply),
            (Awaited::Data, true) => exchange.data_answered(None),
            (Awaited::Data, false) => exchange.data_answered(Some(reply)),
            (Awaited::Reset, true) => self.needs_reset = false,
            // Refused: MAIL's own reply will tell.
            _ => {}
        }
        self.go_on(exchange)
    }

    fn chunk(&mut self, mut exchange: Box<Exchange>, accepted: bool, reply: Reply) -> State {
        if accepted {
            exchange.chunk_accepted();
            return State::Message(exchange);
        }
        exchange.chunk_refused(reply);
        self.settle(exchange)
    }

    fn ending(
        &mut self,
        mut exchange: Box<Exchange>,
        awaited: Awaited,
        accepted: bool,
        reply: Reply,
    ) -> State {
        let outcome = match accepted {
            true => Outcome::Accepted(reply.clone()),
            false => Outcome::Refused { reply: reply.clone(), stage: Stage::EndOfData },
        };
        let no_bdat = !accepted && exchange.is_one_chunk() && is_unknown_command(&reply);
        let refused_before = exchange.chunk_refusal().is_some();
        match awaited {
            Awaited::Chunk if accepted => exchange.chunk_accepted(),
            Awaited::Chunk => exchange.chunk_refused(reply),
            Awaited::EndOfData | Awaited::EndOfDataFor(_) if refused_before => {}
            Awaited::EndOfData | Awaited::EndOfDataFor(_) if no_bdat => {
                exchange.chunk_refused(reply);
            }
            Awaited::EndOfData => exchange.ended(None, &outcome),
            Awaited::EndOfDataFor(at) => exchange.ended(Some(at), &outcome),
            _ => {}
        }
        self.settle(exchange)
    }

    /// TURN that is accepted makes us the server, which we are not; an intermediate
    /// reply waits for what we do not have.
    fn raw(&mut self, awaited: Awaited, reply: Reply) -> State {
        let stage = awaited.stage();
        let answered = Answered::of(awaited, reply.code());
        let turned = matches!(stage, Stage::Turn | Stage::Atrn) && answered == Answered::Yes;
        let closing = reply.code().value() == 421;
        self.finished.push_back(Step::Answered(stage, reply.clone()));
        if closing {
            return self.over(End::Refused { reply, stage });
        }
        if turned || answered == Answered::Nonsense {
            return self.over(End::Quit);
        }
        self.idle()
    }
}

// Transactions.
impl Session {
    /// With nothing under way: the next message, or the end, or the shell's turn.
    fn idle(&mut self) -> State {
        while let Some(transaction) = self.waiting.pop_front() {
            self.heard_octets = 0;
            let mut exchange = Box::new(Exchange::new(transaction, &self.learned));
            if let Some(what) = exchange.obstacle(&self.capabilities) {
                exchange.decide_open(&Outcome::Broken { what, stage: Stage::Mail });
            }
            if exchange.is_open() {
                return self.begin_round(exchange);
            }
            self.report(exchange, &End::Quit);
        }
        if self.leave_when_idle { self.leave(End::Quit) } else { State::Idle }
    }

    fn begin_round(&mut self, mut exchange: Box<Exchange>) -> State {
        let chunking = self.capabilities.chunking() && !self.learned.no_chunking;
        let framing = if chunking { Framing::Counted } else { Framing::Dot };
        let most = self.capabilities.max_recipients().unwrap_or(usize::MAX);
        exchange.begin_round(self.needs_reset, framing, most);
        self.go_on(exchange)
    }

    /// Sends what may be sent of the envelope, and turns to the message when all of it
    /// was answered.
    fn go_on(&mut self, mut exchange: Box<Exchange>) -> State {
        while self.may_send() {
            match exchange.next_command(self.awaited.is_empty()) {
                Some(command) => self.send_of(&mut exchange, command),
                None => break,
            }
        }
        if self.awaited.is_empty() { self.turn(exchange) } else { State::Envelope(exchange) }
    }

    /// With PIPELINING as many octets as are allowed ahead; without it one command.
    fn may_send(&self) -> bool {
        let ahead: usize = self.awaited.iter().map(|(_, octets)| octets).sum();
        let room = self.capabilities.pipelining() && ahead < self.options.pipeline_octets;
        self.awaited.is_empty() || room
    }

    fn send_of(&mut self, exchange: &mut Exchange, command: Awaited) {
        let line = match command {
            Awaited::Mail => exchange.mail_line(&self.capabilities),
            Awaited::Recipient(at) => exchange.recipient_line(at, &self.capabilities),
            Awaited::Data => "DATA".to_owned(),
            _ => "RSET".to_owned(),
        };
        self.send(&line, command);
    }

    fn turn(&mut self, mut exchange: Box<Exchange>) -> State {
        let turn = exchange.turn();
        self.learned.remember(&exchange.lesson());
        match turn {
            Turn::SendMessage => {
                self.deadline = Some(self.now + self.options.timeouts.block);
                State::Message(exchange)
            }
            // In LMTP nobody would answer a dot that ends a message for nobody.
            Turn::LoneDot if self.options.protocol == Protocol::Smtp => {
                self.send(".", Awaited::LoneDot);
                State::Ending(exchange)
            }
            Turn::LoneDot | Turn::Hang => self.drop_connection(exchange),
            Turn::Over => self.round_over(exchange),
        }
    }

    fn drop_connection(&mut self, exchange: Box<Exchange>) -> State {
        let end = End::Broken { what: Broken::Abandoned, stage: Stage::Data };
        self.report(exchange, &end);
        self.over(end)
    }

    /// Another round where a recipient is open and there is another way to ask.
    fn round_over(&mut self, exchange: Box<Exchange>) -> State {
        if exchange.is_open() {
            return self.begin_round(exchange);
        }
        self.report(exchange, &End::Quit);
        self.idle()
    }

    pub(super) fn encode_body(&mut self, octets: &[u8], last: bool) {
        if !matches!(self.next_step(), Step::NeedBody { .. }) || !self.output.is_empty() {
            return;
        }
        let State::Message(mut exchange) = std::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        self.output = exchange.encode(octets, last);
        self.state = match (last, exchange.framing) {
            (true, _) => self.message_sent(exchange),
            (false, Framing::Counted) => self.chunk_sent(exchange),
            (false, Framing::Dot) => State::Message(exchange),
        };
        self.deadline = Some(self.now + self.options.timeouts.block);
        self.rewind_timer();
    }

    fn chunk_sent(&mut self, exchange: Box<Exchange>) -> State {
        if !self.output.is_empty() {
            self.awaited.push_back((Awaited::Chunk, 0));
            self.unsent += 1;
        }
        State::Message(exchange)
    }

    fn message_sent(&mut self, exchange: Box<Exchange>) -> State {
        self.note(Said::SentMessage(exchange.written));
        for ending in exchange.endings(self.options.protocol == Protocol::Lmtp) {
            self.awaited.push_back((ending, 0));
            self.unsent += 1;
        }
        State::Ending(exchange)
    }

    /// Waits for the replies that are still due, then closes the round. After a refused
    /// chunk an LMTP server may or may not answer the rest for each recipient: nobody
    /// waits for that.
    fn settle(&mut self, mut exchange: Box<Exchange>) -> State {
        let refusal = exchange.chunk_refusal().map(|(reply, unknown)| (reply.clone(), unknown));
        if let Some((reply, true)) = refusal {
            return self.no_chunking(exchange, reply);
        }
        let lmtp_refusal = self.options.protocol == Protocol::Lmtp && refusal.is_some();
        match refusal {
            _ if !self.awaited.is_empty() && !lmtp_refusal => return State::Ending(exchange),
            Some((reply, _)) => {
                exchange.decide_accepted(&Outcome::Refused { reply, stage: Stage::Bdat });
            }
            None => self.needs_reset = false,
        }
        if self.awaited.is_empty() {
            self.round_over(exchange)
        } else {
            self.drop_connection(exchange)
        }
    }

    /// BDAT was listed and is not known: the server may have read the message as
    /// commands, so the alternative (DATA) needs a new connection.
    fn no_chunking(&mut self, exchange: Box<Exchange>, reply: Reply) -> State {
        self.learned.no_chunking = true;
        let end = End::Refused { reply, stage: Stage::Bdat };
        self.report(exchange, &end);
        self.over(end)
    }
}

// Endings.
impl Session {
    /// The server closes, or will not go on: the reply decides what is undecided.
    fn refuse(&mut self, reply: Reply, stage: Stage) {
        self.finish(End::Refused { reply, stage });
    }

    pub(super) fn fail(&mut self, what: Broken, stage: Stage) {
        if !self.is_over() {
            self.finish(End::Broken { what, stage });
        }
    }

    /// QUIT was answered, however.
    fn end_leaving(&mut self) {
        let end = match std::mem::replace(&mut self.state, State::Idle) {
            State::Leaving(end) => end,
            _ => End::Quit,
        };
        self.finish(end);
    }

    fn finish(&mut self, end: End) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        match state {
            State::Envelope(exchange) | State::Message(exchange) | State::Ending(exchange) => {
                self.report(exchange, &end);
            }
            _ => {}
        }
        self.state = self.over(end);
    }

    fn over(&mut self, end: End) -> State {
        self.output.clear();
        self.awaited.clear();
        self.unsent = 0;
        self.deadline = None;
        self.report_all(&end);
        State::Over(end)
    }

    /// Says QUIT; everything that waits has its outcome already.
    fn leave(&mut self, end: End) -> State {
        self.report_all(&end);
        self.send("QUIT", Awaited::Quit);
        State::Leaving(end)
    }

    fn report_waiting(&mut self, end: End) {
        self.report_all(&end);
        self.state = State::Over(end);
    }

    /// What never began shares the end of a session that never came to its hello. After
    /// that it has no part in what happened to others, least of all in an end of data.
    fn report_all(&mut self, end: &End) {
        let over = End::Broken { what: Broken::SessionOver, stage: Stage::Connection };
        let end = if self.hello.is_some() { &over } else { end };
        while let Some(transaction) = self.waiting.pop_front() {
            self.report(self.unbegun(transaction), end);
        }
    }

    fn unbegun(&self, transaction: Transaction) -> Box<Exchange> {
        Box::new(Exchange::new(transaction, &self.learned))
    }

    fn report(&mut self, exchange: Box<Exchange>, end: &End) {
        let report: TransactionReport = exchange.into_report(end);
        self.finished.push_back(Step::Finished(report));
    }
}

// The line.
impl Session {
    fn send(&mut self, line: &str, awaited: Awaited) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.awaited.push_back((awaited, line.len() + 2));
        self.unsent += 1;
        self.note(Said::Sent(line.to_owned()));
        self.rewind_timer();
    }

    /// The time of the oldest command without a reply starts anew with each reply
    /// before it. In the middle of a message the time of the last piece stands.
    fn rewind_timer(&mut self) {
        let now = self.now;
        match (self.awaited.front(), &self.state) {
            (Some((awaited, _)), _) => {
                self.deadline = Some(now + self.options.timeouts.of(*awaited));
            }
            (None, State::Message(_)) => {}
            (None, _) => self.deadline = None,
        }
    }

    fn note(&mut self, said: Said) {
        if self.said.len() == MAX_SAID {
            self.said.pop_front();
        }
        self.said.push_back(said);
    }
}

fn is_unknown_hello(reply: &Reply) -> bool {
    match reply.code().value() {
        500 | 501 | 502 | 504 => true,
        550 => reply.enhanced_code().is_none(),
        _ => false,
    }
}

fn cut(mut text: String) -> String {
    let mut end = text.len().min(MAX_SAID_OCTETS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// The stage that a line of the shell's belongs to, or `None` for what must not be sent
/// by itself.
fn stage_of(line: &str) -> Option<Stage> {
    let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    match verb.as_str() {
        "EHLO" | "HELO" | "LHLO" | "MAIL" | "RCPT" | "DATA" | "BDAT" | "STARTTLS" | "AUTH"
        | "QUIT" | "SOML" | "SAML" => None,
        "VRFY" => Some(Stage::Vrfy),
        "EXPN" => Some(Stage::Expn),
        "HELP" => Some(Stage::Help),
        "NOOP" => Some(Stage::Noop),
        "RSET" => Some(Stage::Rset),
        "TURN" => Some(Stage::Turn),
        "ETRN" => Some(Stage::Etrn),
        "ATRN" => Some(Stage::Atrn),
        _ => Some(Stage::Unrecognized),
    }
}
