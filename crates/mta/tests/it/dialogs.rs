//! Every dialog of `tests/dialogs` against the real server: the driver of sessions, policy,
//! mailboxes in files (one of them locked by another process, one busy with a delivery that
//! does not end), and a spool on disk. Only the sockets are pairs in memory, and the
//! reactor's time is paused, so that five minutes pass in none.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use policy::{Greylist, Listener, MailboxDirectory, MailboxState, Policy, greylist};
use queue::retry::LearnedStore;
use queue::schedule::Limits;
use queue::spool::Driver;
use queue::{QueueId, Spool};
use reply::Timestamp;
use reply::explain::Language;
use secondpost_mta::clock::Clock;
use secondpost_mta::delivery::LocalMail;
use secondpost_mta::dispatcher::{self, Dispatcher, Voice};
use secondpost_mta::events::Events;
use secondpost_mta::mailbox::{
    Disabled, MailboxOptions, Mailboxes, Quota, Registered, Registry, RegistryError,
};
use secondpost_mta::reception::{Client, Reception};
use secondpost_mta::resolver::StaticTable;
use secondpost_mta::route_to::Ourselves;
use secondpost_mta::router::{Relay, Router};
use secondpost_mta::session_driver::drive;
use smtp::server::Protocol;
use smtp::syntax::path::forward_path;
use smtp::syntax::{ForwardPath, Mailbox, ReversePath};
use store::{FileSystem, MemoryTable};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::dialog::{Act, Dialog, HOSTNAME, files, matches};
use crate::holder::Holder;

/// What the real server cannot be brought to say here, and why.
const NOT_PLAYED: &[(&str, &str)] = &[
    ("30-disk-full.smtp", "a disk that is full on demand is in memory, the server's is not"),
    ("34-the-members-of-a-list.smtp", "the server has no mailing lists yet"),
    ("35-lmtp-chunks-on-a-full-disk.smtp", "as the other full disk"),
];

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Longer than nothing: when it is over in paused time, all others wait as well.
const MOMENT: Duration = Duration::from_millis(1);
/// In real time, for a dialog that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// One server with everything that it needs, and who stands in the way of its mailboxes.
struct Site {
    reception: Arc<Reception>,
    mailboxes: Arc<Mailboxes>,
    spool: Driver<FileSystem>,
    folder: tempfile::TempDir,
    lock: Holder,
    busy: Busy,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::starting_at(START);
        add_mailboxes(folder.path());
        let options = MailboxOptions {
            lock_wait: Duration::from_millis(20),
            deliveries: 1,
            ..MailboxOptions::default()
        };
        let mailboxes = Mailboxes::open(folder.path(), options, START).expect("a registry");
        let mailboxes = Arc::new(mailboxes);
        let disk = FileSystem::new(folder.path().join("spool")).expect("a spool's folder");
        let options = store::log::Options { segment_octets: 1 << 20, ..Default::default() };
        let (spool, writer, _) = Spool::open_with(disk, options).expect("a spool");
        let driver = spool.start(writer, || {}).expect("the spool's thread");
        let reception = reception(folder.path(), clock, spool, mailboxes.clone());
        let locked = folder.path().join("mail/example.org/locked/secondpost.lock");
        fs::write(&locked, "").expect("the lock's file");
        let (lock, busy) = (Holder::of(&locked), Busy::with(mailboxes.clone()));
        Site { reception, mailboxes, spool: driver, folder, lock, busy }
    }

    /// What the mailboxes that are named after a state say of themselves.
    fn assert_states(&self) {
        let state = |name: &str| {
            let address: Mailbox = format!("{name}@example.org").parse().unwrap();
            self.mailboxes.state(&address, None, START)
        };
        assert_eq!(state("locked"), Some(MailboxState::Locked));
        assert_eq!(state("busy"), Some(MailboxState::Busy));
        assert_eq!(state("away"), Some(MailboxState::DisabledForNow));
        assert_eq!(state("full"), Some(MailboxState::Full));
        assert_eq!(state("alice"), Some(MailboxState::Ready));
        assert_eq!(state("unknown"), None);
    }

    fn ids(&self) -> BTreeSet<QueueId> {
        self.reception.spool.ids().into_iter().collect()
    }

    fn close(self) {
        self.busy.end();
        self.reception.spool.close();
        self.spool.stop();
        drop((self.lock, self.folder));
    }
}

