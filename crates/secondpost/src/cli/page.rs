//! Pages for people: a title, rows of a label and a wrapped paragraph with a hanging
//! indent, two columns side by side. Widths are display columns, not octets.
//!
//! Colours are written always; the stream behind [`super::Context::out`] drops them where
//! it is no terminal or NO_COLOR is set.

use std::io::{self, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use terminal_size::{Height, Width};
use unicode_linebreak::linebreaks;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

/// `text` in lines of at most `width` columns, broken at spaces but for those that hold
/// words together (French has one inside its quotation marks), and between wide
/// characters where their script allows it; a word that is longer than a line stands
/// alone. Control characters, which others' texts may hold, become `?`.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(is_breaking_space).filter(|word| !word.is_empty()) {
        let word: String = word.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        for (index, piece) in pieces(&word).into_iter().enumerate() {
            let gap = if index == 0 { " " } else { "" };
            push_piece(&mut lines, gap, piece, width);
        }
    }
    lines
}

/// White space at which a line may end: all but the no-break spaces.
fn is_breaking_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

fn push_piece(lines: &mut Vec<String>, gap: &str, piece: &str, width: usize) {
    match lines.last_mut() {
        Some(line) if line.is_empty() => line.push_str(piece),
        Some(line) if line.width() + gap.len() + piece.width() <= width => {
            line.push_str(gap);
            line.push_str(piece);
        }
        _ => lines.push(piece.to_owned()),
    }
}

/// The parts of a word between which a line may end: whole but for scripts that write
/// without spaces, since addresses, codes and links are not to be torn.
fn pieces(word: &str) -> Vec<&str> {
    let is_wide = |c: Option<char>| c.and_then(UnicodeWidthChar::width) == Some(2);
    let (mut pieces, mut from) = (Vec::new(), 0);
    for (at, _) in linebreaks(word).filter(|(at, _)| *at < word.len()) {
        if is_wide(word[..at].chars().next_back()) || is_wide(word[at..].chars().next()) {
            pieces.push(&word[from..at]);
            from = at;
        }
    }
    pieces.push(&word[from..]);
    pieces
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

    #[test]
    fn a_script_without_spaces_breaks_where_it_may_and_codes_stay_whole() {
        let lines = wrapped("送信者のサーバーは、最初の試行を意図的に断ります。4.2.0、450/451", 20);
        assert!(lines.len() > 2 && lines.iter().all(|line| line.width() <= 20), "{lines:?}");
        assert!(lines.iter().all(|line| !line.starts_with(['、', '。'])), "{lines:?}");
        assert_eq!(wrapped("a-b/c d", 4), ["a-b/c", "d"]);
    }

    #[test]
    fn a_line_does_not_end_within_the_quotation_marks_of_french() {
        let lines = wrapped("dit «\u{a0}non\u{a0}»\u{202f}; puis", 7);
        assert_eq!(lines, ["dit", "«\u{a0}non\u{a0}»\u{202f};", "puis"]);
    }

    #[test]
    fn control_characters_of_others_do_not_reach_the_terminal() {
        assert_eq!(wrapped("a\u{1b}[2J b", 80), ["a?[2J b"]);
    }
}
