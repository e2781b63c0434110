//! A message as the queue knows it: how it came, for whom, and what became of each
//! recipient. The octets of the message itself are read through the spool.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reply::{EnhancedCode, Timestamp};
use smtp::envelope::{Envelope, Recipient};

use crate::QueueId;
use crate::retry::History;

pub mod encoding;

/// How a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// From another host, by SMTP.
    Mx,
    /// From a submitter (RFC 6409).
    Submission,
    /// By LMTP (RFC 2033).
    Lmtp,
    /// From this machine: `send`, `sendmail`, the drop folder.
    Local,
    /// Our own notification.
    Notification,
}

impl Origin {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Mx => "mx",
            Origin::Submission => "submission",
            Origin::Lmtp => "lmtp",
            Origin::Local => "local",
            Origin::Notification => "notification",
        }
    }
}

/// What is known of a message when its data begin. It does not change afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The envelope as it was accepted.
    pub envelope: Envelope,
    /// When.
    pub at: Timestamp,
    /// How.
    pub origin: Origin,
    /// The peer's address.
    pub client: Option<IpAddr>,
    /// What the peer said it was in EHLO, HELO or LHLO.
    pub hello: Option<String>,
    /// Held from the beginning, and why (a route `hold`, relay off).
    pub held: Option<String>,
}

/// What stands between a recipient and the end of its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// An attempt is due at this time.
    Waiting {
        /// Not before this time.
        due: Timestamp,
    },
    /// Accepted by the next host, or in the mailbox. Nothing more to do.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// Given up. The sender was told, or is not to be told.
    Failed {
        /// When.
        at: Timestamp,
        /// What the sender is told (RFC 3464 §2.3.4).
        status: Option<EnhancedCode>,
    },
}

impl Status {
    /// When the next attempt is due; `None` where there is none.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Status::Waiting { due } => Some(*due),
            _ => None,
        }
    }
}

/// One recipient and what became of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientState {
    /// Address and parameters, as in the envelope.
    pub recipient: Recipient,
    /// Where it stands.
    pub status: Status,
    /// Its attempts.
    pub history: History,
}

/// Whether a message waits for somebody to let it go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// It goes when it is due.
    #[default]
    No,
    /// It has no attempts until it is released; why.
    Because(String),
    /// It was let go by hand: the hold of its route does not stop it again.
    Released,
}

impl Hold {
    /// Held for this reason, if there is one.
    pub fn because(reason: Option<String>) -> Hold {
        reason.map_or(Hold::No, Hold::Because)
    }

    /// Whether there are no attempts.
    pub fn is_held(&self) -> bool {
        self.reason().is_some()
    }

    /// Why it is held, where it is.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Hold::Because(reason) => Some(reason),
            Hold::No | Hold::Released => None,
        }
    }
}

impl RecipientState {
    /// When the next attempt is due by a clock that shows `now`. Where the last attempt
    /// (or else the arrival) lies in the future the clock was set back since, and the
    /// planned pause counts from now: nobody waits for yesterday to come again.
    pub fn due(&self, arrived: Timestamp, now: Timestamp) -> Option<Timestamp> {
        Some(self.status.due()? - self.ahead(arrived, now))
    }

    /// How far the last sign of this recipient lies in the future.
    fn ahead(&self, arrived: Timestamp, now: Timestamp) -> Duration {
        self.history.last_attempt.unwrap_or(arrived).since(now)
    }

    /// Moves what is kept of a recipient that waits onto a clock that was set back.
    fn set_back(&mut self, arrived: Timestamp, now: Timestamp) {
        let ahead = self.ahead(arrived, now);
        let Status::Waiting { due } = &mut self.status else { return };
        *due = *due - ahead;
        let History { first_attempt, last_attempt, cause_since, hinted_for, .. } =
            &mut self.history;
        for time in [first_attempt, last_attempt, cause_since, hinted_for].into_iter().flatten() {
            *time = *time - ahead;
        }
    }
}

/// A message in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub id: QueueId,
    /// How it came.
    pub received: Arc<Received>,
    /// Size of its data in octets, trace fields that were prepended included.
    pub octets: u64,
    /// Its recipients, in the order of the envelope.
    pub recipients: Vec<RecipientState>,
    /// Whether it waits for somebody to let it go.
    pub hold: Hold,
}

impl Message {
    /// A message that just came: every recipient is due at once.
    pub fn new(id: QueueId, received: impl Into<Arc<Received>>, octets: u64) -> Message {
        let received = received.into();
        let due = received.at;
        let recipients = received.envelope.recipients.iter().map(|recipient| RecipientState {
            recipient: recipient.clone(),
            status: Status::Waiting { due },
            history: History::default(),
        });
        let (recipients, hold) = (recipients.collect(), Hold::because(received.held.clone()));
        Message { id, received, octets, recipients, hold }
    }

    /// When the next attempt of any recipient is due; `None` where nobody waits or the
    /// message is held.
    pub fn due(&self) -> Option<Timestamp> {
        let waiting = self.recipients.iter().filter_map(|recipient| recipient.status.due());
        waiting.min().filter(|_| !self.hold.is_held())
    }

    /// Moves the times of recipients that wait onto a clock that was set back since they
    /// were noted. What is not in the future stays as it is.
    pub fn set_back(&mut self, now: Timestamp) {
        for state in &mut self.recipients {
            state.set_back(self.received.at, now);
        }
    }

    /// Whether no recipient waits any more.
    pub fn is_done(&self) -> bool {
        self.recipients.iter().all(|recipient| recipient.status.due().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const HOUR: Duration = Duration::from_secs(3600);

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + secs)
    }

    /// First tried two hours ago, tried now, due in an hour, by the clock of `now`.
    fn waiting(now: Timestamp) -> RecipientState {
        let path = "user@example.org".parse().map(smtp::syntax::ForwardPath::Mailbox).unwrap();
        let history = History {
            first_attempt: Some(now - HOUR * 2),
            last_attempt: Some(now),
            cause_since: Some(now - HOUR),
            hinted_for: Some(now + HOUR),
            ..History::default()
        };
        let recipient = Recipient { path, parameters: Default::default() };
        RecipientState { recipient, status: Status::Waiting { due: now + HOUR }, history }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer_than_planned() {
        let (before, now) = (at(0) + DAY, at(0));
        let mut state = waiting(before);
        assert_eq!(state.due(at(0), now), Some(now + HOUR));
        state.set_back(at(0), now);
        assert_eq!(state, waiting(now));
        let mut new = RecipientState { history: History::default(), ..waiting(before) };
        new.status = Status::Waiting { due: before };
        assert_eq!(new.due(before, now), Some(now), "it came by the clock of tomorrow");
    }

    #[test]
    fn a_clock_that_goes_on_moves_nothing() {
        for now in [at(0), at(5), at(0) + DAY * 6] {
            let mut state = waiting(at(0));
            assert_eq!(state.due(at(0), now), state.status.due());
            state.set_back(at(0), now);
            assert_eq!(state, waiting(at(0)));
        }
    }

    #[test]
    fn what_has_ended_keeps_its_times() {
        let mut state = waiting(at(0) + DAY);
        state.status = Status::Delivered { at: at(0) + DAY };
        let before = state.clone();
        state.set_back(at(0), at(0));
        assert_eq!(state, before);
        assert_eq!(state.due(at(0), at(0)), None);
    }
}
