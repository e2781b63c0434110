//! One client session over one socket: moves octets, keeps its times, reads the message.
//! What is said, and what a reply leads to, is `smtp::client`'s.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reply::{Reply, Stage};
use smtp::client::{BadCommand, End, Options, Session, Step, Transaction, TransactionReport};
use smtp::syntax::ForwardPath;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::time::timeout;

use super::Body;
use super::allowance::Allowance;
use crate::clock::Clock;

/// What is read from the socket at once.
const READ_OCTETS: usize = 16 * 1024;
/// How long a step may take where the session names no time.
const PATIENCE: Duration = Duration::from_secs(180);

/// A byte stream of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A session and its socket.
pub struct Connection {
    stream: Box<dyn Stream>,
    session: Session,
    clock: Clock,
    local_address: Option<IpAddr>,
    input: Vec<u8>,
    allowance: Allowance,
}

/// Where the session stands when the connection stops to be told what next.
#[derive(Debug)]
pub enum Stop {
    /// It waits for a transaction or a command.
    Ready,
    /// A transaction has ended.
    Finished(TransactionReport),
    /// A command of our own was answered.
    Answered(Stage, Reply),
    /// It is over.
    Closed,
}

impl Connection {
    /// Connects to a host, from `from` where that is given and possible.
    ///
    /// # Errors
    /// The operating system's, or `TimedOut`.
    pub async fn tcp(
        to: SocketAddr,
        from: Option<IpAddr>,
        options: Arc<Options>,
        clock: Clock,
    ) -> io::Result<Connection> {
        let stream = timeout(options.timeouts.connect, connect(to, from)).await??;
        stream.set_nodelay(true)?;
        let local_address = stream.local_addr().ok().map(|address| address.ip());
        Ok(Connection::over(Box::new(stream), local_address, options, clock))
    }

    /// Connects to a unix socket.
    ///
    /// # Errors
    /// The operating system's, or `TimedOut`.
    pub async fn unix(to: &Path, options: Arc<Options>, clock: Clock) -> io::Result<Connection> {
        let stream = timeout(options.timeouts.connect, UnixStream::connect(to)).await??;
        Ok(Connection::over(Box::new(stream), None, options, clock))
    }

    fn over(
        stream: Box<dyn Stream>,
        local_address: Option<IpAddr>,
        options: Arc<Options>,
        clock: Clock,
    ) -> Connection {
        let session = Session::new(options, clock.steady());
        let (input, allowance) = (vec![0; READ_OCTETS], Allowance::default());
        Connection { stream, session, clock, local_address, input, allowance }
    }

    /// The session, for what it has heard.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Our own address.
    pub fn local_address(&self) -> Option<IpAddr> {
        self.local_address
    }

    /// The recipients that go into the next transaction, by their places in `waiting`.
    /// None of some that wait: only a new session takes them.
    pub fn next_recipients(&mut self, waiting: &[&ForwardPath]) -> Vec<usize> {
        self.allowance.next(self.session.capabilities(), waiting)
    }

    /// Whether the server calls itself `name`.
    pub fn is_called(&self, name: &str) -> bool {
        let said = self.session.hello_reply().and_then(|reply| reply.lines().first());
        let word = said.and_then(|line| line.split_ascii_whitespace().next());
        word.is_some_and(|word| word.eq_ignore_ascii_case(name))
    }

    /// How the session ended, where it has.
    pub fn end(&self) -> Option<&End> {
        self.session.end()
    }

    /// Waits for the greeting and the hello; false where the session ended instead.
    pub async fn until_ready(&mut self) -> bool {
        matches!(self.run(None).await, Stop::Ready)
    }

    /// Sends one message; the report has one outcome for each recipient, whatever
    /// happens to the connection. `None` only where the session was over before.
    pub async fn send(
        &mut self,
        transaction: Transaction,
        body: &Body,
    ) -> Option<TransactionReport> {
        self.session.transaction(transaction, self.clock.steady());
        match self.run(Some(body)).await {
            Stop::Finished(report) => Some(report),
            _ => None,
        }
    }

