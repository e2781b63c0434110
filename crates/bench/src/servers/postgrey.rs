//! A private postgrey, asked as Postfix asks it: the policy protocol over a socket.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Child;

use super::{PATIENCE, folder_of, free_port, spawn, wait_until};
use crate::group::Group;

/// A running postgrey. Dropped, it is killed.
pub(crate) struct Postgrey {
    child: Child,
    pub(crate) group: Group,
    connection: BufReader<TcpStream>,
}

impl Postgrey {
    /// Starts one with its database below `folder`.
    ///
    /// # Errors
    /// Where it does not start.
    pub(crate) fn start(folder: &Path) -> Result<Postgrey, String> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let group = Group::new(&format!("postgrey-{}", address.port()))?;
        let database = folder.join("postgrey");
        folder_of("postgrey", &database)?;
        let mut command = group.command("/usr/sbin/postgrey");
        command.arg(format!("--inet={address}")).arg(format!("--dbdir={}", database.display()));
        command.args(["--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null"]);
        let child = spawn(&mut command, &folder.join("postgrey-stderr"))?;
        let connect = || TcpStream::connect(address);
        if !wait_until(|| connect().is_ok()) {
            return Err("error: postgrey does not start".into());
        }
        let connection = connect().map_err(|error| failed(&error))?;
        connection.set_nodelay(true).map_err(|error| failed(&error))?;
        connection.set_read_timeout(Some(PATIENCE)).map_err(|error| failed(&error))?;
        Ok(Postgrey { child, group, connection: BufReader::new(connection) })
    }

    /// Asks about an attempt that it does not know; it must tell it to wait.
    ///
    /// # Errors
    /// Where it answers something else.
    pub(crate) fn ask(&mut self, number: u64) -> Result<(), String> {
        let [_, a, b, c] = (number as u32).to_be_bytes();
        let request = format!(
            "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n\
             client_address=10.{a}.{b}.{c}\nclient_name=unknown\nhelo_name=client.test\n\
             sender=sender{number}@client.test\nrecipient=recipient@bench.test\n\n"
        );
        let stream = self.connection.get_mut();
        stream.write_all(request.as_bytes()).map_err(|error| failed(&error))?;
        let mut lines = [String::new(), String::new()];
        for line in &mut lines {
            self.connection.read_line(line).map_err(|error| failed(&error))?;
        }
        match lines[0].starts_with("action=DEFER_IF_PERMIT") {
            true => Ok(()),
            false => Err(failed(&format!("it answered `{}`", lines[0].trim()))),
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> String {
    format!("error: postgrey: {error}")
}

impl Drop for Postgrey {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
