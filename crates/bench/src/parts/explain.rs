//! Replies, bounces and lines of logs that are understood, on one core. There is no other
//! program that does it to compare with. `cargo bench -p secondpost-reply` has more.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use reply::heard::log::{Line, LogReader, Meanings, Reference, Summary};
use reply::heard::read_any;
use reply::{Context, Reply, Timestamp, classify};
use serde_json::json;

use super::Setup;
use crate::clock;
use crate::report::{Report, Table, figure};
use crate::statistics::{Sample, per_second};

const REPLIES: &str = include_str!("../../../reply/tests/heard/replies.tsv");
const MAILS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../reply/tests/heard/mail");
/// Messages in a log of Postfix.
const MESSAGES: u64 = 20_000;
/// As the command line reads a file.
const PIECE_OCTETS: usize = 256 * 1024;

/// Something that is understood, and how many of it there are in one go.
struct Material<'a> {
    name: &'static str,
    count: u64,
    understand: Box<dyn Fn() + 'a>,
}

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let (replies, mails, log) = (replies(), mails()?, log());
    let all = materials(&replies, &mails, &log);
    let mut samples = all.each_ref().map(|_| Sample::default());
    for round in 1..=setup.few_rounds() {
        eprintln!("explain: round {round}");
        for (material, sample) in all.iter().zip(&mut samples) {
            sample.add(material.rate(setup));
        }
    }
    let mut table =
        Table::new("Understood, per second of one core", &["", "per second", "from–to"]);
    let mut report = Report::default();
    for (material, sample) in all.iter().zip(&samples) {
        table.row([material.name.to_owned(), figure(sample.median()), sample.range()]);
        report.keep(material.name, json!(sample));
    }
    report.tables.push(table);
    Ok(report)
}

fn materials<'a>(replies: &'a [Vec<u8>], mails: &'a [Vec<u8>], log: &'a str) -> [Material<'a>; 3] {
    [
        Material {
            name: "replies, parsed and classified",
            count: replies.len() as u64,
            understand: Box::new(|| replies.iter().for_each(|reply| hear(reply))),
        },
        Material {
            name: "bounces and other mails of servers",
            count: mails.len() as u64,
            understand: Box::new(|| mails.iter().for_each(|mail| drop(black_box(read_any(mail))))),
        },
        Material {
            name: "lines of a log of Postfix",
            count: log.lines().count() as u64,
            understand: Box::new(|| summarise(log)),
        },
    ]
}

impl Material<'_> {
    fn rate(&self, setup: &Setup) -> f64 {
        let (start, cpu, mut count) = (clock::now(), clock::own_cpu(), 0);
        while start.elapsed() < setup.time() {
            (self.understand)();
            count += self.count;
        }
        per_second(count, clock::own_cpu() - cpu)
    }
}

/// The replies of the table, as octets of the wire.
fn replies() -> Vec<Vec<u8>> {
    let texts = REPLIES.lines().skip(1).filter_map(|row| row.split('\t').nth(2));
    let wires = texts.map(|text| format!("{}\r\n", text.replace("\\n", "\r\n")).into_bytes());
    wires.filter(|wire| Reply::parse(wire).is_ok()).collect()
}

fn hear(wire: &[u8]) {
    if let Ok(reply) = Reply::parse(black_box(wire)) {
        black_box(classify(&reply, &Context::default()));
    }
}

fn mails() -> Result<Vec<Vec<u8>>, String> {
    let failed = |error: std::io::Error| format!("error: {MAILS}: {error}");
    let files = fs::read_dir(Path::new(MAILS)).map_err(failed)?;
    files.map(|file| file.and_then(|file| fs::read(file.path())).map_err(failed)).collect()
}

/// Five lines a message, as Postfix writes them.
fn log() -> String {
    let mut log = String::new();
    for number in 0..MESSAGES {
        let at = format!(
            "Nov 12 {:02}:{:02}:{:02} mail postfix",
            number / 3600,
            number / 60 % 60,
            number % 60
        );
        let (id, host, domain) =
            (format!("{:010X}", number + (7 << 32)), number % 250, number % 3000);
        let (dsn, status, said) = SAID[(number % SAID.len() as u64) as usize];
        log.push_str(&format!(
            "{at}/smtpd[71]: {id}: client=c{host}.example.org[198.51.100.{host}]\n\
             {at}/cleanup[72]: {id}: message-id=<{number}@example.org>\n\
             {at}/qmgr[73]: {id}: from=<u{host}@example.org>, size={number}, nrcpt=1 (queue active)\n\
             {at}/smtp[74]: {id}: to=<r{number}@d{domain}.example>, \
             relay=mx.d{domain}.example[203.0.113.{host}]:25, delay=1.2, delays=0.1/0/0.5/0.6, \
             dsn={dsn}, status={status} (host mx.d{domain}.example[203.0.113.{host}] said: {said})\n\
             {at}/qmgr[73]: {id}: removed\n"
        ));
    }
    log
}

/// What other servers say: most take the mail.
const SAID: [(&str, &str, &str); 8] = [
    ("2.0.0", "sent", "250 2.0.0 Ok: queued as 4X9Y8Z"),
    ("2.0.0", "sent", "250 2.0.0 Ok: queued as 4X9Y8Z"),
    ("2.0.0", "sent", "250 2.0.0 Ok: queued as 4X9Y8Z"),
    ("2.0.0", "sent", "250 2.0.0 Ok: queued as 4X9Y8Z"),
    ("2.0.0", "sent", "250 2.0.0 Ok: queued as 4X9Y8Z"),
    ("4.2.0", "deferred", "450 4.2.0 Greylisted for 300 seconds (in reply to RCPT TO command)"),
    ("5.1.1", "bounced", "550 5.1.1 User unknown (in reply to RCPT TO command)"),
    ("5.2.2", "bounced", "552 5.2.2 Quota exceeded (in reply to end of DATA command)"),
];

fn summarise(log: &str) {
    let reference = Reference { now: Timestamp::from_secs(1_796_000_000), offset_secs: 0 };
    let (mut summary, mut meanings) = (Summary::default(), Meanings::default());
    let mut reader = LogReader::new(Some(reference));
    let mut add = |line: Line<'_>| {
        if let Some(entry) = &line.entry {
            summary.add(entry, meanings.of(entry));
        }
    };
    for piece in black_box(log).as_bytes().chunks(PIECE_OCTETS) {
        reader.push(piece, &mut add);
    }
    reader.finish(&mut add);
    black_box(summary.tally);
}
