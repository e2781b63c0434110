//! Pages for people: a title, rows of a label and a wrapped paragraph with a hanging
//! indent, two columns side by side. Widths are display columns, not octets.
//!
//! Colours are written always; the stream behind [`super::Context::out`] drops them where
//! it is no terminal or NO_COLOR is set.

use std::io::{self, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use reply::explain::wrapped;
use terminal_size::{Height, Width};
use unicode_width::UnicodeWidthStr;

/// How wide a page is where nothing narrower is known: what every terminal shows.
const WIDEST: usize = 80;
/// Narrower terminals wrap the lines themselves.
const NARROWEST: usize = 40;
/// The space between two columns.
const GAP: usize = 3;
/// A label wider than this gets a line of its own.
const WIDEST_LABEL: usize = 22;

const TITLE: Style = Style::new().bold();
const LABEL: Style = AnsiColor::Cyan.on_default();

/// How wide a page is: as the terminal, and no wider than is read easily.
pub(crate) fn width() -> usize {
    static WIDTH: OnceLock<usize> = OnceLock::new();
    *WIDTH.get_or_init(|| page_width(terminal_size::terminal_size_of(io::stdout())))
}

fn page_width(terminal: Option<(Width, Height)>) -> usize {
    terminal.map_or(WIDEST, |(Width(columns), _)| usize::from(columns).clamp(NARROWEST, WIDEST))
}

/// A page under way.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
    label_width: usize,
}

impl<'a> Page<'a> {
    /// A page whose label column fits `labels`.
    pub(crate) fn new<S: AsRef<str>>(
        out: &'a mut dyn Write,
        labels: impl IntoIterator<Item = S>,
    ) -> Page<'a> {
        let widths = labels.into_iter().map(|label| label.as_ref().width());
        let widest = widths.filter(|width| *width <= WIDEST_LABEL).max().unwrap_or(0);
        Page { out, label_width: widest + 2 }
    }

    /// A bold line.
    pub(crate) fn title(&mut self, text: &str) -> io::Result<()> {
        for line in wrapped(text, width()) {
            writeln!(self.out, "{TITLE}{line}{TITLE:#}")?;
        }
        Ok(())
    }

    /// A label and its paragraph; nothing where the paragraph is empty.
    pub(crate) fn row(&mut self, label: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let fits = label.width() + 2 <= self.label_width;
        if !fits {
            writeln!(self.out, "{LABEL}{label}{LABEL:#}")?;
        }
        let label = if fits { label } else { "" };
        let lines = wrapped(text, width().saturating_sub(self.label_width).max(20));
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let space = " ".repeat(self.label_width - label.width());
            writeln!(self.out, "{LABEL}{label}{LABEL:#}{space}{line}")?;
        }
        Ok(())
    }

    /// A paragraph over the whole width, each line indented by `indent` columns.
    pub(crate) fn paragraph(&mut self, text: &str, indent: usize) -> io::Result<()> {
        let space = " ".repeat(indent);
        for line in wrapped(text, width().saturating_sub(indent)) {
            writeln!(self.out, "{space}{line}")?;
        }
        Ok(())
    }

    /// A line as it is: its columns were counted.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A heading over what follows.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{LABEL}{text}{LABEL:#}")
    }

    /// Two texts of one or more paragraphs side by side.
    pub(crate) fn columns(&mut self, left: &[String], right: &[String]) -> io::Result<()> {
        let width = (width() - GAP) / 2;
        let lines = |paragraphs: &[String]| -> Vec<String> {
            paragraphs.iter().flat_map(|paragraph| wrapped(paragraph, width)).collect()
        };
        let (left, right) = (lines(left), lines(right));
        for index in 0..left.len().max(right.len()) {
            let first = left.get(index).map_or("", String::as_str);
            let second = right.get(index).map_or("", String::as_str);
            let space = " ".repeat((width + GAP).saturating_sub(first.width()));
            writeln!(self.out, "{}", format!("{first}{space}{second}").trim_end())?;
        }
        Ok(())
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }
}

/// `text` filled with spaces to `width` columns.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        let mut stripped = anstream::StripStream::new(&mut out);
        write(&mut Page::new(&mut stripped, ["Was tun", "Quelle"])).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_hangs_under_its_label_and_keeps_to_eighty_columns() {
        let text = plain(|page| page.row("Was tun", &"möglich ".repeat(20)));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("Was tun  möglich"));
        assert!(lines[1].starts_with("         möglich"));
        assert!(lines.iter().all(|line| line.width() <= WIDEST));
    }

    #[test]
    fn pages_are_as_wide_as_the_terminal_and_no_wider_than_eighty() {
        let of = |columns| page_width(Some((Width(columns), Height(24))));
        assert_eq!([of(20), of(60), of(80), of(200), page_width(None)], [40, 60, 80, 80, 80]);
    }

    #[test]
    fn two_columns_stand_side_by_side_by_display_width() {
        let text = plain(|page| page.columns(&["日本語 ä".into()], &["right".into()]));
        assert_eq!(text.find("right").map(|at| text[..at].width()), Some(41));
    }
}
