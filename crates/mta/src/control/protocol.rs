//! What is said on the admin socket: a request is one line of JSON, the response one or
//! more. `submit` alone is followed by octets, as many as it announced, once the daemon
//! has said `"go-on"`.
//!
//! ```text
//! C: {"version":1,"request":"queue"}
//! S: {"item":{"id":"…","sender":"a@example.org",…}}
//! S: {"done":null}
//! ```

use std::io::{self, BufRead, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version of the protocol. Another one is refused, with both numbers named.
pub const VERSION: u32 = 1;
/// Longest line in octets: room for an envelope of 1,000 recipients of the longest
/// kind, and no more, so that garbage costs a bounded amount of memory.
pub const MAX_LINE_OCTETS: u64 = 2 * 1024 * 1024;

/// One request with the version it is written in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// [`VERSION`].
    pub version: u32,
    /// What is asked.
    #[serde(flatten)]
    pub request: Request,
}

/// What the command line asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// How the daemon is: one [`Status`].
    Status,
    /// A message for the queue: the envelope here, then its octets; the queue id comes back.
    Submit(Submission),
    /// Whether a message with this envelope would be taken; nothing is kept.
    Check(Submission),
    /// Every queued message: a [`QueuedMessage`](super::QueuedMessage) per item.
    Queue,
    /// One queued message.
    Show {
        /// Its queue id.
        id: String,
    },
    /// The same done to several messages: an [`Acted`] per item.
    Act {
        /// What to do.
        action: Action,
        /// Queue ids.
        ids: Vec<String>,
    },
    /// The registry of mailboxes changed on disk: read it again.
    MailboxesChanged,
    /// What greylisting remembers: a [`GreylistItem`] per item.
    GreylistList,
    /// Lets a client, network, sender or triplet pass from now on.
    GreylistAllow {
        /// An address, a network, a domain or a mailbox.
        what: String,
    },
    /// Forgets what is remembered of a client, network, sender or recipient.
    GreylistForget {
        /// An address, a network, a domain or a mailbox.
        what: String,
    },
    /// Stops the daemon as SIGTERM does.
    Stop,
}

/// What can be done to a queued message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Attempt it now, whatever the plan says.
    Retry,
    /// Attempt it no more until it is released.
    Hold,
    /// Undo a hold.
    Release,
    /// Give up now and tell the sender.
    Bounce,
    /// Drop it and tell nobody.
    Remove,
}

/// An envelope for the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The reverse-path without brackets; empty is the null one.
    pub sender: String,
    /// The forward-paths without brackets, as they stand in RCPT.
    pub recipients: Vec<SubmittedRecipient>,
    /// The length of the message in octets, CRLF line ends.
    pub octets: u64,
    /// `FULL` or `HDRS` (RFC 3461 §4.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret: Option<String>,
    /// The envelope identifier as xtext (RFC 3461 §4.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envid: Option<String>,
    /// Whether an address or the header is UTF-8 (RFC 6531).
    #[serde(default)]
    pub smtputf8: bool,
    /// Whether the body has octets above 127 (RFC 6152).
    #[serde(default)]
    pub eight_bit: bool,
    /// The user that submits, for the trace.
    #[serde(default)]
    pub user: String,
}

/// One recipient of a [`Submission`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmittedRecipient {
    /// The forward-path without brackets.
    pub address: String,
    /// The value of NOTIFY as it stands in RCPT (RFC 3461 §4.1), as in `SUCCESS,FAILURE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<String>,
    /// The value of ORCPT as it stands in RCPT (RFC 3461 §4.2), as in `rfc822;a@b.test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orcpt: Option<String>,
}

/// How the daemon is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Of the program.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// When it started, in RFC 3339.
    pub started_at: String,
    /// Where it listens, as in `mx 127.0.0.1:2525`.
    pub listeners: Vec<String>,
    /// Messages in the queue.
    pub queued_messages: u64,
    /// Octets of their data.
    #[serde(default)]
    pub spool_octets: u64,
    /// Segments of the spool on disk.
    #[serde(default)]
    pub spool_segments: u64,
    /// Sessions that are open.
    pub sessions: u64,
}

/// What became of one message of [`Request::Act`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// The queue id as it was given.
    pub id: String,
    /// `None` where it was done.
    pub refused: Option<Refused>,
}

/// One entry of the greylist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GreylistItem {
    /// The client's network.
    pub client: String,
    /// The sender; empty is the null reverse-path, `None` where the whole client is meant.
    pub sender: Option<String>,
    /// The recipient; `None` where the whole client is meant.
    pub recipient: Option<String>,
    /// `waiting`, `passed` (white) or `allowed` (by the administrator).
    pub state: String,
    /// Attempts that were counted.
    pub attempts: u32,
    /// When it was first seen, in RFC 3339.
    pub first_seen_at: Option<String>,
    /// From when on a retry passes, in RFC 3339.
    pub opens_at: Option<String>,
    /// When it is forgotten, in RFC 3339.
    pub expires_at: Option<String>,
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What kind of refusal it is.
    pub kind: RefusedKind,
    /// For people: lower case, what is wrong, what was expected.
    pub message: String,
}

/// The kinds of refusal, by who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedKind {
    /// The request cannot be understood, or is of another version.
    BadRequest,
    /// There is no such message, mailbox or entry.
    NotFound,
    /// A policy says no; the message is the reply that an SMTP client would get.
    Policy,
    /// It cannot be done now; later it may.
    Busy,
    /// A fault of the daemon or its disk.
    Fault,
}

impl Refused {
    /// A refusal of that kind.
    pub fn new(kind: RefusedKind, message: impl Into<String>) -> Refused {
        Refused { kind, message: message.into() }
    }

    /// There is no `what` (as in ``message `abc` ``).
    pub fn not_found(what: impl std::fmt::Display) -> Refused {
        Refused::new(RefusedKind::NotFound, format!("there is no {what}"))
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

/// One line of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// One of many; more follow.
    Item(serde_json::Value),
    /// Send the octets of the message now.
    GoOn,
    /// The end, with the result where there is one.
    Done(serde_json::Value),
    /// The end: it was not done.
    Refused(Refused),
}

/// Writes `value` as one line.
///
/// # Errors
/// Those of `out`.
pub fn write_line<T: Serialize>(out: &mut impl Write, value: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Reads one line and what stands in it; `None` at the end of input.
///
/// # Errors
/// `InvalidData` where the line is too long or holds something else; those of `input`.
pub fn read_line<T: DeserializeOwned>(input: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    input.take(MAX_LINE_OCTETS).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 == MAX_LINE_OCTETS {
        let problem = format!("a line is longer than {MAX_LINE_OCTETS} octets");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    serde_json::from_slice(&line).map(Some).map_err(io::Error::from)
}
