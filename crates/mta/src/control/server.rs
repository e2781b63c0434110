//! The daemon's side of the admin socket. Administrators are few and their requests may
//! wait for the disk, so each connection has a thread of its own, and a handler may block
//! (on the spool, or on the reactor); the reactor's threads never do.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::client::connect;
use super::protocol::{
    Acted, Action, GreylistItem, Refused, RefusedKind, Request, Response, Status, Submission,
    VERSION, Versioned, read_line, write_line,
};
use super::short_path;
use super::view::QueuedMessage;

/// Most connections at once; further ones are told to come back.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may be silent in the middle of a request, or not read its response.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of a submitted message is handed on at once.
const CHUNK_OCTETS: u64 = 64 * 1024;

/// Does what is asked. Every method may block.
pub trait Handler: Send + Sync + 'static {
    /// How the daemon is.
    fn status(&self) -> Status;

    /// Opens a draft for `submission` after policy was asked for each recipient.
    ///
    /// # Errors
    /// The first refusal, or what is wrong with the envelope.
    fn submit(&self, submission: Submission) -> Result<Box<dyn Intake>, Refused>;

    /// The same for a message from the drop folder, whose sender is not there to hear a
    /// refusal: a recipient that is refused fails once the message is in the queue, so
    /// that the sender gets a notification. What is refused for now waits in the queue.
    ///
    /// # Errors
    /// What is wrong with the envelope; the refusal, where there is nobody to tell.
    fn submit_dropped(&self, submission: Submission) -> Result<Box<dyn Intake>, Refused>;

    /// Calls `each` for every queued message, oldest first, until it fails.
    ///
    /// # Errors
    /// Where the queue cannot be read, or `each` failed.
    fn queue(&self, each: Each<'_, QueuedMessage>) -> Result<(), Refused>;

    /// One queued message.
    ///
    /// # Errors
    /// Where there is none of that id.
    fn show(&self, id: &str) -> Result<QueuedMessage, Refused>;

    /// Does `action` to the message `id`.
    ///
    /// # Errors
    /// Where there is none of that id, or it cannot be done.
    fn act(&self, action: Action, id: &str) -> Result<(), Refused>;

    /// Reads the registry of mailboxes again.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn mailboxes_changed(&self) -> Result<(), Refused>;

    /// Calls `each` for every entry of the greylist, until it fails.
    ///
    /// # Errors
    /// Where the list cannot be read, or `each` failed.
    fn greylist(&self, each: Each<'_, GreylistItem>) -> Result<(), Refused>;

    /// Lets `what` pass from now on.
    ///
    /// # Errors
    /// Where `what` cannot be understood or the list not written.
    fn greylist_allow(&self, what: &str) -> Result<(), Refused>;

    /// Forgets `what`; returns how many entries that were.
    ///
    /// # Errors
    /// Where `what` cannot be understood or the list not written.
    fn greylist_forget(&self, what: &str) -> Result<u64, Refused>;

    /// Stops the daemon as SIGTERM does; returns at once.
    fn stop(&self);
}

/// Takes one item of a stream; an error ends the stream.
pub type Each<'a, T> = &'a mut dyn FnMut(T) -> Result<(), Refused>;

/// Takes the octets of one submitted message. Dropped means given up.
pub trait Intake {
    /// Appends octets with CRLF line ends.
    ///
    /// # Errors
    /// Where they cannot be kept; the draft is then lost.
    fn append(&mut self, octets: &[u8]) -> Result<(), Refused>;

    /// Ends the message and waits until it is synced; returns its queue id.
    ///
    /// # Errors
    /// Where it could not be kept.
    fn commit(self: Box<Self>) -> Result<String, Refused>;
}

/// The listening admin socket. Dropped, it takes no more connections and its file is gone.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// Listens on `path` (mode 0600; what stood there is replaced, so the caller must
    /// hold the lock of the data directory) and answers through `handler`.
    ///
    /// # Errors
    /// Where the socket cannot be made.
    pub fn start(path: &Path, handler: Arc<dyn Handler>) -> io::Result<Server> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (_folder, short) = short_path(path)?;
        let listener = UnixListener::bind(&short)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopping);
        thread::Builder::new()
            .name("control".into())
            .spawn(move || accept(&listener, &handler, &flag))?;
        Ok(Server { path: path.to_owned(), stopping })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // The accepting thread wakes for a connection only, so it gets one. Where that
        // fails it is not waiting, or the process ends with it.
        let _ = connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
    }
}

