//! Lines of commands, and the addresses in them: what is read is written the same again.

use smtp::extension::Extensions;
use smtp::syntax::{Mailbox, command, path};

/// One command line.
pub(crate) fn commands(octets: &[u8]) {
    let line = String::from_utf8_lossy(octets);
    let line = line.trim_end_matches(['\r', '\n']);
    let offered = Extensions::all();
    let (_, rest) = command::split(line);
    for verb in ["EHLO", "HELO", "LHLO"] {
        let _ = command::hello(rest, verb);
    }
    if let Ok((from, _)) = command::mail(rest, &offered) {
        let utf8 = if from.is_ascii() { "" } else { " SMTPUTF8" };
        let again = format!("FROM:<{from}>{utf8}");
        let read = command::mail(&again, &offered).map(|(path, _)| path);
        assert_eq!(read.ok(), Some(from), "{again}");
    }
    if let Ok((to, _)) = command::rcpt(rest, &offered, true) {
        let again = format!("TO:<{to}>");
        let read = command::rcpt(&again, &offered, true).map(|(path, _)| path);
        assert_eq!(read.ok(), Some(to), "{again}");
    }
    let _ = (command::bdat(rest), command::verify(rest), command::expand(rest));
}

/// An address, alone and as a path.
pub(crate) fn addresses(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        assert_eq!(mailbox.to_string().parse::<Mailbox>().as_ref(), Ok(&mailbox), "{mailbox}");
    }
    let _ = path::reverse_path(&text);
    let _ = path::forward_path(&text);
}
