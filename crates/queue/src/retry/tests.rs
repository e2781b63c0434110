//! The plan as a table over causes, as days in virtual time, and as properties: lawful,
//! never before the window, never standing still.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use reply::classify::verdict_of;
use reply::{Cause, Code, Evidence, Permanence, Timestamp, Verdict};
use store::table::MemoryTable;

use super::*;

fn start() -> Timestamp {
    Timestamp::from_secs(1_764_000_000)
}

fn verdict(cause: Cause, permanence: Permanence) -> Verdict {
    verdict_of(cause, permanence, Evidence { rule: "test".into(), text: String::new() })
}

fn transient(cause: Cause) -> Verdict {
    verdict(cause, Permanence::Transient)
}

fn hinted(cause: Cause, secs: u64) -> Verdict {
    Verdict { retry_after: Some(Duration::from_secs(secs)), ..transient(cause) }
}

fn plan_first(verdict: &Verdict) -> RetryPlan {
    plan(verdict, &History::default(), &Learned::default(), &RetryOptions::default(), start())
}

/// Hears the same verdict at every attempt until it is given up; the seconds after the
/// first attempt, and why it ended.
fn attempts(verdict: &Verdict, learned: &Learned) -> (Vec<u64>, WhyGiveUp) {
    let options = RetryOptions::default();
    let (mut history, mut now, mut times) = (History::default(), start(), Vec::new());
    loop {
        let plan = plan(verdict, &history, learned, &options, now);
        history = history.note(verdict, &plan, now);
        match plan {
            RetryPlan::Retry { at, .. } => {
                assert!(at > now, "{verdict:?}");
                now = at;
                times.push(now.since(start()).as_secs());
            }
            RetryPlan::GiveUp { why } => return (times, why),
            other => panic!("{other:?} after {verdict:?}"),
        }
    }
}

#[test]
fn greylisted_without_a_hint_climbs_the_ladder_for_five_days() {
    let (times, why) = attempts(&transient(Cause::Greylisted), &Learned::default());
    assert_eq!(times[..7], [60, 330, 930, 1860, 3720, 7440, 14880]);
    assert_eq!(times[7], 14880 + 4 * 3600, "then every four hours");
    assert_eq!((times.last(), why), (Some(&(5 * 86_400)), WhyGiveUp::Expired));
}

#[test]
fn greylisted_recipient_returns_just_after_the_window() {
    let check = |secs, expected| match plan_first(&hinted(Cause::Greylisted, secs)) {
        RetryPlan::Retry { at, why, .. } => {
            assert_eq!((at.since(start()).as_secs(), why), (expected, WhyThen::Hint));
        }
        other => panic!("{other:?}"),
    };
    check(300, 301);
    check(0, 2);
    check(86_400, 4 * 3600 + 1);
}

#[test]
fn a_hint_that_names_a_time_is_kept_too() {
    let at = start() + Duration::from_secs(90);
    let verdict = Verdict { retry_at: Some(at), ..transient(Cause::Greylisted) };
    let RetryPlan::Retry { at: planned, .. } = plan_first(&verdict) else { panic!() };
    assert_eq!(planned, at + Duration::from_secs(1));
}

#[test]
fn a_hint_counts_from_the_last_reply_and_is_distrusted_once_kept_in_vain() {
    let options = RetryOptions::default();
    let hint = hinted(Cause::Greylisted, 300);
    let first = plan_first(&hint);
    let history = History::default().note(&hint, &first, start());
    // An early attempt (an administrator's) hears what remains: still believed.
    let early = start() + Duration::from_secs(100);
    let remains = hinted(Cause::Greylisted, 200);
    let again = plan(&remains, &history, &Learned::default(), &options, early);
    assert!(matches!(again, RetryPlan::Retry { at, why: WhyThen::Hint, .. }
        if at == start() + Duration::from_secs(301)));
    // Kept, and heard again: now the ladder.
    let kept = start() + Duration::from_secs(301);
    let in_vain = plan(&hint, &history, &Learned::default(), &options, kept);
    assert!(matches!(in_vain, RetryPlan::Retry { why: WhyThen::Ladder("greylisted"), .. }));
    assert!(history.note(&hint, &in_vain, kept).hint_failed);
}

