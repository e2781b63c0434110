//! Sites of the field: each speaks SMTP as octets and has its own way of not taking mail
//! at once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use reply::Timestamp;

use crate::random::Random;
use crate::wire::{End, Read};
use crate::world::World;

/// How a site treats mail. Times count from the beginning of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Greylists for so many seconds and says so.
    GreylistsWithHint(u64),
    /// Greylists for so many seconds and does not say so.
    GreylistsSilently(u64),
    /// Names a minute and greylists for so many seconds.
    GreylistsAndLies(u64),
    /// The mailbox is full until then.
    FullFor(u64),
    /// Takes one message in so many seconds.
    RateLimits(u64),
    /// Says 421 in its greeting until then.
    BusyFor(u64),
    /// Says 421 in its greeting to so many of ten connections.
    OftenBusy(u64),
    /// Nobody answers until then.
    DeadFor(u64),
    /// Its best MX is dead, its second one answers.
    SecondMxAnswers,
    /// Its best MX accepts connections and says nothing.
    FirstMxIsMute,
    /// Knows no EHLO, and answers in several lines without enhanced codes.
    IsOld,
    /// Lists SIZE and DSN, and refuses every parameter of MAIL.
    RefusesParameters,
    /// Lists CHUNKING and refuses BDAT.
    RefusesBdat,
    /// Takes seven bits only.
    TakesSevenBits,
    /// Takes so many recipients in a transaction, the others 452 or 552.
    LimitsRecipients(usize, u16),
    /// Refuses DATA for now, until then.
    RefusesDataFor(u64),
    /// Refuses what it was sent, for good.
    RefusesContent,
    /// No recipient exists.
    RefusesRecipients,
}

impl Behaviour {
    /// One of each, with times by `random`.
    pub(crate) fn all(random: &mut Random) -> Vec<Behaviour> {
        let codes = [452, 552];
        vec![
            Behaviour::GreylistsWithHint(1 + random.below(3 * 3600)),
            Behaviour::GreylistsSilently(1 + random.below(3600)),
            Behaviour::GreylistsAndLies(60 + random.below(1800)),
            Behaviour::FullFor(random.below(8 * 86_400)),
            Behaviour::RateLimits(1 + random.below(7200)),
            Behaviour::BusyFor(random.below(2 * 86_400)),
            Behaviour::OftenBusy(random.below(10)),
            Behaviour::DeadFor(random.below(7 * 86_400)),
            Behaviour::SecondMxAnswers,
            Behaviour::FirstMxIsMute,
            Behaviour::IsOld,
            Behaviour::RefusesParameters,
            Behaviour::RefusesBdat,
            Behaviour::TakesSevenBits,
            Behaviour::LimitsRecipients(1 + random.below(2) as usize, random.pick(&codes)),
            Behaviour::RefusesDataFor(random.below(86_400)),
            Behaviour::RefusesContent,
            Behaviour::RefusesRecipients,
        ]
    }

    fn keywords(self) -> &'static [&'static str] {
        match self {
            Behaviour::TakesSevenBits => &["PIPELINING", "SIZE 10000000"],
            Behaviour::RefusesParameters => &["8BITMIME", "SIZE 10000000", "DSN"],
            Behaviour::RefusesBdat | Behaviour::GreylistsWithHint(_) => {
                &["PIPELINING", "8BITMIME", "CHUNKING", "DSN", "SIZE"]
            }
            Behaviour::GreylistsSilently(_) => &["8BITMIME"],
            _ => &["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"],
        }
    }
}

pub(crate) struct Site {
    pub(crate) behaviour: Behaviour,
    began: Timestamp,
    random: RefCell<Random>,
    /// By sender and recipient.
    first_seen: RefCell<BTreeMap<(String, String), Timestamp>>,
    last_taken: Cell<Option<Timestamp>>,
}

impl Site {
    pub(crate) fn new(behaviour: Behaviour, seed: u64, began: Timestamp) -> Site {
        Site {
            behaviour,
            began,
            random: RefCell::new(Random(seed)),
            first_seen: RefCell::default(),
            last_taken: Cell::new(None),
        }
    }

    pub(crate) fn is_dead(&self, now: Timestamp) -> bool {
        matches!(self.behaviour, Behaviour::DeadFor(secs) if self.is_within(secs, now))
    }

    fn is_within(&self, secs: u64, now: Timestamp) -> bool {
        now.since(self.began) < Duration::from_secs(secs)
    }
}

/// What a site says; `closes` afterwards.
struct Said {
    text: String,
    closes: bool,
}

impl Said {
    fn line(text: impl Into<String>) -> Option<Said> {
        Some(Said { text: text.into(), closes: false })
    }
}

