//! A message's way out: schedule → lease → destination → attempt → plan → spool, and a
//! notification where one is due.
//!
//! Start at [`Dispatcher::run`] (when) and `Dispatcher::attempt` (where). `settle` is what
//! an attempt's endings lead to (pure), `settling` writes that down, `notice` builds the
//! notifications, `commands` is what an administrator asks for, `backlog` what is needed of
//! the spool. A notification is in the queue, synced, before the recipient that it is about
//! is settled: a crash between the two tells the sender twice, never not at all.

pub mod backlog;
mod commands;
pub mod notice;
pub mod settle;
mod settling;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use queue::hosts::Hosts;
use queue::retry::{LearnedStore, Pace, RetryOptions};
use queue::schedule::{Lease, Limits, Mode, Schedule};
use queue::{Hold, Message, QueueId};
use reply::{Cause, Permanence, Timestamp};
use smtp::envelope::Envelope;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::clock::Clock;
use crate::delivery::smtp::{Attempted, Endpoint, Job, Lane, Note, Sender};
use crate::delivery::{Body, Ending, LocalDelivery, LocalMessage, Notifier};
use crate::events::{Event, Events};
use crate::resolver::Resolver;
use crate::route_to::{NoHost, Ourselves, hosts_of};
use crate::router::{Destination, Router};

pub use backlog::{Backlog, Haste, Written};
pub use commands::{ActError, BY_ADMINISTRATOR};
pub use notice::Voice;

/// How it works, from the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// `retry.*`.
    pub retry: RetryOptions,
    /// How much goes out at once.
    pub limits: Limits,
    /// The client session's options.
    pub session: smtp::client::Options,
    /// The port that MX hosts and address literals listen on: 25.
    pub mx_port: u16,
    /// How notifications speak.
    pub voice: Voice,
    /// Who we are, so that mail does not come back.
    pub ourselves: Ourselves,
    /// How long attempts may take to end when the server stops.
    pub grace: Duration,
}

/// The parts that it works with.
pub struct Parts {
    /// The messages.
    pub backlog: Arc<dyn Backlog>,
    /// Which way.
    pub router: Router,
    /// Which hosts.
    pub resolver: Arc<dyn Resolver>,
    /// The mailboxes of this machine.
    pub local: Arc<dyn LocalDelivery>,
    /// What was learned.
    pub learned: LearnedStore,
    /// Who is told.
    pub events: Arc<Events>,
    /// The clocks.
    pub clock: Clock,
}

/// Most messages on one connection, so that other destinations get their turn.
const MESSAGES_A_CONNECTION: usize = 100;
/// The longest sleep: a clock that jumps is noticed after at most this.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// For how long what comes gathers behind a look at the schedule. Delivered at once, each
/// message of a session would take the processor just when its client says what comes next.
const GATHERING: Duration = Duration::from_millis(5);
/// How long to wait before a state that could not be written is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(10);
/// When an attempt that ended by a fault of ours is made again.
const AFTER_FAULT: Duration = Duration::from_secs(15 * 60);
/// How much of a message goes into a notification at most.
const ORIGINAL_OCTETS: usize = smtp::dsn::MAX_RETURNED_OCTETS;
/// Locks that keep two destinations of one message from writing its state over each other.
const STRIPES: usize = 64;

/// Sends what waits. One for a spool.
pub struct Dispatcher {
    options: Options,
    parts: Parts,
    sender: Sender,
    schedule: Mutex<Schedule>,
    /// Messages that an administrator wants attempted whatever their plan says.
    hastened: Mutex<HashSet<QueueId>>,
    stripes: [Mutex<()>; STRIPES],
    wake: Notify,
}

/// What came of going to a destination.
struct Went {
    /// One for each recipient.
    endings: Vec<Ending>,
    /// The destination was there.
    reached: bool,
    /// Somebody was asked; without that nothing new is known.
    tried: bool,
    /// The first time at which one of its hosts may be tried again, where none was reached.
    not_before: Option<Timestamp>,
    /// How soon its end is to be on disk, if that is what came of it.
    haste: Haste,
}

