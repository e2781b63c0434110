//! The name of a message in the queue: [`QueueId`].

use std::fmt;
use std::str::FromStr;

use reply::Timestamp;

/// Digits and lower-case letters without `i`, `l`, `o` and `u`: nothing that is taken for
/// something else when read aloud or copied by hand. In ASCII order, so that ids sort.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of an id: 60 bits, five a character.
const CHARACTERS: usize = 12;
/// Bits that count the ids of one millisecond.
const COUNTER_BITS: u32 = 16;
/// Bits of an id in all; 44 for the time reach to the year 2527.
const ID_BITS: u32 = CHARACTERS as u32 * 5;

/// Names a message: 12 characters that sort by the time of arrival. Unique in a spool,
/// across restarts and clocks that jump.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(u64);

impl QueueId {
    /// The id after `last` at `now`: later than `last` even where the clock went back.
    pub(crate) fn after(last: u64, now: Timestamp) -> QueueId {
        let most = (1 << ID_BITS) - 1;
        let by_time = now.as_millis().min(most >> COUNTER_BITS) << COUNTER_BITS;
        QueueId(by_time.max(last.saturating_add(1)).min(most))
    }

    /// The id with this number, as it stands on disk; `None` where it is too large.
    pub const fn from_number(number: u64) -> Option<QueueId> {
        if number >> ID_BITS == 0 { Some(QueueId(number)) } else { None }
    }

    /// The number: 44 bits of milliseconds since the Unix epoch, 16 bits of counter.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The millisecond in the id: when the message arrived, by the clock of then.
    pub const fn arrived(self) -> Timestamp {
        Timestamp::from_millis(self.0 >> COUNTER_BITS)
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; CHARACTERS];
        for (index, character) in text.iter_mut().rev().enumerate() {
            *character = ALPHABET[(self.0 >> (index * 5)) as usize % ALPHABET.len()];
        }
        f.pad(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueueId({self})")
    }
}

/// The text is no queue id; it holds the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAQueueId(pub String);

impl fmt::Display for NotAQueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no queue id: expected 12 digits and letters as in ", self.0)?;
        write!(f, "`3bq8fz4k0000`")
    }
}

impl std::error::Error for NotAQueueId {}

impl FromStr for QueueId {
    type Err = NotAQueueId;

    /// Upper case is taken too: people copy ids out of capitals.
    fn from_str(text: &str) -> Result<QueueId, NotAQueueId> {
        let not = || NotAQueueId(text.to_owned());
        if text.len() != CHARACTERS {
            return Err(not());
        }
        let mut number = 0u64;
        for character in text.bytes().map(|octet| octet.to_ascii_lowercase()) {
            let digit = ALPHABET.iter().position(|known| *known == character).ok_or_else(not)?;
            number = number << 5 | digit as u64;
        }
        Ok(QueueId(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_later_than_the_last_even_when_the_clock_goes_back() {
        let first = QueueId::after(0, Timestamp::from_secs(1_764_000_000));
        let second = QueueId::after(first.number(), Timestamp::from_secs(1_600_000_000));
        assert!(second > first);
        assert_eq!(second.number(), first.number() + 1);
        assert_eq!(first.arrived(), Timestamp::from_secs(1_764_000_000));
    }

    #[test]
    fn the_end_of_time_does_not_panic() {
        let id = QueueId::after(0, Timestamp::MAX);
        assert_eq!(QueueId::from_number(id.number()), Some(id));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "3bq8fz4k000", "3bq8fz4k00000", "3bq8fz4k000u", "3bq8fz4k00 0", "ééééééé"]
        {
            assert_eq!(text.parse::<QueueId>(), Err(NotAQueueId(text.into())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_read_back_and_sort_as_text(a in 0u64..1 << 60, b in 0u64..1 << 60) {
            let (a, b) = (QueueId(a), QueueId(b));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.to_string().to_ascii_uppercase().parse(), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
