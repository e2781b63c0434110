//! Lines per second on one core: split, recognised, joined by queue id, understood and
//! counted, as `secondpost explain --log` does it. The logs are made here, by a seed.

use std::fmt::Write;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use reply::Timestamp;
use reply::heard::log::{Line, LogReader, Meanings, Reference, Summary};

/// Messages in a log; some ten thousand lines.
const MESSAGES: u64 = 2000;
/// As the command line reads a file.
const PIECE_OCTETS: usize = 256 * 1024;

fn main() {
    divan::main();
}

/// Numbers that look random and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// What other servers say, in the proportions of a day: most take the mail. An enhanced
/// code, what Postfix makes of it, a basic code, words, and how many in a hundred.
const SAID: [(&str, &str, u16, &str, u64); 5] = [
    ("2.0.0", "sent", 250, "Ok: queued as 4X9Y8Z", 85),
    ("4.2.0", "deferred", 450, "Recipient address rejected: Greylisted for 300 seconds", 6),
    ("5.1.1", "bounced", 550, "Recipient address rejected: User unknown", 4),
    ("5.2.2", "bounced", 552, "Quota exceeded (mailbox for user is full)", 2),
    ("5.7.1", "bounced", 550, "Service unavailable, client blocked using a block list", 3),
];

fn said(numbers: &mut Numbers) -> (&'static str, &'static str, u16, &'static str) {
    let mut at = numbers.below(100);
    for (dsn, status, code, words, share) in SAID {
        if at < share {
            return (dsn, status, code, words);
        }
        at -= share;
    }
    let (dsn, status, code, words, _) = SAID[0];
    (dsn, status, code, words)
}

/// Five lines a message, as Postfix writes them.
fn postfix() -> String {
    let (mut numbers, mut log) = (Numbers(1), String::new());
    for number in 0..MESSAGES {
        let at = format!(
            "Nov {:2} {:02}:{:02}:00 mail postfix",
            1 + number / 1440 % 28,
            number / 60 % 24,
            number % 60
        );
        let id = format!("{:010X}", numbers.next() >> 24);
        let (from, to, domain) = (numbers.below(500), numbers.below(9999), numbers.below(3000));
        let (dsn, status, code, words) = said(&mut numbers);
        let _ = write!(
            log,
            "{at}/smtpd[71]: {id}: client=c{from}.example.org[198.51.100.{host}]\n\
             {at}/cleanup[72]: {id}: message-id=<{number}.{from}@example.org>\n\
             {at}/qmgr[73]: {id}: from=<u{from}@example.org>, size={number}, nrcpt=1 (queue active)\n\
             {at}/smtp[74]: {id}: to=<r{to}@d{domain}.example>, relay=mx.d{domain}.example[203.0.113.{host}]:25, \
             delay=1.2, delays=0.1/0/0.5/0.6, dsn={dsn}, status={status} (host mx.d{domain}.example[203.0.113.{host}] said: {code} {dsn} {words} (in reply to RCPT TO command))\n\
             {at}/qmgr[73]: {id}: removed\n",
            host = numbers.below(250),
        );
    }
    log
}

/// Three lines a message, as Exim writes them.
fn exim() -> String {
    let (mut numbers, mut log) = (Numbers(2), String::new());
    for number in 0..MESSAGES {
        let at = format!(
            "2026-11-{:02} {:02}:{:02}:00",
            1 + number / 1440 % 28,
            number / 60 % 24,
            number % 60
        );
        let id = format!("1R{:04x}-{:06x}-E4", number % 65536, numbers.below(1 << 24));
        let (from, to, domain) = (numbers.below(500), numbers.below(9999), numbers.below(3000));
        let (dsn, status, code, words) = said(&mut numbers);
        let flag = match status {
            "sent" => "=>",
            "deferred" => "==",
            _ => "**",
        };
        let _ = write!(
            log,
            "{at} {id} <= u{from}@example.org H=c{from}.example.org [198.51.100.7] P=esmtpsa S={number}\n\
             {at} {id} {flag} r{to}@d{domain}.example R=dnslookup T=remote_smtp H=mx.d{domain}.example [203.0.113.9]: \
             SMTP error from remote mail server after RCPT TO:<r{to}@d{domain}.example>: {code} {dsn} {words}\n\
             {at} {id} Completed\n",
        );
    }
    log
}

/// Two lines a message, as KumoMTA writes them.
fn kumomta() -> String {
    let (mut numbers, mut log) = (Numbers(3), String::new());
    for number in 0..MESSAGES {
        let (from, to, domain) = (numbers.below(500), numbers.below(9999), numbers.below(3000));
        let (dsn, status, code, words) = said(&mut numbers);
        let kind = match status {
            "sent" => "Delivery",
            "deferred" => "TransientFailure",
            _ => "Bounce",
        };
        let id = format!("{:016x}", numbers.next());
        for (kind, code, words) in [("Reception", 250, ""), (kind, code, words)] {
            let _ = writeln!(
                log,
                "{{\"type\":\"{kind}\",\"id\":\"{id}\",\"sender\":\"u{from}@example.org\",\"recipient\":\"r{to}@d{domain}.example\",\
                 \"queue\":\"d{domain}.example\",\"site\":\"mx.d{domain}.example\",\"size\":{number},\"response\":{{\"code\":{code},\"content\":\"{dsn} {words}\"}},\
                 \"peer_address\":{{\"name\":\"mx.d{domain}.example\",\"addr\":\"203.0.113.9\"}},\"timestamp\":{},\"num_attempts\":1}}",
                1_764_000_000 + number,
            );
        }
    }
    log
}

/// Reads and counts a whole log.
fn summarise(bencher: Bencher<'_, '_>, log: &str) {
    let reference = Reference { now: Timestamp::from_secs(1_796_000_000), offset_secs: 0 };
    let lines = log.lines().count();
    bencher.counter(ItemsCount::new(lines)).counter(BytesCount::new(log.len())).bench_local(|| {
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
        black_box(summary.tally)
    });
}

#[divan::bench]
fn a_log_of_postfix(bencher: Bencher<'_, '_>) {
    summarise(bencher, &postfix());
}

#[divan::bench]
fn a_log_of_exim(bencher: Bencher<'_, '_>) {
    summarise(bencher, &exim());
}

#[divan::bench]
fn a_log_of_kumomta(bencher: Bencher<'_, '_>) {
    summarise(bencher, &kumomta());
}
