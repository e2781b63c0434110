//! What `mta` has around the schedule and the client session, over wires in memory: a
//! lease, the hosts of its destination, what they said, the plan, the disk. The order of
//! the writes is the dispatcher's: notifications first, then the note that they were due.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use mta::delivery::endings::{Endings, Peer, unreachable, why_it_ended};
use mta::delivery::{Body, Ending};
use mta::dispatcher::notice::{Notification, notifications};
use mta::dispatcher::settle::{self, Lesson, Notice, Settled};
use mta::route_to::hosts_of;
use mta::router::Destination;
use queue::notify::Moment;
use queue::retry::Pace;
use queue::schedule::{Lease, Mode};
use queue::spool::Durability;
use queue::{Message, QueueId, SpoolError, Status};
use reply::{Cause, Permanence, Timestamp};
use smtp::client::{
    Extent, HostKnowledge, Options, Protocol, RecipientOutcome, Session, Step, Transaction,
    TransactionReport,
};
use smtp::envelope::Envelope;
use smtp::syntax::{Mailbox, ReversePath};

use crate::fault::Fault;
use crate::ledger::{Leg, Now, Offer};
use crate::server::Server;
use crate::wire::{End, Read};
use crate::world::{World, told};

const MESSAGES_A_CONNECTION: usize = 100;
const RECIPIENTS: usize = 100;

/// A host: its name, as it is remembered, and where it is.
type Host = (String, IpAddr);

/// What an attempt led to, for the schedule.
struct Outcome {
    again: Option<Timestamp>,
    pace: Option<Pace>,
}

/// Puts a message into the schedule, under each of its destinations.
pub(crate) fn adopt(server: &Server, message: &Message, wall: Timestamp) {
    // A due time further away than any plan comes from a clock that was wrong.
    let latest = wall + server.retry.slow.longest_pause;
    for (destination, due) in places(server, message, wall) {
        server.schedule(wall).insert(message.id, &destination, due.min(latest));
    }
}

/// The destinations that a message waits for, with the earliest due time of each.
pub(crate) fn places(
    server: &Server,
    message: &Message,
    wall: Timestamp,
) -> BTreeMap<String, Timestamp> {
    let mut places = BTreeMap::new();
    for state in &message.recipients {
        let Some(due) = state.due(message.received.at, wall) else { continue };
        let destination = server.router.destination(&state.recipient.path).to_string();
        let earliest = places.entry(destination).or_insert(due);
        *earliest = due.min(*earliest);
    }
    places
}

/// Works on a lease, and while its connection is good on further ones of the same
/// destination.
pub(crate) async fn work(world: Rc<World>, server: usize, lease: Lease) {
    let mut sender = Sender { world, server, open: None };
    let mut next = Some(lease);
    for count in 1.. {
        let Some(lease) = next.take() else { break };
        let outcome = sender.attempt(&lease).await;
        next = sender.give_back(lease, outcome, count < MESSAGES_A_CONNECTION);
    }
    sender.close().await;
}

/// A way to a destination, with the connection that is open, if there is one.
struct Sender {
    world: Rc<World>,
    server: usize,
    open: Option<(Host, Connection)>,
}

/// One message for recipients that share a destination.
struct Job {
    leg: Leg,
    envelope: Envelope,
    body: Body,
    destination: String,
}

/// What came of going to a destination.
struct Went {
    endings: Vec<Ending>,
    reached: bool,
    /// Somebody was asked.
    tried: bool,
    not_before: Option<Timestamp>,
}

impl Went {
    /// To where nobody has to be reached.
    fn here(endings: Vec<Ending>) -> Went {
        Went { endings, reached: true, tried: true, not_before: None }
    }
}

/// One job on its way along the hosts.
struct Visits {
    endings: Endings,
    reached: bool,
    tried: bool,
    /// Hosts that are left alone, and until when.
    left_alone: Vec<(String, Timestamp)>,
}

impl Sender {
    fn here(&self) -> &Server {
        &self.world.servers[self.server]
    }

    fn now(&self) -> Now {
        self.world.now_at(self.server)
    }

    fn message(&self, id: QueueId) -> Option<Message> {
        match self.here().spool().get(id) {
            Ok(message) => Some(message),
            Err(SpoolError::NotFound(_)) => None,
            Err(error) => panic!("the spool of {} cannot be read: {error}", self.here().name),
        }
    }

