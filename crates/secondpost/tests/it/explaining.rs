//! `explain`, `compare` and the lists: what a postmaster reads, and its JSON.

use std::process::Command;

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::{Ended, secondpost};

fn call(args: &[&str], input: &[u8]) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    secondpost(dir.path(), args, input)
}

fn json(args: &[&str]) -> Value {
    let ended = call(args, b"");
    assert_eq!(ended.status, 0, "{}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn every_page_fits_eighty_columns_and_has_no_colour_in_a_pipe() {
    for language in reply::Language::COMPLETE {
        for args in [
            &["explain", "450"][..],
            &["explain", "4.2.2"],
            &["explain", "vrfy"],
            &["explain", "450 4.2.0 Greylisted, try again in 300 seconds"],
            &["compare", "450", "502"],
            &["compare", "VRFY", "mailbox-full"],
            &["compare", "PIPELINING", "SIZE"],
            &["compare", "DATA", "BDAT"],
            &["codes"],
            &["causes"],
            &["commands"],
            &["commands", "starttls"],
            &["replies"],
        ] {
            let ended = call(&[args, &["--lang", language.tag()]].concat(), b"");
            assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{args:?}");
            for line in ended.out.lines() {
                assert!(line.width() <= 80, "{language} {args:?}: {line}");
                assert!(!line.contains('\u{1b}'), "{args:?}: {line}");
            }
        }
    }
}

#[test]
fn the_locale_chooses_the_language() {
    let explained = |lang: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secondpost"));
        command.args(["explain", "450"]);
        for name in ["LANGUAGE", "LC_ALL", "LC_MESSAGES"] {
            command.env_remove(name);
        }
        String::from_utf8(command.env("LANG", lang).output().unwrap().stdout).unwrap()
    };
    assert!(explained("ja_JP.UTF-8").contains("メールボックス利用不可"));
    assert!(explained("de_DE.UTF-8").contains("Postfach nicht verfügbar"));
    assert!(explained("tlh").contains("Mailbox unavailable"));
}

#[test]
fn a_reply_is_read_from_arguments_from_a_file_and_from_standard_input() {
    let reply = "450 4.2.0 mailbox is busy";
    let words: Vec<&str> = ["explain"].into_iter().chain(reply.split(' ')).collect();
    let joined = call(&words, b"");
    assert_eq!(call(&["explain", reply], b"").out, joined.out);
    assert_eq!(call(&["explain", "-"], reply.as_bytes()).out, joined.out);
    assert_eq!(call(&["explain"], reply.as_bytes()).out, joined.out);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reply.txt");
    std::fs::write(&path, reply).unwrap();
    assert_eq!(call(&["explain", "--file", path.to_str().unwrap()], b"").out, joined.out);
    assert!(joined.out.starts_with("450 4.2.0 · transient · "), "{}", joined.out);
}

#[test]
fn the_json_of_a_reply_is_its_verdict_with_kind_recipient_and_path() {
    let verdict = json(&["explain", "--json", "550 5.1.1 <b@example.net> no such user"]);
    let mut names: Vec<&str> = verdict.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = "action alternatives arrival cause code confidence diagnostic enhanced_code \
                    evidence kind message_id path permanence recipient remote_mta \
                    retry_after_seconds retry_at sender unreadable whose_move";
    assert_eq!(names.join(" "), expected);
    assert_eq!(verdict["code"], 550);
    assert_eq!(verdict["enhanced_code"], "5.1.1");
    assert_eq!(verdict["permanence"], "permanent");
    assert_eq!(verdict["kind"], "reply");
    assert_eq!(verdict["path"], Value::Null);
}

#[test]
fn a_bare_code_gives_its_entry_in_json_too() {
    let told = json(&["explain", "502", "--json"]);
    assert_eq!(told["code"], 502);
    assert_eq!(told["entry"]["name"], "Command not implemented");
    assert_eq!(told["entry"]["next"], "other-command");
    let comparison = json(&["compare", "450", "502", "--json"]);
    assert_eq!(comparison["differences"][0]["aspect"], "permanence");
    assert_eq!(comparison["differences"][0]["a"], "transient");
    assert_eq!(json(&["causes", "--json"]).as_array().unwrap().len(), reply::Cause::ALL.len());
    let replies = json(&["replies", "--json"]);
    assert_eq!(replies.as_array().unwrap().len(), reply::catalogue::ROWS.len());
}

