//! Prints how much of the corpus is understood, per cause, with every miss. An argument
//! names a file with the paths of the bounces to read, one a line.

#[path = "../tests/it/scoreboard.rs"]
mod scoreboard;

fn main() {
    let list = std::env::args().nth(1).and_then(|path| std::fs::read_to_string(path).ok());
    let wanted =
        |path: &str| list.as_ref().is_none_or(|list| list.lines().any(|line| line == path));
    let boards = [
        ("replies", scoreboard::replies("replies.tsv")),
        ("greylisting", scoreboard::replies("greylist_wordings.tsv")),
        ("log lines", scoreboard::log_lines()),
        ("bounces", scoreboard::bounces(wanted)),
    ];
    for (name, board) in boards.iter().skip(if list.is_some() { 3 } else { 0 }) {
        if let Some(board) = board {
            board.print(name);
        }
    }
}
