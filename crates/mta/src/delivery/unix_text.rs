//! A message as it lies in a mailbox of this machine: lines end with LF, the last one too,
//! and in an mbox a line that looks like a separator is quoted. Works piece by piece, so a
//! long line costs no memory.

use std::io::{self, Read, Write};

use super::return_path::WithoutReturnPath;

/// What begins a message in an mbox.
const FROM: &[u8] = b"From ";
/// How much is read at a time.
const CHUNK_OCTETS: usize = 64 * 1024;

/// Turns CRLF into LF; other octets, a bare CR among them, stay.
#[derive(Debug)]
pub(super) struct UnixText {
    quotes_from: bool,
    after_cr: bool,
    /// How much of `From ` was seen at the start of the line; `None` elsewhere in it.
    matched: Option<usize>,
    ends_with_line: bool,
}

impl UnixText {
    /// For a Maildir, or with `quotes_from` for an mbox (mboxrd: `>` before any number of
    /// `>` and `From `, so that it can be undone).
    pub(super) const fn new(quotes_from: bool) -> UnixText {
        UnixText { quotes_from, after_cr: false, matched: Some(0), ends_with_line: true }
    }

    /// Appends `octets` to `out` in their new form.
    pub(super) fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for octet in octets {
            if self.after_cr && *octet != b'\n' {
                self.put(b'\r', out);
            }
            self.after_cr = *octet == b'\r';
            if !self.after_cr {
                self.put(*octet, out);
            }
        }
    }

    /// Ends the message.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.after_cr) {
            self.put(b'\r', out);
        }
        self.release(out);
        if !self.ends_with_line {
            self.put(b'\n', out);
        }
    }

    fn put(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.ends_with_line = octet == b'\n';
        match self.matched.filter(|_| self.quotes_from) {
            Some(0) if octet == b'>' => out.push(octet),
            Some(seen) if octet == FROM[seen] => self.go_on_matching(seen + 1, out),
            _ => {
                self.release(out);
                out.push(octet);
                self.matched = self.ends_with_line.then_some(0);
            }
        }
    }

    fn go_on_matching(&mut self, seen: usize, out: &mut Vec<u8>) {
        self.matched = Some(seen);
        if seen == FROM.len() {
            out.push(b'>');
            self.release(out);
        }
    }

    /// Appends what was held back.
    fn release(&mut self, out: &mut Vec<u8>) {
        if let Some(seen) = self.matched.take() {
            out.extend_from_slice(&FROM[..seen]);
        }
    }
}

/// Where copying failed.
pub(super) enum CopyError {
    /// The message could not be read.
    Read(io::Error),
    /// The mailbox could not be written.
    Write(io::Error),
}

/// Writes `head` and `body` to `to`, without Return-Path fields of the body: `head` has
/// ours. How many octets that were.
pub(super) fn copy(
    head: &[u8],
    body: &mut dyn Read,
    mut text: UnixText,
    to: &mut dyn Write,
) -> Result<u64, CopyError> {
    let mut chunk = vec![0; CHUNK_OCTETS];
    let mut out = Vec::with_capacity(CHUNK_OCTETS + CHUNK_OCTETS / 4);
    let mut written = 0;
    let mut filter = WithoutReturnPath::new();
    text.push(head, &mut out);
    loop {
        let read = match body.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        text.push(&filter.keep(&chunk[..read]), &mut out);
        written += flush(&mut out, to)?;
    }
    text.push(&filter.rest(), &mut out);
    text.finish(&mut out);
    Ok(written + flush(&mut out, to)?)
}

fn flush(out: &mut Vec<u8>, to: &mut dyn Write) -> Result<u64, CopyError> {
    to.write_all(out).map_err(CopyError::Write)?;
    let written = out.len() as u64;
    out.clear();
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turned(pieces: &[&[u8]], quotes_from: bool) -> Vec<u8> {
        let (mut text, mut out) = (UnixText::new(quotes_from), Vec::new());
        for piece in pieces {
            text.push(piece, &mut out);
        }
        text.finish(&mut out);
        out
    }

    fn check(given: &str, maildir: &str, mbox: &str) {
        let said = |quotes| String::from_utf8(turned(&[given.as_bytes()], quotes)).unwrap();
        assert_eq!((said(false), said(true)), (maildir.into(), mbox.into()), "{given:?}");
    }

    #[test]
    fn lines_end_with_lf_and_separators_are_quoted() {
        check("a\r\nb\r\n", "a\nb\n", "a\nb\n");
        check("", "", "");
        check("a", "a\n", "a\n");
        check("a\r", "a\r\n", "a\r\n");
        check("a\r\r\nb\rc\n", "a\r\nb\rc\n", "a\r\nb\rc\n");
        check("From me\r\n", "From me\n", ">From me\n");
        check(">>From me\r\nx", ">>From me\nx\n", ">>>From me\nx\n");
        check("Fro\r\nFrom", "Fro\nFrom\n", "Fro\nFrom\n");
        check("x From y\r\nFrFrom z\r\n", "x From y\nFrFrom z\n", "x From y\nFrFrom z\n");
        check("> >From a\r\n", "> >From a\n", "> >From a\n");
    }

    proptest! {
        #[test]
        fn where_it_is_cut_makes_no_difference(
            text in "([>From \r\n]|a){0,40}", at in 0usize..40, quotes: bool
        ) {
            let octets = text.as_bytes();
            let (head, tail) = octets.split_at(at.min(octets.len()));
            prop_assert_eq!(turned(&[head, tail], quotes), turned(&[octets], quotes));
        }

        #[test]
        fn quoting_can_be_undone_and_leaves_no_separator(text in "([>From \n]|From ){0,40}") {
            let quoted = String::from_utf8(turned(&[text.as_bytes()], true)).unwrap();
            prop_assert!(quoted.lines().all(|line| !line.starts_with("From ")));
            let undone = |line: &str| {
                let is_quoted = line.trim_start_matches('>').starts_with("From ");
                line.strip_prefix('>').filter(|_| is_quoted).unwrap_or(line).to_owned() + "\n"
            };
            let plain = String::from_utf8(turned(&[text.as_bytes()], false)).unwrap();
            prop_assert_eq!(quoted.split_terminator('\n').map(undone).collect::<String>(), plain);
        }
    }
}
