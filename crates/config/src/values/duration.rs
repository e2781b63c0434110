//! Durations: `500ms`, `5m`, `1h30m`, `35d`; a bare number is seconds. And the ladders of
//! retries, which are made of them.

use std::time::Duration;

use queue::retry::Ladder;
use toml::de::DeValue;

use super::{items, number, text, toml_list, toml_string, wrong};
use crate::expected::Expected;
use crate::fault::{Fault, Hint, Problem};
use crate::field::{Given, Setting};

/// Units with their milliseconds, the largest first.
const UNITS: &[(&str, u64)] = &[
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads `1h30m`. `None` where it is no duration or too long for one.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at(letters);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(count.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = tail.trim_start();
    }
    Some(Duration::from_millis(millis))
}

/// As it is written: at most as many units as are needed, days the largest.
pub fn show(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut shown = String::new();
    for (unit, millis) in UNITS.iter().skip(1) {
        if rest >= *millis {
            shown.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

/// Reads the duration of a setting of type `T`.
fn duration_for<T: Setting>(given: &Given<'_>) -> Result<Duration, Fault> {
    if let Some(secs) = number(given) {
        return Ok(Duration::from_secs(secs));
    }
    parse(text::<T>(given)?).ok_or_else(|| wrong::<T>(given))
}

impl Setting for Duration {
    const EXPECTED: Expected = Expected::Duration;

    fn read(given: &Given<'_>) -> Result<Duration, Fault> {
        duration_for::<Duration>(given)
    }

    fn show(&self) -> String {
        toml_string(&show(*self))
    }
}

/// How long something is waited for: longer than not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Patience {
    /// So many seconds.
    pub const fn secs(secs: u64) -> Patience {
        Patience(Duration::from_secs(secs))
    }
}

impl Setting for Patience {
    const EXPECTED: Expected = Expected::Patience;

    fn read(given: &Given<'_>) -> Result<Patience, Fault> {
        match duration_for::<Patience>(given)? {
            Duration::ZERO => Err(wrong::<Patience>(given)),
            duration => Ok(Patience(duration)),
        }
    }

    fn show(&self) -> String {
        self.0.show()
    }
}

impl Setting for Ladder {
    const EXPECTED: Expected = Expected::Ladder;

    fn read(given: &Given<'_>) -> Result<Ladder, Fault> {
        let mut ladder = Ladder { steps: Vec::new(), longest_pause: DEFAULT_LONGEST_PAUSE };
        let DeValue::Table(table) = given.get_ref() else {
            ladder.steps = steps(given)?;
            return Ok(ladder);
        };
        for (name, value) in table {
            match ladder.set_part(name.get_ref(), value) {
                Some(result) => result?,
                None => {
                    let problem = Problem::UnknownPart(name.get_ref().to_string());
                    let parts = Expected::OneOf(&["steps", "longest_pause"]);
                    let hint = Some(Hint::Expected(parts));
                    return Err(Fault { span: name.span(), key: None, problem, hint });
                }
            }
        }
        if ladder.steps.is_empty() { Err(wrong::<Ladder>(given)) } else { Ok(ladder) }
    }

    fn show(&self) -> String {
        let steps = toml_list(self.steps.iter().map(|step| show(*step)));
        format!("{{ steps = {steps}, longest_pause = {} }}", self.longest_pause.show())
    }

    fn set_part(&mut self, part: &str, given: &Given<'_>) -> Option<Result<(), Fault>> {
        match part {
            "steps" => Some(steps(given).map(|steps| self.steps = steps)),
            "longest_pause" => Some(Duration::read(given).map(|pause| self.longest_pause = pause)),
            _ => None,
        }
    }
}

/// Where only the steps are given: the pause at which most ladders level off.
const DEFAULT_LONGEST_PAUSE: Duration = Duration::from_secs(4 * 3600);

fn steps(given: &Given<'_>) -> Result<Vec<Duration>, Fault> {
    let steps = items(given).into_iter().map(Duration::read).collect::<Result<Vec<_>, _>>()?;
    if steps.is_empty() || !steps.is_sorted() || steps.contains(&Duration::ZERO) {
        return Err(Fault::at(given, Problem::StepsDoNotRise).expected(Ladder::EXPECTED));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_shown_alike() {
        for (written, secs) in [("90s", 90), ("1h30m", 5400), ("35d", 3_024_000), ("0s", 0)] {
            assert_eq!(parse(written), Some(Duration::from_secs(secs)), "{written}");
            assert_eq!(parse(&show(Duration::from_secs(secs))), parse(written));
        }
        assert_eq!(show(Duration::from_millis(5_400_500)), "1h30m500ms");
        assert_eq!(parse("1w 2d"), Some(Duration::from_secs(9 * 86_400)));
    }

    #[test]
    fn who_is_waited_for_is_waited_for_some_time() {
        for written in ["0", "\"0\"", "\"0s\"", "\"0h0ms\"", "\"soon\""] {
            let fault = Patience::read(&DeValue::parse(written).unwrap()).unwrap_err();
            let Some(Hint::Expected(expected)) = fault.hint else { panic!("{written}: no hint") };
            assert_eq!(expected, Expected::Patience, "{written}");
        }
        let read = |written| Patience::read(&DeValue::parse(written).unwrap()).unwrap();
        assert_eq!(read("90"), read("\"1m30s\""));
    }

    #[test]
    fn what_is_no_duration_is_told_apart() {
        for wrong in ["", "m", "5", "5x", "-5m", "5 m", "1h30", "99999999999999999999s", "5m,"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
