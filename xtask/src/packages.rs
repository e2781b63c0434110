//! What the tests need beyond Rust, and how it is installed where it is missing.
//!
//! Only Debian's packages, only what is missing, and never over an installed mail
//! server: Postfix conflicts with every other one.

use std::path::Path;
use std::process::Command;

/// A program, and the Debian package that holds it.
struct Need {
    program: &'static str,
    package: &'static str,
    what_for: &'static str,
}

const NEEDS: &[Need] = &[
    Need { program: "postfix", package: "postfix", what_for: "a peer that sends and receives" },
    Need { program: "smtp-sink", package: "postfix", what_for: "a peer with faults" },
    Need { program: "postgrey", package: "postgrey", what_for: "a peer that greylists" },
    Need { program: "swaks", package: "swaks", what_for: "a client" },
    Need { program: "msmtp", package: "msmtp", what_for: "a client" },
    Need { program: "strace", package: "strace", what_for: "a kill at a system call" },
    Need { program: "faketime", package: "faketime", what_for: "a clock that is set by days" },
    Need { program: "curl", package: "curl", what_for: "a client" },
    Need { program: "python3", package: "python3", what_for: "a client (smtplib), locks" },
    Need { program: "chromium", package: "chromium", what_for: "a reader of the pages" },
    Need { program: "chromedriver", package: "chromium-driver", what_for: "its remote control" },
    Need { program: "npm", package: "npm", what_for: "axe-core, which checks the pages" },
];

const ENGINE_NEEDS: &[Need] =
    &[Need { program: "g++", package: "g++", what_for: "the engine of the fuzz targets" }];

/// What the bench measures beside us, and what it looks into processes with.
const PEERS: &[Need] = &[
    Need { program: "postfix", package: "postfix", what_for: "a server to be measured" },
    Need { program: "postgrey", package: "postgrey", what_for: "a greylist to be measured" },
    Need { program: "strace", package: "strace", what_for: "counting system calls" },
    Need { program: "perf", package: "linux-perf", what_for: "drawing where the time goes" },
];

/// What Exim is linked with and a small system may lack.
const LIBRARIES_OF_EXIM: &[&str] =
    &["libdb5.3", "libgnutls-dane0", "libidn12", "libidn2-0", "libnsl2", "libpcre2-8-0"];

/// Installs what the tests need and is missing, or says what is.
pub(crate) fn provide(install: bool) -> Result<(), String> {
    provide_all(NEEDS, install)
}

/// Installs what the engine of the fuzz targets needs.
pub(crate) fn provide_engine() -> Result<(), String> {
    provide_all(ENGINE_NEEDS, true)
}

/// Installs what the bench measures beside us.
pub(crate) fn provide_peers() -> Result<(), String> {
    provide_all(PEERS, true)
}

/// Installs what an Exim that was unpacked needs to run.
pub(crate) fn provide_libraries_of_exim() -> Result<(), String> {
    match apt_get(LIBRARIES_OF_EXIM)? {
        true => Ok(()),
        false => Err("error: apt-get could not install the libraries of Exim".into()),
    }
}

fn provide_all(needs: &[Need], install: bool) -> Result<(), String> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !is_there(need.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !install || !is_there("apt-get") {
        return Err(complaint(&missing, "install it, then try again"));
    }
    let wants_postfix = missing.iter().any(|need| need.package == "postfix");
    if let (true, Some(other)) = (wants_postfix, other_mail_server()) {
        let help = format!("`{other}` is installed and Postfix would replace it");
        return Err(complaint(&missing, &help));
    }
    let mut packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    packages.dedup();
    let is_installed = apt_get(&packages)?;
    match is_installed && missing.iter().all(|need| is_there(need.program)) {
        true => Ok(()),
        false => Err(complaint(&missing, "apt-get could not install it")),
    }
}

fn complaint(missing: &[&Need], help: &str) -> String {
    let mut text = String::from("error: programs are missing:");
    for need in missing {
        let Need { program, package, what_for } = need;
        text.push_str(&format!("\n  {program} (Debian package {package}): {what_for}"));
    }
    format!("{text}\nhelp: {help}")
}

fn is_there(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/local/sbin"]);
    folders.map(Path::new).any(|folder| folder.join(program).is_file())
}

/// The package of an installed mail server that is not Postfix.
fn other_mail_server() -> Option<String> {
    let query = ["-W", "-f", "${db:Status-Status} ${Provides} ${Package}\n"];
    let output = Command::new("dpkg-query").args(query).output().ok()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.starts_with("installed ") && line.contains("mail-transport-agent"))
        .filter_map(|line| line.rsplit(' ').next())
        .find(|package| *package != "postfix")
        .map(str::to_owned)
}

/// Whether these packages could be installed.
fn apt_get(packages: &[&str]) -> Result<bool, String> {
    eprintln!("installing {}", packages.join(" "));
    // "No configuration": the tests bring their own, and no Postfix is to start.
    let quiet = "echo 'postfix postfix/main_mailer_type select No configuration' \
                 | debconf-set-selections; \
                 (apt-get update && apt-get install -y --no-install-recommends \"$@\") 1>&2";
    let mut command = if is_root() { Command::new("sh") } else { Command::new("sudo") };
    if !is_root() {
        command.arg("sh");
    }
    let status = command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-c", quiet, "install"])
        .args(packages)
        .status()
        .map_err(|error| format!("error: cannot run apt-get: {error}"))?;
    Ok(status.success())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0"))
}
