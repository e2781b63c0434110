//! What a session of the load says, and what it must hear: data.

/// Octets that are said at once, and the codes of the replies to them.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// What is said; nothing for the greeting.
    pub(crate) says: Vec<u8>,
    /// What is heard, in order.
    pub(crate) hears: Vec<u16>,
    /// Whether it is what is counted and timed.
    pub(crate) counts: bool,
}

impl Exchange {
    fn new(says: impl Into<Vec<u8>>, hears: &[u16]) -> Exchange {
        Exchange { says: says.into(), hears: hears.to_vec(), counts: false }
    }

    fn counted(self) -> Exchange {
        Exchange { counts: true, ..self }
    }
}

/// Whether MAIL, RCPT and what follows are said in one piece (RFC 2920).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pipelining {
    /// As every client of today does where it is offered. It must be.
    Used,
    /// A round trip for each command.
    Unused,
}

/// When the time of what counts begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// When its last octet was said.
    Said,
    /// When its connection was begun.
    Connect,
}

/// The way of one connection.
#[derive(Debug)]
pub(crate) struct Script {
    /// Greeting and EHLO.
    pub(crate) opening: Vec<Exchange>,
    /// A transaction.
    pub(crate) round: Vec<Exchange>,
    /// Transactions in a connection.
    pub(crate) rounds: u32,
    /// QUIT.
    pub(crate) closing: Vec<Exchange>,
    /// Whether it may say more than one command at once.
    pub(crate) pipelining: Pipelining,
    /// Whether the connection stays open when all is said.
    pub(crate) stays: bool,
    /// From when on what counts is timed, to its last reply.
    pub(crate) timed: Since,
}

/// A recipient that every server here takes.
pub(crate) const RECIPIENT_DOMAIN: &str = "bench.test";
/// One for whom no server here relays.
const FOREIGN_DOMAIN: &str = "elsewhere.test";
const SENDER: &str = "sender@client.test";

impl Script {
    /// `rounds` messages of `octets` in each connection.
    pub(crate) fn deliver(rounds: u32, octets: usize, pipelining: Pipelining) -> Script {
        let recipient = format!("recipient@{RECIPIENT_DOMAIN}");
        let mut round =
            grouped(&[&mail(), &rcpt(&recipient), "DATA\r\n"], &[250, 250, 354], pipelining);
        round.push(Exchange::new(message(octets), &[250]).counted());
        Script { rounds, ..Script::of(round, pipelining) }
    }

    /// One message of `octets` in each connection, timed from the connection's beginning.
    pub(crate) fn deliver_anew(octets: usize) -> Script {
        Script { timed: Since::Connect, ..Script::deliver(1, octets, Pipelining::Used) }
    }

    /// Recipients that are refused, one in a transaction.
    pub(crate) fn refuse(rounds: u32) -> Script {
        let recipient = format!("recipient@{FOREIGN_DOMAIN}");
        let pipelining = Pipelining::Used;
        let says = [&*mail(), &*rcpt(&recipient), "RSET\r\n"];
        let mut round = grouped(&says, &[250, 550, 250], pipelining);
        round.iter_mut().for_each(|exchange| exchange.counts = true);
        Script { rounds, ..Script::of(round, pipelining) }
    }

    /// Comes, says EHLO, goes; timed as a whole.
    pub(crate) fn connect() -> Script {
        let mut script = Script::of(Vec::new(), Pipelining::Unused);
        script.closing.iter_mut().for_each(|exchange| exchange.counts = true);
        Script { timed: Since::Connect, ..script }
    }

    /// Comes, says EHLO, and stays. What is counted is that it is there.
    pub(crate) fn hold() -> Script {
        let mut script = Script::of(Vec::new(), Pipelining::Unused);
        script.opening.last_mut().into_iter().for_each(|hello| hello.counts = true);
        script.stays = true;
        script
    }

    fn of(round: Vec<Exchange>, pipelining: Pipelining) -> Script {
        let opening =
            vec![Exchange::new("", &[220]), Exchange::new("EHLO client.test\r\n", &[250])];
        let closing = vec![Exchange::new("QUIT\r\n", &[221])];
        let (rounds, stays, timed) = (0, false, Since::Said);
        Script { opening, round, rounds, closing, pipelining, stays, timed }
    }
}

fn mail() -> String {
    format!("MAIL FROM:<{SENDER}>\r\n")
}

fn rcpt(recipient: &str) -> String {
    format!("RCPT TO:<{recipient}>\r\n")
}

fn grouped(says: &[&str], hears: &[u16], pipelining: Pipelining) -> Vec<Exchange> {
    match pipelining {
        Pipelining::Used => vec![Exchange::new(says.concat(), hears)],
        Pipelining::Unused => {
            says.iter().zip(hears).map(|(says, code)| Exchange::new(*says, &[*code])).collect()
        }
    }
}

/// A message of `octets`, header and line ends included, and the dot behind it.
pub(crate) fn message(octets: usize) -> Vec<u8> {
    let mut message = content(octets);
    message.extend_from_slice(b".\r\n");
    message
}

/// A message of `octets`.
pub(crate) fn content(octets: usize) -> Vec<u8> {
    const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog, and comes back for it.\r\n";
    let mut content = format!(
        "From: <{SENDER}>\r\nTo: <recipient@{RECIPIENT_DOMAIN}>\r\nSubject: bench\r\n\
         Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <bench@client.test>\r\n\r\n"
    )
    .into_bytes();
    while content.len() < octets {
        content.extend_from_slice(LINE);
    }
    content.truncate(octets.saturating_sub(2));
    content.extend_from_slice(b"\r\n");
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_length_and_ends_with_a_line() {
        for octets in [400, 4096, 50 << 10] {
            let content = content(octets);
            assert_eq!(content.len(), octets);
            assert!(content.ends_with(b"\r\n") && !content.ends_with(b"\r\r\n"), "{octets}");
            assert!(!content.windows(3).any(|octets| octets == b"\n.."), "no dots to stuff");
        }
        assert!(message(4096).ends_with(b"\r\n.\r\n"));
    }

    #[test]
    fn the_same_is_said_with_and_without_pipelining() {
        let said = |pipelining| {
            let script = Script::deliver(1, 400, pipelining);
            (
                script.round.len(),
                script.round.iter().flat_map(|it| it.says.clone()).collect::<Vec<_>>(),
            )
        };
        let (together, apart) = (said(Pipelining::Used), said(Pipelining::Unused));
        assert_eq!((together.0, apart.0), (2, 4));
        assert_eq!(together.1, apart.1);
    }
}
