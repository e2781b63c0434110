//! A summary as JSON, with the same names wherever it is shown.

use serde_json::{Value, json};

use super::top::{Tally, Top};
use super::trend::Trend;
use super::{Counts, OfCause, Summary, ToDo};
use crate::{Cause, Timestamp};

/// Most names of a table.
const MAX_NAMES: usize = 20;
/// Most spans of a trend.
const MAX_SPANS: usize = 168;
/// Most things to do.
pub const MAX_TO_DO: usize = 10;

impl Summary {
    /// The whole summary; `counts` says what was read.
    pub fn to_json(&self, counts: &Counts) -> Value {
        let causes: Vec<Value> =
            self.ranked().into_iter().map(|(cause, of)| self.cause(cause, of)).collect();
        let moves = self
            .whose_move
            .iter()
            .map(|(whose, count)| json!({ "whose_move": whose.name(), "failed_attempts": count }));
        json!({
            "read": read(counts),
            "first": time(self.first),
            "last": time(self.last),
            "received": self.received,
            "outcomes": tally(self.tally),
            "broken_sessions": self.troubles,
            "kept_too_little": self.kept_too_little,
            "causes": causes,
            "whose_move": moves.collect::<Vec<_>>(),
            "destinations": top(&self.destinations),
            "hosts": top(&self.hosts),
            "senders": top(&self.senders),
            "refused_clients": top(&self.clients),
            "trend": {
                "sent": self.trend(&self.sent_trend),
                "failed": self.trend(&self.failed_trend),
            },
            "to_do": self.to_do(MAX_TO_DO).iter().map(to_do).collect::<Vec<_>>(),
        })
    }

    fn cause(&self, cause: Cause, of: &OfCause) -> Value {
        json!({
            "cause": cause.name(),
            "whose_move": cause.whose_move().name(),
            "outcomes": tally(of.tally),
            "first": time(of.first),
            "last": time(of.last),
            "trend": self.trend(&of.trend),
            "example": of.example,
        })
    }

    fn trend(&self, trend: &Trend) -> Value {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Value::Null };
        let (hours, counts) = trend.columns(first, last, MAX_SPANS);
        json!({ "from": first.to_string(), "hours_each": hours, "counts": counts })
    }
}

fn read(counts: &Counts) -> Value {
    json!({
        "lines": counts.lines,
        "octets": counts.octets,
        "lines_of_unknown_form": counts.unknown,
        "lines_too_long": counts.too_long,
        "lines_not_text": counts.not_text,
        "messages_forgotten": counts.forgotten,
    })
}

fn tally(tally: Tally) -> Value {
    json!({
        "sent": tally.sent,
        "deferred": tally.deferred,
        "bounced": tally.bounced,
        "rejected": tally.rejected,
    })
}

fn top(top: &Top) -> Value {
    let names = top
        .best(MAX_NAMES)
        .into_iter()
        .map(|(name, of)| json!({ "name": name, "outcomes": tally(of) }));
    json!({
        "names": names.collect::<Vec<_>>(),
        "fell_out": top.fell_out(),
        "at_most_missed": top.at_most_missed(),
    })
}

fn to_do(to_do: &ToDo) -> Value {
    let destinations = to_do
        .destinations
        .iter()
        .map(|(name, count)| json!({ "name": name, "failed_attempts": count }));
    json!({
        "cause": to_do.cause.name(),
        "whose_move": to_do.cause.whose_move().name(),
        "failed_attempts": to_do.attempts,
        "refusals": to_do.refusals,
        "destinations": destinations.collect::<Vec<_>>(),
    })
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}
