//! Where the corpora begin: the examples that the tests of the crates read anyway.

use std::fs;
use std::path::{Path, PathBuf};

use config::Loaded;
use config::render::effective;

use crate::Target;

/// A place with seeds, relative to the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeds {
    /// Every file of a folder.
    Files(&'static str),
    /// The files of a folder, as mails in one file.
    Mailbox(&'static str),
    /// Every line of a file.
    Lines(&'static str),
    /// What the client says in each dialog of a folder.
    Clients(&'static str),
    /// What the server says in each dialog of a folder.
    Servers(&'static str),
    /// Every client's line of the dialogs of a folder.
    Commands(&'static str),
    /// Every setting with its default: together, and each alone.
    Settings,
    /// These words.
    Words(&'static [&'static str]),
}

/// The corpus that a target begins with.
///
/// # Panics
/// Where an example cannot be read: the workspace is not whole.
pub fn seeds(target: &Target) -> Vec<Vec<u8>> {
    target.seeds.iter().flat_map(Seeds::read).collect()
}

impl Seeds {
    fn read(&self) -> Vec<Vec<u8>> {
        match *self {
            Seeds::Files(folder) => files(folder).iter().map(|path| octets(path)).collect(),
            Seeds::Mailbox(folder) => vec![mailbox(folder)],
            Seeds::Lines(file) => lines(&octets(&workspace().join(file))),
            Seeds::Settings => settings(),
            Seeds::Words(words) => words.iter().map(|word| word.as_bytes().to_vec()).collect(),
            Seeds::Clients(folder) => said(folder, "C: ").map(|said| said.concat()).collect(),
            Seeds::Servers(folder) => said(folder, "S: ").map(|said| said.concat()).collect(),
            Seeds::Commands(folder) => said(folder, "C: ").flatten().collect(),
        }
    }
}

fn mailbox(folder: &str) -> Vec<u8> {
    let mails = files(folder).into_iter().map(|path| {
        let line = b"From MAILER-DAEMON Thu Apr 29 23:34:45 2010\n";
        [line.as_slice(), &octets(&path), b"\n\n"].concat()
    });
    mails.collect::<Vec<_>>().concat()
}

/// What one side says in each dialog: its lines with CRLF.
fn said(folder: &str, side: &'static str) -> impl Iterator<Item = Vec<Vec<u8>>> {
    files(folder).into_iter().map(move |path| {
        let dialog = String::from_utf8_lossy(&octets(&path)).into_owned();
        let lines = dialog.lines().filter_map(|line| line.strip_prefix(side));
        lines.map(|line| format!("{line}\r\n").into_bytes()).collect()
    })
}

fn settings() -> Vec<Vec<u8>> {
    let default = Loaded::default();
    let values = default.values();
    let each = values.map(|(field, value)| format!("{} = {value}\n", field.key).into_bytes());
    each.chain([effective(&default, false).into_bytes()]).collect()
}

fn lines(octets: &[u8]) -> Vec<Vec<u8>> {
    octets
        .split(|octet| *octet == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = workspace().join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths
}

fn octets(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
