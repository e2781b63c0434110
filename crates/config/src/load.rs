//! The layers of settings on each other: default, then the file, then flags, then `--set`.
//! Each value remembers where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::diagnostic;
use super::fault::{ConfigError, Fault, Faulty, Hint, Problem};
use super::field::{Field, Given, Section};
use super::settings::Config;
use super::syntax::Syntax;
use super::values::{bare, toml_list, toml_string};

/// The settings file in the data directory, read where `--config` names no other.
pub const FILE_NAME: &str = "secondpost.toml";
/// What the daemon last started with, in the data directory: its subcommands read it.
pub const RUNNING_NAME: &str = "run/settings.toml";

/// What stands above them, for who finds the file.
const RUNNING_NOTE: &str =
    "# What `secondpost serve` last started with; written at each start, do not edit.\n";

/// Where settings come from, the weakest first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Options that are settings: `--domain` and others.
    pub flags: Vec<Flag>,
    /// `KEY=VALUE` of each `--set`.
    pub set: Vec<String>,
}

/// An option that is a setting.
#[derive(Clone, Debug)]
pub struct Flag {
    /// As it is written, `--domain`.
    pub name: &'static str,
    /// The key that it sets.
    pub key: &'static str,
    /// What was given, once or more often.
    pub values: Vec<String>,
}

impl Sources {
    /// For `serve` and `config`: the file of `--config`, else the one in the data
    /// directory, if there is one.
    pub fn own(data_dir: &Path, config: Option<&Path>) -> Sources {
        let in_data_dir = || Some(data_dir.join(FILE_NAME)).filter(|path| path.exists());
        let file = config.map(Path::to_owned).or_else(in_data_dir);
        Sources { file, ..Sources::default() }
    }

    /// For what must know the daemon's settings: what it last started with, unless
    /// `--config` names a file or no daemon ever started.
    pub fn of_daemon(data_dir: &Path, config: Option<&Path>) -> Sources {
        let running = data_dir.join(RUNNING_NAME);
        match config {
            None if running.exists() => Sources { file: Some(running), ..Sources::default() },
            _ => Sources::own(data_dir, config),
        }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    #[default]
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An option.
    Flag(&'static str),
    /// `--set`.
    Set,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Flag(name) => f.write_str(name),
            Origin::Set => f.write_str("--set"),
        }
    }
}

/// Settings with the origin of each.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    file: Option<PathBuf>,
    origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Puts the layers on each other.
    pub fn from(sources: &Sources) -> Result<Loaded, ConfigError> {
        let mut loaded = Loaded { file: sources.file.clone(), ..Loaded::default() };
        if let Some(path) = &sources.file {
            loaded.read_file(path)?;
        }
        for flag in &sources.flags {
            loaded.read_flag(flag)?;
        }
        for set in &sources.set {
            loaded.read_set(set)?;
        }
        Ok(loaded)
    }

    /// What a file would come to that is called `path` and holds `text`.
    pub fn from_text(path: &Path, text: &str) -> Result<Loaded, ConfigError> {
        let mut loaded = Loaded { file: Some(path.to_owned()), ..Loaded::default() };
        loaded.read_text(path, text)?;
        Ok(loaded)
    }

    /// Where the value of `key` came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or_default()
    }

    /// Whether anybody set `key`.
    pub fn is_set(&self, key: &str) -> bool {
        self.origin(key) != Origin::Default
    }

    /// The file that was read, if any.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Every key with its value in TOML.
    pub fn values(&self) -> impl Iterator<Item = (Field, String)> {
        Config::fields("").into_iter().map(|field| {
            let value = self.config.show(&field.key).unwrap_or_default();
            (field, value)
        })
    }

    /// Keeps the settings in the data directory for the subcommands, which read them
    /// there (`Sources::of_daemon`).
    pub fn keep_running(&self, data_dir: &Path) -> std::io::Result<()> {
        let path = data_dir.join(RUNNING_NAME);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let text = super::render::effective(self, false);
        let partial = path.with_extension("tmp");
        std::fs::write(&partial, format!("{RUNNING_NOTE}{text}"))?;
        std::fs::rename(&partial, &path)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let octets = std::fs::read(path);
        let octets = octets.map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
        let text = String::from_utf8(octets);
        let text = text.map_err(|_| ConfigError::NotUtf8(path.to_owned()))?;
        self.read_text(path, &text)
    }

    fn read_text(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        match DeTable::parse(text) {
            Ok(table) => {
                let mut layer = Layer { loaded: self, path, text, faults: &mut faults };
                layer.table("", table.get_ref());
            }
            Err(error) => faults.push(syntax_fault(&error)),
        }
        if faults.is_empty() {
            return Ok(());
        }
        faults.sort_by_key(|fault| fault.span.start);
        let name = path.display().to_string();
        Err(ConfigError::Faults(Faulty { name, text: text.to_owned(), faults }))
    }

    fn read_flag(&mut self, flag: &Flag) -> Result<(), ConfigError> {
        let value = match flag.values.as_slice() {
            [] => return Ok(()),
            [one] => toml_string(one),
            more => toml_list(more),
        };
        let given = flag.values.join(" ");
        let text = format!("x = {value}");
        self.set_toml(flag.key, &text, Origin::Flag(flag.name)).map_err(|fault| {
            let fault = Fault { span: 0..given.len(), ..fault };
            ConfigError::Faults(Faulty::one(flag.name, given, fault))
        })
    }

    fn read_set(&mut self, set: &str) -> Result<(), ConfigError> {
        let Some((key, value)) = set.split_once('=') else {
            return Err(ConfigError::NoEquals(set.to_owned()));
        };
        let (key, value) = (key.trim(), value.trim());
        let text = format!("x = {value}");
        let result = match DeTable::parse(&text) {
            Ok(table) if table.get_ref().len() == 1 => self.set_toml(key, &text, Origin::Set),
            _ => self.set(key, &bare(value), Origin::Set),
        };
        result.map_err(|fault| {
            let span = match fault.problem {
                Problem::UnknownKey(_) => 0..key.len(),
                _ => set.len() - value.len()..set.len(),
            };
            ConfigError::Faults(Faulty::one("--set", set.to_owned(), Fault { span, ..fault }))
        })
    }

    /// `text` is `x = VALUE`.
    fn set_toml(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), Fault> {
        let parsed = DeTable::parse(text);
        match parsed.as_ref().ok().and_then(|table| table.get_ref().get("x")) {
            Some(given) => self.set(key, given, origin),
            None => self.set(key, &bare(text), origin),
        }
    }

    fn set(&mut self, key: &str, given: &Given<'_>, origin: Origin) -> Result<(), Fault> {
        match self.config.set(key, given) {
            Some(result) => result?,
            None => return Err(unknown_key(key, given.span())),
        }
        let declared = Config::fields("").into_iter().map(|field| field.key);
        let owner = declared.filter(|name| key == name || key.starts_with(&format!("{name}.")));
        self.origins.extend(owner.map(|name| (name, origin.clone())));
        Ok(())
    }
}

