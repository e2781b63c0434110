//! From the endings of an attempt to the message's next state: pure.
//!
//! For each recipient the plan is made and written down; what the sender is to be told,
//! what is learned and how the destination goes on falls out beside it.

use std::time::Duration;

use queue::notify::{self, Moment, Wishes};
use queue::retry::{
    Fallback, Fallbacks, Learned, Pace, RetryOptions, RetryPlan, WhyGiveUp, WhyThen, Window, pace,
    plan, suggests_greylisting,
};
use queue::{Message, RecipientState, Status};
use reply::classify::{Context, classify, verdict_of};
use reply::{Cause, EnhancedCode, Evidence, Permanence, Reply, Timestamp, Verdict};
use smtp::syntax::RecipientParameters;

use crate::control::VerdictView;
use crate::delivery::{Ending, Notifier};
use crate::events::Event;

/// Longest words of a reply that are kept with a recipient, in characters.
const KEPT_WORDS: usize = 1000;
/// How long a recipient waits whose notification could not be kept.
const UNTOLD_PAUSE: Duration = Duration::from_secs(600);

/// The state after an attempt.
#[derive(Debug)]
pub struct Settled {
    /// The message as it is to be written down.
    pub message: Message,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What the sender is to be told.
    pub notices: Vec<Notice>,
    /// What was learned of the destination's greylisting.
    pub lessons: Vec<Lesson>,
    /// How the destination goes on.
    pub pace: Pace,
}

/// Something that the sender is to be told of one recipient.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What.
    pub moment: Moment,
    /// Which recipient, by its place in the message.
    pub index: usize,
    /// The reply that decided, where one did.
    pub reply: Option<Reply>,
    /// What it means.
    pub verdict: Verdict,
    /// For the Status field.
    pub status: EnhancedCode,
    /// Who said it.
    pub host: Option<String>,
}

/// What an attempt taught about a greylisting window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// First refused, last refused; it passed now.
    Passed {
        /// The first refusal.
        first: Timestamp,
        /// The last one.
        last: Timestamp,
    },
    /// First refused; refused again now.
    Refused {
        /// The first refusal.
        first: Timestamp,
    },
}

/// Settles the recipients `tried` of `message`, which ended as `endings` (one each).
/// `window` is the greylisting window that was learned for their destination.
pub fn settle(
    message: &Message,
    tried: &[usize],
    endings: &[Ending],
    window: Option<Window>,
    options: &RetryOptions,
    now: Timestamp,
) -> Settled {
    let mut settled = Settled {
        message: set_back(message, now),
        events: Vec::new(),
        notices: Vec::new(),
        lessons: Vec::new(),
        pace: pace_after(endings, options, now),
    };
    for (index, ending) in tried.iter().zip(endings) {
        settled.recipient(*index, ending, window, options, now);
    }
    settled
}

/// The message on the clock as it is now.
fn set_back(message: &Message, now: Timestamp) -> Message {
    let mut message = message.clone();
    message.set_back(now);
    message
}

/// The endings of recipients whose destination is being left alone.
pub fn not_tried(recipients: usize) -> Vec<Ending> {
    let text = "not tried now: the destination has been unreachable for a while";
    vec![Ending::trouble(Cause::HostUnreachable, Permanence::Transient, text); recipients]
}

/// The strictest pace that any of the endings asks for.
fn pace_after(endings: &[Ending], options: &RetryOptions, now: Timestamp) -> Pace {
    let strictness = |pace: &Pace| match pace {
        Pace::Normal => 0,
        Pace::FewerConnections => 1,
        Pace::SlowDown { .. } => 2,
        Pace::Unreachable => 3,
    };
    let paces = endings.iter().map(|ending| pace(&ending.verdict, options, now));
    paces.max_by_key(strictness).unwrap_or(Pace::Normal)
}

impl Settled {
    /// How the destination goes on, where `reached` says whether a session stood: one
    /// without a session is left alone, whatever the trouble was.
    pub fn pace_where(&self, reached: bool, endings: &[Ending]) -> Pace {
        let passes = |ending: &Ending| ending.verdict.permanence == Permanence::Transient;
        match self.pace {
            Pace::Normal if !reached && endings.iter().any(passes) => Pace::Unreachable,
            pace => pace,
        }
    }