#[test]
fn a_learned_window_is_used_where_no_hint_is_given() {
    let seen = |refused, passes| Window {
        refused_after: Duration::from_secs(refused),
        passes_after: Duration::from_secs(passes),
    };
    let learned = Learned { window: Some(seen(60, 330)), ..Learned::default() };
    let (times, _) = attempts(&transient(Cause::Greylisted), &learned);
    assert_eq!(times[..3], [330, 930, 1860], "and the ladder where it does not help");
    // "try again later", which may be greylisting, uses it too; a full mailbox does not.
    let mut vague = transient(Cause::PolicyTemporary);
    vague.alternatives = vec![Cause::Greylisted];
    assert_eq!(attempts(&vague, &learned).0[0], 330);
    assert_eq!(attempts(&transient(Cause::MailboxFull), &learned).0[0], 3600);
}

#[test]
fn windows_are_learned_narrowed_forgotten_and_survive_in_the_table() {
    let store = LearnedStore::new(Arc::new(MemoryTable::default()), &RetryOptions::default());
    let after = |secs| start() + Duration::from_secs(secs);
    let waits = |now| {
        store
            .window("example.org", now)
            .map(|w| (w.refused_after.as_secs(), w.passes_after.as_secs()))
    };
    store.passed("example.org", start(), after(60), after(330)).unwrap();
    assert_eq!(waits(after(330)), Some((60, 330)));
    store.passed("EXAMPLE.org", start(), after(100), after(301)).unwrap();
    assert_eq!(waits(after(330)), Some((100, 301)), "the smallest wait that worked is kept");
    store.refused("example.org", start(), after(200)).unwrap();
    assert_eq!(waits(after(330)), Some((200, 301)));
    store.refused("example.org", start(), after(302)).unwrap();
    assert_eq!(waits(after(330)), None, "what used to pass was refused");
    store.passed("example.org", start(), after(60), after(330)).unwrap();
    assert_eq!(waits(after(36 * 86_400)), None, "old knowledge expires");
    store.passed("slow.example.org", start(), start(), after(86_400)).unwrap();
    assert_eq!(store.window("slow.example.org", after(86_400)), None);
}

#[test]
fn a_greylisted_recipient_comes_from_the_same_address() {
    let local = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 25));
    let history = History { local_address: Some(local), ..History::default() };
    let from = |cause| {
        let options = RetryOptions::default();
        match plan(&transient(cause), &history, &Learned::default(), &options, start()) {
            RetryPlan::Retry { from, .. } => from,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(from(Cause::Greylisted), Some(local));
    assert_eq!(from(Cause::ServerBusy), None);
}

#[test]
fn the_ladder_follows_the_cause() {
    let check =
        |cause: Cause, ladder: &'static str, first_secs: u64| match plan_first(&transient(cause)) {
            RetryPlan::Retry { at, why, .. } => {
                assert_eq!(why, WhyThen::Ladder(ladder), "{cause}");
                assert_eq!(at.since(start()).as_secs(), first_secs, "{cause}");
            }
            other => panic!("{other:?}"),
        };
    check(Cause::MailboxLocked, "short", 60);
    check(Cause::MailboxBusy, "short", 60);
    check(Cause::MailboxFull, "slow", 3600);
    check(Cause::RateLimited, "rate_limited", 1800);
    check(Cause::ServerBusy, "standard", 300);
    check(Cause::HostUnreachable, "standard", 300);
    check(Cause::MailboxUnknown, "standard", 300);
}

#[test]
fn a_new_cause_begins_its_own_run() {
    let options = RetryOptions::default();
    let down = transient(Cause::HostUnreachable);
    let mut history = History::default();
    let mut now = start();
    for _ in 0..4 {
        let plan = plan(&down, &history, &Learned::default(), &options, now);
        history = history.note(&down, &plan, now);
        let RetryPlan::Retry { at, .. } = plan else { panic!() };
        now = at;
    }
    let back = plan(&transient(Cause::Greylisted), &history, &Learned::default(), &options, now);
    assert!(matches!(back, RetryPlan::Retry { at, .. } if at == now + Duration::from_secs(60)));
}

