//! The protocol over a real pair of sockets: every request, and garbage.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use proptest::prelude::*;

use super::protocol::SubmittedRecipient;
use super::server::{Each, serve};
use super::*;

/// A handler that keeps what it is given.
#[derive(Default)]
pub(super) struct Recording {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    done: Mutex<Vec<String>>,
}

impl Recording {
    /// The messages that were committed.
    pub(super) fn messages(&self) -> Vec<Vec<u8>> {
        self.kept.lock().unwrap().clone()
    }

    fn note(&self, what: String) {
        self.done.lock().unwrap().push(what);
    }
}

struct Kept {
    octets: Vec<u8>,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Intake for Kept {
    fn append(&mut self, octets: &[u8]) -> Result<(), Refused> {
        self.octets.extend_from_slice(octets);
        match self.octets.starts_with(b"full") {
            true => Err(Refused::new(RefusedKind::Fault, "disk full")),
            false => Ok(()),
        }
    }

    fn commit(self: Box<Self>) -> Result<String, Refused> {
        let mut kept = self.kept.lock().unwrap();
        kept.push(self.octets);
        Ok(format!("id{}", kept.len()))
    }
}

impl Handler for Recording {
    fn status(&self) -> Status {
        Status { version: "1".into(), queued_messages: 3, ..Status::default() }
    }

    fn submit(&self, submission: Submission) -> Result<Box<dyn Intake>, Refused> {
        match submission.sender.as_str() {
            "refused@example.org" => Err(Refused::new(RefusedKind::Policy, "no")),
            "busy@example.org" => Err(Refused::new(RefusedKind::Busy, "come back")),
            _ => Ok(Box::new(Kept { octets: Vec::new(), kept: Arc::clone(&self.kept) })),
        }
    }

    fn submit_dropped(&self, submission: Submission) -> Result<Box<dyn Intake>, Refused> {
        self.submit(submission)
    }

    fn queue(&self, each: Each<'_, QueuedMessage>) -> Result<(), Refused> {
        (0..1000).try_for_each(|n| {
            each(QueuedMessage { id: format!("id{n}"), ..QueuedMessage::default() })
        })
    }

    fn show(&self, id: &str) -> Result<QueuedMessage, Refused> {
        Err(Refused::not_found(format!("message `{id}`")))
    }

    fn act(&self, action: Action, id: &str) -> Result<(), Refused> {
        self.note(format!("{action:?} {id}"));
        if id == "gone" { Err(Refused::not_found("message `gone`")) } else { Ok(()) }
    }

    fn mailboxes_changed(&self) -> Result<(), Refused> {
        self.note("mailboxes".into());
        Ok(())
    }

    fn greylist(&self, _: Each<'_, GreylistItem>) -> Result<(), Refused> {
        Ok(())
    }

    fn greylist_allow(&self, what: &str) -> Result<(), Refused> {
        self.note(format!("allow {what}"));
        Ok(())
    }

    fn greylist_forget(&self, _: &str) -> Result<u64, Refused> {
        Ok(7)
    }

