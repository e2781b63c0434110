//! Rate limits: how many messages one client, one sender or one recipient may have in a
//! time. A token bucket each, kept as the one number of GCRA (the time at which the
//! bucket will be full again), so that a bucket is 8 octets behind `store::Table`.
//!
//! Off where no limit is set. A table that fails lets mail pass: a limit is a courtesy
//! to ourselves and no reason to refuse anybody.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use reply::Timestamp;
use store::Table;

use crate::access::BadPattern;

/// So many in so long; all of them may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    count: u32,
    per: Duration,
}

impl Limit {
    /// `count` in every `per`; `None` where either is zero.
    pub fn new(count: u32, per: Duration) -> Option<Limit> {
        (count > 0 && per.as_millis() >= 1).then_some(Limit { count, per })
    }

    /// Microseconds that one message uses up.
    fn cost_micros(self) -> u64 {
        saturating_micros(self.per) / u64::from(self.count)
    }
}

/// `100/h`, `20/10m`, `5/1s`: a count, and the time as a number with a unit.
impl FromStr for Limit {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<Limit, BadPattern> {
        let bad = || BadPattern::new(text, "a rate such as `100/h` or `20/10m`");
        let (count, per) = text.split_once('/').ok_or_else(bad)?;
        let unit_at = per.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, unit) = per.split_at(unit_at);
        let number: u64 = if number.is_empty() { 1 } else { number.parse().map_err(|_| bad())? };
        let secs = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(bad()),
        };
        let per = Duration::from_secs(number.saturating_mul(secs));
        Limit::new(count.parse().map_err(|_| bad())?, per).ok_or_else(bad)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.count, self.per.as_secs_f64())
    }
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted<'a> {
    /// Mail transactions of a client's address.
    Client(&'a str),
    /// Mail transactions of a reverse-path.
    Sender(&'a str),
    /// Messages to a forward-path.
    Recipient(&'a str),
}

/// The limits, each off by default, and the buckets.
pub struct Rates {
    /// Mail transactions of one client.
    pub client: Option<Limit>,
    /// Mail transactions of one sender; the null reverse-path is never limited.
    pub sender: Option<Limit>,
    /// Messages to one recipient.
    pub recipient: Option<Limit>,
    buckets: Arc<dyn Table>,
}

impl Rates {
    /// No limits yet, with `buckets` for those to come (in memory is enough).
    pub fn new(buckets: Arc<dyn Table>) -> Rates {
        Rates { client: None, sender: None, recipient: None, buckets }
    }

    /// Takes one token from each bucket, or none of them where one is empty: then how
    /// long it is until that one has a token again.
    pub fn take(&self, counted: &[Counted<'_>], now: Timestamp) -> Result<(), Duration> {
        let buckets: Vec<(Vec<u8>, Limit)> =
            counted.iter().filter_map(|one| Some((key(one), self.limit(one)?))).collect();
        let mut filled = Vec::with_capacity(buckets.len());
        for (key, limit) in &buckets {
            filled.push(after_one_more(self.full_at(key, now), *limit, now)?);
        }
        for ((key, _), full_at) in buckets.iter().zip(filled) {
            let expires = full_at / 1000 + 1;
            let _ = self.buckets.put(key, &full_at.to_be_bytes(), expires);
        }
        Ok(())
    }

    fn limit(&self, counted: &Counted<'_>) -> Option<Limit> {
        match counted {
            Counted::Client(_) => self.client,
            Counted::Sender(sender) => self.sender.filter(|_| !sender.is_empty()),
            Counted::Recipient(_) => self.recipient,
        }
    }

    fn full_at(&self, key: &[u8], now: Timestamp) -> Option<u64> {
        let value = self.buckets.get(key, now.as_millis())?;
        value.try_into().ok().map(u64::from_be_bytes)
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rates { client, sender, recipient, .. } = self;
        write!(f, "Rates {{ client: {client:?}, sender: {sender:?}, recipient: {recipient:?} }}")
    }
}

/// The time (in microseconds) at which the bucket is full again after one more token, or
/// how long to wait. A bucket never owes more than its whole time: after the clock was
/// set back, nobody waits longer than that.
fn after_one_more(full_at: Option<u64>, limit: Limit, now: Timestamp) -> Result<u64, Duration> {
    let now = now.as_millis().saturating_mul(1000);
    let horizon = now.saturating_add(saturating_micros(limit.per));
    let full_at = full_at.unwrap_or(now).clamp(now, horizon);
    let next = full_at.saturating_add(limit.cost_micros());
    if next > horizon { Err(Duration::from_micros(next - horizon)) } else { Ok(next) }
}

fn saturating_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn key(counted: &Counted<'_>) -> Vec<u8> {
    let (kind, text) = match counted {
        Counted::Client(text) => (b'c', text),
        Counted::Sender(text) => (b's', text),
        Counted::Recipient(text) => (b'r', text),
    };
    [&[kind], text.to_lowercase().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use store::MemoryTable;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn rates(client: &str, sender: &str) -> Rates {
        let mut rates = Rates::new(Arc::new(MemoryTable::default()));
        rates.client = client.parse().ok();
        rates.sender = sender.parse().ok();
        rates
    }

    #[test]
    fn a_limit_is_read_from_a_count_and_a_time() {
        let limit = |count, secs| Limit::new(count, Duration::from_secs(secs)).unwrap();
        assert_eq!("100/h".parse(), Ok(limit(100, 3600)));
        assert_eq!("20/10m".parse(), Ok(limit(20, 600)));
        for bad in ["", "5", "5/", "/h", "0/h", "5/0s", "5/h2", "-1/h", "5/99999999999999999999d"] {
            assert!(bad.parse::<Limit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_used_up_bucket_says_when_the_next_token_comes() {
        let rates = rates("3/m", "");
        let client = [Counted::Client("192.0.2.1")];
        for _ in 0..3 {
            assert_eq!(rates.take(&client, START), Ok(()));
        }
        assert_eq!(rates.take(&client, START), Err(Duration::from_secs(20)));
        assert_eq!(rates.take(&client, START + Duration::from_secs(20)), Ok(()));
        assert_eq!(rates.take(&[Counted::Client("192.0.2.2")], START), Ok(()));
    }

    #[test]
    fn an_empty_bucket_leaves_the_others_as_they_were() {
        let rates = rates("2/h", "1/h");
        let both = |sender| [Counted::Client("192.0.2.1"), Counted::Sender(sender)];
        assert_eq!(rates.take(&both("a@example.org"), START), Ok(()));
        assert!(rates.take(&both("A@example.org"), START).is_err());
        assert_eq!(rates.take(&both("b@example.org"), START), Ok(()));
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_longer_than_the_whole_time() {
        let rates = rates("1/m", "");
        let client = [Counted::Client("192.0.2.1")];
        assert_eq!(rates.take(&client, START), Ok(()));
        let earlier = START - Duration::from_secs(86_400);
        assert_eq!(rates.take(&client, earlier), Err(Duration::from_secs(60)));
    }

    proptest! {
        #[test]
        fn no_window_ever_lets_more_than_twice_the_count_pass(
            count in 1u32..20, steps in proptest::collection::vec(0u64..20_000, 1..200)
        ) {
            let rates = rates(&format!("{count}/m"), "");
            let mut now = START;
            let mut passed = Vec::new();
            for step in steps {
                now = now + Duration::from_millis(step);
                if rates.take(&[Counted::Client("192.0.2.1")], now).is_ok() {
                    passed.push(now);
                }
            }
            for first in &passed {
                let end = *first + Duration::from_secs(60);
                let within = passed.iter().filter(|at| *at >= first && **at < end).count();
                prop_assert!(within <= 2 * count as usize);
            }
        }
    }
}
