//! File descriptors: every connection holds one, and what runs out of them can neither
//! look at a mailbox nor open a segment. So the daemon takes all that it may have, and
//! leaves a part of them to everything but connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that the daemon holds whatever happens: its log, tables, listeners.
const ALWAYS_OPEN: u64 = 64;
/// Sessions that there is always room for, however few descriptors there are.
const FEWEST_SESSIONS: usize = 8;

/// Raises the limit as far as it goes; how many of `wanted` connections then fit.
pub(super) fn connections_that_fit(wanted: usize) -> usize {
    let fit = fitting(raise());
    if fit < wanted {
        tracing::warn!(
            wanted,
            fit,
            "`limits.connections` is more than this process has file descriptors for"
        );
    }
    wanted.min(fit)
}

/// The soft limit after it was raised to the hard one; none is unlimited.
fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

/// A quarter of the rest is for deliveries, outgoing connections and segments.
fn fitting(descriptors: Option<u64>) -> usize {
    let for_sessions = descriptors.map(|all| all.saturating_sub(ALWAYS_OPEN) / 4 * 3);
    let for_sessions = for_sessions.unwrap_or(u64::MAX);
    usize::try_from(for_sessions).unwrap_or(usize::MAX).max(FEWEST_SESSIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_everything_else() {
        assert_eq!(fitting(None), usize::MAX);
        assert_eq!(fitting(Some(1024)), 720);
        assert_eq!(fitting(Some(64)), FEWEST_SESSIONS);
    }
}
