//! How messages and their states stand on disk: fields in a fixed order, integers
//! little-endian, texts with a length before them, an octet before what may be absent.
//! docs/design/spool-format.md has it field by field.
//!
//! Names of causes are texts, so that a new cause does not renumber the old ones.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;

use reply::{EnhancedCode, Permanence, Timestamp};
use smtp::envelope::{Envelope, Recipient};
use smtp::syntax::{
    Body, ForwardPath, MailParameters, Mailbox, Notify, OriginalRecipient, RecipientParameters,
    Ret, ReversePath,
};

use super::{Hold, Origin, Received, RecipientState, Status};
use crate::retry::{History, LastVerdict};

/// Writes fields.
#[derive(Debug, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn octet(&mut self, value: u8) {
        self.0.push(value);
    }

    fn number(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A text, as `value` is displayed.
    fn shown(&mut self, value: impl fmt::Display) {
        self.measured(|out| {
            // A vector takes all of it.
            let _ = write!(out, "{value}");
        });
    }

    /// A text that `write` adds.
    fn measured(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.0.len();
        self.number(0);
        let text = self.0.len();
        write(&mut self.0);
        let length = (self.0.len() - text) as u64;
        self.0[begin..text].copy_from_slice(&length.to_le_bytes());
    }

    /// A mailbox as it is displayed; nothing of it is formatted where it is not quoted, as
    /// every message has some.
    fn mailbox(&mut self, mailbox: &Mailbox) {
        match mailbox.local_part.unquoted() {
            Some(local_part) => self.measured(|out| {
                let pieces = [local_part, "@", mailbox.domain.as_str()];
                pieces.iter().for_each(|piece| out.extend_from_slice(piece.as_bytes()));
            }),
            None => self.shown(mailbox),
        }
    }

    /// An address as it is displayed; that of most clients without formatting it.
    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.measured(|out| {
                for (at, octet) in address.octets().into_iter().enumerate() {
                    out.extend((at > 0).then_some(b'.'));
                    out.extend((octet >= 100).then_some(b'0' + octet / 100));
                    out.extend((octet >= 10).then_some(b'0' + octet / 10 % 10));
                    out.push(b'0' + octet % 10);
                }
            }),
            IpAddr::V6(address) => self.shown(address),
        }
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        self.octet(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn time(&mut self, at: Timestamp) {
        self.number(at.as_millis());
    }
}

/// Reads fields; `None` where they do not fit.
#[derive(Debug)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(octets)?;
        self.0 = tail;
        Some(head)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    fn flag(&mut self) -> Option<bool> {
        self.octet().map(|octet| octet != 0)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn string(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.number().map(Timestamp::from_millis)
    }

    /// The outer `None` is an error, the inner one an absent value.
    fn option<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }
}

/// Puts what does not change of a message behind `into`.
pub fn encode_received(received: &Received, into: Vec<u8>) -> Vec<u8> {
    let mut out = Writer(into);
    out.time(received.at);
    out.octet(received.origin as u8);
    out.option(received.client, Writer::address);
    out.option(received.hello.as_deref(), Writer::text);
    out.option(received.held.as_deref(), Writer::text);
    let envelope = &received.envelope;
    match &envelope.reverse_path.0 {
        Some(mailbox) => out.mailbox(mailbox),
        None => out.text(""),
    }
    encode_mail(&mut out, &envelope.mail);
    out.number(envelope.recipients.len() as u64);
    for recipient in &envelope.recipients {
        match recipient.path.mailbox() {
            Some(mailbox) => out.mailbox(mailbox),
            None => out.shown(&recipient.path),
        }
        out.option(recipient.parameters.notify, Writer::shown);
        out.option(recipient.parameters.orcpt.as_ref(), Writer::shown);
    }
    out.0
}

fn encode_mail(out: &mut Writer, mail: &MailParameters) {
    out.option(mail.size, Writer::number);
    out.option(mail.body, |out, body| out.octet(u8::from(body == Body::EightBitMime)));
    out.octet(u8::from(mail.smtputf8));
    out.option(mail.ret, |out, ret| out.octet(u8::from(ret == Ret::Full)));
    out.option(mail.envid.as_deref(), Writer::text);
}

