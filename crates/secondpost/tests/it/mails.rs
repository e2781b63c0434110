//! `explain` over mails: files, mboxes, Maildirs, lines of JSON, Sisimai's names.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

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
    let told = call(&["explain"], &complaint).out;
    let expected = "<bob@example.net>\nComplaint of a recipient\nWhat it means  A recipient marked";
    assert!(told.starts_with(expected) && told.contains("\nWhat to do "), "{told}");
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

fn gzipped(octets: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut writer, octets).unwrap();
    writer.finish().unwrap()
}

fn zstd(octets: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(octets, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn mails_and_lines_are_read_through_gzip_and_zstd_from_files_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let mail = fs::read(example("qmail.eml")).unwrap();
    let replies = b"450 4.2.0 Greylisted\n552 5.2.2 mailbox full\n";
    for packed in [gzipped, zstd] {
        for octets in [&mail[..], replies] {
            fs::write(folder.path().join("packed"), packed(octets)).unwrap();
            let ended = secondpost(folder.path(), &["explain", "--ndjson", "packed"], b"");
            assert_eq!((ended.status, ended.out.lines().count()), (0, 2), "{}", ended.err);
            assert_eq!(lines(&["explain", "--ndjson"], &packed(octets)).len(), 2);
            assert_eq!(lines(&["explain", "--ndjson", "-"], &packed(octets)).len(), 2);
        }
    }
    let ended = call(&["explain", "--ndjson"], b"\xfd7zXZ\0\0");
    assert_eq!((ended.status, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("standard input` is compressed with xz"), "{}", ended.err);
}

#[test]
fn of_half_a_compressed_file_the_beginning_is_told_and_where_it_breaks_off() {
    let folder = tempfile::tempdir().unwrap();
    let replies: String = (0..20_000)
        .map(|n| format!("550 5.1.1 <user{}@example.net> no such user\n", n * 7919 % 100_003))
        .collect();
    let half = |octets: &[u8]| {
        let packed = gzipped(octets);
        packed[..packed.len() / 2].to_vec()
    };
    fs::write(folder.path().join("half.gz"), half(replies.as_bytes())).unwrap();
    fs::write(folder.path().join("reply"), "450 4.2.0 busy\n").unwrap();
    let ended = secondpost(folder.path(), &["explain", "--ndjson", "half.gz", "reply"], b"");
    assert_eq!(ended.status, 1);
    let told = ended.out.lines().count();
    assert!((5_000..20_000).contains(&told), "{told}");
    assert!(ended.out.ends_with("\n") && ended.out.contains("\"path\":\"reply\""));
    let expected = format!("error: `half.gz`: it breaks off behind {} lines (", told - 1);
    assert!(ended.err.starts_with(&expected), "{expected}: {}", ended.err);
    // A mail is one document: its object says that it is half.
    let mail = fs::read_to_string(example("qmail.eml")).unwrap();
    fs::write(folder.path().join("mail.gz"), half(format!("{mail}\n{replies}").as_bytes()))
        .unwrap();
    let ended = secondpost(folder.path(), &["explain", "--json", "mail.gz"], b"");
    let all: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(ended.status, 1);
    let told = all[0]["unreadable"].as_str().unwrap();
    assert!(told.starts_with("it breaks off behind ") && told.contains(" octets ("), "{told}");
    assert!(ended.err.contains(told), "{}", ended.err);
    // The summary of a log is made of what stands before.
    let ended = secondpost(folder.path(), &["explain", "--log", "half.gz", "reply", "--json"], b"");
    let summary: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(ended.status, 1);
    assert!(summary["read"]["lines"].as_u64().unwrap() > 5_000, "{summary}");
    assert!(ended.err.contains("`half.gz`: it breaks off"), "{}", ended.err);
}

#[test]
fn what_was_not_read_is_said_in_the_readers_language_and_json_is_the_same_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let mail = fs::read(example("qmail.eml")).unwrap();
    let packed = gzipped(&[mail, vec![b'x'; 100_000]].concat());
    fs::write(folder.path().join("half.gz"), &packed[..packed.len() / 2]).unwrap();
    fs::write(folder.path().join("a.xz"), b"\xfd7zXZ\0\0").unwrap();
    let said = |args: &[&str], language: &str| {
        let ended = secondpost(folder.path(), &[args, &["--lang", language][..]].concat(), b"");
        assert_eq!(ended.status, 1, "{}", ended.err);
        (ended.out, ended.err)
    };
    for args in [&["explain", "--json", "half.gz"][..], &["explain", "--ndjson", "a.xz"]] {
        let (english, wrong) = said(args, "en");
        for language in ["de", "fr", "es", "ja", "pt"] {
            let (out, err) = said(args, language);
            assert_eq!(out, english, "{language}");
            assert!(!err.is_empty(), "{language}");
            for line in err.lines() {
                assert!(!wrong.lines().any(|other| other == line), "{language}: {line}");
            }
        }
    }
}

/// `explain` at work on a pipe, and what it has written so far.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    written: mpsc::Receiver<Vec<u8>>,
    out: Vec<u8>,
}