    async fn close(&mut self) {
        if let Some((_, connection)) = self.open.take() {
            connection.quit(&self.world).await;
        }
    }

    fn give_back(&self, lease: Lease, outcome: Outcome, more: bool) -> Option<Lease> {
        let now = self.now().wall;
        let destination = lease.destination;
        let mut schedule = self.here().schedule(now);
        if let Some(pace) = outcome.pace {
            schedule.pace(destination, pace, now);
        }
        schedule.settle(lease, outcome.again);
        if more { schedule.another(destination, now) } else { None }
    }

    /// One message, one destination, once.
    async fn attempt(&mut self, lease: &Lease) -> Outcome {
        let nothing = Outcome { again: None, pace: None };
        let name = self.here().schedule(self.now().wall).name(lease.destination).to_owned();
        let Some(message) = self.message(lease.id) else { return nothing };
        let tried = self.due_recipients(&message, &name);
        let Some(first) = tried.first() else {
            return Outcome { again: self.again(lease.id, &name), pace: None };
        };
        let leg = Leg { server: self.server, id: lease.id };
        let is_real = lease.mode == Mode::Deliver;
        self.world.ledger().attempted(leg, &tried, is_real, self.now());
        let destination =
            self.here().router.destination(&message.recipients[*first].recipient.path);
        let went = match lease.mode {
            Mode::Deliver => self.deliver(&message, &tried, &destination).await,
            Mode::NoteUnreachable => Went::here(settle::not_tried(tried.len())),
        };
        let is_new = tried.iter().any(|index| message.recipients[*index].history.attempts == 0);
        if let Some(until) = went.not_before.filter(|_| !went.tried && !is_new) {
            self.world.ledger().let_be(leg, &tried);
            let again = self.again(lease.id, &name);
            return Outcome { again, pace: Some(Pace::SlowDown { until }) };
        }
        let settled = self.settle(&message, &name, &tried, &went.endings).await;
        let Some(settled) = settled else { return nothing };
        let pace = match (settled.pace_where(went.reached, &went.endings), went.not_before) {
            (Pace::Unreachable, Some(until)) => Pace::SlowDown { until },
            (pace, _) => pace,
        };
        let pace = Some(pace).filter(|_| is_real);
        let again = self.again(lease.id, &name);
        Outcome { again: self.world.misplan(again, self.now().wall), pace }
    }

    fn again(&self, id: QueueId, name: &str) -> Option<Timestamp> {
        places(self.here(), &self.message(id)?, self.now().wall).remove(name)
    }

    /// The recipients at the destination whose time has come: where none is due (the
    /// clock was set back), the earliest.
    fn due_recipients(&self, message: &Message, name: &str) -> Vec<usize> {
        let here = message.recipients.iter().enumerate().filter_map(|(index, state)| {
            let due = state.status.due()?;
            let destination = self.here().router.destination(&state.recipient.path);
            (destination.to_string() == name).then_some((index, due))
        });
        let here: Vec<(usize, Timestamp)> = here.collect();
        let now = self.now().wall;
        let earliest = here.iter().map(|(_, due)| *due).min().unwrap_or(now);
        let due = here.iter().filter(|(_, due)| *due <= now.max(earliest));
        due.map(|(index, _)| *index).collect()
    }
}

/// The way to the next hop.
impl Sender {
    /// Goes to the destination once, with the recipients `tried`.
    async fn deliver(
        &mut self,
        message: &Message,
        tried: &[usize],
        destination: &Destination,
    ) -> Went {
        let hosts = match destination {
            Destination::Local(mailbox) => {
                return Went::here(vec![self.deliver_locally(message, mailbox); tried.len()]);
            }
            elsewhere => self.hosts(elsewhere, message.id).await,
        };
        let hosts = match hosts {
            Ok(hosts) => hosts,
            Err(ending) => {
                let went = Went::here(vec![ending; tried.len()]);
                return Went { reached: false, ..went };
            }
        };
        let recipients = tried.iter().map(|index| message.recipients[*index].recipient.clone());
        let recipients = recipients.collect();
        let envelope = Envelope { recipients, ..message.received.envelope.clone() };
        let leg = Leg { server: self.server, id: message.id };
        let reader = Arc::new(self.here().spool());
        let body = Body::queued(reader, message.id, message.octets);
        let destination = destination.to_string();
        self.send(&hosts, &Job { leg, envelope, body, destination }).await
    }

