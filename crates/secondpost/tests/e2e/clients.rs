//! The clients that people use submit a message each, and it arrives as it was sent.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::daemon::{Daemon, eventually};

const MESSAGE: &str = "From: a@example.org\nTo: alice@example.org\nSubject: by WHO\n\n\
                       .a leading dot\n..and two\nlast line\n";

#[test]
fn swaks_submits() {
    check("swaks", |port, message| {
        let server = format!("127.0.0.1:{port}");
        let from_to = ["--from", "a@example.org", "--to", "alice@example.org"];
        let mut swaks = Command::new("swaks");
        swaks.args(["--server", &server, "--data", "-"]).args(from_to);
        fed(swaks, message)
    });
}

#[test]
fn curl_submits() {
    check("curl", |port, message| {
        let url = format!("smtp://127.0.0.1:{port}/client.test");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--crlf", "--url", &url, "--upload-file", "-"]);
        curl.args(["--mail-from", "a@example.org", "--mail-rcpt", "alice@example.org"]);
        fed(curl, message)
    });
}

#[test]
fn msmtp_submits() {
    check("msmtp", |port, message| {
        let mut msmtp = Command::new("msmtp");
        msmtp.args(["--host=127.0.0.1", &format!("--port={port}"), "--tls=off", "--auth=off"]);
        msmtp.args(["--from=a@example.org", "alice@example.org"]);
        fed(msmtp, message)
    });
}

#[test]
fn smtplib_submits() {
    const SCRIPT: &str = "import smtplib, sys\n\
        with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as client:\n\
        \x20   client.sendmail('a@example.org', ['alice@example.org'], sys.stdin.read())\n";
    check("smtplib", |port, message| {
        let mut python = Command::new("python3");
        python.args(["-c", SCRIPT, &port.to_string()]);
        fed(python, message)
    });
}

#[test]
fn our_own_sendmail_submits() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = started(folder.path());
    let sendmail = folder.path().join("sendmail");
    std::os::unix::fs::symlink(crate::daemon::BINARY, &sendmail).expect("a link can be made");
    let mut command = Command::new(&sendmail);
    command.args(["-i", "-t", "-f", "a@example.org"]);
    command.env("SECONDPOST_DATA_DIR", daemon.data_dir());
    let output = fed(command, &MESSAGE.replace("WHO", "sendmail"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    arrives(&daemon, "sendmail");
}

fn started(folder: &Path) -> Daemon {
    let daemon = Daemon::start(&folder.join("data"), &["--domain", "example.org"]);
    daemon.ask(&["mailbox", "add", "alice@example.org"]);
    daemon
}

/// Runs a client on the submission port and reads what arrived.
fn check(who: &str, submit: impl Fn(u16, &str) -> Output) {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = started(folder.path());
    let output = submit(daemon.submission.port(), &MESSAGE.replace("WHO", who));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    arrives(&daemon, who);
}

fn arrives(daemon: &Daemon, who: &str) {
    let file = eventually("it arrives", || daemon.new_mail("example.org", "alice").pop());
    let mail = std::fs::read_to_string(file).expect("it can be read").replace("\r\n", "\n");
    assert!(mail.contains(&format!("Subject: by {who}\n")), "{mail}");
    assert!(mail.trim_end().ends_with("\n\n.a leading dot\n..and two\nlast line"), "{mail}");
    assert!(mail.contains("\nMessage-ID: ") || mail.contains("\nMessage-Id: "), "{mail}");
    assert!(mail.contains("\nDate: "), "{mail}");
}

/// Runs a command with its standard input.
fn fed(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the client is installed");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(input.as_bytes()).expect("the client reads its input");
    drop(stdin);
    child.wait_with_output().expect("the client ends")
}