/// A file while it is read: every fault is collected, so that all are told at once.
struct Layer<'a> {
    loaded: &'a mut Loaded,
    path: &'a Path,
    text: &'a str,
    faults: &'a mut Vec<Fault>,
}

impl Layer<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, given) in table {
            let key = format!("{prefix}{}", name.get_ref());
            match given.get_ref() {
                DeValue::Table(table) if prefix.is_empty() && Config::is_section(&key) => {
                    self.table(&format!("{key}."), table);
                }
                _ if self.loaded.config.show(&key).is_none() => {
                    self.faults.push(unknown_key(&key, name.span()));
                }
                _ => self.value(&key, name.span().start, given),
            }
        }
    }

    fn value(&mut self, key: &str, offset: usize, given: &Given<'_>) {
        let line = diagnostic::position(self.text, offset).line;
        let origin = Origin::File { path: self.path.to_owned(), line };
        if let Err(mut fault) = self.loaded.set(key, given, origin) {
            fault.key = Some(key.to_owned());
            self.faults.push(fault);
        }
    }
}

fn unknown_key(key: &str, span: std::ops::Range<usize>) -> Fault {
    let fields = Config::fields("");
    let keys = fields.iter().map(|field| field.key.as_str());
    let groups = fields.iter().filter_map(|field| Some(field.key.split_once('.')?.0));
    let hint = match diagnostic::nearest(key, keys.chain(groups)) {
        _ if Config::is_section(key) => {
            let keys = fields.iter().map(|field| &field.key);
            let below = keys.filter(|below| below.starts_with(&format!("{key}.")));
            Hint::KeysOfGroup(below.cloned().collect())
        }
        Some(near) if Config::is_section(near) => Hint::NearGroup(near.to_owned()),
        Some(near) => Hint::NearKey(near.to_owned()),
        None => Hint::SeeExample,
    };
    Fault { span, key: None, problem: Problem::UnknownKey(key.to_owned()), hint: Some(hint) }
}

fn syntax_fault(error: &toml::de::Error) -> Fault {
    let span = error.span().unwrap_or(0..0);
    let syntax = Syntax::of(error.message(), &span);
    let quotes_help = syntax.is_none_or(Syntax::may_be_an_unquoted_string);
    let as_said = || Problem::NotTomlAsSaid(error.message().to_owned());
    let problem = syntax.map_or_else(as_said, Problem::NotToml);
    Fault { span, key: None, problem, hint: quotes_help.then_some(Hint::StringsAreQuoted) }
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;
