//! The data of a message, read in pieces: from the spool, or converted in memory.

use std::fmt;
use std::io;
use std::sync::Arc;

use queue::QueueId;
use smtp::message::convert;

/// Reads the data of queued messages. Blocks.
pub trait ReadMessage: Send + Sync + 'static {
    /// Fills `into` from `offset` on; returns how many octets it read, 0 at the end.
    ///
    /// # Errors
    /// Where the message is gone, damaged or cannot be read.
    fn read_at(&self, id: QueueId, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

/// The data of one message. Cheap to clone.
#[derive(Clone)]
pub struct Body {
    source: Source,
    octets: u64,
}

#[derive(Clone)]
enum Source {
    Queued { reader: Arc<dyn ReadMessage>, id: QueueId },
    Memory(Arc<Vec<u8>>),
}

/// What is read at once where a whole message is looked at.
const PIECE_OCTETS: usize = 64 * 1024;

/// Where a message has octets beyond ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EightBit {
    /// In the header.
    pub header: bool,
    /// After it.
    pub body: bool,
}

impl Body {
    /// A message of the queue, of `octets`.
    pub fn queued(reader: Arc<dyn ReadMessage>, id: QueueId, octets: u64) -> Body {
        Body { source: Source::Queued { reader, id }, octets }
    }

    /// A message in memory.
    pub fn in_memory(octets: Arc<Vec<u8>>) -> Body {
        let length = octets.len() as u64;
        Body { source: Source::Memory(octets), octets: length }
    }

    /// Its length.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// At most `at_most` octets from `offset` on, fewer only at the end. Blocks.
    ///
    /// # Errors
    /// Where the spool cannot give them, or ends before the message does.
    pub fn read(&self, offset: u64, at_most: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.octets.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = at_most.min(left);
        match &self.source {
            Source::Memory(octets) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(octets.len());
                Ok(octets[start..start + count].to_vec())
            }
            Source::Queued { reader, id } => {
                let mut piece = vec![0; count];
                fill(reader.as_ref(), *id, offset, &mut piece)?;
                Ok(piece)
            }
        }
    }

    /// [`Body::read`] for the reactor.
    ///
    /// # Errors
    /// As there.
    pub async fn piece(&self, offset: u64, at_most: usize) -> io::Result<Vec<u8>> {
        if let Source::Memory(_) = self.source {
            return self.read(offset, at_most);
        }
        let body = self.clone();
        tokio::task::spawn_blocking(move || body.read(offset, at_most)).await?
    }

    /// Looks for octets beyond ASCII. Reads the whole message, in pieces; blocks.
    ///
    /// # Errors
    /// As for [`Body::read`].
    pub fn eight_bit(&self) -> io::Result<EightBit> {
        let mut found = EightBit::default();
        let mut header_end = HeaderEnd::default();
        let mut offset = 0;
        while offset < self.octets && !found.body {
            let piece = self.read(offset, PIECE_OCTETS)?;
            offset += piece.len() as u64;
            let header = header_end.octets_of_header(&piece);
            found.header |= !piece[..header].is_ascii();
            found.body |= !piece[header..].is_ascii();
        }
        Ok(found)
    }

    /// Whether a header at any level of MIME has octets beyond ASCII. Holds the message in
    /// memory; blocks.
    ///
    /// # Errors
    /// As for [`Body::read`].
    pub fn has_eight_bit_header(&self) -> io::Result<bool> {
        let all = usize::try_from(self.octets).map_err(|_| io::ErrorKind::OutOfMemory)?;
        Ok(convert::has_eight_bit_header(&self.read(0, all)?))
    }

    /// The message in seven bits (RFC 6152 §3). Holds it in memory, up to three times;
    /// blocks.
    ///
    /// # Errors
    /// It cannot be read, or not be converted without breaking it.
    pub fn in_seven_bits(&self) -> Result<Body, Unconverted> {
        let all = usize::try_from(self.octets).map_err(|_| Unconverted::TooBig)?;
        let octets = self.read(0, all).map_err(Unconverted::Unreadable)?;
        let converted = convert::convert(&octets).map_err(Unconverted::Impossible)?;
        Ok(Body::in_memory(Arc::new(converted)))
    }
}

/// Why a message stays in eight bits.
#[derive(Debug)]
pub enum Unconverted {
    /// It could not be read; later it may.
    Unreadable(io::Error),
    /// It does not fit in memory.
    TooBig,
    /// It would not be the same message.
    Impossible(convert::CannotConvert),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("octets", &self.octets).finish_non_exhaustive()
    }
}

fn fill(
    reader: &dyn ReadMessage,
    id: QueueId,
    mut offset: u64,
    mut piece: &mut [u8],
) -> io::Result<()> {
    while !piece.is_empty() {
        let read = reader.read_at(id, offset, piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset += read as u64;
        piece = &mut piece[read..];
    }
    Ok(())
}

/// Finds the empty line after the header, across pieces.
#[derive(Debug, Default)]
struct HeaderEnd {
    over: bool,
    /// How much of `CRLF CRLF` stands at the end of what was seen; a message may begin
    /// with the empty line.
    seen: usize,
    begun: bool,
}

impl HeaderEnd {
    /// How many octets at the start of `piece` still belong to the header.
    fn octets_of_header(&mut self, piece: &[u8]) -> usize {
        if self.over {
            return 0;
        }
        if !self.begun && !piece.is_empty() {
            self.begun = true;
            self.seen = 2;
        }
        for (index, octet) in piece.iter().enumerate() {
            self.seen = match (octet, self.seen) {
                (b'\r', 2) => 3,
                (b'\r', _) => 1,
                (b'\n', 1) => 2,
                (b'\n', 3) => {
                    self.over = true;
                    return index + 1;
                }
                _ => 0,
            };
        }
        piece.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte or two at a time.
    struct Slow(Vec<u8>);

    impl ReadMessage for Slow {
        fn read_at(&self, _: QueueId, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            let left = &self.0[(offset as usize).min(self.0.len())..];
            let count = left.len().min(into.len()).min(2);
            into[..count].copy_from_slice(&left[..count]);
            Ok(count)
        }
    }

    fn queued(octets: &[u8], claimed: u64) -> Body {
        Body::queued(Arc::new(Slow(octets.to_vec())), QueueId::from_number(1).unwrap(), claimed)
    }

    #[test]
    fn pieces_are_whole_and_a_message_that_ends_early_is_an_error() {
        let body = queued(b"0123456789", 10);
        assert_eq!(body.read(3, 4).unwrap(), b"3456");
        assert_eq!(body.read(8, 4).unwrap(), b"89");
        assert_eq!(body.read(10, 4).unwrap(), b"");
        assert_eq!(body.read(99, 4).unwrap(), b"");
        assert!(queued(b"0123", 10).read(0, 8).is_err());
        assert_eq!(Body::in_memory(Arc::new(b"0123456789".to_vec())).read(8, 4).unwrap(), b"89");
    }

    #[test]
    fn octets_beyond_ascii_are_found_in_header_and_body() {
        let check = |octets: &[u8], header: bool, body: bool| {
            let found = queued(octets, octets.len() as u64).eight_bit().unwrap();
            assert_eq!(found, EightBit { header, body }, "{octets:?}");
        };
        check(b"A: b\r\n\r\nbody\r\n", false, false);
        check(b"A: \xc3\xa9\r\n\r\nbody\r\n", true, false);
        check(b"A: b\r\n\r\n\xc3\xa9\r\n", false, true);
        check(b"\r\n\xc3\xa9\r\n", false, true);
        check(b"A: \xc3\xa9\r\n\r\r\nmore", true, false);
    }
}
