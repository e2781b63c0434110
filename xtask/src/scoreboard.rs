//! `cargo xtask scoreboard`: how much of the corpus beside the checkout is understood, per
//! cause, with every miss.

use std::path::Path;
use std::process::Command;

/// Runs the example that scores and prints.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "secondpost-reply", "--example", "scoreboard"])
        .current_dir(root)
        .status()
        .map_err(|error| format!("error: cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("error: nothing was scored".into()) }
}
