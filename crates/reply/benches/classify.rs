//! Replies per second on one core: parsed from the wire and classified. The replies are
//! those of `tests/heard/replies.tsv`, one after another, so that no branch is learned
//! by heart.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use reply::heard::read_any;
use reply::{Context, Reply, classify};

const TABLE: &str = include_str!("../tests/heard/replies.tsv");

fn main() {
    divan::main();
}

/// Every reply of the table, as octets of the wire.
fn wires() -> Vec<Vec<u8>> {
    let replies = TABLE.lines().skip(1).filter_map(|row| row.split('\t').nth(2));
    replies.map(|reply| format!("{}\r\n", reply.replace("\\n", "\r\n")).into_bytes()).collect()
}

/// As `read_any` takes them: pasted, with anything around them.
#[divan::bench]
fn read_and_classify(bencher: Bencher<'_, '_>) {
    let wires = wires();
    bencher.counter(ItemsCount::new(wires.len())).bench_local(|| {
        for wire in &wires {
            black_box(read_any(black_box(wire)));
        }
    });
}

/// As a client takes them: from the wire, then the verdict.
#[divan::bench]
fn parse_and_classify(bencher: Bencher<'_, '_>) {
    let wires: Vec<_> = wires().into_iter().filter(|wire| Reply::parse(wire).is_ok()).collect();
    bencher.counter(ItemsCount::new(wires.len())).bench_local(|| {
        for wire in &wires {
            let reply = Reply::parse(black_box(wire)).expect("it parsed before");
            black_box(classify(&reply, &Context::default()));
        }
    });
}

/// The verdict alone.
#[divan::bench]
fn classify_parsed(bencher: Bencher<'_, '_>) {
    let replies: Vec<Reply> = wires().iter().filter_map(|wire| Reply::parse(wire).ok()).collect();
    bencher.counter(ItemsCount::new(replies.len())).bench_local(|| {
        for reply in &replies {
            black_box(classify(black_box(reply), &Context::default()));
        }
    });
}
