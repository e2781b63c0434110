//! One transaction under way: which commands it still has to send, what the server said
//! to them, and what that means for each recipient. It writes no octets and knows no
//! connection; `states` drives it.
//!
//! A transaction runs in rounds. A round is MAIL, some RCPTs and the message; another
//! one follows where the server takes fewer recipients at a time (RCPTMAX), or refused
//! a parameter that the message can do without. Each alternative is taken once, so
//! there is a last round.

use std::collections::VecDeque;

use reply::{Class, Code, Reply, Stage};

use super::capabilities::Capabilities;
use super::knowledge::{HostKnowledge, Parameter};
use super::report::{
    Broken, End, Extent, Outcome, RecipientOutcome, Transaction, TransactionReport,
};
use crate::envelope::Recipient;
use crate::framing::encode::{Encoder, Framing};
use crate::syntax::Ret;

/// A command whose reply is due, or that is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The greeting, which no command asked for.
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello(Stage),
    Reset,
    Mail,
    /// RCPT, by the recipient's place in the envelope.
    Recipient(usize),
    Data,
    /// A BDAT chunk that is not the last.
    Chunk,
    /// The end of the message.
    EndOfData,
    /// LMTP: the end of the message, for one recipient (RFC 2033 §4.2).
    EndOfDataFor(usize),
    /// A lone dot after every RCPT was refused; its reply decides nothing (RFC 2920 §3.1).
    LoneDot,
    /// A command of the shell's.
    Raw(Stage),
    Quit,
}

impl Awaited {
    /// The stage that its reply answers.
    pub(super) const fn stage(self) -> Stage {
        match self {
            Awaited::Greeting => Stage::Connection,
            Awaited::Hello(verb) | Awaited::Raw(verb) => verb,
            Awaited::Reset => Stage::Rset,
            Awaited::Mail => Stage::Mail,
            Awaited::Recipient(_) => Stage::Rcpt,
            Awaited::Data => Stage::Data,
            Awaited::Chunk => Stage::Bdat,
            Awaited::EndOfData | Awaited::EndOfDataFor(_) | Awaited::LoneDot => Stage::EndOfData,
            Awaited::Quit => Stage::Quit,
        }
    }
}

/// Parameters of MAIL that the message can do without.
const OF_MAIL: &[Parameter] = &[Parameter::Size, Parameter::Ret, Parameter::Envid];
/// The same of RCPT.
const OF_RECIPIENTS: &[Parameter] = &[Parameter::Notify, Parameter::Orcpt];

/// What the rest of a round is, once every command of its envelope was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Some recipients were accepted and the server waits for the message.
    SendMessage,
    /// It waits for a message that nobody is to get: end it with a lone dot.
    LoneDot,
    /// It waits for a message that somebody would get and that must not be sent.
    Hang,
    /// The round is over without a message.
    Over,
}

/// One MAIL with its RCPTs.
#[derive(Debug, Default)]
struct Round {
    plan: VecDeque<Awaited>,
    /// Parameters that were sent and that the message can do without.
    sent: Vec<Parameter>,
    mail_accepted: bool,
    mail_refused: Option<Reply>,
    accepted: Vec<usize>,
    data_accepted: bool,
    data_refused: Option<Reply>,
    chunk_accepted: bool,
    chunk_refused: Option<Reply>,
}

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Exchange {
    transaction: Transaction,
    outcomes: Vec<Option<Outcome>>,
    dsn_passed_on: Vec<bool>,
    /// What was taken out because the server refused it.
    dropped: Vec<Parameter>,
    /// Recipients that are asked again without a parameter, and whether that helped.
    asked_again: Vec<usize>,
    asking_again_helped: bool,
    round: Round,
    pub(super) framing: Framing,
    encoder: Encoder,
    /// Octets of the message that the shell has given in this round.
    pub(super) offset: u64,
    /// Encoded octets that were written in this round.
    pub(super) written: u64,
    chunks: usize,
}

impl Exchange {
    /// A transaction before its first round.
    pub(super) fn new(transaction: Transaction, known: &HostKnowledge) -> Exchange {
        let count = transaction.envelope.recipients.len();
        Exchange {
            outcomes: vec![None; count],
            dsn_passed_on: vec![false; count],
            dropped: known.refused.clone(),
            asked_again: Vec::new(),
            asking_again_helped: false,
            round: Round::default(),
            framing: Framing::Dot,
            encoder: Encoder::new(Framing::Dot),
            offset: 0,
            written: 0,
            chunks: 0,
            transaction,
        }
    }