impl Went {
    /// To where nobody has to be reached.
    fn here(endings: Vec<Ending>) -> Went {
        Went { endings, reached: true, tried: true, not_before: None, haste: Haste::Synced }
    }
}

/// What an attempt led to, for the schedule.
struct Outcome {
    again: Option<Due>,
    pace: Option<Pace>,
}

/// When something is due, by a clock that showed `shown`: it may be set before the schedule
/// hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: Timestamp,
    shown: Timestamp,
}

impl Due {
    /// By the clock as it shows `now`: if it was set back meanwhile, so much sooner.
    fn by(self, now: Timestamp) -> Timestamp {
        self.at - self.shown.since(now)
    }
}

/// Waits until an attempt has ended, and forgets it with all others that have: each that is
/// kept takes as much memory as it did while it was made.
async fn ended(attempts: &mut JoinSet<()>) {
    if attempts.join_next().await.is_none() {
        pending::<()>().await;
    }
    while attempts.try_join_next().is_some() {}
}

impl Dispatcher {
    /// A dispatcher that waits for [`Dispatcher::run`].
    pub fn new(options: Options, parts: Parts) -> Arc<Dispatcher> {
        let sender = Sender {
            options: options.session.clone(),
            learned: parts.learned.clone(),
            clock: parts.clock,
            conversions: Arc::new(Semaphore::new(2)),
            hosts: Arc::new(Mutex::new(Hosts::new(&options.retry))),
        };
        let schedule = Mutex::new(Schedule::new(options.limits.clone()));
        Arc::new(Dispatcher {
            options,
            parts,
            sender,
            schedule,
            hastened: Mutex::default(),
            stripes: std::array::from_fn(|_| Mutex::default()),
            wake: Notify::new(),
        })
    }

