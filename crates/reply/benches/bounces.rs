//! How many bounces a second are read, over the examples of our own making, or over the
//! folder that `SECONDPOST_BOUNCES` names.

use std::path::{Path, PathBuf};
use std::{env, fs};

use divan::counter::ItemsCount;
use reply::heard::read_any;

fn main() {
    divan::main();
}

/// Every mail below a folder.
fn mails() -> Vec<Vec<u8>> {
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/heard/mail");
    let folder =
        env::var_os("SECONDPOST_BOUNCES").map_or_else(|| PathBuf::from(ours), PathBuf::from);
    let mut mails = Vec::new();
    add(&folder, &mut mails);
    mails
}

fn add(folder: &Path, mails: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            add(&path, mails);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            mails.extend(fs::read(path));
        }
    }
}

#[divan::bench]
fn bounces(bencher: divan::Bencher<'_, '_>) {
    let mails = mails();
    bencher
        .counter(ItemsCount::new(mails.len()))
        .bench_local(|| mails.iter().map(|mail| read_any(mail).len()).sum::<usize>());
}
