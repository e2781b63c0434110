//! A connection in memory: octets arrive in pieces, and at some point perhaps no more.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use reply::Timestamp;

use crate::ledger::Leg;
use crate::random::Random;
use crate::tasks::Tasks;

/// What happens to a connection that lives long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doom {
    /// It is cut after so many octets of both sides; what is under way may be lost.
    Cut(u64),
    /// Nothing arrives any more after so many octets, and nobody is told.
    Silence(u64),
    /// It is cut between the end of a message and the reply to it.
    BeforeFinalReply,
    Nothing,
}

#[derive(Debug)]
struct State {
    random: Random,
    doom: Doom,
    octets: u64,
    /// Towards the client, towards the server.
    under_way: [VecDeque<u8>; 2],
    is_closed: bool,
    is_silent: bool,
    /// The message that the client sends just now.
    leg: Option<Leg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// One end. Dropped, it closes the connection.
pub(crate) struct End {
    state: Rc<RefCell<State>>,
    side: Side,
}

pub(crate) enum Read {
    Octets(Vec<u8>),
    Closed,
    TimedOut,
}

/// A connection: the client's end and the server's.
pub(crate) fn wire(mut random: Random) -> (End, End) {
    let octets = random.below(1500);
    let doom = match random.below(40) {
        0..4 => Doom::Cut(octets),
        4 => Doom::Silence(octets),
        5..8 => Doom::BeforeFinalReply,
        _ => Doom::Nothing,
    };
    let under_way = [VecDeque::new(), VecDeque::new()];
    let (is_closed, is_silent) = (false, false);
    let state = State { random, doom, octets: 0, under_way, is_closed, is_silent, leg: None };
    let state = Rc::new(RefCell::new(state));
    (End { state: state.clone(), side: Side::Client }, End { state, side: Side::Server })
}

impl State {
    fn write(&mut self, towards: usize, octets: &[u8]) {
        if self.is_closed || self.is_silent {
            return;
        }
        let (Doom::Cut(limit) | Doom::Silence(limit)) = self.doom else {
            return self.under_way[towards].extend(octets);
        };
        let left = limit.saturating_sub(self.octets).min(octets.len() as u64) as usize;
        self.under_way[towards].extend(&octets[..left]);
        self.octets += octets.len() as u64;
        if self.octets > limit && matches!(self.doom, Doom::Cut(_)) {
            self.cut();
        } else if self.octets > limit {
            self.is_silent = true;
        }
    }

    fn cut(&mut self) {
        for direction in &mut self.under_way {
            if self.random.one_in(2) {
                direction.clear();
            }
        }
        self.is_closed = true;
    }

    fn read(&mut self, from: usize) -> Option<Read> {
        let waiting = self.under_way[from].len();
        if waiting == 0 {
            return (self.is_closed && !self.is_silent).then_some(Read::Closed);
        }
        let is_whole = self.random.one_in(2);
        let count = if is_whole { waiting } else { 1 + self.random.below(waiting as u64) as usize };
        Some(Read::Octets(self.under_way[from].drain(..count).collect()))
    }
}

impl End {
    pub(crate) fn write(&self, octets: &[u8]) {
        self.state.borrow_mut().write(usize::from(self.side == Side::Client), octets);
    }

    pub(crate) async fn read(&self, tasks: &Tasks, deadline: Option<Timestamp>) -> Read {
        let from = usize::from(self.side == Side::Server);
        let read = tasks.until(deadline, || self.state.borrow_mut().read(from)).await;
        read.unwrap_or(Read::TimedOut)
    }

    /// A message was taken and its reply is to be written: some connections end here.
    pub(crate) fn taken(&self) {
        let mut state = self.state.borrow_mut();
        if state.doom == Doom::BeforeFinalReply {
            state.under_way[0].clear();
            state.is_closed = true;
        }
    }

    pub(crate) fn set_leg(&self, leg: Leg) {
        self.state.borrow_mut().leg = Some(leg);
    }

    pub(crate) fn leg(&self) -> Option<Leg> {
        self.state.borrow().leg
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.state.borrow_mut().is_closed = true;
    }
}