    /// Idempotent: the name of the file is the message's.
    fn deliver_locally(&self, message: &Message, mailbox: &Mailbox) -> Ending {
        let steady = self.world.tasks.now();
        let address = mailbox.to_string();
        let refusal = match self.here().mailbox(mailbox, steady) {
            Some(state) => state.refusal(&address),
            None => Some(reply::catalogue::mailbox_unknown(&address)),
        };
        if let Some(answer) = refusal {
            return Ending::answered(&answer, self.now().wall);
        }
        let is_new = self.here().delivered.borrow_mut().insert((address.clone(), message.id));
        if is_new {
            let leg = Leg { server: self.server, id: message.id };
            self.world.ledger().taken(leg, &[address], self.now());
        }
        Ending::trouble(Cause::Delivered, Permanence::Positive, "in the mailbox")
    }

    async fn hosts(&self, destination: &Destination, id: QueueId) -> Result<Vec<Host>, Ending> {
        let resolver = &self.world.resolver;
        let hosts = match destination {
            Destination::Domain(domain) => {
                let found = hosts_of(resolver, domain, &self.here().ourselves, id.number()).await;
                found.map_err(|none| Ending::diagnosed(none.verdict()))?
            }
            Destination::Host(host) => {
                let found = hosts_of(resolver, &host.host, &self.here().ourselves, 0).await;
                found.map_err(|none| Ending::diagnosed(none.verdict()))?
            }
            other => panic!("no world has the destination {other}"),
        };
        let each = hosts
            .iter()
            .flat_map(|host| host.addresses.iter().map(|address| (host.name.clone(), *address)));
        Ok(each.collect())
    }

    /// Brings `job` to the first of `hosts` that takes it.
    async fn send(&mut self, hosts: &[Host], job: &Job) -> Went {
        let endings = Endings::new(job.envelope.recipients.len());
        let left_alone = Vec::new();
        let mut visits = Visits { endings, reached: false, tried: false, left_alone };
        if let Some((host, connection)) = self.open.take()
            && hosts.contains(&host)
        {
            (visits.reached, visits.tried) = (true, true);
            self.open = self.transact(&mut visits.endings, host, connection, job).await;
        }
        for host in hosts {
            if visits.endings.open().is_empty() {
                break;
            }
            self.close().await;
            self.visit(&mut visits, host, job).await;
        }
        let Visits { endings, reached, tried, left_alone } = visits;
        let not_before = left_alone.iter().map(|(_, until)| *until).min();
        if !reached {
            let hosts: Vec<String> = left_alone.into_iter().map(|(host, _)| host).collect();
            self.here().hosts.borrow_mut().wait_for(&hosts, &job.destination);
        }
        let not_before = not_before.filter(|_| !reached);
        Went { endings: endings.finish(), reached, tried, not_before }
    }

    /// Tries one host; a second time where it was learned that it must be spoken to
    /// otherwise.
    async fn visit(&mut self, visits: &mut Visits, host: &Host, job: &Job) {
        if !self.may_try(visits, host) {
            return;
        }
        for _ in 0..2 {
            let before = self.known(host);
            match self.connect(host, before.clone()).await {
                Ok(connection) => {
                    visits.reached = true;
                    self.answered(host);
                    let endings = &mut visits.endings;
                    self.open = self.transact(endings, host.clone(), connection, job).await;
                }
                Err(ending) => return self.not_opened(visits, host, ending),
            }
            if self.open.is_some() || self.known(host).no_chunking == before.no_chunking {
                return;
            }
        }
    }

    /// False where the host is being left alone, whoever found it dead.
    fn may_try(&self, visits: &mut Visits, host: &Host) -> bool {
        let address = host.1.to_string();
        let may = self.here().hosts.borrow_mut().may_try(&address, self.now().wall);
        let Err(until) = may else {
            visits.tried = true;
            return true;
        };
        visits.left_alone.push((address, until));
        let text = format!("{} is left alone until {until}", host.0);
        let ending = Ending::trouble(Cause::HostUnreachable, Permanence::Transient, text);
        visits.endings.host_failed(&host.0, ending);
        false
    }

