//! The decision on each question of a session, and the order of the checks.
//!
//! At MAIL: may this client submit; the access rules; the rate limits.
//! At RCPT:
//! 1. Relaying. Nothing else matters for mail that is not ours to carry.
//! 2. The access rules.
//! 3. What is final about the mailbox: unknown, disabled for good, full for good. A
//!    sender whom waiting does not help is told at once, and costs no entry anywhere.
//! 4. The rate limits.
//! 5. Greylisting, which starts its clock here. But what is said is
//! 6. the mailbox's own state where it cannot take mail now: it is the nearer truth, and
//!    meanwhile the greylisting window runs.

use std::net::IpAddr;
use std::time::Duration;

use reply::{Answer, Timestamp, catalogue};
use smtp::query::{Decision, Query};
use smtp::syntax::{ForwardPath, HelloName, ReversePath};

use crate::access::{Access, Action, Subject};
use crate::facts::{Facts, Listener, Place, RecipientFacts};
use crate::greylist::{Attempt, Greylist, Outcome, Why, hms};
use crate::rate::{Counted, Rates};
use crate::{relay, verify};

/// All that the administrator set, and what is remembered.
#[derive(Debug)]
pub struct Policy {
    /// `access`.
    pub access: Access,
    /// `rate.*`.
    pub rates: Rates,
    /// `greylist.*`.
    pub greylist: Greylist,
    /// `limits.connections_per_client`; loopback is not exempt.
    pub connections_per_client: usize,
}

/// A decision with what is only for our own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What the session says.
    pub decision: Decision,
    /// The private reason, which may name rules, entries and remaining times. `None`
    /// where there is nothing to tell.
    pub reason: Option<String>,
}

impl Decided {
    fn proceed() -> Decided {
        Decided { decision: Decision::Proceed, reason: None }
    }

    fn proceed_because(reason: impl Into<String>) -> Decided {
        Decided { decision: Decision::Proceed, reason: Some(reason.into()) }
    }

    fn refuse(answer: Answer, reason: impl Into<String>) -> Decided {
        Decided { decision: Decision::Refuse(answer), reason: Some(reason.into()) }
    }
}

/// Answers a question of the session. Remembers what must be remembered (greylisting,
/// rate limits) behind `store::Table`, and touches nothing else.
pub fn decide(query: &Query, facts: &Facts, policy: &Policy, now: Timestamp) -> Decided {
    match query {
        Query::Connect => connect(facts, policy),
        Query::Hello { .. } => Decided::proceed(),
        Query::Mail { reverse_path, .. } => mail(reverse_path, facts, policy, now),
        Query::Recipient { reverse_path, path, .. } => {
            recipient(reverse_path, path, facts, policy, now)
        }
        Query::Verify { argument, .. } => answered(verify::verify(&argument.to_string(), facts)),
        Query::Expand { name, .. } => answered(verify::expand(name, facts)),
    }
}

fn answered(answer: Answer) -> Decided {
    Decided { decision: Decision::Answer(answer), reason: None }
}

fn connect(facts: &Facts, policy: &Policy) -> Decided {
    if facts.connections <= policy.connections_per_client {
        return Decided::proceed();
    }
    let Facts { client, connections, .. } = facts;
    let limit = policy.connections_per_client;
    Decided {
        decision: Decision::RefuseAndClose(catalogue::too_many_connections()),
        reason: Some(format!("{client} has {connections} connections, the limit is {limit}")),
    }
}

fn mail(path: &ReversePath, facts: &Facts, policy: &Policy, now: Timestamp) -> Decided {
    if let Some(answer) = relay::refuse_sender(facts) {
        return Decided::refuse(answer, format!("{} is not this machine", facts.client));
    }
    let sender = address_of_sender(path);
    match find_rule(policy, facts, &sender, None) {
        Some((Action::Accept, rule)) => Decided::proceed_because(rule_reason(rule)),
        Some((action, rule)) => Decided::refuse(
            access_answer_to_sender(policy, rule, action, &sender),
            rule_reason(rule),
        ),
        None => limit_sender(facts, policy, &sender, now),
    }
}

/// A rule that names senders is about the sender, any other about the client.
fn access_answer_to_sender(policy: &Policy, rule: usize, action: Action, sender: &str) -> Answer {
    let names_senders = policy.access.rules.get(rule - 1).is_some_and(|r| !r.senders.is_empty());
    match action {
        Action::Refuse if names_senders => catalogue::sender_refused(sender),
        Action::Refuse => catalogue::client_refused(),
        _ => catalogue::policy_temporary_sender(sender),
    }
}

fn limit_sender(facts: &Facts, policy: &Policy, sender: &str, now: Timestamp) -> Decided {
    if !is_limited(facts.listener) {
        return Decided::proceed();
    }
    let client = facts.client.to_canonical().to_string();
    let counted = [Counted::Client(&client), Counted::Sender(sender)];
    match policy.rates.take(&counted, now) {
        Ok(()) => Decided::proceed(),
        Err(wait) => Decided::refuse(
            catalogue::rate_limited_sender(hms(whole_seconds(wait))),
            format!("rate of client {client} or sender <{sender}> is used up"),
        ),
    }
}

/// LMTP and the local door are used by software of ours, which would only queue again.
const fn is_limited(listener: Listener) -> bool {
    matches!(listener, Listener::Mx | Listener::Submission)
}

