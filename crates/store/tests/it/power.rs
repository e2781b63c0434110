//! Power cuts at any call: what was acknowledged is found again, in order, for all lives
//! of the log to come.

use secondpost_store::disk::{Faults, Memory};
use secondpost_store::log::Class;

use crate::run::{Crash, Promises, Run};
use crate::{Random, counted, seeds};

/// Lives of one disk, each ended by a power cut.
const LIVES: usize = 6;

/// Uses the disk that `disk` makes for some lives. `faults` sets the faults of a life.
pub(crate) fn live<D: Crash>(
    seed: u64,
    mut disk: D,
    set_faults: impl Fn(&D, Faults),
) -> Result<Promises, String> {
    let mut random = Random(seed);
    let mut promises = Promises::default();
    for _ in 0..LIVES {
        let cut_at = Some(random.below(60));
        let short_writes = random.below(2) == 0;
        let refuses_blocks = random.below(4) == 0;
        set_faults(&disk, Faults { cut_at, short_writes, refuses_blocks, ..Faults::default() });
        if let Some(mut run) = Run::open(disk.clone(), &mut promises)? {
            for _ in 0..20 {
                act(&mut run, &mut promises, &mut random);
            }
        }
        disk = disk.crash(random.below(u64::MAX));
    }
    Run::open(disk, &mut promises)?.ok_or("a sound disk is not opened")?;
    Ok(promises)
}

/// Submits, lets the writer work or gives up a segment.
fn act<D: Crash>(run: &mut Run<D>, promises: &mut Promises, random: &mut Random) {
    match random.below(8) {
        0 => run.free_oldest(promises),
        1..4 => run.step(promises),
        _ => {
            let class = if random.below(3) == 0 { Class::Reserve } else { Class::Ordinary };
            run.submit(promises, 1 + random.below(3), class);
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_call() {
    let (mut kept, mut lives) = (0, 0);
    for seed in seeds(0, 800) {
        let disk = Memory::new(seed, 1 << 20);
        match live(seed, disk, Memory::set_faults) {
            Ok(promises) => {
                kept += promises.kept();
                lives += LIVES;
            }
            Err(what) => panic!("seed {seed}: {what}"),
        }
    }
    counted(&format!("{lives} power cuts of a log, {kept} records found again"));
    assert!(lives < 4800 || kept > 4000, "only {kept} records were put to the test");
}
