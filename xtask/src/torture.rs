//! `cargo xtask torture`: the long forms of the tests that say that nothing is lost.
//!
//! Each part runs tests that every `cargo test` runs as well, for longer: variables of the
//! environment say how much. What they counted stands in lines with `counted:`, and in the
//! table at the end. docs/reliability.md says what is promised, and what came of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many times as long as the short form.
const TIMES: &str = "SECONDPOST_TORTURE";
const SIM_SEEDS: &str = "SIM_SEEDS";
const LOAD_SECONDS: &str = "SECONDPOST_LOAD_SECONDS";
const MARK: &str = "counted: ";

/// A part, by the name that it is called with.
struct Part {
    name: &'static str,
    what: &'static str,
    runs: &'static [Run],
}

/// Something that a part runs.
enum Run {
    /// `cargo test` of this, with a variable that makes it long.
    Tests(&'static [&'static str], (&'static str, &'static str)),
    /// The engine of the fuzz targets; first it has to find the bug that was planted.
    Fuzz(u32),
}

const STORE: &[&str] = &["-p", "secondpost-store"];
const QUEUE: &[&str] = &["-p", "secondpost-queue", "torture::"];
const SIMULATION: &[&str] = &["-p", "secondpost-sim", "keep_every_promise"];
const KILL: &[&str] = &["-p", "secondpost", "--test", "e2e", "kill::"];
const KILL_POINTS: &[&str] = &["-p", "secondpost", "--test", "e2e", "kill_points::"];
const REAL_DISKS: &[&str] = &["-p", "secondpost", "--test", "e2e", "_disk::"];
const CLOCK: &[&str] = &["-p", "secondpost", "--test", "e2e", "clock::"];
const PEERS: &[&str] = &["-p", "secondpost", "--test", "e2e", "_peers::"];
const SERVERS: &[&str] = &["-p", "secondpost-mta", "--lib", "hostile::"];
const SETTINGS: &[&str] = &["-p", "secondpost-config", "mutations::"];
const LOAD: &[&str] = &["-p", "secondpost", "--test", "e2e", "load::"];
const SHED: &[&str] = &["-p", "secondpost", "--test", "e2e", "shed::"];

const PARTS: &[Part] = &[
    Part {
        name: "kill",
        what: "1,000 kills under mixed load, and one at every write, sync and rename",
        runs: &[Run::Tests(KILL, (TIMES, "50")), Run::Tests(KILL_POINTS, (TIMES, "50"))],
    },
    Part {
        name: "disk",
        what: "power cuts at every call, tearing, failing and full disks, against a map",
        runs: &[
            Run::Tests(STORE, (TIMES, "100")),
            Run::Tests(QUEUE, (TIMES, "100")),
            Run::Tests(REAL_DISKS, (TIMES, "1")),
        ],
    },
    Part {
        name: "time",
        what: "clocks that are set by days, while the server runs and while it does not",
        runs: &[Run::Tests(CLOCK, (TIMES, "5"))],
    },
    Part {
        name: "peers",
        what: "clients and servers that do what nobody should",
        runs: &[Run::Tests(PEERS, (TIMES, "5")), Run::Tests(SERVERS, (TIMES, "5"))],
    },
    Part {
        name: "simulation",
        what: "10,000 seeds of two servers and eighteen kinds of sites",
        runs: &[Run::Tests(SIMULATION, (SIM_SEEDS, "10000"))],
    },
    Part {
        name: "fuzz",
        what: "a minute for each target, and settings files that nobody should write",
        runs: &[Run::Fuzz(60), Run::Tests(SETTINGS, (TIMES, "100"))],
    },
    Part {
        name: "load",
        what: "an hour of mail, most of it to a dead host",
        runs: &[Run::Tests(LOAD, (LOAD_SECONDS, "3600"))],
    },
    Part {
        name: "shed",
        what: "more connections, descriptors and messages than there is room for",
        runs: &[Run::Tests(SHED, (TIMES, "5"))],
    },
];

/// What came of a part.
struct Row {
    part: &'static str,
    took: Duration,
    counted: Vec<String>,
    failed: Vec<String>,
}

struct Wanted {
    list: bool,
    debug: bool,
    /// In place of the parts' own lengths: the factor, and the seconds of load and fuzzing.
    times: Option<String>,
    seconds: Option<String>,
    parts: Vec<&'static Part>,
}

/// Runs the named parts, or all.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    let wanted = wanted(arguments)?;
    if wanted.list {
        PARTS.iter().for_each(|part| println!("{:<11} {}", part.name, part.what));
        return Ok(());
    }
    crate::packages::provide(true)?;
    let rows: Vec<Row> = wanted.parts.iter().map(|part| run_part(root, part, &wanted)).collect();
    rows.iter().for_each(show);
    match rows.iter().filter(|row| !row.failed.is_empty()).count() {
        0 => Ok(()),
        failed => Err(format!("error: {failed} of {} parts failed", rows.len())),
    }
}

fn wanted(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted =
        Wanted { list: false, debug: false, times: None, seconds: None, parts: Vec::new() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().filter(|number| number.parse::<u32>().is_ok());
            number.cloned().map(Some).ok_or(format!("error: {argument} wants a number"))
        };
        match argument.as_str() {
            "--list" => wanted.list = true,
            "--debug" => wanted.debug = true,
            "-x" => wanted.times = number()?,
            "-s" => wanted.seconds = number()?,
            name => {
                let part = PARTS.iter().find(|part| part.name == name);
                wanted.parts.push(part.ok_or_else(|| unknown(name))?);
            }
        }
    }
    if wanted.parts.is_empty() {
        wanted.parts = PARTS.iter().collect();
    }
    Ok(wanted)
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
    format!("error: there is no part `{name}`\nhelp: the parts are {}", names.join(", "))
}

