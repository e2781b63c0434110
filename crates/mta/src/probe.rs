//! What a server offers, and what it says of an address: asked politely, one connection,
//! no message. `secondpost probe` and `secondpost verify` tell people the result.
//!
//! VRFY, EXPN and TURN are told apart by the first reply; TURN comes last, since a server
//! that takes it becomes the client (RFC 821 §3.8), and then the session is over. A RCPT
//! probe names a sender and a recipient and takes both back with RSET.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{fmt, io};

use reply::classify::{Context, classify};
use reply::{Cause, Class, Reply, Stage, Verdict};
use smtp::client::{Broken, End, Extension, Extent, Options, Outcome, Transaction};
use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{
    ForwardPath, MailParameters, Mailbox, Notify, RecipientParameters, ReversePath,
};

use crate::clock::Clock;
use crate::delivery::connection::Connection;

/// The name that VRFY and EXPN are tried with: every server has it (RFC 5321 §4.5.1).
const EVERYWHERE: &str = "postmaster";

/// How a server stands to an optional command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It is answered, whatever the answer.
    Offered,
    /// 252: neither yes nor no.
    Noncommittal,
    /// 502: known and switched off.
    SwitchedOff,
    /// 500: unknown.
    Unknown,
    /// Refused for another reason: a policy, a login that is wanted first, not now.
    Refused,
    /// The session ended before an answer came.
    NotAnswered,
}

impl Stand {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Stand::Offered => "offered",
            Stand::Noncommittal => "noncommittal",
            Stand::SwitchedOff => "switched-off",
            Stand::Unknown => "unknown",
            Stand::Refused => "refused",
            Stand::NotAnswered => "not-answered",
        }
    }

    /// What the reply to VRFY, EXPN or TURN says about the command itself. 550, 551 and
    /// 553 are answers (RFC 5321 §3.5.3), unless a policy speaks in them.
    pub fn of(reply: &Reply) -> Stand {
        let policy = reply.enhanced_code().is_some_and(|code| code.to_string().contains(".7."));
        match reply.code().value() {
            252 => Stand::Noncommittal,
            200..400 => Stand::Offered,
            500 => Stand::Unknown,
            502 => Stand::SwitchedOff,
            550 | 551 | 553 if !policy => Stand::Offered,
            _ => Stand::Refused,
        }
    }
}

/// One optional command.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The verb.
    pub verb: &'static str,
    /// How the server stands to it.
    pub stand: Stand,
    /// What it said.
    pub reply: Option<Reply>,
}

/// What a server offers.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Where it was reached.
    pub address: SocketAddr,
    /// Its greeting.
    pub greeting: Option<Reply>,
    /// Its reply to EHLO, or to HELO where it knows no EHLO.
    pub hello: Option<Reply>,
    /// What EHLO lists.
    pub extensions: Vec<Extension>,
    /// VRFY, EXPN, TURN, in this order.
    pub asked: Vec<Asked>,
    /// How the session ended early, where it did.
    pub ended: Option<End>,
}

/// Asks a server what it offers.
///
/// # Errors
/// Where no connection can be made; afterwards everything is part of the result.
pub async fn probe(address: SocketAddr, options: Options, clock: Clock) -> io::Result<Probed> {
    let mut connection = Connection::tcp(address, None, Arc::new(options), clock).await?;
    let mut asked = Vec::new();
    if connection.until_ready().await {
        for verb in ["VRFY", "EXPN", "TURN"] {
            asked.push(ask(&mut connection, verb).await);
        }
    }
    let session = connection.session();
    let probed = Probed {
        address,
        greeting: session.greeting().cloned(),
        hello: session.hello_reply().cloned(),
        extensions: session.capabilities().extensions().to_vec(),
        asked,
        ended: connection.end().filter(|end| **end != End::Quit).cloned(),
    };
    connection.quit().await;
    Ok(probed)
}

async fn ask(connection: &mut Connection, verb: &'static str) -> Asked {
    let line = match verb {
        "TURN" => verb.to_owned(),
        _ => format!("{verb} {EVERYWHERE}"),
    };
    let reply = connection.command(&line).await.ok().flatten();
    let stand = reply.as_ref().map_or(Stand::NotAnswered, Stand::of);
    Asked { verb, stand, reply }
}

impl Probed {
    /// How the session ended early, in the words of logs and JSON.
    pub fn ended_in_english(&self) -> Option<String> {
        match self.ended.as_ref()? {
            End::Quit => None,
            End::Refused { reply, stage } => Some(format!("{stage} was answered {reply}")),
            End::Broken { what, stage } => Some(format!("at {stage}: {what}")),
        }
    }
}

/// What is known of an address after it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It takes mail: VRFY said so.
    Exists,
    /// Mail for it is accepted; a server may accept any address at first.
    Accepted,
    /// It exists, and cannot take mail now or at all (locked, full, disabled).
    ExistsUnavailable,
    /// There is no such mailbox.
    DoesNotExist,
    /// The server neither confirms nor denies, or refuses to talk about it.
    NotKnown,
}

