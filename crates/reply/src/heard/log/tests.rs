//! Log lines of our own making in every format, a scoreboard over other people's lines,
//! and that no input is too bad.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::Cause;
use crate::heard::read_any;

/// Format, status, causes that are fair, code, enhanced code, sender, recipient, line.
const EXAMPLES: &str = include_str!("../../../tests/heard/logs.tsv");

#[test]
fn examples_of_every_format_are_understood() {
    let mut wrong = Vec::new();
    for row in EXAMPLES.lines().filter(|row| !row.starts_with('#') && !row.is_empty()) {
        let fields: Vec<&str> = row.splitn(8, '\t').collect();
        let [format, status, causes, code, enhanced, sender, recipient, line] = fields[..] else {
            panic!("eight fields are expected: {row}");
        };
        let Some(entry) = recognise(line, None) else {
            wrong.push(format!("not recognised: {line}"));
            continue;
        };
        let verdict = entry.verdict();
        let of_verdict = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let or_none = |value: Option<&Cow<'_, str>>| value.map_or("-", |value| value).to_owned();
        let seen = [
            entry.format.name().to_owned(),
            entry.status.name().to_owned(),
            of_verdict(verdict.as_ref().map(|verdict| verdict.cause.name().to_owned())),
            of_verdict(verdict.as_ref().and_then(|verdict| Some(verdict.code?.to_string()))),
            of_verdict(
                verdict.as_ref().and_then(|verdict| Some(verdict.enhanced_code?.to_string())),
            ),
            or_none(entry.sender.as_ref()),
            or_none(entry.recipients.first()),
        ];
        let fair = causes.split('|').any(|fair| fair == seen[2]);
        let expected = [format, status, &seen[2], code, enhanced, sender, recipient];
        if !fair || seen != expected {
            wrong.push(format!("{causes} {expected:?}\n  but {seen:?}\n  in {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Part of the rows whose first cause must be one of the fair ones.
const FLOOR: f64 = 0.97;

/// Other people's lines are read where they lie beside the checkout (or in
/// `SECONDPOST_CORPUS`); skipped, with a word, where they do not.
#[test]
fn log_lines_of_the_field_are_understood() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let folder =
        std::env::var_os("SECONDPOST_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join("loglines.tsv")) else {
        println!("skipped: no loglines.tsv in {}", folder.display());
        return;
    };
    let (mut right, mut all) = (0u32, 0u32);
    for row in text.lines().skip(1) {
        let mut fields = row.split('\t');
        let (Some(format), Some(causes), Some(line)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let verdict = read_any(line.as_bytes()).into_iter().find_map(|heard| heard.verdict);
        let cause = verdict.as_ref().map_or("nothing", |verdict| verdict.cause.name());
        let is_fair = causes.split('|').any(|fair| fair == cause);
        if !is_fair {
            println!("{format}: {causes} <> {cause}: {line}\n  {verdict:?}");
        }
        if std::env::var_os("SECONDPOST_SHOW").is_some() {
            let entry = recognise(line, None);
            println!(
                "== {line}\n {:?}\n {:?}",
                entry,
                verdict.map(|v| (v.code, v.enhanced_code, v.cause, v.permanence, v.evidence))
            );
        }
        (right, all) = (right + u32::from(is_fair), all + 1);
    }
    println!("loglines.tsv: {right} of {all}");
    assert!(f64::from(right) >= FLOOR * f64::from(all), "loglines.tsv: {right} of {all}");
}

#[test]
fn a_program_that_keeps_too_little_is_told_apart() {
    let terse = "q4BNppVr011346: to=<b@example.net>, relay=mx.example.net. [192.0.2.7], dsn=5.0.0, stat=Service unavailable";
    assert!(recognise(terse, None).unwrap().keeps_too_little());
    let full = "q4BNppVr011346: to=<b@example.net>, dsn=4.7.1, stat=Deferred: 450 4.7.1 greylisted";
    assert!(!recognise(full, None).unwrap().keeps_too_little());
}

#[test]
fn a_pasted_log_is_read_line_by_line() {
    let text = "Nov  3 18:06:25 h postfix/smtp[1]: 4A2B3C4D5E: to=<a@example.net>, relay=mx[192.0.2.7]:25, dsn=5.1.1, status=bounced (host mx[192.0.2.7] said: 550 5.1.1 no such user (in reply to RCPT TO command))\n\
        Nov  3 18:06:26 h postfix/qmgr[1]: 4A2B3C4D5E: removed\n\
        Nov  3 18:06:27 h postfix/smtp[1]: 4A2B3C4D5F: to=<b@example.net>, relay=mx[192.0.2.7]:25, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n";
    let heard = read_any(text.as_bytes());
    let causes: Vec<_> = heard.iter().map(|heard| heard.verdict.as_ref().unwrap().cause).collect();
    assert_eq!(causes, [Cause::MailboxUnknown, Cause::Delivered]);
    assert!(heard.iter().all(|heard| heard.kind == Kind::Log));
}

/// The lines that a reader makes of `octets`, pushed in pieces of `piece`, as sender,
/// recipient, status and damage.
fn lines(octets: &[u8], piece: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let mut reader = LogReader::new(None);
    let mut hear = |line: Line<'_>| {
        let entry = line.entry.map(|entry| {
            let sender = entry.sender.unwrap_or("-".into());
            let recipient = entry.recipients.first().map_or("-", |to| to);
            format!("{sender} {recipient} {}", entry.status.name())
        });
        seen.push(format!("{} {entry:?} {:?}", line.number, line.damage));
    };
    for piece in octets.chunks(piece) {
        reader.push(piece, &mut hear);
    }
    reader.finish(&mut hear);
    seen
}

#[test]
fn lines_of_one_queue_id_are_joined() {
    let joined = |log: &str, expected: &str| {
        let last = lines(log.as_bytes(), 7).pop().unwrap();
        assert!(last.contains(expected), "{last}");
    };
    joined(
        "h postfix/qmgr[1]: 4A2B3C4D5E: from=<a@example.org>, size=1, nrcpt=1 (queue active)\n\
         h postfix/smtp[1]: 4A2B3C4D5E: to=<b@example.net>, relay=none, dsn=4.4.1, status=deferred (x)\n",
        "a@example.org b@example.net deferred",
    );
    joined(
        "2026-02-13 14:39:57 1RwtJY-0009RI-E4 <= a@example.org H=x S=1\n\
         2026-02-13 14:39:58 1RwtJY-0009RI-E4 ** b@example.net R=r T=t: retry timeout exceeded",
        "a@example.org b@example.net bounced",
    );
    joined(
        "@40000000419f13a508f3214c info msg 99: bytes 831 from <a@example.org> qp 9 uid 82\n\
         @40000000419f13a508f3214c starting delivery 5: msg 99 to remote b@example.net\n\
         @40000000419f13a508f3214c delivery 5: deferral: Connected_to_192.0.2.7_but_connection_died._(#4.4.2)/\n",
        "a@example.org b@example.net deferred",
    );
    joined(
        "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n\
         2026-10-01T08:00:01Z,Out,08DE,7,192.0.2.10:50002,192.0.2.7:25,>,MAIL FROM:<a@example.org>,\r\n\
         2026-10-01T08:00:02Z,Out,08DE,8,192.0.2.10:50002,192.0.2.7:25,>,RCPT TO:<b@example.net>,\r\n\
         2026-10-01T08:00:03Z,Out,08DE,9,192.0.2.10:50002,192.0.2.7:25,<,550 5.1.1 User unknown,\r\n",
        "a@example.org b@example.net bounced",
    );
}

#[test]
fn a_message_that_ended_is_not_joined_with_the_next_of_its_id() {
    let log = "h postfix/qmgr[1]: 4A2B3C4D5E: from=<a@example.org>, size=1, nrcpt=1 (queue active)\n\
        h postfix/qmgr[1]: 4A2B3C4D5E: removed\n\
        h postfix/smtp[1]: 4A2B3C4D5E: to=<b@example.net>, relay=none, dsn=4.4.1, status=deferred (x)\n";
    assert!(lines(log.as_bytes(), 99).pop().unwrap().contains("- b@example.net"));
}

#[test]
fn damage_is_named_and_the_rest_is_read() {
    let mut log = vec![b'x'; 1024 * 1024];
    log.extend_from_slice(b"\n\xff\xfe\0\n2026-02-13 14:39:57 1RwtJY-0009RI-E4 Completed");
    for piece in [1000, 5000, 4_000_000] {
        let seen = lines(&log, piece);
        assert_eq!(seen[0], "1 None Some(TooLong)");
        assert_eq!(seen[1], "2 None Some(NotText)");
        assert_eq!(seen[2], "3 Some(\"- - ended\") None");
    }
}

#[test]
fn a_summary_counts_causes_and_says_what_to_do() {
    let log = "\
        2026-02-13 14:39:57 1RwtJY-0009RI-E4 <= a@example.org H=x S=1\n\
        2026-02-13 14:40:00 1RwtJY-0009RI-E4 ** b@example.net R=r T=t H=mx.example.net [192.0.2.7]: 550 5.7.1 Your IP is listed in a block list\n\
        2026-02-13 15:00:00 1RwtJY-0009RI-E4 ** c@EXAMPLE.NET R=r T=t H=mx.example.net [192.0.2.7]: 550 5.7.1 Your IP is listed in a block list\n\
        2026-02-13 16:00:00 1RwtJY-0009RI-E4 == d@example.com R=r T=t defer (111): Connection refused\n\
        2026-02-13 17:00:00 1RwtJY-0009RI-E4 => e@example.com R=r T=t H=mx.example.com [192.0.2.8] C=\"250 ok\"\n";
    let (mut summary, mut meanings) = (Summary::default(), Meanings::default());
    let mut reader = LogReader::new(Some(Reference { now: Timestamp::EPOCH, offset_secs: 0 }));
    let mut add = |line: Line<'_>| {
        let entry = line.entry.unwrap();
        summary.add(&entry, meanings.of(&entry));
    };
    reader.push(log.as_bytes(), &mut add);
    reader.finish(&mut add);
    assert_eq!((summary.tally.sent, summary.tally.deferred, summary.tally.bounced), (1, 1, 2));
    assert_eq!(summary.received, 1);
    assert_eq!(summary.ranked()[0].0, Cause::HostBlocklisted);
    assert_eq!(summary.destinations.best(1)[0].0, "example.net");
    assert_eq!(summary.senders.best(1)[0].1.failed(), 3);
    let to_do = &summary.to_do(10)[0];
    assert_eq!(to_do.cause, Cause::HostBlocklisted);
    assert_eq!(to_do.destinations, [("example.net".to_owned(), 2)]);
    let hours = summary.failed_trend.columns(summary.first.unwrap(), summary.last.unwrap(), 60);
    assert_eq!(hours, (1, vec![1, 1, 1, 0]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn lines_do_not_depend_on_how_they_were_cut(piece in 1usize..300) {
        let log = EXAMPLES.replace('\t', "\n");
        prop_assert_eq!(lines(log.as_bytes(), piece), lines(log.as_bytes(), 100_000));
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..2000)) {
        lines(&octets, 17);
    }

    #[test]
    fn no_line_is_too_bad(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let line = String::from_utf8_lossy(&octets);
        if let Some(entry) = recognise(&line, None) {
            entry.verdict();
        }
    }

    /// Whole examples with octets changed, cut off and doubled.
    #[test]
    fn no_damage_to_a_line_is_too_bad(
        row in 0..EXAMPLES.lines().count().max(1),
        cut in 0usize..500,
        at in 0usize..500,
        octet in any::<u8>(),
    ) {
        let line = EXAMPLES.lines().nth(row).unwrap_or_default().rsplit('\t').next().unwrap_or_default();
        let mut octets = line.as_bytes().to_vec();
        octets.truncate(cut.max(1));
        if let Some(place) = octets.get_mut(at) {
            *place = octet;
        }
        let line = String::from_utf8_lossy(&octets);
        if let Some(entry) = recognise(&line, None) {
            entry.verdict();
        }
    }
}