    /// What a host says of our own mail or connections is no sign that it is dead.
    fn not_opened(&self, visits: &mut Visits, host: &Host, ending: Ending) {
        let address = host.1.to_string();
        let causes = [Cause::TooManyConnections, Cause::RateLimited, Cause::ReputationPoor];
        let is_about_us = causes.contains(&ending.verdict.cause);
        if ending.verdict.permanence == Permanence::Transient && !is_about_us {
            let until = self.here().hosts.borrow_mut().failed(&address, self.now().wall);
            visits.left_alone.push((address, until));
        } else {
            self.answered(host);
        }
        visits.endings.host_failed(&host.0, ending);
    }

    /// Destinations whose host is back go on at once.
    fn answered(&self, host: &Host) {
        let revived = self.here().hosts.borrow_mut().answered(&host.1.to_string());
        let mut schedule = self.here().schedule(self.now().wall);
        revived.iter().for_each(|destination| schedule.wake(destination));
    }

    fn known(&self, host: &Host) -> HostKnowledge {
        let words = self.here().learned.host(&host.0, self.now().wall).unwrap_or_default();
        words.parse().unwrap_or_default()
    }

    async fn connect(&self, host: &Host, known: HostKnowledge) -> Result<Connection, Ending> {
        let hostname = self.here().name.to_owned();
        let options = Options { hostname, known, ..Options::default() };
        let end = self.world.connect(self.here().address, host.1);
        let end = end.map_err(|error| unreachable(&host.0, &error))?;
        let session = Session::new(Arc::new(options), self.world.tasks.now());
        let mut connection = Connection { end, session };
        match connection.run(&self.world, None).await {
            Stop::Ready => Ok(connection),
            _ => Err(why_it_ended(connection.session.end(), self.now().wall)),
        }
    }

    /// Sends what is open in as many transactions as the server's limits make it.
    async fn transact(
        &self,
        endings: &mut Endings,
        host: Host,
        mut connection: Connection,
        job: &Job,
    ) -> Option<(Host, Connection)> {
        let before = connection.session.knowledge().clone();
        loop {
            let limit = connection.session.capabilities().max_recipients().unwrap_or(RECIPIENTS);
            let some: Vec<usize> = endings.open().into_iter().take(limit.max(1)).collect();
            if some.is_empty() {
                break;
            }
            let outcomes = match connection.offer(&self.world, &some, job).await {
                Ok(Some(outcomes)) => outcomes,
                Ok(None) => break,
                Err(ending) => {
                    endings.decide(&some, &ending);
                    continue;
                }
            };
            let address = Some(self.here().address);
            let protocol = Protocol::Smtp;
            let peer = Peer { host: host.0.clone(), local_address: address, protocol };
            let usable = endings.note(&peer, &some, outcomes, self.now().wall);
            if !usable || connection.session.end().is_some() {
                break;
            }
        }
        let learned = connection.session.knowledge();
        if *learned != before {
            let (words, now) = (learned.to_string(), self.now().wall);
            self.here().learned.remember_host(&host.0, &words, now).unwrap();
        }
        connection.session.end().is_none().then_some((host, connection))
    }
}

/// A client session and its end of the wire.
struct Connection {
    end: End,
    session: Session,
}

enum Stop {
    Ready,
    Finished(TransactionReport),
    Closed,
}

impl Connection {
    async fn quit(mut self, world: &World) {
        self.session.quit(world.tasks.now());
        while let Stop::Finished(_) = self.run(world, None).await {}
    }