impl Known {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Known::Exists => "exists",
            Known::Accepted => "accepted",
            Known::ExistsUnavailable => "exists-unavailable",
            Known::DoesNotExist => "does-not-exist",
            Known::NotKnown => "not-known",
        }
    }

    /// What a reply to VRFY or RCPT says of the mailbox, by its verdict.
    pub fn of(reply: &Reply, stage: Stage, verdict: &Verdict) -> Known {
        match (reply.code().class(), verdict.cause) {
            (Class::Positive, _) if reply.code().value() == 252 => Known::NotKnown,
            (Class::Positive, _) if stage == Stage::Vrfy => Known::Exists,
            (Class::Positive, _) => Known::Accepted,
            (_, Cause::MailboxUnknown | Cause::DomainNotFound) => Known::DoesNotExist,
            (
                _,
                Cause::MailboxLocked
                | Cause::MailboxBusy
                | Cause::MailboxFull
                | Cause::MailboxDisabled,
            ) => Known::ExistsUnavailable,
            _ => Known::NotKnown,
        }
    }
}

/// One question about an address, and what came of it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// [`Stage::Vrfy`] or [`Stage::Rcpt`] (or where the session ended instead).
    pub stage: Stage,
    /// What the server said.
    pub reply: Option<Reply>,
    /// What that means.
    pub verdict: Option<Verdict>,
    /// What is known by it.
    pub known: Known,
    /// What happened where no reply came.
    pub trouble: Option<Trouble>,
}

/// Why no reply came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The connection is of no more use.
    Broken(Broken),
    /// The session had ended before.
    Ended,
}

/// In the words of logs and JSON.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Broken(what) => what.fmt(f),
            Trouble::Ended => f.write_str("the session ended"),
        }
    }
}

/// Asks a server about an address: VRFY, and where that says nothing a RCPT that is taken
/// back. The last one decides what is known.
///
/// # Errors
/// Where no connection can be made.
pub async fn verify(
    address: SocketAddr,
    mailbox: &Mailbox,
    sender: &ReversePath,
    options: Options,
    clock: Clock,
) -> io::Result<Vec<Checked>> {
    let mut connection = Connection::tcp(address, None, Arc::new(options), clock).await?;
    let mut checked = Vec::new();
    if connection.until_ready().await {
        if mailbox.is_ascii() {
            checked.extend(ask_vrfy(&mut connection, mailbox, clock).await);
        }
        if checked.iter().all(|one| one.known == Known::NotKnown) {
            checked.push(ask_recipient(&mut connection, mailbox, sender, clock).await);
        }
    } else {
        checked.push(not_begun(&connection, clock));
    }
    connection.quit().await;
    Ok(checked)
}

async fn ask_vrfy(connection: &mut Connection, mailbox: &Mailbox, clock: Clock) -> Option<Checked> {
    let reply = connection.command(&format!("VRFY {mailbox}")).await.ok().flatten()?;
    Some(heard(reply, Stage::Vrfy, clock))
}

async fn ask_recipient(
    connection: &mut Connection,
    mailbox: &Mailbox,
    sender: &ReversePath,
    clock: Clock,
) -> Checked {
    let parameters = RecipientParameters { notify: None::<Notify>, orcpt: None };
    let recipient = Recipient { path: ForwardPath::Mailbox(mailbox.clone()), parameters };
    let transaction = Transaction {
        envelope: Envelope {
            reverse_path: sender.clone(),
            mail: MailParameters::default(),
            recipients: vec![recipient],
        },
        octets: 0,
        eight_bit: false,
        needs_utf8: !mailbox.is_ascii() || !sender.is_ascii(),
        extent: Extent::RecipientsOnly,
    };
    let report = connection.ask(transaction).await;
    match report.and_then(|report| report.recipients.into_iter().next()).map(|one| one.outcome) {
        Some(Outcome::Accepted(reply)) => heard(reply, Stage::Rcpt, clock),
        Some(Outcome::Refused { reply, stage }) => heard(reply, stage, clock),
        Some(Outcome::Broken { what, stage }) => trouble(stage, Trouble::Broken(what)),
        None => not_begun(connection, clock),
    }
}

fn heard(reply: Reply, stage: Stage, clock: Clock) -> Checked {
    let context = Context { stage: Some(stage), now: Some(clock.now()) };
    let verdict = classify(&reply, &context);
    // What was said to MAIL or the greeting is not about the mailbox.
    let about_it = matches!(stage, Stage::Vrfy | Stage::Rcpt);
    let known = if about_it { Known::of(&reply, stage, &verdict) } else { Known::NotKnown };
    Checked { stage, reply: Some(reply), verdict: Some(verdict), known, trouble: None }
}

fn trouble(stage: Stage, what: Trouble) -> Checked {
    Checked { stage, reply: None, verdict: None, known: Known::NotKnown, trouble: Some(what) }
}

/// The session ended before the question.
fn not_begun(connection: &Connection, clock: Clock) -> Checked {
    match connection.end() {
        Some(End::Refused { reply, stage }) => heard(reply.clone(), *stage, clock),
        Some(End::Broken { what, stage }) => trouble(*stage, Trouble::Broken(what.clone())),
        Some(End::Quit) | None => trouble(Stage::Connection, Trouble::Ended),
    }
}

#[cfg(test)]
mod tests;
