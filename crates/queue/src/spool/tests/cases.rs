//! What went wrong once, or could: each by its symptom.

use store::disk::{DiskFile, Survival};

use super::records::Digest;
use super::world::*;
use super::*;

/// A world with `count` messages of 900 octets.
fn with_messages(count: usize) -> (World, Vec<QueueId>) {
    let mut world = World::open(Memory::new(1, PLENTY), Oracle::default()).unwrap();
    (0..count).for_each(|_| world.put(vec![b'm'; 900]));
    world.drive();
    let ids = world.spool.ids();
    assert_eq!(ids.len(), count);
    (world, ids)
}

/// Takes and ends mail until `enough`.
fn churn(world: &mut World, enough: impl Fn(&World) -> bool) {
    for _ in 0..3000 {
        if enough(world) {
            return;
        }
        world.put(vec![b'c'; 2500]);
        world.drive();
        let last = *world.spool.ids().last().unwrap();
        world.remove(last);
        world.drive();
        world.upkeep();
    }
    panic!("it did not come to that");
}

fn has_segment(world: &World, number: u32) -> bool {
    world.spool.0.log.segments().iter().any(|(found, _)| *found == number)
}

/// Every record of `id`, and the segments that its end names.
fn records_of(spool: &Spool<Memory>, id: QueueId) -> (Vec<u32>, Option<(u32, u32)>) {
    let mut holding = Vec::new();
    let mut named = None;
    for (place, digest) in records(spool) {
        match digest {
            Some(Digest::Gone { id: of, first, last }) if of == id => named = Some((first, last)),
            Some(digest) if digest.id() == id => holding.push(place.segment),
            _ => {}
        }
    }
    (holding, named)
}

/// It named the first segment and the one after it when no segment was being written; a
/// message that had been moved further came back when its end was compacted.
#[test]
fn the_end_of_a_moved_message_names_where_it_is_also_after_a_failed_sync() {
    let (mut world, ids) = with_messages(90);
    ids[1..].iter().for_each(|id| world.remove(*id));
    world.drive();
    churn(&mut world, |world| {
        world.spool.index().standing(ids[0]).is_some_and(|standing| standing.message.segment > 3)
    });
    world.put(vec![b'f'; 10]);
    world.disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
    world.drive();
    world.disk.set_faults(Faults::default());
    assert_eq!(world.spool.0.log.active_segment(), None);
    world.remove(ids[0]);
    world.drive();
    world.spool.close();
    world.drive();
    let (holding, named) = records_of(&world.spool, ids[0]);
    let (first, last) = named.expect("its end is noted");
    assert!(holding.iter().all(|number| (first..=last).contains(number)), "{holding:?}: {named:?}");
}

/// Its copy could stand behind what its end names, and came back when the end was
/// compacted.
#[test]
fn a_message_whose_end_is_on_its_way_is_not_moved() {
    let (mut world, ids) = with_messages(90);
    churn(&mut world, |world| world.spool.0.log.last_segment() >= 3);
    ids[1..].iter().for_each(|id| world.remove(*id));
    world.drive();
    world.remove(ids[0]);
    (0..4).for_each(|_| _ = world.spool.upkeep());
    world.drive();
    world.spool.close();
    world.drive();
    assert_eq!(records_of(&world.spool, ids[0]).0, [1]);
}

/// Upkeep tried the damaged record for ever, and no segment was given back any more.
#[test]
fn a_damaged_record_keeps_its_own_segment_and_no_other() {
    let (mut world, ids) = with_messages(90);
    world.spool.close();
    world.drive();
    let place = world.spool.index().standing(ids[3]).unwrap().message;
    let (disk, oracle) = (world.disk.clone(), world.oracle());
    drop(world);
    let segment = log::segment::name_of(place.segment);
    let file = disk.open(&segment).unwrap();
    file.write_all_at(u64::from(place.offset) + 200, b"rot").unwrap();
    let mut oracle = oracle;
    oracle.committed.remove(&ids[3]);
    let (spool, writer, _) = open_small(&disk).unwrap();
    let mut world = World::of(disk.clone(), spool, writer, oracle);
    ids[4..].iter().for_each(|id| world.remove(*id));
    world.drive();
    for _ in 0..5 {
        let last = world.spool.0.log.last_segment();
        churn(&mut world, |world| world.spool.0.log.last_segment() > last + 2);
        (0..10).for_each(|_| world.upkeep());
        assert!(world.spool.0.log.segments().len() <= 5, "{:?}", world.spool.0.log.segments());
    }
    assert!(
        matches!(world.spool.get(ids[3]), Err(SpoolError::Fault(what)) if what.contains(&segment))
    );
    ids[..3].iter().for_each(|id| assert_eq!(octets_of(&world.spool, *id), vec![b'm'; 900]));
    world.spool.remove(ids[3], Durability::Synced, done());
    world.drive();
    churn(&mut world, |world| !has_segment(world, place.segment));
    assert!(disk.list().unwrap().contains(&format!("damaged-{:08x}", place.segment)));
}

