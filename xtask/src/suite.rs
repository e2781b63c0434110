//! `cargo xtask test`: every test there is, and one closing line.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// How many tests passed and failed, added over the runner's binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Adds what a closing line of the runner says; other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let count = |word: &str| {
            let part = counts.split([';', '.']).find(|part| part.trim().ends_with(word));
            part.and_then(|part| part.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        self.passed += count("passed");
        self.failed += count("failed");
    }
}

/// Installs what is missing, checks the tree, runs the tests.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let install = !arguments.iter().any(|argument| argument == "--no-install");
    crate::packages::provide(install)?;
    // One test needs it and says so; the others need not wait for a registry.
    if let Err(problem) = crate::axe::provide(root, install) {
        eprintln!("{problem}");
    }
    let filter: Vec<&String> = arguments.iter().filter(|a| !a.starts_with("--")).collect();
    let mut tally = Tally::default();
    let tidy = crate::tidy::run(root);
    count_tidy(&tidy, &mut tally);
    let whole = run_tests(root, &filter, &mut tally)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if whole && tidy.is_ok() && tally.failed == 0 { Ok(()) } else { Err(String::new()) }
}

/// The tree's tidiness counts as one test.
fn count_tidy(tidy: &Result<(), String>, tally: &mut Tally) {
    match tidy {
        Ok(()) => tally.passed += 1,
        Err(problem) => {
            tally.failed += 1;
            eprintln!("{problem}");
        }
    }
}

/// Passes the runner's lines on and adds them up. False where cargo failed, which is
/// also so where a test binary died before its closing line.
fn run_tests(root: &Path, filter: &[&String], tally: &mut Tally) -> Result<bool, String> {
    let cannot = |error| format!("error: cannot run cargo: {error}");
    let mut child = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(filter)
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(cannot)?;
            println!("{line}");
            tally.add(&line);
        }
    }
    let status = child.wait().map_err(cannot)?;
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_and_others_are_not() {
        let mut tally = Tally::default();
        tally.add("test result: ok. 11 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured");
        tally.add("test passed::failed ... ok");
        assert_eq!(tally, Tally { passed: 14, failed: 2 });
    }
}
