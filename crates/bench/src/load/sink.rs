//! The other side: a server that takes everything, on a thread of its own, and counts. It
//! keeps nothing, or writes and syncs as the raw disk does, and nothing else: how fast a
//! server can be whose sessions wait for each message.
//!
//! [`Taker`] is a session as states; it looks at verbs only.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use crate::clock;

const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
const END_OF_DATA: &[u8] = b"\r\n.\r\n";
const READ_OCTETS: usize = 64 << 10;

/// How many messages came, and when the last one did, in nanoseconds since the start.
#[derive(Default)]
struct Arrivals {
    count: AtomicU64,
    last_nanos: AtomicU64,
}

/// Writes and syncs a message.
pub(crate) type Keep = Box<dyn FnMut() -> io::Result<()> + Send>;

/// What is done with a message.
struct Log {
    start: Instant,
    arrivals: Arc<Arrivals>,
    keep: Option<Keep>,
}

impl Log {
    fn note(&mut self, taken: u64) -> io::Result<()> {
        if taken == 0 {
            return Ok(());
        }
        if let Some(keep) = &mut self.keep {
            (0..taken).try_for_each(|_| keep())?;
        }
        let nanos = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.arrivals.last_nanos.store(nanos, Ordering::Release);
        self.arrivals.count.fetch_add(taken, Ordering::AcqRel);
        Ok(())
    }
}

/// A running sink. Dropped, it ends and its connections are closed.
pub(crate) struct Sink {
    address: SocketAddr,
    start: Instant,
    arrivals: Arc<Arrivals>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts a sink on a port of the system's choice.
    ///
    /// # Errors
    /// Where it cannot listen.
    pub(crate) fn start() -> Result<Sink, String> {
        Sink::with(None)
    }

    /// The same, and has `keep` keep each message before its 250.
    ///
    /// # Errors
    /// Where it cannot listen.
    pub(crate) fn keeping(keep: Keep) -> Result<Sink, String> {
        Sink::with(Some(keep))
    }

