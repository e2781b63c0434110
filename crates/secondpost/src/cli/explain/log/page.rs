//! The summary of a log as a page.

use std::io::{self, Write};

use reply::Language;
use reply::explain::log as words;
use reply::explain::{cause_name, enumerated, label, labelled, whose_move_in_words, wrapped};
use reply::heard::log::{Counts, MAX_TO_DO, OfCause, Summary, Tally, ToDo, Top, Trend, bars};
use unicode_width::UnicodeWidthStr;

use super::super::super::page::{Page, padded, width};
use super::super::super::text::printable;

/// Most names of a table.
const MAX_NAMES: usize = 5;
/// Columns of the bars over the whole log.
const BAR_COLUMNS: usize = 48;
/// Columns of the bars of one cause.
const SMALL_BAR_COLUMNS: usize = 24;

/// Writes the page.
pub(super) fn tell(
    summary: &Summary,
    counts: &Counts,
    language: Language,
    out: &mut dyn Write,
) -> io::Result<()> {
    let span = summary.first.zip(summary.last);
    let labels = ["received", "sent", "deferred", "bounced", "rejected", "troubles"]
        .map(|name| words::word(language, name));
    let mut page = Page::new(out, &labels);
    page.title(&words::title(language, counts.lines, span))?;
    let of = &summary.tally;
    let numbers =
        [summary.received, of.sent, of.deferred, of.bounced, of.rejected, summary.troubles];
    let is_heard = numbers.iter().any(|number| *number > 0);
    for (label, number) in labels.iter().zip(numbers).filter(|(_, number)| *number > 0) {
        page.row(label, &words::grouped(number))?;
    }
    if !is_heard {
        page.paragraph(&words::word(language, "nothing-heard"), 0)?;
    }
    trends(summary, language, &mut page)?;
    causes(summary, language, &mut page)?;
    moves(summary, language, &mut page)?;
    for (name, top) in tables(summary) {
        table(name, top, language, &mut page)?;
    }
    if is_heard {
        to_do(summary, language, &mut page)?;
    }
    notes(summary, counts, language, &mut page)
}

