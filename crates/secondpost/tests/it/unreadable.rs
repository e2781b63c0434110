//! `explain` over what cannot be read, or only in part: what is wrong and where, in the
//! reader's language; all else is told all the same.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use super::{Ended, secondpost};

fn call(folder: &Path, args: &[&str], input: &[u8]) -> Ended {
    secondpost(folder, &[&["explain"], args].concat(), input)
}

/// What is empty, blank or no text: its octets, and what is said of it.
const SILENT: [(&str, &[u8], &str); 5] = [
    ("empty", b"", "is empty"),
    ("blank", b" \r\n\t\n", "holds nothing but white space"),
    ("nul", b"\0\0\0\0", "is not text (octet 0x00 at offset 0)"),
    ("image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not text (octet 0x89 at offset 0)"),
    ("prose", b"good morning\nto you\n", ""),
];

#[test]
fn what_holds_nothing_is_told_with_the_reason_and_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (name, octets, what) in SILENT {
        fs::write(folder.path().join(name), octets).unwrap();
        for (ended, shown) in [
            (call(folder.path(), &[name], b""), format!("`{name}`")),
            (call(folder.path(), &["--file", name, "--json"], b""), format!("`{name}`")),
            (call(folder.path(), &["-"], octets), "`standard input`".to_owned()),
        ] {
            assert_eq!((ended.status, ended.out.as_str()), (1, ""), "{name}");
            let expected = match what {
                "" => format!("there is no reply, bounce or log line in {shown}"),
                what => format!("{shown} {what}"),
            };
            assert!(ended.err.contains(&expected), "{}", ended.err);
        }
    }
    let lines = call(folder.path(), &["nul", "--ndjson"], b"");
    assert_eq!((lines.status, lines.out.as_str()), (1, ""));
    assert!(lines.err.contains("`nul` is not text"), "{}", lines.err);
    let german = call(folder.path(), &["nul", "--lang", "de"], b"");
    assert!(german.err.starts_with("Fehler: `nul` ist kein Text (Oktett 0x00"), "{}", german.err);
    let argument = call(folder.path(), &["\u{1}\u{2}"], b"");
    assert!(argument.err.starts_with("error: what was given is not text (octet 0x01"));
}

#[test]
fn in_a_folder_what_cannot_be_read_is_told_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join("post").join(name);
    fs::create_dir_all(at("below")).unwrap();
    fs::write(at("a-empty"), b"").unwrap();
    symlink("/absent/mail", at("b-dangling")).unwrap();
    symlink(at(""), at("below/back")).unwrap();
    fs::write(at("below/reply"), "452 4.2.2 mailbox full\n").unwrap();
    let ended = call(folder.path(), &["post", "absent.eml", "--ndjson"], b"");
    assert_eq!((ended.status, ended.out.lines().count()), (1, 1), "{}", ended.err);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["path"], "post/below/reply");
    for problem in
        ["`post/a-empty` is empty", "`post/b-dangling`: no such", "`absent.eml`: no such"]
    {
        assert!(ended.err.contains(problem), "{problem}: {}", ended.err);
    }
    let missing = call(folder.path(), &["/absent/mail.log"], b"");
    assert_eq!(missing.status, 1);
    assert!(missing.err.starts_with("error: `/absent/mail.log`: no such"), "{}", missing.err);
    let named = call(folder.path(), &["absent.mbox"], b"");
    assert!(named.err.starts_with("error: `absent.mbox`: no such"), "{}", named.err);
    fs::create_dir(folder.path().join("void")).unwrap();
    let none = call(folder.path(), &["void"], b"");
    assert!(none.status == 1 && none.err.contains("there is no file in `void`"), "{}", none.err);
}

#[test]
fn of_a_maildir_the_notes_of_its_programs_are_no_mails() {
    let maildir = tempfile::tempdir().unwrap();
    for folder in ["cur", "new", "tmp", ".Old/cur", ".Old/new"] {
        fs::create_dir_all(maildir.path().join(folder)).unwrap();
    }
    fs::write(maildir.path().join("dovecot.index.cache"), b"\x01\0\0\x02").unwrap();
    fs::write(maildir.path().join(".Old/maildirfolder"), b"").unwrap();
    fs::write(maildir.path().join(".Old/cur/1"), "550 5.1.1 user unknown\n").unwrap();
    let folder = maildir.path().to_str().unwrap();
    let ended = call(maildir.path(), &["--ndjson", folder], b"");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert_eq!(ended.out.lines().count(), 1);
}

