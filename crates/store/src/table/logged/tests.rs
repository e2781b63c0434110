//! The logged table on a real directory: what comes back, and what a rewrite leaves.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::*;
use crate::disk::FileSystem;

fn open(folder: &Path, now: u64) -> (LoggedTable<FileSystem>, TableRecovery) {
    LoggedTable::open(FileSystem::new(folder).unwrap(), "seen", now).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names = FileSystem::new(folder).unwrap().list().unwrap();
    names.sort();
    names
}

fn all(table: &LoggedTable<FileSystem>, now: u64) -> BTreeMap<Vec<u8>, (Vec<u8>, u64)> {
    let mut found = BTreeMap::new();
    table.scan(b"", now, &mut |key, value, expires| {
        found.insert(key.to_vec(), (value.to_vec(), expires));
        true
    });
    found
}

#[test]
fn what_was_flushed_comes_back_and_what_expired_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (table, recovery) = open(folder.path(), 0);
    assert_eq!(recovery, TableRecovery::default());
    table.put(b"a", b"old", 100).unwrap();
    table.put(b"b", b"short", 10).unwrap();
    table.flush(1).unwrap();
    table.put(b"a", b"expires first", 10).unwrap();
    table.put(b"c", b"1", 100).unwrap();
    assert!(table.compare_and_set(b"c", Some(b"1"), b"2", 100, 1).unwrap());
    assert!(!table.compare_and_set(b"c", Some(b"1"), b"3", 100, 1).unwrap());
    table.put(b"d", b"", 100).unwrap();
    assert!(table.remove(b"d").unwrap());
    table.flush(2).unwrap();
    table.put(b"e", b"never flushed", 100).unwrap();
    drop(table);
    let (table, recovery) = open(folder.path(), 50);
    assert_eq!(recovery, TableRecovery { entries: 1, dropped_octets: 0 });
    assert_eq!(all(&table, 50), [(b"c".to_vec(), (b"2".to_vec(), 100))].into());
    // Not even an older value of a key whose last value has expired.
    assert_eq!(open(folder.path(), 5).0.get(b"a", 5), Some(b"expires first".to_vec()));
}

#[test]
fn an_unreadable_tail_is_dropped_and_gone_after_the_next_flush() {
    let folder = tempfile::tempdir().unwrap();
    let (table, _) = open(folder.path(), 0);
    table.put(b"a", b"1", 100).unwrap();
    table.flush(0).unwrap();
    drop(table);
    let path = folder.path().join("seen.1.table");
    OpenOptions::new().append(true).open(path).unwrap().write_all(&[9; 33]).unwrap();
    let (table, recovery) = open(folder.path(), 0);
    assert_eq!(recovery, TableRecovery { entries: 1, dropped_octets: 33 });
    table.put(b"b", b"2", 100).unwrap();
    table.flush(0).unwrap();
    assert_eq!(names(folder.path()), ["seen.2.table"]);
    assert_eq!(open(folder.path(), 0).1, TableRecovery { entries: 2, dropped_octets: 0 });
}

#[test]
fn a_file_without_a_header_gives_way_to_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (table, _) = open(folder.path(), 0);
    table.put(b"a", b"1", 100).unwrap();
    table.flush(0).unwrap();
    fs::write(folder.path().join("seen.7.table"), b"rubbish").unwrap();
    fs::write(folder.path().join("seen.8.partial"), b"half").unwrap();
    fs::write(folder.path().join("seen.more.9.table"), b"another table's").unwrap();
    let (table, recovery) = open(folder.path(), 0);
    assert_eq!(recovery, TableRecovery { entries: 1, dropped_octets: 7 });
    table.put(b"b", b"2", 100).unwrap();
    table.flush(0).unwrap();
    assert_eq!(names(folder.path()), ["seen.9.table", "seen.more.9.table"]);
}

#[test]
fn a_file_that_is_mostly_dead_is_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let (table, _) = open(folder.path(), 0);
    let value = vec![7; 1024];
    for round in 0..3000_u64 {
        table.put(&(round % 10).to_be_bytes(), &value, 10_000).unwrap();
        if round % 100 == 0 {
            table.flush(0).unwrap();
        }
    }
    let octets: u64 = names(folder.path())
        .iter()
        .map(|name| fs::metadata(folder.path().join(name)).unwrap().len())
        .sum();
    assert!(octets <= 2 * SMALL_OCTETS, "{octets} octets");
    let before = all(&table, 0);
    assert_eq!(before.len(), 10);
    assert_eq!(all(&open(folder.path(), 0).0, 0), before);
}

#[test]
fn a_buffer_that_overflows_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (table, _) = open(folder.path(), 0);
    table.put(b"first", b"1", 100).unwrap();
    table.flush(0).unwrap();
    let value = vec![7; super::super::MAX_VALUE_OCTETS];
    for key in 0..100_u32 {
        table.put(&key.to_be_bytes(), &value, 100).unwrap();
    }
    assert!(lock(&table.pending).octets.capacity() <= 2 * PENDING_OCTETS);
    table.flush(0).unwrap();
    table.put(b"last", b"1", 100).unwrap();
    table.flush(0).unwrap();
    assert_eq!(open(folder.path(), 0).1, TableRecovery { entries: 102, dropped_octets: 0 });
}

#[test]
fn a_disk_that_fails_leaves_the_table_working_and_is_caught_up_with() {
    let folder = tempfile::tempdir().unwrap();
    let (table, _) = open(folder.path(), 0);
    table.put(b"a", b"1", 100).unwrap();
    let elsewhere = folder.path().with_extension("moved");
    fs::rename(folder.path(), &elsewhere).unwrap();
    let TableError::Fault(what) = table.flush(0).unwrap_err() else { panic!("a fault") };
    assert!(what.contains("seen"), "{what}");
    assert_eq!(table.get(b"a", 0), Some(b"1".to_vec()));
    table.put(b"b", b"2", 100).unwrap();
    fs::rename(&elsewhere, folder.path()).unwrap();
    table.flush(0).unwrap();
    assert_eq!(open(folder.path(), 0).1.entries, 2);
}

#[test]
fn keys_and_values_that_are_too_long_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (table, _) = open(folder.path(), 0);
    let octets = vec![0; 70_000];
    let too_long = |limit| Err(TableError::TooLong { octets: 70_000, limit });
    assert_eq!(table.put(b"", &octets, 1), too_long(65_536));
    assert_eq!(table.put(&octets, b"", 1), too_long(1024));
    assert_eq!(table.flush(0), Ok(()));
    assert!(names(folder.path()).is_empty());
}
