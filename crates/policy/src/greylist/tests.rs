//! The behaviour of greylisting over a table in memory, with a clock made of numbers.

use super::*;
use admin::State;
use proptest::prelude::*;
use std::sync::Arc;
use store::{FileSystem, LoggedTable, MemoryTable, TableError};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn greylist() -> Greylist {
    Greylist::new(Options::default(), Arc::new(MemoryTable::default()))
}

fn patient(window: Duration) -> Greylist {
    let options = Options { window, ..Options::default() };
    Greylist::new(options, Arc::new(MemoryTable::default()))
}

fn attempt(client: &'static str) -> Attempt<'static> {
    let client = client.parse().unwrap();
    Attempt { client, sender: "a@example.net", recipient: "b@example.org" }
}

/// The seconds to wait, or 0 where it passes.
fn waits(greylist: &Greylist, attempt: &Attempt<'_>, now: Timestamp) -> u64 {
    match greylist.check(attempt, now) {
        Outcome::Pass(_) => 0,
        Outcome::Wait { remaining, .. } => remaining.as_secs(),
    }
}

#[test]
fn the_first_attempt_waits_and_the_one_after_the_window_passes() {
    let greylist = greylist();
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), START), 60);
    let almost = START + MINUTE - Duration::from_millis(1);
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), almost), 1);
    let passed = greylist.check(&attempt("192.0.2.1"), START + MINUTE);
    assert_eq!(passed, Outcome::Pass(Why::CameBack));
}

#[test]
fn exactly_at_the_window_a_second_attempt_passes() {
    let greylist = greylist();
    waits(&greylist, &attempt("192.0.2.1"), START);
    let outcome = greylist.check(&attempt("192.0.2.1"), START + MINUTE);
    assert_eq!(outcome, Outcome::Pass(Why::CameBack));
}

#[test]
fn an_early_retry_hears_the_time_that_remains_rounded_up() {
    let greylist = greylist();
    waits(&greylist, &attempt("192.0.2.1"), START);
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), START + Duration::from_millis(20_500)), 40);
}

#[test]
fn the_third_attempt_passes_however_early() {
    let greylist = greylist();
    let second = Duration::from_secs(1);
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), START), 60);
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), START + second), 59);
    let third = greylist.check(&attempt("192.0.2.1"), START + second + second);
    assert_eq!(third, Outcome::Pass(Why::Persistent));
}

#[test]
fn nobody_waits_longer_than_30_minutes() {
    let greylist = patient(4 * HOUR);
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), START), 1800);
    let outcome = greylist.check(&attempt("192.0.2.1"), START + 30 * MINUTE);
    assert_eq!(outcome, Outcome::Pass(Why::CameBack));
}

#[test]
fn a_retry_counts_until_48_hours_and_not_a_second_longer() {
    let in_time = greylist();
    waits(&in_time, &attempt("192.0.2.1"), START);
    assert_eq!(waits(&in_time, &attempt("192.0.2.1"), START + 48 * HOUR), 0);
    let late = greylist();
    waits(&late, &attempt("192.0.2.1"), START);
    let after = START + 48 * HOUR + Duration::from_secs(1);
    assert_eq!(waits(&late, &attempt("192.0.2.1"), after), 60);
}

#[test]
fn a_client_that_passed_is_white_for_35_days_from_its_last_mail() {
    let days = |count: u32| 24 * HOUR * count;
    let greylist = greylist();
    waits(&greylist, &attempt("192.0.2.1"), START);
    let passed = START + MINUTE;
    waits(&greylist, &attempt("192.0.2.1"), passed);
    let other = Attempt { sender: "c@example.com", ..attempt("192.0.2.9") };
    assert_eq!(greylist.check(&other, passed + days(35)), Outcome::Pass(Why::White));
    assert_eq!(greylist.check(&other, passed + days(70)), Outcome::Pass(Why::White));
    let second = Duration::from_secs(1);
    assert_eq!(waits(&greylist, &other, passed + days(105) + second), 60);
}

