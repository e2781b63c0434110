//! The load: many sessions on one thread over epoll, so that the server is what is
//! measured. [`run`] loads for a time, [`hold`] opens sessions and keeps them.
//!
//! [`script`] has what is said, [`client`] a session as states, [`sink`] the other side.
//! Whatever is not as the script expects it ends the run with an error.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::clock;
use crate::statistics::{Latencies, per_second, ratio};
use client::{Client, Event, State};
use script::{Script, Since};

pub(crate) mod client;
mod replies;
pub(crate) mod script;
pub(crate) mod sink;

/// Connections that wait for their greeting at once: more than a backlog holds would be
/// asked again by the kernel, a second later.
const MOST_OPENING: usize = 200;
/// How long sessions may take to end when the time is over.
const PATIENCE: Duration = Duration::from_secs(60);
const READ_OCTETS: usize = 16 << 10;

/// When a session that rests goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// At once: as many at a time as there are sessions.
    Closed,
    /// So many transactions a second over all sessions, however fast the server is.
    Open(f64),
}

/// When a load ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// After so long.
    After(Duration),
    /// When so many of what counts are done; not to be waited for longer than a minute.
    Counted(u64),
}

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Load {
    /// The server.
    pub(crate) address: SocketAddr,
    /// What each session says. A session that ended is followed by the next.
    pub(crate) script: Script,
    /// Sessions at once.
    pub(crate) sessions: usize,
    /// How long.
    pub(crate) end: End,
    /// How fast.
    pub(crate) pace: Pace,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    /// How often what counts was done within the time.
    pub(crate) counted: u64,
    /// The same with what was under way when the time was over.
    pub(crate) total: u64,
    /// The time.
    pub(crate) time: Duration,
    /// How long what counts took, as the script times it.
    pub(crate) latencies: Latencies,
    /// What the load itself took of one core, of 1.
    pub(crate) own_share: f64,
}

impl Measured {
    /// Counted per second.
    pub(crate) fn rate(&self) -> f64 {
        per_second(self.counted, self.time)
    }
}

/// Loads until the end, then lets every session end.
///
/// # Errors
/// Where a session is not as its script, or cannot be opened.
pub(crate) fn run(load: Load) -> Result<Measured, String> {
    let (start, cpu) = (clock::now(), clock::own_cpu());
    let end = load.end;
    let mut driver = Driver::new(load, start)?;
    driver.turn_until(start, end)?;
    let counted = driver.total;
    let (elapsed, used) = (clock::now() - start, clock::own_cpu() - cpu);
    driver.finish()?;
    let own_share = ratio(used.as_secs_f64(), elapsed.as_secs_f64());
    let (total, latencies) = (driver.total, driver.latencies);
    Ok(Measured { counted, total, time: elapsed, latencies, own_share })
}

/// Sessions that are open and say nothing. Dropped, they are gone.
pub(crate) struct Held(Driver);

/// Opens `sessions` and keeps them.
///
/// # Errors
/// As [`run`], and where it takes longer than a minute.
pub(crate) fn hold(address: SocketAddr, sessions: usize) -> Result<Held, String> {
    let (start, end) = (clock::now(), End::Counted(sessions as u64));
    let load = Load { address, script: Script::hold(), sessions, end, pace: Pace::Closed };
    let mut driver = Driver::new(load, start)?;
    driver.turn_until(start, end)?;
    Ok(Held(driver))
}

impl Held {
    /// That nobody ended one of them.
    ///
    /// # Errors
    /// Where somebody did.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        self.0.turn(Some(Duration::ZERO))
    }
}

struct Session {
    stream: TcpStream,
    client: Client,
    begun_at: Instant,
    /// When the last octet of the exchange was said.
    said_at: Instant,
    /// When it goes on, with [`Pace::Open`].
    due: Instant,
}

impl Session {
    fn time(&self, since: Since) -> Duration {
        let since = match since {
            Since::Said => self.said_at,
            Since::Connect => self.begun_at,
        };
        clock::now() - since
    }
}

struct Driver {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    script: Rc<Script>,
    wanted: usize,
    pace: Pace,
    start: Instant,
    sessions: Vec<Option<Session>>,
    vacant: Vec<usize>,
    /// Sessions that rest until their time comes.
    resting: BinaryHeap<Reverse<(Instant, usize)>>,
    opening: usize,
    is_over: bool,
    total: u64,
    latencies: Latencies,
    buffer: Vec<u8>,
}

impl Driver {
    fn new(load: Load, start: Instant) -> Result<Driver, String> {
        let poll = Poll::new().map_err(|error| format!("error: epoll: {error}"))?;
        Ok(Driver {
            poll,
            events: Events::with_capacity(1024),
            address: load.address,
            script: Rc::new(load.script),
            wanted: load.sessions,
            pace: load.pace,
            start,
            sessions: (0..load.sessions).map(|_| None).collect(),
            vacant: (0..load.sessions).rev().collect(),
            resting: BinaryHeap::new(),
            opening: 0,
            is_over: false,
            total: 0,
            latencies: Latencies::default(),
            buffer: vec![0; READ_OCTETS],
        })
    }

    /// Drives the sessions until the end of a load that began at `start`.
    fn turn_until(&mut self, start: Instant, end: End) -> Result<(), String> {
        let (time, wanted) = match end {
            End::After(time) => (time, u64::MAX),
            End::Counted(wanted) => (PATIENCE, wanted),
        };
        while self.total < wanted {
            if clock::now() >= start + time {
                break;
            }
            self.step(start + time)?;
        }
        match end {
            End::Counted(wanted) if self.total < wanted => {
                Err(format!("error: {}: only {} of {wanted} were done", self.address, self.total))
            }
            _ => Ok(()),
        }
    }

