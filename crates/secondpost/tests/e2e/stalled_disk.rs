//! A disk that hangs: who waits for it waits, and nobody else. The kernel holds up each sync
//! of the server's, at the word of `strace`.

use std::ffi::OsString;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;

use crate::daemon::{Daemon, eventually, lines_of};
use crate::dialog::Dialog;
use crate::kill_points::is_prepared;
use crate::long_form::counted;

const OPTIONS: &[&str] = &[
    "--domain",
    "example.org",
    "--set",
    "greylist.enabled=false",
    "--set",
    "routes={\"example.org\"=\"discard\"}",
];

/// For so long each sync hangs: less than any client's patience, more than a dialog takes.
const STALL: &str = "20s";
/// Messages of one session after which it writes itself, where the disk is quick.
const SOLITARY: usize = 100;

const MESSAGE: &str = "Subject: hello\r\n\r\nhello";

#[test]
fn a_disk_that_hangs_holds_up_nobody_who_does_not_wait_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), OPTIONS);
    eventually("segments are made ahead", || is_prepared(folder.path()).then_some(()));
    let mut first = Dialog::greeted(daemon.mx);
    for _ in 0..SOLITARY {
        let reply = first.message("a@example.net", "b@example.org", MESSAGE);
        assert!(reply.starts_with("250 "), "{reply}");
    }
    let mut idle = Dialog::greeted(daemon.mx);
    let hanging = Hanging::begin(daemon.pid());
    let (send, taken) = channel();
    assert!(first.message_begun("a@example.net", "b@example.org").starts_with("354 "));
    let waits = thread::spawn(move || {
        first.send(MESSAGE.as_bytes());
        // Who listens has seen enough, or has failed.
        let _ = send.send(first.say("\r\n."));
    });
    let hangs = hanging.has_somebody();
    counted(&format!("a sync that hangs in thread `{hangs}`: nobody else waits"));
    assert!(idle.say("NOOP").starts_with("250 "));
    let mut other = Dialog::greeted(daemon.mx);
    assert!(other.message_begun("a@example.net", "b@example.org").starts_with("354 "));
    assert!(idle.say("QUIT").starts_with("221 "));
    assert_eq!(taken.try_recv(), Err(TryRecvError::Empty), "the disk did not hang");
    drop(hanging);
    other.send(MESSAGE.as_bytes());
    assert!(other.say("\r\n.").starts_with("250 "));
    let taken = taken.recv().expect("it is answered");
    assert!(taken.starts_with("250 "), "{taken}");
    waits.join().expect("it has ended");
    let (status, log) = daemon.terminate();
    assert!(status.success(), "{log}");
}

/// A server whose syncs hang.
struct Hanging {
    strace: Child,
    server: u32,
}

#[derive(Clone, PartialEq)]
struct Stopped {
    thread: OsString,
    name: String,
}

impl Hanging {
    fn begin(server: u32) -> Hanging {
        let mut strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", "trace=fdatasync"])
            .args(["-e", &format!("inject=fdatasync:delay_enter={STALL}")])
            .args(["-p", &server.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace starts");
        let said = lines_of(strace.stderr.take().expect("stderr is piped"));
        let is_attached = |line: &String| line.contains("attached");
        said.iter().find(is_attached).expect("strace says that it has the server");
        Hanging { strace, server }
    }

    /// Waits until a thread hangs: it is found stopped again and again. Its name.
    fn has_somebody(&self) -> String {
        let mut before = (None, 0);
        eventually("a thread hangs", || {
            let stopped = self.stopped();
            let count = if stopped == before.0 { before.1 + 1 } else { 0 };
            before = (stopped.clone(), count);
            stopped.filter(|_| count > 5).map(|status| status.name)
        })
    }

    /// A thread that its tracer has stopped.
    fn stopped(&self) -> Option<Stopped> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.server)).ok()?;
        threads.filter_map(Result::ok).find_map(|thread| {
            let status = std::fs::read_to_string(thread.path().join("status")).ok()?;
            let field = |name| status.lines().find_map(|line| line.strip_prefix(name));
            let name = field("Name:\t")?.to_owned();
            field("State:\t")?
                .starts_with('t')
                .then(|| Stopped { thread: thread.file_name(), name })
        })
    }
}

/// Lets the server go.
impl Drop for Hanging {
    fn drop(&mut self) {
        crate::daemon::signal(self.strace.id(), "INT");
        // It ends with that, or has ended.
        let _ = self.strace.wait();
    }
}