#[test]
fn the_key_is_network_folded_sender_and_recipient() {
    let greylist = greylist();
    let verp = |sender| Attempt { sender, ..attempt("192.0.2.1") };
    waits(&greylist, &verp("list-17@example.net"), START);
    let now = START + MINUTE;
    for (sender, recipient, client) in [
        ("list-17@example.net", "b@example.org", "192.0.3.1"),
        ("other-17@example.net", "b@example.org", "192.0.2.1"),
        ("list-17@example.net", "c@example.org", "192.0.2.1"),
    ] {
        let strange = Attempt { client: client.parse().unwrap(), sender, recipient };
        assert_eq!(waits(&greylist, &strange, now), 60, "{strange:?}");
    }
    let back = Attempt { recipient: "B@Example.ORG", ..attempt("::ffff:192.0.2.200") };
    let back = Attempt { sender: "LIST-18@example.net", ..back };
    assert_eq!(greylist.check(&back, now), Outcome::Pass(Why::CameBack));
}

#[test]
fn an_ipv6_client_may_hop_within_its_64() {
    let greylist = greylist();
    waits(&greylist, &attempt("2001:db8:1:2::1"), START);
    assert_eq!(waits(&greylist, &attempt("2001:db8:1:3::1"), START + MINUTE), 60);
    assert_eq!(waits(&greylist, &attempt("2001:db8:1:2:ffff::"), START + MINUTE), 0);
}

#[test]
fn role_addresses_and_those_on_the_list_never_wait() {
    let exempt = Exempt {
        clients: vec!["198.51.100.0/24".parse().unwrap()],
        senders: vec!["@example.com".parse().unwrap()],
        recipients: vec!["support@".parse().unwrap()],
    };
    let options = Options { exempt, ..Options::default() };
    let greylist = Greylist::new(options, Arc::new(MemoryTable::default()));
    let to = |recipient| Attempt { recipient, ..attempt("192.0.2.1") };
    let from = Attempt { sender: "x@Example.com", ..attempt("192.0.2.1") };
    let spared = [
        to("Postmaster@example.org"),
        to("abuse@example.org"),
        to("support@example.org"),
        from,
        attempt("198.51.100.7"),
    ];
    for one in spared {
        assert_eq!(greylist.check(&one, START), Outcome::Pass(Why::Exempt), "{one:?}");
    }
    assert_eq!(waits(&greylist, &to("user@example.org"), START), 60);
}

#[test]
fn a_clock_set_back_makes_nobody_wait_longer_than_the_window() {
    let greylist = greylist();
    waits(&greylist, &attempt("192.0.2.1"), START);
    let back = START - 1000 * HOUR;
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), back), 60);
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), back + MINUTE), 0);
    assert_eq!(waits(&greylist, &attempt("192.0.2.1"), back + MINUTE), 0);
}

/// A table that cannot be written.
struct Broken;

impl Table for Broken {
    fn get_with_expiry(&self, _: &[u8], _: u64) -> Option<(Vec<u8>, u64)> {
        None
    }
    fn put(&self, _: &[u8], _: &[u8], _: u64) -> Result<(), TableError> {
        Err(TableError::Full)
    }
    fn compare_and_set(
        &self,
        _: &[u8],
        _: Option<&[u8]>,
        _: &[u8],
        _: u64,
        _: u64,
    ) -> Result<bool, TableError> {
        Err(TableError::Full)
    }
    fn remove(&self, _: &[u8]) -> Result<bool, TableError> {
        Err(TableError::Full)
    }
    fn scan(&self, _: &[u8], _: u64, _: &mut dyn FnMut(&[u8], &[u8], u64) -> bool) {}
}

#[test]
fn a_store_that_fails_lets_mail_pass_and_is_counted() {
    let greylist = Greylist::new(Options::default(), Arc::new(Broken));
    assert_eq!(greylist.check(&attempt("192.0.2.1"), START), Outcome::Pass(Why::StoreFailed));
    assert_eq!(greylist.store_errors(), 1);
}

#[test]
fn what_waits_and_who_passed_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let in_a_process = |now: Timestamp| {
        let disk = FileSystem::new(folder.path()).unwrap();
        let (table, _) = LoggedTable::open(disk, "greylist", now.as_millis()).unwrap();
        let table = Arc::new(table);
        let greylist = Greylist::new(Options::default(), Arc::clone(&table) as Arc<dyn Table>);
        let outcome = greylist.check(&attempt("192.0.2.1"), now);
        table.flush(now.as_millis()).unwrap();
        outcome
    };
    assert!(matches!(in_a_process(START), Outcome::Wait { .. }));
    assert_eq!(in_a_process(START + MINUTE), Outcome::Pass(Why::CameBack));
    assert_eq!(in_a_process(START + HOUR), Outcome::Pass(Why::White));
}