    /// The recipients of a notification that could not be kept wait on, as if it had not
    /// been due yet.
    pub fn not_told(&mut self, about: &[usize], now: Timestamp) {
        for index in about {
            let state = &mut self.message.recipients[*index];
            state.history.delay_notified = false;
            if matches!(state.status, Status::Failed { .. }) {
                state.status = Status::Waiting { due: now + UNTOLD_PAUSE };
            }
        }
    }

    fn recipient(
        &mut self,
        index: usize,
        ending: &Ending,
        window: Option<Window>,
        options: &RetryOptions,
        now: Timestamp,
    ) {
        let seed = self.message.id.number() ^ (index as u64).rotate_left(48);
        let Some(state) = self.message.recipients.get_mut(index) else { return };
        let before = state.history.clone();
        let learned = Learned { window, fallbacks: all_taken() };
        let plan = plan(&ending.verdict, &before, &learned, options, now).spread(seed, now);
        self.lessons.extend(lesson(&before, &ending.verdict));
        state.history = before.note(&ending.verdict, &plan, now);
        remember(state, ending);
        match plan {
            RetryPlan::Done => self.delivered(index, ending, now),
            RetryPlan::Retry { at, why, .. } => self.waits(index, ending, at, why, options, now),
            // The session took every alternative there was before it came to this.
            RetryPlan::Alternative { .. } => self.failed(index, ending, WhyGiveUp::Permanent, now),
            RetryPlan::GiveUp { why } => self.failed(index, ending, why, now),
        }
    }

    fn delivered(&mut self, index: usize, ending: &Ending, now: Timestamp) {
        let state = &mut self.message.recipients[index];
        state.status = Status::Delivered { at: now };
        self.events.push(Event::Delivered {
            recipient: state.recipient.path.to_string(),
            attempt: state.history.attempts,
            host: ending.host.clone(),
            said: Some(ending.words.clone()),
        });
        let moment = match ending.notifier {
            Notifier::UsOfDelivery => Moment::Delivered,
            Notifier::UsOfRelaying => Moment::Relayed,
            Notifier::SomebodyElse => return,
        };
        let status = EnhancedCode::new(2, 0, 0);
        self.tell(moment, index, ending, ending.verdict.clone(), status);
    }

    fn waits(
        &mut self,
        index: usize,
        ending: &Ending,
        at: Timestamp,
        why: WhyThen,
        options: &RetryOptions,
        now: Timestamp,
    ) {
        let state = &mut self.message.recipients[index];
        state.status = Status::Waiting { due: at };
        self.events.push(attempt_event(state, ending, Some(at), why_then(why)));
        let late = notify::is_late(&state.history, options.delay_notice_after, now);
        if late {
            state.history.delay_notified = true;
            let status = status_of(ending, &ending.verdict, 4);
            self.tell(Moment::Delayed, index, ending, ending.verdict.clone(), status);
        }
    }

    fn failed(&mut self, index: usize, ending: &Ending, why: WhyGiveUp, now: Timestamp) {
        let verdict = given_up(ending, why);
        let status = match why {
            WhyGiveUp::Expired => EnhancedCode::new(4, 4, 7),
            WhyGiveUp::Permanent => status_of(ending, &verdict, 5),
        };
        let state = &mut self.message.recipients[index];
        state.status = Status::Failed { at: now, status };
        self.events.push(attempt_event(state, ending, None, why.name().to_owned()));
        self.tell(Moment::Failed, index, ending, verdict, status);
    }

    /// Notes a notification where it is due.
    fn tell(
        &mut self,
        moment: Moment,
        index: usize,
        ending: &Ending,
        verdict: Verdict,
        status: Option<EnhancedCode>,
    ) {
        let null = self.message.received.envelope.reverse_path.is_null();
        let wishes = wishes(&self.message.recipients[index].recipient.parameters);
        let Some(status) = status.filter(|_| notify::is_due(moment, null, wishes)) else { return };
        let (reply, host) = (ending.reply.clone(), ending.host.clone());
        self.notices.push(Notice { moment, index, reply, verdict, status, host });
    }
}

