//! What `mta` has around a server session, over a wire in memory: questions go to
//! `policy`, messages to the spool.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::mpsc::channel;

use mta::reception::refusal;
use mta::router::{Destination, Route};
use policy::{Facts, Listener, Place, RecipientFacts};
use queue::spool::Draft;
use queue::{Committed, Origin, Received};
use reply::{Answer, Stage};
use smtp::envelope::Envelope;
use smtp::message::trace::{self, With};
use smtp::query::{Decision, Query};
use smtp::server::{Ended, Session, Step};
use smtp::syntax::{ForwardPath, HelloName};
use store::Memory;

use crate::fault::Fault;
use crate::ledger::{Leg, Offer};
use crate::server::Server;
use crate::wire::{End, Read};
use crate::world::{World, told};

/// A message while it comes in.
struct Intake {
    draft: Draft<Memory>,
    received: Received,
    /// All of it, our Received field included, and how much of it is that.
    octets: Vec<u8>,
    trace_octets: usize,
}

struct Driver {
    world: Rc<World>,
    server: usize,
    end: End,
    session: Session<Committed>,
    client: IpAddr,
    hello: Option<(HelloName, Stage)>,
    message: Option<Intake>,
    input: Vec<u8>,
}

/// Counts a connection while it lasts.
struct Open(Rc<World>, usize, IpAddr);

impl Drop for Open {
    fn drop(&mut self) {
        let mut connections = self.0.servers[self.1].connections.borrow_mut();
        connections.entry(self.2).and_modify(|open| *open = open.saturating_sub(1));
    }
}

/// Speaks with one client until one of the two closes.
pub(crate) async fn serve(world: Rc<World>, server: usize, client: IpAddr, end: End) {
    let options = world.servers[server].sessions.clone();
    *world.servers[server].connections.borrow_mut().entry(client).or_default() += 1;
    let _open = Open(world.clone(), server, client);
    let session = Session::new(options, world.tasks.now());
    let (hello, message, input) = (None, None, Vec::new());
    Driver { world, server, end, session, client, hello, message, input }.run().await;
}

/// A step without what it borrows from the session.
enum Next {
    Receive,
    Send(Vec<u8>),
    Ask(Query),
    Begin(Envelope),
    Data(Vec<u8>),
    End,
    Abort,
    Close,
}

impl Driver {
    fn here(&self) -> &Server {
        &self.world.servers[self.server]
    }

    fn next(&mut self) -> Next {
        match self.session.poll() {
            Step::Receive => Next::Receive,
            Step::Send(octets) => Next::Send(octets),
            Step::Ask(query) => Next::Ask(query),
            Step::MessageBegin(envelope) => Next::Begin(envelope),
            Step::MessageData(octets) => Next::Data(octets.to_vec()),
            Step::MessageEnd(_) => Next::End,
            Step::MessageAbort => Next::Abort,
            Step::Close => Next::Close,
        }
    }

    async fn run(mut self) {
        loop {
            let next = self.next();
            // A submission may use the disk itself, and be the last.
            if !self.here().machine.borrow().has_power() {
                return self.world.tasks.die().await;
            }
            match next {
                Next::Receive => self.receive().await,
                Next::Send(octets) => self.end.write(&octets),
                Next::Ask(query) => {
                    let decision = self.decide(&query);
                    self.session.resume(decision);
                }
                Next::Begin(envelope) => {
                    let begun = self.begin(envelope).map(|intake| self.message = Some(intake));
                    self.session.message_begun(begun);
                }
                Next::Data(octets) => self.append(&octets),
                Next::End => {
                    let ended = self.commit().await;
                    self.session.message_ended(ended);
                    self.end.taken();
                }
                Next::Abort => self.message = None,
                Next::Close => return,
            }
        }
    }

    async fn receive(&mut self) {
        let now = self.world.tasks.now();
        if !self.input.is_empty() {
            let used = self.session.receive(&self.input, now);
            self.input.drain(..used);
            if used > 0 {
                return;
            }
        }
        let deadline = self.session.poll_timeout();
        match self.end.read(&self.world.tasks, deadline).await {
            Read::Octets(octets) => self.input.extend(octets),
            Read::Closed => self.session.end_of_input(),
            Read::TimedOut => self.session.handle_timeout(self.world.tasks.now()),
        }
    }