#[test]
fn a_number_that_is_no_code_is_told_so_and_has_no_permanence() {
    let folder = tempfile::tempdir().unwrap();
    for (text, number) in [("999 foo", "999"), ("000", "000"), ("620 no", "620"), ("102", "102")] {
        let ended = call(folder.path(), &[text], b"");
        let expected = format!("error: there is no SMTP reply code `{number}`");
        assert_eq!((ended.status, ended.out.as_str()), (2, ""), "{text}");
        assert!(ended.err.starts_with(&expected), "{}", ended.err);
    }
    let half = call(folder.path(), &["4.2 later"], b"");
    assert!(half.err.starts_with("error: there is no enhanced status code `4.2`"), "{}", half.err);
    assert!(half.err.contains("`4.2.2`"), "{}", half.err);
    let line = call(folder.path(), &["--ndjson"], b"999 foo\n");
    let told: Value = serde_json::from_str(&line.out).unwrap();
    assert_eq!((&told["cause"], &told["permanence"]), (&"unknown".into(), &Value::Null));
    let odd = call(folder.path(), &["450 4.2 later"], b"").out;
    assert!(odd.contains("4.2 cannot be an enhanced status"), "{odd}");
    let torn = call(folder.path(), &["550 4.2.2 mailbox full"], b"").out;
    let torn = torn.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(torn.contains("4.2.2 would be transient: the first digit of the code"), "{torn}");
}

#[test]
fn what_was_meant_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    for (args, name) in [
        (&["codes", "4.2"][..], "`4.2.2`"),
        (&["causes", "greylist"], "`greylisted`"),
        (&["compare", "vrfi", "expn"], "`VRFY`"),
        (&["commands", "pipelinig"], "`PIPELINING`"),
    ] {
        let ended = secondpost(folder.path(), args, b"");
        assert_eq!(ended.status, 2, "{args:?}");
        let expected = format!("id you mean {name}");
        assert!(ended.err.contains(&expected) || ended.err.contains(name), "{}", ended.err);
    }
    let near = secondpost(folder.path(), &["codes", "4.2.99"], b"").out;
    assert!(near.contains("Near it") && near.contains("4.2.1 ("), "{near}");
    let cause = secondpost(folder.path(), &["causes", "greylisted"], b"").out;
    assert_eq!(cause, secondpost(folder.path(), &["explain", "greylisted"], b"").out);
}

/// A log of so many deliveries that failed.
fn log(count: usize) -> String {
    let line = |number| {
        format!(
            "Nov 23 08:00:01 mail postfix/smtp[7]: 4A2B{number:06}: to=<b{number}@example.net>, \
             relay=mx.example.net[192.0.2.7]:25, delay=1, dsn=5.1.1, status=bounced (host \
             mx.example.net[192.0.2.7] said: 550 5.1.1 no such user (in reply to RCPT TO command))\n"
        )
    };
    (0..count).map(line).collect()
}

#[test]
fn a_log_without_the_option_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mail.log"), log(10_500)).unwrap();
    for args in [&["mail.log", "--json"][..], &["mail.log", "--ndjson"]] {
        let told = call(folder.path(), args, b"");
        assert_eq!((told.status, told.err.as_str()), (0, ""), "{args:?}");
        assert_eq!(told.out.matches("\"recipient\"").count(), 10_500, "{args:?}");
    }
    let notes = "Nov 23 08:00:01 mail postfix/smtpd[7]: connect from unknown[192.0.2.1]\n";
    let silent = call(folder.path(), &["-"], notes.as_bytes());
    assert_eq!(silent.status, 1);
    assert!(silent.err.contains("no line of the log `standard input` tells"), "{}", silent.err);
}

#[test]
fn utf_16_and_older_charsets_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let wide = log(2).replace("no such user", "Boîte pleine");
    let octets = wide.encode_utf16().flat_map(u16::to_le_bytes);
    let octets: Vec<u8> = [0xff, 0xfe].into_iter().chain(octets).collect();
    let told = call(folder.path(), &["--log", "-", "--ndjson"], &octets);
    assert_eq!(told.out.matches("\"text\":\"Boîte pleine\"").count(), 2, "{}", told.out);
    let latin = call(folder.path(), &["-", "--json"], b"550 5.2.2 Bo\xeete pleine\n");
    let told: Value = serde_json::from_str(&latin.out).unwrap();
    assert_eq!(told["cause"], "mailbox-full");
}