    /// Why the server will not take the message, as far as what it lists tells: an
    /// extension that it lacks, or a message bigger than it takes (RFC 1870 §5).
    pub(super) fn obstacle(&self, offered: &Capabilities) -> Option<Broken> {
        if self.transaction.needs_utf8 && !offered.smtputf8() {
            return Some(Broken::NotOffered("SMTPUTF8"));
        }
        let needs_8bit = self.transaction.eight_bit && !self.transaction.needs_utf8;
        if needs_8bit && !offered.eight_bit_mime() {
            return Some(Broken::NotOffered("8BITMIME"));
        }
        let octets = self.transaction.octets;
        let most = offered.max_octets().filter(|most| octets > *most)?;
        Some(Broken::TooBig { octets, most })
    }

    /// Whether a recipient is still without an outcome.
    pub(super) fn is_open(&self) -> bool {
        self.outcomes.iter().any(Option::is_none)
    }

    /// Plans the next round for the recipients that have no outcome.
    pub(super) fn begin_round(&mut self, reset_first: bool, framing: Framing, most: usize) {
        let open = (0..self.outcomes.len()).filter(|at| self.outcomes[*at].is_none());
        let mut plan: VecDeque<Awaited> = VecDeque::new();
        plan.extend(reset_first.then_some(Awaited::Reset));
        plan.push_back(Awaited::Mail);
        plan.extend(open.take(most).map(Awaited::Recipient));
        match (self.transaction.extent, framing) {
            (Extent::RecipientsOnly, _) => plan.push_back(Awaited::Reset),
            (Extent::Message, Framing::Dot) => plan.push_back(Awaited::Data),
            (Extent::Message, Framing::Counted) => {}
        }
        self.round = Round { plan, ..Round::default() };
        self.framing = framing;
        self.encoder = Encoder::new(framing);
        self.offset = 0;
        self.written = 0;
        self.chunks = 0;
    }

    /// The next command, if there is a point in sending it. `settled` says that every
    /// command before it was answered.
    pub(super) fn next_command(&mut self, settled: bool) -> Option<Awaited> {
        if self.round.mail_refused.is_some() {
            self.round.plan.clear();
        }
        let idle_data = settled && self.round.accepted.is_empty();
        if idle_data && self.round.plan.front() == Some(&Awaited::Data) {
            self.round.plan.clear();
        }
        self.round.plan.pop_front()
    }

    /// MAIL with the parameters that the server lists and the message needs or wants.
    pub(super) fn mail_line(&mut self, offered: &Capabilities) -> String {
        let transaction = &self.transaction;
        let parameters = &transaction.envelope.mail;
        let mut line = format!("MAIL FROM:<{}>", transaction.envelope.reverse_path);
        if transaction.eight_bit && offered.eight_bit_mime() {
            line += " BODY=8BITMIME";
        }
        if transaction.needs_utf8 {
            line += " SMTPUTF8";
        }
        let size = offered.size().then(|| transaction.octets.to_string());
        let ret = parameters.ret.map(|ret| match ret {
            Ret::Full => "FULL".to_owned(),
            Ret::Headers => "HDRS".to_owned(),
        });
        let envid = parameters.envid.clone();
        let dsn = offered.dsn();
        self.add(&mut line, Parameter::Size, size);
        self.add(&mut line, Parameter::Ret, ret.filter(|_| dsn));
        self.add(&mut line, Parameter::Envid, envid.filter(|_| dsn));
        line
    }

    /// RCPT for the recipient at `at`, with its parameters where the server lists DSN. ORCPT
    /// goes on as it came (RFC 3461 §5.2.1), in ASCII where SMTPUTF8 is not asked for.
    pub(super) fn recipient_line(&mut self, at: usize, offered: &Capabilities) -> String {
        let Recipient { path, parameters } = &self.transaction.envelope.recipients[at];
        let mut line = format!("RCPT TO:<{path}>");
        let dsn = offered.dsn();
        let notify = parameters.notify.as_ref().filter(|_| dsn).map(ToString::to_string);
        let orcpt = parameters.orcpt.as_ref().filter(|_| dsn);
        let orcpt = orcpt.map(|original| match self.transaction.needs_utf8 {
            true => original.to_string(),
            false => original.in_ascii(),
        });
        let wanted = notify.is_some();
        self.add(&mut line, Parameter::Notify, notify);
        self.add(&mut line, Parameter::Orcpt, orcpt);
        self.dsn_passed_on[at] = dsn && (!wanted || !self.dropped.contains(&Parameter::Notify));
        line
    }

