//! What `serve` says when it listens: where, where mail lands, and what to try. The
//! commands work as they are printed, in another shell in the same directory.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use reply::Language;
use reply::explain::cli;

use super::Sockets;
use crate::cli::DEFAULT_DATA_DIR;
use config::Config;

/// The listeners by name, with the addresses that they really have.
pub(super) fn listeners(
    sockets: &Sockets,
    config: &Config,
    data_dir: &Path,
) -> Vec<(&'static str, String)> {
    let address = |listener: &tokio::net::TcpListener| {
        listener.local_addr().map_or_else(|error| error.to_string(), |at| at.to_string())
    };
    let mx = sockets.mx.iter().map(|listener| ("MX", address(listener)));
    let submission = sockets.submission.iter().map(|listener| ("submission", address(listener)));
    let lmtp = config.listen.lmtp.below(data_dir).filter(|_| sockets.lmtp.is_some());
    let lmtp = lmtp.map(|path| ("LMTP", path.display().to_string()));
    let web = sockets.web.iter().map(|listener| ("web", format!("http://{}/", address(listener))));
    mx.chain(submission).chain(lmtp).chain(web).collect()
}

/// What the banner speaks of.
pub(super) struct Banner<'a> {
    /// By name, as [`listeners`] gives them.
    pub(super) listeners: &'a [(&'static str, String)],
    /// Where everything is kept.
    pub(super) data_dir: &'a Path,
    /// A mailbox that mail can be sent to.
    pub(super) mailbox: &'a str,
}

impl Banner<'_> {
    /// Prints it, and makes sure that it is seen at once.
    pub(super) fn print(&self, language: Language, out: &mut dyn io::Write) -> io::Result<()> {
        let words = |name, values: &[(&'static str, &str)]| cli(language, name, values);
        let name = concat!("secondpost ", env!("CARGO_PKG_VERSION"));
        writeln!(out, "{}", words("listens", &[("name", name)]))?;
        for (name, at) in self.listeners {
            writeln!(out, "  {name:<11} {at}")?;
        }
        let place = self.data_dir.display().to_string();
        writeln!(out, "  {}", words("mail-lands", &[("place", &place)]))?;
        writeln!(out, "{}", words("try", &[]))?;
        for command in self.commands(&called(), in_path("swaks")) {
            writeln!(out, "  {command}")?;
        }
        out.flush()
    }

    /// Three commands to try: the first meets greylisting, the others look at it.
    fn commands(&self, program: &str, has_swaks: bool) -> Vec<String> {
        let (program, mailbox) = (quoted(program), quoted(self.mailbox));
        let directory = match self.data_dir == Path::new(DEFAULT_DATA_DIR) {
            true => String::new(),
            false => format!(" --data-dir {}", quoted(&self.data_dir.to_string_lossy())),
        };
        let send = self.tcp().map(|server| match has_swaks {
            true => format!("swaks --server {server} --from a@example.org --to {mailbox}"),
            false => format!("{program} probe {server}"),
        });
        let rest = [
            format!("{program} greylist list{directory}"),
            format!("{program} explain 450 4.2.0 greylisted"),
        ];
        send.into_iter().chain(rest).collect()
    }

    /// The first TCP listener, by an address that a client can connect to.
    fn tcp(&self) -> Option<SocketAddr> {
        let mut address: SocketAddr = self.listeners.iter().find_map(|(_, at)| at.parse().ok())?;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        Some(address)
    }
}

/// This program as it was called: what worked for this shell works for the next.
fn called() -> String {
    std::env::args().next().unwrap_or_else(|| "secondpost".to_owned())
}

fn in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder: PathBuf| folder.join(program).is_file())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-@:+,=%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(at: &str, data_dir: &str, has_swaks: bool) -> Vec<String> {
        let listeners = [("MX", at.to_owned())];
        let (data_dir, mailbox) = (Path::new(data_dir), "alice@a.test");
        let banner = Banner { listeners: &listeners, data_dir, mailbox };
        banner.commands("target/release/secondpost", has_swaks)
    }

    #[test]
    fn commands_name_the_program_as_it_was_called_and_a_mailbox_that_exists() {
        let expected = [
            "swaks --server 127.0.0.1:2525 --from a@example.org --to alice@a.test",
            "target/release/secondpost greylist list",
            "target/release/secondpost explain 450 4.2.0 greylisted",
        ];
        assert_eq!(commands("127.0.0.1:2525", DEFAULT_DATA_DIR, true), expected);
    }

    #[test]
    fn the_banner_speaks_the_readers_language_and_its_places_and_commands_are_the_same() {
        let listeners = [("MX", "127.0.0.1:2525".to_owned())];
        let data_dir = Path::new("./post");
        let banner = Banner { listeners: &listeners, data_dir, mailbox: "alice@a.test" };
        let told = |language| {
            let mut out = Vec::new();
            banner.print(language, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let english = told(Language::En);
        let lines: Vec<&str> = english.lines().collect();
        assert_eq!(lines[2], "  mail lands in ./post/mail/<domain>/<local part>/new");
        for language in Language::COMPLETE.iter().filter(|language| **language != Language::En) {
            let same =
                told(*language).lines().zip(&lines).map(|(a, b)| a == *b).collect::<Vec<_>>();
            assert_eq!(same, [false, true, false, false, true, true, true], "{language}");
        }
    }

    #[test]
    fn commands_can_be_copied_whatever_the_place_and_the_machine() {
        let told = commands("[::]:25", "my d'ir", false);
        assert_eq!(told[0], "target/release/secondpost probe 127.0.0.1:25");
        assert_eq!(told[1], r"target/release/secondpost greylist list --data-dir 'my d'\''ir'");
        assert_eq!(commands("./lmtp.sock", DEFAULT_DATA_DIR, true).len(), 2);
    }
}
