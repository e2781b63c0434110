//! From the end of an attempt to the spool: what it leads to is thought out (`settle`),
//! notifications are put into the queue, the state is written down, and what happened is
//! told. A message in memory that needs nothing of a disk is settled without a thread that
//! may block.

use std::io;
use std::sync::Arc;

use queue::retry::Pace;
use queue::schedule::Mode;
use queue::{Message, QueueId};
use reply::Timestamp;
use tokio::sync::oneshot;

use super::{
    Dispatcher, Due, Haste, ORIGINAL_OCTETS, Outcome, WRITE_AGAIN, Went, Written, backlog,
    blocking, lock, notice, settle,
};
use crate::delivery::Ending;
use crate::events::Event;

/// An attempt that is to be settled.
pub(super) struct Work {
    pub(super) id: QueueId,
    pub(super) destination: String,
    /// The recipients that were tried, by their place in the message.
    pub(super) tried: Vec<usize>,
    /// One for each of them.
    pub(super) endings: Vec<Ending>,
    pub(super) haste: Haste,
}

/// What a settled attempt means for the schedule.
struct Settlement {
    pace: Pace,
    /// The message has left the queue.
    is_done: bool,
}

impl Dispatcher {
    /// Settles an attempt: how message and destination go on.
    pub(super) async fn settled(
        self: &Arc<Self>,
        id: QueueId,
        name: String,
        tried: Vec<usize>,
        mut went: Went,
        mode: Mode,
    ) -> Outcome {
        let (endings, haste) = (std::mem::take(&mut went.endings), went.haste);
        let work = Work { id, destination: name.clone(), tried, endings, haste };
        let Some(Settlement { pace, is_done }) = self.settle(work, &went).await else {
            return Outcome { again: None, pace: None };
        };
        let again = if is_done { None } else { self.again(id, &name).await };
        Outcome { again, pace: Some(pace).filter(|_| mode == Mode::Deliver) }
    }

    /// Settles an attempt; `None` where the message is gone.
    async fn settle(self: &Arc<Self>, work: Work, went: &Went) -> Option<Settlement> {
        let (id, work) = (work.id, Arc::new(work));
        let settled = loop {
            match self.prepared(&work).await {
                Ok(settled) => break Arc::new(settled?),
                Err(error) => tracing::error!(%id, %error, "the spool cannot be read"),
            }
            tokio::time::sleep(WRITE_AGAIN).await;
        };
        // A state that cannot be written is written again until it can: the recipients
        // who have the message must not get it twice.
        let is_done = loop {
            match self.finished(&settled, &work).await {
                Ok(is_done) => break is_done,
                Err(error) => tracing::error!(%id, %error, "a state cannot be written"),
            }
            tokio::time::sleep(WRITE_AGAIN).await;
        };
        let pace = match (settled.pace_where(went.reached, &work.endings), went.not_before) {
            (Pace::Unreachable, Some(until)) => Pace::SlowDown { until },
            (pace, _) => pace,
        };
        Some(Settlement { pace, is_done })
    }

    /// [`Dispatcher::prepare`]; a thread that may block is asked only where it may.
    async fn prepared(self: &Arc<Self>, work: &Arc<Work>) -> io::Result<Option<settle::Settled>> {
        if let Some(message) = self.parts.backlog.recall(work.id) {
            let settled = self.think(&message, work, self.parts.clock.now());
            if settled.lessons.is_empty() && settled.notices.is_empty() {
                return Ok(Some(settled));
            }
        }
        let (this, work) = (self.clone(), work.clone());
        blocking(move || this.prepare(&work)).await
    }

    /// What an attempt leads to, with its notifications in the queue; nothing is written
    /// down yet. `None` where the message is gone.
    pub(super) fn prepare(&self, work: &Work) -> io::Result<Option<settle::Settled>> {
        let now = self.parts.clock.now();
        let Some(message) = self.parts.backlog.get(work.id)? else { return Ok(None) };
        let mut settled = self.think(&message, work, now);
        self.learn(&work.destination, &settled.lessons, now);
        self.notify(&mut settled, now);
        Ok(Some(settled))
    }

    fn think(&self, message: &Message, work: &Work, now: Timestamp) -> settle::Settled {
        let window = self.parts.learned.window(&work.destination, now);
        settle::settle(message, &work.tried, &work.endings, window, &self.options.retry, now)
    }

    /// [`Dispatcher::finish`] for the reactor. Whether the message has left the queue.
    async fn finished(
        self: &Arc<Self>,
        settled: &Arc<settle::Settled>,
        work: &Arc<Work>,
    ) -> io::Result<bool> {
        let (send, receive) = oneshot::channel();
        let written: Written = Box::new(move |written| drop(send.send(written)));
        let submitted = match self.submit_at_hand(settled, work, written) {
            Ok(is_done) => Some(is_done),
            Err(written) => {
                let (this, settled, work) = (self.clone(), settled.clone(), work.clone());
                blocking(move || this.submit(&settled, &work, written)).await?
            }
        };
        let Some(is_done) = submitted else { return Ok(true) };
        receive.await.unwrap_or_else(|_| Err(io::Error::other("the spool is closed")))?;
        self.tell_all(settled, is_done);
        Ok(is_done)
    }

