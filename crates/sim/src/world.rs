//! One seed's world: its servers, sites and names, what is planned to happen, and the
//! loop that lets it happen in virtual time.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use mta::resolver::StaticTable;
use queue::{Origin, Received};
use reply::Timestamp;
use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{Body, ForwardPath, MailParameters, Notify, RecipientParameters, ReversePath};

use crate::fault::Fault;
use crate::ledger::{Counts, Ledger, Leg, Now, Offer, Promise};
use crate::random::Random;
use crate::sender::{adopt, places, work};
use crate::server::{CARRIED, MAILBOXES, NAMES, Server, address};
use crate::site::{Behaviour, Site};
use crate::tasks::Tasks;
use crate::wire::{End, wire};
use crate::{reception, site};

const MESSAGES: u64 = 10;
const BEGAN: Timestamp = Timestamp::from_secs(1_700_000_000);
/// A message may live five days at each of two servers, and its notifications as long;
/// clocks that are set back add days.
const LONGEST: Duration = Duration::from_secs(60 * 86_400);
/// More turns than a world of this size can lawfully need.
const MOST_TURNS: u32 = 2_000_000;
const DAY_MILLIS: i64 = 86_400_000;

/// Who listens at an address.
#[derive(Clone, Copy)]
enum Listener {
    Server(usize),
    Site(usize),
    /// Takes connections and says nothing.
    Mute,
}

/// What is planned.
enum Plan {
    Submit(usize, Box<Offer>),
    /// A server's wall clock is set, by so many milliseconds.
    SetClock(usize, i64),
    Restart(usize),
}

pub(crate) struct World {
    pub(crate) tasks: Tasks,
    pub(crate) servers: Vec<Server>,
    pub(crate) sites: Vec<Site>,
    pub(crate) resolver: StaticTable,
    pub(crate) fault: Option<Fault>,
    listeners: BTreeMap<IpAddr, Listener>,
    random: RefCell<Random>,
    plans: RefCell<BTreeMap<(Timestamp, u64), Plan>>,
    planned: Cell<u64>,
    ledger: RefCell<Ledger>,
    log: RefCell<DefaultHasher>,
    tells: bool,
}

/// What a world came to.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) broken: Option<(Promise, String)>,
    pub(crate) counts: Counts,
    /// A hash of all that happened, in order.
    pub(crate) log: u64,
}

/// Waits for what the disk's writer tells.
pub(crate) async fn told<T>(tasks: &Tasks, receiver: Receiver<T>) -> T {
    loop {
        if let Some(value) = tasks.until(None, || receiver.try_recv().ok()).await {
            return value;
        }
    }
}

/// Runs the world of a seed to its end, or to the first broken promise.
pub(crate) fn run(seed: u64, fault: Option<Fault>) -> Summary {
    let world = Rc::new(World::new(seed, fault));
    world.plan_all();
    let end = world.run();
    let mut ledger = world.ledger();
    if let Err((promise, how)) = end {
        ledger.require(false, promise, how);
    }
    Summary {
        broken: ledger.broken.take(),
        counts: ledger.counts,
        log: world.log.borrow().finish(),
    }
}

impl World {
    fn new(seed: u64, fault: Option<Fault>) -> World {
        let mut random = Random(seed);
        let behaviours = Behaviour::all(&mut random);
        let forgets = fault == Some(Fault::DiskForgetsSyncs);
        let servers = (0..2).map(|index| Server::new(index, &mut random, BEGAN, forgets));
        let servers = servers.collect();
        let sites = behaviours.iter().map(|one| Site::new(*one, random.next(), BEGAN)).collect();
        let (resolver, listeners) = names(&behaviours);
        let tasks = Tasks::default();
        tasks.advance(BEGAN);
        let world = World {
            tasks,
            servers,
            sites,
            resolver,
            fault,
            listeners,
            random: RefCell::new(random),
            plans: RefCell::default(),
            planned: Cell::new(0),
            ledger: RefCell::default(),
            log: RefCell::default(),
            tells: std::env::var_os("SIM_LOG").is_some(),
        };
        world.say(|| format!("{behaviours:?}"));
        world
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(crate) fn ledger(&self) -> RefMut<'_, Ledger> {
        self.ledger.borrow_mut()
    }