    fn add(&mut self, line: &mut String, parameter: Parameter, value: Option<String>) {
        if let Some(value) = value.filter(|_| !self.dropped.contains(&parameter)) {
            line.push(' ');
            line.push_str(parameter.keyword());
            line.push('=');
            line.push_str(&value);
            self.round.sent.push(parameter);
        }
    }

    pub(super) fn mail_accepted(&mut self) {
        self.round.mail_accepted = true;
    }

    /// MAIL was refused: for all of the round, unless an alternative is left.
    pub(super) fn mail_refused(&mut self, reply: Reply) {
        self.round.mail_refused = Some(reply);
    }

    pub(super) fn recipient_accepted(&mut self, at: usize, reply: Reply) {
        self.asking_again_helped |= self.asked_again.contains(&at);
        match self.transaction.extent {
            Extent::Message => self.round.accepted.push(at),
            Extent::RecipientsOnly if self.round.mail_refused.is_some() => {}
            Extent::RecipientsOnly => self.decide(at, Outcome::Accepted(reply)),
        }
    }

    /// The recipient keeps its own reply. After a refused MAIL there is none to keep,
    /// and after a refused parameter the next round asks without it.
    pub(super) fn recipient_refused(&mut self, at: usize, reply: Reply) {
        if self.round.mail_refused.is_some() {
            return;
        }
        if self.drop_parameters(&reply, OF_RECIPIENTS) {
            self.asked_again.push(at);
        } else {
            self.decide(at, Outcome::Refused { reply, stage: Stage::Rcpt });
        }
    }

    pub(super) fn data_answered(&mut self, refused: Option<Reply>) {
        self.round.data_accepted = refused.is_none();
        self.round.data_refused = refused;
    }

    pub(super) fn chunk_accepted(&mut self) {
        self.round.chunk_accepted = true;
    }

    /// The first chunk that was refused decides for all.
    pub(super) fn chunk_refused(&mut self, reply: Reply) {
        self.round.chunk_refused.get_or_insert(reply);
    }

    /// Every reply to the round's envelope is in: what now?
    pub(super) fn turn(&mut self) -> Turn {
        if let Some(reply) = self.round.mail_refused.clone()
            && !self.drop_parameters(&reply, OF_MAIL)
        {
            self.decide_open(&Outcome::Refused { reply, stage: Stage::Mail });
        }
        if let Some(reply) = self.round.data_refused.clone() {
            self.decide_accepted(&Outcome::Refused { reply, stage: Stage::Data });
            return Turn::Over;
        }
        let nobody = self.round.accepted.is_empty();
        match (self.round.data_accepted, self.round.mail_refused.is_some(), nobody) {
            (true, true, false) => Turn::Hang,
            (true, _, true) => Turn::LoneDot,
            (_, false, false) => Turn::SendMessage,
            _ => Turn::Over,
        }
    }

    /// The awaited replies to the end of the message: one, or in LMTP one a recipient.
    pub(super) fn endings(&self, lmtp: bool) -> Vec<Awaited> {
        if lmtp {
            return self.round.accepted.iter().copied().map(Awaited::EndOfDataFor).collect();
        }
        vec![Awaited::EndOfData]
    }

    /// The message's next octets as they go on the wire; for BDAT with the command before
    /// them. Empty where all of them wait for the next piece.
    pub(super) fn encode(&mut self, octets: &[u8], last: bool) -> Vec<u8> {
        let mut out = Vec::new();
        self.encoder.encode(octets, &mut out);
        if last {
            self.encoder.finish(&mut out);
        }
        if self.framing == Framing::Counted && (last || !out.is_empty()) {
            let end = if last { " LAST" } else { "" };
            let command = format!("BDAT {}{end}\r\n", out.len());
            out.splice(0..0, command.into_bytes());
            self.chunks += 1;
        }
        self.offset += octets.len() as u64;
        self.written += out.len() as u64;
        out
    }

    /// Whether the whole message went in one BDAT.
    pub(super) fn is_one_chunk(&self) -> bool {
        self.framing == Framing::Counted && self.chunks == 1
    }

    /// The reply to the end of the message, for one recipient or for all accepted.
    pub(super) fn ended(&mut self, only: Option<usize>, outcome: &Outcome) {
        match only {
            Some(at) => self.decide(at, outcome.clone()),
            None => self.decide_accepted(outcome),
        }
    }

