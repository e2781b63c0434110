//! How the newest messages came: most leave at once, and need not be read for it.
//!
//! Only what never changes is kept, and of the messages that nothing was noted of yet it is
//! all there is to know. A bounded number; those with many recipients are left to the log.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::{QueueId, Received};

/// How many messages are kept.
const KEPT: usize = 1024;
/// The most recipients that one of them may have.
const MOST_RECIPIENTS: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    received: HashMap<QueueId, Arc<Received>>,
    /// As they came; some are gone from `received`.
    order: VecDeque<QueueId>,
}

impl Fresh {
    pub(super) fn insert(&mut self, id: QueueId, received: Received) {
        if received.envelope.recipients.len() > MOST_RECIPIENTS {
            return;
        }
        if self.order.len() >= KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.received.remove(&oldest);
        }
        self.order.push_back(id);
        self.received.insert(id, Arc::new(received));
    }

    pub(super) fn get(&self, id: QueueId) -> Option<Arc<Received>> {
        self.received.get(&id).cloned()
    }

    /// It is gone, or something was noted of it.
    pub(super) fn forget(&mut self, id: QueueId) {
        self.received.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::tests::received;

    fn id(number: u64) -> QueueId {
        QueueId::from_number(number).unwrap()
    }

    #[test]
    fn the_newest_are_kept_and_no_more() {
        let mut fresh = Fresh::default();
        let numbers = 1..=3 * KEPT as u64;
        for number in numbers.clone() {
            fresh.insert(id(number), received(number));
            if number % 2 == 0 {
                fresh.forget(id(number));
            }
        }
        let kept: Vec<u64> = numbers.filter(|number| fresh.get(id(*number)).is_some()).collect();
        assert_eq!(kept.len(), KEPT / 2);
        assert!(kept.iter().all(|number| *number > 2 * KEPT as u64));
        assert_eq!((fresh.order.len(), fresh.received.len()), (KEPT, KEPT / 2));
    }
}