    fn below(&self, limit: u64) -> u64 {
        self.random.borrow_mut().below(limit)
    }

    fn one_in(&self, chances: u64) -> bool {
        self.random.borrow_mut().one_in(chances)
    }

    /// A clock that is wrong by days: which way.
    fn some_jump(&self) -> i64 {
        self.random.borrow_mut().pick(&[5 * DAY_MILLIS, -DAY_MILLIS])
    }

    pub(crate) fn now_at(&self, server: usize) -> Now {
        let steady = self.tasks.now();
        Now { steady, wall: self.servers[server].wall(steady) }
    }

    /// A line of the log.
    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        static ELSEWHERE: AtomicU64 = AtomicU64::new(0);
        let mut log = self.log.borrow_mut();
        let line = line();
        if self.tells {
            println!("{} {line}", self.tasks.now());
        }
        (self.tasks.now(), line).hash(&mut *log);
        if self.has(Fault::LooksAtSomethingElse) {
            ELSEWHERE.fetch_add(1, Ordering::Relaxed).hash(&mut *log);
        }
    }

    /// A connection; the other side's task begins.
    pub(crate) fn connect(self: &Rc<World>, from: IpAddr, to: IpAddr) -> io::Result<End> {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let listener = self.listeners.get(&to).copied().ok_or_else(refused)?;
        let (client, server) = wire(Random(self.random.borrow_mut().next()));
        match listener {
            Listener::Server(index) if self.servers[index].is_dark() => return Err(refused()),
            Listener::Server(index) => {
                let serving = reception::serve(self.clone(), index, from, server);
                self.tasks.spawn(Some(index), serving);
            }
            Listener::Site(index) if self.sites[index].is_dead(self.tasks.now()) => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Listener::Site(index) => {
                self.tasks.spawn(None, site::serve(self.clone(), index, server));
            }
            Listener::Mute => {
                let (tasks, ends) = (self.clone(), self.tasks.now() + Duration::from_secs(3600));
                self.tasks.spawn(None, async move {
                    let _open = server;
                    tasks.tasks.sleep(ends).await;
                });
            }
        }
        Ok(client)
    }

    /// A site took a message.
    pub(crate) fn arrived(&self, leg: Leg, paths: &[String], octets: &[u8], converted: bool) {
        let now = self.now_at(leg.server);
        self.say(|| format!("{leg} arrived for {paths:?}, {} octets", octets.len()));
        self.ledger().arrived(leg, octets, converted);
        self.ledger().taken(leg, paths, now);
    }

    /// A message is on disk: it takes its place in the schedule.
    pub(crate) fn kept(&self, leg: Leg) {
        let now = self.now_at(leg.server);
        self.say(|| format!("{leg} kept"));
        self.ledger().kept(leg, now);
        let server = &self.servers[leg.server];
        adopt(server, &server.spool().get(leg.id).unwrap(), now.wall);
    }

    /// Puts a message into a server's queue and waits for the disk.
    pub(crate) async fn put(&self, index: usize, offer: Offer) {
        let server = &self.servers[index];
        let mut draft = server.spool().begin(offer.received.clone());
        if let Err(error) = draft.append(&offer.octets) {
            // Only a power cut makes it fail, and with it goes this task.
            self.say(|| format!("{} cannot write: {error}", server.name));
            return self.tasks.die().await;
        }
        let leg = Leg { server: index, id: draft.id() };
        self.ledger().offered(leg, offer);
        let (send, receive) = channel();
        draft.commit(Box::new(move |committed| drop(send.send(committed.map(drop)))));
        server.machine.borrow_mut().endanger();
        if told(&self.tasks, receive).await.is_ok() {
            self.kept(leg);
        }
    }
}