/// What the octets that come in are.
enum Mode {
    Lines,
    Data,
    /// So many octets, and whether they are the last ones.
    Chunk(usize, bool),
}

/// One session of a site.
struct Dialog {
    world: Rc<World>,
    site: usize,
    end: End,
    mode: Mode,
    input: Vec<u8>,
    sender: Option<String>,
    recipients: Vec<String>,
    message: Vec<u8>,
}

const PATIENCE: Duration = Duration::from_secs(300);

/// Speaks until one of the two closes.
pub(crate) async fn serve(world: Rc<World>, site: usize, end: End) {
    let (mode, input, sender) = (Mode::Lines, Vec::new(), None);
    let (recipients, message) = (Vec::new(), Vec::new());
    let mut dialog = Dialog { world, site, end, mode, input, sender, recipients, message };
    let mut said = dialog.greeting();
    loop {
        while let Some(Said { text, closes }) = said {
            dialog.end.write(text.as_bytes());
            dialog.end.write(b"\r\n");
            if closes {
                return;
            }
            said = dialog.next();
        }
        let deadline = dialog.world.tasks.now() + PATIENCE;
        match dialog.end.read(&dialog.world.tasks, Some(deadline)).await {
            Read::Octets(octets) => dialog.input.extend(octets),
            Read::Closed | Read::TimedOut => return,
        }
        said = dialog.next();
    }
}

impl Dialog {
    fn site(&self) -> &Site {
        &self.world.sites[self.site]
    }

    fn now(&self) -> Timestamp {
        self.world.tasks.now()
    }

    fn greeting(&self) -> Option<Said> {
        let site = self.site();
        let is_busy = match site.behaviour {
            Behaviour::BusyFor(secs) => site.is_within(secs, self.now()),
            Behaviour::OftenBusy(of_ten) => site.random.borrow_mut().below(10) < of_ten,
            _ => false,
        };
        if is_busy {
            let text = "421 4.3.2 Too busy, come back later".to_owned();
            return Some(Said { text, closes: true });
        }
        Said::line(format!("220 site{}.test ESMTP", self.site))
    }

    /// The reply to what is complete in `input`; `None` until more comes.
    fn next(&mut self) -> Option<Said> {
        match self.mode {
            Mode::Lines => {
                let end = self.input.windows(2).position(|two| two == b"\r\n")?;
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                let line = String::from_utf8_lossy(&line[..end]).into_owned();
                self.line(&line)
            }
            Mode::Data => {
                let whole = [b"\r\n", &self.input[..]].concat();
                let end = whole.windows(5).position(|five| five == b"\r\n.\r\n")?;
                let stuffed: Vec<u8> = whole[..end + 2].to_vec();
                self.input.drain(..end + 3);
                self.message = unstuffed(&stuffed);
                self.mode = Mode::Lines;
                self.end_of_data()
            }
            Mode::Chunk(octets, last) => {
                if self.input.len() < octets {
                    return None;
                }
                self.message.extend(self.input.drain(..octets));
                self.mode = Mode::Lines;
                if last { self.end_of_data() } else { Said::line("250 2.0.0 Go on") }
            }
        }
    }

