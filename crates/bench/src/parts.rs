//! The parts of the bench, each in its file and under its name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use crate::report::Report;
use crate::servers::{Destination, Kind, Programs, Server};

mod accept;
mod connect;
mod explain;
mod flames;
pub(crate) mod greylist;
mod idle;
pub(crate) mod queue;
mod reject;
mod relay;
mod spool;

/// A part, as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Mail taken durably, at several sizes and numbers of sessions.
    Accept,
    /// Mail taken and handed on to another server.
    Relay,
    /// Recipients refused.
    Reject,
    /// Connections that come and go.
    Connect,
    /// Sessions that are held and say nothing.
    Idle,
    /// Messages appended to the spool, beside the raw disk.
    Spool,
    /// A queue of a million deferred messages.
    Queue,
    /// Greylist decisions, beside postgrey.
    Greylist,
    /// Replies, bounces and logs that are understood.
    Explain,
    /// Where our own time goes, as drawings; only where it is named.
    Flames,
}

impl Part {
    /// What is measured where nothing is named: all that has a target.
    pub(crate) fn usual() -> Vec<Part> {
        let all = Part::value_variants().iter().copied();
        all.filter(|part| *part != Part::Flames).collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Accept => "accept",
            Part::Relay => "relay",
            Part::Reject => "reject",
            Part::Connect => "connect",
            Part::Idle => "idle",
            Part::Spool => "spool",
            Part::Queue => "queue",
            Part::Greylist => "greylist",
            Part::Explain => "explain",
            Part::Flames => "flames",
        }
    }

    /// Measures.
    ///
    /// # Errors
    /// Where something is not as expected; nothing of the part is then kept.
    pub(crate) fn run(self, setup: &Setup) -> Result<Report, String> {
        match self {
            Part::Accept => accept::run(setup),
            Part::Relay => relay::run(setup),
            Part::Reject => reject::run(setup),
            Part::Connect => connect::run(setup),
            Part::Idle => idle::run(setup),
            Part::Spool => spool::run(setup),
            Part::Queue => queue::run(setup),
            Part::Greylist => greylist::run(setup),
            Part::Explain => explain::run(setup),
            Part::Flames => flames::run(setup),
        }
    }
}

/// How much is measured, and with what.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) programs: Programs,
    /// Where the spools are: all on one file system.
    pub(crate) folder: PathBuf,
    /// Where flame graphs go.
    pub(crate) drawings: PathBuf,
    pub(crate) rounds: usize,
    /// Only to see that it works.
    pub(crate) quick: bool,
}

impl Setup {
    /// How long each load lasts.
    pub(crate) fn time(&self) -> Duration {
        if self.quick { Duration::from_millis(300) } else { Duration::from_secs(3) }
    }

    /// How long the raw disk is measured beside each load.
    pub(crate) fn raw_time(&self) -> Duration {
        self.time() / 6
    }

    /// Rounds of what is less noisy, being counted by processor time, or is no target.
    pub(crate) fn few_rounds(&self) -> usize {
        self.rounds.min(2)
    }

    /// A folder for a part.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(crate) fn part_folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        make(&folder)?;
        Ok(folder)
    }
}

/// Starts servers that are to be compared.
fn start(
    kinds: &[Kind],
    setup: &Setup,
    folder: &Path,
    destination: Destination,
) -> Result<Vec<Server>, String> {
    kinds.iter().map(|kind| Server::start(*kind, &setup.programs, folder, destination)).collect()
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("error: {}: {error}", folder.display()))
}