#[test]
fn what_we_say_is_english_and_when_we_say_it_is_in_the_readers_language() {
    let rows = |language: &str| {
        let Value::Array(rows) = json(&["replies", "--json", "--lang", language]) else { panic!() };
        rows
    };
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let without_breaks = |text: &str| text.split_whitespace().collect::<String>();
    let english = rows("en");
    for language in ["de", "fr", "es", "ja", "pt"] {
        let page = without_breaks(&call(&["replies", "--lang", language], b"").out);
        for (row, english) in rows(language).iter().zip(&english) {
            assert_eq!(row["text"], english["text"], "{language}");
            let when = text(row, "when");
            // The name of a command alone is the same everywhere.
            let is_a_name = !text(english, "when").contains(' ');
            assert!(is_a_name || row["when"] != english["when"], "{language}: {when}");
            assert!(page.contains(&without_breaks(&when)), "{language}: {when}");
        }
    }
}

#[test]
fn commands_and_keywords_are_listed_with_what_they_are_for_and_who_offers_them() {
    let all = json(&["commands", "--json"]);
    let topics = |list: &str| -> Vec<Value> {
        all[list].as_array().unwrap().iter().map(|entry| entry["topic"].clone()).collect()
    };
    assert!(topics("commands").contains(&"VRFY".into()), "{all}");
    assert!(topics("keywords").contains(&"PIPELINING".into()), "{all}");
    let size = json(&["commands", "size", "--json"]);
    assert_eq!((&size["purpose"], &size["offered"]), (&"limits".into(), &"nearly-all".into()));
    assert_eq!(size["adds"], serde_json::json!(["MAIL … SIZE="]));
    let ended = call(&["commands"], b"");
    assert!(ended.out.contains("\nVRFY "), "{}", ended.out);
    assert_eq!(call(&["commands", "vrfy"], b"").out, call(&["explain", "VRFY"], b"").out);
    for (name, problem) in [("450", "`450` is no command"), ("foo", "there is no command")] {
        let ended = call(&["commands", name], b"");
        assert_eq!(ended.status, 2);
        assert!(ended.err.contains(problem) && ended.err.contains("help: "), "{}", ended.err);
    }
}

#[test]
fn nonsense_is_answered_kindly_and_with_status_two() {
    for (args, problem) in [
        (&["explain", "999"][..], "there is no SMTP reply code `999`"),
        (&["explain", "3.1.1"], "there is no enhanced status code `3.1.1`"),
        (&["explain", "gremlins"], "`gremlins` is no reply code"),
        (&["explain", "good morning"], "there is no SMTP reply in `good morning`"),
        (&["explain", ""], "there is nothing to explain"),
        (&["compare", "450", "620"], "there is no SMTP reply code `620`"),
    ] {
        let ended = call(args, b"");
        assert_eq!(ended.status, 2, "{args:?}");
        assert!(ended.err.starts_with(&format!("error: {problem}")), "{}", ended.err);
        assert!(ended.err.contains("\nhelp: "), "{}", ended.err);
    }
    let itself = call(&["compare", "450", "450"], b"");
    assert_eq!(itself.status, 0);
    assert!(itself.out.starts_with("You are comparing 450 with itself"), "{}", itself.out);
}

#[test]
fn what_a_file_holds_never_reaches_the_terminal_as_control_characters() {
    let ended = call(&["explain", "-"], b"550 5.7.1 \x1b[2Jblocked\x07 \xff\r\n");
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(!ended.out.contains(['\u{1b}', '\u{7}']), "{}", ended.out);
    let missing = call(&["explain", "--file", "absent.txt"], b"");
    assert_eq!(missing.status, 1);
    assert!(missing.err.starts_with("error: `absent.txt`: "), "{}", missing.err);
}

/// What a small server wrote: a greylisted mail that gets through, a list that is full of
/// gone users, a block list, and a client that is refused.
const LOG: &str = "\
Nov 23 08:00:00 mail postfix/qmgr[9]: 4A2B3C4D5E: from=<alice@example.org>, size=831, nrcpt=1 (queue active)
Nov 23 08:00:01 mail postfix/smtp[7]: 4A2B3C4D5E: to=<bob@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (host mx.example.net[192.0.2.7] said: 450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted for 300 seconds (in reply to RCPT TO command))
Nov 23 08:05:02 mail postfix/smtp[7]: 4A2B3C4D5E: to=<bob@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=302, delays=301/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XYZ)
Nov 23 08:05:02 mail postfix/qmgr[9]: 4A2B3C4D5E: removed
Nov 23 11:00:00 mail postfix/smtp[7]: 4A2B3C4D6F: to=<c@example.com>, relay=mx.example.com[192.0.2.8]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, status=bounced (host mx.example.com[192.0.2.8] said: 550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using a block list (in reply to RCPT TO command))
Nov 23 11:30:00 mail postfix/smtpd[8]: NOQUEUE: reject: RCPT from unknown[198.51.100.9]: 554 5.7.1 <x@example.net>: Relay access denied; from=<y@example.org> to=<x@example.net> proto=ESMTP helo=<pc>
Nov 23 11:30:01 mail kernel: something else
";

