//! Octets that rot, and writes that are torn: at every single octet.

use store::disk::{DiskFile, Survival};

use super::world::*;
use super::*;

/// Small, because every octet is tried.
const SMALL: log::Options = log::Options { segment_octets: 8 << 10, ..OPTIONS };
const MESSAGES: usize = 4;

/// A disk with a few messages in one segment, the segment's name and content, and the
/// messages with the end of each one's record. `sealed` ends it with a footer.
struct Written {
    disk: Memory,
    name: String,
    content: Vec<u8>,
    ids: Vec<QueueId>,
    ends: Vec<usize>,
}

fn write(sealed: bool) -> Written {
    let disk = Memory::new(1, PLENTY);
    let (spool, mut writer, _) = Spool::open_with(disk.clone(), SMALL).unwrap();
    let mut ends = Vec::new();
    for n in 0..MESSAGES as u8 {
        let mut draft = spool.begin(received(1_764_000_000));
        draft.append(&[b'a' + n; 150]).unwrap();
        draft.commit(Box::new(|result| assert!(result.is_ok())));
        while writer.step() {}
        let id = *spool.ids().last().unwrap();
        let place = spool.index().standing(id).unwrap().message;
        ends.push(place.offset as usize + place.size_on_disk() as usize);
    }
    let ids = spool.ids();
    if sealed {
        spool.close();
        while writer.step() {}
    }
    drop((spool, writer));
    let name = disk.list().unwrap().into_iter().find(|name| name.starts_with("segment-")).unwrap();
    let mut content = vec![0; SMALL.segment_octets as usize];
    disk.open(&name).unwrap().read_full_at(0, &mut content).unwrap();
    Written { disk, name, content, ids, ends }
}

impl Written {
    /// The disk with other octets at `at`.
    fn with(&self, at: usize, octets: &[u8]) -> Memory {
        let disk = self.disk.crash_to(Survival::Everything);
        disk.open(&self.name).unwrap().write_all_at(at as u64, octets).unwrap();
        disk
    }
}

/// The messages that can be read; each that can is as it was.
fn readable(spool: &Spool<Memory>) -> Vec<QueueId> {
    let is_whole = |id: &QueueId| {
        let body = spool.body(*id).and_then(|mut body| body.read_all());
        let body = body.ok().filter(|_| spool.get(*id).is_ok());
        body.inspect(|body| assert!(body.len() == 150 && body.iter().all(|o| *o == body[0])))
            .is_some()
    };
    spool.ids().into_iter().filter(is_whole).collect()
}

fn flip_everywhere(sealed: bool) {
    let written = write(sealed);
    let end = written.content.iter().rposition(|octet| *octet != 0).unwrap();
    for at in 0..=end {
        named(&format!("octet {at}, sealed: {sealed}"), || {
            let disk = written.with(at, &[written.content[at] ^ 0x10]);
            let (spool, _writer, report) = Spool::open_with(disk, SMALL).unwrap();
            let kept = readable(&spool);
            assert!(kept.len() + 1 >= MESSAGES, "{kept:?}");
            assert!(kept.iter().all(|id| written.ids.contains(id)));
            let told = report.damage.len() + report.torn.len() + spool.check().unreadable.len();
            let last = *written.ends.last().unwrap();
            let is_tail = !kept.contains(&written.ids[MESSAGES - 1]) && !sealed && at < last;
            // What ends an unsealed segment may never have been written whole.
            assert!(kept.len() == MESSAGES || told == 1 || is_tail, "{report:?}");
        });
    }
}

#[test]
fn any_flipped_octet_takes_one_message_at_most_and_is_told() {
    flip_everywhere(false);
    flip_everywhere(true);
}

/// The file is cut off at every length, as a copy that was broken off has it, or a file
/// system that was repaired: all of it was on disk once.
#[test]
fn a_segment_that_is_cut_off_is_told_as_damage_and_what_is_left_of_it_is_kept() {
    for sealed in [false, true] {
        let written = write(sealed);
        for octets in 0..written.content.len() {
            named(&format!("{octets} octets, sealed: {sealed}"), || {
                let has_header = octets >= log::segment::SEGMENT_HEADER_OCTETS;
                let disk = written.disk.crash_to(Survival::Everything);
                disk.remove(&written.name).unwrap();
                let file = disk.create(&written.name).unwrap();
                file.write_all_at(0, &written.content[..octets]).unwrap();
                drop(file);
                let (_, _, looked_at) = Spool::open_to_read(disk.clone()).unwrap();
                for start in ["the first", "the second"] {
                    let (spool, mut writer, report) =
                        Spool::open_with(disk.clone(), SMALL).unwrap();
                    let whole = written.ends.iter().filter(|end| **end <= octets).count();
                    // Padding is not looked at.
                    let kept = readable(&spool);
                    let least =
                        if octets < log::segment::SEGMENT_HEADER_OCTETS { 0 } else { whole };
                    assert!(kept.len() >= least && kept == written.ids[..kept.len()], "{kept:?}");
                    let damage = report.damage.last().unwrap();
                    if has_header {
                        let missing = written.content.len() - octets;
                        let found = (damage.offset as usize, damage.octets as usize);
                        assert_eq!(found, (octets, missing), "{start}");
                    }
                    assert_eq!(report.damage, looked_at.damage, "{start}");
                    assert_eq!(spool.check().damaged.is_empty(), !has_header, "{start}");
                    while writer.step() {}
                }
            });
        }
    }
}

