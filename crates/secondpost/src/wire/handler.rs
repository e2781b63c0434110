//! What the control socket asks for, done with the running server's parts.

use std::sync::Arc;

use mta::control::server::Each;
use mta::control::{
    Action, GreylistItem, Handler, Intake, QueuedMessage, Refused, RefusedKind, Status, Submission,
};
use mta::dispatcher::{ActError, Backlog};
use mta::listener::Connections;
use mta::reception::{self, Client, Reception};
use policy::Listener;
use policy::greylist::admin::{AdminError, Listed};
use queue::QueueId;
use reply::{Answer, Timestamp};
use smtp::envelope::Envelope;
use smtp::query::{Decision, Query};
use smtp::syntax::Ret;
use tokio::runtime;
use tokio::sync::watch;

/// The parts that administration needs.
pub(super) struct Administration {
    pub(super) reception: Arc<Reception>,
    pub(super) connections: Arc<Connections>,
    pub(super) listeners: Vec<String>,
    pub(super) started_at: Timestamp,
    pub(super) runtime: runtime::Handle,
    pub(super) stop: watch::Sender<bool>,
}

/// A refusal in the words that an SMTP client would get.
fn by_policy(answer: &Answer) -> Refused {
    let kind = match answer.code().class() {
        reply::Class::Transient => RefusedKind::Busy,
        _ => RefusedKind::Policy,
    };
    Refused::new(kind, String::from_utf8_lossy(&answer.to_bytes()).trim_end())
}

fn no_such_id(id: &str) -> Refused {
    Refused::not_found(format!("message `{id}` in the queue"))
}

fn fault(error: impl std::fmt::Display) -> Refused {
    Refused::new(RefusedKind::Fault, error.to_string())
}

impl Administration {
    fn client(&self) -> Client {
        Client::local(Listener::Local)
    }

    /// Asks policy what a session would ask: the first refusal counts.
    fn check(&self, envelope: &Envelope) -> Result<(), Refused> {
        self.ask(&mail_query(envelope))?;
        (0..envelope.recipients.len())
            .try_for_each(|ordinal| self.ask(&recipient_query(envelope, ordinal)))
    }

    fn ask(&self, query: &Query) -> Result<(), Refused> {
        self.refusal(query).map_or(Ok(()), |answer| Err(by_policy(&answer)))
    }

    fn refusal(&self, query: &Query) -> Option<Answer> {
        match self.reception.decide(query, &self.client()) {
            Decision::Proceed => None,
            Decision::Refuse(answer)
            | Decision::RefuseAndClose(answer)
            | Decision::Answer(answer) => Some(answer),
        }
    }

    /// The recipients that are refused for good; a refusal of the sender is one of all.
    fn refused(&self, envelope: &Envelope) -> Vec<(usize, Answer)> {
        let permanent = |answer: &Answer| answer.code().class() == reply::Class::Permanent;
        let sender = self.refusal(&mail_query(envelope)).filter(permanent);
        let recipients = 0..envelope.recipients.len();
        let answers = recipients.map(|ordinal| {
            let own = || self.refusal(&recipient_query(envelope, ordinal)).filter(permanent);
            Some((ordinal, sender.clone().or_else(own)?))
        });
        answers.flatten().collect()
    }

    fn begin(&self, envelope: Envelope, held: Option<String>) -> Result<Submitted, Refused> {
        let intake = self.reception.begin_held(envelope, &self.client(), held);
        let message = intake.map_err(|answer| by_policy(&answer))?;
        let (reception, runtime) = (self.reception.clone(), self.runtime.clone());
        Ok(Submitted { message, reception, runtime })
    }
}

fn mail_query(envelope: &Envelope) -> Query {
    let reverse_path = envelope.reverse_path.clone();
    Query::Mail { reverse_path, parameters: envelope.mail.clone() }
}

fn recipient_query(envelope: &Envelope, ordinal: usize) -> Query {
    let recipient = &envelope.recipients[ordinal];
    Query::Recipient {
        reverse_path: envelope.reverse_path.clone(),
        path: recipient.path.clone(),
        parameters: recipient.parameters.clone(),
        declared_octets: envelope.mail.size,
        ordinal,
    }
}

