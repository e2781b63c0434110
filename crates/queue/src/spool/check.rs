//! `spool check`: reads every record and every message, and says what is damaged.

use std::fmt;

use store::Disk;
use store::log::{Damage, OpenError, verify};

use super::{Spool, SpoolError, SpoolRecovery, SpoolStat};
use crate::QueueId;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How the spool is.
    pub stat: SpoolStat,
    /// What opening it found; empty where it was open already.
    pub recovery: SpoolRecovery,
    /// Octets that should be records and are not.
    pub damaged: Vec<Damage>,
    /// Messages that cannot be read, and why (file and offset).
    pub unreadable: Vec<(QueueId, String)>,
}

impl CheckReport {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        let lost = !self.recovery.damage.is_empty() || !self.recovery.incomplete.is_empty();
        !lost && self.damaged.is_empty() && self.unreadable.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (messages, segments) = (self.stat.messages, self.stat.segments);
        write!(f, "{messages} messages in {segments} segments")?;
        for damage in self.damaged.iter() {
            write!(f, "\ndamaged: {damage}")?;
        }
        for (id, why) in &self.unreadable {
            write!(f, "\nmessage `{id}` cannot be read: {why}")?;
        }
        for id in &self.recovery.incomplete {
            write!(f, "\nmessage `{id}` is incomplete")?;
        }
        Ok(())
    }
}

/// Opens the spool on `disk` and checks it; changes nothing. Refuses while a daemon has
/// it: ask that one.
///
/// # Errors
/// As [`Spool::open`].
pub fn check<D: Disk>(disk: D) -> Result<CheckReport, OpenError> {
    let (spool, _writer, recovery) = Spool::open_to_read(disk)?;
    Ok(CheckReport { recovery, ..spool.check() })
}

impl<D: Disk> Spool<D> {
    /// Reads every record of every closed segment, and all of every message. Beside a
    /// running spool, and slowly: it reads everything.
    pub fn check(&self) -> CheckReport {
        let active = self.0.log.active_segment();
        let segments = self.0.log.segments().into_iter().map(|(number, _)| number);
        let closed = segments.filter(|number| Some(*number) != active);
        let damaged = closed.flat_map(|number| verify(&self.0.log, number)).collect();
        let unreadable = self.ids().into_iter().filter_map(|id| match self.read_through(id) {
            // It left the queue meanwhile.
            Ok(()) | Err(SpoolError::NotFound(_)) => None,
            Err(error) => Some((id, error.to_string())),
        });
        let unreadable = unreadable.collect();
        CheckReport { stat: self.stat(), damaged, unreadable, ..CheckReport::default() }
    }

    fn read_through(&self, id: QueueId) -> Result<(), SpoolError> {
        self.get(id)?;
        let mut body = self.body(id)?;
        let mut buffer = vec![0; 64 << 10];
        let mut offset = 0;
        while offset < body.octets() {
            match body.read_at(offset, &mut buffer)? {
                0 => return Err(SpoolError::Fault("the message is shorter than noted".into())),
                read => offset += read as u64,
            }
        }
        Ok(())
    }
}
