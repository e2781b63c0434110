//! Mailboxes of this machine, with a real second process that holds the locks, attempts
//! that died half-way, and addresses that want out of the mail folder.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use policy::{MailboxDirectory, MailboxState};
use proptest::prelude::*;
use reply::Timestamp;
use secondpost_mta::delivery::{Delivery, LocalMail};
use secondpost_mta::mailbox::{
    Disabled, Format, MailboxOptions, Mailboxes, Quota, Registered, Registry,
};
use smtp::syntax::{Mailbox, ReversePath};

use crate::holder::Holder;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const BODY: &[u8] = b"Subject: hello\r\n\r\nFrom here on\r\nlast line\r\n";

/// A data directory with `user@example.org` in it.
struct Site {
    folder: tempfile::TempDir,
    mailboxes: Mailboxes,
}

impl Site {
    fn new(format: Format, change: impl FnOnce(&mut Registered)) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let mut mailbox = Registered::new("user@example.org").unwrap();
        mailbox.format = format;
        change(&mut mailbox);
        Registry::in_dir(folder.path()).add(mailbox).unwrap();
        let mailboxes = Mailboxes::open(folder.path(), options(), NOW).unwrap();
        Site { folder, mailboxes }
    }

    fn registry(&self) -> Registry {
        Registry::in_dir(self.folder.path())
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mail/example.org/user")
    }

    fn state(&self, incoming: Option<u64>) -> Option<MailboxState> {
        self.mailboxes.state(&address("user@example.org"), incoming, NOW)
    }

    fn deliver(&self, queue_id: &str, may_be_there: bool) -> Delivery {
        self.deliver_to("user@example.org", queue_id, may_be_there, &mut { BODY })
    }

    fn deliver_to(&self, to: &str, id: &str, again: bool, body: &mut dyn Read) -> Delivery {
        let reverse_path = ReversePath(Some(address("sender@example.net")));
        let mail = LocalMail {
            queue_id: id,
            arrival: NOW,
            reverse_path: &reverse_path,
            recipient: &address(to),
            octets: BODY.len() as u64,
            may_be_there: again,
        };
        self.mailboxes.deliver(&mail, body, NOW)
    }

    fn messages(&self) -> Vec<String> {
        let mut found = files_in(&self.path().join("new"));
        found.extend(files_in(&self.path().join("cur")));
        found.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}

fn options() -> MailboxOptions {
    MailboxOptions {
        lock_wait: Duration::from_millis(40),
        delivery_lock_wait: Duration::from_millis(40),
        ..MailboxOptions::default()
    }
}

fn address(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

const DELIVERED: Delivery = Delivery::Delivered { already: false };
const ALREADY: Delivery = Delivery::Delivered { already: true };

/// The row's name of what a delivery ended with.
fn row(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Delivered { .. } => "delivered",
        Delivery::Deferred(trouble) | Delivery::Failed(trouble) => trouble.answer.row().id,
    }
}

#[test]
fn a_message_lies_in_new_with_its_trace_fields_and_unix_line_ends() {
    let site = Site::new(Format::Maildir, |_| {});
    assert_eq!(site.deliver("abc", false), DELIVERED);
    let expected = "Return-Path: <sender@example.net>\nDelivered-To: user@example.org\n\
                    Subject: hello\n\nFrom here on\nlast line\n";
    assert_eq!(site.messages(), [expected]);
    assert_eq!(files_in(&site.path().join("tmp")), [] as [PathBuf; 0]);
    let names = files_in(&site.path().join("new"));
    let name = names[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("1800000000.QabcR"), "{name}");
    assert!(name.ends_with(&format!(".localhost,S={}", expected.len())), "{name}");
}

#[test]
fn a_delivery_done_again_leaves_one_message_wherever_its_reader_put_it() {
    let site = Site::new(Format::Maildir, |_| {});
    assert_eq!(site.deliver("abc", false), DELIVERED);
    assert_eq!(site.deliver("abc", true), ALREADY);
    let from = files_in(&site.path().join("new")).remove(0);
    let name = from.file_name().unwrap().to_str().unwrap();
    fs::rename(&from, site.path().join("cur").join(format!("{name}:2,RS"))).unwrap();
    assert_eq!(site.deliver("abc", true), ALREADY);
    assert_eq!(site.messages().len(), 1);
    assert_eq!(site.deliver("abd", true), DELIVERED);
    assert_eq!(site.messages().len(), 2);
}

