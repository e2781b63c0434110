//! One message to one destination by SMTP or LMTP: the hosts in their order, one
//! transaction for all its recipients, and what each of them heard.
//!
//! What a reply decides, and what is left to the next host, stands in `endings`.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::smtp::client::{Extent, HostKnowledge, Options, Protocol, RecipientOutcome, Transaction};
use ::smtp::envelope::{Envelope, Recipient};
use queue::hosts::Hosts;
use queue::retry::LearnedStore;
use reply::{Cause, Permanence, Timestamp};

use super::body::{EightBit, Unconverted};
use super::connection::Connection;
use super::endings::{Endings, Peer, inconvertible, is_ourselves, unreachable, why_it_ended};
use super::{Body, Ending};
use crate::clock::Clock;

/// Where a session can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A host by SMTP.
    Tcp {
        /// Its name, for people and for what is remembered of it.
        host: String,
        /// Where it is.
        address: SocketAddr,
    },
    /// A unix socket by LMTP.
    Unix(PathBuf),
}

impl Endpoint {
    /// The host, as people are told.
    pub fn name(&self) -> String {
        match self {
            Endpoint::Tcp { host, .. } => host.clone(),
            Endpoint::Unix(path) => path.display().to_string(),
        }
    }

    /// Where it is, whatever its name: what is dead is dead under each of its names.
    fn address(&self) -> String {
        match self {
            Endpoint::Tcp { address, .. } => address.to_string(),
            Endpoint::Unix(path) => path.display().to_string(),
        }
    }

    fn protocol(&self) -> Protocol {
        match self {
            Endpoint::Tcp { .. } => Protocol::Smtp,
            Endpoint::Unix(_) => Protocol::Lmtp,
        }
    }

    fn key(&self) -> String {
        match self {
            Endpoint::Tcp { host, address } => format!("{host}:{}", address.port()),
            Endpoint::Unix(path) => path.display().to_string(),
        }
    }
}

/// What all attempts share.
#[derive(Clone)]
pub struct Sender {
    /// The session's options but for what is known of the host.
    pub options: Options,
    /// What was learned of hosts.
    pub learned: LearnedStore,
    /// The clocks.
    pub clock: Clock,
    /// At most so many messages are converted in memory at once.
    pub conversions: Arc<tokio::sync::Semaphore>,
    /// The hosts that cannot be reached.
    pub hosts: Arc<Mutex<Hosts>>,
}

/// One message for recipients that share a destination.
#[derive(Clone, Debug)]
pub struct Job {
    /// From whom, for whom.
    pub envelope: Envelope,
    /// The message.
    pub body: Body,
    /// Our own address to come from.
    pub from: Option<IpAddr>,
    /// The destination's name: who waits where no host can be reached.
    pub destination: String,
    /// The hosts are those that DNS named: one of them may be this server.
    pub by_dns: bool,
    /// Try hosts that are being left alone, too: somebody asked for it.
    pub insist: bool,
}

/// What happened on the way, for the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A session stands.
    Connected {
        /// The endpoint.
        endpoint: Endpoint,
        /// Our own address.
        local_address: Option<IpAddr>,
    },
    /// A host could not be used.
    Failed {
        /// The endpoint.
        endpoint: Endpoint,
        /// Why, in words.
        what: String,
    },
}

/// What became of a job.
#[derive(Debug)]
pub struct Attempted {
    /// One for each recipient, in the order of the envelope.
    pub endings: Vec<Ending>,
    /// What happened on the way.
    pub notes: Vec<Note>,
    /// A session stood: the destination is not dead.
    pub reached: bool,
    /// A connection was tried; without one nothing new is known.
    pub tried: bool,
    /// The first time at which one of its hosts may be tried again, where none was reached.
    pub not_before: Option<Timestamp>,
    /// Destinations that wait for a host which answered now.
    pub revived: BTreeSet<String>,
}

/// A way to a destination, with the connection that is open, if there is one.
#[derive(Default)]
pub struct Lane {
    open: Option<(Endpoint, Connection)>,
}

impl Lane {
    /// Takes leave of the open connection.
    pub async fn close(&mut self) {
        close(self.open.take()).await;
    }
}

async fn close(open: Option<(Endpoint, Connection)>) {
    if let Some((_, connection)) = open {
        connection.quit().await;
    }
}