    fn decide(&mut self, query: &Query) -> Decision {
        if let Query::Hello { name, stage } = query {
            self.hello = Some((name.clone(), *stage));
        }
        let here = self.here();
        let mut facts = Facts::new(self.client, Listener::Mx);
        facts.connections = here.connections.borrow().get(&self.client).copied().unwrap_or(1);
        facts.hello = self.hello.as_ref().map(|(name, _)| name.clone());
        if let Query::Recipient { path, .. } = query {
            facts.recipient = self.recipient(path);
        }
        let now = here.wall(self.world.tasks.now());
        policy::decide(query, &facts, &here.policy, now).decision
    }

    fn recipient(&self, path: &ForwardPath) -> Option<RecipientFacts> {
        let here = self.here();
        let address = match (path, here.router.destination(path)) {
            (_, Destination::Local(mailbox)) => mailbox,
            (path, _) => path.mailbox()?.clone(),
        };
        let own_domain = here.router.is_own(&address.domain);
        let place = match here.router.route(address.domain.as_str()) {
            Some(Route::Local) | None if own_domain => here
                .mailbox(&address, self.world.tasks.now())
                .map_or(Place::UnknownMailbox, Place::Mailbox),
            Some(_) => Place::Routed { own_domain },
            None => Place::Elsewhere { relay_configured: here.router.relays() },
        };
        Some(RecipientFacts { address, place })
    }

    fn begin(&self, envelope: Envelope) -> Result<Intake, Answer> {
        let here = self.here();
        let at = here.wall(self.world.tasks.now());
        let hello = self.hello.as_ref().map(|(name, _)| name.to_string());
        let (origin, client) = (Origin::Mx, Some(self.client));
        let received = Received { envelope, at, origin, client, hello, held: None };
        let draft = here.spool().begin(received.clone());
        let octets = self.trace(&received, &draft.id().to_string());
        let trace_octets = octets.len();
        let mut intake = Intake { draft, received, octets, trace_octets };
        intake.draft.append(&intake.octets).map_err(|error| refusal(&error))?;
        Ok(intake)
    }

    fn trace(&self, received: &Received, id: &str) -> Vec<u8> {
        let recipients = &received.envelope.recipients;
        let only = if recipients.len() == 1 { recipients.first() } else { None };
        let extended = self.hello.as_ref().is_some_and(|(_, stage)| *stage != Stage::Helo);
        let (lmtp, smtputf8, tls, authenticated) = (false, false, false, false);
        trace::received_field(&trace::Received {
            hello: received.hello.as_deref(),
            client: received.client,
            by: self.here().name,
            with: Some(With { lmtp, extended, smtputf8, tls, authenticated }),
            id,
            recipient: only.map(|recipient| &recipient.path),
            at: received.at,
            offset_minutes: 0,
        })
    }

    fn append(&mut self, octets: &[u8]) {
        let kept = if self.world.has(Fault::CutsTheMessage) {
            &octets[..octets.len().saturating_sub(3)]
        } else {
            octets
        };
        let Some(message) = &mut self.message else { return };
        message.octets.extend_from_slice(kept);
        if let Err(error) = message.draft.append(kept) {
            self.session.message_failed(refusal(&error));
        }
    }

    /// The message to the disk; the reply waits for it.
    async fn commit(&mut self) -> Ended<Committed> {
        let Some(Intake { draft, received, octets, trace_octets }) = self.message.take() else {
            return Ended::Refused(reply::catalogue::server_fault());
        };
        let leg = Leg { server: self.server, id: draft.id() };
        let from = self.end.leg();
        if let Some(from) = from {
            // A server without 8BITMIME gets it converted.
            let may_be_converted = !self.session_takes_eight_bits();
            self.world.ledger().arrived(from, &octets[trace_octets..], may_be_converted);
        }
        let offer = Offer { received, octets: Rc::new(octets), from, about: None };
        self.world.ledger().offered(leg, offer);
        let (send, receive) = channel();
        draft.commit(Box::new(move |committed| drop(send.send(committed))));
        self.here().machine.borrow_mut().endanger();
        match told(&self.world.tasks, receive).await {
            Ok(committed) => {
                self.world.kept(leg);
                Ended::Accepted(committed)
            }
            Err(error) => {
                self.world.ledger().withdrawn(leg);
                Ended::Refused(refusal(&error))
            }
        }
    }

    fn session_takes_eight_bits(&self) -> bool {
        let extended = self.hello.as_ref().is_some_and(|(_, stage)| *stage != Stage::Helo);
        self.here().sessions.extensions.eight_bit_mime && extended
    }
}
