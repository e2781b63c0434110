//! How often one client may have something explained: a bucket for each address, refilled
//! as time goes by, in a bounded table. Readers of this machine are not counted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use reply::Timestamp;

/// What a bucket holds: enough for a person who clicks fast.
const BURST: f64 = 60.0;
/// What flows into a bucket, in requests a second: enough for a small program.
const PER_SECOND: f64 = 10.0;
/// Most clients that are remembered; beyond that all are forgotten at once.
const MOST_CLIENTS: usize = 100_000;

/// Counts requests by client.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Rates {
    /// Whether `client` may have one more at `now`.
    pub(crate) fn admits(&self, client: IpAddr, now: Timestamp) -> bool {
        if client.to_canonical().is_loopback() {
            return true;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_CLIENTS {
            buckets.clear();
        }
        let bucket = buckets.entry(client).or_insert(Bucket { left: BURST, at: now });
        let passed = now.since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + passed * PER_SECOND).min(BURST);
        bucket.at = now;
        let admitted = bucket.left >= 1.0;
        if admitted {
            bucket.left -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_client_that_asks_too_fast_waits_and_others_do_not() {
        let (rates, start) = (Rates::default(), Timestamp::from_secs(1_000));
        let [fast, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|a| a.parse().unwrap());
        let admitted = (0..100).filter(|_| rates.admits(fast, start)).count();
        assert_eq!(admitted, 60);
        assert!(rates.admits(other, start));
        assert!(!rates.admits(fast, start + Duration::from_millis(50)));
        assert!(rates.admits(fast, start + Duration::from_millis(200)));
    }

    #[test]
    fn this_machine_is_not_counted() {
        let (rates, now) = (Rates::default(), Timestamp::from_secs(1_000));
        let here: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        assert!((0..1000).all(|_| rates.admits(here, now)));
    }
}