/// The names of the world: each site is the MX of its domain, some behind another host.
fn names(behaviours: &[Behaviour]) -> (StaticTable, BTreeMap<IpAddr, Listener>) {
    let mut resolver = StaticTable::new();
    let mut listeners = BTreeMap::new();
    for (index, name) in NAMES.iter().enumerate() {
        resolver = resolver.with_mx(name, 10, name).with_address(name, address(index));
        listeners.insert(address(index), Listener::Server(index));
    }
    resolver = resolver.with_mx(CARRIED, 10, NAMES[1]);
    for (index, behaviour) in behaviours.iter().enumerate() {
        let name = format!("site{index}.test");
        let at = |net: u8| IpAddr::V4(Ipv4Addr::new(198, 51, net, index as u8));
        resolver = resolver.with_mx(&name, 20, &name).with_address(&name, at(100));
        listeners.insert(at(100), Listener::Site(index));
        let first = format!("first.{name}");
        match behaviour {
            Behaviour::SecondMxAnswers => {
                resolver = resolver.with_mx(&name, 10, &first).with_address(&first, at(101));
            }
            Behaviour::FirstMxIsMute => {
                resolver = resolver.with_mx(&name, 10, &first).with_address(&first, at(102));
                listeners.insert(at(102), Listener::Mute);
            }
            _ => {}
        }
    }
    (resolver, listeners)
}

/// What is planned to happen.
impl World {
    fn plan(&self, at: Timestamp, plan: Plan) {
        let number = self.planned.get();
        self.planned.set(number + 1);
        self.plans.borrow_mut().insert((at, number), plan);
    }

    fn plan_all(&self) {
        for number in 0..MESSAGES {
            let server = self.below(2) as usize;
            let at = BEGAN + Duration::from_secs(self.below(4 * 3600));
            let offer = self.message(server, number, at);
            self.plan(at, Plan::Submit(server, Box::new(offer)));
        }
        for server in 0..2 {
            for by in [5 * DAY_MILLIS, -DAY_MILLIS] {
                if self.one_in(4) {
                    let at = BEGAN + Duration::from_secs(self.below(4 * 86_400));
                    self.plan(at, Plan::SetClock(server, by));
                }
            }
        }
    }

    /// A message that is handed to `server` by a program of its machine.
    fn message(&self, server: usize, number: u64, at: Timestamp) -> Offer {
        let mut random = self.random.borrow_mut();
        let domain = self.some_domain(&mut random);
        let count = random.pick(&[1, 1, 1, 2, 4]);
        let recipients = some_recipients(&mut random, &domain, count);
        let is_eight_bit = random.one_in(3);
        let sender = match random.below(6) {
            0 => None,
            1 => Some(format!("ready@{}", NAMES[1 - server])),
            2 => Some(format!("full@{}", NAMES[server])),
            _ => Some(format!("ready@{}", NAMES[server])),
        };
        let reverse_path = ReversePath(sender.map(|sender| sender.parse().unwrap()));
        let body = is_eight_bit.then_some(Body::EightBitMime);
        let mail = MailParameters { body, ..MailParameters::default() };
        let envelope = Envelope { reverse_path, mail, recipients };
        let origin = Origin::Local;
        let received = Received { envelope, at, origin, client: None, hello: None, held: None };
        let octets = Rc::new(content(&mut random, number, is_eight_bit));
        Offer { received, octets, from: None, about: None }
    }

    fn some_domain(&self, random: &mut Random) -> String {
        match random.below(10) {
            0 => NAMES[0].to_owned(),
            1 | 2 => NAMES[1].to_owned(),
            3 => CARRIED.to_owned(),
            _ => format!("site{}.test", random.below(self.sites.len() as u64)),
        }
    }

    fn happen(self: &Rc<World>, plan: Plan) {
        match plan {
            Plan::Submit(server, offer) if self.servers[server].is_dark() => {
                let later = self.tasks.now() + Duration::from_secs(600);
                self.plan(later, Plan::Submit(server, offer));
            }
            Plan::Submit(server, mut offer) => {
                offer.received.at = self.now_at(server).wall;
                let paths = offer.received.envelope.recipients.iter();
                let paths: Vec<String> = paths.map(|one| one.path.to_string()).collect();
                self.say(|| format!("{} is handed a message for {paths:?}", NAMES[server]));
                let world = self.clone();
                self.tasks.spawn(Some(server), async move { world.put(server, *offer).await });
            }
            Plan::SetClock(server, by) => self.set_clock(server, by),
            Plan::Restart(server) => self.restart(server),
        }
    }

