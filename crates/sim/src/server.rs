//! One of our servers: what it keeps through a power cut, and what it has in memory.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use mta::dispatcher::Voice;
use mta::route_to::Ourselves;
use mta::router::{HostPort, Relay, Route, Router};
use policy::{Access, Greylist, MailboxState, Policy, Rates, greylist};
use queue::QueueId;
use queue::hosts::Hosts;
use queue::retry::{LearnedStore, RetryOptions};
use queue::schedule::{Limits, Schedule};
use reply::{Language, Timestamp};
use smtp::extension::Extensions;
use smtp::server::Protocol;
use smtp::syntax::Mailbox;
use store::{Memory, MemoryTable};

use crate::machine::Machine;
use crate::random::Random;

pub(crate) const NAMES: [&str; 2] = ["a.test", "b.test"];
/// A domain of the second server that it carries on to a site.
pub(crate) const CARRIED: &str = "carried.test";
/// Where it carries it.
pub(crate) const CARRIED_TO: &str = "site0.test";

/// Mailboxes of each server by their local parts, and how long what ails them lasts.
pub(crate) const MAILBOXES: [&str; 6] = ["ready", "full", "locked", "away", "gone", "nobody"];

pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: IpAddr,
    pub(crate) machine: RefCell<Machine>,
    /// Dark until then.
    pub(crate) dark_until: Cell<Option<Timestamp>>,
    /// What its wall clock is ahead of the steady one, in milliseconds.
    ahead_millis: Cell<i64>,
    began: Timestamp,
    /// For how many seconds the mailbox `full` is full, `locked` locked, `away` disabled.
    ails_secs: [u64; 3],
    pub(crate) policy: Policy,
    pub(crate) router: Router,
    pub(crate) ourselves: Ourselves,
    pub(crate) retry: RetryOptions,
    pub(crate) learned: LearnedStore,
    pub(crate) voice: Voice,
    schedule: RefCell<Schedule>,
    /// The hosts that cannot be reached.
    pub(crate) hosts: RefCell<Hosts>,
    pub(crate) sessions: Arc<smtp::server::Options>,
    pub(crate) connections: RefCell<BTreeMap<IpAddr, usize>>,
    /// What is in the mailboxes.
    pub(crate) delivered: RefCell<BTreeSet<(String, QueueId)>>,
}

impl Server {
    pub(crate) fn new(
        index: usize,
        random: &mut Random,
        began: Timestamp,
        forgets_syncs: bool,
    ) -> Server {
        let name = NAMES[index];
        let address = address(index);
        let retry = RetryOptions::default();
        let ourselves = Ourselves {
            names: vec![name.to_owned()],
            addresses: vec![address],
            ..Ourselves::default()
        };
        let voice = Voice {
            hostname: name.to_owned(),
            language: if index == 0 { Language::En } else { Language::De },
            offset_minutes: 0,
            lifetime: retry.give_up_after,
        };
        let days = 86_400;
        Server {
            name,
            address,
            machine: RefCell::new(Machine::new(random.next(), forgets_syncs)),
            dark_until: Cell::new(None),
            ahead_millis: Cell::new(0),
            began,
            ails_secs: [random.below(7 * days), random.below(days), random.below(2 * days)],
            policy: policy(random),
            router: router(index),
            ourselves,
            learned: LearnedStore::new(Arc::new(MemoryTable::default()), &retry),
            schedule: RefCell::new(empty_schedule(&retry)),
            hosts: RefCell::new(Hosts::new(&retry)),
            retry,
            voice,
            sessions: Arc::new(sessions(name, random)),
            connections: RefCell::default(),
            delivered: RefCell::default(),
        }
    }

    pub(crate) fn spool(&self) -> queue::Spool<Memory> {
        self.machine.borrow().spool()
    }

    pub(crate) fn is_dark(&self) -> bool {
        self.dark_until.get().is_some()
    }

    /// What its wall clock shows.
    pub(crate) fn wall(&self, steady: Timestamp) -> Timestamp {
        let millis = steady.as_millis().checked_add_signed(self.ahead_millis.get());
        Timestamp::from_millis(millis.unwrap_or_default())
    }

    /// When its wall clock will show `wall`, if nobody sets it.
    pub(crate) fn steady(&self, wall: Timestamp) -> Timestamp {
        let millis = wall.as_millis().checked_sub_signed(self.ahead_millis.get());
        Timestamp::from_millis(millis.unwrap_or_default())
    }

    pub(crate) fn set_clock(&self, by_millis: i64) {
        self.ahead_millis.set(self.ahead_millis.get() + by_millis);
    }

    /// The schedule, on the clock as it is now.
    pub(crate) fn schedule(&self, wall: Timestamp) -> RefMut<'_, Schedule> {
        let mut schedule = self.schedule.borrow_mut();
        schedule.notice_clock(wall);
        schedule
    }

    /// What is in memory only is gone with the power.
    pub(crate) fn forget_schedule(&self) {
        *self.schedule.borrow_mut() = empty_schedule(&self.retry);
        *self.hosts.borrow_mut() = Hosts::new(&self.retry);
    }

    /// `None` where there is no such mailbox.
    pub(crate) fn mailbox(&self, mailbox: &Mailbox, now: Timestamp) -> Option<MailboxState> {
        let since = now.since(self.began);
        let within = |secs: u64| since < Duration::from_secs(secs);
        let state = match mailbox.local_part.as_str() {
            "full" if within(self.ails_secs[0]) => MailboxState::Full,
            "locked" if within(self.ails_secs[1]) => MailboxState::Locked,
            "away" if within(self.ails_secs[2]) => MailboxState::DisabledForNow,
            "gone" => MailboxState::Disabled,
            "nobody" => return None,
            _ => MailboxState::Ready,
        };
        Some(state)
    }
}

pub(crate) fn address(index: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1 + index as u8))
}

fn empty_schedule(retry: &RetryOptions) -> Schedule {
    Schedule::new(Limits::new(3, 6, retry))
}

fn router(index: usize) -> Router {
    let mut own = vec![NAMES[index].to_owned()];
    let mut routes = Vec::new();
    if index == 1 {
        let host = HostPort { host: CARRIED_TO.to_owned(), port: 25 };
        own.push(CARRIED.to_owned());
        routes.push((CARRIED.to_owned(), Route::Host(host)));
    }
    Router::new(routes, own, vec![address(index)], Relay::Direct)
}

fn policy(random: &mut Random) -> Policy {
    let table = || Arc::new(MemoryTable::default());
    let mut rates = Rates::new(table());
    if random.one_in(3) {
        rates.client = format!("{}/h", 1 + random.below(6)).parse().ok();
        rates.recipient = format!("{}/10m", 1 + random.below(3)).parse().ok();
    }
    let window = Duration::from_secs(60 + random.below(1200));
    let options = greylist::Options {
        enabled: !random.one_in(4),
        window,
        passing_attempt: random.pick(&[3, 200]),
        ..greylist::Options::default()
    };
    Policy {
        access: Access::default(),
        rates,
        greylist: Greylist::new(options, table()),
        connections_per_client: random.pick(&[1, 2, 20]),
    }
}

fn sessions(name: &str, random: &mut Random) -> smtp::server::Options {
    let mut options = smtp::server::Options::new(name, Protocol::Smtp);
    options.extensions = Extensions {
        pipelining: random.one_in(2),
        chunking: random.one_in(2),
        dsn: random.one_in(2),
        eight_bit_mime: !random.one_in(4),
        limits: random.one_in(2),
        ..Extensions::all()
    };
    options.limits.recipients = random.pick(&[1, 2, 1000]);
    options
}