    /// Writes down the recipients that were tried, and tells what happened. A message that
    /// nothing waits for leaves the queue. Blocks.
    pub(super) fn finish(&self, settled: &settle::Settled, work: &Work) -> io::Result<()> {
        let (written, wait) = backlog::awaited();
        if let Some(is_done) = self.submit(settled, work, written)? {
            wait()?;
            self.tell_all(settled, is_done);
        }
        Ok(())
    }

    /// Submits what an attempt came to. Whether the message leaves the queue with that;
    /// `None` where it is gone: then `written` hears of nothing. Blocks.
    fn submit(
        &self,
        settled: &settle::Settled,
        work: &Work,
        written: Written,
    ) -> io::Result<Option<bool>> {
        let _one_writer = lock(self.stripe(work.id));
        let was = self.parts.backlog.get(work.id)?;
        Ok(was.map(|was| self.submit_over(&was, settled, work, written)))
    }

    /// The same where it does not block; else gives `written` back.
    fn submit_at_hand(
        &self,
        settled: &settle::Settled,
        work: &Work,
        written: Written,
    ) -> Result<bool, Written> {
        let Ok(_one_writer) = self.stripe(work.id).try_lock() else { return Err(written) };
        match self.parts.backlog.recall(work.id) {
            Some(was) => Ok(self.submit_over(&was, settled, work, written)),
            None => Err(written),
        }
    }

    /// The recipients of other destinations, and a hold, may have changed meanwhile and are
    /// left as they are, but for a clock that was set back.
    fn submit_over(
        &self,
        was: &Message,
        settled: &settle::Settled,
        work: &Work,
        written: Written,
    ) -> bool {
        let mut message = was.clone();
        message.set_back(self.parts.clock.now());
        for index in &work.tried {
            message.recipients[*index] = settled.message.recipients[*index].clone();
        }
        let is_done = message.is_done();
        match is_done {
            true => self.parts.backlog.submit_removal(work.id, work.haste, written),
            false => self.parts.backlog.submit_update(was, &message, written),
        }
        is_done
    }

    fn tell_all(&self, settled: &settle::Settled, is_done: bool) {
        let id = settled.message.id;
        settled.events.iter().for_each(|event| self.tell(id, event.clone()));
        if is_done {
            self.tell(id, Event::Ended);
        }
    }

    fn learn(&self, name: &str, lessons: &[settle::Lesson], now: Timestamp) {
        for lesson in lessons {
            let learned = &self.parts.learned;
            let kept = match *lesson {
                settle::Lesson::Passed { first, last } => learned.passed(name, first, last, now),
                settle::Lesson::Refused { first } => learned.refused(name, first, now),
            };
            if let Err(error) = kept {
                tracing::warn!(destination = name, %error, "a window could not be kept");
            }
        }
    }

    /// Puts the notifications into the queue. One that cannot be kept leaves the
    /// recipients that it is about waiting, so that it is tried again with them.
    fn notify(&self, settled: &mut settle::Settled, now: Timestamp) {
        if settled.notices.is_empty() {
            return;
        }
        let message = &settled.message;
        let original = self.body(message).read(0, ORIGINAL_OCTETS).unwrap_or_default();
        let voice = &self.options.voice;
        let due = notice::notifications(message, &settled.notices, &original, voice, now);
        for notification in due {
            let kind = notice::kind(notification.moment).to_owned();
            let paths = notification.about.iter();
            let recipients =
                paths.map(|index| settled.message.recipients[*index].recipient.path.to_string());
            let recipients = recipients.collect();
            let octets = notification.octets.len() as u64;
            match self.parts.backlog.put(notification.received.clone(), &notification.octets) {
                Ok(id) => {
                    let came = Message::new(id, notification.received, octets);
                    let notification = Some(id.to_string());
                    settled.events.push(Event::Notified { kind, recipients, notification });
                    if let Err(error) = self.adopt(&came) {
                        tracing::error!(%id, %error, "a notification waits for the next start");
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a notification could not be put into the queue");
                    settled.not_told(&notification.about, now);
                }
            }
        }
    }

    async fn again(self: &Arc<Self>, id: QueueId, name: &str) -> Option<Due> {
        let (this, name) = (self.clone(), name.to_owned());
        let again = blocking(move || {
            let _one_writer = lock(this.stripe(id));
            let message = this.parts.backlog.get(id)?;
            let message = message.filter(|message| !message.hold.is_held());
            let Some(message) = message else { return Ok(None) };
            let mut places = this.places(&message);
            if let Some(reason) = this.stuck(&message, &places) {
                this.hold_for(&message, reason)?;
            }
            Ok(places.remove(&name))
        });
        again.await.unwrap_or_else(|error| {
            tracing::error!(%id, %error, "the spool cannot be read");
            Some(self.soon())
        })
    }
}