#[test]
fn an_attempt_that_died_before_its_rename_leaves_nothing_behind() {
    let site = Site::new(Format::Maildir, |_| {});
    site.deliver("abc", false);
    let whole = files_in(&site.path().join("new")).remove(0);
    let name = whole.file_name().unwrap().to_str().unwrap();
    let unfinished = name.split_once(',').unwrap().0;
    fs::rename(&whole, site.path().join("tmp").join(unfinished)).unwrap();
    assert_eq!(site.deliver("abc", true), DELIVERED);
    assert_eq!(site.messages().len(), 1);
    assert_eq!(files_in(&site.path().join("tmp")), [] as [PathBuf; 0]);
}

/// Fails after its first piece.
struct Damaged(bool);

impl Read for Damaged {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.0, true) {
            return Err(io::Error::other("a damaged record"));
        }
        into[..BODY.len()].copy_from_slice(BODY);
        Ok(BODY.len())
    }
}

#[test]
fn a_body_that_cannot_be_read_leaves_the_mailbox_as_it_was() {
    let maildir = Site::new(Format::Maildir, |_| {});
    let failed = maildir.deliver_to("user@example.org", "abc", false, &mut Damaged(false));
    assert_eq!(row(&failed), "server_fault");
    assert_eq!(files_in(&maildir.path().join("tmp")), [] as [PathBuf; 0]);
    assert_eq!(maildir.messages(), [] as [String; 0]);

    let mbox = Site::new(Format::Mbox, |_| {});
    mbox.deliver("abc", false);
    let before = fs::read(mbox.path()).unwrap();
    let failed = mbox.deliver_to("user@example.org", "abd", false, &mut Damaged(false));
    assert_eq!(row(&failed), "server_fault");
    assert_eq!(fs::read(mbox.path()).unwrap(), before);
}

#[test]
fn an_mbox_gets_separators_and_an_empty_line_after_each_message() {
    let site = Site::new(Format::Mbox, |_| {});
    fs::write(site.path(), "From old Mon Jan  1 00:00:00 2024\n\nno line end").unwrap();
    assert_eq!(site.deliver("abc", false), DELIVERED);
    let text = fs::read_to_string(site.path()).unwrap();
    let new = text.split_once("no line end\n\n").unwrap().1;
    let lines: Vec<&str> = new.split('\n').collect();
    assert_eq!(lines[0], "From sender@example.net Fri Jan 15 08:00:00 2027");
    assert!(lines[1].starts_with("X-Secondpost-Delivery: QabcR"), "{new}");
    assert!(lines[1].ends_with(" complete  "), "{new}");
    assert_eq!(
        lines[2..],
        [
            "Return-Path: <sender@example.net>",
            "Delivered-To: user@example.org",
            "Subject: hello",
            "",
            ">From here on",
            "last line",
            "",
            ""
        ]
    );
    assert!(!PathBuf::from(format!("{}.lock", site.path().display())).exists());
}

#[test]
fn an_mbox_cut_off_at_any_octet_ends_with_one_whole_message() {
    let site = Site::new(Format::Mbox, |_| {});
    site.deliver("first", false);
    let before = fs::read(site.path()).unwrap();
    site.deliver("abc", false);
    let whole = fs::read(site.path()).unwrap();
    let unfinished = String::from_utf8(whole[before.len()..].to_vec()).unwrap();
    let unfinished = unfinished.replace("complete  ", "incomplete");
    for cut in 0..=unfinished.len() {
        let left = [&before, &unfinished.as_bytes()[..cut]].concat();
        fs::write(site.path(), &left).unwrap();
        assert_eq!(site.deliver("abc", true), DELIVERED, "{cut}");
        let text = fs::read_to_string(site.path()).unwrap();
        assert_eq!(text.matches(" complete  \n").count(), 2, "{cut}: {text}");
        // Until the name of the delivery is whole on disk, what is left of it cannot be
        // told from another program's; it stays, and a whole message follows.
        if unfinished[..cut].contains(" incomp") {
            assert_eq!(text.as_bytes(), whole, "{cut}");
        }
        assert_eq!(site.deliver("abc", true), ALREADY, "{cut}");
    }
}

#[test]
fn a_part_of_a_message_that_others_appended_to_stays() {
    let site = Site::new(Format::Mbox, |_| {});
    site.deliver("abc", false);
    let cut = fs::read_to_string(site.path()).unwrap().replace("complete  ", "incomplete");
    let other = "From other Mon Jan  1 00:00:00 2024\nSubject: x\n\ny\n\n";
    fs::write(site.path(), format!("{cut}{other}")).unwrap();
    assert_eq!(site.deliver("abc", true), DELIVERED);
    let text = fs::read_to_string(site.path()).unwrap();
    assert!(text.starts_with(&format!("{cut}{other}From sender")), "{text}");
    assert_eq!(site.deliver("abc", true), ALREADY);
}

