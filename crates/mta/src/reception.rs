//! What a session's questions and messages meet: facts are looked up, policy decides, a
//! draft takes the octets, the spool makes it durable, the dispatcher is told.
//!
//! The sessions of every listener share one [`Reception`]; the control socket and the
//! drop folder use it too.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::IpNet;
use policy::{Facts, Listener, MailboxDirectory, Place, Policy, RecipientFacts};
use queue::spool::Draft;
use queue::{Committed, Message, Origin, Received, Spool, SpoolError};
use reply::{Answer, Stage, Timestamp, catalogue};
use smtp::envelope::Envelope;
use smtp::message::header::{Header, missing_fields};
use smtp::message::trace::{self, With};
use smtp::query::{Decision, Query};
use smtp::syntax::{Domain, ForwardPath, HelloName, Mailbox, VerifyArgument};
use store::FileSystem;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::dispatcher::Dispatcher;
use crate::events::{Event, Events};
use crate::router::{Destination, Route, Router};

/// A header that is not whole by then is not waited for: Date and Message-ID are added in
/// front of what there is.
const HEADER_OCTETS: usize = 64 * 1024;

/// All that receiving needs.
pub struct Reception {
    /// The clocks.
    pub clock: Clock,
    /// Our name.
    pub hostname: String,
    /// Our own domains; names without a domain belong to the first.
    pub domains: Vec<String>,
    /// Networks of our own on the MX listener.
    pub own_networks: Vec<IpNet>,
    /// Who may do what.
    pub policy: Policy,
    /// The mailboxes.
    pub directory: Arc<dyn MailboxDirectory>,
    /// Which way mail goes.
    pub router: Router,
    /// Where messages go.
    pub spool: Spool<FileSystem>,
    /// Who is told.
    pub events: Arc<Events>,
    /// Who sends what is queued.
    pub dispatcher: Arc<Dispatcher>,
}

/// Who speaks.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address; loopback for a unix socket.
    pub address: IpAddr,
    /// The door.
    pub listener: Listener,
    /// Connections that it has open, this one included.
    pub connections: usize,
    /// What it called itself, and with which command.
    pub hello: Option<(HelloName, Stage)>,
}

impl Client {
    /// A program of this machine, through a unix socket.
    pub fn local(listener: Listener) -> Client {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Client { address, listener, connections: 1, hello: None }
    }

    fn origin(&self) -> Origin {
        match self.listener {
            Listener::Mx => Origin::Mx,
            Listener::Submission => Origin::Submission,
            Listener::Lmtp => Origin::Lmtp,
            Listener::Local => Origin::Local,
        }
    }

    /// The keyword of the Received field; none for what did not come by SMTP.
    fn with(&self, smtputf8: bool) -> Option<With> {
        let (_, stage) = self.hello.as_ref()?;
        let extended = *stage != Stage::Helo;
        let lmtp = self.listener == Listener::Lmtp;
        Some(With { lmtp, extended, smtputf8, tls: false, authenticated: false })
    }
}

impl Reception {
    /// Answers a question. May block, for as long as a mailbox's lock is waited for.
    pub fn decide(&self, query: &Query, client: &Client) -> Decision {
        let now = self.clock.now();
        self.judge(query, client, self.recipient_of(query, now), now)
    }

    /// Answers a question that needs no look at a mailbox; `None` where it does.
    pub fn decide_at_hand(&self, query: &Query, client: &Client) -> Option<Decision> {
        let now = self.clock.now();
        let recipient = match query {
            Query::Connect | Query::Hello { .. } | Query::Mail { .. } => None,
            Query::Recipient { path, .. } => Some(self.recipient_at_hand(path, now)?),
            Query::Verify { .. } | Query::Expand { .. } => return None,
        };
        Some(self.judge(query, client, recipient, now))
    }

    fn recipient_at_hand(&self, path: &ForwardPath, now: Timestamp) -> Option<RecipientFacts> {
        match self.router.destination(path) {
            Destination::Local(address) => self
                .directory
                .is_plainly_unknown(&address)
                .then_some(RecipientFacts { address, place: Place::UnknownMailbox }),
            _ => self.recipient(path, None, now),
        }
    }

