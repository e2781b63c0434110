//! What nobody should send is read all the same: bounded, without a panic, and what is
//! whole in it is heard.

use std::fs;

use proptest::prelude::*;
use reply::heard::{Kind, Unreadable, read_any, read_damaged_mail, read_mail};

fn example(name: &str) -> Vec<u8> {
    fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/heard/mail/").to_owned() + name).unwrap()
}

/// Names of the examples, to be broken.
const EXAMPLES: &[&str] = &[
    "dsn-postfix-two-recipients.eml",
    "exchange-online.eml",
    "exim.eml",
    "mfilter.eml",
    "mailru-koi8.eml",
    "notes-japanese.eml",
    "html-only.eml",
    "several.mbox",
    "sendgrid-events.json",
    "ses-in-sns.json",
    "arf-abuse.eml",
    "sendmail-5.eml",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_broken_mail_is_read_without_a_panic(
        name in proptest::sample::select(EXAMPLES),
        cut in 0usize..4000,
        changes in proptest::collection::vec((0usize..4000, any::<u8>()), 0..12),
    ) {
        let mut octets = example(name);
        for (at, octet) in changes {
            let at = at % octets.len();
            octets[at] = octet;
        }
        octets.truncate(cut);
        prop_assert_eq!(read_damaged_mail(&octets).0, read_mail(&octets));
        read_any(&octets);
    }

    #[test]
    fn any_octets_behind_a_header_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let mut octets = b"From: MAILER-DAEMON\nSubject: failure notice\nContent-Type: text/plain; charset=iso-2022-jp\n\n".to_vec();
        octets.extend(body);
        read_any(&octets);
    }

    #[test]
    fn any_text_of_a_bounce_is_read_without_a_panic(body in "([ <@.:;>\"'()\\-#]|[45][0-9]{2}|5\\.1\\.1|bob@|said|\u{e9}|\u{732b}|\n){0,300}") {
        read_any(format!("From: MAILER-DAEMON\nSubject: failure notice\n\n{body}").as_bytes());
    }
}

#[test]
fn half_a_file_gives_the_recipients_that_are_whole_in_it() {
    let octets = example("dsn-postfix-two-recipients.eml");
    let end = octets.windows(11).position(|part| part == b"eve@example").unwrap();
    let heard = read_any(&octets[..end]);
    assert_eq!(heard[0].recipient.as_deref(), Some("bob@example.net"));
}

#[test]
fn half_a_mail_says_in_which_part_it_ends() {
    let octets = example("dsn-postfix-two-recipients.eml");
    let end = octets.windows(11).position(|part| part == b"eve@example").unwrap();
    let (heard, unreadable) = read_damaged_mail(&octets[..end]);
    assert_eq!(heard[0].recipient.as_deref(), Some("bob@example.net"));
    assert!(matches!(unreadable[..], [Unreadable::BrokenOff { part: 2 | 3 }]), "{unreadable:?}");
    assert_eq!(read_damaged_mail(&octets).1, []);
}

#[test]
fn ten_thousand_nested_parts_are_passed_over_and_the_words_before_them_are_read() {
    let mut mail = String::from(
        "From: MAILER-DAEMON\nSubject: failure notice\nContent-Type: multipart/mixed; boundary=b0\n\n\
         --b0\nContent-Type: text/plain\n\n<bob@example.net>: 550 5.1.1 user unknown\n",
    );
    for depth in 0..10_000 {
        mail.push_str(&format!(
            "--b{depth}\nContent-Type: multipart/mixed; boundary=b{}\n\n",
            depth + 1
        ));
    }
    let heard = read_any(mail.as_bytes());
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].recipient.as_deref(), Some("bob@example.net"));
}

#[test]
fn a_line_of_a_megabyte_and_a_huge_header_hide_nothing_behind_them() {
    let long = "x".repeat(1024 * 1024);
    let mail = format!(
        "From: MAILER-DAEMON\nSubject: failure notice\nX-Long: {long}\n{}\n{long}\n<bob@example.net>:\nRemote host said: 550 5.1.1 gone\n",
        "X-Many: 1\n".repeat(20_000)
    );
    let heard = read_any(mail.as_bytes());
    assert_eq!(heard[0].recipient.as_deref(), Some("bob@example.net"));
}

#[test]
fn a_text_of_very_many_addresses_is_bounded() {
    let mut mail = String::from("From: MAILER-DAEMON\nSubject: failure notice\n\n");
    for number in 0..20_000 {
        mail.push_str(&format!("<bob{number}@example.net>: 550 5.1.1 user unknown\n"));
    }
    let heard = read_any(mail.as_bytes());
    assert!(!heard.is_empty() && heard.len() <= 1000, "{}", heard.len());
}

#[test]
fn octets_that_are_no_text_are_heard_as_nothing_or_as_no_bounce() {
    let binary: Vec<u8> = (0..200_000u32).map(|number| (number * 31 % 251) as u8).collect();
    assert!(read_any(&binary).len() <= 10);
    let mut mail = b"From: ann@example.org\nTo: bob@example.net\nSubject: x\n\n".to_vec();
    mail.extend(&binary);
    assert_eq!(read_any(&mail)[0].kind, Kind::NotABounce);
}
