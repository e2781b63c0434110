//! Many texts at once: one a line, answered by one object a line, in order. An answer is made
//! when the client takes it: the first come at once, and never more than a piece is held.
//!
//! The request is read to its end before: a client that reads no answer until it has written
//! all would otherwise wait for us, and we for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;
use reply::Language;
use reply::heard::read_any;

use super::{nothing_heard, result};

/// Octets of answers that are made at a time, and the rest of a line.
const PIECE_OCTETS: usize = 16 * 1024;

/// The answers to the lines of `octets`.
pub(super) fn answers(octets: Bytes, language: Language) -> Body {
    Body::new(Answers { lines: octets, language })
}

/// Answers that are not made yet.
struct Answers {
    /// The lines that are left.
    lines: Bytes,
    language: Language,
}

impl Answers {
    /// The next answers; empty behind the last.
    fn piece(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < PIECE_OCTETS && !self.lines.is_empty() {
            let end = memchr::memchr(b'\n', &self.lines).map_or(self.lines.len(), |end| end + 1);
            let line = self.lines.split_to(end);
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            out.extend_from_slice(answer(line, self.language).as_bytes());
            out.push(b'\n');
        }
        out
    }
}

impl HttpBody for Answers {
    type Data = Bytes;
    type Error = Infallible;

    /// Always ready: what is told was read before.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.piece();
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(Bytes::from(piece)))))
    }
}

/// What is first heard in the line. A line without a reply has its answer as well, so that the
/// answers stand as the lines do. A JSON string is a text that spans lines.
fn answer(line: &[u8], language: Language) -> String {
    let text: Option<String> = match line.first() {
        Some(b'"') => serde_json::from_slice(line).ok(),
        _ => None,
    };
    let heard = read_any(text.as_deref().map_or(line, str::as_bytes)).into_iter().next();
    heard.map_or_else(nothing_heard, |heard| result(&heard, language)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_made_piece_by_piece_and_none_is_lost() {
        let lines = "450 4.2.0 greylisted\n\nnothing\n".repeat(500) + "550 5.1.1 no such user";
        let mut answers = Answers { lines: Bytes::from(lines), language: Language::En };
        let mut pieces = Vec::new();
        loop {
            let left = answers.lines.len();
            let piece = answers.piece();
            if piece.is_empty() {
                break;
            }
            assert!(answers.lines.len() < left);
            // One answer is far shorter than this.
            assert!(piece.len() < PIECE_OCTETS + 8 * 1024, "{}", piece.len());
            pieces.push(String::from_utf8(piece).unwrap());
        }
        assert!(pieces.len() > 10, "{}", pieces.len());
        let all = pieces.concat();
        assert_eq!(all.lines().count(), 1501);
        assert!(all.lines().last().unwrap().contains("mailbox-unknown"));
    }
}