    /// Takes over what waits in the spool, then sends until `stop` becomes true. Attempts
    /// that are under way get `grace` to end; what they had not settled by then is tried
    /// again after the next start.
    ///
    /// # Errors
    /// Where the spool cannot be read.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        let this = self.clone();
        blocking(move || this.load()).await?;
        let mut attempts = JoinSet::new();
        let mut look_from = Instant::now();
        while !*stop.borrow() {
            if look_from > Instant::now() {
                tokio::select! {
                    () = sleep_until(look_from) => {}
                    _ = stop.changed() => break,
                }
            }
            look_from = Instant::now() + GATHERING;
            let leases = self.schedule().due(self.parts.clock.now(), usize::MAX);
            for lease in leases {
                attempts.spawn(self.clone().work(lease, stop.clone()));
            }
            tokio::select! {
                biased;
                () = ended(&mut attempts) => {}
                () = sleep(self.until_next()) => {}
                () = self.wake.notified() => {}
                _ = stop.changed() => break,
            }
        }
        let all = async { while attempts.join_next().await.is_some() {} };
        if timeout(self.options.grace, all).await.is_err() {
            tracing::warn!("attempts that did not end in time are broken off");
        }
        Ok(())
    }

    /// Messages that wait for an attempt, held ones not counted.
    pub fn waiting(&self) -> usize {
        self.schedule().waiting()
    }

    /// A message has come into the spool, and is as it came: it takes its place in the
    /// schedule. What has to be written for it, where it is to be held, is not waited for:
    /// the message is safe, and found again at a start.
    pub fn take(self: &Arc<Self>, message: Message) {
        let Err(reason) = self.schedule_places(&message) else { return };
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = this.hold_for(&message, reason) {
                waits_for_next_start(message.id, &error);
            }
        });
    }

    /// A message that has to be held, and cannot be noted so, keeps no other from its way.
    fn load(&self) -> io::Result<()> {
        self.parts.backlog.scan(&mut |message| {
            if let Err(error) = self.adopt(&message) {
                waits_for_next_start(message.id, &error);
            }
        })
    }

    /// Puts a message into the schedule, under each of its destinations; holds it where
    /// none of them can be gone to.
    fn adopt(&self, message: &Message) -> io::Result<()> {
        match self.schedule_places(message) {
            Ok(()) => Ok(()),
            Err(reason) => self.hold_for(message, reason),
        }
    }

    /// Puts a message that is not held into the schedule.
    ///
    /// # Errors
    /// Why it has nowhere to go.
    fn schedule_places(&self, message: &Message) -> Result<(), String> {
        if message.hold.is_held() {
            return Ok(());
        }
        let places = self.places(message);
        if let Some(reason) = self.stuck(message, &places) {
            return Err(reason);
        }
        let mut schedule = self.schedule();
        let now = self.parts.clock.now();
        for (destination, due) in places {
            schedule.insert(message.id, &destination, due.by(now).min(self.latest(now)));
        }
        drop(schedule);
        self.wake.notify_one();
        Ok(())
    }

    /// A due time further away than any plan comes from a clock that was wrong.
    fn latest(&self, now: Timestamp) -> Timestamp {
        now + self.options.retry.slow.longest_pause
    }

    /// The destinations that a message waits for, with the earliest due time of each.
    fn places(&self, message: &Message) -> BTreeMap<String, Due> {
        let mut places = BTreeMap::new();
        let now = self.parts.clock.now();
        for state in &message.recipients {
            let Some(due) = state.due(message.received.at, now) else { continue };
            match self.destination(message, &state.recipient.path) {
                Destination::Held(_) => {}
                destination => {
                    let earliest = places.entry(destination.to_string()).or_insert(due);
                    *earliest = due.min(*earliest);
                }
            }
        }
        places.into_iter().map(|(name, at)| (name, Due { at, shown: now })).collect()
    }

    /// Why a message that waits has nowhere to go.
    fn stuck(&self, message: &Message, places: &BTreeMap<String, Due>) -> Option<String> {
        let mut waiting = message.recipients.iter().filter(|state| state.status.due().is_some());
        let first = waiting.next().filter(|_| places.is_empty())?;
        match self.destination(message, &first.recipient.path) {
            Destination::Held(why) => Some(why.to_string()),
            _ => None,
        }
    }

    fn hold_for(&self, message: &Message, reason: String) -> io::Result<()> {
        let held = Message { hold: Hold::Because(reason.clone()), ..message.clone() };
        self.parts.backlog.update(message, &held)?;
        self.tell(message.id, Event::Held { reason });
        Ok(())
    }

    /// The way of a recipient; a released message passes the hold of its route.
    fn destination(&self, message: &Message, path: &smtp::syntax::ForwardPath) -> Destination {
        match message.hold {
            Hold::Released => self.parts.router.destination_when_released(path),
            _ => self.parts.router.destination(path),
        }
    }

    fn until_next(&self) -> Duration {
        let now = self.parts.clock.now();
        let next = self.schedule().next_due().map(|at| at.since(now));
        next.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    /// Works on a lease, and while its connection is good on further ones of the same
    /// destination.
    async fn work(self: Arc<Self>, lease: Lease, stop: watch::Receiver<bool>) {
        let mut lane = Lane::default();
        let mut held = HeldLease { dispatcher: &self, lease: Some(lease) };
        for count in 1.. {
            let Some(lease) = &held.lease else { break };
            let outcome = self.attempt(&mut lane, lease).await;
            let more = count < MESSAGES_A_CONNECTION && !*stop.borrow();
            held.lease = held.lease.take().and_then(|lease| self.give_back(lease, outcome, more));
        }
        lane.close().await;
        self.wake.notify_one();
    }

    fn give_back(&self, lease: Lease, outcome: Outcome, more: bool) -> Option<Lease> {
        let destination = lease.destination;
        let mut schedule = self.schedule();
        let now = self.parts.clock.now();
        if let Some(pace) = outcome.pace {
            schedule.pace(destination, self.within_plans(pace, now), now);
        }
        schedule.settle(lease, outcome.again.map(|due| due.by(now)));
        if more { schedule.another(destination, now) } else { None }
    }

    fn within_plans(&self, pace: Pace, now: Timestamp) -> Pace {
        match pace {
            Pace::SlowDown { until } => Pace::SlowDown { until: until.min(self.latest(now)) },
            other => other,
        }
    }

    /// One message, one destination, once.
    async fn attempt(self: &Arc<Self>, lane: &mut Lane, lease: &Lease) -> Outcome {
        let (id, name) = (lease.id, self.schedule().name(lease.destination).to_owned());
        let message = match self.look_up(id).await {
            Ok(Some(message)) if !message.hold.is_held() => message,
            Ok(_) => return Outcome { again: None, pace: None },
            Err(error) => {
                tracing::error!(%id, %error, "the spool cannot be read");
                return Outcome { again: Some(self.soon()), pace: None };
            }
        };
        let insist = lock(&self.hastened).remove(&id);
        let tried = self.due_recipients(&message, &name, insist);
        let Some(first) = tried.first() else {
            return Outcome { again: self.places(&message).remove(&name), pace: None };
        };
        let destination = self.destination(&message, &message.recipients[*first].recipient.path);
        let went = match lease.mode {
            Mode::Deliver => self.deliver(lane, &message, &tried, &destination, insist).await,
            Mode::NoteUnreachable => Went::here(settle::not_tried(tried.len())),
        };
        if let Some(until) = went.not_before.filter(|_| !went.tried)
            && !tried.iter().any(|index| is_new(&message.recipients[*index]))
        {
            // Nothing was tried, so nothing counts against the message but its age.
            let again = self.places(&message).remove(&name);
            return Outcome { again, pace: Some(Pace::SlowDown { until }) };
        }
        self.settled(id, name, tried, went, lease.mode).await
    }

    /// When what the disk did not do is tried again.
    fn soon(&self) -> Due {
        let shown = self.parts.clock.now();
        Due { at: shown + WRITE_AGAIN, shown }
    }

    /// The message, from memory where it is there.
    async fn look_up(self: &Arc<Self>, id: QueueId) -> io::Result<Option<Message>> {
        if let Some(message) = self.parts.backlog.recall(id) {
            return Ok(Some(message));
        }
        let this = self.clone();
        blocking(move || this.parts.backlog.get(id)).await
    }

    /// The recipients of `message` at the destination whose time has come: where none is
    /// due (the clock was set back), the earliest.
    fn due_recipients(&self, message: &Message, name: &str, insist: bool) -> Vec<usize> {
        let now = self.parts.clock.now();
        let here = message.recipients.iter().enumerate().filter_map(|(index, state)| {
            let due = state.status.due()?;
            let destination = self.destination(message, &state.recipient.path);
            (destination.to_string() == name).then_some((index, due))
        });
        let here: Vec<(usize, Timestamp)> = here.collect();
        let earliest = here.iter().map(|(_, due)| *due).min().unwrap_or(now);
        let until = if insist { Timestamp::MAX } else { now };
        let due = here.iter().filter(|(_, due)| *due <= until.max(earliest));
        due.map(|(index, _)| *index).collect()
    }

    /// Goes to the destination once, with the recipients `tried`.
    async fn deliver(
        self: &Arc<Self>,
        lane: &mut Lane,
        message: &Message,
        tried: &[usize],
        destination: &Destination,
        insist: bool,
    ) -> Went {
        let all = |ending: Ending| vec![ending; tried.len()];
        match destination {
            Destination::Local(mailbox) => {
                Went::here(all(self.deliver_locally(message, mailbox.clone()).await))
            }
            Destination::Discard => {
                // Dropped twice is dropped.
                Went { haste: Haste::WithOthers, ..Went::here(all(discarded())) }
            }
            Destination::Held(why) => {
                let (cause, permanence) = (Cause::RouteUnusable, Permanence::Transient);
                Went::here(all(Ending::trouble(cause, permanence, why.to_string())))
            }
            // Boxed: it is much larger than what mail for this machine needs.
            elsewhere => Box::pin(self.go(lane, message, tried, elsewhere, insist)).await,
        }
    }

    /// Goes to another host, or to a socket of this one.
    async fn go(
        self: &Arc<Self>,
        lane: &mut Lane,
        message: &Message,
        tried: &[usize],
        destination: &Destination,
        insist: bool,
    ) -> Went {
        let all = |ending: Ending| vec![ending; tried.len()];
        let endpoints = match destination {
            Destination::Lmtp(path) => Ok(vec![Endpoint::Unix(path.clone())]),
            elsewhere => self.endpoints(elsewhere, message.id).await,
        };
        let endpoints = match endpoints {
            Ok(endpoints) => endpoints,
            Err(none) => {
                let endings = all(Ending::diagnosed(none.verdict()));
                return Went { reached: false, ..Went::here(endings) };
            }
        };
        let by_dns = matches!(destination, Destination::Domain(_));
        let job = self.job(message, tried, self.body(message), destination.to_string());
        let job = Job { by_dns, insist, ..job };
        let attempted = self.sender.send(lane, &endpoints, &job).await;
        log_notes(message.id, &attempted.notes);
        self.wake_up(&attempted.revived);
        let Attempted { endings, reached, tried, not_before, .. } = attempted;
        Went { endings, reached, tried, not_before, haste: Haste::Synced }
    }

    /// Destinations whose host is back go on at once.
    fn wake_up(&self, destinations: &BTreeSet<String>) {
        let mut schedule = self.schedule();
        destinations.iter().for_each(|destination| schedule.wake(destination));
        drop(schedule);
        if !destinations.is_empty() {
            self.wake.notify_one();
        }
    }

    fn body(&self, message: &Message) -> Body {
        match self.parts.backlog.recall_data(message.id) {
            Some(data) => Body::in_memory(data),
            None => Body::queued(self.parts.backlog.clone(), message.id, message.octets),
        }
    }

    fn job(&self, message: &Message, tried: &[usize], body: Body, destination: String) -> Job {
        let states = tried.iter().map(|index| &message.recipients[*index]);
        let from = states.clone().find_map(same_address);
        let recipients = states.map(|state| state.recipient.clone()).collect();
        let envelope = Envelope { recipients, ..message.received.envelope.clone() };
        Job { envelope, body, from, destination, by_dns: false, insist: false }
    }

    async fn deliver_locally(
        self: &Arc<Self>,
        message: &Message,
        mailbox: smtp::syntax::Mailbox,
    ) -> Ending {
        let (this, now, body) = (self.clone(), self.parts.clock.now(), self.body(message));
        let (id, reverse_path) = (message.id, message.received.envelope.reverse_path.clone());
        let delivered = blocking(move || {
            let message = LocalMessage { id, reverse_path: &reverse_path, body: &body };
            Ok(this.parts.local.deliver(&mailbox, &message, now))
        });
        match delivered.await {
            Ok(Ok(())) => Ending::trouble(Cause::Delivered, Permanence::Positive, "in the mailbox"),
            Ok(Err(answer)) => Ending::answered(&answer, now),
            Err(error) => {
                Ending::trouble(Cause::ServerFault, Permanence::Transient, error.to_string())
            }
        }
    }

    /// Where to connect to, best first.
    async fn endpoints(
        &self,
        destination: &Destination,
        id: QueueId,
    ) -> Result<Vec<Endpoint>, NoHost> {
        let tcp = |host: &str, address, port| Endpoint::Tcp {
            host: host.to_owned(),
            address: SocketAddr::new(address, port),
        };
        let port = self.options.mx_port;
        match destination {
            Destination::Address(address) => Ok(vec![tcp(&address.to_string(), *address, port)]),
            Destination::Host(host) => {
                let addresses = self.addresses_of(&host.host).await?;
                Ok(addresses.into_iter().map(|ip| tcp(&host.host, ip, host.port)).collect())
            }
            Destination::Domain(domain) => {
                let (resolver, us) = (self.parts.resolver.as_ref(), &self.options.ourselves);
                let hosts = hosts_of(resolver, domain, us, id.number()).await?;
                let each = hosts.iter().flat_map(|host| {
                    host.addresses.iter().map(|address| tcp(&host.name, *address, port))
                });
                Ok(each.collect())
            }
            Destination::Local(_)
            | Destination::Lmtp(_)
            | Destination::Held(_)
            | Destination::Discard => Ok(Vec::new()),
        }
    }

    /// The addresses of a configured host: an address, `localhost`, or a name in DNS. The
    /// administrator who misspelt it will correct it: nothing bounces meanwhile.
    async fn addresses_of(&self, host: &str) -> Result<Vec<std::net::IpAddr>, NoHost> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(vec![[127, 0, 0, 1].into(), [0u16, 0, 0, 0, 0, 0, 0, 1].into()]);
        }
        let unresolved = |words: &str| {
            let words = format!("the configured host `{host}` {words}");
            NoHost::Unresolved(crate::resolver::ResolveError::Failed(words))
        };
        match self.parts.resolver.addresses(host).await {
            Ok(addresses) if addresses.is_empty() => Err(unresolved("has no address")),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(unresolved(&error.to_string())),
        }
    }

    fn tell(&self, id: QueueId, event: Event) {
        self.parts.events.tell(self.parts.clock.now(), id, event);
    }

    /// The schedule, on the clock as it is now.
    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        let mut schedule = lock(&self.schedule);
        schedule.notice_clock(self.parts.clock.now());
        schedule
    }

    fn stripe(&self, id: QueueId) -> &Mutex<()> {
        &self.stripes[id.number() as usize % STRIPES]
    }
}