/// What NOTIFY asks for, by RFC 3461 §4.1.
pub fn wishes(parameters: &RecipientParameters) -> Wishes {
    Wishes {
        success: parameters.wants_success(),
        failure: parameters.wants_failure(),
        delay: parameters.wants_delay(),
    }
}

fn all_taken() -> Fallbacks {
    Fallbacks::default().with(Fallback::WithoutExtensions).with(Fallback::WithoutParameters)
}

fn remember(state: &mut RecipientState, ending: &Ending) {
    state.history.last_reply = Some(ending.words.chars().take(KEPT_WORDS).collect());
    if let Some(host) = &ending.host {
        state.history.remote_host = Some(host.clone());
    }
    if let Some(address) = ending.local_address {
        state.history.local_address = Some(address);
    }
}

fn attempt_event(
    state: &RecipientState,
    ending: &Ending,
    next: Option<Timestamp>,
    why: String,
) -> Event {
    Event::Attempt {
        recipient: state.recipient.path.to_string(),
        attempt: state.history.attempts,
        host: ending.host.clone(),
        stage: ending.stage.map(|stage| stage.name().to_owned()),
        said: ending.words.clone(),
        verdict: VerdictView::from(&ending.verdict),
        next_at: next.map(|at| at.to_string()),
        why,
    }
}

/// As it stands in an event: `hint`, `learned-window`, `retry.greylisted`.
fn why_then(why: WhyThen) -> String {
    match why {
        WhyThen::Ladder(name) => format!("retry.{name}"),
        other => other.name().to_owned(),
    }
}

/// The verdict that the sender is told: what was heard, or that time ran out over it.
fn given_up(ending: &Ending, why: WhyGiveUp) -> Verdict {
    match why {
        WhyGiveUp::Permanent => ending.verdict.clone(),
        WhyGiveUp::Expired => {
            let heard = &ending.verdict;
            let rule = "lifetime".into();
            let evidence = Evidence { rule, text: ending.words.clone() };
            let verdict = verdict_of(Cause::Expired, Permanence::Permanent, evidence);
            Verdict { alternatives: vec![heard.cause], ..verdict }
        }
    }
}

/// The status of a notification: what the host said, or what our diagnosis comes to.
fn status_of(ending: &Ending, verdict: &Verdict, class: u8) -> Option<EnhancedCode> {
    let heard = ending.reply.as_ref().and_then(Reply::enhanced_code);
    let heard = heard.filter(|code| code.class() as u8 == class);
    heard.or_else(|| {
        let (subject, detail) = diagnosed(verdict.cause);
        EnhancedCode::new(class, subject, detail)
    })
}

/// Subject and detail of RFC 3463 for what we diagnose ourselves; others are "undefined".
fn diagnosed(cause: Cause) -> (u16, u16) {
    match cause {
        Cause::DomainNotFound => (1, 2),
        Cause::DomainTakesNoMail => (1, 10),
        Cause::HostUnreachable => (4, 1),
        Cause::ConnectionLost => (4, 2),
        Cause::DnsFailed => (4, 3),
        Cause::RouteUnusable => (4, 4),
        Cause::MailLoop => (4, 6),
        Cause::MessageTooBig => (3, 4),
        Cause::ConversionNeeded => (6, 3),
        Cause::Utf8NotSupported => (6, 7),
        _ => (0, 0),
    }
}

/// A recipient that was greylisted and is not any more, or still is.
fn lesson(before: &queue::retry::History, verdict: &Verdict) -> Option<Lesson> {
    let first = before.cause_since?;
    let last = before.last_attempt?;
    let was = before.last_reply.as_deref().and_then(|said| Reply::parse(said.as_bytes()).ok())?;
    if !suggests_greylisting(&classify(&was, &Context::default())) {
        return None;
    }
    match verdict.permanence {
        Permanence::Positive => Some(Lesson::Passed { first, last }),
        _ if suggests_greylisting(verdict) => Some(Lesson::Refused { first }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
