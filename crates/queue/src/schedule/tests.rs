//! Turns, limits, dead destinations and jumping clocks, up to a million messages.
//! No sockets; the leases are settled by hand.

use super::*;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn id(number: u64) -> QueueId {
    QueueId::from_number(number).unwrap()
}

fn schedule(per_destination: usize, total: usize) -> Schedule {
    Schedule::new(Limits::new(per_destination, total, &RetryOptions::default()))
}

fn ids(leases: &[Lease]) -> Vec<u64> {
    leases.iter().map(|lease| lease.id.number()).collect()
}

/// Leases all that is due and settles each as not to come again.
fn drain(schedule: &mut Schedule, now: Timestamp) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let leases = schedule.due(now, 1000);
        if leases.is_empty() {
            return seen;
        }
        seen.extend(ids(&leases));
        leases.into_iter().for_each(|lease| schedule.settle(lease, None));
    }
}

#[test]
fn what_is_due_is_leased_in_the_order_of_its_times_and_not_before() {
    let mut schedule = schedule(20, 100);
    for (number, due) in [(1, 30), (2, 10), (3, 20)] {
        schedule.insert(id(number), "example.org", at(due));
    }
    assert_eq!(schedule.next_due(), Some(at(10)));
    assert_eq!(schedule.due(at(9), 10), []);
    assert_eq!(drain(&mut schedule, at(25)), [2, 3]);
    assert_eq!(schedule.next_due(), Some(at(30)));
    assert_eq!(drain(&mut schedule, at(30)), [1]);
    assert_eq!((schedule.next_due(), schedule.waiting(), schedule.leased()), (None, 0, 0));
}

#[test]
fn a_destination_has_at_most_its_limit_at_once() {
    let mut schedule = schedule(20, 500);
    (0..100).for_each(|number| schedule.insert(id(number), "example.org", at(0)));
    let mut leases = schedule.due(at(0), 500);
    assert_eq!(leases.len(), 20);
    assert_eq!(schedule.next_due(), None, "nothing until a lease is settled");
    schedule.settle(leases.pop().unwrap(), None);
    assert_eq!(schedule.due(at(0), 500).len(), 1);
}

#[test]
fn a_message_that_waits_twice_is_never_leased_twice_at_once() {
    let mut schedule = schedule(20, 100);
    for (number, due) in [(1, 10), (1, 20), (2, 15), (1, 30)] {
        schedule.insert(id(number), "example.org", at(due));
    }
    let mut leases = schedule.due(at(25), 10);
    assert_eq!(ids(&leases), [1, 2]);
    assert_eq!((schedule.waiting(), schedule.leased()), (1, 2));
    leases.drain(..).for_each(|lease| schedule.settle(lease, None));
    // What still waits is looked up by who leases it: it may be gone.
    assert_eq!(drain(&mut schedule, at(30)), [1]);
    assert_eq!((schedule.next_due(), schedule.waiting(), schedule.leased()), (None, 0, 0));
}

#[test]
fn a_free_connection_takes_the_next_message_of_its_destination() {
    let mut schedule = schedule(1, 10);
    (0..3).for_each(|number| schedule.insert(id(number), "example.org", at(0)));
    let lease = schedule.due(at(0), 10).pop().unwrap();
    let destination = lease.destination;
    assert_eq!(schedule.another(destination, at(0)), None, "the first is not settled");
    schedule.settle(lease, Some(at(60)));
    let next = schedule.another(destination, at(0)).unwrap();
    assert_eq!(next.id, id(1));
}

#[test]
fn a_hundred_thousand_messages_to_a_dead_host_do_not_delay_one_to_a_live_host() {
    let mut schedule = schedule(20, 40);
    (0..100_000).for_each(|number| schedule.insert(id(number), "dead.example.net", at(0)));
    schedule.insert(id(100_001), "live.example.org", at(0));
    let leases = schedule.due(at(0), 40);
    assert!(ids(&leases).contains(&100_001), "it is in the first round");
    let dead: Vec<Lease> = leases.into_iter().filter(|lease| lease.id != id(100_001)).collect();
    assert_eq!(dead.len(), 20);
    for lease in dead {
        schedule.pace(lease.destination, Pace::Unreachable, at(10));
        schedule.settle(lease, Some(at(310)));
    }
    assert_eq!(schedule.due(at(10), 40), [], "the dead host is left alone, for all its mail");
    let until = schedule.left_alone_until("dead.example.net", at(10));
    assert_eq!(until, Some(at(310)), "twenty failures at once are one");
    assert_eq!(schedule.next_due(), Some(at(310)));
    let probe = schedule.due(at(310), 40);
    assert_eq!(probe.len(), 1, "one message tries for all");
    assert_eq!(probe[0].mode, Mode::Deliver);
}

#[test]
fn a_host_that_is_back_takes_its_mail_at_full_rate_again() {
    let mut schedule = schedule(20, 100);
    (0..100).for_each(|number| schedule.insert(id(number), "example.org", at(0)));
    let lease = schedule.due(at(0), 1).pop().unwrap();
    schedule.pace(lease.destination, Pace::Unreachable, at(0));
    schedule.settle(lease, Some(at(300)));
    for expected in [1, 2, 4, 8, 16, 20] {
        let leases = schedule.due(at(300), 100);
        assert_eq!(leases.len(), expected);
        leases.into_iter().for_each(|lease| schedule.settle(lease, Some(at(300))));
        let key = *schedule.names.get("example.org").unwrap();
        schedule.pace(key, Pace::Normal, at(300));
    }
}

