//! How many system calls a server makes, counted by strace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::group::Group;

/// What writes to files and sockets.
pub(crate) const WRITES: &[&str] = &["write", "writev", "pwrite64", "pwritev", "pwritev2"];
/// What waits for the disk.
pub(crate) const SYNCS: &[&str] = &["fsync", "fdatasync", "sync_file_range", "msync"];

/// How long strace may take to attach itself.
const ATTACHING: Duration = Duration::from_secs(1);

/// Calls by name.
#[derive(Debug, Serialize)]
pub(crate) struct Calls(BTreeMap<String, u64>);

impl Calls {
    pub(crate) fn all(&self) -> u64 {
        self.0.values().sum()
    }

    pub(crate) fn named(&self, names: &[&str]) -> u64 {
        names.iter().filter_map(|name| self.0.get(*name)).sum()
    }

    /// From the table that `strace -c -U calls,name` writes.
    fn read(table: &str) -> Calls {
        let rows = table.lines().filter_map(|line| {
            let (calls, name) = line.trim().split_once(char::is_whitespace)?;
            Some((name.trim().to_owned(), calls.parse().ok()?))
        });
        Calls(rows.filter(|(name, _)| name != "total").collect())
    }
}

/// strace, attached to all processes of a server.
pub(crate) struct Tracer {
    child: Child,
    path: PathBuf,
}

impl Tracer {
    /// Attaches it; from now on all calls are counted.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(crate) fn attach(group: &Group, folder: &Path) -> Result<Tracer, String> {
        let path = folder.join("system-calls");
        let mut command = Command::new("strace");
        command.args(["-f", "-c", "-U", "calls,name", "-o"]).arg(&path);
        for process in group.processes() {
            command.args(["-p", &process.to_string()]);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("error: strace: {error}"))?;
        thread::sleep(ATTACHING);
        Ok(Tracer { child, path })
    }

    /// Detaches it: what was called since.
    ///
    /// # Errors
    /// Where it counted nothing.
    pub(crate) fn finish(mut self) -> Result<Calls, String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let interrupted = pid.map(|pid| kill_process(pid, Signal::INT));
        if !matches!(interrupted, Some(Ok(()))) {
            return Err("error: strace ended by itself".into());
        }
        self.child.wait().map_err(|error| format!("error: strace: {error}"))?;
        let calls = Calls::read(&fs::read_to_string(&self.path).unwrap_or_default());
        if calls.all() == 0 {
            return Err("error: strace counted nothing".into());
        }
        Ok(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_strace_is_read() {
        let table = "    calls syscall\n--------- ----------------\n      120 read\n       \
                     30 fdatasync\n        7 pwrite64\n--------- ----------------\n      \
                     157 total\n";
        let calls = Calls::read(table);
        assert_eq!(calls.all(), 157);
        assert_eq!((calls.named(SYNCS), calls.named(WRITES)), (30, 7));
    }
}