    fn judge(
        &self,
        query: &Query,
        client: &Client,
        recipient: Option<RecipientFacts>,
        now: Timestamp,
    ) -> Decision {
        let mut facts = Facts::new(client.address, client.listener);
        facts.own_network = self.own_networks.iter().any(|own| own.contains(&facts.client));
        facts.connections = client.connections;
        facts.hello = client.hello.as_ref().map(|(name, _)| name.clone());
        facts.recipient = recipient;
        let decided = policy::decide(query, &facts, &self.policy, now);
        if let Some(reason) = &decided.reason {
            let refused = !matches!(decided.decision, Decision::Proceed);
            tracing::info!(client = %facts.client, refused, "{reason}");
        }
        decided.decision
    }

    /// What is known of the recipient that a question is about.
    fn recipient_of(&self, query: &Query, now: Timestamp) -> Option<RecipientFacts> {
        match query {
            Query::Recipient { path, declared_octets, .. } => {
                self.recipient(path, *declared_octets, now)
            }
            Query::Verify { argument: VerifyArgument::Mailbox(mailbox), .. } => {
                self.recipient(&ForwardPath::Mailbox(mailbox.clone()), None, now)
            }
            Query::Verify { argument: VerifyArgument::Name(name), .. }
            | Query::Expand { name, .. } => self.named(name, now),
            Query::Connect | Query::Hello { .. } | Query::Mail { .. } => None,
        }
    }

    fn recipient(
        &self,
        path: &ForwardPath,
        octets: Option<u64>,
        now: Timestamp,
    ) -> Option<RecipientFacts> {
        // A local one is named as it is delivered: our address literals stand for our
        // first domain.
        let address = match (path, self.router.destination(path)) {
            (_, Destination::Local(mailbox)) => mailbox,
            (ForwardPath::Mailbox(mailbox), _) => mailbox.clone(),
            (ForwardPath::Postmaster, _) => self.at_first_domain("postmaster")?,
        };
        let place = self.place(&address, octets, now);
        Some(RecipientFacts { address, place })
    }

    fn place(&self, address: &Mailbox, octets: Option<u64>, now: Timestamp) -> Place {
        let own_domain = self.router.is_own(&address.domain);
        match self.router.route(address.domain.as_str()) {
            Some(Route::Local) => self.mailbox(address, octets, now),
            Some(_) => Place::Routed { own_domain },
            None if own_domain => self.mailbox(address, octets, now),
            None => Place::Elsewhere { relay_configured: self.router.relays() },
        }
    }

    fn mailbox(&self, address: &Mailbox, octets: Option<u64>, now: Timestamp) -> Place {
        let state = self.directory.state(address, octets, now);
        state.map_or(Place::UnknownMailbox, Place::Mailbox)
    }

    /// A name without a domain: in whichever of our domains it is a mailbox.
    fn named(&self, name: &str, now: Timestamp) -> Option<RecipientFacts> {
        let places = self.domains.iter().filter_map(|domain| {
            let address = address_in(name, domain)?;
            let place = self.place(&address, None, now);
            Some(RecipientFacts { address, place })
        });
        let places: Vec<RecipientFacts> = places.collect();
        let mut known = places.iter().filter(|facts| facts.place != Place::UnknownMailbox);
        match (known.next(), known.next()) {
            (Some(one), None) => Some(one.clone()),
            (Some(one), Some(_)) => Some(RecipientFacts { place: Place::Ambiguous, ..one.clone() }),
            (None, _) => places.into_iter().next(),
        }
    }

    fn at_first_domain(&self, name: &str) -> Option<Mailbox> {
        address_in(name, self.domains.first()?)
    }

    /// Opens a draft whose first octets are our Received field.
    ///
    /// # Errors
    /// What the client is told.
    pub fn begin(&self, envelope: Envelope, client: &Client) -> Result<Intake, Answer> {
        self.begin_held(envelope, client, None)
    }

    /// The same; where `held` names a reason, the message has no attempts until it is let go.
    ///
    /// # Errors
    /// What the client is told.
    pub fn begin_held(
        &self,
        envelope: Envelope,
        client: &Client,
        held: Option<String>,
    ) -> Result<Intake, Answer> {
        let now = self.clock.now();
        let received = Arc::new(Received {
            envelope,
            at: now,
            origin: client.origin(),
            client: client.hello.is_some().then_some(client.address),
            hello: client.hello.as_ref().map(|(name, _)| name.to_string()),
            held,
        });
        let draft = self.spool.begin(Arc::clone(&received));
        let trace = self.trace(&received, &draft.id().to_string(), client);
        let adds_fields = matches!(client.listener, Listener::Submission | Listener::Local);
        let header = adds_fields.then(Vec::new);
        let hostname = self.hostname.clone();
        let mut intake = Intake { draft, received, header, hostname };
        intake.draft.append(&trace).map_err(|error| refusal(&error))?;
        Ok(intake)
    }

