//! `cargo xtask fuzz`: the fuzz targets with an engine that looks for new ways through them.
//!
//! The engine and what it watches are built apart, in `target/fuzz`; what it learned stays
//! there and is where the next run begins.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How the compiler marks the ways through the code: what libFuzzer reads.
const WATCHED: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 --cfg fuzzing";
const PACKAGE: &str = "secondpost-fuzz";
/// Longest input in octets: what is bounded stays bounded, and runs stay fast.
const MOST_OCTETS: u32 = 32 << 10;

struct Wanted {
    seconds: u32,
    canary: bool,
    targets: Vec<String>,
}

/// Fuzzes the named targets, or all.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let wanted = wanted(arguments)?;
    crate::packages::provide_engine()?;
    let folder = root.join("target/fuzz");
    let programs = Programs::build(root, &folder)?;
    if wanted.canary {
        return find_the_canary(&programs, wanted.seconds);
    }
    let all = programs.targets()?;
    let targets = if wanted.targets.is_empty() { all } else { wanted.targets };
    for target in &targets {
        println!("fuzzing {target} for {} s", wanted.seconds);
        if !programs.fuzz(target, wanted.seconds)? {
            let found = programs.corpus_of(target).with_file_name("found-");
            return Err(format!(
                "error: `{target}` broke a promise; the octets are in {}*\n\
                 help: make a test of them where that reader is tested, then mend it",
                found.display()
            ));
        }
    }
    println!("{} targets kept their promises", targets.len());
    Ok(())
}

fn wanted(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted { seconds: 60, canary: false, targets: Vec::new() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-s" => {
                let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
                wanted.seconds = seconds.ok_or("error: -s wants a number of seconds")?;
            }
            "--canary" => wanted.canary = true,
            option if option.starts_with('-') => {
                return Err(format!("error: `{option}` is no option of `cargo xtask fuzz`"));
            }
            target => wanted.targets.push(target.to_owned()),
        }
    }
    Ok(wanted)
}

/// How often the search for the planted bug begins anew: one that has gone astray among
/// long octets seldom comes back to the few that matter.
const CANARY_RUNS: u32 = 4;

/// The engine must find the bug that was planted, or it finds nothing.
fn find_the_canary(programs: &Programs, seconds: u32) -> Result<(), String> {
    for _ in 0..CANARY_RUNS {
        if !programs.fuzz("canary", (seconds / CANARY_RUNS).max(1))? {
            println!("the planted bug was found");
            return Ok(());
        }
    }
    Err(format!("error: the planted bug was not found in {seconds} s"))
}

/// The engine around the targets, and where its runs leave what they learn.
struct Programs {
    root: PathBuf,
    folder: PathBuf,
    engine: PathBuf,
}

impl Programs {
    fn build(root: &Path, folder: &Path) -> Result<Programs, String> {
        let host = host()?;
        // Only what is for the host is watched: with a target named, build scripts are not.
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--package", PACKAGE, "--features", "engine"])
            .args(["--bin", "fuzz", "--target", &host, "--target-dir"])
            .arg(folder)
            .env("RUSTFLAGS", WATCHED)
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .current_dir(root)
            .status()
            .map_err(|error| format!("error: cannot run cargo: {error}"))?;
        if !status.success() {
            return Err("error: the fuzz targets do not build".into());
        }
        let engine = folder.join(host).join("release/fuzz");
        Ok(Programs { root: root.to_owned(), folder: folder.to_owned(), engine })
    }

    /// The writer of seeds. It is not watched, so it is built as the tests are.
    fn seeds(&self) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(&self.root);
        command.args(["run", "--quiet", "--package", PACKAGE, "--bin", "seeds", "--"]);
        command
    }

    fn targets(&self) -> Result<Vec<String>, String> {
        let output = self.seeds().output();
        let output = output.map_err(|error| format!("error: cannot run cargo: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    fn corpus_of(&self, target: &str) -> PathBuf {
        self.folder.join("runs").join(target).join("corpus")
    }

    /// Whether every promise was kept for `seconds`.
    fn fuzz(&self, target: &str, seconds: u32) -> Result<bool, String> {
        let corpus = self.corpus_of(target);
        let folder = corpus.parent().unwrap_or(&corpus);
        let run = |command: &mut Command| {
            command.status().map_err(|error| format!("error: {command:?}: {error}"))
        };
        if !run(self.seeds().arg(target).arg(folder))?.success() {
            return Err(format!("error: `{target}` has no seeds"));
        }
        let dictionary = Some(folder.join("words.dict")).filter(|path| path.is_file());
        let status = run(Command::new(&self.engine)
            .arg(&corpus)
            .args(dictionary.map(|path| format!("-dict={}", path.display())))
            .arg(format!("-artifact_prefix={}/found-", folder.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={MOST_OCTETS}"))
            .args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=1"])
            .env("SECONDPOST_FUZZ", target))?;
        Ok(status.success())
    }
}

/// The name of this machine's kind, as the compiler spells it.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| format!("error: cannot run rustc: {error}"))?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| "error: rustc does not say what it compiles for".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Wanted, String> {
        wanted(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn targets_and_time_are_named() {
        let wanted = read(&["-s", "5", "session", "mail"]).unwrap();
        assert_eq!((wanted.seconds, wanted.canary), (5, false));
        assert_eq!(wanted.targets, ["session", "mail"]);
        assert!(read(&["--canary"]).unwrap().canary);
        assert!(read(&["-s"]).is_err() && read(&["-s", "x"]).is_err() && read(&["--all"]).is_err());
    }
}
