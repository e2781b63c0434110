//! `verify --send-test`: a message through the daemon that asks for a notification of
//! success and of failure, and what becomes of it within the time.
//!
//! Three things can come: the daemon's story of the attempt, the end of the message in
//! the queue, and a notification in the sender's own mailbox, which is found by the
//! envelope id that the test message had (RFC 3461 §4.4).

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::queue::QueueId;
use mta::clock::Clock;
use mta::events::Event;
use mta::mailbox::Registry;
use reply::Language;
use reply::explain::{cli, queued, wrong};
use serde_json::json;

use super::super::message::{Message, Reading, prepare};
use super::super::page::Page;
use super::super::submit::{Submitted, complete, envelope, submit};
use super::super::{Context, Failure, Global, daemon, queue, settings, text};

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(250);
/// How much of a message in the own mailbox is looked at.
const NOTIFICATION_OCTETS: u64 = 64 * 1024;

/// What is known by now.
#[derive(Debug, Default)]
struct Came {
    /// Another server, or the mailbox, took it; what was said.
    delivered: Option<String>,
    /// The last attempt that did not deliver.
    attempt: Option<Event>,
    /// The `Action` of a notification that came back.
    notified: Option<String>,
    /// The queue has nothing left to do.
    ended: bool,
}

/// Sends the message and waits.
pub(super) fn run(
    address: &str,
    sender: &str,
    wait: Duration,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    daemon::require(&context.global)?;
    let clock = Clock::start();
    let envelope_id = format!("verify-{}-{}", clock.now().as_millis(), std::process::id());
    let id = send(address, sender, &envelope_id, &context.global)?;
    let deadline = clock.steady() + wait;
    let mut came = Came::default();
    while !came.is_enough() && clock.steady() < deadline {
        std::thread::sleep(PAUSE);
        came = look(id, sender, &envelope_id, &context.global);
    }
    tell(address, id, &came, wait, context)?;
    if came.failed() { Err(Failure::silent(1)) } else { Ok(()) }
}

impl Came {
    /// Nothing more will come that changes what is known.
    fn is_enough(&self) -> bool {
        self.notified.is_some() || self.ended && self.delivered.is_none()
    }

    fn failed(&self) -> bool {
        self.notified.as_deref() == Some("failed") || self.ended && self.delivered.is_none()
    }
}

fn send(
    address: &str,
    sender: &str,
    envelope_id: &str,
    global: &Global,
) -> Result<QueueId, Failure> {
    let config = settings::of_daemon(global)?.config;
    let raw = format!(
        "From: <{sender}>\nTo: <{address}>\nSubject: Test message\n\
         Auto-Submitted: auto-generated\n\n\
         This is a test whether mail reaches <{address}>.\nYou need do nothing.\n"
    );
    let language = global.language();
    let malformed = |_| Failure::new(wrong(language, "no-test-message", &[]));
    let message: Message = prepare(raw.as_bytes(), Reading::Strict).map_err(malformed)?;
    let message = complete(message, &config);
    let to = [address.to_owned()];
    let mut submission = envelope(sender.to_owned(), &to, Some("SUCCESS,FAILURE"), &message);
    submission.envid = Some(envelope_id.to_owned());
    match submit(global, submission, &message)? {
        Submitted::Queued(id) => {
            id.parse().map_err(|error: ::queue::id::NotAQueueId| Failure::new(error.to_string()))
        }
        Submitted::Dropped(_) => {
            let help = [("command", "`secondpost serve`")];
            Err(Failure::new(wrong(language, "daemon-stopped", &[])).help(wrong(
                language,
                "test-message-waits",
                &help,
            )))
        }
    }
}

fn look(id: QueueId, sender: &str, envelope_id: &str, global: &Global) -> Came {
    let mut came = Came::default();
    // A story that cannot be read now may be in a moment; the deadline ends the wait.
    let story = mta::events::story(&global.data_dir, id).unwrap_or_default();
    for (_, event) in story {
        match event {
            Event::Delivered { said, .. } => came.delivered = Some(said.unwrap_or_default()),
            Event::Attempt { .. } => came.attempt = Some(event),
            Event::Ended => came.ended = true,
            _ => {}
        }
    }
    came.notified = notification(sender, envelope_id, &global.data_dir);
    came
}

/// The `Action` of the notification with that envelope id in the sender's own mailbox.
fn notification(sender: &str, envelope_id: &str, data_dir: &Path) -> Option<String> {
    let mailbox = Registry::in_dir(data_dir).find(sender).ok()?;
    let folder = mailbox.path_in(data_dir).join("new");
    let arrived = |path: &PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_by_key(arrived);
    let newest = paths.iter().rev().take(100);
    newest.filter_map(|path| action_in(path, envelope_id)).next()
}