#[test]
fn every_cause_under_every_permanence_has_a_lawful_plan() {
    for cause in Cause::ALL {
        let done = plan_first(&verdict(*cause, Permanence::Positive));
        assert_eq!(done, RetryPlan::Done, "{cause}");
        let later = plan_first(&transient(*cause));
        assert!(matches!(later, RetryPlan::Retry { at, .. } if at > start()), "{cause}: {later:?}");
        let never = plan_first(&verdict(*cause, Permanence::Permanent));
        let excepted = *cause == Cause::TooManyRecipients;
        let lawful = match never {
            RetryPlan::GiveUp { why } => why == WhyGiveUp::Permanent && !excepted,
            RetryPlan::Retry { .. } => excepted,
            RetryPlan::Alternative { .. } => cause.scope() == reply::Scope::Command,
            RetryPlan::Done => false,
        };
        assert!(lawful, "{cause}: {never:?}");
    }
}

#[test]
fn what_is_not_implemented_is_said_otherwise_once() {
    let check = |code: u16, cause, expected: Fallback| {
        let verdict = Verdict { code: Code::new(code), ..verdict(cause, Permanence::Permanent) };
        assert_eq!(plan_first(&verdict), RetryPlan::Alternative { fallback: expected }, "{code}");
        let tried = Learned { fallbacks: Fallbacks::default().with(expected), window: None };
        let options = RetryOptions::default();
        let after = plan(&verdict, &History::default(), &tried, &options, start());
        assert_eq!(after, RetryPlan::GiveUp { why: WhyGiveUp::Permanent }, "{code}");
    };
    check(500, Cause::CommandUnknown, Fallback::WithoutExtensions);
    check(502, Cause::CommandNotImplemented, Fallback::WithoutExtensions);
    check(504, Cause::ParameterNotImplemented, Fallback::WithoutParameters);
    check(555, Cause::ParameterNotImplemented, Fallback::WithoutParameters);
    check(502, Cause::Unknown, Fallback::WithoutExtensions);
    let spam =
        Verdict { code: Code::new(500), ..verdict(Cause::ContentSpam, Permanence::Permanent) };
    assert_eq!(plan_first(&spam), RetryPlan::GiveUp { why: WhyGiveUp::Permanent });
}