    fn line(&mut self, line: &str) -> Option<Said> {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => self.ehlo(),
            "HELO" => Said::line("250-hello\r\n250 pleased to meet you"),
            "MAIL" => self.mail(line),
            "RCPT" => self.rcpt(line),
            "DATA" => self.data(),
            "BDAT" => self.bdat(line),
            "RSET" => {
                self.reset();
                Said::line("250 2.0.0 Ok")
            }
            "QUIT" => Some(Said { text: "221 2.0.0 Bye".to_owned(), closes: true }),
            _ => Said::line("500 5.5.2 What?"),
        }
    }

    fn ehlo(&mut self) -> Option<Said> {
        self.reset();
        let behaviour = self.site().behaviour;
        if behaviour == Behaviour::IsOld {
            return Said::line("502 never heard of it");
        }
        let keywords = behaviour.keywords();
        let lines: String = keywords.iter().map(|keyword| format!("\r\n250-{keyword}")).collect();
        Said::line(format!("250-site{}.test{lines}\r\n250 HELP", self.site))
    }

    fn mail(&mut self, line: &str) -> Option<Said> {
        let site = self.site();
        let has_parameters = !line.trim_end().ends_with('>');
        let is_limited = |secs| {
            let since = site.last_taken.get().map(|last| self.now().since(last));
            since.is_some_and(|since| since < Duration::from_secs(secs))
        };
        match site.behaviour {
            Behaviour::RefusesParameters if has_parameters => {
                return Said::line("555 5.5.4 Unsupported parameter");
            }
            Behaviour::RateLimits(secs) if is_limited(secs) => {
                return Said::line("451 4.7.1 Rate limit exceeded, slow down");
            }
            _ => {}
        }
        self.reset();
        self.sender = Some(address(line));
        Said::line("250 2.1.0 Sender ok")
    }

    fn rcpt(&mut self, line: &str) -> Option<Said> {
        let Some(sender) = self.sender.clone() else { return Said::line("503 5.5.1 MAIL first") };
        let recipient = address(line);
        if let Some(refusal) = self.refusal(&sender, &recipient) {
            return Said::line(refusal);
        }
        self.recipients.push(recipient);
        match self.site().behaviour {
            Behaviour::IsOld => Said::line("250-ok\r\n250 recipient taken"),
            _ => Said::line("250 2.1.5 Recipient ok"),
        }
    }

    fn refusal(&self, sender: &str, recipient: &str) -> Option<String> {
        let (site, now) = (self.site(), self.now());
        let key = (sender.to_owned(), recipient.to_owned());
        let first = *site.first_seen.borrow_mut().entry(key).or_insert(now);
        let left = |secs: u64| (first + Duration::from_secs(secs)).since(now);
        let said = match site.behaviour {
            Behaviour::GreylistsWithHint(secs) if !left(secs).is_zero() => {
                let secs = left(secs).as_millis().div_ceil(1000);
                return Some(format!("450 4.7.1 Greylisted, please try again in {secs} seconds"));
            }
            Behaviour::GreylistsSilently(secs) if !left(secs).is_zero() => {
                "451 4.7.1 Please try again later"
            }
            Behaviour::GreylistsAndLies(secs) if !left(secs).is_zero() => {
                "450 4.7.1 Greylisted, please try again in 60 seconds"
            }
            Behaviour::FullFor(secs) if site.is_within(secs, now) => "452 4.2.2 Mailbox full",
            Behaviour::RefusesRecipients => "550 5.1.1 No such user here",
            Behaviour::LimitsRecipients(most, 452) if self.recipients.len() >= most => {
                "452 4.5.3 Too many recipients"
            }
            Behaviour::LimitsRecipients(most, _) if self.recipients.len() >= most => {
                "552 Too many recipients"
            }
            _ => return None,
        };
        Some(said.to_owned())
    }

    fn data(&mut self) -> Option<Said> {
        if let Some(said) = self.refused_data() {
            return Some(said);
        }
        self.mode = Mode::Data;
        Said::line("354 Go ahead")
    }

    fn refused_data(&mut self) -> Option<Said> {
        if self.recipients.is_empty() {
            return Said::line("554 5.5.1 No valid recipients");
        }
        match self.site().behaviour {
            Behaviour::RefusesDataFor(secs) if self.site().is_within(secs, self.now()) => {
                self.reset();
                Said::line("451 4.3.0 Cannot take a message now")
            }
            _ => None,
        }
    }

    fn bdat(&mut self, line: &str) -> Option<Said> {
        let mut words = line.split(' ').skip(1);
        let octets = words.next().and_then(|octets| octets.parse().ok()).unwrap_or(0);
        let last = words.next().is_some_and(|word| word.eq_ignore_ascii_case("LAST"));
        if self.site().behaviour == Behaviour::RefusesBdat {
            // It does not know that octets follow, and takes them for commands.
            return Some(Said { text: "502 5.5.1 Not implemented".to_owned(), closes: true });
        }
        self.mode = Mode::Chunk(octets, last);
        self.next()
    }

    fn end_of_data(&mut self) -> Option<Said> {
        let (message, recipients) = (self.message.clone(), self.recipients.clone());
        self.reset();
        if recipients.is_empty() {
            return Said::line("503 5.5.1 No valid recipients");
        }
        if self.site().behaviour == Behaviour::RefusesContent {
            return Said::line("554 5.6.0 Message content rejected");
        }
        self.site().last_taken.set(Some(self.now()));
        if let Some(leg) = self.end.leg() {
            let seven_bits = self.site().behaviour.keywords().contains(&"8BITMIME");
            let is_converted = !seven_bits || self.site().behaviour == Behaviour::IsOld;
            self.world.arrived(leg, &recipients, &message, is_converted);
        }
        self.end.taken();
        Said::line("250 2.0.0 Taken")
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
        self.message.clear();
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

/// `stuffed` begins with the CRLF before the message.
fn unstuffed(stuffed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    for (at, octet) in stuffed.iter().enumerate() {
        let is_stuffing = *octet == b'.' && at >= 2 && stuffed[at - 2..at] == *b"\r\n";
        if !is_stuffing {
            plain.push(*octet);
        }
    }
    plain.split_off(2)
}