    /// One transaction for `some` of the recipients; `Ok(None)`: the session was over.
    async fn offer(
        &mut self,
        world: &World,
        some: &[usize],
        job: &Job,
    ) -> Result<Option<Vec<RecipientOutcome>>, Ending> {
        let is_eight = job.body.eight_bit().unwrap().body;
        let converts = is_eight && !self.session.capabilities().has("8BITMIME");
        let body = if converts { job.body.in_seven_bits().unwrap() } else { job.body.clone() };
        let recipients = some.iter().map(|index| job.envelope.recipients[*index].clone());
        let transaction = Transaction {
            envelope: Envelope { recipients: recipients.collect(), ..job.envelope.clone() },
            octets: body.octets(),
            eight_bit: is_eight && !converts,
            needs_utf8: false,
            extent: Extent::Message,
        };
        self.end.set_leg(job.leg);
        self.session.transaction(transaction, world.tasks.now());
        match self.run(world, Some(&body)).await {
            Stop::Finished(report) => Ok(Some(report.recipients)),
            Stop::Ready | Stop::Closed => Ok(None),
        }
    }

    /// Drives the session until it stops.
    async fn run(&mut self, world: &World, body: Option<&Body>) -> Stop {
        loop {
            match self.session.poll() {
                Step::Send(octets) => self.end.write(&octets),
                Step::Receive => self.read(world).await,
                Step::NeedBody { offset, at_most } => self.feed(world, body, offset, at_most),
                Step::Ready => return Stop::Ready,
                Step::Finished(report) => return Stop::Finished(report),
                Step::Answered(..) => {}
                Step::Close => return Stop::Closed,
            }
        }
    }

    async fn read(&mut self, world: &World) {
        let read = self.end.read(&world.tasks, self.session.poll_timeout()).await;
        let now = world.tasks.now();
        match read {
            Read::Octets(octets) => {
                self.session.receive(&octets, now);
            }
            Read::Closed => self.session.end_of_input(now),
            Read::TimedOut => self.session.handle_timeout(now),
        }
    }

    fn feed(&mut self, world: &World, body: Option<&Body>, offset: u64, at_most: usize) {
        let Some(body) = body else { return self.session.body_failed() };
        let piece = body.read(offset, at_most).unwrap();
        let last = offset + piece.len() as u64 >= body.octets();
        self.session.body(&piece, last, world.tasks.now());
    }
}

/// From what was heard to the disk.
impl Sender {
    /// `None` where the message is gone.
    async fn settle(
        &self,
        message: &Message,
        name: &str,
        tried: &[usize],
        endings: &[Ending],
    ) -> Option<Settled> {
        let now = self.now();
        let leg = Leg { server: self.server, id: message.id };
        let message = self.message(message.id)?;
        let window = self.here().learned.window(name, now.wall);
        let retry = &self.here().retry;
        let mut settled = settle::settle(&message, tried, endings, window, retry, now.wall);
        self.world.spoil(&mut settled, tried, endings, now.wall);
        self.learn(name, &settled.lessons, now.wall);
        self.notify(&mut settled).await;
        for (index, ending) in tried.iter().zip(endings) {
            let status = &settled.message.recipients[*index].status;
            let words = ending.words.trim_end();
            self.world.say(|| format!("{leg} {index} `{words}` {status:?}"));
            self.world.ledger().concluded(leg, *index, ending, status, self.now());
        }
        self.finish(&settled, tried).await;
        for (index, ending) in tried.iter().zip(endings) {
            self.world.ledger().settled(leg, *index, ending, self.now());
        }
        Some(settled)
    }

    fn learn(&self, name: &str, lessons: &[Lesson], now: Timestamp) {
        let learned = &self.here().learned;
        for lesson in lessons {
            match *lesson {
                Lesson::Passed { first, last } => learned.passed(name, first, last, now).unwrap(),
                Lesson::Refused { first } => learned.refused(name, first, now).unwrap(),
            }
        }
    }

    /// Puts the notifications into the queue.
    async fn notify(&self, settled: &mut Settled) {
        if self.world.has(Fault::FailsInSilence) {
            settled.notices.retain(|notice| notice.moment != Moment::Failed);
        }
        if settled.notices.is_empty() {
            return;
        }
        let message = &settled.message;
        let reader = Arc::new(self.here().spool());
        let body = Body::queued(reader, message.id, message.octets);
        let original = body.read(0, smtp::dsn::MAX_RETURNED_OCTETS).unwrap();
        let (voice, now) = (&self.here().voice, self.now().wall);
        let due = notifications(message, &settled.notices, &original, voice, now);
        for notification in due {
            let times = if self.world.has(Fault::TellsTwice) { 2 } else { 1 };
            for _ in 0..times {
                self.put(message.id, &notification).await;
            }
        }
    }

