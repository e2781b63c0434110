//! Every dialog of `tests/dialogs`, in one piece, octet by octet, and in pieces that cut
//! line ends: what the server says must not depend on how the octets arrive.

use std::path::{Path, PathBuf};

use crate::dialog::Dialog;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/dialogs");
    let entries = std::fs::read_dir(folder).expect("the workspace has dialogs");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "smtp"));
    files.sort();
    files
}

fn check(piece: usize) {
    let files = files();
    assert!(files.len() >= 20, "only {} dialogs were found", files.len());
    for path in files {
        Dialog::read(&path).play(piece);
    }
}

#[test]
fn dialogs_are_as_written() {
    check(usize::MAX);
}

#[test]
fn dialogs_are_as_written_octet_by_octet() {
    check(1);
}

#[test]
fn dialogs_are_as_written_in_odd_pieces() {
    for piece in [2, 3, 7, 64] {
        check(piece);
    }
}
