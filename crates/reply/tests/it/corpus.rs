//! Floors under what is understood of other people's mail; skipped, with a line that says
//! so, where it does not lie beside the checkout.

use crate::scoreboard::{Board, bounces, log_lines, replies};

#[track_caller]
fn check(name: &str, board: Option<Board>, of: fn(&Board) -> f64, floor: f64) {
    let Some(board) = board else { return };
    let part = of(&board);
    if part < floor {
        board.print(name);
    }
    assert!(part >= floor, "{name}: {part:.3} is below {floor}");
}

#[test]
fn replies_of_the_field_are_understood() {
    check("replies.tsv", replies("replies.tsv"), |board| board.cause.part(), 0.97);
    check("greylisting", replies("greylist_wordings.tsv"), |board| board.cause.part(), 0.97);
}

#[test]
fn hints_of_the_field_are_read() {
    check("replies.tsv", replies("replies.tsv"), |board| board.hint.part(), 0.98);
}

#[test]
fn bounces_of_the_field_are_understood() {
    check("bounces", bounces(|_| true), |board| board.cause.part(), 0.97);
}

#[test]
fn recipients_and_codes_of_bounces_are_read() {
    check("bounces", bounces(|_| true), |board| board.recipient.part(), 0.97);
    check("bounces", bounces(|_| true), |board| board.code.part(), 0.97);
    check("bounces", bounces(|_| true), |board| board.status.part(), 0.97);
}

#[test]
fn no_failure_is_called_a_delay_nor_the_reverse() {
    check("bounces", bounces(|_| true), |board| board.permanence.part(), 1.0);
}

#[test]
fn log_lines_of_the_field_are_understood() {
    check("loglines.tsv", log_lines(), |board| board.cause.part(), 0.97);
}