    fn stop(&self) {
        self.note("stop".into());
    }
}

/// A session with a recording handler, on a thread of its own.
fn session() -> (UnixStream, Arc<Recording>, JoinHandle<()>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let handler = Arc::new(Recording::default());
    let served = Arc::clone(&handler);
    let thread = std::thread::spawn(move || {
        let _ = serve(&theirs, &*served);
    });
    (ours, handler, thread)
}

fn client() -> (Client, Arc<Recording>) {
    let (stream, handler, _) = session();
    (Client::over(stream).unwrap(), handler)
}

#[test]
fn every_request_is_answered_on_one_connection() {
    let (mut client, handler) = client();
    assert_eq!(client.status().unwrap().queued_messages, 3);
    let mut listed = 0;
    client
        .queue(&mut |_| {
            listed += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(listed, 1000);
    let acted = client.act(Action::Hold, &["a".into(), "gone".into()]).unwrap();
    assert_eq!(acted[0].refused, None);
    assert_eq!(acted[1].refused.as_ref().unwrap().kind, RefusedKind::NotFound);
    client.mailboxes_changed().unwrap();
    client.greylist(&mut |_| Ok(())).unwrap();
    client.greylist_allow("192.0.2.0/24").unwrap();
    assert_eq!(client.greylist_forget("x").unwrap(), 7);
    assert_eq!(client.show("x").unwrap_err().to_string(), "there is no message `x`");
    client.stop().unwrap();
    let done = handler.done.lock().unwrap().clone();
    assert_eq!(done, ["Hold a", "Hold gone", "mailboxes", "allow 192.0.2.0/24", "stop"]);
}

#[test]
fn a_submitted_message_arrives_octet_for_octet() {
    let (mut client, handler) = client();
    let message: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    let submission = Submission {
        sender: "a@example.org".into(),
        recipients: vec![SubmittedRecipient::new("b@example.net")],
        octets: message.len() as u64,
        ..Submission::default()
    };
    assert_eq!(client.submit(submission, &mut &message[..]).unwrap(), "id1");
    assert_eq!(handler.messages(), [message]);
    assert_eq!(client.status().unwrap().version, "1");
}

#[test]
fn a_refused_submission_costs_no_octets_and_leaves_the_connection_usable() {
    let (mut client, handler) = client();
    let submission =
        Submission { sender: "refused@example.org".into(), octets: 5, ..Submission::default() };
    assert_eq!(client.submit(submission, &mut &b"hello"[..]).unwrap_err().to_string(), "no");
    let full = Submission { octets: 100_000, ..Submission::default() };
    let message = b"full".repeat(25_000);
    assert_eq!(client.submit(full, &mut &message[..]).unwrap_err().to_string(), "disk full");
    assert_eq!(client.status().unwrap().version, "1");
    let sender = "refused@example.org".to_owned();
    assert!(client.check(Submission { sender, ..Submission::default() }).is_err());
    client.check(Submission::default()).unwrap();
    assert_eq!(handler.messages().len(), 0);
}

#[test]
fn a_message_that_ends_early_is_not_committed() {
    let (mut stream, handler, thread) = session();
    stream.write_all(b"{\"version\":1,\"request\":\"submit\",\"sender\":\"\",\"recipients\":[],\"octets\":9}\n").unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, "\"go-on\"\n");
    stream.write_all(b"short").unwrap();
    drop(stream);
    thread.join().unwrap();
    assert_eq!(handler.messages().len(), 0);
}

/// Sends octets, closes that direction, returns the whole answer.
fn answer_to(octets: &[u8]) -> String {
    let (mut stream, _, thread) = session();
    let _ = stream.write_all(octets);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    thread.join().unwrap();
    answer
}

#[test]
fn garbage_is_refused_and_ends_the_connection() {
    for garbage in
        ["hello\n", "{}\n", "{\"version\":1}\n", "[1,2]\n", "{\"version\":1,\"request\":"]
    {
        let answer = answer_to(garbage.as_bytes());
        assert!(
            answer.starts_with("{\"refused\":{\"kind\":\"bad-request\""),
            "{garbage}: {answer}"
        );
        assert_eq!(answer.lines().count(), 1);
    }
    let other = answer_to(b"{\"version\":2,\"request\":\"status\"}\n");
    assert!(other.contains("version 2 of the protocol, the daemon speaks version 1"), "{other}");
    assert_eq!(answer_to(b""), "");
}

#[test]
fn an_endless_line_is_refused_before_it_fills_the_memory() {
    let endless = vec![b'x'; 3 * 1024 * 1024];
    let answer = answer_to(&endless);
    assert!(answer.is_empty() || answer.contains("longer than"), "{answer}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_octets_make_the_session_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        answer_to(&octets);
    }
}

#[test]
fn a_listening_socket_is_for_its_owner_and_goes_with_the_server() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(client::SOCKET_NAME);
    let server = Server::start(&path, Arc::new(Recording::default())).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Client::connect(dir.path()).unwrap().status().unwrap().version, "1");
    drop(server);
    assert!(matches!(Client::connect(dir.path()), Err(ClientError::NotRunning)));
}

#[test]
fn a_data_directory_with_a_long_path_has_a_socket_too() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    let _server =
        Server::start(&deep.join(client::SOCKET_NAME), Arc::new(Recording::default())).unwrap();
    assert_eq!(Client::connect(&deep).unwrap().status().unwrap().version, "1");
}
