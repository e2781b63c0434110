//! Lines of programs that have no reader of their own: the reply that they quote is read,
//! where one stands in them.

use std::borrow::Cow;

use super::prefix::Prefix;
use super::{Format, LogEntry, Status};
use crate::heard::quoted;

/// Reads a line in which something like a negative reply stands.
pub(super) fn read<'a>(prefix: &Prefix<'a>) -> Option<LogEntry<'a>> {
    if !may_quote(prefix.message.as_bytes()) {
        return None;
    }
    let (reply, stage) = quoted::reply_in(prefix.message)?;
    let mut entry = LogEntry::new(Format::Other, Status::Trouble).saying(prefix.message);
    entry.stage = stage;
    entry.time = prefix.time;
    entry.program = Cow::Borrowed(prefix.program);
    (reply.code().value() >= 400).then_some(entry)
}

/// Whether three digits from 400 to 599 stand alone in it.
fn may_quote(octets: &[u8]) -> bool {
    octets.windows(4).enumerate().any(|(at, window)| {
        matches!(window[0], b'4' | b'5')
            && window[1].is_ascii_digit()
            && window[2].is_ascii_digit()
            && matches!(window[3], b' ' | b'-')
            && (at == 0 || !octets[at - 1].is_ascii_alphanumeric() && octets[at - 1] != b'.')
    })
}
