//! A real directory as a [`Disk`].

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation, OFlags, fallocate, fdatasync, flock, statvfs};
use rustix::io::Errno;

use super::{Disk, DiskFile};

/// The file whose lock says that a process owns the directory.
const LOCK_NAME: &str = "lock";
/// Only the owner may read or write what is kept: it is other people's mail.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// A directory of the operating system.
#[derive(Clone, Debug)]
pub struct FileSystem {
    root: PathBuf,
}

impl FileSystem {
    /// The directory `root`, created (with its parents) where it does not exist. Errors
    /// name the path.
    pub fn new(root: impl Into<PathBuf>) -> io::Result<FileSystem> {
        let root = root.into();
        create_folder(&root)?;
        Ok(FileSystem { root })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn with(&self, name: &str, options: &mut OpenOptions) -> io::Result<RealFile> {
        let path = self.at(name);
        options.read(true).write(true).mode(FILE_MODE);
        options.open(&path).map(RealFile).map_err(|error| naming(&path, error))
    }
}

/// Creates a folder with its parents, each durable in the one above it: a power cut must
/// not take a whole spool because its folder was new.
fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    create_folder(parent)?;
    match fs::DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Err(error) if !path.is_dir() => Err(naming(path, error)),
        _ => sync_folder(parent),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = File::open(path).map_err(|error| naming(path, error))?;
    folder.sync_all().map_err(|error| naming(path, error))
}

/// The same error, with the path in its text.
fn naming(path: &Path, error: io::Error) -> io::Error {
    super::naming(path.display(), error)
}

impl Disk for FileSystem {
    type File = RealFile;
    type Lock = File;

    fn open(&self, name: &str) -> io::Result<RealFile> {
        self.with(name, &mut OpenOptions::new())
    }

    /// With `O_DIRECT`: a file system that does not have it refuses to open the file.
    fn open_for_blocks(&self, name: &str) -> io::Result<Option<RealFile>> {
        let direct = OFlags::DIRECT.bits() as i32;
        self.with(name, OpenOptions::new().custom_flags(direct)).map(Some)
    }

    fn create(&self, name: &str) -> io::Result<RealFile> {
        self.with(name, OpenOptions::new().create_new(true))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.root).map_err(|error| naming(&self.root, error))?;
        let mut names = Vec::new();
        for entry in entries {
            // A name that is not UTF-8 is not ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let from = self.at(from);
        fs::rename(&from, self.at(to)).map_err(|error| naming(&from, error))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.at(name);
        fs::remove_file(&path).map_err(|error| naming(&path, error))
    }

    fn sync_dir(&self) -> io::Result<()> {
        sync_folder(&self.root)
    }

    fn free_octets(&self) -> io::Result<u64> {
        let space = statvfs(&self.root)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn lock(&self) -> io::Result<File> {
        let path = self.at(LOCK_NAME);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(&path).map_err(|error| naming(&path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(Errno::WOULDBLOCK) => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                format!("`{}` is held by another process", path.display()),
            )),
            Err(error) => Err(naming(&path, error.into())),
        }
    }

    fn path_of(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// The standard library's hash keys come from the operating system's randomness.
    fn salt(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}

/// An open file of a [`FileSystem`].
#[derive(Debug)]
pub struct RealFile(File);

impl RealFile {
    fn fill(&self, octets: u64) -> io::Result<()> {
        let zeros = [0; 64 << 10];
        let mut at = self.octets()?;
        while at < octets {
            let piece = zeros.len().min(usize::try_from(octets - at).unwrap_or(usize::MAX));
            self.write_all_at(at, &zeros[..piece])?;
            at += piece as u64;
        }
        Ok(())
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.0, into, offset)
    }

    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<usize> {
        FileExt::write_at(&self.0, octets, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(fdatasync(&self.0)?)
    }

    /// Where the file system cannot reserve space, zeros take it.
    fn allocate(&self, octets: u64) -> io::Result<()> {
        match fallocate(&self.0, FallocateFlags::empty(), 0, octets) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.fill(octets),
            other => Ok(other?),
        }
    }

    fn octets(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, octets: u64) -> io::Result<()> {
        self.0.set_len(octets)
    }
}
