//! `explain` over mails: files, mboxes, Maildirs, lines of JSON, Sisimai's names.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Ended, secondpost};

/// Mails of our own making, of the reader's own tests.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../reply/tests/heard/mail").join(name)
}

fn call(args: &[&str], input: &[u8]) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    secondpost(dir.path(), args, input)
}

/// The objects that are written, one a line.
fn lines(args: &[&str], input: &[u8]) -> Vec<Value> {
    let ended = call(args, input);
    assert_eq!(ended.status, 0, "{}", ended.err);
    ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_maildir_gives_one_object_for_each_recipient_with_its_path() {
    let maildir = tempfile::tempdir().unwrap();
    for (folder, name) in [("new", "qmail.eml"), ("cur", "dsn-delayed.eml"), ("tmp", "exim.eml")] {
        fs::create_dir(maildir.path().join(folder)).unwrap();
        fs::copy(example(name), maildir.path().join(folder).join(name)).unwrap();
    }
    let folder = maildir.path().to_str().unwrap();
    let seen = lines(&["explain", "--ndjson", folder], b"");
    let told: Vec<(&str, &str)> = seen
        .iter()
        .map(|one| (one["recipient"].as_str().unwrap(), one["cause"].as_str().unwrap()))
        .collect();
    let expected = [
        ("bob@example.net", "host-unreachable"),
        ("bob@example.net", "mailbox-disabled"),
        ("eve@example.com", "host-unreachable"),
    ];
    assert_eq!(told, expected);
    let path = maildir.path().join("cur/dsn-delayed.eml");
    assert_eq!(seen[0]["path"], path.to_str().unwrap());
    assert_eq!((&seen[0]["kind"], &seen[0]["permanence"]), (&"delay".into(), &"transient".into()));
}

#[test]
fn the_path_is_as_it_was_given_also_beside_files_that_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(example("several.mbox"), folder.path().join("several.mbox")).unwrap();
    let ended =
        secondpost(folder.path(), &["explain", "--ndjson", "several.mbox", "absent.eml"], b"");
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("error: `absent.eml`: "), "{}", ended.err);
    let paths: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["path"].clone())
        .collect();
    assert_eq!(paths, ["several.mbox", "several.mbox"]);
}

#[test]
fn lines_of_standard_input_are_answered_in_their_order() {
    let input = b"450 4.2.0 Greylisted\ngood morning\n\"550-5.1.1 no such\\n550 5.1.1 user\"\n";
    let seen = lines(&["explain", "--ndjson"], input);
    let causes: Vec<&str> = seen.iter().map(|one| one["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["greylisted", "unknown", "mailbox-unknown"]);
    let mail = fs::read(example("qmail.eml")).unwrap();
    assert_eq!(lines(&["explain", "--ndjson", "-"], &mail).len(), 2);
}

#[test]
fn a_mail_is_told_to_people_and_one_without_a_cause_by_its_kind() {
    let path = example("dsn-delayed.eml");
    let told = call(&["explain", path.to_str().unwrap(), "--lang", "en"], b"");
    assert!(
        told.out.starts_with("<bob@example.net>\n4.4.1 · transient · Server unreachable\n"),
        "{}",
        told.out
    );
    let complaint = fs::read(example("arf-abuse.eml")).unwrap();
    assert_eq!(call(&["explain"], &complaint).out, "complaint <bob@example.net>\n");
}

#[test]
fn the_users_of_sisimai_find_its_names() {
    let path = example("dsn-postfix-two-recipients.eml");
    let seen = lines(&["explain", "--ndjson", "--format", "sisimai", path.to_str().unwrap()], b"");
    assert_eq!(seen[0]["reason"], "userunknown");
    assert_eq!((&seen[0]["hardbounce"], &seen[0]["replycode"]), (&true.into(), &"550".into()));
    assert_eq!(
        (&seen[1]["reason"], &seen[1]["hardbounce"]),
        (&"mailboxfull".into(), &false.into())
    );
    assert_eq!(seen[1]["addresser"], "ann@example.org");
}

#[test]
fn mails_are_read_through_gzip() {
    let folder = tempfile::tempdir().unwrap();
    let gzipped = |name: &str, octets: &[u8]| {
        let file = fs::File::create(folder.path().join(name)).unwrap();
        let mut writer = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        std::io::Write::write_all(&mut writer, octets).unwrap();
        writer.finish().unwrap();
    };
    gzipped("qmail.eml.gz", &fs::read(example("qmail.eml")).unwrap());
    let ended = secondpost(folder.path(), &["explain", "--ndjson", "qmail.eml.gz"], b"");
    assert_eq!((ended.status, ended.out.lines().count()), (0, 2), "{}", ended.err);
}
