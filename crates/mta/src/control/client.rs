//! The command line's side of the admin socket: blocking, one connection a command.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::protocol::{
    Acted, Action, GreylistItem, Refused, Request, Response, Status, Submission, VERSION,
    Versioned, read_line, write_line,
};
use super::short_path;
use super::view::QueuedMessage;

/// The name of the socket in the data directory.
pub const SOCKET_NAME: &str = "control.sock";
/// How long the daemon may take to answer: a sync of a busy disk, and then some.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection to a running daemon.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

/// Why a request was not answered.
#[derive(Debug)]
pub enum ClientError {
    /// No daemon listens: there is no socket, or nobody behind it.
    NotRunning,
    /// The socket is there and cannot be used.
    Io(io::Error),
    /// The daemon said no.
    Refused(Refused),
    /// The daemon said something that was not asked.
    Unexpected(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::NotRunning => f.write_str("no daemon is running"),
            ClientError::Io(error) => write!(f, "the daemon cannot be asked: {error}"),
            ClientError::Refused(refused) => refused.fmt(f),
            ClientError::Unexpected(what) => write!(f, "the daemon answered oddly: {what}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> ClientError {
        ClientError::Io(error)
    }
}

impl Client {
    /// Connects to the daemon of `data_dir`.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] where no daemon listens.
    pub fn connect(data_dir: &Path) -> Result<Client, ClientError> {
        match connect(&data_dir.join(SOCKET_NAME)) {
            Ok(stream) => Client::over(stream),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    Err(ClientError::NotRunning)
                }
                _ => Err(ClientError::Io(error)),
            },
        }
    }

    /// Speaks over a stream that is connected already.
    ///
    /// # Errors
    /// Where its timeouts cannot be set.
    pub fn over(stream: UnixStream) -> Result<Client, ClientError> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// How the daemon is.
    ///
    /// # Errors
    /// See [`ClientError`]; so for every request below.
    pub fn status(&mut self) -> Result<Status, ClientError> {
        self.ask(Request::Status)
    }

    /// Hands a message to the queue, its octets read from `message`, as many as
    /// `submission` announces. Returns the queue id once it is synced.
    ///
    /// # Errors
    /// See [`ClientError`]; also where `message` ends early.
    pub fn submit(
        &mut self,
        submission: Submission,
        message: &mut dyn Read,
    ) -> Result<String, ClientError> {
        let octets = submission.octets;
        self.write(Request::Submit(submission))?;
        match self.read()? {
            Response::GoOn => {}
            Response::Refused(refused) => return Err(ClientError::Refused(refused)),
            other => return Err(unexpected(&other)),
        }
        let copied = io::copy(&mut message.take(octets), self.stream.get_mut())?;
        if copied != octets {
            return Err(ClientError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        self.stream.get_mut().flush()?;
        self.finish(&mut |_: Value| Ok(()))
    }

    /// Whether a message with this envelope would be taken.
    ///
    /// # Errors
    /// See [`ClientError`]; a refusal holds the reply that an SMTP client would get.
    pub fn check(&mut self, submission: Submission) -> Result<(), ClientError> {
        self.ask(Request::Check(submission))
    }

    /// Every queued message, oldest first, as it comes.
    ///
    /// # Errors
    /// See [`ClientError`]; those of `each` end the stream.
    pub fn queue(&mut self, each: EachItem<'_, QueuedMessage>) -> Result<(), ClientError> {
        self.write(Request::Queue)?;
        self.finish(each)
    }

    /// One queued message.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn show(&mut self, id: &str) -> Result<QueuedMessage, ClientError> {
        self.ask(Request::Show { id: id.to_owned() })
    }

    /// Does `action` to each of `ids`; says for each what became of it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn act(&mut self, action: Action, ids: &[String]) -> Result<Vec<Acted>, ClientError> {
        self.write(Request::Act { action, ids: ids.to_vec() })?;
        let mut acted = Vec::new();
        self.finish::<Acted, ()>(&mut |item| {
            acted.push(item);
            Ok(())
        })?;
        Ok(acted)
    }

    /// Has the registry of mailboxes read again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn mailboxes_changed(&mut self) -> Result<(), ClientError> {
        self.ask(Request::MailboxesChanged)
    }

    /// Every entry of the greylist, as it comes.
    ///
    /// # Errors
    /// See [`ClientError`]; those of `each` end the stream.
    pub fn greylist(&mut self, each: EachItem<'_, GreylistItem>) -> Result<(), ClientError> {
        self.write(Request::GreylistList)?;
        self.finish(each)
    }

    /// Lets `what` pass from now on.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn greylist_allow(&mut self, what: &str) -> Result<(), ClientError> {
        self.ask(Request::GreylistAllow { what: what.to_owned() })
    }

    /// Forgets `what`; returns how many entries that were.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn greylist_forget(&mut self, what: &str) -> Result<u64, ClientError> {
        self.ask(Request::GreylistForget { what: what.to_owned() })
    }

    /// Stops the daemon.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn stop(&mut self) -> Result<(), ClientError> {
        self.ask(Request::Stop)
    }

    fn ask<T: DeserializeOwned>(&mut self, request: Request) -> Result<T, ClientError> {
        self.write(request)?;
        self.finish(&mut |_: Value| Ok(()))
    }

    fn write(&mut self, request: Request) -> Result<(), ClientError> {
        let versioned = Versioned { version: VERSION, request };
        Ok(write_line(self.stream.get_mut(), &versioned)?)
    }

    fn read(&mut self) -> Result<Response, ClientError> {
        match read_line(&mut self.stream) {
            Ok(Some(response)) => Ok(response),
            Ok(None) => Err(ClientError::Unexpected("it closed the connection".into())),
            Err(error) => Err(ClientError::Io(error)),
        }
    }

    /// Reads items up to the end, and the result that stands there.
    fn finish<I: DeserializeOwned, T: DeserializeOwned>(
        &mut self,
        each: EachItem<'_, I>,
    ) -> Result<T, ClientError> {
        let odd = |error: serde_json::Error| ClientError::Unexpected(error.to_string());
        loop {
            match self.read()? {
                Response::Item(value) => each(serde_json::from_value(value).map_err(odd)?)?,
                Response::Done(value) => return serde_json::from_value(value).map_err(odd),
                Response::Refused(refused) => return Err(ClientError::Refused(refused)),
                other => return Err(unexpected(&other)),
            }
        }
    }
}

/// Connects to a unix socket, whatever the length of its path.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let (_folder, short) = short_path(path)?;
    UnixStream::connect(short)
}

/// Takes one item of a stream; an error ends the stream.
pub type EachItem<'a, T> = &'a mut dyn FnMut(T) -> Result<(), ClientError>;

fn unexpected(response: &Response) -> ClientError {
    ClientError::Unexpected(format!("{response:?}").chars().take(200).collect())
}
