//! Settings for a subcommand: which file, which flags. What is wrong with them is put into
//! words in `words`.

pub(crate) mod words;

use std::io;
use std::path::Path;

use reply::Language;
use reply::explain::wrong;
use rustix::fs::Access;

use super::{Failure, Global, system};
use config::load::Flag;
use config::{Loaded, Sources};

/// Options that are settings; each stands for the key that its help names.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Flags {
    /// Deliver mail for this domain here; repeatable, replaces `domains`
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Vec<String>,

    /// Take mail from other servers here, as in 127.0.0.1:2525, or `off`; sets `listen.mx`
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_mx: Vec<String>,

    /// Take mail from programs of this machine here, or `off`; sets `listen.submission`
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_submission: Vec<String>,

    /// The form of the log on stderr: text or json; sets `log.format`
    #[arg(long, value_name = "FORM")]
    pub(crate) log_format: Option<String>,
}

impl Flags {
    fn as_settings(&self) -> Vec<Flag> {
        let flag = |name, key, values: &[String]| Flag { name, key, values: values.to_vec() };
        vec![
            flag("--domain", "domains", &self.domain),
            flag("--listen-mx", "listen.mx", &self.listen_mx),
            flag("--listen-submission", "listen.submission", &self.listen_submission),
            flag("--log-format", "log.format", self.log_format.as_slice()),
        ]
    }
}

/// The settings of `serve` and `config`.
pub(crate) fn own(global: &Global, flags: &Flags) -> Result<Loaded, Failure> {
    let sources = Sources::own(&global.data_dir, global.config.as_deref());
    load(Sources { flags: flags.as_settings(), ..sources }, global)
}

/// The settings of the daemon, for everything else.
pub(crate) fn of_daemon(global: &Global) -> Result<Loaded, Failure> {
    load(Sources::of_daemon(&global.data_dir, global.config.as_deref()), global)
}

fn load(sources: Sources, global: &Global) -> Result<Loaded, Failure> {
    let sources = Sources { set: global.set.clone(), ..sources };
    Loaded::from(&sources).map_err(|error| words::failure(&error, global.language()))
}

/// Makes the data directory, for its owner alone, if it is missing; one that is there must
/// be a directory that we may work in.
pub(crate) fn make_data_dir(global: &Global) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let (data_dir, language) = (&global.data_dir, global.language());
    if data_dir.exists() && !data_dir.is_dir() {
        return Err(no_directory(data_dir, language));
    }
    let place = format!("`{}`", data_dir.display());
    let failure = |what, help, error: &io::Error| {
        let values = [("place", &*place), ("error", &system::in_words(error, language))];
        Failure::new(wrong(language, what, &values)).help(wrong(
            language,
            help,
            &[ANOTHER_DATA_DIR],
        ))
    };
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    made.map_err(|error| failure("data-dir-not-made", "data-dir-another", &error))?;
    let ours = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(data_dir, ours)
        .map_err(|error| failure("data-dir-not-used", "data-dir-owner", &error.into()))
}

/// What stands where the data directory should be is something else.
pub(crate) fn no_directory(data_dir: &Path, language: Language) -> Failure {
    let place = format!("`{}`", data_dir.display());
    Failure::new(wrong(language, "data-dir-is-none", &[("place", &place)])).help(wrong(
        language,
        "data-dir-another",
        &[ANOTHER_DATA_DIR],
    ))
}

/// How another data directory is named.
const ANOTHER_DATA_DIR: (&str, &str) = ("option", "`--data-dir DIR`");