/// The first of two states on their way was synced, the second was not: the first was
/// forgotten, though it was told as synced.
#[test]
fn a_synced_state_counts_when_the_next_one_fails() {
    let (mut world, ids) = with_messages(1);
    let before = world.spool.0.log.last_segment();
    while world.spool.0.log.last_segment() == before {
        world.note(ids[0], 0, Durability::Synced);
        (1..12).for_each(|at| world.note(ids[0], at, Durability::Written));
    }
    assert!(world.writer.step());
    world.disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
    world.drive();
    world.check();
    let attempts = world.spool.get(ids[0]).unwrap().recipients[0].history.attempts;
    assert!(attempts > 0);
    let disk = world.disk.crash_to(Survival::Nothing);
    World::open(disk, world.oracle()).unwrap();
}

/// The segment had lost its name and was never given back, and neither was any other.
#[test]
fn segments_are_given_back_after_a_directory_sync_that_failed() {
    for sync in 0..3 {
        let (mut world, ids) = with_messages(200);
        ids[..199].iter().for_each(|id| world.remove(*id));
        world.drive();
        let fail_sync_dir = Some(sync);
        world.disk.set_faults(Faults { fail_sync_dir, ..Faults::default() });
        (0..4).for_each(|_| world.upkeep());
        world.disk.set_faults(Faults::default());
        churn(&mut world, |world| !has_segment(world, 1) && !has_segment(world, 2));
        World::open(world.disk.crash_to(Survival::Nothing), world.oracle()).unwrap();
    }
}

/// Each of its recipients rewrote the state of all.
#[test]
fn a_thousand_recipients_that_are_settled_one_by_one_write_little() {
    let disk = Memory::new(1, PLENTY);
    let options = log::Options { segment_octets: 4 << 20, ..OPTIONS };
    let (spool, mut writer, _) = Spool::open_with(disk.clone(), options).unwrap();
    let mut many = received(1_764_000_000);
    many.envelope.recipients = vec![many.envelope.recipients[0].clone(); 1000];
    let mut draft = spool.begin(many);
    let id = draft.id();
    draft.append(b"Subject: a list\r\n\r\nx\r\n").unwrap();
    draft.commit(Box::new(|result| assert!(result.is_ok())));
    while writer.step() {}
    for at in 0..1000 {
        let was = spool.get(id).unwrap();
        let mut now = was.clone();
        now.recipients[at].status = Status::Delivered { at: Timestamp::from_secs(at as u64) };
        now.recipients[at].history.last_reply = Some("250 2.0.0 Ok: queued as 4F00".into());
        spool.update(&was, &now, Durability::Synced, done());
        while writer.step() {}
    }
    let message = spool.get(id).unwrap();
    assert!(message.is_done());
    spool.close();
    while writer.step() {}
    let written: u64 = records(&spool).iter().map(|(place, _)| place.size_on_disk()).sum();
    assert!(written < 3 << 20, "{written} octets for 1,000 recipients");
    drop((spool, writer));
    let (spool, _writer, _) = Spool::open_with(disk, options).unwrap();
    assert_eq!(spool.get(id), Ok(message));
}

#[test]
fn a_damaged_state_has_the_attempt_made_again() {
    let (mut world, ids) = with_messages(1);
    world.note(ids[0], 2, Durability::Synced);
    world.drive();
    world.spool.close();
    world.drive();
    let place = world.spool.index().standing(ids[0]).unwrap().states[0].place;
    let disk = world.disk.clone();
    drop(world);
    let file = disk.open(&log::segment::name_of(place.segment)).unwrap();
    file.write_all_at(u64::from(place.offset) + 60, b"rot").unwrap();
    let (spool, _writer, _) = open_small(&disk).unwrap();
    let message = spool.get(ids[0]).unwrap();
    assert!(message.recipients.iter().all(|recipient| recipient.status.due().is_some()));
    assert_eq!(spool.check().damaged.len(), 1);
}
