//! What must be true of every message, noted beside the queue and never read by it.

use std::collections::BTreeMap;
use std::time::Duration;

use queue::QueueId;
use queue::retry::WhyGiveUp;
use reply::Timestamp;

/// One message's truth.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) has_receipt: bool,
    pub(crate) deliveries: u32,
    /// Attempts after which the sender could not know, or could not keep, the end.
    pub(crate) ambiguous: u32,
    pub(crate) bounced: bool,
    pub(crate) first_attempt: Option<Timestamp>,
    /// The end of a window that the site named and the sender has on disk.
    pub(crate) window_opens: Option<Timestamp>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) entries: BTreeMap<QueueId, Entry>,
}

impl Ledger {
    pub(crate) fn of(&mut self, id: QueueId) -> &mut Entry {
        self.entries.entry(id).or_default()
    }

    pub(crate) fn attempted(&mut self, id: QueueId, now: Timestamp) {
        let entry = self.of(id);
        entry.first_attempt.get_or_insert(now);
        let opens = entry.window_opens.take().unwrap_or(now);
        assert!(now >= opens, "{id} was tried at {now}, its window opens at {opens}");
    }

    /// A bounce: after a 5yz, or when the lifetime is over.
    pub(crate) fn bounced(
        &mut self,
        id: QueueId,
        why: WhyGiveUp,
        heard: Option<u16>,
        now: Timestamp,
        lifetime: Duration,
    ) {
        let entry = self.of(id);
        let lived = now.since(entry.first_attempt.unwrap_or(now));
        match why {
            WhyGiveUp::Permanent => assert!(heard >= Some(500), "{id} bounced after {heard:?}"),
            WhyGiveUp::Expired => assert!(lived >= lifetime, "{id} expired after {lived:?}"),
        }
        entry.bounced = true;
    }

    /// After every operation: what has a receipt has an end or is in `queued`.
    pub(crate) fn check(&self, queued: &[QueueId]) {
        for (id, entry) in &self.entries {
            let ended = entry.deliveries > 0 || entry.bounced;
            let is_kept = ended || queued.binary_search(id).is_ok();
            assert!(is_kept || !entry.has_receipt, "{id} is lost");
            assert!(entry.deliveries <= 1 + entry.ambiguous, "{id} was delivered twice");
        }
    }
}
