//! What is said at each stage, and which check comes before which.

use std::sync::Arc;
use std::time::Duration;

use reply::{Stage, Timestamp};
use secondpost_policy::access::{Access, Action, Rule};
use secondpost_policy::greylist::{Greylist, Options};
use secondpost_policy::{
    Facts, Listener, MailboxState, Place, Policy, Rates, RecipientFacts, decide,
};
use smtp::query::{Decision, Query};
use smtp::syntax::{ForwardPath, MailParameters, Mailbox, RecipientParameters, ReversePath};
use store::MemoryTable;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const READY: Place = Place::Mailbox(MailboxState::Ready);

fn policy() -> Policy {
    Policy {
        access: Access::default(),
        rates: Rates::new(Arc::new(MemoryTable::default())),
        greylist: Greylist::new(Options::default(), Arc::new(MemoryTable::default())),
        connections_per_client: 2,
    }
}

fn mailbox(address: &str) -> Mailbox {
    address.parse().unwrap()
}

fn mail() -> Query {
    let reverse_path = ReversePath(Some(mailbox("sender@example.net")));
    Query::Mail { reverse_path, parameters: MailParameters::default() }
}

fn rcpt(to: &str) -> Query {
    Query::Recipient {
        reverse_path: ReversePath(Some(mailbox("sender@example.net"))),
        path: ForwardPath::Mailbox(mailbox(to)),
        parameters: RecipientParameters::default(),
        declared_octets: None,
        ordinal: 0,
    }
}

fn facts(listener: Listener, place: Place) -> Facts {
    let mut facts = Facts::new("192.0.2.1".parse().unwrap(), listener);
    let address = mailbox("user@example.org");
    facts.recipient = Some(RecipientFacts { address, place });
    facts
}

/// The row's name of what is said, or "proceed".
fn said(query: &Query, facts: &Facts, policy: &Policy, now: Timestamp) -> &'static str {
    match decide(query, facts, policy, now).decision {
        Decision::Proceed => "proceed",
        Decision::Refuse(answer) | Decision::RefuseAndClose(answer) | Decision::Answer(answer) => {
            answer.row().id
        }
    }
}

fn check_rcpt(policy: &Policy, listener: Listener, place: Place, expected: &str) {
    let heard = said(&rcpt("user@example.org"), &facts(listener, place), policy, START);
    assert_eq!(heard, expected, "{listener:?} {place:?}");
}

#[test]
fn a_stranger_is_greylisted_and_passes_after_the_window() {
    let policy = policy();
    let facts = facts(Listener::Mx, READY);
    assert_eq!(said(&rcpt("user@example.org"), &facts, &policy, START), "greylisted");
    let later = START + Duration::from_secs(60);
    assert_eq!(said(&rcpt("user@example.org"), &facts, &policy, later), "proceed");
}

#[test]
fn nobody_of_ours_is_greylisted() {
    for listener in [Listener::Submission, Listener::Lmtp, Listener::Local] {
        check_rcpt(&policy(), listener, READY, "proceed");
    }
    let mut own = facts(Listener::Mx, READY);
    own.own_network = true;
    assert_eq!(said(&rcpt("user@example.org"), &own, &policy(), START), "proceed");
}

#[test]
fn every_mailbox_state_is_told_at_rcpt_even_to_a_stranger() {
    for (state, expected) in [
        (MailboxState::Locked, "mailbox_locked"),
        (MailboxState::Busy, "mailbox_busy"),
        (MailboxState::DisabledForNow, "mailbox_disabled_for_now"),
        (MailboxState::Disabled, "mailbox_disabled"),
        (MailboxState::Full, "mailbox_full"),
        (MailboxState::FullFinally, "mailbox_full_finally"),
        (MailboxState::Fault, "server_fault"),
    ] {
        check_rcpt(&policy(), Listener::Mx, Place::Mailbox(state), expected);
    }
    check_rcpt(&policy(), Listener::Mx, Place::UnknownMailbox, "mailbox_unknown");
}

#[test]
fn the_greylisting_window_runs_while_the_mailbox_is_locked() {
    let policy = policy();
    check_rcpt(&policy, Listener::Mx, Place::Mailbox(MailboxState::Locked), "mailbox_locked");
    let later = START + Duration::from_secs(60);
    let unlocked = facts(Listener::Mx, READY);
    assert_eq!(said(&rcpt("user@example.org"), &unlocked, &policy, later), "proceed");
}

#[test]
fn an_unknown_mailbox_leaves_no_greylist_entry() {
    let policy = policy();
    check_rcpt(&policy, Listener::Mx, Place::UnknownMailbox, "mailbox_unknown");
    let mut entries = 0;
    policy.greylist.list(START, &mut |_| {
        entries += 1;
        true
    });
    assert_eq!(entries, 0);
}

#[test]
fn relaying_is_refused_before_anything_else_is_looked_at() {
    let mut policy = policy();
    policy.access.rules.push(Rule::new(Action::Accept));
    let elsewhere = Place::Elsewhere { relay_configured: true };
    check_rcpt(&policy, Listener::Mx, elsewhere, "relay_denied");
    check_rcpt(&policy, Listener::Mx, Place::Routed { own_domain: false }, "relay_denied");
    check_rcpt(&policy, Listener::Submission, elsewhere, "proceed");
    let off = Place::Elsewhere { relay_configured: false };
    check_rcpt(&policy, Listener::Submission, off, "relay_off");
}

