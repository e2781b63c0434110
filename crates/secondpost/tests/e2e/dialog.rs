//! A raw SMTP client: what is sent and heard, byte for byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use crate::daemon::PATIENCE;

/// A connection to a server.
pub(crate) struct Dialog {
    stream: BufReader<TcpStream>,
}

impl Dialog {
    /// Connects and hears the greeting.
    pub(crate) fn open(server: SocketAddr) -> Dialog {
        let mut dialog = Dialog::connect(server);
        assert!(dialog.hear().starts_with("220 "));
        dialog
    }

    /// Connects and waits for nothing.
    pub(crate) fn connect(server: SocketAddr) -> Dialog {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("it can be made so");
        Dialog { stream: BufReader::new(stream) }
    }

    /// Connects, hears the greeting, says EHLO.
    pub(crate) fn greeted(server: SocketAddr) -> Dialog {
        let mut dialog = Dialog::open(server);
        assert!(dialog.say("EHLO client.test").starts_with("250"));
        dialog
    }

    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.stream.get_mut().write_all(octets).expect("the server takes octets");
    }

    /// Sends octets to a server that may have closed.
    pub(crate) fn try_send(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(octets)
    }

    /// Sends a line and hears the reply.
    pub(crate) fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        self.hear()
    }

    /// One whole reply with its line ends; empty where the server has closed.
    pub(crate) fn hear(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            let read = self.stream.read_line(&mut reply).expect("the server answers in time");
            if read == 0 || reply.as_bytes().get(start + 3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// A transaction until its message can begin; the reply to DATA or the first refusal.
    pub(crate) fn message_begun(&mut self, from: &str, to: &str) -> String {
        let commands = [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"), "DATA".into()];
        let mut reply = String::new();
        for command in commands {
            reply = self.say(&command);
            if !reply.starts_with(['2', '3']) {
                break;
            }
        }
        reply
    }

    /// One whole reply; empty where the server has closed, politely or not.
    pub(crate) fn hear_or_lose(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).map_or(String::new(), |_| line)
    }

    /// A whole transaction; the reply to the final dot or the first refusal.
    pub(crate) fn message(&mut self, from: &str, to: &str, message: &str) -> String {
        let reply = self.message_begun(from, to);
        if !reply.starts_with('3') {
            return reply;
        }
        self.send(message.as_bytes());
        self.say("\r\n.")
    }
}