#[test]
fn recipients_too_many_go_into_a_next_transaction_and_then_wait() {
    let verdict = verdict(Cause::TooManyRecipients, Permanence::Permanent);
    let (times, why) = attempts(&verdict, &Learned::default());
    assert_eq!(times[..5], [1, 2, 3, 4, 5]);
    assert!(times[5] >= 60 && why == WhyGiveUp::Expired);
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_a_ladder() {
    let later = start() + Duration::from_secs(400 * 86_400);
    let history = History {
        attempts: 1,
        first_attempt: Some(later),
        cause_since: Some(later),
        last_verdict: Some(LastVerdict {
            cause: Cause::ServerBusy,
            permanence: Permanence::Transient,
        }),
        ..History::default()
    };
    let options = RetryOptions::default();
    let plan =
        plan(&transient(Cause::ServerBusy), &history, &Learned::default(), &options, start());
    assert!(
        matches!(plan, RetryPlan::Retry { at, .. } if at == start() + Duration::from_secs(300))
    );
}

#[test]
fn only_causes_about_the_host_change_its_pace() {
    let options = RetryOptions::default();
    let pace_of = |verdict: &Verdict| pace(verdict, &options, start());
    assert_eq!(pace_of(&transient(Cause::HostUnreachable)), Pace::Unreachable);
    assert_eq!(pace_of(&transient(Cause::TooManyConnections)), Pace::FewerConnections);
    assert_eq!(
        pace_of(&hinted(Cause::RateLimited, 60)),
        Pace::SlowDown { until: start() + Duration::from_secs(61) }
    );
    for cause in [Cause::Greylisted, Cause::MailboxFull, Cause::ServerBusy, Cause::Unknown] {
        assert_eq!(pace_of(&transient(cause)), Pace::Normal, "{cause}");
    }
}

proptest! {
    #[test]
    fn a_ladder_never_stands_still_and_never_jumps(
        steps in proptest::collection::vec(0u64..100_000, 0..6),
        longest in 0u64..100_000,
        elapsed in any::<u32>(),
        least in 0u64..1000,
    ) {
        let mut steps: Vec<Duration> = steps.into_iter().map(Duration::from_secs).collect();
        steps.sort();
        let highest = steps.last().copied().unwrap_or_default();
        let ladder = Ladder { steps, longest_pause: Duration::from_secs(longest) };
        let now = start() + Duration::from_millis(u64::from(elapsed));
        let next = ladder.next(start(), now, Duration::from_secs(least));
        prop_assert!(next > now);
        let most = highest.max(ladder.longest_pause) + Duration::from_secs(least + 2);
        prop_assert!(next.since(now) <= most, "{next} is too far from {now}");
        let later = ladder.next(start(), next, Duration::from_secs(least));
        prop_assert!(later > next);
    }

    #[test]
    fn plans_are_lawful_whatever_is_recorded(
        cause in 0..Cause::ALL.len(),
        permanent: bool,
        code in proptest::option::of(200u16..600),
        hint in proptest::option::of(any::<u64>()),
        first in any::<u64>(),
        now in 1u64..u64::MAX / 4,
        seed: u64,
        window in any::<u64>(),
    ) {
        let permanence = if permanent { Permanence::Permanent } else { Permanence::Transient };
        let verdict = Verdict {
            code: code.and_then(Code::new),
            retry_after: hint.map(Duration::from_millis),
            ..verdict(Cause::ALL[cause], permanence)
        };
        let (first, now) = (Timestamp::from_millis(first), Timestamp::from_millis(now));
        let history = History { attempts: 1, first_attempt: Some(first), ..History::default() };
        let passes_after = Duration::from_millis(window);
        let learned = Learned {
            window: Some(Window { refused_after: Duration::ZERO, passes_after }),
            ..Learned::default()
        };
        let options = RetryOptions::default();
        match plan(&verdict, &history, &learned, &options, now).spread(seed, now) {
            RetryPlan::Retry { at, .. } => {
                prop_assert!(!permanent || verdict.cause == Cause::TooManyRecipients);
                prop_assert!(at > now && at.since(now) <= options.give_up_after);
            }
            RetryPlan::GiveUp { why: WhyGiveUp::Expired } => {
                prop_assert!(now.since(first) >= options.give_up_after);
            }
            RetryPlan::GiveUp { why: WhyGiveUp::Permanent } => prop_assert!(permanent),
            RetryPlan::Alternative { .. } => prop_assert!(permanent),
            RetryPlan::Done => prop_assert!(false),
        }
    }

    #[test]
    fn hints_are_kept_exactly_and_never_early(secs in 1u64..4 * 3600, seed: u64) {
        let plan = plan_first(&hinted(Cause::Greylisted, secs)).spread(seed, start());
        let RetryPlan::Retry { at, .. } = plan else { panic!() };
        let opens = start() + Duration::from_secs(secs);
        prop_assert!(at >= opens && at.since(opens) <= Duration::from_secs(2));
    }

    #[test]
    fn what_is_refused_together_does_not_come_back_together(seed: u64) {
        let base = plan_first(&transient(Cause::ServerBusy));
        let RetryPlan::Retry { at: planned, .. } = base else { panic!() };
        let spread = |seed| match base.clone().spread(seed, start()) {
            RetryPlan::Retry { at, .. } => at,
            other => panic!("{other:?}"),
        };
        prop_assert!(spread(seed) >= planned);
        prop_assert!(spread(seed).since(planned) <= Duration::from_secs(15));
        let distinct: std::collections::HashSet<_> = (0..50).map(|n| spread(seed ^ n)).collect();
        prop_assert!(distinct.len() > 40);
    }
}

#[test]
fn every_refusal_of_our_own_has_a_lawful_plan() {
    for row in reply::catalogue::ROWS.iter().filter(|row| row.cause.is_some()) {
        let enhanced = row.enhanced_code.map(|code| format!("{code} ")).unwrap_or_default();
        let wire = format!("{} {enhanced}{}\r\n", row.code, row.text);
        let reply = reply::Reply::parse(wire.as_bytes()).unwrap();
        let stage = row.answers.first().copied();
        let context = reply::classify::Context { stage, now: Some(start()) };
        let verdict = reply::classify::classify(&reply, &context);
        let plan = plan_first(&verdict);
        let lawful = match (row.code.class(), &plan) {
            (reply::Class::Transient, RetryPlan::Retry { at, .. }) => *at > start(),
            (reply::Class::Permanent, RetryPlan::GiveUp { why }) => *why == WhyGiveUp::Permanent,
            (reply::Class::Permanent, RetryPlan::Alternative { .. }) => {
                matches!(row.code.value(), 500 | 502 | 504 | 555)
            }
            _ => false,
        };
        assert!(lawful, "{}: {plan:?} after {verdict:?}", row.id);
    }
}
