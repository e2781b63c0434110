//! How much happened when, in bounded memory: counts by the hour, and by two, four, eight
//! hours as a log grows long.

use std::collections::BTreeMap;

use crate::Timestamp;

const HOUR_SECS: u64 = 3600;
/// Most spans that are kept before two become one.
const MAX_SPANS: usize = 1024;

/// Counts over time.
#[derive(Clone, Debug)]
pub struct Trend {
    hours: u64,
    spans: BTreeMap<u64, u64>,
    /// The span that was added to last, and what is not yet in `spans`: lines of one hour
    /// follow one another.
    latest: (u64, u64),
}

impl Default for Trend {
    fn default() -> Trend {
        Trend { hours: 1, spans: BTreeMap::new(), latest: (0, 0) }
    }
}

impl Trend {
    pub(super) fn add(&mut self, at: Timestamp, times: u64) {
        let span = at.as_secs() / HOUR_SECS / self.hours;
        if span == self.latest.0 {
            self.latest.1 += times;
            return;
        }
        let (before, count) = std::mem::replace(&mut self.latest, (span, times));
        if count > 0 {
            *self.spans.entry(before).or_default() += count;
        }
        while self.spans.len() > MAX_SPANS {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        self.hours *= 2;
        self.latest.0 /= 2;
        let fine = std::mem::take(&mut self.spans);
        for (span, count) in fine {
            *self.spans.entry(span / 2).or_default() += count;
        }
    }

    /// At most `columns` counts that follow one another without a gap, and how many hours
    /// each spans, from the first to the last that `from` and `to` name.
    pub fn columns(&self, from: Timestamp, to: Timestamp, columns: usize) -> (u64, Vec<u64>) {
        let first = from.as_secs() / HOUR_SECS;
        let last = (to.as_secs() / HOUR_SECS).max(first);
        let mut hours = self.hours;
        while (last - first) / hours + 1 > columns.max(1) as u64 {
            hours += self.hours;
        }
        let count = (last - first) / hours + 1;
        let mut counts = vec![0u64; usize::try_from(count).unwrap_or(0)];
        let latest = Some((&self.latest.0, &self.latest.1)).filter(|(_, seen)| **seen > 0);
        for (span, seen) in self.spans.iter().chain(latest) {
            let at = (span * self.hours).saturating_sub(first) / hours;
            if let Some(count) = usize::try_from(at).ok().and_then(|at| counts.get_mut(at)) {
                *count += seen;
            }
        }
        (hours, counts)
    }
}

/// Small bars, one a count: the highest is full, what is not zero is seen.
pub fn bars(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &u64| match *count {
        0 => ' ',
        // Halves are rounded up; `most` is the eighth.
        count => {
            BARS[usize::try_from((u128::from(count) * 8).div_ceil(u128::from(most)))
                .unwrap_or(8)
                .clamp(1, 8)
                - 1]
        }
    };
    counts.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: u64) -> Timestamp {
        Timestamp::from_secs(hour * HOUR_SECS + 59)
    }

    #[test]
    fn counts_stand_by_the_hour_with_their_gaps() {
        let mut trend = Trend::default();
        trend.add(hour(100), 4);
        trend.add(hour(103), 1);
        let (hours, counts) = trend.columns(hour(100), hour(103), 60);
        assert_eq!((hours, counts.as_slice()), (1, &[4, 0, 0, 1][..]));
        assert_eq!(bars(&counts), "█  ▂");
        assert_eq!(trend.columns(hour(100), hour(103), 2), (2, vec![4, 1]));
    }

    #[test]
    fn a_long_log_is_counted_in_longer_spans() {
        let mut trend = Trend::default();
        (0..100_000).for_each(|at| trend.add(hour(at), 1));
        assert!(trend.spans.len() <= MAX_SPANS);
        let (_, counts) = trend.columns(hour(0), hour(99_999), 50);
        assert!(counts.len() <= 50);
        assert_eq!(counts.iter().sum::<u64>(), 100_000);
    }
}
