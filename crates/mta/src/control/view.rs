//! How a queued message is shown: the shapes that cross the admin socket and that
//! `secondpost queue --json` prints. Their names are stable. Times are RFC 3339 in UTC.

use queue::QueueId;
use queue::message::{Message, RecipientState, Status};
use queue::retry::WhyThen;
use reply::classify::{Context, classify, verdict_of};
use reply::{Cause, Evidence, Reply, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

/// Why an attempt is due when it is: its host could not be reached and is given a rest.
pub const HOST_LEFT_ALONE: &str = "host-left-alone";

/// One message of the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedMessage {
    /// The queue id.
    pub id: String,
    /// When it came.
    pub received_at: String,
    /// How long ago that was.
    pub age_seconds: u64,
    /// How it came: `mx`, `submission`, `lmtp`, `local` or `bounce`.
    pub origin: String,
    /// The reverse-path; empty is the null one.
    pub sender: String,
    /// The length of the message.
    pub octets: u64,
    /// Why it is held, where it is.
    pub held: Option<String>,
    /// Each recipient of the envelope.
    pub recipients: Vec<QueuedRecipient>,
}

/// One recipient of a queued message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedRecipient {
    /// The forward-path.
    pub address: String,
    /// `waiting`, `delivered` or `failed`.
    pub status: String,
    /// How often it was attempted.
    pub attempts: u32,
    /// How many of the last attempts in a row ended with a transient reply.
    pub transient_in_a_row: u32,
    /// Why its way is barred, where the message itself is not held.
    pub held: Option<String>,
    /// When it was first attempted.
    pub first_attempt_at: Option<String>,
    /// When it was last attempted.
    pub last_attempt_at: Option<String>,
    /// The last reply as it was heard, or what went wrong in our own words.
    pub last_reply: Option<String>,
    /// What that means.
    pub verdict: Option<VerdictView>,
    /// When the next attempt is due; absent where the message is held.
    pub next_attempt_at: Option<String>,
    /// How long until then; 0 where it is overdue.
    pub next_attempt_in_seconds: Option<u64>,
    /// Why then, where it is known without the story: `hint` (the reply named the time),
    /// `host-left-alone` (it could not be reached and is given a rest).
    pub next_attempt_why: Option<String>,
}

impl QueuedMessage {
    /// `message` as it stands at `now`.
    pub fn of(message: &Message, now: Timestamp) -> QueuedMessage {
        let received = &message.received;
        QueuedMessage {
            id: message.id.to_string(),
            received_at: received.at.to_string(),
            age_seconds: now.since(received.at).as_secs(),
            origin: received.origin.name().to_owned(),
            sender: received.envelope.reverse_path.to_string(),
            octets: message.octets,
            held: message.hold.reason().map(str::to_owned),
            recipients: message
                .recipients
                .iter()
                .map(|state| match message.hold.is_held() {
                    true => QueuedRecipient::of(state),
                    false => QueuedRecipient::of(state).due(state, now),
                })
                .collect(),
        }
    }
}

impl QueuedMessage {
    /// A message whose own record cannot be read any more; nothing is attempted with it.
    pub fn unreadable(id: QueueId, why: &str) -> QueuedMessage {
        let held = format!("its record in the spool cannot be read: {why}");
        QueuedMessage { id: id.to_string(), held: Some(held), ..QueuedMessage::default() }
    }
}

impl QueuedRecipient {
    fn of(state: &RecipientState) -> QueuedRecipient {
        let history = &state.history;
        QueuedRecipient {
            address: state.recipient.path.to_string(),
            status: status_name(&state.status).to_owned(),
            attempts: history.attempts,
            transient_in_a_row: history.transient_in_a_row,
            first_attempt_at: history.first_attempt.map(|at| at.to_string()),
            last_attempt_at: history.last_attempt.map(|at| at.to_string()),
            last_reply: history.last_reply.clone(),
            verdict: last_verdict(state).as_ref().map(VerdictView::from),
            ..QueuedRecipient::default()
        }
    }

    fn due(self, state: &RecipientState, now: Timestamp) -> QueuedRecipient {
        let Some(due) = state.status.due() else { return self };
        let why = (state.history.hinted_for == Some(due)).then_some(WhyThen::Hint.name());
        self.planned(due, why, now)
    }

    /// Whose way is barred: no attempt is planned.
    pub fn barred(self, why: String) -> QueuedRecipient {
        QueuedRecipient {
            held: Some(why),
            next_attempt_at: None,
            next_attempt_in_seconds: None,
            next_attempt_why: None,
            ..self
        }
    }

    /// With the next attempt `at` that time; `why` is a name as in the events.
    pub fn planned(self, at: Timestamp, why: Option<&str>, now: Timestamp) -> QueuedRecipient {
        QueuedRecipient {
            next_attempt_at: Some(at.to_string()),
            next_attempt_in_seconds: Some(at.since(now).as_secs()),
            next_attempt_why: why.map(str::to_owned),
            ..self
        }
    }
}

const fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Waiting { .. } => "waiting",
        Status::Delivered { .. } => "delivered",
        Status::Failed { .. } => "failed",
    }
}