impl Sender {
    /// Brings `job` to the first of `endpoints` that takes it; reuses the lane's
    /// connection, and leaves one open that is still good.
    pub async fn send(&self, lane: &mut Lane, endpoints: &[Endpoint], job: &Job) -> Attempted {
        let mut attempt = Attempt::new(self, job);
        if let Some((endpoint, connection)) = lane.open.take()
            && endpoints.contains(&endpoint)
        {
            // A kept connection may have died meanwhile; then its host is tried anew.
            let known = connection.session().knowledge().clone();
            (lane.open, _) = attempt.transact(endpoint, connection, &known).await;
            (attempt.reached, attempt.tried) = (true, true);
        }
        for endpoint in endpoints {
            if attempt.endings.open().is_empty() || attempt.came_back {
                break;
            }
            lane.close().await;
            lane.open = attempt.visit(endpoint).await;
        }
        attempt.end()
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        // Nothing that panics holds this lock.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a host, and nothing where that cannot be read.
    async fn knowledge(&self, endpoint: &Endpoint) -> HostKnowledge {
        let words = self.learned.host(&endpoint.key(), self.clock.now()).unwrap_or_default();
        words.parse().unwrap_or_default()
    }

    fn remember(&self, endpoint: &Endpoint, knowledge: &HostKnowledge) {
        let (key, words) = (endpoint.key(), knowledge.to_string());
        if let Err(error) = self.learned.remember_host(&key, &words, self.clock.now()) {
            tracing::warn!(host = key, %error, "what was learned of a host could not be kept");
        }
    }

    /// Connects and waits until the session is ready.
    async fn open(
        &self,
        endpoint: &Endpoint,
        from: Option<IpAddr>,
        known: HostKnowledge,
    ) -> Result<Connection, Ending> {
        let protocol = endpoint.protocol();
        let options = Options { known, protocol, ..self.options.clone() };
        let connected = match endpoint {
            Endpoint::Tcp { address, .. } => {
                Connection::tcp(*address, from, Arc::new(options), self.clock).await
            }
            Endpoint::Unix(path) => Connection::unix(path, Arc::new(options), self.clock).await,
        };
        let mut connection = connected.map_err(|error| unreachable(&endpoint.name(), &error))?;
        if connection.until_ready().await {
            return Ok(connection);
        }
        Err(why_it_ended(connection.end(), self.clock.now()))
    }
}

/// One job on its way along the endpoints.
struct Attempt<'a> {
    sender: &'a Sender,
    job: &'a Job,
    endings: Endings,
    notes: Vec<Note>,
    reached: bool,
    tried: bool,
    /// A host that DNS named is this server; what follows is less preferred than us.
    came_back: bool,
    /// Hosts that are left alone, and until when.
    left_alone: Vec<(String, Timestamp)>,
    revived: BTreeSet<String>,
    /// Found when first needed.
    eight_bit: Option<EightBit>,
    eight_bit_part_header: Option<bool>,
    seven_bits: Option<Body>,
}