    /// The dispatcher looks at its clock at least every 30 seconds: here right before.
    fn set_clock(&self, index: usize, by_millis: i64) {
        let server = &self.servers[index];
        let before = self.now_at(index).wall;
        let is_idle = server.schedule(before).leased() == 0;
        server.set_clock(by_millis);
        if self.has(Fault::WaitsForTheOldClock) && is_idle {
            self.schedule_by_the_old_clock(index);
        }
        self.ledger().clock_jumped(index, by_millis);
        self.say(|| format!("the clock of {} is set by {by_millis} ms", server.name));
    }
}

impl World {
    /// As it stands on disk, whatever the clock.
    fn schedule_by_the_old_clock(&self, index: usize) {
        let (server, wall) = (&self.servers[index], self.now_at(index).wall);
        server.forget_schedule();
        let spool = server.spool();
        for id in spool.ids() {
            let message = spool.get(id).unwrap();
            for (destination, due) in places(server, &message, Timestamp::MAX) {
                server.schedule(wall).insert(id, &destination, due);
            }
        }
    }
}

fn some_recipients(random: &mut Random, domain: &str, count: usize) -> Vec<Recipient> {
    let is_ours = NAMES.contains(&domain);
    let names = (0..count).map(|index| match is_ours {
        true => MAILBOXES[(random.below(3) as usize + 2 * index) % MAILBOXES.len()].to_owned(),
        false => format!("user{index}"),
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    let mut recipient = |name: String| {
        let success = Notify::parse("SUCCESS,FAILURE,DELAY");
        let notify = random.pick(&[None, None, None, Some(Notify::NEVER), success]);
        let path = ForwardPath::Mailbox(format!("{name}@{domain}").parse().unwrap());
        Recipient { path, parameters: RecipientParameters { notify, orcpt: None } }
    };
    names.into_iter().map(&mut recipient).collect()
}

/// Some messages are long enough for several chunks, some have lines of dots.
fn content(random: &mut Random, number: u64, is_eight_bit: bool) -> Vec<u8> {
    let charset = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
    let encoding = if is_eight_bit { "8bit" } else { "7bit" };
    let mut text = format!(
        "From: <ready@a.test>\r\nSubject: message {number}\r\nMessage-ID: <{number}@sim.test>\r\n\
         {charset}Content-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    let lines = random.pick(&[1, 1, 3, 3, 20, 20, 20, 1600]);
    for line in 0..lines {
        let word = if is_eight_bit { "größer" } else { "greater" };
        let dots = ".".repeat(random.below(3) as usize);
        text.push_str(&format!("{dots}line {line} is {word} than the one before\r\n"));
    }
    text.into_bytes()
}

/// Time goes on.
impl World {
    fn run(self: &Rc<World>) -> Result<(), (Promise, String)> {
        for _ in 0..MOST_TURNS {
            if self.ledger().broken.is_some() {
                return Ok(());
            }
            if self.turn() {
                continue;
            }
            self.check();
            if self.dispatch() {
                continue;
            }
            match self.next_time() {
                Some(at) if at > BEGAN + LONGEST => break,
                Some(at) => self.go_to(at),
                None => return self.at_the_end(),
            }
        }
        let left = self.ledger().live();
        let how = format!("{left} messages wait at {}", self.tasks.now());
        Err((Promise::QueueDrains, how))
    }

    /// Every task once, and the disks; whether anything moved.
    fn turn(self: &Rc<World>) -> bool {
        let first = self.random.borrow_mut().next();
        let has_moved = self.tasks.round(first);
        // A disk that is slow lets several messages share a sync.
        let is_slow = has_moved && self.one_in(2);
        !is_slow && self.write() || has_moved
    }

    fn write(self: &Rc<World>) -> bool {
        let mut has_moved = false;
        for (index, server) in self.servers.iter().enumerate() {
            if server.is_dark() {
                continue;
            }
            has_moved |= server.machine.borrow_mut().step();
            has_moved |= self.loses_power(index);
        }
        has_moved
    }

    /// After each use of the disk: nothing may run on that does not know it yet.
    fn loses_power(&self, index: usize) -> bool {
        let is_cut = !self.servers[index].machine.borrow().has_power();
        if is_cut {
            self.power_cut(index);
        }
        is_cut
    }

    fn power_cut(&self, index: usize) {
        let downtime = match self.below(3) {
            0 => Duration::from_secs(1),
            1 => Duration::from_secs(self.below(600)),
            _ => Duration::from_secs(self.below(7200)),
        };
        let until = self.tasks.now() + downtime;
        self.say(|| format!("{} loses its power", NAMES[index]));
        self.tasks.kill(index);
        self.servers[index].dark_until.set(Some(until));
        self.ledger().power_cut(index, downtime);
        if self.one_in(8) {
            let by = self.some_jump();
            self.plan(until, Plan::SetClock(index, by));
        }
        self.plan(until, Plan::Restart(index));
    }

    fn restart(&self, index: usize) {
        let server = &self.servers[index];
        let damaged = server.machine.borrow_mut().restart();
        server.dark_until.set(None);
        server.connections.borrow_mut().clear();
        server.forget_schedule();
        let (spool, now) = (server.spool(), self.now_at(index));
        let ids = spool.ids();
        self.say(|| format!("{} starts with {} messages", server.name, ids.len()));
        self.ledger().found(index, &ids, now);
        self.ledger().check(index, &ids);
        let how = damaged.as_deref().unwrap_or_default();
        let how = format!("{} at {}: {how}", server.name, now.steady);
        self.ledger().require(damaged.is_none(), Promise::CutIsNoDamage, how);
        for id in ids {
            adopt(server, &spool.get(id).unwrap(), now.wall);
        }
    }

    fn check(&self) {
        for (index, server) in self.servers.iter().enumerate() {
            if !server.is_dark() {
                self.ledger().check(index, &server.spool().ids());
            }
        }
    }

    /// Begins what is due.
    fn dispatch(self: &Rc<World>) -> bool {
        let mut has_begun = false;
        for (index, server) in self.servers.iter().enumerate() {
            if server.is_dark() {
                continue;
            }
            if self.one_in(6) {
                server.machine.borrow_mut().upkeep();
            }
            if self.loses_power(index) {
                has_begun = true;
                continue;
            }
            let wall = self.now_at(index).wall;
            let leases = server.schedule(wall).due(wall, usize::MAX);
            for lease in leases {
                has_begun = true;
                self.tasks.spawn(Some(index), work(self.clone(), index, lease));
            }
        }
        has_begun
    }

    /// When something happens next; a moment from now where a server has something to do
    /// that it could not do now.
    fn next_time(&self) -> Option<Timestamp> {
        let now = self.tasks.now();
        let lit = self.servers.iter().filter(|server| !server.is_dark());
        let due = lit.filter_map(|server| {
            let at = server.steady(server.schedule(server.wall(now)).next_due()?);
            Some(at.max(now + Duration::from_millis(1)))
        });
        let planned = self.plans.borrow().keys().next().map(|(at, _)| *at);
        due.chain(planned).chain(self.tasks.wakes_at()).min()
    }

    fn go_to(self: &Rc<World>, at: Timestamp) {
        self.tasks.advance(at);
        loop {
            let mut plans = self.plans.borrow_mut();
            let Some(first) = plans.first_entry() else { return };
            if first.key().0 > self.tasks.now() {
                return;
            }
            let plan = first.remove();
            drop(plans);
            self.happen(plan);
        }
    }

    fn at_the_end(&self) -> Result<(), (Promise, String)> {
        let waiting: usize = self.servers.iter().map(|server| server.spool().ids().len()).sum();
        let how = format!("{waiting} messages wait for nothing at {}", self.tasks.now());
        if waiting == 0 { Ok(()) } else { Err((Promise::QueueDrains, how)) }
    }
}
