//! A private Postfix and a private postgrey: configuration, queue, log and ports of
//! their own below a temporary directory; the system's are not touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::daemon::{eventually, free_port};

/// A running private Postfix. Dropped, it is stopped.
pub(crate) struct Postfix {
    folder: PathBuf,
    pub(crate) port: u16,
}

const MASTER: &str = "\
127.0.0.1:PORT inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

impl Postfix {
    /// Starts a Postfix below `folder` with further lines of main.cf.
    pub(crate) fn start(folder: &Path, settings: &str) -> Postfix {
        let postfix = Postfix { folder: folder.join("postfix"), port: free_port() };
        for name in ["etc", "queue", "data", "mail"] {
            fs::create_dir_all(postfix.folder.join(name)).expect("a folder can be made");
        }
        open_to_all(folder);
        chown("postfix", &postfix.folder.join("data"));
        chown("nobody", &postfix.folder.join("mail"));
        let main = postfix.main_cf(settings);
        fs::write(postfix.folder.join("etc/main.cf"), main).expect("main.cf is written");
        let master = MASTER.replace("PORT", &postfix.port.to_string());
        fs::write(postfix.folder.join("etc/master.cf"), master).expect("master.cf is written");
        postfix.command(&["start"]);
        eventually("Postfix listens", || {
            std::net::TcpStream::connect(("127.0.0.1", postfix.port)).ok()
        });
        postfix
    }

    fn main_cf(&self, settings: &str) -> String {
        let folder = self.folder.display();
        let daemons = ["/usr/lib/postfix/sbin", "/usr/libexec/postfix"];
        let daemons =
            daemons.iter().find(|path| Path::new(path).is_dir()).expect("Postfix's daemons");
        format!(
            "compatibility_level = 3.6\nqueue_directory = {folder}/queue\n\
             data_directory = {folder}/data\ncommand_directory = /usr/sbin\n\
             daemon_directory = {daemons}\nmail_owner = postfix\nsetgid_group = postdrop\n\
             myhostname = postfix.test\nmydestination =\ninet_interfaces = 127.0.0.1\n\
             inet_protocols = ipv4\nmaillog_file = {folder}/log\nmaillog_file_prefixes = /\n\
             alias_maps =\nalias_database =\nsmtp_host_lookup = native\n\
             disable_dns_lookups = yes\n{settings}\n"
        )
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn command(&self, words: &[&str]) {
        let output = Command::new("/usr/sbin/postfix")
            .arg("-c")
            .arg(self.folder.join("etc"))
            .args(words)
            .output()
            .expect("Postfix runs (it needs root)");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "postfix {words:?}: {said}{}", self.log());
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let stop = Command::new("/usr/sbin/postfix")
            .arg("-c")
            .arg(self.folder.join("etc"))
            .arg("stop")
            .stderr(Stdio::null())
            .status();
        drop(stop);
    }
}

/// A running private postgrey. Dropped, it is killed.
pub(crate) struct Postgrey {
    child: Child,
    pub(crate) port: u16,
}

impl Postgrey {
    /// Starts a postgrey with its database below `folder`.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Postgrey {
        let database = folder.join("postgrey");
        fs::create_dir_all(&database).expect("a folder can be made");
        open_to_all(folder);
        chown("postgrey", &database);
        let port = free_port();
        let child = Command::new("/usr/sbin/postgrey")
            .args([&format!("--inet=127.0.0.1:{port}"), "--auto-whitelist-clients=0"])
            .args(["--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null"])
            .arg(format!("--dbdir={}", database.display()))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgrey starts");
        eventually("postgrey listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Postgrey { child, port }
    }
}

impl Drop for Postgrey {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chown(user: &str, path: &Path) {
    let status = Command::new("chown").arg(user).arg(path).status().expect("chown runs");
    assert!(status.success(), "the tests with Postfix need root");
}

/// A temporary directory is the owner's alone; Postfix's daemons run as other users.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder, open).expect("the folder is ours");
}