/// Reads what [`encode_received`] wrote; `None` where it is something else.
pub fn decode_received(octets: &[u8]) -> Option<Received> {
    let mut from = Reader(octets);
    let at = from.time()?;
    let origin = origin(from.octet()?)?;
    let client = from.option(|from| from.text()?.parse::<IpAddr>().ok())?;
    let hello = from.option(Reader::string)?;
    let held = from.option(Reader::string)?;
    let reverse_path = reverse_path(from.text()?)?;
    let mail = decode_mail(&mut from)?;
    let mut recipients = Vec::new();
    for _ in 0..from.number()? {
        recipients.push(decode_recipient(&mut from)?);
    }
    let envelope = Envelope { reverse_path, mail, recipients };
    Some(Received { envelope, at, origin, client, hello, held })
}

fn decode_mail(from: &mut Reader<'_>) -> Option<MailParameters> {
    Some(MailParameters {
        size: from.option(Reader::number)?,
        body: from
            .option(|from| Some(if from.flag()? { Body::EightBitMime } else { Body::SevenBit }))?,
        smtputf8: from.flag()?,
        ret: from.option(|from| Some(if from.flag()? { Ret::Full } else { Ret::Headers }))?,
        envid: from.option(Reader::string)?,
    })
}

fn decode_recipient(from: &mut Reader<'_>) -> Option<Recipient> {
    let path = forward_path(from.text()?)?;
    let notify = from.option(|from| Notify::parse(from.text()?))?;
    let orcpt = from.option(|from| {
        let (address_type, xtext) = from.text()?.split_once(';')?;
        Some(OriginalRecipient { address_type: address_type.into(), xtext: xtext.into() })
    })?;
    Some(Recipient { path, parameters: RecipientParameters { notify, orcpt } })
}

fn origin(number: u8) -> Option<Origin> {
    let origins =
        [Origin::Mx, Origin::Submission, Origin::Lmtp, Origin::Local, Origin::Notification];
    origins.into_iter().find(|origin| *origin as u8 == number)
}

fn reverse_path(text: &str) -> Option<ReversePath> {
    if text.is_empty() {
        Some(ReversePath(None))
    } else {
        Some(ReversePath(Some(text.parse().ok()?)))
    }
}

fn forward_path(text: &str) -> Option<ForwardPath> {
    if text == ForwardPath::Postmaster.to_string() {
        return Some(ForwardPath::Postmaster);
    }
    text.parse().ok().map(ForwardPath::Mailbox)
}

/// What changes of a message: whether it is held, and where each recipient stands.
pub fn encode_state(hold: &Hold, recipients: &[RecipientState]) -> Vec<u8> {
    let mut out = Writer::default();
    encode_hold(&mut out, hold);
    out.number(recipients.len() as u64);
    for recipient in recipients {
        encode_status(&mut out, &recipient.status);
        encode_history(&mut out, &recipient.history);
    }
    out.0
}

/// The same for the recipients at `indexes` only.
pub fn encode_changes(hold: &Hold, recipients: &[RecipientState], indexes: &[usize]) -> Vec<u8> {
    let mut out = Writer::default();
    encode_hold(&mut out, hold);
    out.number(indexes.len() as u64);
    for (index, recipient) in indexes.iter().filter_map(|at| Some((at, recipients.get(*at)?))) {
        out.number(*index as u64);
        encode_status(&mut out, &recipient.status);
        encode_history(&mut out, &recipient.history);
    }
    out.0
}

fn encode_hold(out: &mut Writer, hold: &Hold) {
    match hold {
        Hold::No => out.octet(0),
        Hold::Because(reason) => {
            out.octet(1);
            out.text(reason);
        }
        Hold::Released => out.octet(2),
    }
}