fn tables(summary: &Summary) -> [(&'static str, &Top); 4] {
    [
        ("destinations", &summary.destinations),
        ("hosts", &summary.hosts),
        ("senders", &summary.senders),
        ("clients", &summary.clients),
    ]
}

fn trends(summary: &Summary, language: Language, page: &mut Page<'_>) -> io::Result<()> {
    let trends = [
        ("trend-sent", &summary.sent_trend, summary.tally.sent),
        ("trend-failed", &summary.failed_trend, summary.tally.failed()),
    ];
    for (name, trend, count) in trends {
        let Some((hours, bars)) = bars_of(summary, trend, BAR_COLUMNS).filter(|_| count > 0) else {
            continue;
        };
        page.blank()?;
        page.heading(&format!(
            "{} · {}",
            words::word(language, name),
            words::bar(language, hours)
        ))?;
        page.line(&format!("  {bars}"))?;
    }
    Ok(())
}

/// The bars and the hours of each; `None` where no time is known.
fn bars_of(summary: &Summary, trend: &Trend, columns: usize) -> Option<(u64, String)> {
    let (first, last) = summary.first.zip(summary.last)?;
    let (hours, counts) = trend.columns(first, last, columns);
    Some((hours, bars(&counts)))
}

fn causes(summary: &Summary, language: Language, page: &mut Page<'_>) -> io::Result<()> {
    let ranked = summary.ranked();
    if ranked.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.heading(&words::word(language, "causes"))?;
    let numbers = Numbers::of(ranked.iter().map(|(_, of)| of.tally.failed()));
    let names: Vec<String> = ranked.iter().map(|(cause, _)| cause_name(*cause, language)).collect();
    let room = width().saturating_sub(numbers.width + SMALL_BAR_COLUMNS + 6);
    let name_width = names.iter().map(|name| name.width()).max().unwrap_or(0).min(room);
    for ((_, of), name) in ranked.iter().zip(&names) {
        let bars =
            bars_of(summary, &of.trend, SMALL_BAR_COLUMNS).map_or(String::new(), |(_, bars)| bars);
        let lines = wrapped(name, name_width.max(10));
        let first = lines.first().map_or("", String::as_str);
        let row = format!(
            "  {}  {}  {bars}",
            numbers.shown(of.tally.failed()),
            padded(first, name_width)
        );
        page.line(row.trim_end())?;
        for line in lines.iter().skip(1) {
            page.line(&format!("  {:numbers$}  {line}", "", numbers = numbers.width))?;
        }
        when(of, language, numbers.width + 4, page)?;
    }
    Ok(())
}

fn when(of: &OfCause, language: Language, indent: usize, page: &mut Page<'_>) -> io::Result<()> {
    let Some((first, last)) = of.first.zip(of.last) else { return Ok(()) };
    page.paragraph(&words::between(language, first, last), indent)
}

fn moves(summary: &Summary, language: Language, page: &mut Page<'_>) -> io::Result<()> {
    let mut all: Vec<_> =
        summary.whose_move.iter().map(|(whose, count)| (*whose, *count)).collect();
    if all.is_empty() {
        return Ok(());
    }
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    page.blank()?;
    page.heading(&words::word(language, "whose-move"))?;
    let numbers = Numbers::of(all.iter().map(|(_, count)| *count));
    for (whose, count) in all {
        page.line(&format!(
            "  {}  {}",
            numbers.shown(count),
            whose_move_in_words(whose, language)
        ))?;
    }
    Ok(())
}

fn table(name: &str, top: &Top, language: Language, page: &mut Page<'_>) -> io::Result<()> {
    let best: Vec<(&str, Tally)> =
        top.best(MAX_NAMES).into_iter().filter(|(_, tally)| tally.failed() > 0).collect();
    if best.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.heading(&words::word(language, name))?;
    let numbers = Numbers::of(best.iter().map(|(_, tally)| tally.failed()));
    for (name, tally) in best {
        let shown =
            if name == "<>" { words::word(language, "null-sender") } else { printable(name) };
        let of = words::failed_of(language, tally.failed(), tally.total());
        let room = width().saturating_sub(numbers.width + 4);
        let row =
            if shown.width() + of.width() + 3 <= room { format!("{shown} · {of}") } else { shown };
        page.line(&format!("  {}  {row}", numbers.shown(tally.failed())))?;
    }
    Ok(())
}

fn to_do(summary: &Summary, language: Language, page: &mut Page<'_>) -> io::Result<()> {
    let all = summary.to_do(MAX_TO_DO);
    page.blank()?;
    if all.is_empty() {
        return page.paragraph(&words::word(language, "nothing-failed"), 0);
    }
    page.heading(&words::word(language, "to-do"))?;
    for (index, to_do) in all.iter().enumerate() {
        let number = format!("{:>2}. ", index + 1);
        let title = format!("{number}{}", cause_name(to_do.cause, language));
        page.line(&title)?;
        page.paragraph(&volume(to_do, language), number.len())?;
        page.paragraph(&words::remedy(language, to_do), number.len())?;
    }
    Ok(())
}

/// How often, and where mostly.
fn volume(to_do: &ToDo, language: Language) -> String {
    let mut parts = Vec::new();
    if to_do.attempts > 0 {
        parts.push(words::counted(language, "attempts", to_do.attempts));
    }
    if to_do.refusals > 0 {
        parts.push(words::counted(language, "refusals", to_do.refusals));
    }
    let mostly = words::mostly(language, &to_do.destinations);
    parts.extend(Some(mostly).filter(|mostly| !mostly.is_empty()));
    let whose = whose_move_in_words(to_do.cause.whose_move(), language);
    let whose_move = labelled(&label(language, "whose-move"), &whose, language);
    format!("{} · {whose_move}", enumerated(&parts, language))
}

/// What was not read, not known, or fell out.
fn notes(
    summary: &Summary,
    counts: &Counts,
    language: Language,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let counted = [
        ("kept-too-little", summary.kept_too_little),
        ("unknown", counts.unknown),
        ("too-long", counts.too_long),
        ("not-text", counts.not_text),
        ("forgotten", counts.forgotten),
    ];
    let mut all: Vec<String> = counted
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| words::counted(language, name, count))
        .collect();
    let fell_out: u64 = tables(summary).iter().map(|(_, top)| top.fell_out()).sum();
    let missed = tables(summary).iter().map(|(_, top)| top.at_most_missed()).max().unwrap_or(0);
    if fell_out > 0 {
        all.push(words::fell_out(language, fell_out, missed));
    }
    if !all.is_empty() {
        page.blank()?;
    }
    all.iter().try_for_each(|note| page.paragraph(note, 0))
}

/// Numbers that stand one above the other.
struct Numbers {
    width: usize,
}

impl Numbers {
    fn of(numbers: impl Iterator<Item = u64>) -> Numbers {
        Numbers { width: numbers.map(|number| words::grouped(number).width()).max().unwrap_or(0) }
    }

    fn shown(&self, number: u64) -> String {
        let shown = words::grouped(number);
        format!("{}{shown}", " ".repeat(self.width.saturating_sub(shown.width())))
    }
}