fn run_part(root: &Path, part: &'static Part, wanted: &Wanted) -> Row {
    eprintln!("{}: {}", part.name, part.what);
    let began = now();
    let mut row =
        Row { part: part.name, took: Duration::ZERO, counted: Vec::new(), failed: Vec::new() };
    for run in part.runs {
        match run {
            Run::Tests(words, long) => run_tests(root, words, *long, wanted, &mut row),
            Run::Fuzz(seconds) => run_fuzz(root, *seconds, wanted, &mut row),
        }
    }
    row.took = began.elapsed();
    row
}

#[allow(clippy::disallowed_methods)] // a chore may look at the clock
fn now() -> Instant {
    Instant::now()
}

/// How long, where the caller says nothing else.
fn length(long: (&'static str, &'static str), wanted: &Wanted) -> (&'static str, String) {
    let (variable, usual) = long;
    let given = match variable {
        LOAD_SECONDS => wanted.seconds.clone(),
        // 200 seeds are the short form.
        SIM_SEEDS => wanted
            .times
            .as_ref()
            .and_then(|times| Some(times.parse::<u64>().ok()? * 200))
            .map(|seeds| seeds.to_string()),
        _ => wanted.times.clone(),
    };
    (variable, given.unwrap_or_else(|| usual.to_owned()))
}

fn run_tests(
    root: &Path,
    words: &[&str],
    long: (&'static str, &'static str),
    wanted: &Wanted,
    row: &mut Row,
) {
    let (variable, value) = length(long, wanted);
    let profile: &[&str] = if wanted.debug { &[] } else { &["--release"] };
    // One test after the other: what is measured is not disturbed, and lines stay whole.
    let words = [&["test"], profile, words, &["--", "--nocapture", "--test-threads=1"]].concat();
    let mut command = Command::new(env!("CARGO"));
    command.args(&words).env(variable, &value).current_dir(root).stdout(Stdio::piped());
    let again = format!("{variable}={value} cargo {}", words.join(" "));
    let passed = command.spawn().and_then(|mut child| {
        let stdout = child.stdout.take();
        for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
            pass_on(&line?, row);
        }
        Ok(child.wait()?.success())
    });
    if !passed.unwrap_or(false) {
        row.failed.push(again);
    }
}

/// Shows a line, and keeps what was counted.
fn pass_on(line: &str, row: &mut Row) {
    println!("{line}");
    if let Some((_, counted)) = line.split_once(MARK) {
        row.counted.push(counted.to_owned());
    }
}

fn run_fuzz(root: &Path, seconds: u32, wanted: &Wanted, row: &mut Row) {
    let seconds = wanted.seconds.clone().unwrap_or_else(|| seconds.to_string());
    let words = |more: &[&str]| {
        let words = ["-s", &seconds].into_iter().chain(more.iter().copied());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    for more in [&["--canary"][..], &[]] {
        match crate::fuzz::run(root, &words(more)) {
            Ok(()) if more.is_empty() => {
                row.counted.push(format!("{seconds} s for each target: every promise kept"));
            }
            Ok(()) => row.counted.push("the planted bug was found".to_owned()),
            Err(problem) => {
                eprintln!("{problem}");
                row.failed.push(format!("cargo xtask fuzz {}", words(more).join(" ")));
            }
        }
    }
}

fn show(row: &Row) {
    let verdict = if row.failed.is_empty() { "passed" } else { "FAILED" };
    println!("\n{:<11} {verdict} in {} s", row.part, row.took.as_secs());
    row.counted.iter().for_each(|counted| println!("{:<11} {counted}", ""));
    row.failed.iter().for_each(|again| println!("{:<11} again: {again}", ""));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Wanted, String> {
        wanted(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn parts_are_named_and_all_of_them_are_the_default() {
        let names = |wanted: Wanted| wanted.parts.iter().map(|part| part.name).collect::<Vec<_>>();
        assert_eq!(names(read(&["disk", "kill"]).unwrap()), ["disk", "kill"]);
        assert_eq!(read(&[]).unwrap().parts.len(), PARTS.len());
        assert!(read(&["disc"]).err().unwrap().contains("the parts are kill, disk,"));
        assert!(read(&["-x"]).is_err() && read(&["-s", "long"]).is_err());
    }

    #[test]
    fn lengths_are_the_parts_own_until_others_are_given() {
        let long = |arguments: &[&str], long| length(long, &read(arguments).unwrap()).1;
        assert_eq!(long(&[], (TIMES, "50")), "50");
        assert_eq!(long(&["-x", "2", "-s", "9"], (TIMES, "50")), "2");
        assert_eq!(long(&["-x", "2", "-s", "9"], (SIM_SEEDS, "10000")), "400");
        assert_eq!(long(&["-x", "2", "-s", "9"], (LOAD_SECONDS, "3600")), "9");
    }

    #[test]
    fn what_was_counted_is_found_behind_the_runners_words() {
        let (took, counted) = (Duration::ZERO, Vec::new());
        let mut row = Row { part: "kill", took, counted, failed: Vec::new() };
        pass_on("test kill::nothing ... counted: 20 kills, 0 lost", &mut row);
        pass_on("ok", &mut row);
        assert_eq!(row.counted, ["20 kills, 0 lost"]);
    }
}