impl<'a> Attempt<'a> {
    fn new(sender: &'a Sender, job: &'a Job) -> Attempt<'a> {
        Attempt {
            sender,
            job,
            endings: Endings::new(job.envelope.recipients.len()),
            notes: Vec::new(),
            reached: false,
            tried: false,
            came_back: false,
            left_alone: Vec::new(),
            revived: BTreeSet::new(),
            eight_bit: None,
            eight_bit_part_header: None,
            seven_bits: None,
        }
    }

    /// Tries one host; gives its connection back where that can be used again.
    async fn visit(&mut self, endpoint: &Endpoint) -> Option<(Endpoint, Connection)> {
        if !self.may_try(endpoint) {
            return None;
        }
        let mut known = self.sender.knowledge(endpoint).await;
        loop {
            let connection = match self.sender.open(endpoint, self.job.from, known.clone()).await {
                Ok(connection) => connection,
                Err(ending) => {
                    self.not_opened(endpoint, ending);
                    return None;
                }
            };
            self.revived.append(&mut self.sender.hosts().answered(&endpoint.address()));
            if self.job.by_dns && connection.is_called(&self.sender.options.hostname) {
                connection.quit().await;
                self.came_back = true;
                self.host_failed(endpoint, is_ourselves(&endpoint.name()));
                return None;
            }
            self.reached = true;
            let local_address = connection.local_address();
            self.notes.push(Note::Connected { endpoint: endpoint.clone(), local_address });
            let before = known.clone();
            let (kept, spent) = self.transact(endpoint.clone(), connection, &before).await;
            known = self.sender.knowledge(endpoint).await;
            // A further session only where this one had all that it may, or learned that
            // the host must be spoken to otherwise, and that cannot be done in it.
            if !spent && known.no_chunking == before.no_chunking {
                return kept;
            }
            close(kept).await;
        }
    }

    /// False where the host is being left alone, whoever found it dead.
    fn may_try(&mut self, endpoint: &Endpoint) -> bool {
        let (address, now) = (endpoint.address(), self.sender.clock.now());
        let until = match self.sender.hosts().may_try(&address, now) {
            Err(until) if !self.job.insist => until,
            _ => {
                self.tried = true;
                return true;
            }
        };
        self.left_alone.push((address, until));
        let text = format!(
            "{} could not be reached a while ago and is left alone until {until}",
            endpoint.name()
        );
        let ending = Ending::trouble(Cause::HostUnreachable, Permanence::Transient, text);
        self.host_failed(endpoint, ending);
        false
    }

    /// A host that does not come to a session is left alone for a while, whatever was in
    /// the way. What it said of our own mail or connections is no sign that it is dead.
    fn not_opened(&mut self, endpoint: &Endpoint, ending: Ending) {
        let now = self.sender.clock.now();
        let transient = ending.verdict.permanence == Permanence::Transient;
        let about_us = matches!(
            ending.verdict.cause,
            Cause::TooManyConnections | Cause::RateLimited | Cause::ReputationPoor
        );
        if transient && !about_us {
            let until = self.sender.hosts().failed(&endpoint.address(), now);
            self.left_alone.push((endpoint.address(), until));
        } else {
            self.revived.append(&mut self.sender.hosts().answered(&endpoint.address()));
        }
        self.host_failed(endpoint, ending);
    }

    /// Sends what is open in as many transactions as the server's limits make it; keeps
    /// what the session learned beyond `known`. Gives back a connection that is still good,
    /// and whether only a further one takes the rest.
    async fn transact(
        &mut self,
        endpoint: Endpoint,
        mut connection: Connection,
        known: &HostKnowledge,
    ) -> (Option<(Endpoint, Connection)>, bool) {
        let mut spent = false;
        loop {
            let waiting = self.endings.open();
            let some = self.next_recipients(&mut connection, &waiting);
            if some.is_empty() {
                spent = !waiting.is_empty();
                break;
            }
            let peer = Peer {
                host: endpoint.name(),
                local_address: connection.local_address(),
                protocol: endpoint.protocol(),
            };
            let outcomes = match self.offer(&mut connection, &some).await {
                Ok(Some(outcomes)) => outcomes,
                Ok(None) => break,
                Err(ending) => {
                    let host = Some(endpoint.name());
                    self.endings.decide(&some, &Ending { host, ..ending });
                    continue;
                }
            };
            let now = self.sender.clock.now();
            let usable = self.endings.note(&peer, &some, outcomes, now);
            if !usable || connection.end().is_some() {
                break;
            }
        }
        let learned = connection.session().knowledge().clone();
        if learned != *known {
            self.sender.remember(&endpoint, &learned);
        }
        (connection.end().is_none().then_some((endpoint, connection)), spent)
    }

    /// Those of `waiting` that go into the next transaction.
    fn next_recipients(&self, connection: &mut Connection, waiting: &[usize]) -> Vec<usize> {
        let all = &self.job.envelope.recipients;
        let paths: Vec<_> = waiting.iter().map(|index| &all[*index].path).collect();
        connection.next_recipients(&paths).into_iter().map(|at| waiting[at]).collect()
    }

    /// One transaction for `some` of the recipients. `Ok(None)`: the session was over.
    ///
    /// # Errors
    /// Why the message cannot go to this host at all.
    async fn offer(
        &mut self,
        connection: &mut Connection,
        some: &[usize],
    ) -> Result<Option<Vec<RecipientOutcome>>, Ending> {
        let eight_bit = self.eight_bit().await?;
        let takes_eight = connection.session().capabilities().eight_bit_mime();
        let takes_utf8 = connection.session().capabilities().smtputf8();
        let needs_utf8 = self.needs_utf8(eight_bit, some, takes_utf8).await?;
        let is_eight = eight_bit.header || eight_bit.body;
        // A header beyond ASCII that SMTPUTF8 does not cover cannot be converted: it goes
        // as it came.
        let convert = is_eight && !takes_eight && !needs_utf8;
        let body = if convert { self.seven_bits().await? } else { self.job.body.clone() };
        let transaction = Transaction {
            envelope: self.envelope(some),
            octets: body.octets(),
            eight_bit: is_eight && !convert,
            needs_utf8,
            extent: Extent::Message,
        };
        let report = connection.send(transaction, &body).await;
        Ok(report.map(|report| report.recipients))
    }

    fn envelope(&self, some: &[usize]) -> Envelope {
        let all = &self.job.envelope;
        let recipients: Vec<Recipient> =
            some.iter().map(|index| all.recipients[*index].clone()).collect();
        Envelope { recipients, ..all.clone() }
    }

    /// A message that was submitted with SMTPUTF8 needs it only for what is beyond ASCII in
    /// addresses and in headers at any level (RFC 6531 §3.2, §3.6). A host that takes it
    /// anyway spares us the look at the parts.
    async fn needs_utf8(
        &mut self,
        eight_bit: EightBit,
        some: &[usize],
        takes_utf8: bool,
    ) -> Result<bool, Ending> {
        let envelope = &self.job.envelope;
        let addresses = !envelope.reverse_path.is_ascii()
            || some.iter().any(|index| !envelope.recipients[*index].path.is_ascii());
        match (envelope.mail.smtputf8, eight_bit) {
            _ if addresses => Ok(true),
            (false, _) | (true, EightBit { header: false, body: false }) => Ok(false),
            (true, EightBit { header: true, .. }) => Ok(true),
            (true, EightBit { header: false, body: true }) => {
                Ok(takes_utf8 || self.eight_bit_part_header().await?)
            }
        }
    }

    async fn eight_bit_part_header(&mut self) -> Result<bool, Ending> {
        if let Some(known) = self.eight_bit_part_header {
            return Ok(known);
        }
        // As for a conversion: without a permit it is only slower.
        let _permit = self.sender.conversions.acquire().await.ok();
        let body = self.job.body.clone();
        let looked = tokio::task::spawn_blocking(move || body.has_eight_bit_header()).await;
        let found = looked.map_err(std::io::Error::from).and_then(|found| found);
        let found = found.map_err(|error| unreadable(&error))?;
        self.eight_bit_part_header = Some(found);
        Ok(found)
    }

    async fn eight_bit(&mut self) -> Result<EightBit, Ending> {
        if let Some(known) = self.eight_bit {
            return Ok(known);
        }
        let body = self.job.body.clone();
        let scanned = tokio::task::spawn_blocking(move || body.eight_bit()).await;
        let found = scanned.map_err(std::io::Error::from).and_then(|found| found);
        let found = found.map_err(|error| unreadable(&error))?;
        self.eight_bit = Some(found);
        Ok(found)
    }

    async fn seven_bits(&mut self) -> Result<Body, Ending> {
        if let Some(converted) = &self.seven_bits {
            return Ok(converted.clone());
        }
        // A closed semaphore cannot be: nobody closes it. Without a permit it is only slower.
        let _permit = self.sender.conversions.acquire().await.ok();
        let body = self.job.body.clone();
        let converted = tokio::task::spawn_blocking(move || body.in_seven_bits()).await;
        let converted = match converted {
            Ok(Ok(converted)) => converted,
            Ok(Err(Unconverted::Unreadable(error))) => return Err(unreadable(&error)),
            Ok(Err(Unconverted::TooBig)) => return Err(inconvertible("it does not fit in memory")),
            Ok(Err(Unconverted::Impossible(why))) => return Err(inconvertible(&why.to_string())),
            Err(error) => return Err(unreadable(&error.into())),
        };
        self.seven_bits = Some(converted.clone());
        Ok(converted)
    }

    fn host_failed(&mut self, endpoint: &Endpoint, ending: Ending) {
        self.notes.push(Note::Failed { endpoint: endpoint.clone(), what: ending.words.clone() });
        self.endings.host_failed(&endpoint.name(), ending);
    }

    fn end(self) -> Attempted {
        let not_before = self.left_alone.iter().map(|(_, until)| *until).min();
        if !self.reached {
            let hosts: Vec<String> = self.left_alone.into_iter().map(|(host, _)| host).collect();
            self.sender.hosts().wait_for(&hosts, &self.job.destination);
        }
        Attempted {
            endings: self.endings.finish(),
            notes: self.notes,
            reached: self.reached,
            tried: self.tried,
            not_before: not_before.filter(|_| !self.reached),
            revived: self.revived,
        }
    }
}

fn unreadable(error: &std::io::Error) -> Ending {
    let text = format!("our own queue could not give the message: {error}");
    Ending::trouble(Cause::ServerFault, Permanence::Transient, text)
}

#[cfg(test)]
mod tests;
