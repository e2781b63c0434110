//! A control group for each server: what its processes use is counted, also of those that
//! ended and that nobody waited for, and none of them outlives the bench.
//!
//! Needs cgroup version 2, mounted anywhere, and root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::clock;

/// What the names of our groups begin with.
const PREFIX: &str = "secondpost-bench-";
/// How often it is looked whether a server is still at work.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A server that uses less than this share of a core has nothing to do.
const IDLE_SHARE: f64 = 0.04;
/// How many looks in a row must find it idle.
const IDLE_LOOKS: u32 = 3;
/// As the server does it.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(1);
/// How long a server may work off what it took.
const PATIENCE: Duration = Duration::from_secs(120);

/// A group. Dropped, its processes are killed.
#[derive(Debug)]
pub(crate) struct Group {
    path: PathBuf,
}

impl Group {
    /// A new group.
    ///
    /// # Errors
    /// Where there are no control groups, or not for us.
    pub(crate) fn new(name: &str) -> Result<Group, String> {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let root = mount_point(&mounts).ok_or("error: no cgroup2 is mounted")?;
        let path = root.join(format!("{PREFIX}{}-{name}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => Ok(Group { path }),
            Err(error) => Err(format!("error: {}: {error}\nhelp: be root", path.display())),
        }
    }

    /// A command that runs within the group, with all that it starts.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("/bin/sh");
        let enter = "echo $$ > \"$0\" && exec \"$@\"";
        command.args(["-c", enter]).arg(self.path.join("cgroup.procs")).arg(program);
        command
    }

    /// What its processes used of the processors so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(self.path.join("cpu.stat")).unwrap_or_default();
        Duration::from_micros(usage_micros(&stat).unwrap_or_default())
    }

    /// Its processes.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let list = fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default();
        list.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Octets that its processes hold in memory; what they share counts once.
    pub(crate) fn memory(&self) -> u64 {
        self.processes().into_iter().map(memory_of).sum()
    }

    /// Waits until it has nothing more to do; for how long.
    ///
    /// # Errors
    /// Where it works for longer than two minutes.
    pub(crate) fn settle(&self) -> Result<Duration, String> {
        let start = clock::now();
        let mut last_busy = start;
        let mut idle_looks = 0;
        while idle_looks < IDLE_LOOKS {
            let before = self.cpu();
            thread::sleep(LOOK_EVERY);
            let used = self.cpu().saturating_sub(before);
            let is_idle = used < LOOK_EVERY.mul_f64(IDLE_SHARE);
            idle_looks = if is_idle { idle_looks + 1 } else { 0 };
            if !is_idle {
                last_busy = clock::now();
            }
            if start.elapsed() > PATIENCE {
                return Err("error: a server does not come to rest".into());
            }
        }
        Ok(last_busy - start)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Only what was started within the group is in it.
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
        for _ in 0..100 {
            if self.processes().is_empty() {
                break;
            }
            thread::sleep(LOOK_EVERY);
        }
        let _ = fs::remove_dir(&self.path);
    }
}

/// Ends what a bench that was killed has left running.
pub(crate) fn end_what_was_left() {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let Some(root) = mount_point(&mounts) else { return };
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let owner = entry.file_name().to_str().and_then(owner);
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists()) {
            drop(Group { path: entry.path() });
        }
    }
}

/// The process that made the group of this name, where a bench did.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split_once('-')?.0.parse().ok()
}

fn mount_point(mounts: &str) -> Option<PathBuf> {
    let mut lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let line = lines.find(|words| words.get(2) == Some(&"cgroup2"))?;
    Some(Path::new(line.get(1)?).to_owned())
}

fn usage_micros(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse().ok())
}

/// Octets that this process holds in memory.
pub(crate) fn own_memory() -> u64 {
    memory_of(std::process::id())
}

/// The same, when what was freed has been given back, as the server does each second.
pub(crate) fn own_lasting_memory() -> u64 {
    for _ in 0..2 {
        thread::sleep(GIVE_BACK_EVERY);
        memory::give_back();
    }
    own_memory()
}

/// Its proportional share of what it and others have in memory; 0 where it has ended.
fn memory_of(process: u32) -> u64 {
    let path = format!("/proc/{process}/smaps_rollup");
    proportional_octets(&fs::read_to_string(path).unwrap_or_default()).unwrap_or_default()
}

fn proportional_octets(rollup: &str) -> Option<u64> {
    let value = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = value.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_made_where_version_2_is_mounted() {
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n";
        assert_eq!(mount_point(mounts).unwrap(), Path::new("/sys/fs/cgroup/unified"));
        assert_eq!(mount_point("proc /proc proc rw 0 0\n"), None);
    }

    #[test]
    fn a_group_says_which_bench_made_it() {
        assert_eq!(owner("secondpost-bench-31294-Postfix-32901"), Some(31294));
        assert_eq!(owner("secondpost-bench-x-Postfix"), None);
        assert_eq!(owner("system.slice"), None);
    }

    #[test]
    fn what_was_used_is_read_from_its_statistics() {
        assert_eq!(usage_micros("usage_usec 1234\nuser_usec 1000\n"), Some(1234));
        assert_eq!(usage_micros(""), None);
    }

    #[test]
    fn memory_is_the_proportional_share() {
        let rollup = "00400000-7ffd rollup\nRss:    2000 kB\nPss:     12 kB\nPss_Dirty: 4 kB\n";
        assert_eq!(proportional_octets(rollup), Some(12 * 1024));
        assert!(own_memory() > 0);
    }
}
