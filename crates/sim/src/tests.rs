//! What is run: 200 seeds that must keep every promise, and for each fault enough seeds
//! that one of them notices it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::fault::Fault;
use crate::ledger::Counts;
use crate::world::{Summary, run};

const SEEDS: u64 = 200;
/// Each fault is noticed within so many seeds.
const SEEDS_FOR_A_FAULT: u64 = 40;

/// Says how to run the seed again, where it panics.
struct Hint(u64);

impl Drop for Hint {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", again(self.0));
        }
    }
}

fn again(seed: u64) -> String {
    format!(
        "again: SIM_SEED={seed} SIM_LOG=1 cargo test -p secondpost-sim keep_every -- --nocapture"
    )
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{name}` is a number")))
}

fn seeds() -> Vec<u64> {
    match number("SIM_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("SIM_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

/// Runs `each` for every item, on all processors.
fn in_parallel<T: Sync, R: Send>(items: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = each(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn add(sum: &mut Counts, one: Counts) {
    sum.taken += one.taken;
    sum.twice += one.twice;
    sum.attempts += one.attempts;
    sum.failed += one.failed;
    sum.expired += one.expired;
    sum.delays_told += one.delays_told;
    sum.cuts += one.cuts;
    sum.jumps += one.jumps;
    sum.named += one.named;
    sum.found_after_cut += one.found_after_cut;
    sum.relayed += one.relayed;
}

#[test]
fn two_servers_and_behaving_sites_keep_every_promise() {
    let seeds = seeds();
    let broken = Mutex::new(Vec::new());
    let summaries = in_parallel(&seeds, |seed| {
        let _hint = Hint(*seed);
        let Summary { broken: how, counts, .. } = run(*seed, None);
        if let Some((promise, how)) = how {
            let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
            broken.push(format!("seed {seed} breaks {promise:?}: {how}\n{}", again(*seed)));
        }
        counts
    });
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(broken.is_empty(), "{} seeds\n{}", broken.len(), broken.join("\n"));
    let mut sum = Counts::default();
    summaries.into_iter().for_each(|counts| add(&mut sum, counts));
    println!("\ncounted: {} seeds: {sum:?}", seeds.len());
    assert!(seeds.len() < 100 || is_eventful(&sum), "not much happened: {sum:?}");
}

/// Whether what the promises are about happened at all.
fn is_eventful(sum: &Counts) -> bool {
    let Counts { taken, twice, attempts, failed, expired, delays_told, .. } = *sum;
    let Counts { cuts, jumps, named, found_after_cut, relayed, .. } = *sum;
    let all = [taken, twice, attempts, failed, expired, delays_told, cuts, jumps, named];
    all.into_iter().chain([found_after_cut, relayed]).all(|count| count >= 10)
}

#[test]
fn the_same_seed_gives_the_same_log() {
    let seeds: Vec<u64> = seeds().into_iter().take(10).collect();
    let logs = in_parallel(&seeds, |seed| (run(*seed, None).log, run(*seed, None).log));
    for (one, other) in logs {
        assert_eq!(one, other);
    }
}

#[test]
fn every_planted_fault_breaks_the_promise_that_it_should() {
    let missed = in_parallel(Fault::ALL, |(fault, promises)| {
        if *fault == Fault::LooksAtSomethingElse {
            let is_noticed = run(0, Some(*fault)).log != run(0, Some(*fault)).log;
            return (!is_noticed).then(|| format!("{fault:?}: two runs have one log"));
        }
        let mut found = (0..SEEDS_FOR_A_FAULT).filter_map(|seed| run(seed, Some(*fault)).broken);
        match found.next() {
            Some((promise, _)) if promises.contains(&promise) => None,
            Some((promise, how)) => Some(format!("{fault:?} broke {promise:?}: {how}")),
            None => Some(format!("{fault:?} broke nothing in {SEEDS_FOR_A_FAULT} seeds")),
        }
    });
    let missed: Vec<String> = missed.into_iter().flatten().collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
