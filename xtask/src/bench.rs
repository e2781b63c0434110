//! `cargo xtask bench`: builds the shipped binary and the bench, fetches the servers that
//! are measured beside it, and lets the bench do the rest.
//!
//! Debian's packages of Exim and of Postfix exclude each other, so Exim's are unpacked
//! into target/ and not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages;

const EXIM: &[&str] = &["exim4-daemon-light", "exim4-base"];
/// Where the unpacked Exim says which one it is.
const VERSION: &str = "VERSION";

/// Measures; the arguments are the bench's own.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    packages::provide_peers()?;
    let folder = root.join("target/bench");
    let exim = unpacked_exim(&folder)?;
    build(root)?;
    let programs = root.join("target/release");
    let status = Command::new(programs.join("secondpost-bench"))
        .args(arguments)
        .arg("--secondpost")
        .arg(programs.join("secondpost"))
        .arg("--exim")
        .arg(exim)
        .arg("--folder")
        .arg(&folder)
        .arg("--page")
        .arg(root.join("docs/benchmarks.md"))
        .status()
        .map_err(|error| format!("error: cannot run the bench: {error}"))?;
    if status.success() { Ok(()) } else { Err("error: the bench failed".into()) }
}

fn build(root: &Path) -> Result<(), String> {
    // One after the other: together, the features of one would be built into the other.
    for package in ["secondpost", "secondpost-bench"] {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--release", "--package", package]).current_dir(root);
        if package == "secondpost-bench" {
            command.args(["--all-features"]);
        }
        if !succeeds(&mut command)? {
            return Err(format!("error: {package} does not build"));
        }
    }
    Ok(())
}

/// The folder with Exim's files, fetched where it is not there yet.
fn unpacked_exim(folder: &Path) -> Result<PathBuf, String> {
    let (unpacked, packages) = (folder.join("exim"), folder.join("packages"));
    if !unpacked.join(VERSION).exists() {
        fs::create_dir_all(&packages).map_err(|e| format!("error: {}: {e}", packages.display()))?;
        download(&packages)?;
        let found = fs::read_dir(&packages).map_err(|error| format!("error: {error}"))?;
        for package in found.filter_map(|entry| Some(entry.ok()?.path())) {
            unpack(&package, &unpacked)?;
        }
    }
    if lacks_libraries(&unpacked) {
        packages::provide_libraries_of_exim()?;
    }
    Ok(unpacked)
}

fn download(into: &Path) -> Result<(), String> {
    let download = || {
        let mut command = Command::new("apt-get");
        succeeds(command.arg("download").args(EXIM).current_dir(into))
    };
    // A fresh machine has no lists of packages.
    if download()? || (succeeds(Command::new("apt-get").arg("update"))? && download()?) {
        return Ok(());
    }
    Err(format!("error: apt-get cannot download {}", EXIM.join(" ")))
}

fn unpack(package: &Path, into: &Path) -> Result<(), String> {
    if !succeeds(Command::new("dpkg").arg("-x").arg(package).arg(into))? {
        return Err(format!("error: {} cannot be unpacked", package.display()));
    }
    let version = Command::new("dpkg-deb").arg("-f").arg(package).arg("Version").output();
    let version = version.map_err(|error| format!("error: dpkg-deb: {error}"))?.stdout;
    fs::write(into.join(VERSION), version).map_err(|error| format!("error: {error}"))
}

fn lacks_libraries(unpacked: &Path) -> bool {
    let output = Command::new("ldd").arg(unpacked.join("usr/sbin/exim4")).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("not found"))
}

fn succeeds(command: &mut Command) -> Result<bool, String> {
    let status = command.status();
    status.map(|status| status.success()).map_err(|error| format!("error: {command:?}: {error}"))
}
