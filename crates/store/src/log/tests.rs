//! The log on a real directory: what is acknowledged is found again, damage is set aside.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::channel;

use super::format::HEADER_OCTETS;
use super::*;
use crate::disk::FileSystem;

fn record(text: &str) -> Record {
    Record { kind: 1, payload: text.as_bytes().to_vec() }
}

/// Opens the log and returns what it holds.
fn open(folder: &Path) -> (Log, Writer<FileSystem>, Recovery, Vec<String>) {
    let mut found = Vec::new();
    let disk = FileSystem::new(folder).unwrap();
    let (log, writer, recovery) = Log::open(disk, &mut |_, _, payload| {
        found.push(String::from_utf8_lossy(payload).into_owned());
    })
    .unwrap();
    (log, writer, recovery, found)
}

/// Appends one record and waits for its sync, with the writer driven inline.
fn append(log: &Log, writer: &mut Writer<FileSystem>, text: &str) -> Result<Position, LogError> {
    let (send, receive) = channel();
    let done = Box::new(move |result| send.send(result).unwrap());
    log.submit(vec![record(text)], Durability::Synced, Need::Upkeep, done);
    while writer.step() {}
    receive.try_recv().expect("the step told").map(|positions| positions[0])
}

#[test]
fn what_was_acknowledged_is_found_again_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (log, mut writer, _, found) = open(folder.path());
    assert!(found.is_empty());
    let first = append(&log, &mut writer, "first").unwrap();
    append(&log, &mut writer, "second").unwrap();
    assert_eq!(writer.reader().read(first).unwrap(), b"first");
    drop((log, writer));
    let (log, mut writer, recovery, found) = open(folder.path());
    assert_eq!(found, ["first", "second"]);
    assert!(recovery.damage.is_empty());
    append(&log, &mut writer, "third").unwrap();
    drop((log, writer));
    assert_eq!(open(folder.path()).3, ["first", "second", "third"]);
}

#[test]
fn a_batch_is_told_in_order_and_one_sync_serves_many() {
    let folder = tempfile::tempdir().unwrap();
    let (log, mut writer, _, _) = open(folder.path());
    let (send, receive) = channel();
    for number in 0..100 {
        let send = send.clone();
        let done = Box::new(move |result: Result<Vec<Position>, LogError>| {
            send.send((number, result.unwrap().len())).unwrap();
        });
        log.submit(vec![record("a"), record("b")], Durability::Synced, Need::Upkeep, done);
    }
    assert!(writer.step());
    assert!(!writer.step());
    let told: Vec<(i32, usize)> = receive.try_iter().collect();
    assert_eq!(told, (0..100).map(|number| (number, 2)).collect::<Vec<_>>());
    assert_eq!(log.waiting_octets(), 0);
}

/// Flips one octet of the only segment.
fn damage(folder: &Path, offset: u64) {
    let name = super::writer::file_name(1);
    let file = OpenOptions::new().read(true).write(true).open(folder.join(name)).unwrap();
    let mut octet = [0];
    file.read_exact_at(&mut octet, offset).unwrap();
    file.write_all_at(&[octet[0] ^ 0x55], offset).unwrap();
}

#[test]
fn a_damaged_record_is_reported_and_the_others_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let (log, mut writer, _, _) = open(folder.path());
    let positions: Vec<Position> =
        ["one", "two", "three"].map(|text| append(&log, &mut writer, text).unwrap()).into();
    drop((log, writer));
    damage(folder.path(), u64::from(positions[1].offset) + RECORD_HEADER_OCTETS as u64);
    let (_, writer, recovery, found) = open(folder.path());
    assert_eq!(found, ["one", "three"]);
    assert_eq!(recovery.damage.len(), 1);
    assert_eq!(recovery.damage[0].offset, u64::from(positions[1].offset));
    assert!(matches!(writer.reader().read(positions[1]), Err(LogError::Fault(_))));
}

#[test]
fn a_torn_tail_is_cut_at_every_octet_and_stays_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (log, mut writer, _, _) = open(folder.path());
    append(&log, &mut writer, "kept").unwrap();
    let last = append(&log, &mut writer, "torn off").unwrap();
    drop((log, writer));
    let length = RECORD_HEADER_OCTETS + last.length as usize;
    for octet in 0..length as u64 {
        damage(folder.path(), u64::from(last.offset) + octet);
        let (_, _, recovery, found) = open(folder.path());
        assert_eq!(found, ["kept"], "octet {octet}");
        assert!(recovery.damage.is_empty(), "a torn tail is no damage");
        damage(folder.path(), u64::from(last.offset) + octet);
    }
    damage(folder.path(), u64::from(last.offset));
    let (log, mut writer, _, _) = open(folder.path());
    append(&log, &mut writer, "after").unwrap();
    damage(folder.path(), u64::from(last.offset));
    assert_eq!(open(folder.path()).3, ["kept", "after"], "what was cut off does not come back");
}

#[test]
fn a_freed_segment_is_used_again_and_its_old_records_stay_dead() {
    let folder = tempfile::tempdir().unwrap();
    let filling = "x".repeat(MAX_PAYLOAD_OCTETS - 64);
    let (log, mut writer, _, _) = open(folder.path());
    while writer.reader().segments().len() < 2 {
        append(&log, &mut writer, &filling).unwrap();
    }
    writer.free(1).unwrap();
    assert_eq!(writer.reader().segments(), [2]);
    while writer.reader().segments().len() < 2 {
        append(&log, &mut writer, "small enough").unwrap();
        append(&log, &mut writer, &filling).unwrap();
    }
    let live = writer.reader().segments();
    assert_eq!(live, [2, 3]);
    drop((log, writer));
    let (_, writer, recovery, _) = open(folder.path());
    assert!(recovery.damage.is_empty());
    assert_eq!(writer.reader().segments(), live);
}

#[test]
fn what_is_no_segment_is_reported_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(super::writer::file_name(5)), [7; HEADER_OCTETS]).unwrap();
    let (log, mut writer, recovery, found) = open(folder.path());
    assert!(found.is_empty());
    assert_eq!(recovery.damage[0].octets, HEADER_OCTETS as u64);
    for _ in 0..5 {
        append(&log, &mut writer, "into another file").unwrap();
    }
    let left = std::fs::read(folder.path().join(super::writer::file_name(5))).unwrap();
    assert_eq!(left, [7; HEADER_OCTETS]);
    assert_eq!(writer.reader().segments(), [6]);
}

#[test]
fn a_closed_log_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (log, mut writer, _, _) = open(folder.path());
    log.close();
    assert_eq!(append(&log, &mut writer, "late"), Err(LogError::Closed));
}