fn check_locked(site: &Site, lock_file: &Path) {
    assert_eq!(site.state(None), Some(MailboxState::Ready));
    let held = Holder::of(lock_file);
    assert_eq!(site.state(None), Some(MailboxState::Locked));
    assert_eq!(row(&site.deliver("abc", false)), "mailbox_locked");
    drop(held);
    assert_eq!(site.state(None), Some(MailboxState::Ready));
    assert_eq!(site.deliver("abc", true), DELIVERED);
}

#[test]
fn a_maildir_that_another_process_locked_is_locked_until_it_lets_go() {
    let site = Site::new(Format::Maildir, |_| {});
    let lock_file = site.path().join("secondpost.lock");
    fs::write(&lock_file, "").unwrap();
    check_locked(&site, &lock_file);
}

#[test]
fn an_mbox_that_another_process_locked_is_locked_until_it_lets_go() {
    let site = Site::new(Format::Mbox, |_| {});
    check_locked(&site, &site.path());
}

#[test]
fn a_dotlock_keeps_us_out_until_it_is_stale() {
    let site = Site::new(Format::Mbox, |_| {});
    let dotlock = PathBuf::from(format!("{}.lock", site.path().display()));
    let live = std::process::id().to_string();
    let mut gone = Command::new("true").spawn().unwrap();
    let gone_id = gone.id().to_string();
    gone.wait().unwrap();
    let long_after = Timestamp::from_secs(99_999_999_999);
    for (owner, later) in [(live, MailboxState::Locked), (gone_id, MailboxState::Ready)] {
        fs::write(&dotlock, owner).unwrap();
        let user = address("user@example.org");
        // Times of files are the machine's: the epoch is before them all.
        let now = site.mailboxes.state(&user, None, Timestamp::EPOCH);
        assert_eq!(now, Some(MailboxState::Locked));
        assert_eq!(site.mailboxes.state(&user, None, long_after), Some(later));
    }
}

#[test]
fn a_stale_dotlock_is_taken_away_by_a_delivery() {
    let site = Site::new(Format::Mbox, |_| {});
    let dotlock = PathBuf::from(format!("{}.lock", site.path().display()));
    fs::write(&dotlock, "").unwrap();
    let reverse_path = ReversePath(None);
    let mail = LocalMail {
        queue_id: "abc",
        arrival: NOW,
        reverse_path: &reverse_path,
        recipient: &address("user@example.org"),
        octets: 1,
        may_be_there: false,
    };
    let early = site.mailboxes.deliver(&mail, &mut { BODY }, Timestamp::EPOCH);
    assert_eq!(row(&early), "mailbox_locked");
    let long_after = Timestamp::from_secs(99_999_999_999);
    assert_eq!(site.mailboxes.deliver(&mail, &mut { BODY }, long_after), DELIVERED);
    assert!(fs::read_to_string(site.path()).unwrap().starts_with("From MAILER-DAEMON "));
    assert!(!dotlock.exists());
}

#[test]
fn many_deliveries_at_once_all_arrive_whole() {
    for format in [Format::Maildir, Format::Mbox] {
        let folder = tempfile::tempdir().unwrap();
        let mut mailbox = Registered::new("user@example.org").unwrap();
        mailbox.format = format;
        Registry::in_dir(folder.path()).add(mailbox).unwrap();
        let patient = MailboxOptions { delivery_lock_wait: Duration::from_secs(30), ..options() };
        let mailboxes = Mailboxes::open(folder.path(), patient, NOW).unwrap();
        let site = Site { folder, mailboxes };
        std::thread::scope(|scope| {
            for number in 0..8 {
                let site = &site;
                scope.spawn(move || {
                    assert_eq!(site.deliver(&format!("m{number}"), false), DELIVERED);
                });
            }
        });
        let whole = match format {
            Format::Maildir => {
                site.messages().iter().filter(|m| m.ends_with("last line\n")).count()
            }
            Format::Mbox => {
                fs::read_to_string(site.path()).unwrap().matches("\n\nFrom ").count() + 1
            }
        };
        assert_eq!(whole, 8, "{format:?}");
    }
}

/// Tells that the delivery began, and waits until it may go on.
struct Slow(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>);