    /// The reply that refused a chunk, and whether the server seems not to know BDAT at
    /// all: then its octets may have been read as commands, and only a new connection
    /// is safe.
    pub(super) fn chunk_refusal(&self) -> Option<(&Reply, bool)> {
        let reply = self.round.chunk_refused.as_ref()?;
        Some((reply, is_unknown_command(reply) && !self.round.chunk_accepted))
    }

    /// Recipients that were accepted and not decided get this outcome.
    pub(super) fn decide_accepted(&mut self, outcome: &Outcome) {
        for at in std::mem::take(&mut self.round.accepted) {
            self.decide(at, outcome.clone());
        }
    }

    /// Every recipient without an outcome gets this one.
    pub(super) fn decide_open(&mut self, outcome: &Outcome) {
        for at in 0..self.outcomes.len() {
            self.decide(at, outcome.clone());
        }
    }

    /// What this round taught: the parameters without which the server took what it had
    /// refused with them.
    pub(super) fn lesson(&self) -> Vec<Parameter> {
        let worked = |parameter: &&Parameter| match OF_MAIL.contains(parameter) {
            true => self.round.mail_accepted,
            false => self.asking_again_helped,
        };
        self.dropped.iter().filter(worked).copied().collect()
    }

    /// The report; what is still open ends as `end` says.
    pub(super) fn into_report(mut self, end: &End) -> TransactionReport {
        self.keep_refusals();
        self.decide_open(&end.outcome());
        let missing = || Outcome::Broken { what: Broken::SessionOver, stage: Stage::Mail };
        let pairs = self.outcomes.into_iter().zip(self.dsn_passed_on);
        let recipients = pairs.map(|(outcome, dsn_passed_on)| RecipientOutcome {
            outcome: outcome.unwrap_or_else(missing),
            dsn_passed_on,
        });
        TransactionReport { recipients: recipients.collect() }
    }

    /// What refused the round decides, also where the connection ended right after it.
    fn keep_refusals(&mut self) {
        if let Some(reply) = self.round.mail_refused.take() {
            self.decide_open(&Outcome::Refused { reply, stage: Stage::Mail });
        }
        if let Some(reply) = self.round.data_refused.take() {
            self.decide_accepted(&Outcome::Refused { reply, stage: Stage::Data });
        }
        if let Some(reply) = self.round.chunk_refused.take() {
            self.decide_accepted(&Outcome::Refused { reply, stage: Stage::Bdat });
        }
    }

    fn decide(&mut self, at: usize, outcome: Outcome) {
        if let Some(open @ None) = self.outcomes.get_mut(at) {
            *open = Some(outcome);
        }
    }

    /// Takes out what a refusal may be about: the parameters that its text names, else
    /// all of `candidates` that were sent. False where nothing was left to take out.
    fn drop_parameters(&mut self, reply: &Reply, candidates: &[Parameter]) -> bool {
        if !may_be_about_a_parameter(reply) {
            return false;
        }
        let sent = |parameter: &&Parameter| self.round.sent.contains(parameter);
        let sent: Vec<Parameter> = candidates.iter().filter(sent).copied().collect();
        let text = reply.text().to_ascii_uppercase();
        let named = |parameter: &&Parameter| text.contains(parameter.keyword());
        let named: Vec<Parameter> = sent.iter().filter(named).copied().collect();
        let dropped = if named.is_empty() { &sent } else { &named };
        self.dropped.extend_from_slice(dropped);
        !dropped.is_empty()
    }
}

/// 501, 504 or 555, unless the enhanced code says that the address is at fault.
fn may_be_about_a_parameter(reply: &Reply) -> bool {
    let about_address = reply.enhanced_code().is_some_and(|enhanced| enhanced.subject() == 1);
    matches!(reply.code().value(), 501 | 504 | 555) && !about_address
}

/// 500, 502 or 504: the command is not there, so another one may do (RFC 5321 §4.2.4).
pub(super) fn is_unknown_command(reply: &Reply) -> bool {
    matches!(reply.code().value(), 500 | 502 | 504)
}

/// What a reply is to the command that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// Done, or for DATA: go on.
    Yes,
    /// 4yz or 5yz.
    No,
    /// A class that cannot answer the command.
    Nonsense,
}

impl Answered {
    pub(super) fn of(awaited: Awaited, code: Code) -> Answered {
        match (awaited, code.class()) {
            (Awaited::Data, Class::Intermediate) => Answered::Yes,
            (_, Class::Transient | Class::Permanent) => Answered::No,
            (Awaited::Data, _) | (_, Class::Intermediate) => Answered::Nonsense,
            (_, Class::Positive) => Answered::Yes,
        }
    }
}
