//! The servers that are measured: ours, and those that people trust. Each runs in a folder
//! and a control group of its own, on a port of the system's choice, with its log in a
//! file, and with the settings that its own file names.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::clock;
use crate::group::Group;

mod exim;
mod postfix;
pub(crate) mod postgrey;
mod secondpost;
mod smtp_sink;

/// How long a server may take to begin, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Secondpost,
    Postfix,
    Exim,
    /// Takes mail and keeps none.
    SmtpSink,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Secondpost => "Secondpost",
            Kind::Postfix => "Postfix",
            Kind::Exim => "Exim",
            Kind::SmtpSink => "smtp-sink",
        }
    }
}

/// What becomes of accepted mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// It goes through the queue and is thrown away at its end.
    Discard,
    /// It goes through the queue to the server there.
    Relay(SocketAddr),
}

/// Where the programs are that no package of this machine holds.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// Our own binary.
    pub(crate) secondpost: PathBuf,
    /// The folder that Exim's packages were unpacked into.
    pub(crate) exim: Option<PathBuf>,
}

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    pub(crate) group: Group,
    folder: PathBuf,
    child: Child,
}

impl Server {
    /// Starts one with a folder of its own below `folder` and waits until it listens.
    ///
    /// # Errors
    /// Where it does not start; with what it logged.
    pub(crate) fn start(
        kind: Kind,
        programs: &Programs,
        folder: &Path,
        destination: Destination,
    ) -> Result<Server, String> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let folder = folder.join(kind.name().to_lowercase());
        fs::create_dir_all(&folder).map_err(|e| format!("error: {}: {e}", folder.display()))?;
        let group = Group::new(&format!("{}-{}", kind.name(), address.port()))?;
        let mut command = match kind {
            Kind::Secondpost => {
                secondpost::command(&group, programs, &folder, address, destination)
            }
            Kind::Postfix => postfix::command(&group, &folder, address, destination),
            Kind::Exim => exim::command(&group, programs, &folder, address, destination),
            Kind::SmtpSink => Ok(smtp_sink::command(&group, address)),
        }?;
        let child = spawn(&mut command, &folder.join("stderr"))?;
        let mut server = Server { kind, address, group, folder, child };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&mut self) -> Result<(), String> {
        let name = self.kind.name();
        let listens = wait_until(|| TcpStream::connect(self.address).is_ok());
        let has_ended = self.child.try_wait().ok().flatten().is_some();
        match listens && !has_ended {
            true => self.group.settle().map(drop),
            false => Err(format!("error: {name} does not start:\n{}", self.log())),
        }
    }

    /// The end of what it logged.
    pub(crate) fn log(&self) -> String {
        let files = ["stderr", "log", "log/mainlog", "log/paniclog"];
        let texts = files.iter().filter_map(|file| fs::read_to_string(self.folder.join(file)).ok());
        let log = texts.collect::<String>();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &mut Command, log: &Path) -> Result<Child, String> {
    let file = fs::File::create(log).map_err(|e| format!("error: {}: {e}", log.display()))?;
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    command.spawn().map_err(|error| format!("error: {command:?}: {error}"))
}

/// A port that nothing listens on.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|error| format!("error: no port is free: {error}"))
}

/// Whether it happens before patience ends.
fn wait_until(mut happens: impl FnMut() -> bool) -> bool {
    let start = clock::now();
    loop {
        if happens() {
            return true;
        }
        if start.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Makes a folder that the system's user `owner` may write to.
fn folder_of(owner: &str, path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| format!("error: {}: {error}", path.display()))?;
    let status = Command::new("chown").arg(owner).arg(path).status();
    match status.is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err(format!("error: {}: cannot be given to `{owner}`", path.display())),
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("error: {}: {error}", path.display()))
}