    fn trace(&self, received: &Received, id: &str, client: &Client) -> Vec<u8> {
        let recipients = &received.envelope.recipients;
        let only = if recipients.len() == 1 { recipients.first() } else { None };
        trace::received_field(&trace::Received {
            hello: received.hello.as_deref(),
            client: received.client,
            by: &self.hostname,
            with: client.with(received.envelope.mail.smtputf8),
            id,
            recipient: only.map(|recipient| &recipient.path),
            at: received.at,
            offset_minutes: 0,
        })
    }

    /// Makes a message durable and tells the dispatcher of it.
    ///
    /// # Errors
    /// What the client is told; nothing of the message is left.
    pub async fn commit(self: &Arc<Self>, mut intake: Intake) -> Result<Committed, Answer> {
        intake.end_header().map_err(|error| refusal(&error))?;
        let Intake { draft, received, .. } = intake;
        let octets = draft.octets();
        let (send, receive) = oneshot::channel();
        let lead = draft.commit_to_lead(Box::new(move |committed| drop(send.send(committed))));
        if let Some(lead) = lead.filter(|_| may_wait_here()) {
            lead.write();
        }
        let closed = || Err(SpoolError::Fault("the spool is closed".into()));
        let committed = receive.await.unwrap_or_else(|_| closed());
        let committed = committed.map_err(|error| refusal(&error))?;
        let id = committed.id();
        self.events.tell(received.at, id, told(&received, octets));
        self.dispatcher.take(Message::new(id, received, octets));
        Ok(committed)
    }
}

/// Whether this thread may wait for a quick disk: another one of the runtime goes on.
fn may_wait_here() -> bool {
    Handle::current().metrics().num_workers() > 1
}

fn address_in(name: &str, domain: &str) -> Option<Mailbox> {
    let local_part = smtp::syntax::LocalPart::from_content(name)?;
    Some(Mailbox { local_part, domain: domain.parse::<Domain>().ok()? })
}

/// The event of a message's arrival.
fn told(received: &Received, octets: u64) -> Event {
    let recipients = received.envelope.recipients.iter();
    Event::Received {
        origin: received.origin.name().to_owned(),
        client: received.client.map(|client| client.to_string()),
        hello: received.hello.clone(),
        sender: received.envelope.reverse_path.to_string(),
        recipients: recipients.map(|recipient| recipient.path.to_string()).collect(),
        octets,
    }
}

/// What a client is told of the spool's trouble; the log is told more.
pub fn refusal(error: &SpoolError) -> Answer {
    tracing::error!(%error, "a message could not be kept");
    match error {
        SpoolError::Full => catalogue::server_full(),
        SpoolError::Fault(_) | SpoolError::NotFound(_) => catalogue::server_fault(),
    }
}

/// A message while it comes in.
pub struct Intake {
    draft: Draft<FileSystem>,
    received: Arc<Received>,
    /// The header so far, where fields may have to be added to it.
    header: Option<Vec<u8>>,
    hostname: String,
}

impl Intake {
    /// Adds octets.
    ///
    /// # Errors
    /// What the client is told at the end.
    pub fn append(&mut self, octets: &[u8]) -> Result<(), Answer> {
        let appended = match &mut self.header {
            None => self.draft.append(octets),
            Some(header) => {
                header.extend_from_slice(octets);
                let whole = header.len() > HEADER_OCTETS || Header::scan(header).is_complete();
                if whole { self.end_header() } else { Ok(()) }
            }
        };
        appended.map_err(|error| refusal(&error))
    }

    /// Whether more octets should wait.
    pub fn is_congested(&self) -> bool {
        self.draft.is_congested()
    }

    /// Puts the fields that are missing before the header, and goes on with the body.
    fn end_header(&mut self) -> Result<(), SpoolError> {
        let Some(header) = self.header.take() else { return Ok(()) };
        let id = self.draft.id().to_string();
        let scanned = Header::scan(&header);
        let fields = missing_fields(&scanned, self.received.at, 0, &self.hostname, &id);
        self.draft.append(&fields)?;
        self.draft.append(&header)
    }
}

/// As an I/O error, for callers that have no client.
pub fn as_io(error: SpoolError) -> io::Error {
    let kind = match error {
        SpoolError::Full => io::ErrorKind::StorageFull,
        SpoolError::NotFound(_) => io::ErrorKind::NotFound,
        SpoolError::Fault(_) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
