//! How many pages and answers a second the site gives over loopback, and how long a reader
//! waits for one. Site and readers share the machine's cores, as they do in the field.
//!
//! One reader alone shows the time that a page takes; many at once show how many there are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use secondpost_web::Site;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// How long each kind of request is measured.
const MEASURED: Duration = Duration::from_secs(2);
/// Connections that are open at once where many read.
const MANY: usize = 32;
/// What they ask for before all are counted, so that every page was rendered once.
const WARM: usize = 50;

fn main() {
    let runtime = Runtime::new().expect("a reactor");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let site = Arc::new(Site::new(None));
    runtime.spawn(secondpost_web::serve(listener, site, std::future::pending()));
    println!(
        "{:<28}{:>12}{:>10}{:>10}   {MANY} at once: requests/s",
        "one reader", "p50", "p99", "max"
    );
    let reply = "450 4.2.0 <ann@example.org>: Greylisted, try again in 300 seconds";
    let kinds = [
        ("GET /de/codes/450", get("/de/codes/450")),
        ("GET /de/codes/450, gzip", get_with("/de/codes/450", "Accept-Encoding: gzip, br\r\n")),
        ("GET /de/codes/450, 304", get_with("/de/codes/450", "If-None-Match: *\r\n")),
        ("GET /en/", get("/en/")),
        ("GET /fr/compare/450-vs-502", get("/fr/compare/450-vs-502")),
        ("GET /en/search?q=full", get("/en/search?q=full")),
        ("POST /api/v1/explain", post("/api/v1/explain", "text/plain", reply)),
        (
            "POST /de/explain",
            post("/de/explain", "application/x-www-form-urlencoded", &form(reply)),
        ),
    ];
    for (name, request) in kinds {
        measure(name, address, request.as_bytes());
    }
}

fn get(path: &str) -> String {
    get_with(path, "")
}

/// The same with further header lines.
fn get_with(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

fn post(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn form(text: &str) -> String {
    format!("text={}", text.replace(' ', "+"))
}

fn measure(name: &str, address: SocketAddr, request: &[u8]) {
    let mut waits = read(address, request);
    waits.sort_unstable();
    let at = |share: usize| waits[(waits.len() * share / 1000).min(waits.len() - 1)];
    let many: usize = thread::scope(|scope| {
        let readers: Vec<_> = (0..MANY).map(|_| scope.spawn(|| read(address, request))).collect();
        readers.into_iter().map(|reader| reader.join().expect("a reader ends").len()).sum()
    });
    let [p50, p99, max] = [500, 990, 1000].map(|share| format!("{} µs", at(share).as_micros()));
    let each_second = many as f64 / MEASURED.as_secs_f64();
    println!("{name:<28}{p50:>12}{p99:>10}{max:>10}   {each_second:>22.0}");
}

/// One connection that asks again and again: how long each answer took.
fn read(address: SocketAddr, request: &[u8]) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).expect("the site listens");
    stream.set_nodelay(true).expect("a socket");
    let mut buffer = vec![0; 256 * 1024];
    for _ in 0..WARM {
        ask(&mut stream, request, &mut buffer);
    }
    let (start, mut waits) = (Instant::now(), Vec::new());
    while start.elapsed() < MEASURED {
        let asked = Instant::now();
        ask(&mut stream, request, &mut buffer);
        waits.push(asked.elapsed());
    }
    waits
}

/// Sends the request and reads its whole answer, which has to be a good one.
fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) {
    stream.write_all(request).expect("the site reads");
    let mut filled = 0;
    let mut whole = None;
    while whole.is_none_or(|whole| filled < whole) {
        let read = stream.read(&mut buffer[filled..]).expect("the site answers");
        assert!(read > 0, "the site closed");
        filled += read;
        whole = whole.or_else(|| length(&buffer[..filled]));
    }
    let is_good = buffer.starts_with(b"HTTP/1.1 200") || buffer.starts_with(b"HTTP/1.1 304");
    assert!(is_good, "{}", String::from_utf8_lossy(&buffer[..100]));
}

/// How long head and body are, once the head is whole.
fn length(octets: &[u8]) -> Option<usize> {
    let head = octets.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let fields = std::str::from_utf8(&octets[..head]).expect("a head in ASCII");
    let body = fields.lines().find_map(|line| line.strip_prefix("content-length: "));
    if fields.starts_with("HTTP/1.1 304") {
        return Some(head);
    }
    Some(head + body.and_then(|body| body.parse::<usize>().ok()).expect("a length"))
}