impl Running {
    fn start(folder: &Path, args: &[&str]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_secondpost"))
            .args(args)
            .current_dir(folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, mut stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, written) = mpsc::channel();
        // Ends with the pipe, which ends with the program.
        thread::spawn(move || {
            let mut piece = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = stdout.read(&mut piece) {
                sender.send(piece[..count].to_vec()).unwrap();
            }
        });
        Running { child, stdin, written, out: Vec::new() }
    }

    fn write(&mut self, octets: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(octets).unwrap();
    }

    /// Waits until something is written, while the input goes on.
    fn has_told_something(&mut self) {
        let told = self.written.recv_timeout(Duration::from_secs(60));
        self.out.extend(told.expect("it tells what it has read before the input ends"));
    }

    /// The most memory that it ever held, in KiB.
    fn peak_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// What it wrote, to its end; the input ends here.
    fn end(mut self) -> String {
        drop(self.stdin.take());
        self.out.extend(self.written.iter().flatten());
        let ended = self.child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(self.out).unwrap()
    }
}

/// Longer than what is read of a file that is read as a whole.
const LONG_OCTETS: usize = 66 << 20;

/// A bounce in an mbox, with a long message behind it that was returned.
fn long_mail() -> Vec<u8> {
    let mail = fs::read(example("qmail.eml")).unwrap();
    let line = [b"x".repeat(71).as_slice(), b"\n"].concat();
    let from = b"From x Thu Apr 29 23:34:45 2010\n".as_slice();
    [from, &mail, b"\n", &line.repeat(14_000), b"\n"].concat()
}

#[test]
fn an_mbox_of_any_length_is_read_in_little_memory_and_told_as_it_comes() {
    let (mail, folder) = (long_mail(), tempfile::tempdir().unwrap());
    let count = LONG_OCTETS / mail.len() + 1;
    for args in [&["explain", "--ndjson"][..], &["explain", "--json"], &["explain"]] {
        let mut running = Running::start(folder.path(), args);
        for _ in 0..count / 2 {
            running.write(&mail);
        }
        running.has_told_something();
        for _ in count / 2..count {
            running.write(&mail);
        }
        let peak = running.peak_memory_kib();
        assert!(peak < 48 << 10, "{args:?}: {peak} KiB");
        let out = running.end();
        // Every mail is about two recipients.
        let told = match args {
            [_, "--ndjson"] => out.lines().count(),
            [_, "--json"] => serde_json::from_str::<Vec<Value>>(&out).unwrap().len(),
            _ => out.matches("\n<").count() + 1,
        };
        assert_eq!(told, 2 * count, "{args:?}");
    }
}

#[test]
fn a_long_mbox_is_read_to_its_end_through_gzip_and_zstd_under_either_names() {
    let folder = tempfile::tempdir().unwrap();
    let mail = long_mail();
    let count = LONG_OCTETS / mail.len() + 1;
    // Both may hold one part after another, as a log that is appended to does.
    for packed in [gzipped(&mail), zstd(&mail)] {
        fs::write(folder.path().join("packed"), packed.repeat(count)).unwrap();
        let sisimai = &["explain", "--ndjson", "--format", "sisimai", "packed"];
        let ended = secondpost(folder.path(), sisimai, b"");
        assert_eq!((ended.status, ended.err.as_str()), (0, ""));
        let disabled = ended.out.lines().filter(|line| line.contains("bob@example.net")).count();
        assert_eq!((disabled, ended.out.lines().count()), (count, 2 * count));
    }
}

#[test]
fn of_a_mail_that_is_too_long_the_beginning_is_told_and_that_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mail = long_mail();
    let line = [b"y".repeat(71).as_slice(), b"\n"].concat();
    let long = [mail.as_slice(), &line.repeat(60_000), b"\n"].concat();
    fs::write(folder.path().join("mbox"), [&mail[..], &long, &mail].concat()).unwrap();
    let ended = secondpost(folder.path(), &["explain", "--ndjson", "mbox"], b"");
    let told = format!("of the mail at octet {}, only the first 4 MiB were read", mail.len());
    assert_eq!((ended.status, ended.err), (1, format!("error: `mbox`: {told}\n")));
    let unreadable: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["unreadable"].clone())
        .collect();
    let cut = Value::from("only the first 4 MiB were read");
    assert_eq!(unreadable, [Value::Null, Value::Null, cut.clone(), cut, Value::Null, Value::Null]);
}