impl Read for Slow {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.send(()).unwrap();
        self.1.recv().unwrap();
        Ok(0)
    }
}

#[test]
fn more_deliveries_than_its_limit_find_the_mailbox_busy_and_not_locked() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::in_dir(folder.path());
    registry.add(Registered::new("user@example.org").unwrap()).unwrap();
    let one = MailboxOptions { deliveries: 1, ..options() };
    let mailboxes = Mailboxes::open(folder.path(), one, NOW).unwrap();
    let site = Site { folder, mailboxes };
    let (began, has_begun) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            let mut slow = Slow(began, may_go_on);
            site.deliver_to("user@example.org", "abc", false, &mut slow)
        });
        has_begun.recv().unwrap();
        assert_eq!(site.state(None), Some(MailboxState::Busy));
        assert_eq!(row(&site.deliver("abd", false)), "mailbox_busy");
        go_on.send(()).unwrap();
        assert_eq!(first.join().unwrap(), DELIVERED);
    });
    assert_eq!(site.state(None), Some(MailboxState::Ready));
}

#[test]
fn an_administrator_waits_for_the_delivery_that_is_under_way() {
    let site = Site::new(Format::Maildir, |_| {});
    let (began, has_begun) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            site.deliver_to("user@example.org", "abc", false, &mut Slow(began, may_go_on))
        });
        has_begun.recv().unwrap();
        // Ready, not locked: what is under way is ours. Looking must not drop the lock.
        assert_eq!(site.state(None), Some(MailboxState::Ready));
        let script = "import fcntl, sys\n\
                      f = open(sys.argv[1], 'r+b')\n\
                      fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\n";
        let lock_file = site.path().join("secondpost.lock");
        let mut python = Command::new("python3");
        let tried = python.args(["-c", script]).arg(lock_file).stderr(Stdio::null()).status();
        assert!(!tried.unwrap().success());
        go_on.send(()).unwrap();
    });
}

#[test]
fn what_the_administrator_changes_holds_at_once() {
    let site = Site::new(Format::Maildir, |_| {});
    let registry = site.registry();
    let until = NOW + Duration::from_secs(60);
    let for_now = Disabled { until_millis: Some(until.as_millis()) };
    registry.set_disabled("user@example.org", Some(for_now)).unwrap();
    assert_eq!(site.state(None), Some(MailboxState::DisabledForNow));
    assert_eq!(row(&site.deliver("abc", false)), "mailbox_disabled_for_now");
    assert_eq!(
        site.mailboxes.state(&address("user@example.org"), None, until),
        Some(MailboxState::Ready)
    );
    registry.set_disabled("user@example.org", Some(Disabled { until_millis: None })).unwrap();
    assert_eq!(site.state(None), Some(MailboxState::Disabled));
    assert!(matches!(site.deliver("abc", false), Delivery::Failed(_)));
    registry.set_disabled("user@example.org", None).unwrap();
    assert_eq!(site.state(None), Some(MailboxState::Ready));
    registry.remove("user@example.org").unwrap();
    assert_eq!(site.state(None), None);
    assert_eq!(row(&site.deliver("abc", false)), "mailbox_unknown");
}

#[test]
fn a_damaged_registry_leaves_the_last_good_one_in_force() {
    let site = Site::new(Format::Maildir, |_| {});
    fs::write(site.folder.path().join("mailboxes.json"), "{ half").unwrap();
    assert_eq!(site.state(None), Some(MailboxState::Ready));
    assert!(Mailboxes::open(site.folder.path(), options(), NOW).is_err());
}

#[test]
fn while_the_registry_cannot_be_read_no_mailbox_is_told_to_be_unknown() {
    let site = Site::new(Format::Maildir, |_| {});
    let other = address("other@example.org");
    let state = |site: &Site| site.mailboxes.state(&other, None, NOW);
    assert_eq!(state(&site), None);
    let registry = site.folder.path().join("mailboxes.json");
    for trouble in [|path: &Path| fs::write(path, "{ half"), |path: &Path| fs::remove_file(path)] {
        trouble(&registry).unwrap();
        // It may have been added just now: 451 and not 550.
        assert_eq!(state(&site), Some(MailboxState::Fault));
        assert_eq!(site.state(None), Some(MailboxState::Ready));
        assert_eq!(
            row(&site.deliver_to("other@example.org", "a", false, &mut { BODY })),
            "server_fault"
        );
    }
}