fn action_in(path: &Path, envelope_id: &str) -> Option<String> {
    let mut octets = Vec::new();
    std::fs::File::open(path).ok()?.take(NOTIFICATION_OCTETS).read_to_end(&mut octets).ok()?;
    action(&String::from_utf8_lossy(&octets), envelope_id)
}

/// RFC 3464 §2.2.1, §2.3.3.
fn action(text: &str, envelope_id: &str) -> Option<String> {
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim().to_ascii_lowercase())
        })
    };
    let ours = field("Original-Envelope-Id").is_some_and(|id| id.eq_ignore_ascii_case(envelope_id));
    field("Action").filter(|_| ours)
}

fn tell(
    address: &str,
    id: QueueId,
    came: &Came,
    wait: Duration,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let what = known(came);
    let attempt = came.attempt.as_ref();
    let in_words = |language| {
        let known = what.strip_suffix("-refused").map_or(what, |_| "test-failed");
        (cli(language, known, &[]), cli(language, &format!("{what}-sure"), &[]))
    };
    if context.global.json {
        // As every text of JSON: the same for all.
        let (known, sure) = in_words(Language::En);
        return context.json(&json!({
            "address": address, "id": id.to_string(), "known": known, "how_sure": sure,
            "delivered": came.delivered.is_some(), "notification": came.notified,
            "attempt": attempt, "waited_seconds": wait.as_secs(),
        }));
    }
    let language = context.global.language();
    let (known, sure) = in_words(language);
    let mut rows = vec![(cli(language, "message", &[]), id.to_string())];
    if let Some(Event::Attempt { said, verdict, .. }) = attempt {
        rows.push((queued(language, "said", &[]), text::printable(said)));
        rows.push((queued(language, "means", &[]), queue::meaning(verdict, language)));
    }
    if let Some(said) = &came.delivered {
        rows.push((cli(language, "delivered", &[]), text::printable(said)));
    }
    let notified = came.notified.clone().unwrap_or_default();
    rows.push((cli(language, "notification", &[]), notified));
    rows.push((cli(language, "known", &[]), known));
    rows.push((cli(language, "how-sure", &[]), sure));
    if !came.is_enough() {
        rows.push((queued(language, "next", &[]), format!("secondpost why {id}")));
    }
    let mut page = Page::new(&mut *context.out, rows.iter().map(|(label, _)| label));
    page.title(address)?;
    for (label, text) in &rows {
        page.row(label, text)?;
    }
    Ok(())
}

/// What is known, by the name of its text.
fn known(came: &Came) -> &'static str {
    match (came.notified.as_deref(), &came.delivered) {
        (Some("delivered"), _) => "test-arrived",
        (Some("failed"), _) => "test-failed",
        (_, Some(_)) => "test-handed-on",
        (_, None) if came.ended => "test-refused",
        (_, None) => "test-waits",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Subject: Delivered\n\nOriginal-Envelope-Id: verify-1-2\n\n\
                          Final-Recipient: rfc822; b@example.net\nAction: Delivered\n";

    #[test]
    fn a_notification_is_found_by_its_envelope_id() {
        assert_eq!(action(REPORT, "verify-1-2").as_deref(), Some("delivered"));
        assert_eq!(action(REPORT, "verify-1-3"), None);
        assert_eq!(action("Action: failed\n", "verify-1-2"), None);
    }

    #[test]
    fn it_is_looked_for_in_the_senders_own_mailbox() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::in_dir(dir.path());
        registry.add(mta::mailbox::Registered::new("me@example.org").unwrap()).unwrap();
        let new = dir.path().join("mail/example.org/me/new");
        std::fs::write(new.join("1"), "Subject: other\n\n").unwrap();
        let look = || notification("me@example.org", "verify-1-2", dir.path());
        assert_eq!(look(), None);
        std::fs::write(new.join("2"), REPORT).unwrap();
        assert_eq!(look().as_deref(), Some("delivered"));
    }

    #[test]
    fn what_is_known_follows_from_what_came() {
        assert_eq!(known(&Came::default()), "test-waits");
        let delivered = Came { delivered: Some(String::new()), ..Came::default() };
        assert!(!delivered.is_enough() && !delivered.failed());
        assert_eq!(known(&delivered), "test-handed-on");
        let refused = Came { ended: true, ..Came::default() };
        assert!(refused.is_enough() && refused.failed());
        assert_eq!(known(&refused), "test-refused");
    }
}
