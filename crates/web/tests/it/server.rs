//! The site on a port of its own, and a small HTTP client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

/// A running site; it ends with this value.
pub(crate) struct Server {
    address: SocketAddr,
    _runtime: Runtime,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The body as it was sent.
    pub(crate) octets: Vec<u8>,
}

impl Answer {
    /// The value of a header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(": ")?;
            field.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Server {
    /// Starts a site that knows its public address.
    pub(crate) fn start() -> Server {
        Server::start_at(Some("https://replies.test".into()))
    }

    /// Starts a site at that public address, or at whatever readers call it.
    pub(crate) fn start_at(origin: Option<String>) -> Server {
        Server::start_site(secondpost_web::Site::new(origin))
    }

    /// Starts that site.
    pub(crate) fn start_site(site: secondpost_web::Site) -> Server {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let site = Arc::new(site);
        runtime.spawn(secondpost_web::serve(listener, site, std::future::pending()));
        Server { address, _runtime: runtime }
    }

    /// A connection on which nothing was said yet.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// `GET path`, with further header lines.
    pub(crate) fn get(&self, path: &str, fields: &str) -> Answer {
        self.get_from("127.0.0.1", path, fields)
    }

    /// The same of a host of that name.
    pub(crate) fn get_from(&self, host: &str, path: &str, fields: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}").as_bytes(), b"")
    }

    /// `HEAD path`, with further header lines.
    pub(crate) fn head(&self, path: &str, fields: &str) -> Answer {
        self.send(format!("HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}").as_bytes(), b"")
    }

    /// `POST path` with a body of that type.
    pub(crate) fn post(&self, path: &str, kind: &str, body: &[u8]) -> Answer {
        self.post_with(path, &format!("Content-Type: {kind}\r\n"), body)
    }

    /// The same with those header lines.
    pub(crate) fn post_with(&self, path: &str, fields: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{fields}"
        );
        self.send(head.as_bytes(), body)
    }

    /// Sends a head that lacks its end, and a body.
    pub(crate) fn send(&self, head: &[u8], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let fixed = b"Connection: close\r\n\r\n";
        // A server that has read enough may close before all is written.
        drop(stream.write_all(&[head, fixed.as_slice(), body].concat()));
        let mut octets = Vec::new();
        drop(stream.read_to_end(&mut octets));
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
        let body = octets.split_off(end.map_or(octets.len(), |end| end + 4));
        let head = String::from_utf8_lossy(&octets).trim_end().to_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let is_chunked = head.to_lowercase().contains("\r\ntransfer-encoding: chunked");
        let body = if is_chunked { joined(&body) } else { body };
        Answer { status, head, body: String::from_utf8_lossy(&body).into_owned(), octets: body }
    }
}

/// The chunks of a body (RFC 9112 §7.1) in one piece.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&chunks[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        body.extend_from_slice(&chunks[end + 2..end + 2 + size]);
        chunks = &chunks[end + 2 + size + 2..];
    }
    body
}
