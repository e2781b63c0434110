//! Files and standard input as octets, of logs and of mails: gzip and zstd are opened, what else is
//! compressed is named, and how far the reading is shows on a terminal.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use reply::Language;
use reply::explain::log::grouped;
use reply::explain::{cli, labelled};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::super::super::system::DamagedArchive;
use super::super::super::{Failure, system};
use super::super::unread::UnfoldsTooFar;
use super::wide::Wide;

/// Octets that are read at a time.
pub(in crate::cli::explain) const PIECE_OCTETS: usize = 64 * 1024;
/// How much a file may always unfold to.
const FREE_OCTETS: u64 = 1 << 30;
/// How many octets one compressed octet may unfold to beyond that: logs reach a twentieth
/// of it, and what goes beyond was made to be a nuisance.
const MAX_RATIO: u64 = 400;

/// A log that is being read.
pub(in crate::cli::explain) struct Input {
    reader: Box<dyn Read>,
    compressed: Rc<Cell<u64>>,
    unfolded: u64,
    is_compressed: bool,
    wide: Option<Wide>,
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub(in crate::cli::explain) fn open(file: &Path) -> io::Result<Input> {
        let source: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(file)?)
        };
        Input::of(source)
    }

    fn of(source: Box<dyn Read>) -> io::Result<Input> {
        let compressed = Rc::new(Cell::new(0));
        let counted = Counted { source, count: Rc::clone(&compressed) };
        let mut source = BufReader::with_capacity(PIECE_OCTETS, counted);
        let (reader, is_compressed): (Box<dyn Read>, bool) = match source.fill_buf()? {
            [0x1f, 0x8b, ..] => (Box::new(MultiGzDecoder::new(source)), true),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                (Box::new(Zstd { source: Some(source), frame: None }), true)
            }
            start => match foreign(start) {
                Some(name) => return Err(io::Error::new(io::ErrorKind::Unsupported, name)),
                None => (Box::new(source), false),
            },
        };
        Ok(Input { reader, compressed, unfolded: 0, is_compressed, wide: None })
    }

    /// How much of the file was read, compressed or not.
    pub(super) fn octets_read(&self) -> u64 {
        self.compressed.get()
    }
}

impl Read for Input {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        if self.unfolded == 0 {
            let count = self.read_octets(piece)?;
            self.wide = Wide::begun_by(&piece[..count]);
            if self.wide.is_none() {
                return Ok(count);
            }
        }
        if self.wide.is_some() { self.read_wide(piece) } else { self.read_octets(piece) }
    }
}

impl Input {
    /// The same of a file in UTF-16.
    fn read_wide(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let mut octets = vec![0; PIECE_OCTETS];
        loop {
            let given = self.wide.as_mut().map_or(0, |wide| wide.give(piece));
            if given > 0 {
                return Ok(given);
            }
            let count = self.read_octets(&mut octets)?;
            let Some(wide) = &mut self.wide else { return Ok(0) };
            wide.push(&octets[..count]);
            if count == 0 {
                wide.finish();
                return Ok(wide.give(piece));
            }
        }
    }

    fn read_octets(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(piece);
        let count = if self.is_compressed {
            count.map_err(|error| of_decompressor(&error))?
        } else {
            count?
        };
        self.unfolded += count as u64;
        let allowed = FREE_OCTETS.saturating_add(self.compressed.get().saturating_mul(MAX_RATIO));
        if self.is_compressed && self.unfolded > allowed {
            return Err(io::Error::other(UnfoldsTooFar));
        }
        Ok(count)
    }
}

/// What a decompressor says comes to one of three: the file could not be read, it is
/// shorter than it was, or its data make no sense.
fn of_decompressor(error: &io::Error) -> io::Error {
    if let Some(number) = found_in(error, io::Error::raw_os_error) {
        return io::Error::from_raw_os_error(number);
    }
    let ends_early = |error: &io::Error| {
        (error.kind() == io::ErrorKind::UnexpectedEof).then_some(io::ErrorKind::UnexpectedEof)
    };
    match found_in(error, ends_early) {
        Some(kind) => kind.into(),
        None => io::Error::new(error.kind(), DamagedArchive),
    }
}

/// What is found in an error, or in one that it comes from.
fn found_in<T: Copy>(
    error: &io::Error,
    what: impl Fn(&io::Error) -> Option<T> + Copy,
) -> Option<T> {
    let inner = error.get_ref().map(|inner| inner as &dyn std::error::Error);
    let mut below = std::iter::successors(inner, |error| error.source());
    what(error).or_else(|| below.find_map(|one| what(one.downcast_ref::<io::Error>()?)))
}

/// What else compresses, by its first octets.
fn foreign(start: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 3] =
        [(b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"), (b"PK\x03\x04", "zip")];
    known.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, name)| *name)
}

/// What a file is called, in backticks.
pub(in crate::cli::explain) fn name(file: &Path, language: Language) -> String {
    match file == Path::new("-") {
        true => format!("`{}`", cli(language, "standard-input", &[])),
        false => format!("`{}`", file.display()),
    }
}

/// What is said of a file of which something was read, and something not.
pub(in crate::cli::explain) fn partly(file: &Path, what: &str, language: Language) -> Failure {
    Failure::new(labelled(&name(file, language), what, language))
}

