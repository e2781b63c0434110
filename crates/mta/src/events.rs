//! What happens to messages, told once: to the log on stderr and to the story that
//! `secondpost why` tells.
//!
//! An [`Event`] is about one message; its JSON form (names are stable) is the line in the
//! story and the fields of the log. What failed is told in the words of the peer and with
//! the verdict that was made of them, so that both can be explained later.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use queue::QueueId;
use queue::history::{Line, Stories};
use reply::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::VerdictView;

/// The folder of the stories in the data directory.
pub const FOLDER_NAME: &str = "history";

/// One thing that happened to a message. Addresses are without angle brackets; times are
/// RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant)] // kept for the moment until it is told, and in no number
pub enum Event {
    /// It was taken and is on disk.
    Received {
        /// `mx`, `submission`, `lmtp`, `local` or `bounce`.
        origin: String,
        /// The client's address.
        client: Option<String>,
        /// The client's name by EHLO or HELO.
        hello: Option<String>,
        /// The reverse-path; empty is the null one.
        sender: String,
        /// The forward-paths.
        recipients: Vec<String>,
        /// Its length.
        octets: u64,
    },
    /// One attempt for one recipient ended, and did not deliver.
    Attempt {
        /// The forward-path.
        recipient: String,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// Where it was tried: a host with its address, a mailbox, a socket.
        host: Option<String>,
        /// The command that was answered, as in `RCPT`.
        stage: Option<String>,
        /// The reply as it was heard, or our own words for what went wrong.
        said: String,
        /// What it means.
        verdict: VerdictView,
        /// When it is tried again; `None` where it is given up.
        next_at: Option<String>,
        /// Why then, or why it is given up.
        why: String,
    },
    /// It was delivered to one recipient, or another server took it.
    Delivered {
        /// The forward-path.
        recipient: String,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// To where.
        host: Option<String>,
        /// What the other server said.
        said: Option<String>,
    },
    /// The sender was told: `failure`, `delay` or `success`.
    Notified {
        /// Of what.
        kind: String,
        /// For which recipients.
        recipients: Vec<String>,
        /// The queue id of the notification; `None` where none may be sent.
        notification: Option<String>,
    },
    /// It is attempted no more until it is released.
    Held {
        /// Why.
        reason: String,
    },
    /// It is attempted again.
    Released,
    /// An administrator asked for an attempt now.
    Hastened,
    /// An administrator gave up on it; the sender is told.
    Bounced,
    /// It was dropped, and nobody is told.
    Removed {
        /// Why.
        reason: String,
    },
    /// Nothing is left to do.
    Ended,
}

/// How many events may wait to be told; then who has another one waits.
const MOST_WAITING: usize = 8 * 1024;
/// How many events are written at once.
const TOLD_AT_ONCE: usize = 512;

/// For how long events gather behind one that was told: to be woken for each of them costs
/// who has them more than the event.
const GATHERING: Duration = Duration::from_millis(5);

/// Tells events to the log and to the stories, from a thread of its own: neither a session
/// nor a delivery waits for a terminal or a disk to take their lines. Dropped, it tells
/// what it has.
#[derive(Debug)]
pub struct Events {
    stories: Arc<Stories>,
    /// Taken when it is dropped.
    teller: Option<(SyncSender<Told>, JoinHandle<()>)>,
}

type Happened = (Timestamp, QueueId, Event);

#[allow(clippy::large_enum_variant)] // nearly all are events
enum Told {
    Event(Happened),
    /// What came before was told: says so.
    Flush(SyncSender<()>),
}

impl Events {
    /// Tells the stories of `data_dir`.
    ///
    /// # Errors
    /// Where the folder or the thread cannot be made.
    pub fn open(data_dir: &Path) -> io::Result<Events> {
        let stories = Arc::new(Stories::open(data_dir.join(FOLDER_NAME))?);
        let (send, receive) = sync_channel(MOST_WAITING);
        let of_thread = Arc::clone(&stories);
        let thread = thread::Builder::new().name("events".to_owned());
        let thread = thread.spawn(move || tell_all(&of_thread, &receive))?;
        Ok(Events { stories, teller: Some((send, thread)) })
    }

    /// Tells one event, soon.
    pub fn tell(&self, at: Timestamp, id: QueueId, event: Event) {
        self.send(Told::Event((at, id, event)));
    }

    /// Waits until what was told before can be read. Blocks.
    pub fn flush(&self) {
        let (done, told) = sync_channel(1);
        self.send(Told::Flush(done));
        // An error is the thread's end, and it has said why.
        let _ = told.recv();
    }

    fn send(&self, told: Told) {
        if let Some((send, _)) = &self.teller {
            // As above.
            let _ = send.send(told);
        }
    }