fn recipient(
    reverse_path: &ReversePath,
    path: &ForwardPath,
    facts: &Facts,
    policy: &Policy,
    now: Timestamp,
) -> Decided {
    let Some(found) = &facts.recipient else {
        return Decided::refuse(catalogue::server_fault(), format!("<{path}> was not looked up"));
    };
    if let Some(answer) = relay::refuse_recipient(facts, found) {
        return Decided::refuse(answer, relay_reason(&found.place, path));
    }
    let sender = address_of_sender(reverse_path);
    let to = Named { sender: &sender, address: plain(found), said: path.to_string(), found };
    match find_rule(policy, facts, &sender, Some(&to.address)) {
        Some((Action::Accept, rule)) => accepted_by_rule(&to, rule),
        Some((action, rule)) => {
            Decided::refuse(access_answer_to_recipient(action, &to.said), rule_reason(rule))
        }
        None => recipient_without_rule(&to, facts, policy, now),
    }
}

fn relay_reason(place: &Place, path: &ForwardPath) -> String {
    let why = match place {
        Place::Elsewhere { relay_configured: false } => "is not ours, and sending elsewhere is off",
        Place::Routed { .. } => "has a route and is not ours",
        _ => "is not ours",
    };
    format!("relaying denied: <{path}> {why}")
}

/// A recipient under its names.
struct Named<'a> {
    sender: &'a str,
    /// The full address, unquoted, as rules and greylisting compare it.
    address: String,
    /// As the client wrote it: what the reply repeats.
    said: String,
    found: &'a RecipientFacts,
}

fn access_answer_to_recipient(action: Action, said: &str) -> Answer {
    match action {
        Action::Refuse => catalogue::recipient_refused(said),
        _ => catalogue::policy_temporary_recipient(said),
    }
}

/// A rule spares limits and greylisting; it makes no mailbox exist and none ready.
fn accepted_by_rule(to: &Named<'_>, rule: usize) -> Decided {
    refused_by_mailbox(to).unwrap_or_else(|| Decided::proceed_because(rule_reason(rule)))
}

fn recipient_without_rule(
    to: &Named<'_>,
    facts: &Facts,
    policy: &Policy,
    now: Timestamp,
) -> Decided {
    if is_final(to.found.place)
        && let Some(refused) = refused_by_mailbox(to)
    {
        return refused;
    }
    if let Some(refused) = limit_recipient(to, facts, policy, now) {
        return refused;
    }
    let greylisted = greylist(to, facts, policy, now);
    refused_by_mailbox(to).unwrap_or(greylisted)
}

const fn is_final(place: Place) -> bool {
    match place {
        Place::Mailbox(state) => state.is_final(),
        Place::UnknownMailbox | Place::Ambiguous => true,
        Place::Routed { .. } | Place::Elsewhere { .. } => false,
    }
}

fn refused_by_mailbox(to: &Named<'_>) -> Option<Decided> {
    let (answer, state) = match to.found.place {
        Place::Mailbox(state) => (state.refusal(&to.said)?, state.name()),
        Place::UnknownMailbox => (catalogue::mailbox_unknown(&to.said), "unknown"),
        // Only VRFY looks a bare name up in several domains.
        Place::Ambiguous => (catalogue::server_fault(), "ambiguous"),
        Place::Routed { .. } | Place::Elsewhere { .. } => return None,
    };
    Some(Decided::refuse(answer, format!("mailbox {} is {state}", to.address)))
}

fn limit_recipient(
    to: &Named<'_>,
    facts: &Facts,
    policy: &Policy,
    now: Timestamp,
) -> Option<Decided> {
    if !is_limited(facts.listener) {
        return None;
    }
    let wait = policy.rates.take(&[Counted::Recipient(&to.address)], now).err()?;
    let answer = catalogue::rate_limited_recipient(&to.said, hms(whole_seconds(wait)));
    Some(Decided::refuse(answer, format!("rate of recipient {} is used up", to.address)))
}

/// Only strangers are greylisted: own networks, submitters and the doors of this machine
/// never are.
fn greylist(to: &Named<'_>, facts: &Facts, policy: &Policy, now: Timestamp) -> Decided {
    if facts.listener != Listener::Mx || facts.own_network {
        return Decided::proceed();
    }
    let attempt = Attempt { client: facts.client, sender: to.sender, recipient: &to.address };
    match policy.greylist.check(&attempt, now) {
        Outcome::Pass(Why::Off | Why::Exempt) => Decided::proceed(),
        Outcome::Pass(why) => Decided::proceed_because(format!("greylist: {why:?}")),
        Outcome::Wait { remaining, id, attempt } => Decided::refuse(
            policy.greylist.answer(&to.said, remaining, id),
            format!("greylist: attempt {attempt} of entry {id}, opens in {remaining:?}"),
        ),
    }
}

fn find_rule(
    policy: &Policy,
    facts: &Facts,
    sender: &str,
    recipient: Option<&str>,
) -> Option<(Action, usize)> {
    let client: IpAddr = facts.client.to_canonical();
    let hello = facts.hello.as_ref().map(HelloName::to_string);
    policy.access.find(&Subject { client, hello: hello.as_deref(), sender, recipient })
}

fn rule_reason(rule: usize) -> String {
    format!("rule {rule} of `access`")
}

/// Unquoted, so that `"user"@example.org` and `user@example.org` are one.
fn plain(recipient: &RecipientFacts) -> String {
    let address = &recipient.address;
    format!("{}@{}", address.local_part.as_str(), address.domain)
}

fn address_of_sender(path: &ReversePath) -> String {
    let plain = |mailbox: &smtp::syntax::Mailbox| {
        format!("{}@{}", mailbox.local_part.as_str(), mailbox.domain)
    };
    path.0.as_ref().map_or_else(String::new, plain)
}

fn whole_seconds(wait: Duration) -> Duration {
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}
