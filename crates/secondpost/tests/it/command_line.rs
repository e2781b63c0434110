//! Usage, errors and exit statuses; `send` without a daemon.

use unicode_width::UnicodeWidthStr;

use super::{dropped, secondpost};

const MESSAGE: &[u8] = b"Subject: hi\n\nhello\n";

#[test]
fn without_arguments_the_help_says_how_to_begin() {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &[], b"");
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("secondpost serve"), "{}", ended.err);
    let ended = secondpost(dir.path(), &["frobnicate"], b"");
    assert_eq!(ended.status, 2);
}

#[test]
fn what_asks_the_daemon_says_that_none_runs_and_where_it_looked() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["queue"][..], &["queue", "hold", "x"], &["greylist", "list"]] {
        let ended = secondpost(dir.path(), args, b"");
        assert_eq!(ended.status, 1, "{args:?}");
        let expected = "error: no daemon is running on the data directory `./secondpost-data`\n\
                        help: start one with `secondpost serve`";
        assert!(ended.err.starts_with(expected), "{}", ended.err);
    }
}

#[test]
fn a_data_directory_that_is_none_or_not_ours_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    for args in [&["serve"][..], &["queue"], &["spool", "stat"]] {
        let ended = secondpost(dir.path(), &[&["--data-dir", "file"], args].concat(), b"");
        assert_eq!(ended.status, 1, "{args:?}");
        let expected = "error: the data directory `file` is not a directory\nhelp: ";
        assert!(ended.err.starts_with(expected), "{args:?}: {}", ended.err);
    }
    let below = ["--data-dir", "file/below", "serve"];
    let ended = secondpost(dir.path(), &below, b"");
    assert!(ended.err.contains("`file/below` cannot be made"), "{}", ended.err);
}

#[test]
fn with_json_an_error_is_an_object_too() {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &["queue", "--json"], b"");
    let told: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!((ended.status, ended.out.as_str()), (1, ""));
    assert!(told["error"].as_str().unwrap().starts_with("no daemon is running"), "{told}");
    assert!(told["help"].as_str().unwrap().contains("secondpost serve"), "{told}");
}

#[test]
fn with_json_a_wrong_argument_is_an_object_too_and_help_is_help() {
    let dir = tempfile::tempdir().unwrap();
    for (args, problem, way_out) in [
        (&["--json", "explain", "--frobnicate"][..], "`--frobnicate`", "explain"),
        (&["compare", "450", "--json"], "`<B>` is missing", "<A> <B>"),
        (&["frobnicate", "--json"], "`frobnicate`", "--help"),
        (&["--json"], "subcommand", "secondpost"),
    ] {
        let ended = secondpost(dir.path(), args, b"");
        assert_eq!((ended.status, ended.out.as_str()), (2, ""), "{args:?}");
        let told: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
        assert!(told["error"].as_str().unwrap().contains(problem), "{args:?}: {told}");
        assert!(told["help"].as_str().unwrap().contains(way_out), "{args:?}: {told}");
    }
    let help = secondpost(dir.path(), &["explain", "--json", "--help"], b"");
    assert!(help.status == 0 && help.out.contains("Usage: secondpost explain"), "{}", help.out);
    // Behind `--` it is a text.
    let text = secondpost(dir.path(), &["frobnicate", "--", "--json"], b"");
    assert!(text.err.starts_with("error: there is no subcommand `frobnicate`"), "{}", text.err);
}

#[test]
fn shells_complete_the_commands_and_bash_takes_its_script() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = secondpost(dir.path(), &["completions", shell], b"");
        assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{shell}");
        assert!(ended.out.contains("greylist") && ended.out.contains("data-dir"), "{shell}");
    }
    let script = secondpost(dir.path(), &["completions", "bash"], b"").out;
    let ask = "COMP_WORDS=(secondpost comp) COMP_CWORD=1; _secondpost secondpost comp secondpost; \
               echo \"${COMPREPLY[@]}\"";
    let bash = std::path::Path::new("/bin/bash");
    let ended = super::call(bash, dir.path(), &["-c", &format!("{script}\n{ask}")], b"");
    assert_eq!((ended.status, ended.out.as_str()), (0, "compare completions\n"), "{}", ended.err);
}

#[test]
fn every_subcommand_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    let ended = secondpost(dir.path(), &["man", "man1"], b"");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let page = |name: &str| std::fs::read_to_string(dir.path().join("man1").join(name)).unwrap();
    assert!(page("secondpost-queue-show.1").contains(".SH SYNOPSIS"));
    assert!(page("sendmail.1").contains("recipients from To, Cc and Bcc"));
    assert!(page("mailq.1").contains(".TH MAILQ 1"));
    let ended = secondpost(dir.path(), &["man"], b"");
    assert_eq!(ended.out, page("secondpost.1"));
}

#[test]
fn send_without_a_daemon_keeps_the_message_with_its_envelope() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--data-dir", "d", "send", "--from", "a@example.org", "--to", "b@localhost"];
    let ended = secondpost(dir.path(), &[&args[..], &["--notify", "success"]].concat(), MESSAGE);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert!(ended.out.starts_with("no daemon is running: kept in d/drop/"), "{}", ended.out);
    let (envelope, message) = dropped(&dir.path().join("d"));
    assert_eq!(message, "Subject: hi\r\n\r\nhello\r\n");
    assert_eq!(envelope["sender"], "a@example.org");
    assert_eq!(envelope["recipients"][0]["address"], "b@localhost");
    assert_eq!(envelope["recipients"][0]["notify"], "SUCCESS");
    assert!(envelope["octets"].as_u64().unwrap() > message.len() as u64);
}