/// What is wrong with a file.
pub(in crate::cli::explain) fn failure(
    file: &Path,
    error: io::Error,
    language: Language,
) -> Failure {
    let name = name(file, language);
    if error.kind() == io::ErrorKind::Unsupported {
        let values = [("file", &*name), ("how", &error.to_string())];
        let command = [("command", "`xz -dc FILE | secondpost explain --log -`")];
        return Failure::new(cli(language, "compressed", &values)).help(cli(
            language,
            "compressed-help",
            &command,
        ));
    }
    Failure::new(labelled(&name, &system::in_words(&error, language), language))
}

/// Counts what was read through it.
struct Counted {
    source: Box<dyn Read>,
    count: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(piece)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

type Source = BufReader<Counted>;

/// One frame of zstd after another: a log is often appended to.
struct Zstd {
    source: Option<Source>,
    frame: Option<StreamingDecoder<Source, FrameDecoder>>,
}

impl Read for Zstd {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(piece)?;
                if count > 0 || piece.is_empty() {
                    return Ok(count);
                }
            }
            if let Some(frame) = self.frame.take() {
                self.source = Some(frame.into_inner());
            }
            let Some(mut source) = self.source.take() else { return Ok(0) };
            if source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.frame = Some(StreamingDecoder::new(source).map_err(io::Error::other)?);
        }
    }
}

/// How far the reading is, on a terminal only.
pub(super) struct Progress {
    is_shown: bool,
    all_octets: u64,
    unfolded: u64,
    shown_at: u64,
    before: u64,
    last: u64,
}

/// Octets between two updates: some ten a second.
const UPDATE_OCTETS: u64 = 16 * 1024 * 1024;

impl Progress {
    pub(super) fn of(files: &[PathBuf]) -> Progress {
        let length = |file: &PathBuf| std::fs::metadata(file).map_or(0, |meta| meta.len());
        Progress {
            is_shown: io::stderr().is_terminal(),
            all_octets: files.iter().map(length).sum(),
            unfolded: 0,
            shown_at: 0,
            before: 0,
            last: 0,
        }
    }

    /// `count` more octets of a log came out of `read` octets of its file.
    pub(super) fn show(&mut self, count: u64, read: u64) {
        self.unfolded += count;
        if read < self.last {
            // The next file has begun.
            self.before += self.last;
        }
        self.last = read;
        if !self.is_shown || self.unfolded - self.shown_at < UPDATE_OCTETS {
            return;
        }
        self.shown_at = self.unfolded;
        let percent = ((self.before + read) * 100).checked_div(self.all_octets);
        let percent =
            percent.map_or(String::new(), |percent| format!("{:>3} % · ", percent.min(100)));
        let _ = write!(io::stderr(), "\r{percent}{} MiB ", grouped(self.unfolded >> 20));
    }

    pub(super) fn clear(&self) {
        if self.is_shown && self.shown_at > 0 {
            let _ = write!(io::stderr(), "\r{:40}\r", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(octets: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut input = Input::of(Box::new(io::Cursor::new(octets)))?;
        let (mut all, mut piece) = (Vec::new(), vec![0; 100]);
        loop {
            match input.read(&mut piece)? {
                0 => return Ok(all),
                count => all.extend_from_slice(&piece[..count]),
            }
        }
    }

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn plain_gzip_and_zstd_are_read_alike_also_in_several_parts() {
        let (one, two) = (b"one\n".repeat(1000), b"two\n".repeat(1000));
        let both = [one.clone(), two.clone()].concat();
        assert_eq!(read_all(both.clone()).unwrap(), both);
        assert_eq!(read_all([gzipped(&one), gzipped(&two)].concat()).unwrap(), both);
        assert_eq!(read_all([zstd(&one), zstd(&two)].concat()).unwrap(), both);
    }

    #[test]
    fn utf_16_is_read_plain_and_compressed() {
        let text = "550 5.1.1 Postfach unbekannt für ann\r\n".repeat(3000);
        let octets = text.encode_utf16().flat_map(u16::to_le_bytes);
        let octets: Vec<u8> = [0xff, 0xfe].into_iter().chain(octets).collect();
        assert_eq!(read_all(gzipped(&octets)).unwrap(), text.as_bytes());
        assert_eq!(read_all(octets).unwrap(), text.as_bytes());
    }

    #[test]
    fn half_a_compressed_file_gives_its_beginning_and_an_error() {
        let text: Vec<u8> =
            (0..50_000u32).flat_map(|n| format!("{}\n", n * 7919).into_bytes()).collect();
        for whole in [gzipped(&text), zstd(&text)] {
            let half = whole[..whole.len() / 2].to_vec();
            let error = read_all(half).unwrap_err();
            assert_eq!(system::in_words(&error, Language::De), "unerwartetes Ende der Datei");
            let mut damaged = whole;
            damaged[20..40].fill(0xff);
            let error = read_all(damaged).unwrap_err();
            assert_eq!(system::in_words(&error, Language::En), "the compressed data are damaged");
        }
    }

    #[test]
    fn a_disk_that_fails_under_a_compressed_file_is_not_taken_for_damage() {
        let failing = || io::Error::from(rustix::io::Errno::IO);
        for error in [failing(), io::Error::other(failing())] {
            assert_eq!(of_decompressor(&error).raw_os_error(), failing().raw_os_error());
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_named() {
        let told = read_all(b"\xfd7zXZ\0\0".to_vec()).unwrap_err();
        let told = failure(Path::new("a.xz"), told, Language::En);
        assert!(told.message(Language::En).contains("`a.xz` is compressed with xz"), "{told:?}");
    }
}
