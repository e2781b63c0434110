//! The binary under test: started on ports of the system's choice in a data directory of
//! its own, stopped or killed, started again.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The binary that cargo built for these tests.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_secondpost");
/// How long anything outside this process may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running daemon. Dropped, it is killed.
pub(crate) struct Daemon {
    child: Child,
    data_dir: PathBuf,
    log: Receiver<String>,
    pub(crate) mx: SocketAddr,
    pub(crate) submission: SocketAddr,
    /// The commands that its banner says to try.
    pub(crate) to_try: Vec<String>,
}

impl Daemon {
    /// Starts the daemon on `data_dir` and waits until it has said where it listens.
    pub(crate) fn start(data_dir: &Path, arguments: &[&str]) -> Daemon {
        Daemon::start_as(Command::new(BINARY), data_dir, arguments)
    }

    /// The same in an environment of the caller's making.
    pub(crate) fn start_as(mut command: Command, data_dir: &Path, arguments: &[&str]) -> Daemon {
        let mut child = command
            .args(["serve", "--listen-mx", "127.0.0.1:0", "--listen-submission", "127.0.0.1:0"])
            .args(arguments)
            .arg("--data-dir")
            .arg(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = lines_of(child.stderr.take().expect("stderr is piped"));
        let said = lines_of(child.stdout.take().expect("stdout is piped"));
        let mut daemon = Daemon {
            child,
            data_dir: data_dir.to_owned(),
            log,
            mx: SocketAddr::from(([127, 0, 0, 1], 0)),
            submission: SocketAddr::from(([127, 0, 0, 1], 0)),
            to_try: Vec::new(),
        };
        daemon.mx = daemon.address(&said, "MX");
        daemon.submission = daemon.address(&said, "submission");
        daemon.to_try = daemon.commands(&said);
        daemon
    }

    /// The commands at the end of the banner.
    fn commands(&self, said: &Receiver<String>) -> Vec<String> {
        let mut lines = std::iter::from_fn(|| said.recv_timeout(PATIENCE).ok());
        lines.find(|line| line.starts_with("try, ")).expect("the banner says what to try");
        lines.take(3).map(|line| line.trim().to_owned()).collect()
    }

    /// The address on the line of the banner that begins with `label`.
    fn address(&self, said: &Receiver<String>, label: &str) -> SocketAddr {
        loop {
            let line = said.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("the daemon never said where {label} listens:\n{}", self.log())
            });
            let mut words = line.split_whitespace();
            if words.next() == Some(label) {
                let address = words.find_map(|word| word.parse().ok());
                return address.unwrap_or_else(|| panic!("no address in `{line}`"));
            }
        }
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What it logged so far and was not asked for yet.
    pub(crate) fn log(&self) -> String {
        self.log.try_iter().collect::<Vec<_>>().join("\n")
    }

    /// Runs a subcommand on this daemon's data directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        secondpost(&self.data_dir, arguments)
    }

    /// The same; it must succeed, and its standard output is the result.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}\n{complained}\n{}", self.log());
        said
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it ever held, in KiB.
    pub(crate) fn peak_memory_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    /// The memory that it holds, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    fn status_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the system tells of its processes");
        let value = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
        value.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// How many files and sockets it has open.
    pub(crate) fn descriptors(&self) -> u64 {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        open.expect("the system tells of its processes").count() as u64
    }

    /// Sets how many it may have open, from outside.
    pub(crate) fn limit_descriptors(&self, soft: &str) {
        let (pid, limit) = (self.child.id().to_string(), format!("--nofile={soft}:"));
        let done = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
        assert!(done.expect("prlimit runs").success());
    }

    /// What is in the queue, oldest first.
    pub(crate) fn queued(&self) -> Vec<String> {
        let listed = self.ask(&["queue", "--json"]);
        let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).expect("JSON");
        listed.iter().map(|message| message["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// That it has not ended by itself.
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("it can be asked") {
            panic!("the daemon ended by itself with {status}:\n{}", self.log());
        }
    }

    /// As a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGINT, as of Ctrl-C.
    pub(crate) fn interrupt(&self) {
        signal(self.child.id(), "INT");
    }

    /// SIGTERM; returns how it ended and the rest of its log.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        signal(self.child.id(), "TERM");
        let status = self.child.wait().expect("it ends");
        let mut log = Vec::new();
        while let Ok(line) = self.log.recv_timeout(Duration::from_secs(5)) {
            log.push(line);
        }
        (status, log.join("\n"))
    }

    /// The files of a mailbox's `new` folder.
    pub(crate) fn new_mail(&self, domain: &str, local_part: &str) -> Vec<PathBuf> {
        let folder = self.data_dir.join("mail").join(domain).join(local_part).join("new");
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a subcommand on a data directory.
pub(crate) fn secondpost(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    command.env("LC_ALL", "C").output().expect("the binary starts")
}

/// Sends a signal by name.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// A thread that reads lines, so that a full pipe never stops the child.
pub(crate) fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

/// Looks again and again until `look` finds something: what other processes do has no
/// event to wait for. Gives up after [`PATIENCE`].
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let pause = Duration::from_millis(20);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(pause);
    }
    panic!("it never happened: {what}");
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
