//! Every dialog of `tests/dialogs`, in one piece, octet by octet, and in pieces that cut
//! line ends: what the server says must not depend on how the octets arrive.

use crate::dialog::{Act, Dialog, files, matches};
use crate::shell::Shell;

fn check(piece: usize) {
    for path in files() {
        play(&Dialog::read(&path), piece);
    }
}

#[test]
fn dialogs_are_as_written() {
    check(usize::MAX);
}

#[test]
fn dialogs_are_as_written_octet_by_octet() {
    check(1);
}

#[test]
fn dialogs_are_as_written_in_odd_pieces() {
    for piece in [2, 3, 7, 64] {
        check(piece);
    }
}

/// Plays a dialog with octets in pieces of at most `piece`.
fn play(dialog: &Dialog, piece: usize) {
    let mut shell = Shell::new(dialog.options.clone());
    let mut acts = dialog.acts.iter().peekable();
    while let Some((number, act)) = acts.next() {
        let at = format!("{}:{number} (pieces of {piece})", dialog.name);
        match act {
            Act::Client(octets) => {
                // Lines without a reply between them travel together.
                let mut group = octets.clone();
                while let Some((_, Act::Client(more))) = acts.peek() {
                    group.extend(more);
                    acts.next();
                }
                shell.hear(&group, piece);
            }
            Act::Server(expected) => {
                let said = next_line(&mut shell.said, &at);
                assert!(matches(expected, &said), "{at}: expected `{expected}`, heard `{said}`");
            }
            Act::Wait(time) => shell.wait(*time),
            Act::Disk(disk) => shell.disk = *disk,
            Act::ShutDown => shell.shut_down(),
            Act::HangUp => shell.hang_up(),
            Act::Closed => assert!(shell.closed && shell.said.is_empty(), "{at}: not closed"),
            Act::Silent => assert!(shell.said.is_empty() && !shell.closed, "{at}: not silent"),
            Act::Stored(octets) => {
                let last = shell.messages.last().unwrap_or_else(|| panic!("{at}: no message"));
                let stored = String::from_utf8_lossy(&last.octets);
                assert!(last.octets.ends_with(octets), "{at}: stored is {stored:?}");
            }
            Act::Messages(count) => assert_eq!(shell.messages.len(), *count, "{at}"),
        }
    }
    let rest = String::from_utf8_lossy(&shell.said).into_owned();
    assert!(rest.is_empty(), "{}: the server also said `{rest}`", dialog.name);
    assert!(!(shell.closed && shell.has_draft()), "{}: a draft is left open", dialog.name);
}

fn next_line(said: &mut Vec<u8>, at: &str) -> String {
    let end = said.windows(2).position(|pair| pair == b"\r\n");
    let end = end.unwrap_or_else(|| panic!("{at}: the server said nothing"));
    let line: Vec<u8> = said.drain(..end + 2).collect();
    assert!(line.len() <= 512 && line.is_ascii(), "{at}: no lawful reply line");
    String::from_utf8_lossy(&line[..end]).into_owned()
}
