//! One session of the load as states: it is given octets and asked what to say; sockets
//! and clocks are the caller's ([`super::run`]).

use std::rc::Rc;

use super::replies::{NoReply, Replies};
use super::script::{Exchange, Pipelining, Script};

/// Where a session is in its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Greeting and EHLO; which exchange.
    Opening(usize),
    /// Between transactions: [`Client::begin_round`] or [`Client::close`] goes on.
    Resting,
    /// In a transaction; which exchange.
    Round(usize),
    /// QUIT; which exchange.
    Closing(usize),
    /// All is said and heard; the connection is to be closed.
    Ended,
}

/// What happened by octets that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing that matters outside.
    None,
    /// What is counted is done.
    Counted,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Client {
    script: Rc<Script>,
    state: State,
    rounds_done: u32,
    /// Octets of the exchange that are said.
    said: usize,
    /// Replies of the exchange that were heard.
    heard: usize,
    replies: Replies,
}

impl Client {
    /// A session before its greeting.
    pub(crate) fn new(script: Rc<Script>) -> Client {
        let (state, replies) = (State::Opening(0), Replies::default());
        Client { script, state, rounds_done: 0, said: 0, heard: 0, replies }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Whether the connection has had all its transactions.
    pub(crate) fn is_through(&self) -> bool {
        self.rounds_done >= self.script.rounds
    }

    fn exchange(&self) -> Option<&Exchange> {
        match self.state {
            State::Opening(at) => self.script.opening.get(at),
            State::Round(at) => self.script.round.get(at),
            State::Closing(at) => self.script.closing.get(at),
            State::Resting | State::Ended => None,
        }
    }

    /// What is to be said now. To be asked again after [`Client::receive`],
    /// [`Client::begin_round`] and [`Client::close`].
    pub(crate) fn to_say(&self) -> &[u8] {
        self.exchange().and_then(|exchange| exchange.says.get(self.said..)).unwrap_or_default()
    }

    /// So many octets of it were said.
    pub(crate) fn said(&mut self, octets: usize) {
        self.said += octets;
    }

    /// Takes octets that came.
    ///
    /// # Errors
    /// Where they are not what the script expects; the text says what they are.
    pub(crate) fn receive(&mut self, mut octets: &[u8]) -> Result<Event, String> {
        let mut event = Event::None;
        while let Some(code) = self
            .replies
            .next(&mut octets)
            .map_err(|NoReply(line)| format!("`{line}` is no reply"))?
        {
            if self.hear(code)? {
                event = Event::Counted;
            }
        }
        Ok(event)
    }

    /// Whether the reply ended what is counted.
    fn hear(&mut self, code: u16) -> Result<bool, String> {
        let state = self.state;
        let expected = self.exchange().and_then(|exchange| exchange.hears.get(self.heard));
        if expected != Some(&code) {
            let expected = expected.map_or_else(|| "nothing".to_owned(), u16::to_string);
            let last = self.replies.last();
            return Err(format!("`{last}` came in {state:?}, where {expected} was expected"));
        }
        self.heard += 1;
        let Some(exchange) = self.exchange() else { return Ok(false) };
        if self.heard < exchange.hears.len() {
            return Ok(false);
        }
        if self.said < exchange.says.len() {
            return Err(format!("`{}` came before all was said", self.replies.last()));
        }
        let counts = exchange.counts;
        self.go_on()?;
        Ok(counts)
    }

    /// To the next exchange.
    fn go_on(&mut self) -> Result<(), String> {
        let next = |at: usize, of: &[Exchange]| Some(at + 1).filter(|at| *at < of.len());
        let state = match self.state {
            State::Opening(at) => {
                next(at, &self.script.opening).map_or(State::Resting, State::Opening)
            }
            State::Round(at) => next(at, &self.script.round).map_or(State::Resting, State::Round),
            State::Closing(at) => {
                next(at, &self.script.closing).map_or(State::Ended, State::Closing)
            }
            State::Resting | State::Ended => self.state,
        };
        match (self.state, state) {
            (State::Opening(_), State::Resting) => self.check_pipelining()?,
            (State::Round(_), State::Resting) => self.rounds_done += 1,
            _ => {}
        }
        self.enter(state);
        Ok(())
    }

    fn check_pipelining(&self) -> Result<(), String> {
        match self.script.pipelining {
            Pipelining::Used if !self.replies.offers_pipelining() => {
                Err("the server does not offer PIPELINING".into())
            }
            _ => Ok(()),
        }
    }

    fn enter(&mut self, state: State) {
        (self.state, self.said, self.heard) = (state, 0, 0);
    }

    /// Begins a transaction; only where it rests.
    pub(crate) fn begin_round(&mut self) {
        self.enter(State::Round(0));
    }

    /// Says QUIT; only where it rests.
    pub(crate) fn close(&mut self) {
        self.enter(State::Closing(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENING: &[&str] = &["220 here\r\n", "250-here\r\n250 PIPELINING\r\n"];

    fn client(script: Script) -> Client {
        Client::new(Rc::new(script))
    }

    fn say(client: &mut Client) -> String {
        let said = String::from_utf8(client.to_say().to_vec()).unwrap();
        client.said(said.len());
        said
    }

    fn opened(script: Script) -> Client {
        let mut client = client(script);
        for reply in OPENING {
            say(&mut client);
            client.receive(reply.as_bytes()).unwrap();
        }
        assert_eq!(client.state(), State::Resting);
        client
    }

    #[test]
    fn a_message_goes_its_way_wherever_the_replies_are_split() {
        let envelope = b"250 2.1.0 ok\r\n250-2.1.5\r\n250 ok\r\n354 go on\r\n";
        for split in 0..envelope.len() {
            let mut client = opened(Script::deliver(1, 400, Pipelining::Used));
            client.begin_round();
            assert!(say(&mut client).ends_with("DATA\r\n"));
            assert_eq!(client.receive(&envelope[..split]), Ok(Event::None));
            assert_eq!(client.to_say(), b"", "the body waits for 354");
            assert_eq!(client.receive(&envelope[split..]), Ok(Event::None));
            assert!(say(&mut client).ends_with("\r\n.\r\n"));
            assert!(!client.is_through());
            assert_eq!(client.receive(b"250 2.0.0 queued\r\n"), Ok(Event::Counted));
            assert_eq!((client.state(), client.is_through()), (State::Resting, true));
            client.close();
            assert_eq!(say(&mut client), "QUIT\r\n");
            assert_eq!(client.receive(b"221 bye\r\n"), Ok(Event::None));
            assert_eq!(client.state(), State::Ended);
        }
    }

    #[test]
    fn anything_else_than_the_expected_reply_is_an_error() {
        let mut client = opened(Script::deliver(1, 400, Pipelining::Used));
        client.begin_round();
        say(&mut client);
        let error = client.receive(b"250 ok\r\n450 4.2.0 not now\r\n").unwrap_err();
        assert!(error.contains("450 4.2.0 not now") && error.contains("250"), "{error}");

        let mut client = opened(Script::deliver(1, 400, Pipelining::Used));
        let error = client.receive(b"421 4.4.2 too slow\r\n").unwrap_err();
        assert!(error.contains("nothing was expected"), "{error}");
    }

    #[test]
    fn a_reply_before_all_is_said_is_an_error() {
        let mut client = opened(Script::deliver(1, 400, Pipelining::Unused));
        client.begin_round();
        client.said(4);
        let error = client.receive(b"250 ok\r\n").unwrap_err();
        assert!(error.contains("before all was said"), "{error}");
    }

    #[test]
    fn a_server_without_pipelining_is_not_measured_with_it() {
        let mut client = client(Script::refuse(1));
        client.receive(b"220 here\r\n").unwrap();
        say(&mut client);
        assert!(client.receive(b"250 here\r\n").unwrap_err().contains("PIPELINING"));
    }

    #[test]
    fn a_refusal_is_what_is_counted_of_a_refused_recipient() {
        let mut client = opened(Script::refuse(2));
        client.begin_round();
        say(&mut client);
        assert_eq!(client.receive(b"250 ok\r\n550 5.7.1 no\r\n250 ok\r\n"), Ok(Event::Counted));
        assert!(!client.is_through());
    }
}
