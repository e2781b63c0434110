//! The small drawing of who moves next, made from the facts: sender, sending server,
//! receiving server, recipient in a row, with the one whose move it is marked.

use reply::explain::{web, whose_move_in_words};
use reply::{Language, WhoseMove};

/// One place in the row.
pub(crate) struct Node {
    /// Its name, in one line or two: neighbours stand close on a phone.
    pub(crate) lines: Vec<String>,
    /// Where its middle is, in the drawing's units.
    pub(crate) x: u32,
    /// Whether it is that one's move.
    pub(crate) moves: bool,
    /// Whether a person moves, and not a program.
    pub(crate) person: bool,
}

/// The drawing.
pub(crate) struct Drawing {
    /// What it shows, in words.
    pub(crate) label: String,
    /// The row.
    pub(crate) nodes: Vec<Node>,
}

const NAMES: [&str; 4] =
    ["node-sender", "node-sender-server", "node-recipient-server", "node-recipient"];
/// The distance from one node to the next.
const STEP: u32 = 120;

/// The drawing for `whose`.
pub(crate) fn drawing(whose: WhoseMove, language: Language) -> Drawing {
    let (place, person) = match whose {
        WhoseMove::Nobody => (None, false),
        WhoseMove::Sender => (Some(0), true),
        WhoseMove::SenderSoftware => (Some(1), false),
        WhoseMove::SenderPostmaster => (Some(1), true),
        WhoseMove::RecipientPostmaster => (Some(2), true),
        WhoseMove::Recipient => (Some(3), true),
    };
    let node = |(index, name): (usize, &&str)| Node {
        lines: in_lines(&web(language, name, &[])),
        x: STEP / 2 + STEP * u32::try_from(index).unwrap_or_default(),
        moves: place == Some(index),
        person: place == Some(index) && person,
    };
    let who = whose_move_in_words(whose, language);
    Drawing {
        label: web(language, "drawing", &[("who", &who)]),
        nodes: NAMES.iter().enumerate().map(node).collect(),
    }
}

/// A name of several words in two lines, broken before its last word.
fn in_lines(name: &str) -> Vec<String> {
    match name.rsplit_once(' ') {
        Some((first, last)) => vec![first.to_owned(), last.to_owned()],
        None => vec![name.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_two_words_stands_in_two_lines() {
        assert_eq!(in_lines("Receiving server"), ["Receiving", "server"]);
        assert_eq!(in_lines("Absender"), ["Absender"]);
    }

    #[test]
    fn one_node_is_marked_and_none_where_nobody_moves() {
        let marked = |whose| drawing(whose, Language::En).nodes.iter().filter(|n| n.moves).count();
        assert_eq!(marked(WhoseMove::Nobody), 0);
        assert_eq!(marked(WhoseMove::SenderSoftware), 1);
        assert_eq!(marked(WhoseMove::Recipient), 1);
    }
}