#[test]
fn a_log_is_summarised_on_eighty_columns_in_each_language() {
    for language in reply::Language::COMPLETE {
        let lang = language.tag();
        let ended = call(&["explain", "--log", "-", "--lang", lang], LOG.as_bytes());
        assert_eq!((ended.status, ended.err.as_str()), (0, ""));
        let cause = reply::explain::cause_name(reply::Cause::Greylisted, *language);
        assert!(ended.out.contains(&cause) && ended.out.contains("example.com"), "{}", ended.out);
        let words: Vec<&str> = ended.out.split_whitespace().collect();
        let is_english = words.join(" ").contains("no form that is known");
        assert_eq!(is_english, lang == "en", "{}", ended.out);
        for line in ended.out.lines() {
            assert!(line.width() <= 80, "{lang}: {line}");
        }
    }
}

#[test]
fn the_summary_of_a_log_has_stable_names_and_filters_choose_what_counts() {
    let summary = |more: &[&str]| -> Value {
        let ended = call(&[&["explain", "--log", "-", "--json"], more].concat(), LOG.as_bytes());
        assert_eq!(ended.status, 0, "{}", ended.err);
        serde_json::from_str(&ended.out).unwrap()
    };
    let all = summary(&[]);
    let expected = serde_json::json!({ "sent": 1, "deferred": 1, "bounced": 1, "rejected": 1 });
    assert_eq!(all["outcomes"], expected);
    assert_eq!((&all["read"]["lines"], &all["received"]), (&7.into(), &1.into()));
    assert_eq!(all["to_do"][0]["cause"], "host-blocklisted");
    assert_eq!(all["destinations"]["names"][0]["name"], "example.net");
    let of = |more: &[&str]| summary(more)["outcomes"].clone();
    let one = |outcome: &str| {
        let mut expected =
            serde_json::json!({ "sent": 0, "deferred": 0, "bounced": 0, "rejected": 0 });
        expected[outcome] = 1.into();
        expected
    };
    assert_eq!(of(&["--cause", "greylisted"]), one("deferred"));
    assert_eq!(of(&["--to", "c@example.com"]), one("bounced"));
    assert_eq!(of(&["--destination", "mx.example.com"]), one("bounced"));
    assert_eq!(of(&["--from", "y@example.org"]), one("rejected"));
    assert_eq!(of(&["--from", "alice@example.org"])["sent"], 1);
    assert_eq!(of(&["--since", "1h ago"])["bounced"], 0);
}

#[test]
fn each_line_of_a_log_is_an_object_in_order() {
    let ended = call(&["explain", "--log", "-", "--ndjson"], LOG.as_bytes());
    let lines: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), LOG.lines().count());
    for (index, line) in lines.iter().enumerate() {
        assert_eq!((&line["line"], &line["kind"]), (&(index + 1).into(), &"log".into()));
    }
    assert_eq!(lines[0]["cause"], Value::Null);
    assert_eq!(lines[1]["cause"], "greylisted");
    assert_eq!(lines[1]["retry_after_seconds"], 300);
    assert_eq!((&lines[1]["code"], &lines[1]["enhanced_code"]), (&450.into(), &"4.2.0".into()));
    assert_eq!(
        (&lines[1]["sender"], &lines[1]["recipient"]),
        (&"alice@example.org".into(), &"bob@example.net".into())
    );
    assert_eq!(lines[5]["status"], "rejected");
}

#[test]
fn a_followed_log_tells_what_fails_as_it_comes() {
    let ended = call(&["explain", "--log", "-", "--follow"], LOG.as_bytes());
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ended.out);
    assert!(lines[0].contains("<bob@example.net> 450 4.2.0 · Greylisting"), "{}", lines[0]);
}

#[test]
fn logs_that_are_missing_or_no_text_are_named() {
    let ended = call(&["explain", "--log", "missing.log"], b"");
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("error: `missing.log`: "), "{}", ended.err);
    let ended = call(&["explain", "--log", "-"], b"\0\x01\xff\xfe\n\xff\n");
    assert_eq!(ended.status, 0);
    assert!(ended.out.contains("2 lines hold octets that are no text"), "{}", ended.out);
    let ended = call(&["explain", "--log", "-", "--since", "yesterday or so"], b"");
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("how long ago (2d, 6h)"), "{}", ended.err);
}