#[test]
fn the_reply_names_the_time_the_id_and_the_page_that_explains() {
    let link = Some("https://mail.example.org/greylisted".to_owned());
    let linked = Options { link, ..Options::default() };
    let linked = Greylist::new(linked, Arc::new(MemoryTable::default()));
    let id = EntryId(7);
    let plain = greylist().answer("b@example.org", Duration::from_secs(3725), id);
    assert_eq!(plain.row().id, "greylisted");
    assert!(plain.lines()[0].contains("retry=01:02:05"), "{plain:?}");
    assert!(plain.lines()[0].contains(&id.to_string()), "{plain:?}");
    let said = linked.answer("b@example.org", MINUTE, id);
    assert!(said.lines()[0].ends_with("https://mail.example.org/greylisted"), "{said:?}");
}

fn listed(greylist: &Greylist, now: Timestamp) -> Vec<admin::Listed> {
    let mut all = Vec::new();
    greylist.list(now, &mut |one| {
        all.push(one);
        true
    });
    all
}

#[test]
fn an_administrator_finds_the_entry_that_the_reply_named() {
    let greylist = greylist();
    let Outcome::Wait { id, .. } = greylist.check(&attempt("192.0.2.1"), START) else {
        panic!("a first attempt waits")
    };
    let [entry] = &listed(&greylist, START)[..] else { panic!("one entry") };
    assert_eq!((entry.id, entry.state, entry.attempts), (Some(id), State::Waiting, 1));
    assert_eq!(entry.client, "192.0.2.0/24");
    assert_eq!(entry.sender.as_deref(), Some("a@example.net"));
    assert_eq!(entry.recipient.as_deref(), Some("b@example.org"));
    assert_eq!(entry.opens_at, Some(START + MINUTE));
    assert_eq!(greylist.forget(&id.to_string(), START), Ok(1));
    assert_eq!(listed(&greylist, START), []);
}

#[test]
fn what_is_allowed_passes_until_it_is_forgotten() {
    for what in ["192.0.2.1", "192.0.2.0/24", "@example.net", "b@example.org", "EXAMPLE.net"] {
        let greylist = greylist();
        greylist.allow(what, START).unwrap();
        let allowed = greylist.check(&attempt("192.0.2.1"), START + 9000 * HOUR);
        assert_eq!(allowed, Outcome::Pass(Why::Allowed), "{what}");
        assert_eq!(listed(&greylist, START)[0].state, State::Allowed, "{what}");
        assert_eq!(greylist.forget(what, START), Ok(1), "{what}");
        assert_eq!(waits(&greylist, &attempt("192.0.2.1"), START), 60, "{what}");
    }
}

#[test]
fn an_entry_can_be_allowed_by_its_id() {
    let greylist = greylist();
    let Outcome::Wait { id, .. } = greylist.check(&attempt("192.0.2.1"), START) else {
        panic!("a first attempt waits")
    };
    greylist.allow(&id.to_string(), START).unwrap();
    assert_eq!(greylist.check(&attempt("192.0.2.1"), START), Outcome::Pass(Why::White));
    assert!(greylist.allow("0000000000000", START).is_err());
    assert!(greylist.allow("", START).is_err());
}

#[test]
fn a_client_is_forgotten_with_all_its_entries() {
    let greylist = greylist();
    waits(&greylist, &attempt("192.0.2.1"), START);
    waits(&greylist, &Attempt { sender: "c@example.net", ..attempt("192.0.2.1") }, START);
    waits(&greylist, &attempt("192.0.2.1"), START + MINUTE);
    assert_eq!(listed(&greylist, START).len(), 2);
    assert_eq!(greylist.forget("192.0.2.77", START), Ok(2));
}

proptest! {
    /// Whatever the clock does: at most two attempts of one key are ever turned away, and
    /// nobody is told to wait longer than the window.
    #[test]
    fn a_key_is_turned_away_at_most_twice_in_a_row(
        jumps in proptest::collection::vec(-40i64 * 3600..40 * 3600, 1..40)
    ) {
        let greylist = greylist();
        let mut now = START;
        let mut in_a_row = 0;
        for jump in jumps {
            let by = Duration::from_secs(jump.unsigned_abs());
            now = if jump < 0 { now - by } else { now + by };
            match greylist.check(&attempt("192.0.2.1"), now) {
                Outcome::Pass(_) => in_a_row = 0,
                Outcome::Wait { remaining, .. } => {
                    in_a_row += 1;
                    prop_assert!(remaining <= MINUTE && !remaining.is_zero());
                }
            }
            prop_assert!(in_a_row <= 2);
        }
    }
}
