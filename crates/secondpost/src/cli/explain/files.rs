//! Files and folders to explain: mails, mboxes, Maildirs, notices, logs, lists of replies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::log::input::{self, Input, PIECE_OCTETS};

/// Most octets that are read of one file.
pub(super) const MAX_FILE_OCTETS: usize = 64 * 1024 * 1024;
/// Most folders within folders.
const MAX_DEPTH: usize = 16;

/// The files in `paths`, in the order of the paths; those of a folder by their names. The
/// folder `tmp` of a Maildir holds what is not delivered yet, and is passed over.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            add_folder(path, 0, &mut files).map_err(|error| failure(path, &error))?;
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn add_folder(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    let is_maildir = folder.join("cur").is_dir() && folder.join("new").is_dir();
    for path in entries {
        if path.is_dir() {
            let is_tmp = is_maildir && path.file_name().is_some_and(|name| name == "tmp");
            if depth < MAX_DEPTH && !is_tmp {
                add_folder(&path, depth + 1, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What a file holds, up to a bound; gzip and zstd are opened, `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    whole(path).map_err(|error| input::failure(path, error))
}

fn whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut input = Input::open(path)?;
    let mut octets = Vec::new();
    let mut piece = vec![0; PIECE_OCTETS];
    while octets.len() < MAX_FILE_OCTETS {
        let count = input.read(&mut piece)?;
        if count == 0 {
            break;
        }
        octets.extend_from_slice(&piece[..count.min(MAX_FILE_OCTETS - octets.len())]);
    }
    Ok(octets)
}

/// What is wrong with a file or folder.
fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}`: {error}", path.display()))
}
