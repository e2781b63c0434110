//! Takes Return-Path fields out of a message's header while it is delivered: final
//! delivery writes one of its own, and a message has one at most (RFC 5321 §4.4).
//!
//! Works piece by piece and holds back no more than the field's name. On the way through,
//! the header is nobody's to look at; this is for mailboxes of this machine alone.

use std::borrow::Cow;

const NAME: &[u8] = b"return-path:";

/// What an octet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The start of a line of the header.
    LineStart,
    /// The first octets of a line, which spell the name so far.
    Name,
    /// A line that stays.
    Kept,
    /// A line that goes.
    Dropped,
    /// The start of the line after one that goes: white space makes it go, too.
    AfterDropped,
    /// What follows the header.
    Body,
}

/// The filter of one message.
#[derive(Debug)]
pub(super) struct WithoutReturnPath {
    at: At,
    /// As many octets as spell the name so far, as they came.
    held: Vec<u8>,
}

impl WithoutReturnPath {
    pub(super) const fn new() -> WithoutReturnPath {
        WithoutReturnPath { at: At::LineStart, held: Vec::new() }
    }

    /// What of these octets stays.
    pub(super) fn keep<'a>(&mut self, octets: &'a [u8]) -> Cow<'a, [u8]> {
        if self.at == At::Body {
            return Cow::Borrowed(octets);
        }
        let mut kept = Vec::with_capacity(octets.len() + NAME.len());
        for (index, octet) in octets.iter().enumerate() {
            self.octet(*octet, &mut kept);
            if self.at == At::Body {
                kept.extend_from_slice(&octets[index + 1..]);
                break;
            }
        }
        Cow::Owned(kept)
    }

    /// What was held back at the end of the message.
    pub(super) fn rest(self) -> Vec<u8> {
        self.held
    }

    fn octet(&mut self, octet: u8, kept: &mut Vec<u8>) {
        match (self.at, octet) {
            (At::AfterDropped, b' ' | b'\t') => self.at = At::Dropped,
            (At::Dropped, octet) => {
                if octet == b'\n' {
                    self.at = At::AfterDropped;
                }
            }
            (At::Kept | At::Body, octet) => self.put(octet, kept),
            (At::LineStart | At::AfterDropped, b'\r' | b'\n') => {
                self.at = At::Body;
                kept.push(octet);
            }
            (At::LineStart | At::AfterDropped | At::Name, octet) => self.spell(octet, kept),
        }
    }

    fn spell(&mut self, octet: u8, kept: &mut Vec<u8>) {
        if !NAME[self.held.len()].eq_ignore_ascii_case(&octet) {
            kept.append(&mut self.held);
            return self.put(octet, kept);
        }
        self.held.push(octet);
        self.at = At::Name;
        if self.held.len() == NAME.len() {
            self.held.clear();
            self.at = At::Dropped;
        }
    }

    fn put(&mut self, octet: u8, kept: &mut Vec<u8>) {
        kept.push(octet);
        self.at = if octet == b'\n' { At::LineStart } else { At::Kept };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: &str) {
        for size in 1..=message.len() {
            let mut filter = WithoutReturnPath::new();
            let mut kept = Vec::new();
            for piece in message.as_bytes().chunks(size) {
                kept.extend_from_slice(&filter.keep(piece));
            }
            kept.extend(filter.rest());
            assert_eq!(String::from_utf8_lossy(&kept), expected, "{message:?} by {size}");
        }
    }

    #[test]
    fn only_return_path_fields_of_the_header_go() {
        rfc!(5321, "4.4");
        check("Return-Path: <a>\r\nA: 1\r\n\r\nb", "A: 1\r\n\r\nb");
        check("A: 1\r\nRETURN-path:\r\n <a>\r\n\t(c)\r\nB: 2\r\n\r\n", "A: 1\r\nB: 2\r\n\r\n");
        check("Return-Path: a\nReturn-Path: b\n\nReturn-Path: c\n", "\nReturn-Path: c\n");
        check("A: 1\r\n Return-Path: x\r\n\r\n", "A: 1\r\n Return-Path: x\r\n\r\n");
        check(
            "X-Return-Path: x\r\nReturn-Path-X: y\r\nReturn",
            "X-Return-Path: x\r\nReturn-Path-X: y\r\nReturn",
        );
        check("\r\nReturn-Path: in the body\r\n", "\r\nReturn-Path: in the body\r\n");
        check("Return-Path: a", "");
    }
}