#[test]
fn the_data_directory_may_stand_after_the_subcommand() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["send", "--from", "", "--to", "b@localhost", "--data-dir", "after", "--json"];
    let ended = secondpost(dir.path(), &args, MESSAGE);
    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["id"], serde_json::Value::Null);
    assert_eq!(dropped(&dir.path().join("after")).0["sender"], "");
}

#[test]
fn send_refuses_what_has_no_route_and_names_the_setting() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["send", "--from", "a@example.org", "--to", "b@example.net"];
    let ended = secondpost(dir.path(), &args, MESSAGE);
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("error: 550 5.7.1 <b@example.net>"), "{}", ended.err);
    assert!(ended.err.contains("`relay`"), "{}", ended.err);
    assert!(!dir.path().join("secondpost-data/drop").exists());
    let routed = [&args[..], &["--set", "routes.example.net=127.0.0.1:2526"]].concat();
    assert_eq!(secondpost(dir.path(), &routed, MESSAGE).status, 0);
}

#[test]
fn a_malformed_message_is_told_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bad.eml"), "Subject: x\nnonsense here\n\nbody\n").unwrap();
    let args = ["send", "--from", "a@example.org", "--to", "b@localhost", "bad.eml"];
    let ended = secondpost(dir.path(), &args, b"");
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("error: malformed message: `nonsense here`"), "{}", ended.err);
    assert!(ended.err.contains("--> bad.eml:2:1"), "{}", ended.err);
    assert!(ended.err.contains("help: expected a header field"), "{}", ended.err);
    let missing = [&args[..5], &["gone.eml"]].concat();
    let ended = secondpost(dir.path(), &missing, b"");
    assert!(ended.err.starts_with("error: `gone.eml` cannot be read"), "{}", ended.err);
}

#[test]
fn an_address_that_is_none_is_a_usage_error() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["send", "--from", "nobody", "--to", "b@localhost"];
    let ended = secondpost(dir.path(), &args, MESSAGE);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("`nobody` is no mail address"), "{}", ended.err);
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_secondpost"))
        .args(["config", "example"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn why_tells_a_story_from_the_data_directory_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("secondpost-data/history");
    std::fs::create_dir_all(&folder).unwrap();
    let line = "{\"at\":1700000000000,\"id\":\"3bq8fz4k0000\",\"event\":\"held\",\"reason\":\"by hand\"}\n";
    std::fs::write(folder.join("2999-01-01.jsonl"), line).unwrap();
    let ended = secondpost(dir.path(), &["why", "3bq8fz4k0000"], b"");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert!(ended.out.contains("2023-11-14T22:13:20Z  held: by hand"), "{}", ended.out);
    let json = secondpost(dir.path(), &["why", "3bq8fz4k0000", "--json"], b"");
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["events"][0]["at"], "2023-11-14T22:13:20Z");
    let unknown = secondpost(dir.path(), &["why", "3bq8fz4k0001"], b"");
    assert_eq!(unknown.status, 1);
    assert!(
        unknown.err.starts_with("error: nothing is known of `3bq8fz4k0001`"),
        "{}",
        unknown.err
    );
    assert_eq!(secondpost(dir.path(), &["why", "nonsense"], b"").status, 2);
}

#[test]
fn what_was_done_and_what_is_wrong_is_said_in_the_readers_language() {
    let calls: [&[&str]; 21] = [
        &["mailbox", "list"],
        &["mailbox", "add", "bob@example.org", "--quota", "1500K,5", "--quota-final"],
        &["mailbox", "disable", "bob@example.org"],
        &["mailbox", "list"],
        &["mailbox", "enable", "bob@example.org"],
        &["mailbox", "remove", "bob@example.org"],
        &["queue"],
        &["greylist", "list"],
        &["config", "check"],
        &["spool", "stat"],
        &["why", "0123456789ab"],
        &["commands", "gremlin"],
        &["compare", "450", "gremlin"],
        &["config", "check", "--config", "gone.toml"],
        &["config", "check", "--set", "relay"],
        &["config", "check", "--data-dir", "gone", "--config", "."],
        &["mailbox", "remove", "nobody@example.org"],
        &["mailbox", "remove", "nobody"],
        &["send", "--from", "a@example.org", "--to", "b@localhost", "gone.eml"],
        &["probe", "a b"],
        &["why", "x"],
    ];
    // What begins an error, in each of the languages.
    let labels = ["error: ", "Fehler: ", "erreur\u{a0}: ", "エラー：", "erro: "];
    let is_error = |line: &str| labels.iter().any(|label| line.starts_with(label));
    let said = |language: &str| -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let call = |args: &&[&str]| {
            let ended = secondpost(dir.path(), &[args, &["--lang", language][..]].concat(), b"");
            let said = format!("{}{}", ended.out, ended.err);
            // An error is one line for who looks for it, and a path stays whole.
            let is_long = |line: &&str| !is_error(line) && !line.contains(".org");
            for line in said.lines().filter(is_long) {
                assert!(line.width() <= 80, "{language}: {line}");
            }
            said.replace("error: ", "").replace("help: ", "").replace("warning: ", "")
        };
        calls.iter().map(call).collect()
    };
    let english = said("en");
    for language in ["de", "fr", "es", "ja", "pt"] {
        for ((said, english), call) in said(language).iter().zip(&english).zip(calls) {
            // What is no word of ours is the same in every language: names, options, codes.
            let of_ours = |line: &&str| line.split_whitespace().count() > 2;
            for line in said.lines().filter(of_ours) {
                assert!(!english.lines().any(|other| other == line), "{language} {call:?}: {line}");
            }
        }
    }
}