#[test]
fn pauses_of_a_dead_host_grow_to_their_limit() {
    let mut schedule = schedule(20, 100);
    schedule.insert(id(1), "example.org", at(0));
    let mut now = at(0);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let lease = schedule.due(now, 1).pop().unwrap();
        schedule.pace(lease.destination, Pace::Unreachable, now);
        schedule.settle(lease, Some(now));
        let until = schedule.left_alone_until("example.org", now).unwrap();
        pauses.push(until.since(now).as_secs());
        now = until;
    }
    assert_eq!(pauses, [300, 600, 1200, 2400, 3600, 3600]);
}

#[test]
fn mail_of_a_dead_host_is_noted_as_late_without_a_connection() {
    let mut schedule = schedule(20, 100);
    (0..3).for_each(|number| schedule.insert(id(number), "example.org", at(0)));
    let mut now = at(0);
    for _ in 0..4 {
        let lease = schedule.due(now, 1).pop().unwrap();
        assert_eq!(lease.id, id(0), "the same message tries until it is later than the others");
        schedule.pace(lease.destination, Pace::Unreachable, now);
        schedule.settle(lease, Some(at(0)));
        now = schedule.left_alone_until("example.org", now).unwrap();
    }
    let lease = schedule.due(now, 1).pop().unwrap();
    schedule.pace(lease.destination, Pace::Unreachable, now);
    schedule.settle(lease, Some(now + Duration::from_secs(3600)));
    let noted = schedule.due(now, 10);
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].mode, Mode::NoteUnreachable);
}

#[test]
fn slowed_down_destinations_get_one_connection_and_a_pause() {
    let mut schedule = schedule(20, 100);
    (0..50).for_each(|number| schedule.insert(id(number), "example.org", at(0)));
    let leases = schedule.due(at(0), 100);
    schedule.pace(leases[0].destination, Pace::FewerConnections, at(0));
    leases.into_iter().for_each(|lease| schedule.settle(lease, None));
    assert_eq!(schedule.due(at(9), 100), []);
    let mut leases = schedule.due(at(10), 100);
    assert_eq!(leases.len(), 10);
    schedule.pace(leases[0].destination, Pace::SlowDown { until: at(300) }, at(10));
    leases.drain(..).for_each(|lease| schedule.settle(lease, None));
    assert_eq!(schedule.due(at(299), 100), []);
    assert_eq!(schedule.due(at(300), 100).len(), 1);
}

#[test]
fn a_clock_that_jumps_forward_starts_no_storm() {
    let mut schedule = schedule(20, 50);
    for number in 0..1000 {
        schedule.insert(id(number), &format!("d{}.example.org", number % 10), at(number));
    }
    assert_eq!(schedule.due(at(400 * 86_400), 1000).len(), 50);
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_the_queue() {
    let mut schedule = schedule(20, 50);
    schedule.insert(id(1), "example.org", at(86_400 + 60));
    assert_eq!(schedule.due(at(86_400), 10), []);
    assert_eq!(schedule.due(at(0), 10), [], "now it is a day earlier");
    assert_eq!(schedule.next_due(), Some(at(60)));
    assert_eq!(drain(&mut schedule, at(60)), [1]);
}

#[test]
fn a_time_of_the_new_clock_is_not_set_back_with_those_of_the_old_one() {
    let mut schedule = schedule(20, 50);
    schedule.insert(id(1), "example.org", at(86_400));
    let lease = schedule.due(at(86_400), 10).pop().unwrap();
    schedule.notice_clock(at(0));
    schedule.settle(lease, Some(at(300)));
    schedule.insert(id(2), "example.org", at(300));
    assert_eq!(schedule.due(at(299), 10), [], "both were planned by the new clock");
    assert_eq!(drain(&mut schedule, at(300)), [1, 2]);
}

#[test]
fn a_message_is_never_leased_twice_for_one_destination() {
    let mut schedule = schedule(20, 50);
    schedule.insert(id(1), "example.org", at(0));
    let lease = schedule.due(at(0), 10).pop().unwrap();
    schedule.insert(id(1), "example.org", at(0));
    assert_eq!(schedule.due(at(0), 10), []);
    assert!(schedule.is_leased(id(1), "example.org"));
    schedule.settle(lease, Some(at(5)));
    assert_eq!(drain(&mut schedule, at(5)), [1]);
}

#[test]
fn removed_messages_do_not_come_and_empty_destinations_are_forgotten() {
    let mut schedule = schedule(20, 50);
    schedule.insert(id(1), "example.org", at(0));
    assert!(schedule.remove(id(1), "example.org"));
    assert!(!schedule.remove(id(1), "example.org"));
    assert_eq!(schedule.due(at(0), 10), []);
    for number in 0..1000 {
        schedule.insert(id(number), &format!("d{number}.example.org"), at(0));
        drain(&mut schedule, at(0));
    }
    assert_eq!((schedule.names.len(), schedule.destinations.len()), (0, 1));
}

#[test]
fn a_million_messages_of_many_destinations_drain_completely() {
    let mut schedule = schedule(20, 5000);
    for number in 0..1_000_000 {
        schedule.insert(id(number), &format!("d{}.example.org", number % 1000), at(number % 7));
    }
    assert_eq!(schedule.waiting(), 1_000_000);
    let mut seen = drain(&mut schedule, at(10));
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(0..1_000_000), "each of them once");
    assert_eq!((schedule.wakes.len(), schedule.turns.len(), schedule.names.len()), (0, 0, 0));
}
