//! What a part found: tables for people, targets that are met or not, and the raw figures.
//!
//! [`put_into`] writes a part between its markers of docs/benchmarks.md; what stands
//! around them is written by hand.

use std::fmt::Write;

use serde::Serialize;

/// A cell with nothing in it.
pub(crate) const NOTHING: String = String::new();

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns; figures stand to the right, the first column does not.
    pub(crate) fn new(title: impl Into<String>, head: &[&str]) -> Table {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Table { title: title.into(), head, rows: Vec::new() }
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = format!("**{}**\n\n{}", self.title, line(&self.head));
        text.push_str(&format!("|---|{}\n", "---:|".repeat(self.head.len().saturating_sub(1))));
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }
}

/// Whether a target was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Met,
    NotMet,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::NotMet => "**not met**",
        }
    }
}

/// What was to be reached, and what was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Target {
    what: String,
    wanted: String,
    measured: String,
    verdict: Verdict,
}

impl Target {
    /// At least so much; `unit` stands behind the figures.
    pub(crate) fn at_least(what: &str, wanted: f64, measured: f64, unit: &str) -> Target {
        Target::new(what, "≥", wanted, measured, unit, measured >= wanted)
    }

    /// At most so much.
    pub(crate) fn at_most(what: &str, wanted: f64, measured: f64, unit: &str) -> Target {
        Target::new(what, "≤", wanted, measured, unit, measured <= wanted)
    }

    fn new(what: &str, sign: &str, wanted: f64, measured: f64, unit: &str, is_met: bool) -> Target {
        let verdict = if is_met { Verdict::Met } else { Verdict::NotMet };
        let (wanted, measured) = (figure(wanted), figure(measured));
        Target {
            what: what.to_owned(),
            wanted: format!("{sign} {wanted} {unit}").trim_end().to_owned(),
            measured: format!("{measured} {unit}").trim_end().to_owned(),
            verdict,
        }
    }
}

/// What a part found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) tables: Vec<Table>,
    pub(crate) targets: Vec<Target>,
    /// What must be known to read the figures: a sentence each.
    notes: Vec<String>,
    /// Every figure of every round.
    pub(crate) raw: serde_json::Map<String, serde_json::Value>,
}

impl Report {
    /// Adds what must be known to read the figures.
    pub(crate) fn note(&mut self, notes: &[&str]) {
        self.notes.extend(notes.iter().map(|note| (*note).to_owned()));
    }

    /// Keeps raw figures under a name.
    pub(crate) fn keep(&mut self, name: &str, figures: serde_json::Value) {
        self.raw.insert(name.to_owned(), figures);
    }

    /// The part as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        for table in &self.tables {
            text.push_str(&table.markdown());
            text.push('\n');
        }
        if !self.targets.is_empty() {
            text.push_str("| target | wanted | measured | |\n|---|---:|---:|---|\n");
        }
        for Target { what, wanted, measured, verdict } in &self.targets {
            let verdict = verdict.words();
            writeln!(text, "| {what} | {wanted} | {measured} | {verdict} |")
                .expect("a string takes all");
        }
        if !self.targets.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            writeln!(text, "- {note}").expect("a string takes all");
        }
        text.trim_end().to_owned() + "\n"
    }
}

/// A figure with as many digits as mean something.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        small if small < 10.0 => format!("{value:.2}"),
        middle if middle < 100.0 => format!("{value:.1}"),
        _ => grouped(value.round() as i64),
    }
}

/// A whole number with its thousands apart.
fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Puts `content` between the markers of `name` in `page`.
///
/// # Errors
/// Where the page has no such markers.
pub(crate) fn put_into(page: &str, name: &str, content: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- bench:{name} -->\n"), format!("<!-- /bench:{name} -->"));
    let found = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some(format!("{before}{begin}{content}{end}{after}"))
    });
    found.ok_or_else(|| format!("error: the page has no markers `{}`", begin.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_mean_something() {
        for (value, text) in [
            (0.0, "0.00"),
            (1.254, "1.25"),
            (12.34, "12.3"),
            (123.4, "123"),
            (17_000.6, "17,001"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn a_part_is_a_table_and_what_was_reached() {
        let mut table = Table::new("4 KiB", &["server", "per second"]);
        table.row(["Postfix".into(), figure(1000.0)]);
        let report = Report {
            tables: vec![table],
            targets: vec![
                Target::at_least("accept", 10.0, 12.0, "× Postfix"),
                Target::at_most("idle", 16.0, 20.0, "KiB"),
            ],
            notes: vec!["It was noisy.".into()],
            raw: serde_json::Map::new(),
        };
        let expected = "**4 KiB**\n\n| server | per second |\n|---|---:|\n| Postfix | 1,000 |\n\n\
            | target | wanted | measured | |\n|---|---:|---:|---|\n\
            | accept | ≥ 10.0 × Postfix | 12.0 × Postfix | met |\n\
            | idle | ≤ 16.0 KiB | 20.0 KiB | **not met** |\n\n- It was noisy.\n";
        assert_eq!(report.markdown(), expected);
    }

    #[test]
    fn a_page_keeps_what_stands_around_the_markers() {
        let page = "# A\n<!-- bench:a -->\nold\n<!-- /bench:a -->\nB\n";
        let put = put_into(page, "a", "new\n").unwrap();
        assert_eq!(put, "# A\n<!-- bench:a -->\nnew\n<!-- /bench:a -->\nB\n");
        assert_eq!(put_into(&put, "a", "new\n").unwrap(), put, "again is the same");
        assert!(put_into(page, "b", "x").unwrap_err().contains("bench:b"));
    }
}