/// Those that are named after their state, and every other that some dialog writes to.
fn add_mailboxes(data_dir: &Path) {
    let registry = Registry::in_dir(data_dir);
    let add = |address: &str, change: &dyn Fn(&mut Registered)| {
        let mut mailbox = Registered::new(address).expect("an address");
        change(&mut mailbox);
        match registry.add(mailbox) {
            Ok(()) | Err(RegistryError::Exists(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    let disabled =
        |until_millis| move |m: &mut Registered| m.disabled = Some(Disabled { until_millis });
    let tomorrow = START + Duration::from_secs(86_400);
    add("away@example.org", &disabled(Some(tomorrow.as_millis())));
    add("disabled@example.org", &disabled(None));
    add("full@example.org", &|m| m.quota = Quota { messages: Some(1), ..Quota::default() });
    fs::write(data_dir.join("mail/example.org/full/new/1"), "x").expect("a message");
    for name in ["smith@example.org", "smith@example.com", "bob@example.org"] {
        add(name, &|_| {});
    }
    for path in files() {
        recipients(&Dialog::read(&path)).iter().for_each(|name| add(name, &|_| {}));
    }
}

/// The recipients of a dialog that are mailboxes of ours.
fn recipients(dialog: &Dialog) -> Vec<String> {
    let texts = dialog.acts.iter().filter_map(|(_, act)| match act {
        Act::Client(octets) => Some(String::from_utf8_lossy(octets).into_owned()),
        _ => None,
    });
    let paths = texts.filter_map(|text| {
        let at = text.to_ascii_uppercase().find("RCPT TO:")?;
        match forward_path(text[at + "RCPT TO:".len()..].trim_start()).ok()?.0 {
            ForwardPath::Mailbox(mailbox) => Some(mailbox),
            ForwardPath::Postmaster => None,
        }
    });
    paths
        .filter(|mailbox| mailbox.domain == *"example.org")
        .map(|mailbox| mailbox.local_part.as_str().to_owned())
        .filter(|name| !name.starts_with("unknown"))
        .map(|name| format!("{name}@example.org"))
        .collect()
}

fn reception(
    data_dir: &Path,
    clock: Clock,
    spool: Spool<FileSystem>,
    mailboxes: Arc<Mailboxes>,
) -> Arc<Reception> {
    let domains = vec!["example.org".to_owned(), "example.com".to_owned()];
    let router = || Router::new(vec![], domains.clone(), vec![], Relay::Off);
    let events = Arc::new(Events::open(data_dir).expect("the history"));
    let retry = queue::retry::RetryOptions::default();
    let parts = dispatcher::Parts {
        backlog: Arc::new(spool.clone()),
        router: router(),
        resolver: Arc::new(StaticTable::default()),
        local: mailboxes.clone(),
        learned: LearnedStore::new(Arc::new(MemoryTable::default()), &retry),
        events: events.clone(),
        clock,
    };
    let options = dispatcher::Options {
        limits: Limits::new(1, 1, &retry),
        session: smtp::client::Options::default(),
        mx_port: 25,
        voice: Voice {
            hostname: HOSTNAME.to_owned(),
            language: Language::En,
            offset_minutes: 0,
            lifetime: retry.give_up_after,
        },
        ourselves: Ourselves::default(),
        grace: Duration::from_secs(5),
        retry,
    };
    let greylisting = greylist::Options { enabled: false, ..Default::default() };
    let policy = Policy {
        access: policy::access::Access::default(),
        rates: policy::rate::Rates::new(Arc::new(MemoryTable::default())),
        greylist: Greylist::new(greylisting, Arc::new(MemoryTable::default())),
        connections_per_client: 10,
    };
    Arc::new(Reception {
        clock,
        hostname: HOSTNAME.to_owned(),
        domains: domains.clone(),
        own_networks: vec![],
        policy,
        directory: mailboxes,
        router: router(),
        spool,
        events,
        // Never run: what is accepted stays in the spool, where it is looked at.
        dispatcher: Dispatcher::new(options, parts),
    })
}

/// A delivery to `busy@example.org` that goes on until it is told to end.
struct Busy {
    end: Sender<()>,
    delivery: JoinHandle<()>,
}

/// A message whose end does not come before it is asked for.
struct Slow {
    begun: Sender<()>,
    end: Receiver<()>,
}

impl Read for Slow {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let _ = self.begun.send(());
        let _ = self.end.recv();
        Ok(0)
    }
}

impl Busy {
    fn with(mailboxes: Arc<Mailboxes>) -> Busy {
        let (end, ended) = channel();
        let (begun, has_begun) = channel();
        let delivery = std::thread::spawn(move || {
            let recipient = "busy@example.org".parse().unwrap();
            let mail = LocalMail {
                queue_id: "slow",
                arrival: START,
                reverse_path: &ReversePath(None),
                recipient: &recipient,
                octets: 1,
                may_be_there: false,
            };
            mailboxes.deliver(&mail, &mut Slow { begun, end: ended }, START);
        });
        has_begun.recv().expect("the delivery begins");
        Busy { end, delivery }
    }

    fn end(self) {
        drop(self.end);
        self.delivery.join().expect("the delivery ends");
    }
}

/// One connection to the server.
struct Connection<'a> {
    site: &'a Site,
    client: DuplexStream,
    heard: Vec<u8>,
    stop: watch::Sender<bool>,
    session: tokio::task::JoinHandle<io::Result<()>>,
    before: BTreeSet<QueueId>,
}

impl<'a> Connection<'a> {
    fn open(site: &'a Site, dialog: &Dialog) -> Connection<'a> {
        let (client, server) = duplex(256 * 1024);
        let (stop, stopped) = watch::channel(false);
        let listener = match dialog.options.protocol {
            Protocol::Smtp => Listener::Mx,
            Protocol::Submission => Listener::Submission,
            Protocol::Lmtp => Listener::Lmtp,
        };
        let peer = Client::local(listener);
        let (options, reception) = (Arc::new(dialog.options.clone()), site.reception.clone());
        let session = tokio::spawn(drive(server, options, reception, peer, stopped));
        Connection { site, client, heard: Vec::new(), stop, session, before: site.ids() }
    }

    /// What is not said by the client.
    async fn act(&mut self, act: &Act, at: &str) {
        match act {
            Act::Client(_) => unreachable!("{at}: sent by its group"),
            Act::Server(expected) => {
                let line = self.line(at).await;
                assert!(matches(expected, &line), "{at}: expected `{expected}`, heard `{line}`");
            }
            Act::Wait(time) => sleep(*time).await,
            Act::ShutDown => drop(self.stop.send_replace(true)),
            Act::HangUp => self.client.shutdown().await.expect("it can hang up"),
            Act::Closed => assert_eq!(self.more().await, 0, "{at}: not closed"),
            Act::Silent => {
                let said = timeout(MOMENT, self.more()).await;
                assert!(said.is_err() && self.heard.is_empty(), "{at}: not silent");
            }
            Act::Stored(octets) => self.assert_stored(octets, at),
            Act::Messages(count) => assert_eq!(self.accepted().len(), *count, "{at}"),
            Act::Disk(disk) => panic!("{at}: the disk is real, it cannot be {disk:?} here"),
        }
    }

    /// Each piece is taken before the next is sent.
    async fn send(&mut self, octets: &[u8], piece: usize) {
        for piece in octets.chunks(piece) {
            // What follows a reply that closes finds nobody.
            let _ = self.client.write_all(piece).await;
            tokio::task::yield_now().await;
        }
    }

    async fn more(&mut self) -> usize {
        self.client.read_buf(&mut self.heard).await.expect("it can be read")
    }

    async fn line(&mut self, at: &str) -> String {
        loop {
            if let Some(end) = self.heard.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.heard.drain(..end + 2).collect();
                assert!(line.len() <= 512 && line.is_ascii(), "{at}: no lawful reply line");
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            assert!(self.more().await > 0, "{at}: the server has closed");
        }
    }

    fn accepted(&self) -> Vec<QueueId> {
        self.site.ids().difference(&self.before).copied().collect()
    }

    fn assert_stored(&self, octets: &[u8], at: &str) {
        let last = *self.accepted().last().unwrap_or_else(|| panic!("{at}: no message"));
        let stored = self.site.reception.spool.body(last).and_then(|mut body| body.read_all());
        let stored = stored.expect("it can be read");
        let text = String::from_utf8_lossy(&stored);
        assert!(text.starts_with("Received: from "), "{at}: {text:?}");
        assert!(stored.ends_with(octets), "{at}: stored is {text:?}");
    }

    /// Nothing was left unsaid, and the session ends with its connection.
    async fn end(mut self, name: &str) {
        let _ = self.client.shutdown().await;
        while self.more().await > 0 {}
        let rest = String::from_utf8_lossy(&self.heard).into_owned();
        assert!(rest.is_empty(), "{name}: the server also said `{rest}`");
        self.session.await.expect("the session does not panic").expect("nor fails");
    }
}

async fn play(site: &Site, dialog: &Dialog, piece: usize) {
    let mut connection = Connection::open(site, dialog);
    let mut acts = dialog.acts.iter().peekable();
    while let Some((number, act)) = acts.next() {
        let at = format!("{}:{number} (pieces of {piece})", dialog.name);
        let Act::Client(octets) = act else {
            connection.act(act, &at).await;
            continue;
        };
        // Lines without a reply between them travel together.
        let mut group = octets.clone();
        while let Some((_, Act::Client(more))) = acts.peek() {
            group.extend(more);
            acts.next();
        }
        connection.send(&group, piece).await;
    }
    connection.end(&dialog.name).await;
}

#[test]
fn dialogs_are_as_written_by_the_real_server() {
    let (done, is_done) = channel();
    let playing = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a reactor");
        runtime.block_on(play_all(&done));
    });
    let mut last = "the first dialog".to_owned();
    loop {
        match is_done.recv_timeout(PATIENCE) {
            Ok(name) => last = name,
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("what hangs follows {last}"),
        }
    }
    playing.join().expect("every dialog is as written");
}

async fn play_all(done: &Sender<String>) {
    let site = Site::new();
    site.assert_states();
    let mut played = 0;
    for path in files() {
        let dialog = Dialog::read(&path);
        if NOT_PLAYED.iter().any(|(name, _why)| *name == dialog.name) {
            continue;
        }
        for piece in [usize::MAX, 1] {
            play(&site, &dialog, piece).await;
        }
        played += 1;
        let _ = done.send(dialog.name);
    }
    assert!(played >= 30, "only {played} dialogs were played");
    site.close();
}