    fn with(keep: Option<Keep>) -> Result<Sink, String> {
        let failed = |error: io::Error| format!("error: the sink cannot start: {error}");
        let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let poll = Poll::new().map_err(failed)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE).map_err(failed)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(failed)?);
        let (start, arrivals) = (clock::now(), Arc::<Arrivals>::default());
        let log = Log { start, arrivals: Arc::clone(&arrivals), keep };
        let room = Room { poll, listener, sessions: Vec::new(), log };
        let thread = std::thread::spawn(move || room.serve());
        Ok(Sink { address, start, arrivals, waker, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many messages came so far, and when the last one did.
    pub(crate) fn arrived(&self) -> (u64, Instant) {
        let count = self.arrivals.count.load(Ordering::Acquire);
        let nanos = self.arrivals.last_nanos.load(Ordering::Acquire);
        (count, self.start + Duration::from_nanos(nanos))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

struct Visitor {
    stream: TcpStream,
    taker: Taker,
    /// What is still to be said.
    replies: Vec<u8>,
}

struct Room {
    poll: Poll,
    listener: TcpListener,
    sessions: Vec<Option<Visitor>>,
    log: Log,
}

impl Room {
    fn serve(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; READ_OCTETS];
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
                _ => {}
            }
            for event in &events {
                match event.token() {
                    WAKER => return,
                    LISTENER => self.accept(),
                    Token(at) => self.follow(at, &mut buffer),
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((mut stream, _)) = self.listener.accept() {
            let at = self.sessions.iter().position(Option::is_none).unwrap_or_else(|| {
                self.sessions.push(None);
                self.sessions.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self.poll.registry().register(&mut stream, Token(at), interest).is_err() {
                continue;
            }
            let _ = stream.set_nodelay(true);
            let replies = b"220 sink.test ESMTP\r\n".to_vec();
            self.sessions[at] = Some(Visitor { stream, taker: Taker::default(), replies });
        }
    }

    fn follow(&mut self, at: usize, buffer: &mut [u8]) {
        let Some(visitor) = self.sessions.get_mut(at).and_then(Option::as_mut) else { return };
        if !visitor.talk(buffer, &mut self.log) {
            self.sessions[at] = None;
        }
    }
}

impl Visitor {
    /// Hears and says what it can: whether the connection stays. Messages are noted before
    /// anybody is told that they were taken.
    fn talk(&mut self, buffer: &mut [u8], log: &mut Log) -> bool {
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.say(),
                Err(_) => return false,
            };
            let taken = self.taker.receive(&buffer[..read], &mut self.replies);
            if log.note(taken).is_err() || !self.say() {
                return false;
            }
        }
    }

    /// Whether the connection stays.
    fn say(&mut self) -> bool {
        while !self.replies.is_empty() {
            match self.stream.write(&self.replies) {
                Ok(written) => drop(self.replies.drain(..written)),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        !self.taker.has_quit
    }
}

/// A session that takes everything.
#[derive(Debug, Default)]
struct Taker {
    line: Vec<u8>,
    /// Within message data: octets of [`END_OF_DATA`] that came last.
    data: Option<usize>,
    has_quit: bool,
}

impl Taker {
    /// Takes octets, adds what is replied to them; how many messages ended.
    fn receive(&mut self, mut octets: &[u8], replies: &mut Vec<u8>) -> u64 {
        let mut taken = 0;
        while !octets.is_empty() {
            octets = match self.data {
                Some(matched) => {
                    let (matched, rest) = scan(matched, octets);
                    let is_end = matched == END_OF_DATA.len();
                    self.data = Some(matched).filter(|_| !is_end);
                    if is_end {
                        taken += 1;
                        replies.extend_from_slice(b"250 2.0.0 Ok\r\n");
                    }
                    rest
                }
                None => self.command(octets, replies),
            };
        }
        taken
    }

    /// Takes the next command, as far as it came.
    fn command<'a>(&mut self, octets: &'a [u8], replies: &mut Vec<u8>) -> &'a [u8] {
        let Some(end) = memchr::memchr(b'\n', octets) else {
            self.line.extend_from_slice(octets);
            return &[];
        };
        self.line.extend_from_slice(&octets[..end]);
        let verb = self.line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let reply: &[u8] = match verb.as_slice() {
            b"EHLO" => b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n",
            b"DATA" => b"354 Go ahead\r\n",
            b"QUIT" => b"221 2.0.0 Bye\r\n",
            _ => b"250 2.0.0 Ok\r\n",
        };
        replies.extend_from_slice(reply);
        // The line end before DATA is the first one of the data (RFC 5321 §4.1.1.4).
        self.data = (verb == b"DATA").then_some(2);
        self.has_quit |= verb == b"QUIT";
        self.line.clear();
        &octets[end + 1..]
    }
}

/// Looks for the end of the data: how much of it came, and the octets behind it.
fn scan(mut matched: usize, mut octets: &[u8]) -> (usize, &[u8]) {
    while matched < END_OF_DATA.len() {
        if matched == 0 {
            let Some(next) = memchr::memchr(b'\r', octets) else { return (0, &[]) };
            octets = &octets[next..];
        }
        let Some((octet, rest)) = octets.split_first() else { break };
        matched = match (END_OF_DATA[matched] == *octet, octet) {
            (true, _) => matched + 1,
            (false, b'\r') => 1,
            (false, _) => 0,
        };
        octets = rest;
    }
    (matched, octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(parts: &[&[u8]]) -> (u64, String) {
        let (mut taker, mut replies) = (Taker::default(), Vec::new());
        let taken = parts.iter().map(|part| taker.receive(part, &mut replies)).sum();
        (taken, String::from_utf8(replies).unwrap())
    }

    #[test]
    fn messages_are_counted_wherever_the_octets_are_split() {
        let wire: &[u8] =
            b"ehlo a\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\nx\r\n\r\n..\r\n.\r\n\
            DATA\r\n.\r\nQUIT\r\n";
        let whole = feed(&[wire]);
        assert_eq!(whole.0, 2);
        assert!(whole.1.ends_with("354 Go ahead\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n"));
        for first in 0..wire.len() {
            for second in first..wire.len() {
                let parts = [&wire[..first], &wire[first..second], &wire[second..]];
                assert_eq!(feed(&parts), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn what_is_not_kept_is_not_counted() {
        let mut left = 2;
        let keep: Keep = Box::new(move || {
            left -= 1;
            if left < 0 { Err(io::Error::other("full")) } else { Ok(()) }
        });
        let mut log = Log { start: clock::now(), arrivals: Arc::default(), keep: Some(keep) };
        log.note(0).unwrap();
        log.note(2).unwrap();
        log.note(1).unwrap_err();
        assert_eq!(log.arrivals.count.load(Ordering::Acquire), 2);
    }

    #[test]
    fn a_dot_within_a_line_ends_nothing() {
        for data in ["a.\r\n", "\r\n.a\r\n", "\n.\n", "\r\r\n..\r\n", "\r\n.\r.\r\n"] {
            let wire = format!("DATA\r\n{data}");
            assert_eq!(feed(&[wire.as_bytes()]).0, 0, "{data:?}");
        }
    }
}
