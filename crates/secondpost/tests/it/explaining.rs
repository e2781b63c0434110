//! `explain`, `compare` and the lists: what a postmaster reads, and its JSON.

use serde_json::Value;

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
    for lang in ["en", "de"] {
        for args in [
            &["explain", "450"][..],
            &["explain", "4.2.2"],
            &["explain", "vrfy"],
            &["explain", "450 4.2.0 Greylisted, try again in 300 seconds"],
            &["compare", "450", "502"],
            &["compare", "VRFY", "mailbox-full"],
            &["codes"],
            &["causes"],
            &["replies"],
        ] {
            let ended = call(&[args, &["--lang", lang]].concat(), b"");
            assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{args:?}");
            for line in ended.out.lines() {
                assert!(line.chars().count() <= 80, "{args:?}: {line}");
                assert!(!line.contains('\u{1b}'), "{args:?}: {line}");
            }
        }
    }
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
    let names: Vec<&str> = verdict.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "action alternatives arrival cause code confidence diagnostic enhanced_code \
                    evidence kind message_id path permanence recipient remote_mta \
                    retry_after_seconds retry_at sender whose_move";
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
