//! [`LogReader`]: octets in, lines out, however they were cut into pieces. Memory does not
//! grow with the log: a line is cut at a length, the table of messages is bounded.

use super::exchange::Columns;
use super::join::Joins;
use super::{LogEntry, Reference, other, prefix, recognise};

/// Most octets of a line that are read; what follows is passed over and counted.
pub const MAX_LINE_OCTETS: usize = 64 * 1024;

/// One line of a log.
#[derive(Debug)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Its octets without the line end, as far as they were read.
    pub octets: &'a [u8],
    /// What was unreadable in it.
    pub damage: Option<Damage>,
    /// What it says; `None` for lines of no known form, headers and empty lines.
    pub entry: Option<LogEntry<'a>>,
}

/// What was unreadable in a line; the rest of it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is longer than is read.
    TooLong,
    /// It holds octets that are no UTF-8, or NUL.
    NotText,
}

/// What a reader met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that were not empty.
    pub lines: u64,
    /// Octets, with those that were passed over.
    pub octets: u64,
    /// Lines of no known form.
    pub unknown: u64,
    /// Lines that were cut.
    pub too_long: u64,
    /// Lines with octets that are no text.
    pub not_text: u64,
    /// Messages that were forgotten before their last line.
    pub forgotten: u64,
}

/// Reads a log as it comes.
#[derive(Debug)]
pub struct LogReader {
    reference: Option<Reference>,
    partial: Vec<u8>,
    is_cut: bool,
    number: u64,
    columns: Option<Columns>,
    joins: Joins,
    counts: Counts,
}

impl LogReader {
    /// A reader; `reference` gives times their year and zone.
    pub fn new(reference: Option<Reference>) -> LogReader {
        LogReader {
            reference,
            partial: Vec::new(),
            is_cut: false,
            number: 0,
            columns: None,
            joins: Joins::new(),
            counts: Counts::default(),
        }
    }

    /// What was met so far.
    pub fn counts(&self) -> Counts {
        Counts { forgotten: self.joins.forgotten(), ..self.counts }
    }

    /// Takes more octets; `heard` gets every line that ends in them, in order.
    pub fn push(&mut self, octets: &[u8], heard: &mut impl FnMut(Line<'_>)) {
        self.counts.octets += octets.len() as u64;
        let mut rest = octets;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if self.partial.is_empty() && !self.is_cut {
                self.line(&rest[..end], false, heard);
            } else {
                self.keep(&rest[..end]);
                self.end_partial(heard);
            }
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    /// The end of a file: what is left of a last line is one, lines are counted from 1
    /// again, and columns of a CSV file are forgotten. Messages are still known: a rotated
    /// log goes on in the next file.
    pub fn finish(&mut self, heard: &mut impl FnMut(Line<'_>)) {
        if !self.partial.is_empty() || self.is_cut {
            self.end_partial(heard);
        }
        (self.number, self.columns) = (0, None);
    }

    fn keep(&mut self, octets: &[u8]) {
        let room = MAX_LINE_OCTETS.saturating_sub(self.partial.len());
        self.is_cut |= octets.len() > room;
        self.partial.extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn end_partial(&mut self, heard: &mut impl FnMut(Line<'_>)) {
        let partial = std::mem::take(&mut self.partial);
        let is_cut = std::mem::take(&mut self.is_cut);
        self.line(&partial, is_cut, heard);
        self.partial = partial;
        self.partial.clear();
    }

    fn line(&mut self, octets: &[u8], is_cut: bool, heard: &mut impl FnMut(Line<'_>)) {
        self.number += 1;
        let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
        let is_cut = is_cut || octets.len() > MAX_LINE_OCTETS;
        let octets = &octets[..octets.len().min(MAX_LINE_OCTETS)];
        if octets.is_empty() {
            heard(Line { number: self.number, octets, damage: None, entry: None });
            return;
        }
        self.counts.lines += 1;
        match std::str::from_utf8(octets) {
            Ok(text) => {
                let has_nul = memchr::memchr(0, octets).is_some();
                let damage = match is_cut {
                    true => Some(Damage::TooLong),
                    false => has_nul.then_some(Damage::NotText),
                };
                self.text(octets, text, damage, heard);
            }
            Err(_) => {
                let text = crate::heard::unreadable::text(octets);
                self.text(octets, &text, Some(Damage::NotText), heard);
            }
        }
    }

    fn text(
        &mut self,
        octets: &[u8],
        text: &str,
        damage: Option<Damage>,
        heard: &mut impl FnMut(Line<'_>),
    ) {
        match damage {
            Some(Damage::TooLong) => self.counts.too_long += 1,
            Some(Damage::NotText) => self.counts.not_text += 1,
            None => {}
        }
        let entry = self.entry(text);
        let is_header = text.starts_with('#') || (self.number == 1 && self.columns.is_some());
        self.counts.unknown += u64::from(entry.is_none() && !is_header);
        let number = self.number;
        let entry = entry.map(|entry| self.joins.complete(entry));
        heard(Line { number, octets, damage, entry });
    }

    fn entry<'a>(&mut self, text: &'a str) -> Option<LogEntry<'a>> {
        let may_be_header = text.starts_with("#Fields:") || self.number == 1;
        if let Some(columns) = may_be_header.then(|| Columns::of_header(text)).flatten() {
            self.columns = Some(columns);
            return None;
        }
        if let Some(entry) = self.columns.as_ref().and_then(|columns| columns.read(text)) {
            return Some(entry);
        }
        let reference = self.reference.as_ref();
        recognise(text, reference).or_else(|| other::read(&prefix::split(text, reference)))
    }
}
