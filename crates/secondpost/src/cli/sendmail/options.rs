//! The options of `sendmail`: those that mean something here, and those that programs
//! pass by habit and that may be ignored.

use super::{EX_USAGE, Exit};

/// What is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// A message from stdin (`-bm`, the default).
    #[default]
    Deliver,
    /// SMTP on stdin and stdout (`-bs`).
    Session,
    /// The queue (`-bp`).
    List,
    /// Attempt what waits now (`-q`).
    Flush,
    /// Rebuild the alias database (`-bi`), which there is not.
    Aliases,
}

/// The options as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `-b`.
    pub(super) mode: Mode,
    /// `-i`, `-oi`: a line with a dot alone is part of the message.
    pub(super) ignore_dots: bool,
    /// `-t`: recipients from To, Cc and Bcc.
    pub(super) recipients_from_header: bool,
    /// `-f`, `-r`: the reverse-path; empty is the null one.
    pub(super) sender: Option<String>,
    /// `-F`: the writer's name.
    pub(super) full_name: Option<String>,
    /// `-N`: NOTIFY.
    pub(super) notify: Option<String>,
    /// `-R`: RET.
    pub(super) ret: Option<String>,
    /// `-V`: ENVID.
    pub(super) envid: Option<String>,
    /// The rest.
    pub(super) recipients: Vec<String>,
}

/// For who meets an option that there is not.
const KNOWN: &str =
    "known are -t -i -f -F -N -R -V, -bm, -bs, -bp, -bi, -q, and what has no meaning here";

/// Options whose argument, attached or the next word, is read and ignored.
const IGNORED_WITH_ARGUMENT: &str = "BCDdhLOopX";
/// Options without an argument that are ignored; `-q` has at most an attached one.
const IGNORED: &str = "AGUcmnqsvx";

impl Options {
    /// Reads the words after the program's name.
    pub(super) fn parse(args: &[String]) -> Result<Options, Exit> {
        let mut options = Options::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                Some("-") => {
                    options.recipients.extend(words.by_ref().cloned());
                }
                Some(option) if !option.is_empty() => options.take(option, &mut words)?,
                _ => options.recipients.push(word.clone()),
            }
        }
        Ok(options)
    }

    fn take<'a>(
        &mut self,
        option: &str,
        words: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Exit> {
        let letter_octets = option.chars().next().map_or(0, char::len_utf8);
        let (letter, attached) = option.split_at(letter_octets);
        match (letter, attached) {
            ("i", "") => self.ignore_dots = true,
            ("t", "") => self.recipients_from_header = true,
            ("i", more) | ("t", more) => return self.joined(letter, more, words),
            ("o", "i" | "itrue" | "iTrue") => self.ignore_dots = true,
            ("o", "") | ("O", "") => skip(option, words)?,
            ("o" | "O", _) => {}
            ("b", mode) => self.mode = mode_of(mode)?,
            ("f" | "r", _) => {
                self.sender =
                    Some(argument(option, attached, words)?.trim_matches(['<', '>']).to_owned())
            }
            ("F", _) => self.full_name = Some(argument(option, attached, words)?),
            ("q", "") => self.mode = if self.mode == Mode::List { Mode::List } else { Mode::Flush },
            ("N", _) => self.notify = Some(argument(option, attached, words)?.to_ascii_uppercase()),
            ("R", _) => self.ret = Some(ret_of(&argument(option, attached, words)?)),
            ("V", _) => self.envid = Some(argument(option, attached, words)?),
            (letter, "") if IGNORED_WITH_ARGUMENT.contains(letter) => skip(option, words)?,
            (letter, _) if IGNORED_WITH_ARGUMENT.contains(letter) => {}
            (letter, _) if IGNORED.contains(letter) => {}
            _ => return Err(Exit::new(EX_USAGE, format!("unknown option `-{option}`; {KNOWN}"))),
        }
        Ok(())
    }

    /// `-ti` is `-t -i`.
    fn joined<'a>(
        &mut self,
        first: &str,
        rest: &str,
        words: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Exit> {
        self.take(first, words)?;
        self.take(rest, words)
    }
}

fn argument<'a>(
    option: &str,
    attached: &str,
    words: &mut impl Iterator<Item = &'a String>,
) -> Result<String, Exit> {
    if !attached.is_empty() {
        return Ok(attached.to_owned());
    }
    let missing = || Exit::new(EX_USAGE, format!("option `-{option}` needs an argument"));
    words.next().cloned().ok_or_else(missing)
}

fn skip<'a>(option: &str, words: &mut impl Iterator<Item = &'a String>) -> Result<(), Exit> {
    argument(option, "", words).map(|_: String| ())
}

fn mode_of(mode: &str) -> Result<Mode, Exit> {
    match mode {
        "m" => Ok(Mode::Deliver),
        "s" => Ok(Mode::Session),
        "p" => Ok(Mode::List),
        "i" => Ok(Mode::Aliases),
        other => {
            Err(Exit::new(EX_USAGE, format!("`-b{other}` is not offered: only m, s, p and i")))
        }
    }
}

/// Sendmail's words are `full` and `hdrs` in any case.
fn ret_of(text: &str) -> String {
    text.to_ascii_uppercase()
}