#[test]
fn an_accepting_rule_spares_greylisting_and_makes_no_mailbox_exist() {
    let mut policy = policy();
    policy.access.rules.push(Rule::new(Action::Accept));
    check_rcpt(&policy, Listener::Mx, READY, "proceed");
    check_rcpt(&policy, Listener::Mx, Place::UnknownMailbox, "mailbox_unknown");
    let locked = Place::Mailbox(MailboxState::Locked);
    check_rcpt(&policy, Listener::Mx, locked, "mailbox_locked");
}

fn check_rule(rule: Rule, at_mail: &str, at_rcpt: &str) {
    let mut policy = policy();
    policy.access.rules.push(rule);
    let facts = facts(Listener::Mx, READY);
    assert_eq!(said(&mail(), &facts, &policy, START), at_mail);
    assert_eq!(said(&rcpt("user@example.org"), &facts, &policy, START), at_rcpt);
}

#[test]
fn rules_answer_at_mail_or_at_rcpt_as_they_are_about() {
    let rule = |action, senders: &[&str], recipients: &[&str]| {
        let mut rule = Rule::new(action);
        rule.senders = senders.iter().map(|text| text.parse().unwrap()).collect();
        rule.recipients = recipients.iter().map(|text| text.parse().unwrap()).collect();
        rule
    };
    check_rule(rule(Action::Refuse, &[], &[]), "client_refused", "recipient_refused");
    let sender = ["@example.net"];
    check_rule(rule(Action::Refuse, &sender, &[]), "sender_refused", "recipient_refused");
    check_rule(rule(Action::Defer, &sender, &[]), "policy_temporary_sender", {
        "policy_temporary_recipient"
    });
    check_rule(rule(Action::Defer, &[], &["user@"]), "proceed", "policy_temporary_recipient");
    check_rule(rule(Action::Refuse, &["@example.com"], &[]), "proceed", "greylisted");
}

#[test]
fn a_used_up_rate_is_told_with_the_reply_of_its_command() {
    let mut policy = policy();
    policy.rates.client = "1/h".parse().ok();
    policy.rates.recipient = "1/h".parse().ok();
    let mut facts = facts(Listener::Mx, READY);
    facts.own_network = true;
    assert_eq!(said(&mail(), &facts, &policy, START), "proceed");
    assert_eq!(said(&mail(), &facts, &policy, START), "rate_limited_sender");
    assert_eq!(said(&rcpt("user@example.org"), &facts, &policy, START), "proceed");
    let again = decide(&rcpt("user@example.org"), &facts, &policy, START);
    let Decision::Refuse(answer) = again.decision else { panic!("{again:?}") };
    assert_eq!(answer.row().id, "rate_limited_recipient");
    assert!(answer.lines()[0].contains("retry=01:00:00"), "{answer:?}");
}

#[test]
fn submission_is_refused_at_mail_to_other_machines() {
    let stranger = facts(Listener::Submission, READY);
    assert_eq!(said(&mail(), &stranger, &policy(), START), "submission_denied");
    let mut own = stranger.clone();
    own.client = "::ffff:127.0.0.1".parse().unwrap();
    assert_eq!(said(&mail(), &own, &policy(), START), "proceed");
}

#[test]
fn one_connection_too_many_is_closed() {
    let mut facts = facts(Listener::Mx, READY);
    facts.connections = 2;
    assert_eq!(said(&Query::Connect, &facts, &policy(), START), "proceed");
    facts.connections = 3;
    let decided = decide(&Query::Connect, &facts, &policy(), START);
    assert!(matches!(decided.decision, Decision::RefuseAndClose(_)), "{decided:?}");
    assert!(decided.reason.is_some_and(|why| why.contains("192.0.2.1")));
}

#[test]
fn a_recipient_that_was_not_looked_up_is_our_own_fault() {
    let mut facts = facts(Listener::Mx, READY);
    facts.recipient = None;
    assert_eq!(said(&rcpt("user@example.org"), &facts, &policy(), START), "server_fault");
}

#[test]
fn every_refusal_is_lawful_for_its_command() {
    let places = MailboxState::ALL.iter().map(|state| Place::Mailbox(*state)).chain([
        Place::UnknownMailbox,
        Place::Ambiguous,
        Place::Routed { own_domain: false },
        Place::Elsewhere { relay_configured: false },
    ]);
    for place in places {
        for listener in [Listener::Mx, Listener::Submission, Listener::Lmtp, Listener::Local] {
            let facts = facts(listener, place);
            let decided = decide(&rcpt("user@example.org"), &facts, &policy(), START);
            if let Decision::Refuse(answer) = decided.decision {
                assert!(answer.row().answers.contains(&Stage::Rcpt), "{answer:?}");
                assert!(decided.reason.is_some(), "{answer:?}");
            }
        }
    }
}
