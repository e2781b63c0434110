//! A table over power cuts: what was flushed is found again, and what was put since is
//! there whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use secondpost_store::disk::{Faults, Memory};
use secondpost_store::{LoggedTable, Table};

use crate::Random;

const NOW: u64 = 1;

/// What each key may hold after a power cut: its value at the last flush, or any since.
type Possible = BTreeMap<Vec<u8>, BTreeSet<Option<Vec<u8>>>>;

fn act(
    table: &LoggedTable<Memory>,
    random: &mut Random,
    possible: &mut Possible,
) -> Result<(), secondpost_store::TableError> {
    let key = format!("key {}", random.below(12)).into_bytes();
    let before = table.get(&key, NOW);
    let possible_now = possible.entry(key.clone()).or_insert_with(|| [None].into());
    match random.below(6) {
        0 => {
            table.remove(&key)?;
        }
        1 => {
            // Only what was synced is certain from here on.
            table.flush(NOW)?;
            for (key, values) in possible {
                *values = [table.get(key, NOW)].into();
            }
            return Ok(());
        }
        _ => {
            let value = vec![random.below(256) as u8; random.below(2000) as usize];
            let expected = before.as_deref();
            assert!(table.compare_and_set(&key, expected, &value, 10, NOW)?);
        }
    }
    possible_now.insert(table.get(&key, NOW));
    Ok(())
}

fn live(seed: u64, with_cuts: bool) {
    let mut random = Random(seed);
    let mut disk = Memory::new(seed, 1 << 24);
    let mut possible = Possible::new();
    for _ in 0..8 {
        let faults = Faults {
            cut_at: with_cuts.then(|| random.below(30)),
            fail_sync: (!with_cuts).then(|| random.below(6)),
            full_from: (!with_cuts).then(|| 5 + random.below(60)),
            short_writes: random.below(2) == 0,
            ..Faults::default()
        };
        disk.set_faults(faults);
        let (table, _) = LoggedTable::open(disk.clone(), "t", NOW).unwrap();
        for (key, values) in &mut possible {
            let found = table.get(key, NOW);
            assert!(values.contains(&found), "seed {seed}: {key:?} holds {found:?}");
            *values = [found].into();
        }
        for _ in 0..40 {
            // A flush that fails promises nothing.
            drop(act(&table, &mut random, &mut possible));
        }
        disk = disk.crash(random.below(u64::MAX));
    }
}

#[test]
fn what_was_flushed_survives_a_power_cut_at_any_call() {
    (0..300).for_each(|seed| live(seed, true));
}

#[test]
fn what_was_flushed_survives_failed_syncs_and_a_full_disk() {
    (0..300).for_each(|seed| live(seed, false));
}

#[test]
fn what_expired_while_the_power_was_off_is_gone() {
    let disk = Memory::new(1, 1 << 20);
    let (table, _) = LoggedTable::open(disk.clone(), "t", 0).unwrap();
    table.put(b"short", b"1", 5).unwrap();
    table.put(b"long", b"2", 50).unwrap();
    table.flush(0).unwrap();
    let (table, recovery) = LoggedTable::open(disk.crash(1), "t", 5).unwrap();
    assert_eq!((recovery.entries, recovery.dropped_octets), (1, 0));
    assert_eq!(table.get(b"short", 0), None);
}
