//! `cargo xtask docs`: writes the pages that are made from declarations. Their staleness
//! is a test of the binary's crate, so that forgetting this chore fails the tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{coverage, tidy};

/// Runs the binary's hidden `docs` subcommand on docs/reference/, and writes the page of
/// RFC coverage.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let page = coverage::page(root, &tidy::sources(root)?);
    fs::write(root.join(coverage::PATH), page)
        .map_err(|error| format!("error: {}: {error}", coverage::PATH))?;
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "secondpost", "--", "docs", "docs/reference"])
        .current_dir(root)
        .status()
        .map_err(|error| format!("error: cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("error: the pages were not written".into()) }
}