/// What the last reply meant. The cause and the permanence are those that the plan was
/// made from; the rest is read from the reply once more.
fn last_verdict(state: &RecipientState) -> Option<Verdict> {
    let history = &state.history;
    let last = history.last_verdict?;
    let text = history.last_reply.as_deref().unwrap_or_default();
    let context = Context { now: history.last_attempt, ..Context::default() };
    let read = Reply::parse(text.as_bytes()).map(|reply| classify(&reply, &context));
    let mut verdict = read.unwrap_or_else(|_| {
        let evidence = Evidence { rule: "recorded".into(), text: text.to_owned() };
        verdict_of(last.cause, last.permanence, evidence)
    });
    if verdict.cause != last.cause {
        verdict.alternatives.retain(|cause| *cause != last.cause);
        verdict.whose_move = last.cause.whose_move();
        verdict.cause = last.cause;
    }
    verdict.permanence = last.permanence;
    Some(verdict)
}

/// A verdict in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictView {
    /// The basic code, where one was heard.
    pub code: Option<u16>,
    /// The enhanced code, where one was heard.
    pub enhanced_code: Option<String>,
    /// The cause's name.
    pub cause: String,
    /// `positive`, `transient` or `permanent`.
    pub permanence: String,
    /// Whose turn it is.
    pub whose_move: String,
    /// How long to wait, where the text says so.
    pub retry_after_seconds: Option<u64>,
    /// When to come back, where the text or the time of hearing says so.
    pub retry_at: Option<String>,
    /// Other fair causes, best first.
    pub alternatives: Vec<String>,
    /// Why we think so.
    pub evidence: EvidenceView,
    /// `low`, `medium` or `high`.
    pub confidence: String,
}

/// The evidence of a verdict in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// The rule's stable name.
    pub rule: String,
    /// The words, code or field that it saw.
    pub text: String,
}

impl VerdictView {
    /// The cause, if its name is one that this version knows.
    pub fn cause(&self) -> Option<Cause> {
        self.cause.parse().ok()
    }
}

impl From<&Verdict> for VerdictView {
    fn from(verdict: &Verdict) -> VerdictView {
        VerdictView {
            code: verdict.code.map(|code| code.value()),
            enhanced_code: verdict.enhanced_code.map(|code| code.to_string()),
            cause: verdict.cause.name().to_owned(),
            permanence: verdict.permanence.name().to_owned(),
            whose_move: verdict.whose_move.name().to_owned(),
            retry_after_seconds: verdict.retry_after.map(|after| after.as_secs()),
            retry_at: verdict.retry_at.map(|at| at.to_string()),
            alternatives: verdict.alternatives.iter().map(Cause::to_string).collect(),
            evidence: EvidenceView {
                rule: verdict.evidence.rule.to_string(),
                text: verdict.evidence.text.clone(),
            },
            confidence: verdict.confidence.name().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use queue::message::{Origin, Received};
    use queue::retry::{History, LastVerdict};
    use reply::Permanence;
    use smtp::envelope::Recipient;
    use smtp::syntax::{ForwardPath, RecipientParameters};

    use super::super::protocol::Submission;
    use super::*;

    fn message(reply: &str, cause: Cause) -> Message {
        let at = Timestamp::from_secs(1_764_000_000);
        let history = History {
            attempts: 3,
            transient_in_a_row: 3,
            last_attempt: Some(at),
            last_reply: Some(reply.into()),
            last_verdict: Some(LastVerdict { cause, permanence: Permanence::Transient }),
            ..History::default()
        };
        let path = ForwardPath::Mailbox("b@example.net".parse().unwrap());
        let recipient = Recipient { path, parameters: RecipientParameters::default() };
        let status = Status::Waiting { due: at + Duration::from_secs(300) };
        let envelope = Submission { sender: "a@example.org".into(), ..Submission::default() };
        Message {
            id: "3bq8fz4k0000".parse().unwrap(),
            received: Received {
                envelope: envelope.envelope().unwrap(),
                at,
                origin: Origin::Local,
                client: None,
                hello: None,
                held: None,
            }
            .into(),
            octets: 7,
            recipients: vec![RecipientState { recipient, status, history }],
            hold: queue::Hold::No,
        }
    }

    #[test]
    fn a_waiting_message_is_shown_with_its_verdict_and_when_it_is_due() {
        let message = message("450 4.2.0 Greylisted for 300 seconds", Cause::Greylisted);
        let view = QueuedMessage::of(&message, message.received.at + Duration::from_secs(60));
        assert_eq!((view.age_seconds, view.sender.as_str()), (60, "a@example.org"));
        let recipient = &view.recipients[0];
        assert_eq!(recipient.next_attempt_in_seconds, Some(240));
        let verdict = recipient.verdict.as_ref().unwrap();
        assert_eq!((verdict.code, verdict.cause()), (Some(450), Some(Cause::Greylisted)));
        assert_eq!(verdict.retry_after_seconds, Some(300));
    }

    #[test]
    fn a_held_message_has_no_next_attempt() {
        let mut message = message("450 4.2.0 later", Cause::MailboxBusy);
        message.hold = queue::Hold::Because("by the administrator".into());
        let view = QueuedMessage::of(&message, message.received.at);
        assert_eq!(view.recipients[0].next_attempt_at, None);
        assert_eq!(view.recipients[0].next_attempt_in_seconds, None);
    }

    #[test]
    fn what_was_no_reply_keeps_its_recorded_cause_and_invents_no_code() {
        let message = message("connection refused", Cause::HostUnreachable);
        let view = QueuedMessage::of(&message, Timestamp::MAX);
        let verdict = view.recipients[0].verdict.as_ref().unwrap();
        assert_eq!((verdict.code, verdict.cause()), (None, Some(Cause::HostUnreachable)));
        assert_eq!(verdict.permanence, "transient");
        assert_eq!(view.recipients[0].next_attempt_in_seconds, Some(0));
    }
}
