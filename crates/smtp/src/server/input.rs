//! Command lines out of octets, in bounded memory: what is too long is forgotten up to
//! its end, and the session goes on.

use memchr::memchr_iter;

use reply::{Answer, catalogue};

/// One command line without its CRLF, or why it is none.
pub(super) type Line = Result<String, Answer>;

/// Collects one line after another. Only CRLF ends a line (RFC 5321 §2.3.8): with a bare
/// LF in it the whole is one line that is refused, so that two commands are never made out
/// of what another server takes for one.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
    too_long: bool,
    after_cr: bool,
}

impl Lines {
    /// Takes octets up to the end of one line; gives it where it is whole.
    pub(super) fn take(&mut self, input: &[u8], limit: usize) -> (usize, Option<Line>) {
        let end = self.line_end(input);
        let taken = &input[..end.unwrap_or(input.len())];
        let room = limit.saturating_sub(self.partial.len());
        self.too_long |= taken.len() > room;
        self.partial.extend_from_slice(&taken[..taken.len().min(room)]);
        self.after_cr = taken.last().map_or(self.after_cr, |octet| *octet == b'\r');
        (taken.len(), end.map(|_| self.finish(limit)))
    }

    /// Where the first CRLF ends.
    fn line_end(&self, input: &[u8]) -> Option<usize> {
        let after_cr = |at: usize| if at == 0 { self.after_cr } else { input[at - 1] == b'\r' };
        memchr_iter(b'\n', input).find(|at| after_cr(*at)).map(|at| at + 1)
    }

    fn finish(&mut self, limit: usize) -> Line {
        let line = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.too_long) {
            return Err(catalogue::line_too_long(limit));
        }
        let line = line.strip_suffix(b"\r\n").unwrap_or(&line);
        let white = |octet: &u8| matches!(octet, b' ' | b'\t');
        let end = line.iter().rposition(|octet| !white(octet)).map_or(0, |at| at + 1);
        let content = &line[..end];
        if content.iter().any(u8::is_ascii_control) {
            return Err(catalogue::control_characters());
        }
        String::from_utf8(content.to_vec()).map_err(|_| catalogue::command_not_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wire: &[u8], expected: Result<&str, &str>) {
        for size in 1..=wire.len() {
            let mut lines = Lines::default();
            let mut last = None;
            for piece in wire.chunks(size) {
                let (used, line) = lines.take(piece, 20);
                assert!(used == piece.len() || line.is_some());
                last = line.or(last);
            }
            let line = last.expect("the line is whole").map_err(|answer| answer.row().id);
            assert_eq!(line.as_deref().map_err(|id| *id), expected, "{wire:?} by {size}");
            assert!(lines.partial.is_empty() && !lines.too_long);
        }
    }

    #[test]
    fn lines_end_with_crlf_and_hold_no_controls() {
        check(b"NOOP\r\n", Ok("NOOP"));
        check(b"NOOP \t\r\n", Ok("NOOP"));
        check(b"\r\n", Ok(""));
        check("NOOP \u{e9}\r\n".as_bytes(), Ok("NOOP \u{e9}"));
        for wire in [
            &b"NOOP\nNOOP\r\n"[..],
            b"\n\r\n",
            b"NO\0OP\r\n",
            b"NO\rOP\r\n",
            b"NOOP\r\r\n",
            b"\x7f\r\n",
            b"A\tB\r\n",
        ] {
            check(wire, Err("control_characters"));
        }
        check(b"NOOP \xff\r\n", Err("command_not_ascii"));
    }

    #[test]
    fn a_line_over_its_limit_is_forgotten_in_bounded_memory() {
        check(&[&[b'x'; 18][..], b"\r\n"].concat(), Ok("xxxxxxxxxxxxxxxxxx"));
        check(&[&[b'x'; 19][..], b"\r\n"].concat(), Err("line_too_long"));
        let mut lines = Lines::default();
        for _ in 0..10_000 {
            assert_eq!(lines.take(&[b'x'; 1000], 4096).1, None);
            assert!(lines.partial.capacity() <= 8192);
        }
        assert!(lines.take(b"\r\n", 4096).1.unwrap().is_err());
        assert_eq!(lines.take(b"NOOP\r\n", 4096).1.unwrap(), Ok("NOOP".into()));
    }
}
