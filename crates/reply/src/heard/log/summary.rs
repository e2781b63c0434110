//! [`Summary`]: what a log says altogether. It is fed with entries, holds counts of bounded
//! size, and reads no clock; how it is laid out is the shell's.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::generations::Generations;
use super::top::{Tally, Top};
use super::trend::Trend;
use super::{LogEntry, Status};
use crate::{Cause, Code, EnhancedCode, Permanence, Timestamp, WhoseMove};

/// Names that are ranked: destinations, hosts, senders, clients.
const MAX_NAMES: usize = 8192;
/// Meanings that are remembered.
const MAX_MEANINGS: usize = 32_768;
/// Most octets of an example.
const MAX_EXAMPLE_OCTETS: usize = 300;

/// What a line means, without the evidence that a summary has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The best cause.
    pub cause: Cause,
    /// Whether the same may work later.
    pub permanence: Permanence,
    /// Whose turn it is.
    pub whose_move: WhoseMove,
    /// The basic code.
    pub code: Option<Code>,
    /// The enhanced code.
    pub enhanced_code: Option<EnhancedCode>,
}

impl Meaning {
    /// Most lines of a log say that all went well; there is nothing to judge in them.
    const fn of_delivery(entry: &LogEntry<'_>) -> Meaning {
        Meaning {
            cause: Cause::Delivered,
            permanence: Permanence::Positive,
            whose_move: WhoseMove::Nobody,
            code: entry.code,
            enhanced_code: entry.enhanced_code,
        }
    }
}

/// Makes meanings, and remembers those of texts that differ only in addresses and ids: in
/// a log the same few replies come again and again.
#[derive(Debug)]
pub struct Meanings {
    known: Generations<u64, Option<Meaning>>,
    hasher: RandomState,
    masked: Vec<u8>,
}

impl Default for Meanings {
    fn default() -> Meanings {
        Meanings {
            known: Generations::new(MAX_MEANINGS),
            hasher: RandomState::default(),
            masked: Vec::new(),
        }
    }
}

impl Meanings {
    /// What an entry means; `None` where it says nothing about a delivery.
    pub fn of(&mut self, entry: &LogEntry<'_>) -> Option<Meaning> {
        if matches!(entry.status, Status::Received | Status::Ended | Status::Note) {
            return None;
        }
        if entry.status == Status::Sent {
            return Some(Meaning::of_delivery(entry));
        }
        super::mask::mask(&entry.diagnosis, &mut self.masked);
        let key = (&self.masked, entry.status, entry.stage, entry.code, entry.enhanced_code);
        let key = self.hasher.hash_one(key);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let verdict = entry.verdict();
        let meaning = verdict.map(|verdict| Meaning {
            cause: verdict.cause,
            permanence: verdict.permanence,
            whose_move: verdict.whose_move,
            code: verdict.code,
            enhanced_code: verdict.enhanced_code,
        });
        self.known.insert(key, meaning);
        meaning
    }
}

/// What is known of one cause.
#[derive(Clone, Debug, Default)]
pub struct OfCause {
    /// How often.
    pub tally: Tally,
    /// When first.
    pub first: Option<Timestamp>,
    /// When last.
    pub last: Option<Timestamp>,
    /// How often when.
    pub trend: Trend,
    /// What was said the first time.
    pub example: String,
}

/// Counts over a log.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What was counted, by what became of it.
    pub tally: Tally,
    /// Messages that this server took.
    pub received: u64,
    /// Sessions that went wrong beside the deliveries.
    pub troubles: u64,
    /// Attempts that failed and refusals, by cause.
    pub causes: BTreeMap<Cause, OfCause>,
    /// Failed attempts by whose move it is; refusals of this server are not among them.
    pub whose_move: BTreeMap<WhoseMove, u64>,
    /// Domains of recipients elsewhere.
    pub destinations: Top,
    /// Hosts that mail was offered to.
    pub hosts: Top,
    /// Domains of senders.
    pub senders: Top,
    /// Clients that this server refused.
    pub clients: Top,
    /// When the first line was written.
    pub first: Option<Timestamp>,
    /// When the last one was.
    pub last: Option<Timestamp>,
    /// Deliveries over time.
    pub sent_trend: Trend,
    /// Failed attempts and refusals over time.
    pub failed_trend: Trend,
    /// Failed attempts where the program kept too little to tell the cause.
    pub kept_too_little: u64,
    /// A cause and a destination together.
    pairs: Top,
}

impl Default for Summary {
    fn default() -> Summary {
        Summary {
            tally: Tally::default(),
            received: 0,
            troubles: 0,
            causes: BTreeMap::new(),
            whose_move: BTreeMap::new(),
            destinations: Top::new(MAX_NAMES),
            hosts: Top::new(MAX_NAMES),
            senders: Top::new(MAX_NAMES),
            clients: Top::new(MAX_NAMES),
            first: None,
            last: None,
            sent_trend: Trend::default(),
            failed_trend: Trend::default(),
            kept_too_little: 0,
            pairs: Top::new(2 * MAX_NAMES),
        }
    }
}

impl Summary {
    /// Counts an entry and what it means.
    pub fn add(&mut self, entry: &LogEntry<'_>, meaning: Option<Meaning>) {
        self.first = earlier(self.first, entry.time);
        self.last = self.last.max(entry.time);
        match entry.status {
            Status::Received => self.received += 1,
            Status::Trouble => self.troubles += u64::from(meaning.is_some()),
            _ => {}
        }
        let Some(meaning) = meaning.filter(|_| entry.status.is_outcome()) else { return };
        let times = entry.recipients.len().max(1) as u64;
        let tally = Tally::of(entry.status);
        self.tally.add(tally, times);
        self.add_names(entry, tally);
        if entry.status == Status::Sent {
            add_at(&mut self.sent_trend, entry.time, times);
        } else {
            self.add_failure(entry, meaning, tally, times);
        }
    }