/// The last record is cut at every octet; behind the cut are zeros, or what a former life
/// of the file left there.
#[test]
fn a_record_torn_at_any_octet_is_cut_and_the_others_are_kept() {
    let written = write(false);
    let (from, to) = (written.ends[MESSAGES - 2], written.ends[MESSAGES - 1]);
    for at in from..=to {
        for stale in [0, 0xA5] {
            named(&format!("octet {at}, then {stale}"), || {
                let mut rest = written.content[at..].to_vec();
                rest.fill(stale);
                let disk = written.with(at, &rest);
                let (spool, writer, report) = Spool::open_with(disk.clone(), SMALL).unwrap();
                assert_eq!(report.damage, [], "a torn record is no damage");
                let kept = readable(&spool);
                let is_padding = written.content[at..to].iter().all(|octet| *octet == stale);
                let whole = if is_padding { MESSAGES } else { MESSAGES - 1 };
                // Padding is not looked at.
                assert!(kept.len() >= whole && kept[..whole] == written.ids[..whole], "{kept:?}");
                drop((spool, writer));
                let (spool, _, report) = Spool::open_with(disk, SMALL).unwrap();
                assert_eq!((readable(&spool), report.damage), (kept, Vec::new()));
            });
        }
    }
}

/// The sectors of a batch reach the disk in any order: a message whose first chunk did not
/// make it was never acknowledged, and is no loss, at this start or the next.
#[test]
fn a_message_of_which_a_chunk_was_torn_is_not_told_as_incomplete() {
    let large = log::Options { segment_octets: 1 << 20, ..OPTIONS };
    let disk = Memory::new(1, PLENTY);
    let (spool, mut writer, _) = Spool::open_with(disk.clone(), large).unwrap();
    let mut draft = spool.begin(received(1_764_000_000));
    draft.append(&vec![b'x'; 200 << 10]).unwrap();
    draft.commit(Box::new(|result| assert!(result.is_ok())));
    while writer.step() {}
    let id = spool.ids()[0];
    let first = spool.index().standing(id).unwrap().chunks[0];
    drop((spool, writer));
    let disk = disk.crash_to(Survival::Everything);
    let name = disk.list().unwrap().into_iter().find(|name| name.starts_with("segment-")).unwrap();
    disk.open(&name).unwrap().write_all_at(u64::from(first.offset), &[0; 512]).unwrap();
    for start in ["the first", "the second"] {
        let (spool, mut writer, report) = Spool::open_with(disk.clone(), large).unwrap();
        assert_eq!((report.incomplete, report.damage), (vec![], vec![]), "{start}");
        assert_eq!(report.unfinished.len(), usize::from(start == "the first"));
        assert_eq!(spool.ids(), []);
        while writer.step() {}
    }
}

#[test]
fn damage_in_the_middle_of_an_unsealed_segment_is_reported_and_the_rest_is_kept() {
    let written = write(false);
    let (from, to) = (written.ends[0], written.ends[1]);
    let mut random = Random(7);
    for _ in 0..200 {
        let at = from + random.below((to - from) as u64) as usize;
        let octets: Vec<u8> = (at..to).map(|_| random.below(256) as u8).collect();
        let (spool, _writer, report) = Spool::open_with(written.with(at, &octets), SMALL).unwrap();
        let kept = readable(&spool);
        if kept.len() < MESSAGES {
            assert_eq!(kept, [written.ids[0], written.ids[2], written.ids[3]]);
            assert_eq!((report.damage.len(), report.torn.len()), (1, 0), "from {at}");
            let damage = &report.damage[0];
            assert!((damage.offset as usize..).contains(&from) && damage.octets > 0, "{damage}");
        }
    }
}

/// A peer that mails us our own segment, as it stands on disk, plants nothing.
#[test]
fn records_inside_a_message_are_its_content() {
    let written = write(false);
    let disk = written.disk;
    let (spool, mut writer, _) = Spool::open_with(disk.clone(), SMALL).unwrap();
    for last in 0..2 {
        let mut draft = spool.begin(received(1_764_000_000));
        draft.append(&written.content[last * 100..written.ends[MESSAGES - 1]]).unwrap();
        draft.commit(Box::new(|result| assert!(result.is_ok())));
        while writer.step() {}
    }
    let ids = spool.ids();
    let hostile = spool.index().standing(ids[MESSAGES]).unwrap().message;
    drop((spool, writer));
    // With its header gone, the scan looks for a record within its content.
    let name = log::segment::name_of(hostile.segment);
    disk.open(&name).unwrap().write_all_at(u64::from(hostile.offset), &[0xFF; 20]).unwrap();
    let (spool, _writer, report) = Spool::open_with(disk, SMALL).unwrap();
    let others: Vec<QueueId> = ids.iter().copied().filter(|id| *id != ids[MESSAGES]).collect();
    assert_eq!(spool.ids(), others);
    assert_eq!(report.damage.len(), 1, "{report:?}");
}
