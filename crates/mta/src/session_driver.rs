//! Joins one connection to one `smtp::server::Session`: octets from the socket in, steps
//! out, questions to the [`Reception`].
//!
//! No protocol here: what to say and when is the session's. Questions that may block go
//! to a blocking thread; when an answer takes long, what was said before leaves first.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use queue::Committed;
use smtp::query::{Decision, Query};
use smtp::server::{Ended, Options, Session, Step};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::reception::{Client, Intake, Reception};

/// Octets that are read at once at most.
const READ_OCTETS: usize = 64 * 1024;
/// An answer that takes longer lets the replies before it leave first.
const SLOW: Duration = Duration::from_millis(20);
/// How long a peer may take to take what we say.
const WRITE_PATIENCE: Duration = Duration::from_secs(300);
/// How long a message that is under way may still take when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long to wait where the spool is behind.
const CONGESTED: Duration = Duration::from_millis(5);
/// For how long, and for how many octets, a client that we said goodbye to is still read.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: u64 = 1024 * 1024;

/// One connection.
struct Driver<S> {
    stream: S,
    session: Session<Committed>,
    reception: Arc<Reception>,
    client: Client,
    message: Option<Intake>,
    /// Octets that were read and not taken at once, and how many of them the session has
    /// taken since: a thousand commands of one packet are not moved a thousand times.
    input: Vec<u8>,
    taken: usize,
    stop: watch::Receiver<bool>,
    /// When patience with a message ends, once the server stops.
    break_off_at: Option<Instant>,
}

/// Speaks with one client until one of the two closes.
///
/// # Errors
/// Those of the connection; a message that was not whole is gone then.
pub async fn drive<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    options: Arc<Options>,
    reception: Arc<Reception>,
    client: Client,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let session = Session::new(options, reception.clock.steady());
    let mut driver = Driver {
        stream,
        session,
        reception,
        client,
        message: None,
        input: Vec::new(),
        taken: 0,
        stop,
        break_off_at: None,
    };
    driver.run().await
}

thread_local! {
    /// Where octets are read to. The session takes most of them at once: one that is idle
    /// has no buffer.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_OCTETS].into());
}

/// Reads what has come and gives it to `take`; nothing at the end of input.
async fn read_with<S: AsyncRead + Unpin>(
    stream: &mut S,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    poll_fn(|context| {
        READ.with_borrow_mut(|octets| {
            let mut buffer = ReadBuf::new(octets);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
            take(buffer.filled());
            Poll::Ready(Ok(()))
        })
    })
    .await
}

/// Says that we send no more, then reads on for a moment: a connection that is closed
/// while octets of the client are unread is reset, and our last reply is lost with it.
pub(crate) async fn close<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = stream.take(LINGER_OCTETS);
    let mut nowhere = tokio::io::sink();
    // What the client still says, and how it leaves, is nobody's concern.
    drop(timeout(LINGER, tokio::io::copy(&mut rest, &mut nowhere)).await);
    Ok(())
}

/// A step without what it borrows from the session.
enum Next {
    Receive,
    Send(Vec<u8>),
    Ask(Query),
    Begin(smtp::envelope::Envelope),
    Appended,
    End,
    Abort,
    Close,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            match self.next() {
                Next::Receive => self.receive().await?,
                Next::Send(octets) => self.send(&octets).await?,
                Next::Ask(query) => self.ask(query).await?,
                Next::Begin(envelope) => {
                    let begun = self.reception.begin(envelope, &self.client);
                    let begun = begun.map(|intake| self.message = Some(intake));
                    self.session.message_begun(begun);
                }
                Next::Appended => self.wait_for_spool().await,
                Next::End => self.end().await,
                Next::Abort => self.message = None,
                Next::Close => return close(&mut self.stream).await,
            }
        }
    }

    /// The next step; message data are taken on the way.
    fn next(&mut self) -> Next {
        let failed = match self.session.poll() {
            Step::Receive => return Next::Receive,
            Step::Send(octets) => return Next::Send(octets),
            Step::Ask(query) => return Next::Ask(query),
            Step::MessageBegin(envelope) => return Next::Begin(envelope),
            Step::MessageEnd(_) => return Next::End,
            Step::MessageAbort => return Next::Abort,
            Step::Close => return Next::Close,
            Step::MessageData(octets) => {
                self.message.as_mut().and_then(|message| message.append(octets).err())
            }
        };
        if let Some(why) = failed {
            self.session.message_failed(why);
        }
        Next::Appended
    }

    /// Hands octets to the session: those that wait, or new ones. It takes some or has
    /// something to say, so it is polled before more are read.
    async fn receive(&mut self) -> io::Result<()> {
        if self.input.is_empty() {
            return self.read().await;
        }
        let now = self.reception.clock.steady();
        self.taken += self.session.receive(&self.input[self.taken..], now);
        if self.taken == self.input.len() {
            (self.input, self.taken) = (Vec::new(), 0);
        }
        Ok(())
    }

    /// Waits for octets, the end of patience, or the server's stop.
    async fn read(&mut self) -> io::Result<()> {
        let clock = self.reception.clock;
        let patience = self.session.poll_timeout().map_or(WRITE_PATIENCE, |at| clock.until(at));
        let break_off_at = self.break_off_at;
        let (session, input) = (&mut self.session, &mut self.input);
        let read = read_with(&mut self.stream, |octets| match octets {
            [] => session.end_of_input(),
            octets => {
                let taken = session.receive(octets, clock.steady());
                input.extend_from_slice(&octets[taken..]);
            }
        });
        tokio::select! {
            biased;
            stopped = self.stop.wait_for(|stop| *stop), if break_off_at.is_none() => {
                drop(stopped);
                self.session.shut_down();
                self.break_off_at = Some(Instant::now() + LAST_WORDS);
            }
            () = sleep_until(break_off_at.unwrap_or_else(Instant::now)), if break_off_at.is_some() => {
                self.session.break_off();
            }
            read = read => read?,
            () = sleep(patience) => self.session.handle_timeout(clock.steady()),
        }
        Ok(())
    }

    async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let written = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        timeout(WRITE_PATIENCE, written).await?
    }

    async fn ask(&mut self, query: Query) -> io::Result<()> {
        if let Query::Hello { name, stage } = &query {
            self.client.hello = Some((name.clone(), *stage));
        }
        let decision = match self.reception.decide_at_hand(&query, &self.client) {
            Some(decision) => decision,
            None => self.ask_elsewhere(query).await?,
        };
        self.session.resume(decision);
        Ok(())
    }

    /// Asks on a thread that may block.
    async fn ask_elsewhere(&mut self, query: Query) -> io::Result<Decision> {
        let (reception, client) = (self.reception.clone(), self.client.clone());
        let mut answer = tokio::task::spawn_blocking(move || reception.decide(&query, &client));
        if let Ok(decision) = timeout(SLOW, &mut answer).await {
            return decision.map_err(io::Error::other);
        }
        if let Some(octets) = self.session.take_output() {
            self.send(&octets).await?;
        }
        answer.await.map_err(io::Error::other)
    }

    async fn end(&mut self) {
        let ended = match self.message.take() {
            Some(message) => match self.reception.commit(message).await {
                Ok(committed) => Ended::Accepted(committed),
                Err(why) => Ended::Refused(why),
            },
            None => Ended::Refused(reply::catalogue::server_fault()),
        };
        self.session.message_ended(ended);
    }

    /// Memory stays bounded where the disk is slower than the network.
    async fn wait_for_spool(&mut self) {
        while self.message.as_ref().is_some_and(Intake::is_congested) {
            sleep(CONGESTED).await;
        }
    }
}