#[test]
fn each_recipient_of_a_row_of_exchange_is_counted_with_what_was_said_of_him() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "#Fields: date-time,event-id,recipient-address,recipient-status,sender-address\n\
                2026-11-28T10:00:03.000Z,FAIL,bob@example.net;carl@example.net,\
                550 5.1.1 User unknown;452 4.2.2 Mailbox full,ann@example.org\n";
    let lines = call(folder.path(), &["--log", "-", "--ndjson"], rows.as_bytes());
    let told: Vec<Value> =
        lines.out.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = told.iter().map(|one| (&one["recipient"], &one["cause"])).collect();
    let expected = [
        (&"bob@example.net".into(), &"mailbox-unknown".into()),
        (&"carl@example.net".into(), &"mailbox-full".into()),
    ];
    assert_eq!(told, expected);
    let summary = call(folder.path(), &["--log", "-", "--json"], rows.as_bytes());
    let summary: Value = serde_json::from_str(&summary.out).unwrap();
    assert_eq!(summary["outcomes"]["bounced"], 2);
    assert_eq!(summary["causes"].as_array().unwrap().len(), 2);
}

#[test]
fn notices_are_read_as_arrays_one_by_one_and_on_lines_and_half_a_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let event = |name: &str| {
        format!(
            r#"{{"email":"{name}@example.net","event":"bounce","status":"5.1.1","reason":"550 5.1.1 no such user","timestamp":1790000000}}"#
        )
    };
    let array = format!("[{},{}]", event("a"), event("b"));
    let lines = format!("{}\n{}\n", event("a"), event("b"));
    for input in [&array, &lines] {
        let told = call(folder.path(), &["--ndjson"], input.as_bytes());
        assert_eq!((told.status, told.out.lines().count()), (0, 2), "{input}: {}", told.err);
    }
    let mixed = format!(
        "{}\n[{},{}]\n",
        event("a"),
        event("b"),
        event("c").replace("bounce", "spamreport")
    );
    assert_eq!(call(folder.path(), &["--ndjson"], mixed.as_bytes()).out.lines().count(), 3);
    let half = format!("{lines}{}", &event("c")[..40]);
    let told = call(folder.path(), &["--json"], half.as_bytes());
    assert_eq!(told.status, 1);
    assert!(told.err.contains("the JSON is damaged or cut off behind octet"), "{}", told.err);
    assert_eq!(told.out.matches("\"recipient\"").count(), 2, "{}", told.out);
}

#[test]
fn what_is_damaged_within_a_mail_is_a_warning_and_the_mail_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mails = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reply/tests/heard/mail");
    let half = fs::read(mails.join("dsn-half-a-file.eml")).unwrap();
    fs::write(folder.path().join("half.eml"), half).unwrap();
    let told = call(folder.path(), &["half.eml", "--lang", "de"], b"");
    assert_eq!(told.status, 0);
    assert!(told.err.starts_with("Warnung: "), "{}", told.err);
    let told = call(folder.path(), &["half.eml", "--ndjson"], b"");
    let object: Value = serde_json::from_str(told.out.lines().next().unwrap()).unwrap();
    let unreadable = object["unreadable"].as_str().unwrap();
    assert!(unreadable.starts_with("the mail at octet 0 breaks off in its part"), "{unreadable}");
}

#[test]
fn a_log_that_is_empty_or_no_text_is_named_beside_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty"), b"").unwrap();
    fs::write(folder.path().join("nul"), b"\0\0\0\n").unwrap();
    fs::write(folder.path().join("mail.log"), log(3)).unwrap();
    let told = call(folder.path(), &["--log", "mail.log", "empty", "nul", "--json"], b"");
    let summary: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((told.status, &summary["outcomes"]["bounced"]), (0, &3.into()));
    assert_eq!(summary["read"]["lines_not_text"], 1);
    let expected =
        "warning: `empty` is empty\nwarning: `nul` is not text (octet 0x00 at offset 0)\n";
    assert_eq!(told.err, expected);
}
