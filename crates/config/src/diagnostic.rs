//! A place in a source, shown in its line and with the lines around it.

use std::ops::Range;

/// A text that settings came from, and what to call it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// A path, or the option as it was given.
    pub name: &'a str,
    /// All of it.
    pub text: &'a str,
}

/// A place for people: both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where the octet `offset` of `text` stands.
pub fn position(text: &str, offset: usize) -> Position {
    let before = before(text, offset);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// What is said of the octets `span`, with their place and their line between its
/// neighbours.
pub fn show(source: Source<'_>, span: &Range<usize>, said: &str) -> String {
    let Position { line, column } = position(source.text, span.start);
    let lines: Vec<&str> = source.text.lines().collect();
    let first = line.saturating_sub(1).max(1);
    let last = (line + 1).min(lines.len().max(line));
    let width = last.to_string().len();
    let mut shown = format!("{said}\n{:width$}--> {}:{line}:{column}\n", "", source.name);
    shown.push_str(&format!("{:width$} |\n", ""));
    for number in first..=last {
        let text = lines.get(number - 1).copied().unwrap_or_default();
        shown.push_str(format!("{number:>width$} | {text}").trim_end());
        shown.push('\n');
        if number == line {
            shown.push_str(&format!("{:width$} | {}\n", "", carets(source.text, column, span)));
        }
    }
    shown.trim_end().to_owned()
}

/// Carets under what is wrong, on its first line, at least one.
fn carets(text: &str, column: usize, span: &Range<usize>) -> String {
    let start = before(text, span.start).len();
    let wrong = text.get(start..span.end.max(start)).unwrap_or_default();
    let count = wrong.lines().next().unwrap_or_default().chars().count().max(1);
    format!("{}{}", " ".repeat(column - 1), "^".repeat(count))
}

/// The text before the octet `offset`, or before the character that the octet is in.
fn before(text: &str, offset: usize) -> &str {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The known name that is most like `name`, if any is alike.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|candidate| (distance(name, candidate), candidate)).min()?;
    (near.0 <= name.chars().count().div_ceil(3)).then_some(near.1)
}

/// How many characters must be added, taken away or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_between_the_lines_around_it() {
        let source = Source { name: "mail.toml", text: "a = 1\nb = \"ü\"\nc = 3\nd = 4\n" };
        let expected = "wrong\n --> mail.toml:2:5\n  |\n1 | a = 1\n2 | b = \"ü\"\n  |     ^^^\n\
                        3 | c = 3";
        assert_eq!(show(source, &(10..14), "wrong"), expected);
    }

    #[test]
    fn a_place_at_the_end_or_beyond_is_shown_too() {
        for text in ["", "x", "x\n", "ü"] {
            let shown = show(Source { name: "f", text }, &(90..99), "wrong");
            assert!(shown.starts_with("wrong\n --> f:"), "{shown}");
        }
    }

    #[test]
    fn the_nearest_name_is_named_only_if_it_is_near() {
        let known = ["greylist.window", "greylist.white", "relay"];
        let near = |name| nearest(name, known.into_iter());
        assert_eq!(near("greylist.windw"), Some("greylist.window"));
        assert_eq!(near("rely"), Some("relay"));
        assert_eq!(near("xyzzy"), None);
    }
}
