//! Medians, spreads and percentiles. Pure.

use std::time::Duration;

use serde::Serialize;

use crate::report::figure;

/// One figure over the rounds.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// The figure of one more round.
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle one; between two, their mean; of none, 0.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match (sorted.len() / 2, sorted.len() % 2) {
            (0, 0) => 0.0,
            (middle, 0) => f64::midpoint(sorted[middle - 1], sorted[middle]),
            (middle, _) => sorted[middle],
        }
    }

    /// The smallest; of none, 0.
    pub(crate) fn min(&self) -> f64 {
        self.0.iter().copied().min_by(f64::total_cmp).unwrap_or_default()
    }

    /// The largest; of none, 0.
    pub(crate) fn max(&self) -> f64 {
        self.0.iter().copied().max_by(f64::total_cmp).unwrap_or_default()
    }

    /// From the smallest to the largest, for people.
    pub(crate) fn range(&self) -> String {
        format!("{}–{}", figure(self.min()), figure(self.max()))
    }

    /// How far the rounds lie apart, as a share of the median.
    pub(crate) fn noise(&self) -> f64 {
        ratio(self.max() - self.min(), self.median())
    }
}

/// How often `one` holds `other`; 0 where there is nothing to compare with.
pub(crate) fn ratio(one: f64, other: f64) -> f64 {
    if other == 0.0 { 0.0 } else { one / other }
}

/// So many in so long, per second.
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    ratio(count as f64, time.as_secs_f64())
}

/// How long things took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// One more.
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// The percentile `percent` by nearest rank, in milliseconds; of none, 0.
    pub(crate) fn percentile_ms(&mut self, percent: f64) -> f64 {
        self.0.sort_unstable();
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        let latency = self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        latency.as_secs_f64() * 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample(values.to_vec())
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        for (values, median) in [
            (&[][..], 0.0),
            (&[7.0], 7.0),
            (&[3.0, 1.0], 2.0),
            (&[9.0, 1.0, 5.0], 5.0),
            (&[4.0, 1.0, 3.0, 2.0], 2.5),
        ] {
            assert_eq!(sample(values).median(), median, "{values:?}");
        }
    }

    #[test]
    fn noise_is_the_spread_as_a_share_of_the_median() {
        let sample = sample(&[90.0, 120.0, 100.0]);
        assert_eq!((sample.min(), sample.max()), (90.0, 120.0));
        assert_eq!(sample.range(), "90.0–120");
        assert!((sample.noise() - 0.3).abs() < 1e-9);
        assert_eq!(Sample::default().noise(), 0.0);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile_ms(99.0), 0.0);
        (1..=100).rev().for_each(|ms| latencies.add(Duration::from_millis(ms)));
        for (percent, ms) in [(1.0, 1.0), (50.0, 50.0), (99.0, 99.0), (99.5, 100.0), (100.0, 100.0)]
        {
            assert_eq!(latencies.percentile_ms(percent), ms, "{percent}");
        }
    }
}
