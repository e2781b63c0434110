//! axe-core, which checks the pages: fetched below `target/axe`, so that nothing of it is
//! in this repository.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Installs it where it is missing or another version, or says so. npm refuses what is not
/// of the checksum in the lock file.
pub(crate) fn provide(root: &Path, install: bool) -> Result<(), String> {
    let (from, to) = (root.join("crates/secondpost/tests/e2e/axe"), root.join("target/axe"));
    let lock = |folder: &Path| fs::read(folder.join("package-lock.json")).ok();
    let script = to.join("node_modules/axe-core/axe.min.js");
    if script.is_file() && lock(&to) == lock(&from) {
        return Ok(());
    }
    if !install {
        return Err(complaint("it is not in target/axe; run the tests without --no-install"));
    }
    eprintln!("installing axe-core");
    copy(&from, &to).map_err(|error| complaint(&error.to_string()))?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&to);
    let output = npm.output().map_err(|error| complaint(&format!("cannot run npm: {error}")))?;
    if output.status.success() && script.is_file() {
        return Ok(());
    }
    Err(complaint(&String::from_utf8_lossy(&output.stderr)))
}

fn complaint(what: &str) -> String {
    format!("error: the tests need axe-core from npm: {what}")
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(from.join(name), to.join(name))?;
    }
    Ok(())
}
