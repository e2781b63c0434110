//! Measures Secondpost beside the servers that people trust: `cargo xtask bench`.
//!
//! Each part is a file of [`parts`]. [`load`] makes the load, [`servers`] starts what is
//! measured, [`rounds`] goes from one to the other, [`report`] writes what was found.
//! docs/benchmarks.md says how to run it, what is measured, and what was.

mod child;
mod clock;
mod disk;
mod group;
mod load;
mod machine;
mod mail;
mod parts;
mod profile;
mod report;
mod rounds;
mod servers;
mod statistics;
mod system_calls;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Map, Value, json};

use child::Task;
use machine::Machine;
use parts::{Part, Setup};
use report::{Report, put_into};
use servers::Programs;

/// Measures Secondpost beside the servers that people trust, on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What to measure; everything where nothing is named
    parts: Vec<Part>,
    /// How often each server has its turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Also write the raw figures there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only see that it works: one short round, fewer messages, nothing kept
    #[arg(long)]
    quick: bool,
    /// Our binary
    #[arg(long, value_name = "FILE", default_value = "target/release/secondpost")]
    secondpost: PathBuf,
    /// The folder that Exim's packages were unpacked into
    #[arg(long, value_name = "FOLDER")]
    exim: Option<PathBuf>,
    /// Where spools and raw figures are
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    folder: PathBuf,
    /// The page whose tables are to be renewed
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// What this process does for another one of its kind
    #[arg(long, hide = true)]
    child: Option<Task>,
    /// How much of it
    #[arg(long, hide = true, default_value_t = 0)]
    count: u64,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), String> {
    if let Some(task) = arguments.child {
        return child::run(task, &arguments.folder, arguments.count);
    }
    raise_descriptors()?;
    let parts = match arguments.parts.as_slice() {
        [] => Part::usual(),
        named => named.to_vec(),
    };
    let Arguments { rounds, quick, secondpost, exim, folder, .. } = arguments;
    let spools = Spools::take(&folder)?;
    let drawings = match arguments.page.as_ref().filter(|_| !quick) {
        Some(page) => page.with_extension(""),
        None => folder.clone(),
    };
    fs::create_dir_all(&drawings).map_err(|e| format!("error: {}: {e}", drawings.display()))?;
    let setup = Setup {
        programs: Programs { secondpost, exim },
        folder: spools.path.clone(),
        drawings,
        rounds: if quick { 1 } else { rounds.max(1) },
        quick,
    };
    let machine = Machine::describe(&setup.programs, &folder);
    println!("{}", machine.markdown());
    let mut all = Map::new();
    for part in parts {
        let report = part.run(&setup)?;
        println!("## {}\n\n{}", part.name(), report.markdown());
        let raw = raw(&machine, &setup, &report);
        if !quick {
            keep(&folder.join(format!("{}.json", part.name())), &raw)?;
        }
        if let Some(page) = arguments.page.as_ref().filter(|_| !quick) {
            renew(page, part.name(), &report.markdown())?;
            // Drawings are no figures: the tables stay those of the machine that is described.
            if part != Part::Flames {
                renew(page, "machine", &machine.markdown())?;
            }
        }
        all.insert(part.name().to_owned(), raw);
    }
    arguments.json.map_or(Ok(()), |path| keep(&path, &Value::Object(all)))
}

/// The folder of the spools while the bench runs: empty at the beginning, gone at its end.
struct Spools {
    path: PathBuf,
    /// Two that measure at once would measure each other.
    _lock: File,
}

impl Spools {
    fn take(folder: &Path) -> Result<Spools, String> {
        let failed = |error: io::Error| format!("error: {}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        // The servers have working directories of their own.
        let path = folder.canonicalize().map_err(failed)?.join("spools");
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| "error: another bench is running".to_owned())?;
        // What a bench that was killed has left.
        group::end_what_was_left();
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => fs::create_dir(&path).map_err(failed)?,
        }
        Ok(Spools { path, _lock: lock })
    }
}

impl Drop for Spools {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The raw figures of a part and what they were measured on.
fn raw(machine: &Machine, setup: &Setup, report: &Report) -> Value {
    json!({
        "machine": machine,
        "rounds": setup.rounds,
        "seconds": setup.time().as_secs_f64(),
        "targets": report.targets,
        "figures": report.raw,
    })
}

fn keep(path: &Path, figures: &Value) -> Result<(), String> {
    let text = serde_json::to_string_pretty(figures).map_err(|error| format!("error: {error}"))?;
    fs::write(path, text + "\n").map_err(|error| format!("error: {}: {error}", path.display()))
}

fn renew(page: &Path, name: &str, content: &str) -> Result<(), String> {
    let failed = |what: String| format!("error: {}: {what}", page.display());
    let text = fs::read_to_string(page).map_err(|error| failed(error.to_string()))?;
    let text = put_into(&text, name, content)?;
    fs::write(page, text).map_err(|error| failed(error.to_string()))
}

/// As many as the system allows, for ourselves and for the servers that we start: one for
/// each session.
fn raise_descriptors() -> Result<(), String> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .map_err(|error| format!("error: the limit of descriptors cannot be raised: {error}"))
}
