//! Prose in lines of so many columns, for terminals and for plain text in mail. Columns
//! are those of a display: a wide character takes two.

use unicode_linebreak::linebreaks;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` in lines of at most `width` columns, broken at spaces but for those that hold
/// words together (French has one inside its quotation marks), and between wide
/// characters where their script allows it; a word that is longer than a line stands
/// alone. Control characters, which others' texts may hold, become `?`.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