fn encode_status(out: &mut Writer, status: &Status) {
    let (tag, at, code) = match status {
        Status::Waiting { due } => (0, due, None),
        Status::Delivered { at } => (1, at, None),
        Status::Failed { at, status } => (2, at, *status),
    };
    out.octet(tag);
    out.time(*at);
    out.option(code, |out, code| out.text(&code.to_string()));
}

fn encode_history(out: &mut Writer, history: &History) {
    out.number(u64::from(history.attempts));
    out.option(history.first_attempt, Writer::time);
    out.option(history.last_attempt, Writer::time);
    out.option(history.last_reply.as_deref(), Writer::text);
    out.option(history.last_verdict, |out, last| {
        out.text(last.cause.name());
        out.octet(last.permanence as u8);
    });
    out.option(history.local_address, |out, address| out.text(&address.to_string()));
    out.option(history.remote_host.as_deref(), Writer::text);
    out.octet(u8::from(history.delay_notified));
    out.number(u64::from(history.transient_in_a_row));
    out.option(history.cause_since, Writer::time);
    out.option(history.hinted_for, Writer::time);
    out.octet(u8::from(history.hint_failed));
}

/// Whether a message is held; status and history of each recipient, in order.
pub type State = (Hold, Vec<(Status, History)>);

/// Reads what [`encode_state`] wrote: whether the message is held, and status and history
/// of each recipient in order; `None` where it is something else.
pub fn decode_state(octets: &[u8]) -> Option<State> {
    let mut from = Reader(octets);
    let hold = decode_hold(&mut from)?;
    let mut states = Vec::new();
    for _ in 0..from.number()? {
        states.push((decode_status(&mut from)?, decode_history(&mut from)?));
    }
    Some((hold, states))
}

/// Whether a message is held; index, status and history of some recipients.
pub type Changes = (Hold, Vec<(usize, Status, History)>);

/// Reads what [`encode_changes`] wrote; `None` where it is something else.
pub fn decode_changes(octets: &[u8]) -> Option<Changes> {
    let mut from = Reader(octets);
    let hold = decode_hold(&mut from)?;
    let mut changes = Vec::new();
    for _ in 0..from.number()? {
        let index = usize::try_from(from.number()?).ok()?;
        changes.push((index, decode_status(&mut from)?, decode_history(&mut from)?));
    }
    Some((hold, changes))
}

fn decode_hold(from: &mut Reader<'_>) -> Option<Hold> {
    match from.octet()? {
        0 => Some(Hold::No),
        1 => from.string().map(Hold::Because),
        2 => Some(Hold::Released),
        _ => None,
    }
}

fn decode_status(from: &mut Reader<'_>) -> Option<Status> {
    let (tag, at) = (from.octet()?, from.time()?);
    let status = from.option(|from| from.text()?.parse::<EnhancedCode>().ok())?;
    match tag {
        0 => Some(Status::Waiting { due: at }),
        1 => Some(Status::Delivered { at }),
        2 => Some(Status::Failed { at, status }),
        _ => None,
    }
}

fn decode_history(from: &mut Reader<'_>) -> Option<History> {
    Some(History {
        attempts: u32::try_from(from.number()?).ok()?,
        first_attempt: from.option(Reader::time)?,
        last_attempt: from.option(Reader::time)?,
        last_reply: from.option(Reader::string)?,
        last_verdict: from.option(decode_verdict)?,
        local_address: from.option(|from| from.text()?.parse().ok())?,
        remote_host: from.option(Reader::string)?,
        delay_notified: from.flag()?,
        transient_in_a_row: u32::try_from(from.number()?).ok()?,
        cause_since: from.option(Reader::time)?,
        hinted_for: from.option(Reader::time)?,
        hint_failed: from.flag()?,
    })
}

