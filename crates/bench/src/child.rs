//! Tasks that run in a process of their own: to be killed, or because what is asked for is
//! the memory of a process that did nothing else.
//!
//! A child is this program again; it writes one line of JSON, and then waits until its
//! standard input ends.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use clap::ValueEnum;
use serde_json::Value;

use crate::parts::{greylist, queue};

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Task {
    /// Puts messages into a spool, as deferred ones.
    FillQueue,
    /// Opens the spool.
    OpenQueue,
    /// Fills a greylist and asks it.
    Greylist,
}

/// The child's side.
///
/// # Errors
/// As the task's own.
pub(crate) fn run(task: Task, folder: &Path, count: u64) -> Result<(), String> {
    match task {
        Task::FillQueue => queue::fill(folder, count),
        Task::OpenQueue => queue::open(folder),
        Task::Greylist => greylist::measure(folder, count),
    }
}

/// Tells the parent, and waits until it has had what it wanted.
pub(crate) fn tell(found: &Value) {
    println!("{found}");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// A child that has told what it found. Dropped, it is killed.
pub(crate) struct Told {
    pub(crate) found: Value,
    child: Child,
    stdin: Option<ChildStdin>,
}

/// Starts a child and waits for its line.
///
/// # Errors
/// Where it fails; it has said why.
pub(crate) fn start(task: Task, folder: &Path, count: u64) -> Result<Told, String> {
    let failed = |error: &dyn std::fmt::Display| format!("error: {task:?}: {error}");
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let name = task.to_possible_value().map(|name| name.get_name().to_owned());
    let mut child = Command::new(program)
        .args(["--child", &name.unwrap_or_default(), "--count", &count.to_string(), "--folder"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(|error| failed(&error))?;
    }
    let stdin = child.stdin.take();
    // Dropped with an error, it is killed.
    let mut told = Told { found: Value::Null, child, stdin };
    let found = serde_json::from_str(&line);
    told.found = found.map_err(|_| failed(&"it ended before it had told what it found"))?;
    Ok(told)
}

impl Told {
    /// A figure by its name; 0 where there is none.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        self.found[name].as_f64().unwrap_or_default()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Lets it end by itself.
    ///
    /// # Errors
    /// Where it fails.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        drop(self.stdin.take());
        let status = self.child.wait().map_err(|error| format!("error: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("error: a child ended with {status}")) }
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.end();
    }
}
