//! What the shell knows when the session asks: about the client, and about the recipient
//! of a RCPT, VRFY or EXPN. Looked up before [`crate::decide()`] is called; nothing here
//! looks anything up.

use std::net::IpAddr;

use smtp::syntax::{HelloName, Mailbox};

use crate::MailboxState;

/// By which door a client came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// From any server, for our own domains only.
    Mx,
    /// From our own users, to anywhere (RFC 6409).
    Submission,
    /// From a trusted server beside us, for mailboxes here (RFC 2033).
    Lmtp,
    /// Through the control socket or the drop folder of this machine.
    Local,
}

/// All that is known when a question is asked.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The address of the client; a loopback address where it has none (a unix socket).
    pub client: IpAddr,
    /// The door.
    pub listener: Listener,
    /// Whether the address lies in a network that the administrator called their own.
    pub own_network: bool,
    /// Connections that this client's address has open, this one included.
    pub connections: usize,
    /// The name of the last EHLO, HELO or LHLO.
    pub hello: Option<HelloName>,
    /// For RCPT, VRFY and EXPN: where mail for the address would go. `None` makes them
    /// answer that the server is at fault (451), or that it cannot verify (252).
    pub recipient: Option<RecipientFacts>,
}

impl Facts {
    /// Facts about a client of which nothing more is known yet.
    pub fn new(client: IpAddr, listener: Listener) -> Facts {
        let client = client.to_canonical();
        Facts { client, listener, own_network: false, connections: 1, hello: None, recipient: None }
    }
}

/// Where mail for one address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientFacts {
    /// The full address, also where the client left the domain out (`<Postmaster>`,
    /// `VRFY user`).
    pub address: Mailbox,
    /// Its place.
    pub place: Place,
}

/// The kinds of places that mail goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A mailbox here, and its state.
    Mailbox(MailboxState),
    /// One of our own domains, which has no such mailbox.
    UnknownMailbox,
    /// A route of the configuration takes it, whatever mailboxes there are.
    Routed {
        /// Whether the domain is one of ours: only then a stranger may use the route.
        own_domain: bool,
    },
    /// Another host's domain.
    Elsewhere {
        /// Whether mail to elsewhere may leave at all (`relay` is not "off").
        relay_configured: bool,
    },
    /// A name without a domain that fits mailboxes in several of our domains (VRFY).
    Ambiguous,
}
