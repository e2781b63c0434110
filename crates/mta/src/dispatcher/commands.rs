//! What an administrator asks for: retry, hold, release, bounce, remove. Each blocks.

use std::fmt;
use std::io;

use queue::{Hold, Message, QueueId, RecipientState};
use reply::{Answer, Cause, Permanence, Stage};

use super::settling::Work;
use super::{Dispatcher, Haste, lock};
use crate::control::{Action, HOST_LEFT_ALONE, QueuedMessage, QueuedRecipient};
use crate::delivery::Ending;
use crate::events::Event;
use crate::router::Destination;

/// The reason of a hold or a removal that an administrator asked for.
pub const BY_ADMINISTRATOR: &str = "by the administrator";

/// Why an action was not done.
#[derive(Debug)]
pub enum ActError {
    /// There is no such message in the queue.
    NoSuchMessage(QueueId),
    /// An attempt is under way; afterwards it can be done.
    UnderWay(QueueId),
    /// It stays held; why.
    StaysHeld(String),
    /// The spool could not be read or written.
    Fault(io::Error),
}

impl fmt::Display for ActError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActError::NoSuchMessage(id) => write!(f, "there is no message `{id}` in the queue"),
            ActError::UnderWay(id) => {
                write!(f, "an attempt with `{id}` is under way: try again in a moment")
            }
            ActError::StaysHeld(why) => write!(f, "it stays held: {why}"),
            ActError::Fault(error) => write!(f, "the spool does not work: {error}"),
        }
    }
}

impl std::error::Error for ActError {}

impl From<io::Error> for ActError {
    fn from(error: io::Error) -> ActError {
        ActError::Fault(error)
    }
}

impl Dispatcher {
    /// Does `action` to a message, effective at once.
    ///
    /// # Errors
    /// Why it was not done; nothing has changed then.
    pub fn act(&self, action: Action, id: QueueId) -> Result<(), ActError> {
        match action {
            Action::Retry => self.retry(id),
            Action::Hold => self.hold(id),
            Action::Release => self.release(id),
            Action::Bounce => self.bounce(id),
            Action::Remove => self.remove(id),
        }
    }

    /// A message as an administrator sees it: with the next attempts as they are really
    /// due, also where a host is being left alone, and none where the way is barred.
    pub fn shown(&self, message: &Message) -> QueuedMessage {
        let mut shown = QueuedMessage::of(message, self.parts.clock.now());
        for (recipient, state) in shown.recipients.iter_mut().zip(&message.recipients) {
            *recipient = self.on_its_way(std::mem::take(recipient), message, state);
        }
        shown
    }

    fn on_its_way(
        &self,
        shown: QueuedRecipient,
        message: &Message,
        state: &RecipientState,
    ) -> QueuedRecipient {
        let now = self.parts.clock.now();
        let due = state.due(message.received.at, now).filter(|_| !message.hold.is_held());
        let Some(due) = due else { return shown };
        let destination = self.destination(message, &state.recipient.path);
        if let Destination::Held(why) = destination {
            return shown.barred(why.to_string());
        }
        match self.schedule().left_alone_until(&destination.to_string(), now) {
            Some(until) if until > due => shown.planned(until, Some(HOST_LEFT_ALONE), now),
            _ => shown,
        }
    }

    fn message(&self, id: QueueId) -> Result<Message, ActError> {
        self.parts.backlog.get(id)?.ok_or(ActError::NoSuchMessage(id))
    }

    /// Every recipient that waits is attempted now, also where its host is being left
    /// alone. A held message is released for it.
    fn retry(&self, id: QueueId) -> Result<(), ActError> {
        let mut message = self.message(id)?;
        if message.hold.is_held() {
            self.release(id)?;
            message = self.message(id)?;
        }
        lock(&self.hastened).insert(id);
        let mut schedule = self.schedule();
        let now = self.parts.clock.now();
        for destination in self.places(&message).keys() {
            schedule.remove(id, destination);
            schedule.wake(destination);
            schedule.insert(id, destination, now);
        }
        drop(schedule);
        self.tell(id, Event::Hastened);
        self.wake.notify_one();
        Ok(())
    }

    fn hold(&self, id: QueueId) -> Result<(), ActError> {
        let _one_writer = lock(self.stripe(id));
        let message = self.message(id)?;
        self.hold_for(&message, BY_ADMINISTRATOR.to_owned())?;
        self.unschedule(&message);
        Ok(())
    }

    /// A hold of the administrator, or of a route, is undone. What the configuration does
    /// not let out stays.
    fn release(&self, id: QueueId) -> Result<(), ActError> {
        let _one_writer = lock(self.stripe(id));
        let message = self.message(id)?;
        if !message.hold.is_held() && !self.is_barred(&message) {
            return Ok(());
        }
        let released = Message { hold: Hold::Released, ..message.clone() };
        let places = self.places(&released);
        if let Some(why) = self.stuck(&released, &places) {
            return Err(ActError::StaysHeld(why));
        }
        self.parts.backlog.update(&message, &released)?;
        self.tell(id, Event::Released);
        self.adopt(&released)?;
        Ok(())
    }

