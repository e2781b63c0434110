//! A real file system of 24 MiB: full to the last octet, drained, and used again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::{Daemon, eventually};
use crate::dialog::Dialog;

/// Octets of a message, about: some hundreds fill the disk.
const MESSAGE_OCTETS: usize = 40_000;

/// A file system in memory, with no more space than it says. Dropped, it is gone.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it, which only root may: `None` for anybody else.
    fn mount(at: &Path) -> Option<SmallDisk> {
        std::fs::create_dir(at).expect("a folder to mount at");
        if !rustix::process::geteuid().is_root() {
            eprintln!("only root can mount a small file system: nothing was tested");
            return None;
        }
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs"]).arg(at);
        let mounted = mount.output().expect("mount runs");
        assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
        Some(SmallDisk(at.to_owned()))
    }

    /// Takes all space that is left; where the file is that has it.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filling");
        let mut file = File::create(&path).expect("a file");
        for piece in [1 << 20, 4096, 1] {
            while file.write_all(&vec![1; piece]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_file_system_refuses_mail_loses_none_drains_and_accepts_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(&folder.path().join("small")) else { return };
    let data_dir = disk.0.join("data");
    let receiver = receiver(&folder.path().join("receiver"));
    let nobody = crate::daemon::free_port();

    let daemon = sender(&data_dir, nobody);
    let mut accepted = submit_until_refused(&daemon);
    assert!(accepted.len() > 150, "only {} fit", accepted.len());
    let filling = disk.fill();
    assert!(submit(&daemon, 9_999).starts_with("452 4.3.1 "), "there is no octet left");
    // An end is written on a full disk.
    let kept = accepted.len() - 10;
    let removed = daemon.queued().split_off(kept);
    daemon.ask(&command("remove", &removed));
    accepted.retain(|number| *number < kept);
    daemon.kill();

    let daemon = sender(&data_dir, receiver.mx.port());
    assert_eq!(daemon.queued().len(), accepted.len(), "what was accepted is there");
    // Some may have left by themselves meanwhile: the first one wakes the destination.
    daemon.queued().chunks(40).for_each(|ids| drop(daemon.run(&command("retry", ids))));
    eventually("the queue drains", || daemon.queued().is_empty().then_some(()));
    eventually("all arrives, and nothing else", || (arrived(&receiver) == accepted).then_some(()));
    std::fs::remove_file(filling).expect("the filling goes");
    eventually("mail is accepted again", || submit(&daemon, 10_000).starts_with('2').then_some(()));
    eventually("it is delivered", || arrived(&receiver).contains(&10_000).then_some(()));
    daemon.kill();

    let daemon = sender(&data_dir, receiver.mx.port());
    eventually("nothing comes back", || daemon.queued().is_empty().then_some(()));
    daemon.terminate();
    let check = crate::daemon::secondpost(&data_dir, &["spool", "check"]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

/// A server with a mailbox for all that the other one sends.
fn receiver(data_dir: &Path) -> Daemon {
    let open = ["--domain", "elsewhere.test", "--set", "greylist.enabled=false"];
    let receiver = Daemon::start(data_dir, &open);
    receiver.ask(&["mailbox", "add", "bob@elsewhere.test"]);
    receiver
}

/// The server on the small disk; it sends to `port`.
fn sender(data_dir: &Path, port: u16) -> Daemon {
    let route = format!("routes={{\"elsewhere.test\"=\"127.0.0.1:{port}\"}}");
    Daemon::start(data_dir, &["--domain", "example.org", "--set", &route])
}

fn submit(daemon: &Daemon, number: usize) -> String {
    let line = "0123456789abcdef\r\n";
    let filling = line.repeat(MESSAGE_OCTETS / line.len());
    let text = format!("Subject: number {number}\r\n\r\n{filling}");
    let mut client = Dialog::greeted(daemon.submission);
    client.message("alice@example.org", "bob@elsewhere.test", &text)
}

/// The numbers of the messages that had their 250.
fn submit_until_refused(daemon: &Daemon) -> BTreeSet<usize> {
    for number in 0..2_000 {
        let reply = submit(daemon, number);
        if !reply.starts_with("250") {
            assert!(reply.starts_with("452 4.3.1 "), "{reply}");
            return (0..number).collect();
        }
    }
    panic!("24 MiB took 80 MB");
}

/// The numbers of the messages in the receiver's mailbox, each once.
fn arrived(receiver: &Daemon) -> BTreeSet<usize> {
    let files = receiver.new_mail("elsewhere.test", "bob");
    let number = |path: &PathBuf| {
        let mail = std::fs::read_to_string(path).expect("mail can be read");
        let line = mail.lines().find_map(|line| line.strip_prefix("Subject: number "));
        line.expect("a subject").trim().parse::<usize>().expect("a number")
    };
    let numbers: BTreeSet<usize> = files.iter().map(number).collect();
    assert_eq!(numbers.len(), files.len(), "a message arrived twice");
    numbers
}

fn command<'a>(action: &'a str, ids: &'a [String]) -> Vec<&'a str> {
    ["queue", action].into_iter().chain(ids.iter().map(String::as_str)).collect()
}
