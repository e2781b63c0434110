//! Mails in one file, each behind a line that begins with "From " (RFC 4155): [`mails`] of
//! what is in memory, [`MailReader`] of a stream of any length.

use memchr::{memchr, memmem};

use super::MAX_MAIL_OCTETS;

/// Most octets of a "From " line that are looked at.
const MAX_ENVELOPE_LINE: usize = 1024;
/// Most octets of the name of the field below it.
const MAX_FIELD_NAME: usize = 80;
/// From a line end before a "From " line, what decides whether a mail begins there.
const LOOKAHEAD: usize = "\nFrom ".len() + MAX_ENVELOPE_LINE + "\n".len() + MAX_FIELD_NAME;
/// What stands before a "From " line: the empty line that ends the mail before.
const EMPTY_LINE: usize = "\r\n\r\n".len();

/// The mails in `octets`; all of it where it is no mbox.
pub fn mails(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_mbox = begins_mail(octets);
    let mut rest = Some(octets);
    std::iter::from_fn(move || {
        let all = rest.take()?;
        let end = if is_mbox { next_mail(all) } else { None };
        let (mail, others) = end.map_or((all, None), |at| (&all[..at], Some(&all[at..])));
        rest = others;
        Some(mail)
    })
}

/// Where the next mail begins behind the first: after an empty line.
fn next_mail(octets: &[u8]) -> Option<usize> {
    memmem::find_iter(octets, b"\nFrom ").map(|at| at + 1).find(|at| parts_mails(octets, *at))
}

/// Whether one mail ends and another begins at `at`.
fn parts_mails(octets: &[u8], at: usize) -> bool {
    let before = &octets[..at];
    let is_after_empty_line = before.ends_with(b"\n\n") || before.ends_with(b"\r\n\r\n");
    is_after_empty_line && begins_mail(&octets[at..])
}

/// Whether a "From " line with a date stands there, and a header field below it. In
/// returned messages such lines stand as well, and mean nothing there.
fn begins_mail(octets: &[u8]) -> bool {
    let Some(line) = octets.strip_prefix(b"From ") else { return false };
    let Some(end) = memchr(b'\n', &line[..line.len().min(MAX_ENVELOPE_LINE)]) else { return false };
    let (line, below) = line.split_at(end);
    let has_time = line
        .windows(3)
        .any(|three| three[1] == b':' && three[0].is_ascii_digit() && three[2].is_ascii_digit());
    let below = &below[1..];
    let field =
        memchr(b':', &below[..below.len().min(MAX_FIELD_NAME)]).map(|colon| &below[..colon]);
    let is_name =
        |name: &[u8]| name.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    has_time && field.is_some_and(|name| !name.is_empty() && is_name(name))
}

/// A mail of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Mail<'a> {
    /// Its octets, at most [`MAX_MAIL_OCTETS`].
    pub octets: &'a [u8],
    /// Where it begins, in octets from the beginning of the stream.
    pub at: u64,
    /// How long it is, with what was passed over.
    pub length: u64,
}

impl Mail<'_> {
    /// Where it ends, in octets from the beginning of the stream.
    pub fn ends_at(&self) -> u64 {
        self.at + self.length
    }

    /// Whether its end was passed over.
    pub fn is_cut(&self) -> bool {
        self.length > self.octets.len() as u64
    }
}

/// Reads mails as their octets come, however these were cut into pieces, and holds one mail
/// at a time. What is no mbox is one mail.
///
/// ```
/// use reply::heard::mbox::MailReader;
///
/// let mut reader = MailReader::new();
/// reader.push(b"From a Thu Apr 29 23:34:45 2010\nTo: b\n\nhel");
/// assert!(reader.next_mail().is_none());
/// reader.push(b"lo\n");
/// reader.finish();
/// assert!(reader.next_mail().is_some_and(|mail| mail.octets.ends_with(b"\n\nhello\n")));
/// assert!(reader.next_mail().is_none());
/// ```
#[derive(Debug, Default)]
pub struct MailReader {
    /// What came; before `from` it is done with, before `searched` no mail ends.
    window: Vec<u8>,
    from: usize,
    searched: usize,
    /// The mail that is being read, as far as it is kept, and how long it is so far.
    mail: Vec<u8>,
    length: u64,
    at: u64,
    is_mbox: Option<bool>,
    is_told: bool,
    has_ended: bool,
}

impl MailReader {
    /// A reader that has seen nothing.
    pub fn new() -> MailReader {
        MailReader::default()
    }

    /// Takes more octets. They are held until [`MailReader::next_mail`] has given `None`.
    pub fn push(&mut self, octets: &[u8]) {
        self.window.drain(..self.from);
        self.searched -= self.from;
        self.from = 0;
        self.window.extend_from_slice(octets);
    }

    /// There are no more octets: what is left is the last mail.
    pub fn finish(&mut self) {
        self.has_ended = true;
    }