    /// What is to be done now, and what happens next, but no later than at `end`.
    fn step(&mut self, end: Instant) -> Result<(), String> {
        let now = clock::now();
        self.open_some()?;
        self.wake_some(now)?;
        self.turn(Some(self.next_due(end).saturating_duration_since(now)))
    }

    /// Lets every session end.
    fn finish(&mut self) -> Result<(), String> {
        self.is_over = true;
        self.resting.clear();
        for at in 0..self.sessions.len() {
            self.go_on(at)?;
        }
        let end = clock::now() + PATIENCE;
        while self.open() > 0 && clock::now() < end {
            self.step(end)?;
        }
        match self.open() {
            0 => Ok(()),
            open => Err(format!("error: {}: {open} sessions do not end", self.address)),
        }
    }

    fn open(&self) -> usize {
        self.sessions.len() - self.vacant.len()
    }

    fn next_due(&self, end: Instant) -> Instant {
        self.resting.peek().map_or(end, |Reverse((due, _))| end.min(*due))
    }

    /// Opens sessions in place of those that ended.
    fn open_some(&mut self) -> Result<(), String> {
        while !self.is_over && self.opening < MOST_OPENING {
            let Some(at) = self.vacant.pop() else { break };
            let session = self.connect(at).map_err(|error| {
                format!("error: {}: a connection cannot be opened: {error}", self.address)
            })?;
            self.sessions[at] = Some(session);
            self.opening += 1;
        }
        Ok(())
    }

    fn connect(&self, at: usize) -> io::Result<Session> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(at), interest)?;
        let share = at as f64 / self.wanted as f64;
        let due = self.start + self.period().mul_f64(share);
        let client = Client::new(Rc::clone(&self.script));
        Ok(Session { stream, client, begun_at: clock::now(), said_at: self.start, due })
    }

    /// The pause between two transactions of a session.
    fn period(&self) -> Duration {
        match self.pace {
            Pace::Closed => Duration::ZERO,
            Pace::Open(per_second) => Duration::from_secs_f64(self.wanted as f64 / per_second),
        }
    }

    fn wake_some(&mut self, now: Instant) -> Result<(), String> {
        while let Some(Reverse((due, at))) = self.resting.peek().copied() {
            if due > now {
                break;
            }
            self.resting.pop();
            self.begin(at)?;
        }
        Ok(())
    }

    /// Waits for events and follows them.
    fn turn(&mut self, timeout: Option<Duration>) -> Result<(), String> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        match self.poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("error: epoll: {error}")),
            Ok(()) => {}
        }
        for event in &events {
            self.follow(event.token().0)?;
        }
        self.events = events;
        Ok(())
    }

    /// Says and hears what can be said and heard.
    fn follow(&mut self, at: usize) -> Result<(), String> {
        let address = self.address;
        let failed = |what: &str| format!("error: {address}: {what}");
        self.say(at)?;
        loop {
            let Some(session) = &mut self.sessions[at] else { return Ok(()) };
            let state = session.client.state();
            let read = match session.stream.read(&mut self.buffer) {
                Ok(0) => return Err(failed(&format!("the server closed in {state:?}"))),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(failed(&format!("{error}, in {state:?}"))),
            };
            let event = session.client.receive(&self.buffer[..read]).map_err(|e| failed(&e))?;
            if event == Event::Counted {
                self.total += 1;
                self.latencies.add(session.time(self.script.timed));
            }
            if matches!(state, State::Opening(_)) && session.client.state() == State::Resting {
                self.opening -= 1;
            }
            self.go_on(at)?;
            // Less than there was room for: the next octets make an event of their own.
            if read < READ_OCTETS {
                return Ok(());
            }
        }
    }

    /// What comes next in a session, after it has heard something or the time is over.
    fn go_on(&mut self, at: usize) -> Result<(), String> {
        let Some(session) = &mut self.sessions[at] else { return Ok(()) };
        match session.client.state() {
            State::Ended => {
                self.sessions[at] = None;
                self.vacant.push(at);
                Ok(())
            }
            State::Resting if self.is_over => self.close(at),
            State::Resting => self.rest(at),
            _ => self.say(at),
        }
    }

    fn rest(&mut self, at: usize) -> Result<(), String> {
        let Some(session) = &mut self.sessions[at] else { return Ok(()) };
        match self.pace {
            Pace::Open(_) => self.resting.push(Reverse((session.due, at))),
            Pace::Closed if !session.client.is_through() => return self.begin(at),
            Pace::Closed if !self.script.stays => return self.close(at),
            Pace::Closed => {}
        }
        Ok(())
    }

    fn begin(&mut self, at: usize) -> Result<(), String> {
        let period = self.period();
        let Some(session) = &mut self.sessions[at] else { return Ok(()) };
        session.due += period;
        session.client.begin_round();
        self.say(at)
    }

    fn close(&mut self, at: usize) -> Result<(), String> {
        let Some(session) = &mut self.sessions[at] else { return Ok(()) };
        session.client.close();
        self.say(at)
    }

    fn say(&mut self, at: usize) -> Result<(), String> {
        let Some(session) = &mut self.sessions[at] else { return Ok(()) };
        while !session.client.to_say().is_empty() {
            match session.stream.write(session.client.to_say()) {
                Ok(written) => {
                    session.client.said(written);
                    session.said_at = clock::now();
                }
                Err(error) if is_not_ready(&error) => return Ok(()),
                Err(error) => return Err(format!("error: {}: {error}", self.address)),
            }
        }
        Ok(())
    }
}

/// Not connected yet, or the server is slower than we.
fn is_not_ready(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected)
}

#[cfg(test)]
mod tests;