fn accept(listener: &UnixListener, handler: &Arc<dyn Handler>, stopping: &AtomicBool) {
    let open = Arc::new(AtomicUsize::new(0));
    for connection in listener.incoming() {
        if stopping.load(Ordering::Acquire) {
            return;
        }
        match connection {
            Ok(stream) => serve_on_thread(stream, handler, &open),
            // Out of descriptors: the next connection may fare better, not this instant.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn serve_on_thread(stream: UnixStream, handler: &Arc<dyn Handler>, open: &Arc<AtomicUsize>) {
    if open.load(Ordering::Acquire) >= MAX_CONNECTIONS {
        let busy = Refused::new(RefusedKind::Busy, "too many connections to the admin socket");
        let _ = stream.set_write_timeout(Some(Duration::from_secs(1)));
        let _ = write_line(&mut &stream, &Response::Refused(busy));
        return;
    }
    let slot = Slot::take(open);
    let handler = Arc::clone(handler);
    let spawned = thread::Builder::new().name("control-session".into()).spawn(move || {
        let _slot = slot;
        if let Err(error) = serve(&stream, &*handler) {
            tracing::debug!(%error, "a connection to the admin socket ended early");
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for a connection to the admin socket");
    }
}

/// Counts one open connection for as long as it lives, whatever ends it.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(open: &Arc<AtomicUsize>) -> Slot {
        open.fetch_add(1, Ordering::AcqRel);
        Slot(Arc::clone(open))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Answers the requests of one connection until it ends.
///
/// # Errors
/// Those of the stream. What cannot be understood is answered and ends the connection.
pub fn serve(stream: &UnixStream, handler: &dyn Handler) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut input = BufReader::new(stream);
    loop {
        let request = match read_line::<Versioned>(&mut input) {
            Ok(None) => return Ok(()),
            Ok(Some(versioned)) => checked(versioned),
            Err(error) if error.kind() == io::ErrorKind::InvalidData || is_json(&error) => {
                let message = format!("the request cannot be understood: {error}");
                Err(Refused::new(RefusedKind::BadRequest, message))
            }
            Err(error) => return Err(error),
        };
        let mut connection = Connection { input: &mut input, output: stream };
        match request {
            Ok(request) => connection.answer(request, handler)?,
            Err(refused) => return connection.end::<()>(Err(refused)),
        }
    }
}

/// serde_json tells broken JSON and an early end as these kinds.
fn is_json(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
        || error.get_ref().is_some_and(|e| e.is::<serde_json::Error>())
}

fn checked(versioned: Versioned) -> Result<Request, Refused> {
    if versioned.version == VERSION {
        return Ok(versioned.request);
    }
    let message = format!(
        "the request is in version {} of the protocol, the daemon speaks version {VERSION}",
        versioned.version
    );
    Err(Refused::new(RefusedKind::BadRequest, message))
}

struct Connection<'a, R> {
    input: &'a mut R,
    output: &'a UnixStream,
}

impl<R: BufRead> Connection<'_, R> {
    fn answer(&mut self, request: Request, handler: &dyn Handler) -> io::Result<()> {
        match request {
            Request::Status => self.end(Ok(handler.status())),
            Request::Submit(submission) => self.submit(submission, handler),
            // The draft that was opened is dropped, which gives it up.
            Request::Check(submission) => self.end(handler.submit(submission).map(drop)),
            Request::Queue => {
                let ended = handler.queue(&mut |message| self.item(&message));
                self.end(ended)
            }
            Request::Show { id } => self.end(handler.show(&id)),
            Request::Act { action, ids } => self.act(action, ids, handler),
            Request::MailboxesChanged => self.end(handler.mailboxes_changed()),
            Request::GreylistList => {
                let ended = handler.greylist(&mut |entry| self.item(&entry));
                self.end(ended)
            }
            Request::GreylistAllow { what } => self.end(handler.greylist_allow(&what)),
            Request::GreylistForget { what } => self.end(handler.greylist_forget(&what)),
            Request::Stop => {
                handler.stop();
                self.end(Ok(()))
            }
        }
    }

    fn act(&mut self, action: Action, ids: Vec<String>, handler: &dyn Handler) -> io::Result<()> {
        for id in ids {
            let refused = handler.act(action, &id).err();
            self.write_item(&Acted { id, refused })?;
        }
        self.end(Ok(()))
    }

    fn submit(&mut self, submission: Submission, handler: &dyn Handler) -> io::Result<()> {
        let octets = submission.octets;
        let mut intake = match handler.submit(submission) {
            Ok(intake) => intake,
            Err(refused) => return self.end::<()>(Err(refused)),
        };
        write_line(&mut self.output, &Response::GoOn)?;
        let mut rest = octets;
        let mut chunk = Vec::new();
        let mut failed = None;
        // After a failure the announced octets are still read, so that the client gets
        // to read the refusal and not a broken pipe.
        while rest > 0 {
            chunk.clear();
            let took = self.input.take(rest.min(CHUNK_OCTETS)).read_to_end(&mut chunk)? as u64;
            if took == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            rest -= took;
            if failed.is_none() {
                failed = intake.append(&chunk).err();
            }
        }
        self.end(failed.map_or_else(|| intake.commit(), Err))
    }

    fn item<T: Serialize>(&mut self, value: &T) -> Result<(), Refused> {
        let gone = |error: io::Error| Refused::new(RefusedKind::Fault, error.to_string());
        self.write_item(value).map_err(gone)
    }

    fn write_item<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let value = serde_json::to_value(value)?;
        write_line(&mut self.output, &Response::Item(value))
    }

    fn end<T: Serialize>(&mut self, result: Result<T, Refused>) -> io::Result<()> {
        let response = match result {
            Ok(value) => Response::Done(serde_json::to_value(value).unwrap_or(Value::Null)),
            Err(refused) => Response::Refused(refused),
        };
        write_line(&mut self.output, &response)?;
        self.output.flush()
    }
}