    /// Whether the way of a recipient that waits is barred, while others may go on.
    fn is_barred(&self, message: &Message) -> bool {
        let mut waiting = message.recipients.iter().filter(|state| state.status.due().is_some());
        waiting.any(|state| {
            let destination = self.destination(message, &state.recipient.path);
            matches!(destination, Destination::Held(_))
        })
    }

    /// Gives up now; the sender is told.
    fn bounce(&self, id: QueueId) -> Result<(), ActError> {
        let message = self.take_out(id)?;
        let waiting: Vec<usize> = (0..message.recipients.len())
            .filter(|index| message.recipients[*index].status.due().is_some())
            .collect();
        self.tell(id, Event::Bounced);
        let endings = waiting.iter().map(|index| given_up(&message.recipients[*index]));
        let work = by_hand(id, waiting.clone(), endings.collect());
        match self.prepare(&work)? {
            Some(settled) => Ok(self.finish(&settled, &work)?),
            None => Err(ActError::NoSuchMessage(id)),
        }
    }

    /// Fails those recipients of a held message that policy refuses, as if a host had
    /// refused them, so that the sender is told; the message goes on to the others.
    ///
    /// # Errors
    /// Where it is gone, or the spool does not work: then it stays held.
    pub fn refuse(&self, id: QueueId, refused: &[(usize, Answer)]) -> Result<(), ActError> {
        let now = self.parts.clock.now();
        let indices: Vec<usize> = refused.iter().map(|(index, _)| *index).collect();
        let ending = |answer| Ending { stage: Some(Stage::Rcpt), ..Ending::answered(answer, now) };
        let endings = refused.iter().map(|(_, answer)| ending(answer));
        let work = by_hand(id, indices, endings.collect());
        let settled = self.prepare(&work)?;
        self.finish(&settled.ok_or(ActError::NoSuchMessage(id))?, &work)?;
        let _one_writer = lock(self.stripe(id));
        let Some(held) = self.parts.backlog.get(id)? else { return Ok(()) };
        let message = Message { hold: Hold::No, ..held.clone() };
        self.parts.backlog.update(&held, &message)?;
        self.adopt(&message)?;
        Ok(())
    }

    /// Drops it; nobody is told. Also one whose own record cannot be read any more.
    fn remove(&self, id: QueueId) -> Result<(), ActError> {
        match self.take_out(id) {
            Ok(_) => {}
            Err(ActError::Fault(error)) => {
                tracing::warn!(%id, %error, "a message is removed that cannot be read");
            }
            Err(other) => return Err(other),
        }
        let removed = self.parts.backlog.remove(id);
        removed.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ActError::NoSuchMessage(id),
            _ => ActError::Fault(error),
        })?;
        self.tell(id, Event::Removed { reason: BY_ADMINISTRATOR.to_owned() });
        self.tell(id, Event::Ended);
        Ok(())
    }

    /// Takes a message out of the schedule, unless an attempt is under way.
    fn take_out(&self, id: QueueId) -> Result<Message, ActError> {
        let message = self.message(id)?;
        let destinations = self.destinations(&message);
        let schedule = self.schedule();
        if destinations.iter().any(|destination| schedule.is_leased(id, destination)) {
            return Err(ActError::UnderWay(id));
        }
        drop(schedule);
        self.unschedule(&message);
        Ok(message)
    }

    fn unschedule(&self, message: &Message) {
        let mut schedule = self.schedule();
        for destination in self.destinations(message) {
            schedule.remove(message.id, &destination);
        }
    }

    /// The names of every destination that the message waits for.
    fn destinations(&self, message: &Message) -> Vec<String> {
        let waiting = message.recipients.iter().filter(|state| state.status.due().is_some());
        let ways = waiting.map(|state| self.destination(message, &state.recipient.path));
        ways.filter(|way| !matches!(way, Destination::Held(_))).map(|way| way.to_string()).collect()
    }
}

/// What nobody was gone to for.
fn by_hand(id: QueueId, tried: Vec<usize>, endings: Vec<Ending>) -> Work {
    Work { id, destination: String::new(), tried, endings, haste: Haste::Synced }
}

/// What a recipient heard last is why it is given up; without that nobody knows a cause.
fn given_up(state: &RecipientState) -> Ending {
    let cause = state.history.last_cause().unwrap_or(Cause::Unknown);
    let text = match &state.history.last_reply {
        Some(said) => format!("given up by the administrator; what was heard last: {said}"),
        None => "given up by the administrator".to_owned(),
    };
    Ending::trouble(cause, Permanence::Permanent, text)
}