#[test]
fn a_mailbox_over_quota_is_full_for_now_or_finally() {
    for (format, is_final, expected, said) in [
        (Format::Maildir, false, MailboxState::Full, "mailbox_full"),
        (Format::Maildir, true, MailboxState::FullFinally, "mailbox_full_finally"),
        (Format::Mbox, false, MailboxState::Full, "mailbox_full"),
    ] {
        let site = Site::new(format, |mailbox| {
            mailbox.quota = Quota { octets: Some(500), messages: Some(2), is_final };
        });
        assert_eq!(site.state(Some(500)), Some(MailboxState::Ready), "{format:?}");
        assert_eq!(site.state(Some(501)), Some(expected), "{format:?}");
        assert_eq!(site.deliver("a", false), DELIVERED);
        assert_eq!(site.deliver("b", false), DELIVERED);
        assert_eq!(site.state(None), Some(expected), "{format:?}");
        assert_eq!(row(&site.deliver("c", false)), said, "{format:?}");
        assert_eq!(site.deliver("a", true), ALREADY, "{format:?}");
    }
}

#[test]
fn a_tag_names_the_same_mailbox_and_case_does_not_matter() {
    let site = Site::new(Format::Maildir, |_| {});
    for same in ["USER@Example.ORG", "user+tag@example.org", "\"user\"@example.org"] {
        let state = site.mailboxes.state(&address(same), None, NOW);
        assert_eq!(state, Some(MailboxState::Ready), "{same}");
    }
    for other in
        ["\" user\"@example.org", "+user@example.org", "us@example.org", "user@example.net"]
    {
        assert_eq!(site.mailboxes.state(&address(other), None, NOW), None, "{other}");
    }
    assert_eq!(site.mailboxes.named("USER").unwrap(), ["user@example.org"]);
}

#[test]
fn every_domain_has_a_postmaster() {
    let site = Site::new(Format::Maildir, |_| {});
    for to in ["Postmaster@example.org", "postmaster+x@other.test", "postmaster@[127.0.0.1]"] {
        assert_eq!(
            site.mailboxes.state(&address(to), None, NOW),
            Some(MailboxState::Ready),
            "{to}"
        );
        assert_eq!(site.deliver_to(to, "abc", false, &mut { BODY }), DELIVERED, "{to}");
    }
    let new = site.folder.path().join("mail/example.org/postmaster/new");
    assert_eq!(files_in(&new).len(), 1);
}

fn check_inside(local_part: &str, domain: &str) {
    let Ok(mailbox) = Registered::new(&format!("{local_part}@{domain}")) else { return };
    let path = mailbox.path_in(Path::new("/data"));
    let below = path.strip_prefix("/data/mail").expect("below the mail folder");
    let names: Vec<_> = below.components().collect();
    assert_eq!(names.len(), 2, "{path:?}");
    for name in names {
        assert!(matches!(name, std::path::Component::Normal(_)), "{path:?}");
        assert!(name.as_os_str().len() <= 255, "{path:?}");
        assert!(!name.as_os_str().as_encoded_bytes().contains(&0), "{path:?}");
    }
}

#[test]
fn a_hostile_address_stays_in_the_mail_folder() {
    for local_part in [
        "..",
        ".",
        "../..",
        "/etc/passwd",
        "a/../../b",
        "a\0b",
        "%2e%2e",
        "-rf",
        "~root",
        "a\\b",
        " ",
        "new",
        "a\nb",
        "grüße",
        "\u{202e}x",
        &"x".repeat(300),
        &"/".repeat(64),
        ".hidden",
    ] {
        check_inside(local_part, "example.org");
        check_inside("user", local_part);
    }
}

proptest! {
    #[test]
    fn no_address_leaves_the_mail_folder(local_part in "\\PC{1,70}", domain in "\\PC{1,40}") {
        check_inside(&local_part, &domain);
    }

    #[test]
    fn two_addresses_never_share_a_folder(a in "[./%a+~-]{1,6}", b in "[./%a+~-]{1,6}") {
        let path = |local: &str| Registered::new(&format!("{local}@example.org")).unwrap().path;
        prop_assert_eq!(path(&a) == path(&b), a == b);
    }
}

#[test]
fn the_first_octets_of_a_held_lock_are_not_ours_to_change() {
    // The holder really excludes: a sanity check of the tests above.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    fs::File::create(&path).unwrap().write_all(b"x").unwrap();
    let held = Holder::of(&path);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let try_it =
        || rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    assert!(try_it().is_err());
    drop(held);
    assert!(try_it().is_ok());
}