    fn add_names(&mut self, entry: &LogEntry<'_>, tally: Tally) {
        let times = entry.recipients.len().max(1) as u64;
        if let Some(sender) = &entry.sender {
            self.senders.add(domain(sender).unwrap_or("<>"), tally, times);
        }
        let peer = entry.peer_name.as_deref().or(entry.peer_address.as_deref());
        if entry.status.is_rejection() {
            let client = entry.peer_address.as_deref().or(peer);
            client.into_iter().for_each(|client| self.clients.add(client, tally, times));
            return;
        }
        peer.into_iter().for_each(|peer| self.hosts.add(peer, tally, times));
        for recipient in &entry.recipients {
            self.destinations.add(domain(recipient).unwrap_or(recipient), tally, 1);
        }
    }

    fn add_failure(&mut self, entry: &LogEntry<'_>, meaning: Meaning, tally: Tally, times: u64) {
        add_at(&mut self.failed_trend, entry.time, times);
        let of_cause = self.causes.entry(meaning.cause).or_default();
        of_cause.tally.add(tally, times);
        of_cause.first = earlier(of_cause.first, entry.time);
        of_cause.last = of_cause.last.max(entry.time);
        add_at(&mut of_cause.trend, entry.time, times);
        if of_cause.example.is_empty() {
            let end = crate::classify::floor_char_boundary(&entry.diagnosis, MAX_EXAMPLE_OCTETS);
            entry.diagnosis[..end].clone_into(&mut of_cause.example);
        }
        if entry.status.is_rejection() {
            return;
        }
        *self.whose_move.entry(meaning.whose_move).or_default() += times;
        let is_unknown = meaning.cause == Cause::Unknown;
        self.kept_too_little += u64::from(is_unknown && entry.keeps_too_little());
        for recipient in &entry.recipients {
            let pair = format!("{} {}", meaning.cause, domain(recipient).unwrap_or(recipient));
            self.pairs.add(&pair, tally, 1);
        }
    }

    /// The causes, the most frequent first.
    pub fn ranked(&self) -> Vec<(Cause, &OfCause)> {
        let mut all: Vec<_> = self.causes.iter().map(|(cause, of)| (*cause, of)).collect();
        all.sort_by_key(|(_, of)| std::cmp::Reverse(of.tally.failed()));
        all
    }

    /// What is worth doing, the most useful first.
    pub fn to_do(&self, count: usize) -> Vec<ToDo> {
        let mut all: Vec<ToDo> = self
            .causes
            .iter()
            .filter_map(|(cause, of)| self.to_do_about(*cause, &of.tally))
            .collect();
        all.sort_by_key(|to_do| std::cmp::Reverse((to_do.worth, to_do.cause)));
        all.truncate(count);
        all
    }

    fn to_do_about(&self, cause: Cause, tally: &Tally) -> Option<ToDo> {
        if matches!(cause, Cause::Delivered) {
            return None;
        }
        let outbound = tally.deferred + tally.bounced;
        let worth = worth_outbound(cause, tally) + worth_of_refusals(cause, tally);
        let prefix = format!("{cause} ");
        let destinations = self.pairs.best(usize::MAX).into_iter().filter_map(|(pair, tally)| {
            Some((pair.strip_prefix(&prefix)?.to_owned(), tally.failed()))
        });
        (worth > 0).then(|| ToDo {
            cause,
            worth,
            attempts: outbound,
            refusals: tally.rejected,
            destinations: destinations.take(3).collect(),
        })
    }
}

/// Something worth doing: the remedy of a cause, and where it would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToDo {
    /// What is behind it.
    pub cause: Cause,
    /// How much it would help, to rank by.
    pub worth: u64,
    /// Failed attempts to deliver.
    pub attempts: u64,
    /// Refusals of this server.
    pub refusals: u64,
    /// Where it is met most.
    pub destinations: Vec<(String, u64)>,
}

/// What a mail that was given up is worth beside one that waits, and how much the reader of
/// this log, who runs the sending server, can do about it.
fn worth_outbound(cause: Cause, tally: &Tally) -> u64 {
    let volume = 4 * tally.bounced + tally.deferred;
    let hundredths = match cause.whose_move() {
        WhoseMove::SenderPostmaster => 100,
        WhoseMove::Sender | WhoseMove::RecipientPostmaster => 50,
        WhoseMove::Recipient => 30,
        WhoseMove::SenderSoftware if cause.passes_by_itself() => 10,
        WhoseMove::SenderSoftware => 80,
        WhoseMove::Nobody => 0,
    };
    volume * hundredths
}

/// Refusals are work for others, but for those that this server has to answer for.
fn worth_of_refusals(cause: Cause, tally: &Tally) -> u64 {
    let is_ours =
        matches!(cause.whose_move(), WhoseMove::RecipientPostmaster | WhoseMove::Recipient)
            || matches!(cause, Cause::DnsFailed | Cause::ServerBusy | Cause::TooManyConnections);
    tally.rejected * if is_ours { 100 } else { 1 }
}

fn add_at(trend: &mut Trend, at: Option<Timestamp>, times: u64) {
    if let Some(at) = at {
        trend.add(at, times);
    }
}

fn earlier(first: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (first, other) {
        (Some(first), Some(other)) => Some(first.min(other)),
        (first, other) => first.or(other),
    }
}

/// What stands behind the last `@`; `None` for the null reverse-path and local names.
pub fn domain(address: &str) -> Option<&str> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.trim_end_matches(['>', '.'])).filter(|domain| !domain.is_empty())
}
