//! Where a server's time goes: perf takes samples of all its threads, and what they were
//! in is drawn as a flame graph.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use inferno::collapse::Collapse;
use inferno::collapse::perf::Folder;
use inferno::flamegraph;
use rustix::process::{Pid, Signal, kill_process};

use crate::group::Group;

/// How long perf may take to attach itself.
const ATTACHING: Duration = Duration::from_millis(500);
/// Samples a second of each thread that runs: no multiple of what a timer does.
const FREQUENCY: &str = "797";
/// Callers are found by the tables that every program carries for unwinding, in a copy of
/// so much of each stack.
const CALLERS: &str = "dwarf,16384";
/// Narrower frames are left out of the drawing, in percent of its width.
const LEAST_WIDTH: f64 = 0.1;

/// perf, attached to all processes of a server.
pub(crate) struct Profile {
    child: Child,
    path: PathBuf,
}

impl Profile {
    /// Attaches it.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(crate) fn attach(group: &Group, folder: &Path) -> Result<Profile, String> {
        let path = folder.join("perf.data");
        let processes: Vec<String> = group.processes().iter().map(u32::to_string).collect();
        let mut command = Command::new("perf");
        command.args(["record", "-F", FREQUENCY, "--call-graph", CALLERS, "-o"]).arg(&path);
        command.args(["-p", &processes.join(",")]).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("error: perf: {error}"))?;
        thread::sleep(ATTACHING);
        Ok(Profile { child, path })
    }

    /// Detaches it: the stacks that were seen since.
    ///
    /// # Errors
    /// Where it saw none.
    pub(crate) fn finish(mut self) -> Result<Stacks, String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let interrupted = pid.map(|pid| kill_process(pid, Signal::INT));
        if !matches!(interrupted, Some(Ok(()))) {
            return Err("error: perf ended by itself".into());
        }
        let failed = |error: std::io::Error| format!("error: perf: {error}");
        self.child.wait().map_err(failed)?;
        let mut script = Command::new("perf");
        script.args(["script", "-i"]).arg(&self.path).stderr(Stdio::null());
        let mut script = script.stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut folded = Vec::new();
        if let Some(stdout) = script.stdout.take() {
            let samples = BufReader::new(stdout);
            Folder::default().collapse(samples, &mut folded).map_err(failed)?;
        }
        script.wait().map_err(failed)?;
        let stacks = Stacks(String::from_utf8_lossy(&folded).lines().map(str::to_owned).collect());
        if stacks.0.is_empty() { Err("error: perf saw nothing".into()) } else { Ok(stacks) }
    }
}

/// Stacks and the nanoseconds that each stands for, a line each: `thread;outer;inner 1254705`.
pub(crate) struct Stacks(Vec<String>);

impl Stacks {
    /// Draws them.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(crate) fn draw(&self, title: &str, path: &Path) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("error: {}: {error}", path.display());
        let file = File::create(path).map_err(|error| failed(&error))?;
        let mut options = flamegraph::Options::default();
        options.title = title.to_owned();
        options.count_name = "ns".to_owned();
        options.min_width = LEAST_WIDTH;
        options.deterministic = true;
        let lines = self.0.iter().map(String::as_str);
        flamegraph::from_lines(&mut options, lines, BufWriter::new(file))
            .map_err(|error| failed(&error))
    }

    /// The share of each thread's name, the largest first.
    pub(crate) fn threads(&self) -> Vec<(String, f64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for line in &self.0 {
            let Some((stack, count)) = line.rsplit_once(' ') else { continue };
            let thread = stack.split(';').next().unwrap_or_default();
            *counts.entry(thread).or_default() += count.parse::<u64>().unwrap_or(0);
        }
        let all = counts.values().sum::<u64>().max(1) as f64;
        let mut shares: Vec<(String, f64)> =
            counts.into_iter().map(|(name, count)| (name.to_owned(), count as f64 / all)).collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_their_shares_and_the_drawing_names_what_they_were_in() {
        let lines = ["worker;main;read 30", "worker;main;write 10", "spool-writer;sync 40"];
        let stacks = Stacks(lines.map(str::to_owned).to_vec());
        let threads = [("spool-writer".to_owned(), 0.5), ("worker".to_owned(), 0.5)];
        assert_eq!(stacks.threads(), threads);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("load.svg");
        stacks.draw("what a load does", &path).unwrap();
        let drawn = std::fs::read_to_string(path).unwrap();
        assert!(drawn.starts_with("<?xml") && drawn.contains("what a load does"));
        assert!(drawn.contains("sync (40 ns, 50.00%)"), "{drawn}");
    }
}