impl Handler for Administration {
    fn status(&self) -> Status {
        let spool = self.reception.spool.stat();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: self.started_at.to_string(),
            listeners: self.listeners.clone(),
            queued_messages: spool.messages as u64,
            spool_octets: spool.octets,
            spool_segments: spool.segments as u64,
            sessions: self.connections.count() as u64,
        }
    }

    fn submit(&self, submission: Submission) -> Result<Box<dyn Intake>, Refused> {
        let envelope = submission.envelope()?;
        self.check(&envelope)?;
        Ok(Box::new(self.begin(envelope, None)?))
    }

    fn submit_dropped(&self, submission: Submission) -> Result<Box<dyn Intake>, Refused> {
        let mut envelope = submission.envelope()?;
        let refused = self.refused(&envelope);
        let Some((_, first)) = refused.first() else {
            return Ok(Box::new(self.begin(envelope, None)?));
        };
        let nobody_to_tell = envelope.reverse_path.is_null();
        if nobody_to_tell && refused.len() == envelope.recipients.len() {
            return Err(by_policy(first));
        }
        // What was dropped is deleted: all of it goes back.
        envelope.mail.ret.get_or_insert(Ret::Full);
        let held = Some("until those recipients that are refused are told".to_owned());
        Ok(Box::new(Dropped { submitted: self.begin(envelope, held)?, refused }))
    }

    fn queue(&self, each: Each<'_, QueuedMessage>) -> Result<(), Refused> {
        for id in self.reception.spool.ids() {
            match Backlog::get(&self.reception.spool, id) {
                Ok(Some(message)) => each(self.reception.dispatcher.shown(&message))?,
                // One that ended meanwhile is not in the queue any more.
                Ok(None) => {}
                Err(error) => each(QueuedMessage::unreadable(id, &error.to_string()))?,
            }
        }
        Ok(())
    }

    fn show(&self, id: &str) -> Result<QueuedMessage, Refused> {
        let parsed: QueueId = id.parse().map_err(|_| no_such_id(id))?;
        let message = Backlog::get(&self.reception.spool, parsed).map_err(fault)?;
        let shown = message.map(|message| self.reception.dispatcher.shown(&message));
        shown.ok_or_else(|| no_such_id(id))
    }

    fn act(&self, action: Action, id: &str) -> Result<(), Refused> {
        let parsed: QueueId = id.parse().map_err(|_| no_such_id(id))?;
        let acted = self.reception.dispatcher.act(action, parsed);
        // Who asked may ask `why` next.
        self.reception.events.flush();
        acted.map_err(|error| match error {
            ActError::NoSuchMessage(_) => no_such_id(id),
            ActError::UnderWay(_) | ActError::StaysHeld(_) => {
                Refused::new(RefusedKind::Busy, format!("message `{id}`: {error}"))
            }
            ActError::Fault(_) => fault(error),
        })
    }

    /// The registry is read again when its file changes.
    fn mailboxes_changed(&self) -> Result<(), Refused> {
        Ok(())
    }

    fn greylist(&self, each: Each<'_, GreylistItem>) -> Result<(), Refused> {
        let mut ended = Ok(());
        let now = self.reception.clock.now();
        self.reception.policy.greylist.list(now, &mut |listed| {
            ended = each(item(listed));
            ended.is_ok()
        });
        ended
    }

    fn greylist_allow(&self, what: &str) -> Result<(), Refused> {
        let now = self.reception.clock.now();
        self.reception.policy.greylist.allow(what, now).map_err(|error| refused(&error))
    }

    fn greylist_forget(&self, what: &str) -> Result<u64, Refused> {
        let now = self.reception.clock.now();
        self.reception.policy.greylist.forget(what, now).map_err(|error| refused(&error))
    }

    fn stop(&self) {
        self.stop.send_replace(true);
    }
}

fn item(listed: Listed) -> GreylistItem {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    GreylistItem {
        client: listed.client,
        sender: listed.sender,
        recipient: listed.recipient,
        state: listed.state.name().to_owned(),
        attempts: u32::from(listed.attempts),
        first_seen_at: time(listed.first_seen),
        opens_at: time(listed.opens_at),
        expires_at: time(listed.expires_at),
    }
}

fn refused(error: &AdminError) -> Refused {
    let kind = match error {
        AdminError::Bad(_) => RefusedKind::BadRequest,
        AdminError::NoSuchEntry(_) => RefusedKind::NotFound,
        AdminError::Store(_) => RefusedKind::Fault,
    };
    Refused::new(kind, error.to_string())
}

/// A message from the drop folder with recipients that are refused.
struct Dropped {
    submitted: Submitted,
    refused: Vec<(usize, Answer)>,
}

impl Intake for Dropped {
    fn append(&mut self, octets: &[u8]) -> Result<(), Refused> {
        self.submitted.append(octets)
    }

    fn commit(self: Box<Self>) -> Result<String, Refused> {
        let Dropped { submitted, refused } = *self;
        let reception = submitted.reception.clone();
        let id = Box::new(submitted).commit()?;
        for (_, answer) in &refused {
            let why = answer.lines().join(" ");
            tracing::warn!(%id, code = %answer.code(), why, "a recipient of a dropped message is refused");
        }
        let parsed: QueueId = id.parse().map_err(|_| no_such_id(&id))?;
        // It is in the queue: what cannot be told now is held there, with the reason.
        if let Err(error) = reception.dispatcher.refuse(parsed, &refused) {
            tracing::error!(%id, %error, "its sender could not be told; it stays held");
        }
        Ok(id)
    }
}

/// A message on its way from the control socket into the spool.
struct Submitted {
    message: reception::Intake,
    reception: Arc<Reception>,
    runtime: runtime::Handle,
}

impl Intake for Submitted {
    fn append(&mut self, octets: &[u8]) -> Result<(), Refused> {
        self.message.append(octets).map_err(|answer| by_policy(&answer))
    }

    fn commit(self: Box<Self>) -> Result<String, Refused> {
        let Submitted { message, reception, runtime } = *self;
        let committed = runtime.block_on(reception.commit(message));
        committed.map(|committed| committed.id().to_string()).map_err(|answer| by_policy(&answer))
    }
}