/// A lease that goes back into the schedule whatever becomes of its attempt: one that
/// panics takes neither its message's turn nor its destination's place for ever.
struct HeldLease<'a> {
    dispatcher: &'a Dispatcher,
    lease: Option<Lease>,
}

impl Drop for HeldLease<'_> {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        let (id, shown) = (lease.id, self.dispatcher.parts.clock.now());
        if std::thread::panicking() {
            tracing::error!(%id, "an attempt ended by a fault of ours; it is made again later");
        }
        let again = Some(Due { at: shown + AFTER_FAULT, shown });
        self.dispatcher.give_back(lease, Outcome { again, pace: None }, false);
    }
}

/// Nothing that panics holds these locks in a state that others could not go on from.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::from)?
}

/// Our address of the last attempt, where a greylisting host may know us by it.
fn same_address(state: &queue::RecipientState) -> Option<std::net::IpAddr> {
    let said = state.history.last_reply.as_deref()?;
    let reply = reply::Reply::parse(said.as_bytes()).ok()?;
    let verdict = reply::classify::classify(&reply, &reply::classify::Context::default());
    let address = state.history.local_address?;
    queue::retry::suggests_greylisting(&verdict).then_some(address)
}

fn is_new(state: &queue::RecipientState) -> bool {
    state.history.attempts == 0
}

/// What has to be held, and could not be noted so, is found again then.
fn waits_for_next_start(id: QueueId, error: &io::Error) {
    tracing::error!(%id, %error, "a queued message waits for the next start");
}

/// Nobody is told of what is dropped.
fn discarded() -> Ending {
    let text = "dropped, as its route says";
    let ending = Ending::trouble(Cause::Delivered, Permanence::Positive, text);
    Ending { notifier: Notifier::SomebodyElse, ..ending }
}

fn log_notes(id: QueueId, notes: &[Note]) {
    for note in notes {
        match note {
            Note::Connected { endpoint, .. } => {
                tracing::debug!(%id, host = endpoint.name(), "connected");
            }
            Note::Failed { endpoint, what } => {
                tracing::info!(%id, host = endpoint.name(), what, "the host cannot be used");
            }
        }
    }
}

#[cfg(test)]
mod tests;
