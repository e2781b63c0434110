//! Peers that outlive the server under test: one takes mail, or does with it what it is told
//! to, and remembers what it took; one takes connections and never says a word.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use crate::long_form::now;

/// What is answered to a command line; `None` is a word of welcome.
pub(crate) type Answer = fn(&str) -> Option<&'static str>;

/// A listening peer. Its threads end with the test.
pub(crate) struct Sink {
    pub(crate) port: u16,
    took: Arc<Mutex<Took>>,
}

/// What came. A message counts from the moment at which its 250 is written, whether or not
/// anybody hears it.
#[derive(Default)]
struct Took {
    count: usize,
    /// When each message came, by its subject; of many only the first ones.
    at: BTreeMap<String, Vec<Instant>>,
}

/// So many arrivals of one subject are kept.
const MOST_KEPT: usize = 8;

impl Sink {
    /// A peer that takes everything.
    pub(crate) fn willing() -> Sink {
        Sink::start(|_| None)
    }

    pub(crate) fn start(answer: Answer) -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = port_of(&listener);
        let took = Arc::<Mutex<Took>>::default();
        let kept = took.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let took = kept.clone();
                // A client that dies ends the dialog.
                thread::spawn(move || drop(converse(stream, answer, &took)));
            }
        });
        Sink { port, took }
    }

    /// How many messages came.
    pub(crate) fn count(&self) -> usize {
        self.took.lock().expect("no dialog panicked").count
    }

    /// When each message came, by its subject.
    pub(crate) fn took(&self) -> BTreeMap<String, Vec<Instant>> {
        self.took.lock().expect("no dialog panicked").at.clone()
    }
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("it has an address").port()
}

fn converse(stream: TcpStream, answer: Answer, took: &Mutex<Took>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    write!(stream.get_mut(), "220 sink.test\r\n")?;
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match answer(&line) {
            Some(reply) => stream.get_mut().write_all(reply.as_bytes())?,
            None if verb == "DATA" => take(&mut stream, took)?,
            None => write!(stream.get_mut(), "250 sink.test\r\n")?,
        }
        if verb == "QUIT" {
            break;
        }
        line.clear();
    }
    Ok(())
}

fn take(stream: &mut BufReader<TcpStream>, took: &Mutex<Took>) -> std::io::Result<()> {
    write!(stream.get_mut(), "354 go on\r\n")?;
    let (mut line, mut subject) = (String::new(), None);
    while line != ".\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let named = || line.strip_prefix("Subject: ").map(|text| text.trim().to_owned());
        subject = subject.or_else(named);
    }
    let mut took = took.lock().expect("no dialog panicked");
    took.count += 1;
    let at = took.at.entry(subject.unwrap_or_default()).or_default();
    if at.len() < MOST_KEPT {
        at.push(now());
    }
    drop(took);
    write!(stream.get_mut(), "250 taken\r\n")
}

/// A peer that takes connections and never says a word.
pub(crate) struct Deaf {
    pub(crate) port: u16,
}

impl Deaf {
    pub(crate) fn start() -> Deaf {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = port_of(&listener);
        thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
        Deaf { port }
    }
}
