//! Which mailboxes there are: `mailboxes.json` in the data directory.
//!
//! The command line changes it with or without a daemon, so every change holds the lock
//! on `mailboxes.lock`, writes the whole file beside, syncs and renames it. An address is
//! compared without regard to ASCII case; what an address holds never becomes a path
//! unencoded (`folder_name`).

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use reply::Timestamp;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

/// The name of the registry in the data directory.
pub const FILE_NAME: &str = "mailboxes.json";
/// The file whose lock a change holds.
const LOCK_NAME: &str = "mailboxes.lock";
/// The folder of mailboxes in the data directory.
pub const MAIL_FOLDER: &str = "mail";
/// The file in a Maildir that an administrator's lock is taken on.
pub const MAILDIR_LOCK_NAME: &str = "secondpost.lock";
/// The longest name of one folder that every file system takes, in octets.
const MAX_NAME_OCTETS: usize = 255;

/// How mail lies in a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A file a message, in `tmp`, `new` and `cur`.
    #[default]
    Maildir,
    /// All messages in one file, as in `/var/mail`.
    Mbox,
}

impl Format {
    /// The name in the registry and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Maildir => "maildir",
            Format::Mbox => "mbox",
        }
    }
}

/// How much a mailbox may hold; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Octets of all messages.
    pub octets: Option<u64>,
    /// How many messages.
    pub messages: Option<u64>,
    /// Whether over quota is final (552) and not for now (452).
    #[serde(default)]
    pub is_final: bool,
}

/// Switched off by the administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Milliseconds since the epoch until when (450 meanwhile); `None` is for good (550).
    pub until_millis: Option<u64>,
}

impl Disabled {
    /// Until when; `None` is for good.
    pub fn until(self) -> Option<Timestamp> {
        self.until_millis.map(Timestamp::from_millis)
    }
}

/// One mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The address in lower case; the local part by its content, without quotes.
    pub address: String,
    /// How mail lies in it.
    pub format: Format,
    /// Where it lies: absolute, or below the data directory.
    pub path: PathBuf,
    /// How much it may hold.
    #[serde(default)]
    pub quota: Quota,
    /// Whether it is switched off.
    #[serde(default)]
    pub disabled: Option<Disabled>,
}

impl Registered {
    /// A Maildir in its usual place.
    ///
    /// # Errors
    /// Where the address has no `@`, or is too long to name a folder.
    pub fn new(address: &str) -> Result<Registered, RegistryError> {
        let address = normal(address);
        let (local_part, domain) = split(&address)?;
        let path = Path::new(MAIL_FOLDER).join(folder_name(domain)).join(folder_name(local_part));
        let fits = path.iter().all(|name| name.len() <= MAX_NAME_OCTETS);
        if !fits {
            return Err(RegistryError::TooLong(address));
        }
        Ok(Registered {
            address,
            format: Format::Maildir,
            path,
            quota: Quota::default(),
            disabled: None,
        })
    }

    /// Whether it is switched off at `now`.
    pub fn disabled_at(&self, now: Timestamp) -> Option<Disabled> {
        self.disabled.filter(|disabled| disabled.until().is_none_or(|until| now < until))
    }

    /// Where it lies, for the data directory `data_dir`.
    pub fn path_in(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(&self.path)
    }

    /// The file that an administrator's lock is taken on, with fcntl: the mbox itself,
    /// or `secondpost.lock` in the Maildir.
    pub fn lock_file(&self, data_dir: &Path) -> PathBuf {
        let path = self.path_in(data_dir);
        match self.format {
            Format::Maildir => path.join(MAILDIR_LOCK_NAME),
            Format::Mbox => path,
        }
    }

    /// Waits for the lock that an administrator takes, as another mail program would
    /// (`fcntl(F_SETLKW)` on [`Registered::lock_file`]), and holds it while the file is open.
    /// Where another process has it, `waits` is called first.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lock(&self, data_dir: &Path, waits: impl FnOnce()) -> io::Result<File> {
        let path = self.lock_file(data_dir);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        if rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            waits();
            rustix::fs::fcntl_lock(&file, FlockOperation::LockExclusive)?;
        }
        Ok(file)
    }

    /// Makes its folders or its file where they are missing, for the owner alone.
    fn create(&self, data_dir: &Path) -> io::Result<()> {
        let path = self.path_in(data_dir);
        let folders = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        match self.format {
            Format::Maildir => {
                ["tmp", "new", "cur"].iter().try_for_each(|name| folders(&path.join(name)))
            }
            Format::Mbox => {
                path.parent().map_or(Ok(()), folders)?;
                OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
            }
        }
    }
}

/// What is wrong with the registry or a change to it.
#[derive(Debug)]
pub enum RegistryError {
    /// No `user@domain`.
    NotAnAddress(String),
    /// The address is too long to name a folder.
    TooLong(String),
    /// There is one already.
    Exists(String),
    /// There is none of that address.
    Unknown(String),
    /// The registry was damaged or is of another version.
    Damaged(PathBuf, String),
    /// The file system's.
    Io(PathBuf, io::Error),
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistryError::NotAnAddress(text) => write!(f, "`{text}` is no mail address"),
            RegistryError::TooLong(address) => {
                write!(f, "`{address}` is too long for the name of a folder")
            }
            RegistryError::Exists(address) => write!(f, "there is a mailbox `{address}` already"),
            RegistryError::Unknown(address) => write!(f, "there is no mailbox `{address}`"),
            RegistryError::Damaged(path, why) => {
                write!(f, "`{}` cannot be understood: {why}", path.display())
            }
            RegistryError::Io(path, error) => write!(f, "`{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for RegistryError {}

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    version: u32,
    mailboxes: Vec<Registered>,
}

/// The version of the file.
const VERSION: u32 = 1;

/// The registry of one data directory. Holds nothing: every call reads the file.
#[derive(Clone, Debug)]
pub struct Registry {
    data_dir: PathBuf,
}

impl Registry {
    /// The registry in `data_dir`, which need not exist yet.
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Registry {
        Registry { data_dir: data_dir.into() }
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Whether a registry was ever written.
    pub fn exists(&self) -> bool {
        self.file().exists()
    }

    /// Every mailbox, by address.
    ///
    /// # Errors
    /// Where the file cannot be read or understood; a missing one is empty.
    pub fn read(&self) -> Result<Vec<Registered>, RegistryError> {
        let path = self.file();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RegistryError::Io(path, error)),
        };
        let contents: Contents = serde_json::from_slice(&text)
            .map_err(|error| RegistryError::Damaged(path.clone(), error.to_string()))?;
        if contents.version != VERSION {
            let why = format!("it is of version {}, expected {VERSION}", contents.version);
            return Err(RegistryError::Damaged(path, why));
        }
        Ok(contents.mailboxes)
    }

