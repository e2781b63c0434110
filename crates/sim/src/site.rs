//! What peers answer: scripted sites of the field, and a receiving Secondpost that
//! decides with the real policy and keeps what it took in a spool that crashes too.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use policy::{Facts, Greylist, Listener, MailboxState, Place, Policy, Rates, RecipientFacts};
use queue::{QueueId, Received};
use reply::{Stage, Timestamp};
use smtp::query::{Decision, Query};
use smtp::syntax::{ForwardPath, RecipientParameters, ReversePath};
use store::MemoryTable;

use crate::machine::Machine;
use crate::random::Random;

/// How a site treats mail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    /// Greylists for so many seconds and says so.
    GreylistsWithHint(u64),
    /// Greylists for so many seconds and does not say so.
    GreylistsSilently(u64),
    /// The mailbox is full until so many seconds after the beginning.
    FullFor(u64),
    /// Takes one message in so many seconds.
    RateLimits(u64),
    /// Says 421 in its greeting to so many of ten connections.
    OftenBusy(u64),
    Refuses,
    /// Takes the message; the final reply is lost for every second one.
    LosesFinalReply,
}

/// What the sender hears. Without a text the connection was lost.
pub(crate) struct Said {
    pub(crate) stage: Stage,
    pub(crate) text: Option<String>,
    /// Whether the site has the message now.
    pub(crate) took: bool,
    /// The end of the window that the reply named.
    pub(crate) opens: Option<Timestamp>,
}

impl Said {
    fn at(stage: Stage, text: impl Into<String>) -> Said {
        Said { stage, text: Some(text.into()), took: false, opens: None }
    }

    fn took() -> Said {
        Said { took: true, ..Said::at(Stage::EndOfData, "250 2.0.0 Ok\r\n") }
    }

    fn lost(took: bool) -> Said {
        Said { stage: Stage::EndOfData, text: None, took, opens: None }
    }
}

pub(crate) struct Site {
    behaviour: Behaviour,
    random: Random,
    began: Timestamp,
    first_seen: BTreeMap<QueueId, Timestamp>,
    last_taken: Option<Timestamp>,
}

impl Site {
    pub(crate) fn new(behaviour: Behaviour, seed: u64, began: Timestamp) -> Site {
        let random = Random(seed);
        Site { behaviour, random, began, first_seen: BTreeMap::new(), last_taken: None }
    }

    pub(crate) fn answer(&mut self, id: QueueId, now: Timestamp) -> Said {
        let first = *self.first_seen.entry(id).or_insert(now);
        match self.behaviour {
            Behaviour::GreylistsWithHint(secs) => hinting(first + Duration::from_secs(secs), now),
            Behaviour::GreylistsSilently(secs) if now.since(first).as_secs() < secs => {
                Said::at(Stage::Rcpt, "451 4.7.1 Please try again later\r\n")
            }
            Behaviour::FullFor(secs) if now.since(self.began).as_secs() < secs => {
                Said::at(Stage::Rcpt, "452 4.2.2 Mailbox full\r\n")
            }
            Behaviour::RateLimits(secs) => self.limited(secs, now),
            Behaviour::OftenBusy(of_ten) if self.random.below(10) < of_ten => {
                Said::at(Stage::Connection, "421 4.3.2 Too busy, come back later\r\n")
            }
            Behaviour::Refuses => Said::at(Stage::Rcpt, "550 5.1.1 No such user here\r\n"),
            Behaviour::LosesFinalReply if self.random.one_in(2) => Said::lost(true),
            _ => Said::took(),
        }
    }

    fn limited(&mut self, secs: u64, now: Timestamp) -> Said {
        if self.last_taken.is_some_and(|last| now.since(last).as_secs() < secs) {
            return Said::at(Stage::Mail, "451 4.7.1 Rate limit exceeded, slow down\r\n");
        }
        self.last_taken = Some(now);
        Said::took()
    }
}

fn hinting(opens: Timestamp, now: Timestamp) -> Said {
    if now >= opens {
        return Said::took();
    }
    let secs = opens.since(now).as_millis().div_ceil(1000);
    let text = format!("450 4.7.1 Greylisted, please try again in {secs} seconds\r\n");
    Said { opens: Some(opens), ..Said::at(Stage::Rcpt, text) }
}

/// A Secondpost that receives.
pub(crate) struct Receiver {
    pub(crate) machine: Machine,
    policy: Policy,
    /// By sender and recipient, as greylisting counts.
    first_seen: BTreeMap<String, Timestamp>,
    /// Under which names it has what it said 250 to.
    pub(crate) taken: Vec<(QueueId, QueueId)>,
}

impl Receiver {
    pub(crate) fn new(seed: u64) -> Receiver {
        let table = || Arc::new(MemoryTable::default());
        let policy = Policy {
            access: policy::Access::default(),
            rates: Rates::new(table()),
            greylist: Greylist::new(policy::greylist::Options::default(), table()),
            connections_per_client: 20,
        };
        let machine = Machine::new(seed);
        Receiver { machine, policy, first_seen: BTreeMap::new(), taken: Vec::new() }
    }

    pub(crate) fn answer(&mut self, id: QueueId, received: &Received, body: &[u8]) -> Said {
        let now = received.at;
        let envelope = &received.envelope;
        let key = format!("{} {}", envelope.reverse_path, envelope.recipients[0].path);
        let first = *self.first_seen.entry(key).or_insert(now);
        if let Some(text) = self.refusal(received) {
            let opens = first + self.policy.greylist.options().window;
            return Said { opens: Some(opens), ..Said::at(Stage::Rcpt, text) };
        }
        // A power cut before the receipt may leave the message all the same.
        let before = self.machine.spool.ids().len();
        match self.machine.put(received.clone(), body) {
            Some(name) => {
                self.taken.push((id, name));
                Said::took()
            }
            None => Said::lost(self.machine.spool.ids().len() > before),
        }
    }

    fn refusal(&self, received: &Received) -> Option<String> {
        let path = received.envelope.recipients[0].path.clone();
        let ForwardPath::Mailbox(address) = path.clone() else { panic!("{path}") };
        let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let place = Place::Mailbox(MailboxState::Ready);
        let recipient = Some(RecipientFacts { address, place });
        let facts = Facts { recipient, ..Facts::new(client, Listener::Mx) };
        let ReversePath(sender) = received.envelope.reverse_path.clone();
        let query = Query::Recipient {
            reverse_path: ReversePath(sender),
            path,
            parameters: RecipientParameters::default(),
            declared_octets: None,
            ordinal: 0,
        };
        match policy::decide(&query, &facts, &self.policy, received.at).decision {
            Decision::Refuse(answer) => Some(String::from_utf8(answer.to_bytes()).unwrap()),
            _ => None,
        }
    }
}