    /// Whether [`MailReader::finish`] was called.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// The next mail that is whole; `None` until more octets have come, or for good behind
    /// the last.
    pub fn next_mail(&mut self) -> Option<Mail<'_>> {
        self.forget_the_last();
        let end = match self.end_of_mail()? {
            Some(end) => end,
            None if self.has_ended && self.length + self.left() > 0 => self.window.len(),
            None => {
                // The end of an empty line may still be what parts two mails.
                self.keep_up_to(self.searched.saturating_sub(EMPTY_LINE).max(self.from));
                return None;
            }
        };
        self.keep_up_to(end);
        self.searched = end;
        self.is_told = true;
        Some(Mail { octets: &self.mail, at: self.at, length: self.length })
    }

    fn forget_the_last(&mut self) {
        if self.is_told {
            self.at += self.length;
            (self.length, self.is_told) = (0, false);
            self.mail.clear();
        }
    }

    fn left(&self) -> u64 {
        (self.window.len() - self.from) as u64
    }

    /// Where the mail that is being read ends, if that is in the window; nothing as long as
    /// too little came to tell whether this is an mbox.
    fn end_of_mail(&mut self) -> Option<Option<usize>> {
        if self.is_mbox.is_none() && (self.has_ended || self.window.len() >= LOOKAHEAD) {
            self.is_mbox = Some(begins_mail(&self.window));
        }
        if !self.is_mbox? {
            self.searched = self.window.len();
            return Some(None);
        }
        while let Some(found) = memmem::find(&self.window[self.searched..], b"\nFrom ") {
            let line_end = self.searched + found;
            if self.window.len() - line_end < LOOKAHEAD && !self.has_ended {
                self.searched = line_end;
                return Some(None);
            }
            self.searched = line_end + 1;
            if parts_mails(&self.window[self.from..], line_end + 1 - self.from) {
                return Some(Some(line_end + 1));
            }
        }
        // The window may end within such a line end.
        let may_begin = self.window.len().saturating_sub(b"\nFrom".len());
        self.searched = self.searched.max(may_begin);
        Some(None)
    }

    /// What stands before `end` belongs to the mail.
    fn keep_up_to(&mut self, end: usize) {
        let octets = &self.window[self.from..end];
        let room = MAX_MAIL_OCTETS - self.mail.len();
        self.mail.extend_from_slice(&octets[..octets.len().min(room)]);
        self.length += octets.len() as u64;
        self.from = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_told_apart_and_a_from_in_a_text_is_none() {
        let two = b"From a Thu Apr 29 23:34:45 2010\nTo: b\n\nFrom here on\n\nFrom now on, it is 10:30\nhello\n\nFrom c Thu Apr 29 23:34:45 2010\nTo: d\n\nx\n";
        let all: Vec<&[u8]> = mails(two).collect();
        assert_eq!(all.len(), 2);
        assert!(all[1].starts_with(b"From c "));
        assert_eq!(mails(b"To: b\n\nFrom c Thu Apr 29 23:34:45 2010\nTo: d\n").count(), 1);
    }

    const MAILS: &[u8] = b"From a Thu Apr 29 23:34:45 2010\r\nTo: b\r\n\r\nFrom here on\r\n\r\nFrom now on, it is 10:30\r\nhello\r\n\r\nFrom c Thu Apr 29 23:34:45 2010\r\nTo: d\r\n\r\nx\r\n\r\nFrom \n\nFrom e Thu Apr 29 23:34:45 2010\nTo: f\n\n\nFrom g Thu Apr 29 23:34:45 2010\nTo: h";

    /// The mails of a stream that comes in pieces of `size` octets: where each begins, and it.
    fn streamed(octets: &[u8], size: usize) -> Vec<(u64, Vec<u8>)> {
        let (mut reader, mut seen) = (MailReader::new(), Vec::new());
        let mut tell = |reader: &mut MailReader| {
            while let Some(mail) = reader.next_mail() {
                assert!(!mail.is_cut());
                seen.push((mail.at, mail.octets.to_vec()));
            }
        };
        for piece in octets.chunks(size) {
            reader.push(piece);
            tell(&mut reader);
        }
        reader.finish();
        tell(&mut reader);
        seen
    }

    fn check_streamed(octets: &[u8], sizes: impl Iterator<Item = usize>) {
        let mut at = 0;
        let mut wanted = Vec::new();
        for mail in mails(octets).filter(|mail| !mail.is_empty()) {
            wanted.push((at, mail.to_vec()));
            at += mail.len() as u64;
        }
        for size in sizes {
            assert_eq!(streamed(octets, size), wanted, "pieces of {size}");
        }
    }

    #[test]
    fn a_stream_has_the_mails_of_the_whole_wherever_it_is_cut() {
        check_streamed(MAILS, 1..MAILS.len() + 1);
        check_streamed(&MAILS[1..], 1..40);
        check_streamed(b"", 1..2);
        check_streamed(b"From ", 1..6);
        // What decides lies further behind than one piece.
        let long = [b"From a ".as_slice(), &b"x".repeat(900), b" 10:30\nTo: b\n\n"].concat();
        check_streamed(&long.repeat(5), [1, 7, 600, 1000, 1111, 4096].into_iter());
    }

    #[test]
    fn a_mail_that_is_too_long_is_cut_and_the_next_is_whole() {
        let (head, next) = (b"From a 10:30\nTo: b\n\n", b"\n\nFrom c 10:31\nTo: d\n\nx\n");
        let mut reader = MailReader::new();
        reader.push(head);
        let piece = [b'y'; 64 * 1024];
        let mut body = 0;
        while body <= MAX_MAIL_OCTETS {
            reader.push(&piece);
            assert!(reader.next_mail().is_none());
            assert!(reader.window.len() < 2 * piece.len() && reader.mail.len() <= MAX_MAIL_OCTETS);
            body += piece.len();
        }
        reader.push(next);
        reader.finish();
        let length = (head.len() + body + 2) as u64;
        let cut = reader.next_mail().unwrap();
        assert_eq!((cut.octets.len(), cut.at, cut.length), (MAX_MAIL_OCTETS, 0, length));
        assert!(cut.is_cut());
        let whole = reader.next_mail().unwrap();
        assert_eq!((whole.octets, whole.at), (&next[2..], length));
        assert!(!whole.is_cut());
        assert!(reader.next_mail().is_none());
    }
}
