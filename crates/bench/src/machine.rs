//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::servers::Programs;

/// A machine and what runs on it; each line is for people.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_mib: u64,
    kernel: String,
    file_system: String,
    rustc: String,
    secondpost: String,
    postfix: String,
    exim: String,
}

impl Machine {
    /// This one, with its spools in `folder`.
    pub(crate) fn describe(programs: &Programs, folder: &Path) -> Machine {
        let exim = programs.exim.as_ref().map(|folder| read(&folder.join("VERSION")));
        let cpu = read(Path::new("/proc/cpuinfo"));
        let memory = read(Path::new("/proc/meminfo"));
        Machine {
            cpu: field(&cpu, "model name").unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: field(&memory, "MemTotal").and_then(kib).unwrap_or_default() / 1024,
            kernel: read(Path::new("/proc/sys/kernel/osrelease")),
            file_system: file_system(&read(Path::new("/proc/mounts")), folder),
            rustc: said("rustc", &["-V"]),
            secondpost: said(&programs.secondpost, &["--version"]),
            postfix: said("dpkg-query", &["-W", "-f", "${Version}", "postfix"]),
            exim: exim.unwrap_or_else(|| "not unpacked".into()),
        }
    }

    /// As a list in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let Machine { cpu, cores, memory_mib, kernel, file_system, .. } = self;
        let Machine { rustc, secondpost, postfix, exim, .. } = self;
        format!(
            "- {cores} cores of {cpu}, {memory_mib} MiB of memory\n\
             - Linux {kernel}; the spools on {file_system}\n\
             - {secondpost}, built by {rustc} with the release profile\n\
             - Postfix {postfix} and Exim {exim}, from Debian's packages\n"
        )
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn said(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    output.ok().filter(|said| !said.is_empty()).unwrap_or_else(|| "unknown".into())
}

/// The value behind `name` and a colon.
fn field(text: &str, name: &str) -> Option<String> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut named = values.filter(|(key, _)| key.trim() == name);
    Some(named.next()?.1.trim().to_owned())
}

fn kib(value: String) -> Option<u64> {
    value.trim_end_matches(" kB").parse().ok()
}

/// The kind of file system that `folder` is on, and its options.
fn file_system(mounts: &str, folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    mounts
        .filter(|words| words.len() > 3 && folder.starts_with(words[1]))
        // Of two on the same point the later one is seen.
        .max_by_key(|words| words[1].len())
        .map_or_else(|| "unknown".into(), |words| format!("{} ({})", words[2], words[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name() {
        let text = "processor\t: 0\nmodel name\t: A B\nprocessor\t: 1\nmodel name\t: C\n";
        assert_eq!(field(text, "model name").unwrap(), "A B");
        assert_eq!(field("MemTotal:       24 kB\n", "MemTotal").and_then(kib), Some(24));
        assert_eq!(field(text, "flags"), None);
    }

    #[test]
    fn the_file_system_is_that_of_the_nearest_mount() {
        let mounts = "/dev/a / ext4 rw 0 0\n/dev/b /srv xfs rw,noatime 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/srv/x/y")), "xfs (rw,noatime)");
        assert_eq!(file_system(mounts, Path::new("/home")), "ext4 (rw)");
    }
}