    /// Names sender and recipients and takes them back (`Extent::RecipientsOnly`): there
    /// is no body. `None` where the session ended instead.
    pub async fn ask(&mut self, transaction: Transaction) -> Option<TransactionReport> {
        self.session.transaction(transaction, self.clock.steady());
        match self.run(None).await {
            Stop::Finished(report) => Some(report),
            _ => None,
        }
    }

    /// Sends a command of our own and waits for its answer; `None` where the session
    /// ended instead.
    ///
    /// # Errors
    /// Where the line is none that may be sent now.
    pub async fn command(&mut self, line: &str) -> Result<Option<Reply>, BadCommand> {
        self.session.command(line, self.clock.steady())?;
        match self.run(None).await {
            Stop::Answered(_, reply) => Ok(Some(reply)),
            _ => Ok(None),
        }
    }

    /// Takes leave; waits for the answer no longer than the session does.
    pub async fn quit(mut self) {
        self.session.quit(self.clock.steady());
        while matches!(self.run(None).await, Stop::Finished(_) | Stop::Answered(..)) {}
    }

    /// Drives the session until it stops.
    async fn run(&mut self, body: Option<&Body>) -> Stop {
        loop {
            match self.session.poll() {
                Step::Send(octets) => self.write(&octets).await,
                Step::Receive => self.read().await,
                Step::NeedBody { offset, at_most } => self.feed(body, offset, at_most).await,
                Step::Ready => return Stop::Ready,
                Step::Finished(report) => return Stop::Finished(report),
                Step::Answered(stage, reply) => return Stop::Answered(stage, reply),
                Step::Close => return Stop::Closed,
            }
        }
    }

    fn patience(&self) -> Duration {
        self.session.poll_timeout().map_or(PATIENCE, |at| self.clock.until(at))
    }

    async fn write(&mut self, octets: &[u8]) {
        let written = timeout(self.patience(), async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            // What the peer said before it hung up may say why.
            Ok(Err(_)) => self.read_what_is_left().await,
            Err(_) => self.time_is_up(),
        }
    }

    async fn read(&mut self) {
        let read = timeout(self.patience(), self.stream.read(&mut self.input)).await;
        let now = self.clock.steady();
        match read {
            Ok(Ok(0) | Err(_)) => self.session.end_of_input(now),
            Ok(Ok(count)) => {
                self.session.receive(&self.input[..count], now);
            }
            Err(_) => self.time_is_up(),
        }
    }

    /// The session names the time that is up; where it names none, we end it ourselves.
    fn time_is_up(&mut self) {
        let now = self.clock.steady();
        match self.session.poll_timeout() {
            Some(at) => self.session.handle_timeout(at.max(now)),
            None => self.session.end_of_input(now),
        }
    }

    /// After a failed write: one last look, then the connection is over.
    async fn read_what_is_left(&mut self) {
        let read = timeout(Duration::from_secs(1), self.stream.read(&mut self.input)).await;
        let now = self.clock.steady();
        if let Ok(Ok(count)) = read {
            self.session.receive(&self.input[..count], now);
        }
        self.session.end_of_input(now);
    }

    async fn feed(&mut self, body: Option<&Body>, offset: u64, at_most: usize) {
        let Some(body) = body else { return self.session.body_failed() };
        match body.piece(offset, at_most).await {
            Ok(piece) => {
                let last = offset + piece.len() as u64 >= body.octets();
                self.session.body(&piece, last, self.clock.steady());
            }
            Err(error) => {
                tracing::error!(%error, "the message could not be read from the spool");
                self.session.body_failed();
            }
        }
    }
}

async fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from.filter(|from| from.is_ipv4() == to.is_ipv4()) {
        // An address that this machine has lost is no reason not to deliver.
        if let Err(error) = socket.bind(SocketAddr::new(from, 0)) {
            tracing::debug!(%from, %error, "not the address of the last attempt");
        }
    }
    socket.connect(to).await
}