    async fn put(&self, about: QueueId, notification: &Notification) {
        let leg = Leg { server: self.server, id: about };
        let Notification { moment, about: indexes, received, octets } = notification;
        let about = Some((leg, indexes.clone(), *moment));
        let offer = Offer {
            received: received.clone(),
            octets: Rc::new(octets.clone()),
            from: None,
            about,
        };
        self.world.put(self.server, offer).await;
    }

    /// Writes down the recipients that were tried; those of other destinations may have
    /// changed meanwhile. A message that nothing waits for leaves the queue.
    async fn finish(&self, settled: &Settled, tried: &[usize]) {
        let Some(was) = self.message(settled.message.id) else { return };
        let mut message = was.clone();
        message.set_back(self.now().wall);
        for index in tried {
            message.recipients[*index] = settled.message.recipients[*index].clone();
        }
        let is_done = message.is_done() || self.world.has(Fault::DroppedAfterAnyAttempt);
        let has_failed = message.recipients.iter().any(|state| is_failed(&state.status));
        if is_done && !has_failed && self.world.has(Fault::EndIsNotWritten) {
            return;
        }
        let (send, receive) = channel();
        let done = Box::new(move |result| drop(send.send(result)));
        match is_done {
            true => self.here().spool().remove(message.id, Durability::Synced, done),
            false => self.here().spool().update(&was, &message, Durability::Synced, done),
        }
        self.here().machine.borrow_mut().endanger();
        // Only a power cut makes it fail, and with it goes this task.
        if let Err(error) = told(&self.world.tasks, receive).await {
            self.world.say(|| format!("{} cannot write: {error}", self.here().name));
            self.world.tasks.die().await;
        }
    }
}

fn is_failed(status: &Status) -> bool {
    matches!(status, Status::Failed { .. })
}

/// What the faults make of a plan.
impl World {
    fn misplan(&self, again: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        match self.fault {
            Some(Fault::ForgetsToComeBack) => None,
            Some(Fault::ComesAtOnce) => again.map(|_| now + Duration::from_secs(1)),
            _ => again,
        }
    }

    fn spoil(&self, settled: &mut Settled, tried: &[usize], endings: &[Ending], now: Timestamp) {
        for (index, ending) in tried.iter().zip(endings) {
            let state = &mut settled.message.recipients[*index];
            if let Some(status) = self.spoiled(&state.status, ending, now) {
                state.status = status;
            }
            if self.has(Fault::ForgetsThatItTold) {
                state.history.delay_notified = false;
            }
            if self.has(Fault::TellsTheNullPath) && is_failed(&state.status) {
                tell_the_null_path(settled, *index, ending);
            }
        }
    }

    /// What a fault makes of a recipient's state.
    fn spoiled(&self, status: &Status, ending: &Ending, now: Timestamp) -> Option<Status> {
        let code = ending.reply.as_ref().map(|reply| reply.code().value());
        let wait = |secs| Some(Status::Waiting { due: now + Duration::from_secs(secs) });
        let has_hint = ending.verdict.retry_after.is_some();
        match (self.fault?, status.due()) {
            (Fault::RetriesRefusals, None) if is_failed(status) && code >= Some(500) => wait(300),
            (Fault::BouncesDelays, Some(_)) => Some(Status::Failed { at: now, status: None }),
            (Fault::HalvesTheNamedTime, Some(due)) if has_hint => {
                wait(due.since(now).as_secs() / 2)
            }
            (Fault::PlansAStorm, Some(_)) if !has_hint => wait(20),
            _ => None,
        }
    }
}

/// As if the notification had a sender who is to be told of it.
fn tell_the_null_path(settled: &mut Settled, index: usize, ending: &Ending) {
    let envelope = &mut Arc::make_mut(&mut settled.message.received).envelope;
    if !envelope.reverse_path.is_null() {
        return;
    }
    envelope.reverse_path = ReversePath(Some("postmaster@a.test".parse().unwrap()));
    let (moment, verdict) = (Moment::Failed, ending.verdict.clone());
    let status = reply::EnhancedCode::new(5, 0, 0).unwrap();
    settled.notices.push(Notice { moment, index, reply: None, verdict, status, host: None });
}