fn decode_verdict(from: &mut Reader<'_>) -> Option<LastVerdict> {
    let cause = from.text()?.parse().ok()?;
    let number = from.octet()?;
    let all = [Permanence::Positive, Permanence::Transient, Permanence::Permanent];
    let permanence = all.into_iter().find(|permanence| *permanence as u8 == number)?;
    Some(LastVerdict { cause, permanence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reply::Cause;

    fn received() -> Received {
        let recipient = |path: &str, notify: Option<&str>| Recipient {
            path: forward_path(path).unwrap(),
            parameters: RecipientParameters {
                notify: notify.and_then(Notify::parse),
                orcpt: notify.map(|_| OriginalRecipient {
                    address_type: "rfc822".into(),
                    xtext: "a+2Bb@example.org".into(),
                }),
            },
        };
        Received {
            envelope: Envelope {
                reverse_path: reverse_path("\"a b\"@example.org").unwrap(),
                mail: MailParameters {
                    size: Some(7),
                    body: Some(Body::EightBitMime),
                    smtputf8: true,
                    ret: Some(Ret::Headers),
                    envid: Some("x".into()),
                },
                recipients: vec![
                    recipient("Postmaster", None),
                    recipient("b@c.test", Some("DELAY")),
                ],
            },
            at: Timestamp::from_secs(1_764_000_000),
            origin: Origin::Submission,
            client: Some([192, 0, 2, 25].into()),
            hello: Some("client.test".into()),
            held: None,
        }
    }

    #[test]
    fn what_was_received_is_read_back_and_a_shorter_text_is_refused() {
        let octets = encode_received(&received(), Vec::new());
        assert_eq!(decode_received(&octets), Some(received()));
        for end in 0..octets.len() {
            assert_eq!(decode_received(&octets[..end]), None);
        }
    }

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut out = Writer::default();
        write(&mut out);
        Reader(&out.0).string().unwrap()
    }

    #[test]
    fn what_is_not_formatted_is_written_as_it_is_displayed() {
        for text in
            ["a.b+c@example.org", "\"a b\"@[192.0.2.1]", "\"\"@x", "\"a.\"@x", "用户@例え.test"]
        {
            let mailbox = text.parse().unwrap();
            assert_eq!(written(|out| out.mailbox(&mailbox)), text);
        }
        for octet in 0..=255 {
            let address = IpAddr::from([octet, 0, 255 - octet, 10]);
            assert_eq!(written(|out| out.address(address)), address.to_string());
        }
        assert_eq!(written(|out| out.address("2001:db8::1".parse().unwrap())), "2001:db8::1");
    }

    #[test]
    fn a_state_is_read_back() {
        let history = History {
            attempts: 3,
            first_attempt: Some(Timestamp::from_secs(1)),
            last_reply: Some("450 4.2.0 later".into()),
            last_verdict: Some(LastVerdict {
                cause: Cause::Greylisted,
                permanence: Permanence::Transient,
            }),
            hint_failed: true,
            ..History::default()
        };
        let at = Timestamp::from_secs(9);
        let statuses = [
            Status::Waiting { due: at },
            Status::Delivered { at },
            Status::Failed { at, status: "5.1.1".parse().ok() },
        ];
        let recipient = received().envelope.recipients[0].clone();
        let states: Vec<RecipientState> = statuses
            .into_iter()
            .map(|status| RecipientState {
                recipient: recipient.clone(),
                status,
                history: history.clone(),
            })
            .collect();
        for hold in [Hold::No, Hold::Because("route `hold`".into()), Hold::Released] {
            let octets = encode_state(&hold, &states);
            let (read_hold, read) = decode_state(&octets).unwrap();
            assert_eq!(read_hold, hold);
            for (state, (status, history)) in states.iter().zip(read) {
                assert_eq!((&state.status, &state.history), (&status, &history));
            }
        }
        let octets = encode_changes(&Hold::Released, &states, &[2, 1]);
        let changed = |at: usize| (at, states[at].status.clone(), states[at].history.clone());
        let changes = vec![changed(2), changed(1)];
        assert_eq!(decode_changes(&octets), Some((Hold::Released, changes)));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_harm(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_received(&octets);
            let _ = decode_state(&octets);
            let _ = decode_changes(&octets);
        }
    }
}