    /// The mailbox of an address.
    ///
    /// # Errors
    /// As [`Registry::read`]; [`RegistryError::Unknown`] where there is none.
    pub fn find(&self, address: &str) -> Result<Registered, RegistryError> {
        let address = normal(address);
        let found = self.read()?.into_iter().find(|mailbox| mailbox.address == address);
        found.ok_or(RegistryError::Unknown(address))
    }

    /// Adds a mailbox and makes its folders or its file.
    ///
    /// # Errors
    /// Where there is one of that address, or the file system fails.
    pub fn add(&self, mailbox: Registered) -> Result<(), RegistryError> {
        self.change(|mailboxes| {
            if mailboxes.iter().any(|known| known.address == mailbox.address) {
                return Err(RegistryError::Exists(mailbox.address));
            }
            let made = mailbox.create(&self.data_dir);
            made.map_err(|error| RegistryError::Io(mailbox.path_in(&self.data_dir), error))?;
            mailboxes.push(mailbox);
            Ok(())
        })
    }

    /// Forgets a mailbox; its mail stays where it lies. Returns what was known of it.
    ///
    /// # Errors
    /// Where there is none of that address, or the file system fails.
    pub fn remove(&self, address: &str) -> Result<Registered, RegistryError> {
        let address = normal(address);
        self.change(|mailboxes| {
            let at = mailboxes.iter().position(|known| known.address == address);
            at.map(|at| mailboxes.remove(at)).ok_or(RegistryError::Unknown(address))
        })
    }

    /// Switches a mailbox off or (with `None`) on.
    ///
    /// # Errors
    /// Where there is none of that address, or the file system fails.
    pub fn set_disabled(
        &self,
        address: &str,
        disabled: Option<Disabled>,
    ) -> Result<(), RegistryError> {
        let address = normal(address);
        self.change(|mailboxes| {
            let known = mailboxes.iter_mut().find(|known| known.address == address);
            known.map(|known| known.disabled = disabled).ok_or(RegistryError::Unknown(address))
        })
    }

    /// Makes those of these mailboxes that are missing: for the first start of a server.
    ///
    /// # Errors
    /// Where an address is none, or the file system fails.
    pub fn create_missing(&self, addresses: &[String]) -> Result<(), RegistryError> {
        for address in addresses {
            match self.add(Registered::new(address)?) {
                Ok(()) | Err(RegistryError::Exists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads, changes and writes the file under its lock; nothing is written where
    /// `change` fails.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<Registered>) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let failed = |error| RegistryError::Io(self.data_dir.clone(), error);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir).map_err(failed)?;
        let _lock = self.lock().map_err(failed)?;
        let mut mailboxes = self.read()?;
        let changed = change(&mut mailboxes)?;
        mailboxes.sort_by(|a, b| a.address.cmp(&b.address));
        self.write(mailboxes).map_err(|error| RegistryError::Io(self.file(), error))?;
        Ok(changed)
    }

    fn lock(&self) -> io::Result<File> {
        let path = self.data_dir.join(LOCK_NAME);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    fn write(&self, mailboxes: Vec<Registered>) -> io::Result<()> {
        let partial = self.data_dir.join(format!("{FILE_NAME}.tmp"));
        let mut text = serde_json::to_vec_pretty(&Contents { version: VERSION, mailboxes })?;
        text.push(b'\n');
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&partial, self.file())?;
        File::open(&self.data_dir)?.sync_all()
    }

    fn file(&self) -> PathBuf {
        self.data_dir.join(FILE_NAME)
    }
}

/// An address as it is compared: in lower case. White space and brackets are its own, as a
/// local part may hold them.
pub fn normal(address: &str) -> String {
    address.to_lowercase()
}

fn split(address: &str) -> Result<(&str, &str), RegistryError> {
    let parts = address.rsplit_once('@').filter(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !address.chars().any(char::is_control)
    });
    parts.ok_or_else(|| RegistryError::NotAnAddress(address.to_owned()))
}

/// The name of the folder for a domain or a local part: letters, digits and `.-_+=`
/// stay, every other octet and a dot at the start become `%` and two hex digits. Two
/// different names never share a folder, and none is `.`, `..` or has a slash.
pub fn folder_name(name: &str) -> String {
    let mut folder = String::with_capacity(name.len());
    for (index, octet) in name.bytes().enumerate() {
        let plain = octet.is_ascii_alphanumeric() || b"-_+=".contains(&octet);
        if plain || octet == b'.' && index > 0 {
            folder.push(char::from(octet));
        } else {
            folder.push_str(&format!("%{octet:02x}"));
        }
    }
    folder
}

#[cfg(test)]
mod tests;
