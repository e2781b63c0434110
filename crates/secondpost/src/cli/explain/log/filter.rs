//! Which entries of a log are asked for.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use reply::heard::log::{LogEntry, Reference, domain};
use reply::{Cause, Timestamp};

use config::values::duration;

/// What a time on the command line looks like.
pub(in crate::cli) const EXPECTED: &str = "expected a date (2026-11-24), a time \
    (2026-11-24T18:00, 2026-11-24T18:00Z) or how long ago (2d, 6h)";

/// What is asked for; what is absent takes everything. Names are in lower case.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) cause: Option<Cause>,
}

impl Filter {
    /// Whether the entry is asked for. An entry without what is asked about is not.
    pub(super) fn takes(&self, entry: &LogEntry<'_>, cause: Option<Cause>) -> bool {
        let since = self.since.is_none_or(|since| entry.time.is_some_and(|at| at >= since));
        let until = self.until.is_none_or(|until| entry.time.is_some_and(|at| at < until));
        since
            && until
            && self.cause.is_none_or(|asked| cause == Some(asked))
            && self.from.as_ref().is_none_or(|from| {
                entry.sender.as_deref().is_some_and(|sender| is_of(sender, from))
            })
            && self
                .to
                .as_ref()
                .is_none_or(|to| entry.recipients.iter().any(|recipient| is_of(recipient, to)))
            && self.destination.as_ref().is_none_or(|name| goes_to(entry, name))
    }
}

impl Filter {
    /// Whether everything is asked for.
    pub(super) fn is_open(&self) -> bool {
        self.since.is_none()
            && self.until.is_none()
            && self.from.is_none()
            && self.to.is_none()
            && self.destination.is_none()
            && self.cause.is_none()
    }
}

/// Whether an address is that address, or of that domain.
fn is_of(address: &str, asked: &str) -> bool {
    let of = if asked.contains('@') { Some(address) } else { domain(address) };
    of.is_some_and(|of| of.eq_ignore_ascii_case(asked.trim_start_matches('@')))
}

fn goes_to(entry: &LogEntry<'_>, name: &str) -> bool {
    let hosts = [entry.peer_name.as_deref(), entry.peer_address.as_deref()];
    let is_host = hosts.into_iter().flatten().any(|host| host.eq_ignore_ascii_case(name));
    is_host || entry.recipients.iter().any(|recipient| is_of(recipient, name))
}

/// A time on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    /// Local time.
    Local(DateTime),
    /// So long ago.
    Ago(std::time::Duration),
}

impl When {
    pub(super) fn at(self, reference: &Reference) -> Timestamp {
        match self {
            When::At(at) => at,
            When::Ago(ago) => reference.now - ago,
            When::Local(local) => {
                let utc =
                    jiff::tz::TimeZone::system().to_ambiguous_zoned_datetime(local).compatible();
                utc.map_or(reference.now, |zoned| of_jiff(zoned.timestamp()))
            }
        }
    }
}

fn of_jiff(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(u64::try_from(at.as_millisecond()).unwrap_or(0))
}

impl FromStr for When {
    type Err = String;
    fn from_str(text: &str) -> Result<When, String> {
        let text = text.trim().trim_end_matches(" ago");
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(When::At(of_jiff(at)));
        }
        if let Ok(local) = text.parse::<DateTime>() {
            return Ok(When::Local(local));
        }
        if let Ok(date) = text.parse::<Date>() {
            return Ok(When::Local(date.into()));
        }
        duration::parse(text).map(When::Ago).ok_or_else(|| EXPECTED.to_owned())
    }
}
