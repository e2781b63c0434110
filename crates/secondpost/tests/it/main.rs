//! The built binary, as a user calls it: what needs no running daemon.

mod command_line;
mod explaining;
mod mailbox;
mod mails;
mod mcp;
mod probing;
mod schema;
mod sendmail;
mod settings;
mod spool;
mod unreadable;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a call left: exit status, stdout, stderr.
#[derive(Debug)]
struct Ended {
    status: i32,
    out: String,
    err: String,
}

/// Calls `program` (the binary or a link to it) in `dir`, with `input` on stdin.
fn call(program: &Path, dir: &Path, args: &[&str], input: &[u8]) -> Ended {
    let mut child = Command::new(program)
        .args(args)
        .current_dir(dir)
        .env_remove("SECONDPOST_DATA_DIR")
        .env_remove("SECONDPOST_CONFIG")
        .env("LC_ALL", "C")
        .env("USER", "tester")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends without reading its input closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ended { status: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

/// Calls `secondpost`.
fn secondpost(dir: &Path, args: &[&str], input: &[u8]) -> Ended {
    call(Path::new(env!("CARGO_BIN_EXE_secondpost")), dir, args, input)
}

/// The one file of the drop folder: its envelope, and the message without the Date and
/// Message-ID that are put in front of it.
fn dropped(data_dir: &Path) -> (serde_json::Value, String) {
    let mut files = std::fs::read_dir(data_dir.join("drop")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    let text = std::fs::read_to_string(file).unwrap();
    let (envelope, message) = text.split_once('\n').unwrap();
    let (date, message) = message.split_once("\r\n").unwrap();
    let (message_id, message) = message.split_once("\r\n").unwrap();
    assert!(date.starts_with("Date: ") && message_id.starts_with("Message-ID: <"), "{text}");
    (serde_json::from_str(envelope).unwrap(), message.to_owned())
}