    /// The stories, to prune them.
    pub fn stories(&self) -> &Stories {
        &self.stories
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some((send, thread)) = self.teller.take() {
            drop(send);
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Tells what comes, in order, as much as there is at once.
fn tell_all(stories: &Stories, receive: &Receiver<Told>) {
    let mut failing = false;
    while let Ok(first) = receive.recv() {
        let (mut events, mut waiting) = (Vec::new(), Vec::new());
        for told in [first].into_iter().chain(receive.try_iter()).take(TOLD_AT_ONCE) {
            match told {
                Told::Event(event) => events.push(event),
                Told::Flush(done) => waiting.push(done),
            }
        }
        events.iter().for_each(|(_, id, event)| log(*id, event));
        write_down(stories, &events, &mut failing);
        let is_all = events.len() < TOLD_AT_ONCE;
        for done in waiting {
            // Who asked may have gone.
            let _ = done.send(());
        }
        if is_all {
            thread::sleep(GATHERING);
        }
    }
}

/// A story that cannot be written is no reason to stop mail: it is logged, once until it
/// works again.
fn write_down(stories: &Stories, events: &[Happened], failing: &mut bool) {
    match stories.tell(events) {
        Err(error) if !*failing => {
            *failing = true;
            tracing::warn!(%error, "the story of messages cannot be written");
        }
        told => *failing = told.is_err(),
    }
}

/// The events of one message, in order, from the data directory alone; lines of a later
/// version are passed over.
///
/// # Errors
/// Where the folder cannot be read; a missing one is empty.
pub fn story(data_dir: &Path, id: QueueId) -> io::Result<Vec<(Timestamp, Event)>> {
    let lines = queue::history::story(&data_dir.join(FOLDER_NAME), id)?;
    let event = |Line { at, event, .. }: Line| {
        serde_json::from_value(Value::Object(event)).ok().map(|event| (at, event))
    };
    Ok(lines.into_iter().filter_map(event).collect())
}

/// One line of the log an event.
fn log(id: QueueId, event: &Event) {
    match event {
        Event::Received { origin, client, sender, recipients, octets, .. } => {
            let client = client.as_deref().unwrap_or_default();
            let recipients = recipients.len();
            tracing::info!(%id, origin, client, sender, recipients, octets, "received");
        }
        Event::Attempt { recipient, attempt, host, said, verdict, next_at, why, .. } => {
            let (host, cause) = (host.as_deref().unwrap_or_default(), &verdict.cause);
            let next_at = next_at.as_deref().unwrap_or("never");
            tracing::info!(%id, recipient, attempt, host, cause, said, next_at, why, "not delivered");
        }
        Event::Delivered { recipient, attempt, host, said } => {
            let (host, said) =
                (host.as_deref().unwrap_or_default(), said.as_deref().unwrap_or_default());
            tracing::info!(%id, recipient, attempt, host, said, "delivered");
        }
        Event::Notified { kind, notification, .. } => {
            let notification = notification.as_deref().unwrap_or("none");
            tracing::info!(%id, kind, notification, "sender notified");
        }
        Event::Held { reason } => tracing::info!(%id, reason, "held"),
        Event::Released => tracing::info!(%id, "released"),
        Event::Hastened => tracing::info!(%id, "hastened"),
        Event::Bounced => tracing::info!(%id, "bounced by the administrator"),
        Event::Removed { reason } => tracing::info!(%id, reason, "removed"),
        Event::Ended => tracing::info!(%id, "ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_read_back_as_a_story() {
        let dir = tempfile::tempdir().unwrap();
        let id: QueueId = "3bq8fz4k0000".parse().unwrap();
        let at = id.arrived();
        let events = Events::open(dir.path()).unwrap();
        let told = [Event::Held { reason: "by the administrator".into() }, Event::Released];
        told.iter().for_each(|event| events.tell(at, id, event.clone()));
        events.flush();
        let unknown = serde_json::json!({ "event": "from-the-future" });
        events.stories().tell(&[(at, id, unknown)]).unwrap();
        let read: Vec<Event> = story(dir.path(), id).unwrap().into_iter().map(|(_, e)| e).collect();
        assert_eq!(read, told);
    }

    #[test]
    fn what_waits_is_told_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let id: QueueId = "3bq8fz4k0000".parse().unwrap();
        let events = Events::open(dir.path()).unwrap();
        (0..1000).for_each(|_| events.tell(id.arrived(), id, Event::Hastened));
        drop(events);
        assert_eq!(story(dir.path(), id).unwrap().len(), 1000);
    }

    #[test]
    fn the_names_in_a_story_are_stable() {
        let event = Event::Delivered {
            recipient: "b@example.net".into(),
            attempt: 2,
            host: None,
            said: Some("taken".into()),
        };
        let expected = serde_json::json!({
            "event": "delivered", "recipient": "b@example.net", "attempt": 2,
            "host": null, "said": "taken",
        });
        assert_eq!(serde_json::to_value(event).unwrap(), expected);
    }
}
