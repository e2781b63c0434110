//! Reads dialogs: `tests/dialogs/*.smtp` at the root of the workspace. How they are written
//! stands in `tests/dialogs/README.md`. They are played against the protocol alone
//! (`dialogs.rs` beside this file) and, with this file shared, against the real server
//! (`crates/mta/tests/it/dialogs.rs`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use smtp::framing::decode::BareLineEnd;
use smtp::server::{EightBitHeaders, Offer, Options, Protocol};

/// What keeping a message comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    Works,
    Full,
    /// Takes the draft, and fails when it is to be made durable.
    Faulty,
}

/// One line of a dialog.
#[derive(Debug)]
pub(crate) enum Act {
    /// The client sends these octets.
    Client(Vec<u8>),
    /// The server says this line; `…` at the end, `{hostname}` and `{id}` match.
    Server(String),
    Wait(Duration),
    Disk(Disk),
    ShutDown,
    HangUp,
    /// The server has closed the connection.
    Closed,
    /// The server says nothing.
    Silent,
    /// The last message accepted ends with these octets.
    Stored(Vec<u8>),
    /// So many messages were accepted so far.
    Messages(usize),
}

#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) name: String,
    pub(crate) options: Options,
    /// With the number of each line.
    pub(crate) acts: Vec<(usize, Act)>,
}

pub(crate) const HOSTNAME: &str = "mx.example.org";

/// The files of all dialogs, in the order of their names.
pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/dialogs");
    let entries = std::fs::read_dir(folder).expect("the workspace has dialogs");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "smtp"));
    files.sort();
    assert!(files.len() >= 20, "only {} dialogs were found", files.len());
    files
}

impl Dialog {
    pub(crate) fn read(path: &Path) -> Dialog {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{name}: {why}"));
        let mut dialog =
            Dialog { name, options: Options::new(HOSTNAME, Protocol::Smtp), acts: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            dialog.line(number + 1, line);
        }
        dialog
    }

    fn line(&mut self, number: usize, line: &str) {
        let at = format!("{}:{number}", self.name);
        let act = if let Some(text) = line.strip_prefix("C: ") {
            Act::Client([unescaped(text, &at), b"\r\n".to_vec()].concat())
        } else if let Some(text) = line.strip_prefix("C| ") {
            Act::Client(unescaped(text, &at))
        } else if let Some(text) = line.strip_prefix("S: ") {
            Act::Server(text.to_owned())
        } else if line.trim().is_empty() || line.starts_with('#') || line.starts_with("rfc:") {
            return;
        } else if let Some(setting) = line.strip_prefix("set: ") {
            return set(&mut self.options, setting, &at);
        } else {
            special(line, &at)
        };
        self.acts.push((number, act));
    }
}

fn special(line: &str, at: &str) -> Act {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (word, rest) {
        ("closed", "") => Act::Closed,
        ("silent", "") => Act::Silent,
        ("shutdown", "") => Act::ShutDown,
        ("hangup", "") => Act::HangUp,
        ("disk:", "works") => Act::Disk(Disk::Works),
        ("disk:", "full") => Act::Disk(Disk::Full),
        ("disk:", "faulty") => Act::Disk(Disk::Faulty),
        ("stored:", text) => Act::Stored(unescaped(text, at)),
        ("messages:", count) => Act::Messages(number(count, at)),
        (time, "") if time.starts_with('+') => Act::Wait(duration(&time[1..], at)),
        _ => panic!("{at}: `{line}` is no line of a dialog"),
    }
}

fn set(options: &mut Options, setting: &str, at: &str) {
    let (key, value) =
        setting.split_once(" = ").unwrap_or_else(|| panic!("{at}: expected `key = value`"));
    match (key, value) {
        ("listener", "submission") => *options = Options::new(HOSTNAME, Protocol::Submission),
        ("listener", "lmtp") => *options = Options::new(HOSTNAME, Protocol::Lmtp),
        ("vrfy", value) => options.vrfy = offer(value, at),
        ("expn", value) => options.expn = offer(value, at),
        ("greet_delay", value) => options.greet_delay = Some(duration(value, at)),
        ("bare_line_end", "keep") => options.bare_line_end = BareLineEnd::Keep,
        ("eight_bit_headers", "refuse") => options.eight_bit_headers = EightBitHeaders::Refuse,
        ("limits.message", value) => options.limits.message_octets = number(value, at) as u64,
        ("limits.recipients", value) => options.limits.recipients = number(value, at),
        ("limits.errors", value) => options.limits.errors = number(value, at),
        ("offer", keywords) => only(options, keywords),
        _ => panic!("{at}: `{key} = {value}` is no setting of a dialog"),
    }
}

/// Switches everything off but `keywords`.
fn only(options: &mut Options, keywords: &str) {
    let has = |keyword: &str| keywords.split(' ').any(|word| word == keyword);
    let on = &mut options.extensions;
    on.size = has("SIZE");
    on.eight_bit_mime = has("8BITMIME");
    on.smtputf8 = has("SMTPUTF8");
    on.dsn = has("DSN");
    on.chunking = has("CHUNKING");
    on.help = has("HELP");
    on.limits = has("LIMITS");
}

fn offer(value: &str, at: &str) -> Offer {
    match value {
        "off" => Offer::Off,
        "noncommittal" => Offer::Noncommittal,
        "on" => Offer::On,
        _ => panic!("{at}: expected off, noncommittal or on"),
    }
}

fn number(text: &str, at: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("{at}: `{text}` is no number"))
}

/// `90s`, `5min`, `2h`.
fn duration(text: &str, at: &str) -> Duration {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let count = number(&text[..unit], at) as u64;
    Duration::from_secs(match &text[unit..] {
        "s" => count,
        "min" => count * 60,
        "h" => count * 3600,
        other => panic!("{at}: `{other}` is no unit of time"),
    })
}

/// `\r \n \0 \\`, `\xHH`, and `\{N*x}`: the character `x`, N times.
fn unescaped(text: &str, at: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        octets.extend(plain.bytes());
        let (used, more) = escaped(escape).unwrap_or_else(|| panic!("{at}: bad escape"));
        octets.extend(more);
        rest = &escape[used..];
    }
    octets.extend(rest.bytes());
    octets
}

fn escaped(text: &str) -> Option<(usize, Vec<u8>)> {
    match text.as_bytes().first()? {
        b'r' => Some((1, b"\r".to_vec())),
        b'n' => Some((1, b"\n".to_vec())),
        b'0' => Some((1, b"\0".to_vec())),
        b'\\' => Some((1, b"\\".to_vec())),
        b'x' => Some((3, vec![u8::from_str_radix(text.get(1..3)?, 16).ok()?])),
        b'{' => {
            let (inner, _) = text[1..].split_once('}')?;
            let (count, what) = inner.split_once('*')?;
            let octets = unescaped(what, "a repetition").repeat(count.parse().ok()?);
            Some((inner.len() + 2, octets))
        }
        _ => None,
    }
}

/// Whether a line fits its pattern: `{hostname}`, `{id}` (a word), `…` (anything, last).
pub(crate) fn matches(pattern: &str, line: &str) -> bool {
    let pattern = pattern.replace("{hostname}", HOSTNAME);
    if let Some((before, after)) = pattern.split_once("{id}") {
        let Some(rest) = line.strip_prefix(before) else { return false };
        let word = rest.find([' ', '>', ')', ';']).unwrap_or(rest.len());
        return word > 0 && matches(after, &rest[word..]);
    }
    match pattern.strip_suffix('…') {
        Some(start) => line.starts_with(start),
        None => line == pattern,
    }
}
