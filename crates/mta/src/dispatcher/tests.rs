//! The whole way out over loopback, with scripted peers, in the reactor's own time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use queue::{Origin, Received, RecipientState, Status};
use reply::catalogue;
use reply::explain::Language;
use smtp::envelope::Recipient;
use smtp::syntax::{ForwardPath, MailParameters, Mailbox, RecipientParameters, ReversePath};
use store::table::MemoryTable;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::control::Action;
use crate::delivery::body::ReadMessage;
use crate::resolver::StaticTable;
use crate::router::{HostPort, Relay, Route};

const START: Timestamp = Timestamp::from_secs(1_764_000_000);

/// A queue in memory.
#[derive(Default)]
struct Memory {
    messages: Mutex<BTreeMap<QueueId, (Message, Vec<u8>)>>,
    next: AtomicU64,
    /// Notifications do not fit.
    full: Mutex<bool>,
    /// That a message is held cannot be written down.
    fails_holds: AtomicBool,
    /// Attempts that panic before one does not.
    panics: AtomicU64,
}

impl ReadMessage for Memory {
    fn read_at(&self, id: QueueId, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let messages = lock(&self.messages);
        let (_, octets) = messages.get(&id).ok_or(io::ErrorKind::NotFound)?;
        let left = &octets[(offset as usize).min(octets.len())..];
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        Ok(count)
    }
}

impl Backlog for Memory {
    fn scan(&self, visit: &mut dyn FnMut(Message)) -> io::Result<()> {
        let all: Vec<Message> = lock(&self.messages).values().map(|(m, _)| m.clone()).collect();
        all.into_iter().for_each(visit);
        Ok(())
    }

    fn get(&self, id: QueueId) -> io::Result<Option<Message>> {
        Ok(lock(&self.messages).get(&id).map(|(message, _)| message.clone()))
    }

    fn recall(&self, _: QueueId) -> Option<Message> {
        let less = |panics: u64| panics.checked_sub(1);
        let due = self.panics.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        assert!(due.is_err(), "an attempt panics, as was asked for");
        None
    }

    fn recall_data(&self, _: QueueId) -> Option<Arc<Vec<u8>>> {
        None
    }

    fn submit_update(&self, _: &Message, message: &Message, written: Written) {
        if message.hold.is_held() && self.fails_holds.load(Ordering::Relaxed) {
            return written(Err(io::ErrorKind::StorageFull.into()));
        }
        let mut messages = lock(&self.messages);
        let stored = messages.get_mut(&message.id).ok_or(io::ErrorKind::NotFound.into());
        written(stored.map(|(stored, _)| *stored = message.clone()));
    }

    fn submit_removal(&self, id: QueueId, _: Haste, written: Written) {
        lock(&self.messages).remove(&id);
        written(Ok(()));
    }

    fn put(&self, received: Received, octets: &[u8]) -> io::Result<QueueId> {
        if *lock(&self.full) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let number = (received.at.as_millis() << 16) + self.next.fetch_add(1, Ordering::Relaxed);
        let id = QueueId::from_number(number).unwrap();
        let waiting = |recipient: &Recipient| RecipientState {
            recipient: recipient.clone(),
            status: Status::Waiting { due: received.at },
            history: queue::retry::History::default(),
        };
        let message = Message {
            id,
            octets: octets.len() as u64,
            recipients: received.envelope.recipients.iter().map(waiting).collect(),
            hold: Hold::because(received.held.clone()),
            received: received.into(),
        };
        lock(&self.messages).insert(id, (message, octets.to_vec()));
        Ok(id)
    }
}

/// Mailboxes of this machine: `locked@` is locked, `none@` unknown, all others take mail.
#[derive(Default)]
struct Mailboxes(Mutex<Vec<(String, Vec<u8>)>>);

impl LocalDelivery for Mailboxes {
    fn deliver(
        &self,
        mailbox: &Mailbox,
        message: &LocalMessage<'_>,
        _: Timestamp,
    ) -> Result<(), reply::Answer> {
        match mailbox.local_part.as_str() {
            "locked" => Err(catalogue::mailbox_locked(mailbox)),
            "none" => Err(catalogue::mailbox_unknown(mailbox)),
            _ => {
                let octets = message.body.read(0, usize::MAX).unwrap();
                lock(&self.0).push((mailbox.to_string(), octets));
                Ok(())
            }
        }
    }
}

struct World {
    queue: Arc<Memory>,
    mailboxes: Arc<Mailboxes>,
    dispatcher: Arc<Dispatcher>,
    clock: Clock,
    folder: tempfile::TempDir,
    stop: watch::Sender<bool>,
}

/// A dispatcher over `backlog`, with its stories in `folder`.
fn dispatcher(
    backlog: Arc<dyn Backlog>,
    mailboxes: Arc<Mailboxes>,
    routes: Vec<(String, Route)>,
    clock: Clock,
    folder: &std::path::Path,
) -> Arc<Dispatcher> {
    let retry = RetryOptions::default();
    let parts = Parts {
        backlog,
        router: Router::new(routes, vec!["example.org".to_owned()], vec![], Relay::Off),
        resolver: Arc::new(names()),
        local: mailboxes,
        learned: LearnedStore::new(Arc::new(MemoryTable::default()), &retry),
        events: Arc::new(Events::open(folder).unwrap()),
        clock,
    };
    let voice = Voice {
        hostname: "mail.example.org".to_owned(),
        language: Language::En,
        offset_minutes: 0,
        lifetime: retry.give_up_after,
    };
    let options = Options {
        limits: Limits::new(20, 100, &retry),
        retry,
        session: smtp::client::Options::default(),
        mx_port: 25,
        voice,
        ourselves: Ourselves::default(),
        grace: Duration::from_secs(5),
    };
    Dispatcher::new(options, parts)
}

fn received(from: &str, to: &[&str], at: Timestamp) -> Received {
    let recipient = |address: &&str| Recipient {
        path: ForwardPath::Mailbox(address.parse().unwrap()),
        parameters: RecipientParameters::default(),
    };
    Received {
        envelope: Envelope {
            reverse_path: ReversePath((!from.is_empty()).then(|| from.parse().unwrap())),
            mail: MailParameters::default(),
            recipients: to.iter().map(recipient).collect(),
        },
        at,
        origin: Origin::Submission,
        client: None,
        hello: None,
        held: None,
    }
}

const MESSAGE: &[u8] = b"Subject: test\r\n\r\nHello.\r\n";

impl World {
    fn new(routes: Vec<(String, Route)>) -> World {
        let clock = Clock::starting_at(START);
        let (queue, mailboxes) = (Arc::new(Memory::default()), Arc::new(Mailboxes::default()));
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(queue.clone(), mailboxes.clone(), routes, clock, folder.path());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(dispatcher.clone().run(stopped));
        World { queue, mailboxes, dispatcher, clock, folder, stop }
    }

    fn send(&self, from: &str, to: &[&str]) -> QueueId {
        let id = self.queue.put(received(from, to, self.clock.now()), MESSAGE).unwrap();
        self.dispatcher.adopt(&self.queue.get(id).unwrap().unwrap()).unwrap();
        id
    }

    /// Waits until `done`, in the reactor's time, which only passes while all are idle.
    async fn until(&self, what: &str, done: impl Fn(&World) -> bool) {
        for _ in 0..20_000 {
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let left: Vec<Message> =
            lock(&self.queue.messages).values().map(|(m, _)| m.clone()).collect();
        panic!("never came: {what}; in the queue: {left:?}");
    }

    async fn until_empty(&self) {
        self.until("an empty queue", |world| lock(&world.queue.messages).is_empty()).await;
    }

    fn events(&self, id: QueueId) -> Vec<(Timestamp, Event)> {
        self.dispatcher.parts.events.flush();
        crate::events::story(self.folder.path(), id).unwrap()
    }

    fn mail(&self) -> Vec<(String, String)> {
        let mail = lock(&self.mailboxes.0);
        let text = |octets: &Vec<u8>| String::from_utf8_lossy(octets).into_owned();
        mail.iter().map(|(to, octets)| (to.clone(), text(octets))).collect()
    }
}

/// `m0.test` to `m7.test` are all the same machine.
fn names() -> StaticTable {
    let one = |table: StaticTable, number| {
        table.with_address(&format!("m{number}.test"), [127, 0, 0, 1].into())
    };
    (0..8).fold(StaticTable::new(), one)
}

fn host(port: u16) -> Route {
    named("127.0.0.1", port)
}

fn named(host: &str, port: u16) -> Route {
    Route::Host(HostPort { host: host.to_owned(), port })
}

fn routed(port: u16) -> Vec<(String, Route)> {
    vec![("example.net".to_owned(), host(port))]
}

/// A peer that answers each command line by `answer`, given the seconds since it began.
async fn peer(
    answer: impl Fn(u64, &str) -> String + Send + Sync + 'static,
) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let (log, answer, began) = (heard.clone(), Arc::new(answer), tokio::time::Instant::now());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answer.clone(), log.clone(), began));
        }
    });
    (port, heard)
}

async fn converse(
    stream: TcpStream,
    answer: Arc<impl Fn(u64, &str) -> String>,
    log: Arc<Mutex<Vec<String>>>,
    began: tokio::time::Instant,
) -> Option<()> {
    // A delayed acknowledgement takes real time, in which the paused clock runs away.
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 peer.test ESMTP\r\n").await.ok()?;
    let mut in_data = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if in_data && line != "." {
            continue;
        }
        lock(&log).push(line.to_owned());
        let said = answer(began.elapsed().as_secs(), line);
        in_data = said.starts_with("354");
        stream.write_all(format!("{said}\r\n").as_bytes()).await.ok()?;
        if line == "QUIT" {
            return None;
        }
    }
}

/// What a server that takes everything says.
fn willing(line: &str) -> String {
    match line.split([' ', ':']).next() {
        Some("EHLO") => "250-peer.test\r\n250 PIPELINING",
        Some("DATA") => "354 go ahead",
        Some("QUIT") => "221 bye",
        _ => "250 fine",
    }
    .to_owned()
}

fn count(heard: &Mutex<Vec<String>>, verb: &str) -> usize {
    lock(heard).iter().filter(|line| line.starts_with(verb)).count()
}

#[tokio::test(start_paused = true)]
async fn a_greylisted_message_returns_once_just_after_the_window() {
    let (port, heard) = peer(|secs, line| match line.starts_with("RCPT") && secs < 300 {
        true => format!("450 4.2.0 Greylisted for {} seconds", 300 - secs),
        false => willing(line),
    })
    .await;
    let world = World::new(routed(port));
    let id = world.send("a@example.org", &["b@example.net"]);
    world.until_empty().await;
    assert_eq!(count(&heard, "RCPT"), 2, "one 450, one retry");
    let events = world.events(id);
    let waits = events.iter().find_map(|(at, event)| match event {
        Event::Attempt { why, verdict, .. } => Some((*at, why.clone(), verdict.cause.clone())),
        _ => None,
    });
    let (refused_at, why, cause) = waits.unwrap();
    assert_eq!((why.as_str(), cause.as_str()), ("hint", "greylisted"));
    let delivered = events.iter().find(|(_, event)| matches!(event, Event::Delivered { .. }));
    let waited = delivered.unwrap().0.since(refused_at);
    assert!(waited >= Duration::from_secs(300) && waited <= Duration::from_secs(302), "{waited:?}");
    assert!(matches!(events.last(), Some((_, Event::Ended))));
}

#[tokio::test(start_paused = true)]
async fn a_window_is_learned_and_used_for_the_next_message() {
    let seen: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let (port, heard) = peer(move |secs, line| {
        let first = match line.starts_with("RCPT") {
            true => *lock(&seen).entry(line.to_owned()).or_insert(secs),
            false => return willing(line),
        };
        if secs - first < 200 { "450 4.2.0 Greylisted".to_owned() } else { willing(line) }
    })
    .await;
    let world = World::new(routed(port));
    world.send("a@example.org", &["b@example.net"]);
    world.until_empty().await;
    assert_eq!(count(&heard, "RCPT"), 3, "1 minute was refused, 5½ passed");
    let id = world.send("a@example.org", &["c@example.net"]);
    world.until_empty().await;
    assert_eq!(count(&heard, "RCPT"), 5, "one 450, one retry");
    let learned = world
        .events(id)
        .iter()
        .any(|(_, event)| matches!(event, Event::Attempt { why, .. } if why == "learned-window"));
    assert!(learned);
}

#[tokio::test(start_paused = true)]
async fn each_recipient_keeps_its_own_reply_and_the_sender_is_told_of_the_refused() {
    rfc!(5321, "3.6.3");
    rfc!(5321, "6.1");
    rfc!(3461, "5.2.6");
    rfc!(3461, "5.2.8");
    let (port, heard) = peer(|_, line| match line.contains("nobody@") {
        true => "550 5.1.1 no such mailbox".to_owned(),
        false => willing(line),
    })
    .await;
    let world = World::new(routed(port));
    world.send("a@example.org", &["b@example.net", "nobody@example.net", "c@example.net"]);
    world.until_empty().await;
    assert_eq!((count(&heard, "MAIL"), count(&heard, "RCPT")), (1, 3), "one transaction");
    let mail = world.mail();
    assert_eq!(mail.len(), 1);
    assert_eq!(mail[0].0, "a@example.org");
    for wanted in ["Action: failed", "Status: 5.1.1", "nobody@example.net", "multipart/report"] {
        assert!(mail[0].1.contains(wanted), "{wanted} in {}", mail[0].1);
    }
    assert!(!mail[0].1.contains("Final-Recipient: rfc822; b@example.net"));
}

#[tokio::test(start_paused = true)]
async fn a_notification_is_never_answered() {
    rfc!(5321, "6.1");
    rfc!(5321, "4.5.4");
    rfc!(3461, "5.2");
    rfc!(3461, "6.1");
    let (port, heard) = peer(|_, line| match line.starts_with("RCPT") {
        true => "550 5.1.1 no such mailbox".to_owned(),
        false => willing(line),
    })
    .await;
    let world = World::new(routed(port));
    world.send("", &["b@example.net"]);
    world.until_empty().await;
    assert_eq!(count(&heard, "RCPT"), 1);
    assert_eq!(world.mail(), []);
}

#[tokio::test(start_paused = true)]
async fn a_dead_host_is_told_of_once_and_given_up_after_five_days() {
    rfc!(5321, "4.5.4.1");
    // Nobody listens on a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let world = World::new(routed(port));
    let id = world.send("a@example.org", &["b@example.net"]);
    for _ in 0..6 * 24 {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    world.until_empty().await;
    let mail = world.mail();
    assert_eq!(mail.len(), 2, "one delay, one failure");
    assert!(mail[0].1.contains("Action: delayed"));
    assert!(mail[1].1.contains("Action: failed") && mail[1].1.contains("Status: 4.4.7"));
    let ended = world.events(id).last().unwrap().0.since(START);
    assert!(ended >= Duration::from_secs(5 * 86_400), "{ended:?}");
    assert!(ended <= Duration::from_secs(5 * 86_400 + 7200), "{ended:?}");
}

/// A host that hangs up on everybody for so long, then takes everything. Counts those that
/// it hung up on.
async fn down_for(secs: u64) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hung_up: Arc<AtomicU64> = Arc::default();
    let (count, began) = (hung_up.clone(), tokio::time::Instant::now());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if began.elapsed().as_secs() < secs {
                count.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let answer = Arc::new(|_: u64, line: &str| willing(line));
            tokio::spawn(converse(stream, answer, Arc::default(), began));
        }
    });
    (port, hung_up)
}

#[tokio::test(start_paused = true)]
async fn a_dead_host_of_many_domains_is_left_alone_once_for_all_their_mail() {
    let (port, hung_up) = down_for(2 * 3600).await;
    let domains: Vec<String> = (0..8).map(|number| format!("d{number}.example.net")).collect();
    let route = |(number, domain): (usize, &String)| {
        (domain.clone(), named(&format!("m{number}.test"), port))
    };
    let world = World::new(domains.iter().enumerate().map(route).collect());
    world.send("a@example.org", &["first@d0.example.net"]);
    world.until("the first failure", |_| hung_up.load(Ordering::Relaxed) == 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let send = |domain: &String| world.send("a@example.org", &[&format!("b@{domain}")]);
    let ids: Vec<QueueId> = domains.iter().map(send).collect();
    world
        .until("words for each", |world| {
            ids.iter().skip(1).all(|id| world.events(*id).iter().any(is_left_alone))
        })
        .await;
    assert_eq!(hung_up.load(Ordering::Relaxed), 1, "what is known to be dead is not tried");
    world.until_empty().await;
    // After 5, 15, 35 and 75 minutes one attempt found out for all.
    assert_eq!(hung_up.load(Ordering::Relaxed), 5);
    let delivered = |id: &QueueId| {
        let events = world.events(*id);
        let found = events.into_iter().find(|(_, event)| matches!(event, Event::Delivered { .. }));
        found.unwrap().0.since(START).as_secs()
    };
    let times: Vec<u64> = ids.iter().map(delivered).collect();
    assert!(times.iter().all(|secs| (8100..8110).contains(secs)), "all at once: {times:?}");
}

fn is_left_alone((_, event): &(Timestamp, Event)) -> bool {
    matches!(event, Event::Attempt { said, .. } if said.contains("is left alone until"))
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_asked_for_tries_a_host_that_is_left_alone() {
    let (port, hung_up) = down_for(60).await;
    let world = World::new(routed(port));
    let id = world.send("a@example.org", &["b@example.net"]);
    world.until("the first failure", |_| hung_up.load(Ordering::Relaxed) == 1).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.dispatcher.act(Action::Retry, id).unwrap();
    world.until_empty().await;
    let took = world.clock.now().since(START);
    assert!(took < Duration::from_secs(120), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn mailboxes_of_this_machine_answer_like_any_other_host() {
    let world = World::new(vec![]);
    let id =
        world.send("a@example.org", &["b@example.org", "locked@example.org", "none@example.org"]);
    let waits = |world: &World| {
        let message = world.queue.get(id).unwrap();
        message
            .is_some_and(|m| m.recipients.iter().filter(|r| r.status.due().is_some()).count() == 1)
    };
    world.until("two settled recipients", waits).await;
    world.until("the mail and the notification", |world| world.mail().len() == 2).await;
    let message = world.queue.get(id).unwrap().unwrap();
    assert_eq!(message.recipients[1].history.last_cause(), Some(Cause::MailboxLocked));
    let shown = crate::control::QueuedMessage::of(&message, world.clock.now());
    assert_eq!(shown.recipients[1].verdict.as_ref().unwrap().cause, "mailbox-locked");
    assert_eq!(shown.recipients[0].status, "delivered");
    assert!(world.mail().iter().any(|(to, text)| to == "a@example.org" && text.contains("5.1.1")));
}

#[tokio::test(start_paused = true)]
async fn a_message_leaves_at_once_and_those_right_behind_it_together() {
    let world = World::new(Vec::new());
    sleep(Duration::from_secs(1)).await;
    let mut sent = Vec::new();
    for to in ["first@example.org", "second@example.org", "third@example.org"] {
        sent.push((world.clock.now(), world.send("a@example.org", &[to])));
        sleep(Duration::from_millis(1)).await;
    }
    world.until_empty().await;
    let after = |(_, id): &(Timestamp, QueueId)| {
        let events = world.events(*id);
        let end = events.iter().find(|(_, event)| matches!(event, Event::Delivered { .. }));
        end.unwrap().0.since(sent[0].0)
    };
    let [first, second, third] = [0, 1, 2].map(|index| after(&sent[index]));
    assert_eq!(first, Duration::ZERO);
    assert!(second >= GATHERING, "{second:?}");
    assert_eq!(third, second);
}

/// It is in the queue from its commit on, and in the schedule a moment later.
#[tokio::test(start_paused = true)]
async fn a_message_that_is_hastened_just_when_it_comes_is_sent_once() {
    let (port, heard) = peer(|_, line| willing(line)).await;
    let world = World::new(routed(port));
    sleep(Duration::from_secs(1)).await;
    let came = received("a@example.org", &["b@example.net"], world.clock.now());
    let id = world.queue.put(came, MESSAGE).unwrap();
    sleep(Duration::from_secs(1)).await;
    world.dispatcher.act(Action::Retry, id).unwrap();
    world.dispatcher.take(world.queue.get(id).unwrap().unwrap());
    world.until_empty().await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(count(&heard, "RCPT"), 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_that_have_ended_are_all_forgotten_at_once() {
    let mut attempts = JoinSet::new();
    for millis in [1, 1, 1, 9] {
        attempts.spawn(sleep(Duration::from_millis(millis)));
    }
    sleep(Duration::from_millis(5)).await;
    ended(&mut attempts).await;
    assert_eq!(attempts.len(), 1);
    ended(&mut attempts).await;
    let none = timeout(Duration::from_secs(1), ended(&mut attempts)).await;
    assert!(none.is_err(), "none is left to end");
}

#[tokio::test(start_paused = true)]
async fn at_a_start_a_message_that_cannot_be_held_keeps_no_other_from_its_way() {
    let world = World::new(vec![]);
    world.queue.fails_holds.store(true, Ordering::Relaxed);
    let put = |to| {
        let received = received("a@example.org", &[to], world.clock.now());
        world.queue.put(received, MESSAGE).unwrap()
    };
    let stuck = put("b@example.com");
    put("b@example.org");
    world.until("the mail", |world| world.mail().len() == 1).await;
    assert!(world.queue.get(stuck).unwrap().is_some_and(|message| !message.hold.is_held()));
}

#[tokio::test(start_paused = true)]
async fn attempts_that_panic_are_made_again_and_block_no_destination() {
    const MESSAGES: usize = 30;
    let (port, _) = peer(|_, line| willing(line)).await;
    let world = World::new(routed(port));
    world.queue.panics.store(MESSAGES as u64, Ordering::Relaxed);
    for _ in 0..MESSAGES {
        world.send("a@example.org", &["b@example.net"]);
    }
    world.until("the panics", |world| world.queue.panics.load(Ordering::Relaxed) == 0).await;
    world.until_empty().await;
    let took = world.clock.now().since(START);
    assert!(took > AFTER_FAULT && took < 3 * AFTER_FAULT, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_leave_is_held_with_the_setting_that_would_let_it() {
    let world = World::new(vec![]);
    let id = world
        .queue
        .put(received("a@example.org", &["b@example.com"], world.clock.now()), MESSAGE)
        .unwrap();
    world.dispatcher.take(world.queue.get(id).unwrap().unwrap());
    let message = |world: &World| world.queue.get(id).unwrap().unwrap();
    world.until("a hold", |world| message(world).hold.is_held()).await;
    let message = message(&world);
    assert!(message.hold.reason().unwrap().contains("`relay`"));
    let refused = world.dispatcher.act(Action::Release, id).unwrap_err();
    assert!(matches!(refused, ActError::StaysHeld(_)), "{refused}");
    world.dispatcher.act(Action::Bounce, id).unwrap();
    world.until_empty().await;
    assert!(world.mail()[0].1.contains("Action: failed"));
}

#[tokio::test(start_paused = true)]
async fn a_message_given_up_by_hand_keeps_the_cause_that_was_heard_last() {
    let world = World::new(vec![]);
    let id = world.send("a@example.org", &["locked@example.org"]);
    let last = |world: &World| {
        let message = world.queue.get(id).unwrap().unwrap();
        message.recipients[0].history.last_cause()
    };
    world.until("a refusal", |world| last(world).is_some()).await;
    world.dispatcher.act(Action::Bounce, id).unwrap();
    world.until("its end", |world| world.queue.get(id).unwrap().is_none()).await;
    let told = world.events(id).into_iter().find_map(|(_, event)| match event {
        Event::Attempt { verdict, said, next_at: None, .. } => Some((verdict.cause, said)),
        _ => None,
    });
    let (cause, said) = told.unwrap();
    assert_eq!(cause, "mailbox-locked");
    assert!(said.starts_with("given up by the administrator; what was heard last: 450"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_recipient_that_its_route_holds_is_shown_so_and_released_beside_one_that_waits() {
    let mut routes = routed(9);
    routes.push(("example.org".to_owned(), Route::Hold));
    let world = World::new(routes);
    let id = world.send("", &["b@example.net", "alice@example.org"]);
    let message = |world: &World| world.queue.get(id).unwrap().unwrap();
    world.until("an attempt", |world| message(world).recipients[0].history.attempts == 1).await;
    let shown = world.dispatcher.shown(&message(&world));
    assert!(shown.held.is_none() && shown.recipients[0].next_attempt_at.is_some());
    assert!(shown.recipients[1].held.is_some() && shown.recipients[1].next_attempt_at.is_none());
    world.dispatcher.act(Action::Release, id).unwrap();
    world.until("the held one's mail", |world| world.mail().len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_recipient_of_a_host_that_is_left_alone_is_shown_with_the_end_of_that_rest() {
    let world = World::new(routed(9));
    let first = world.send("a@example.org", &["b@example.net"]);
    let attempts = |world: &World, id| {
        world.queue.get(id).unwrap().map_or(0, |message| message.recipients[0].history.attempts)
    };
    world.until("an attempt", |world| attempts(world, first) == 1).await;
    let second = world.send("a@example.org", &["c@example.net"]);
    let shown = world.dispatcher.shown(&world.queue.get(second).unwrap().unwrap());
    let recipient = &shown.recipients[0];
    assert_eq!(recipient.next_attempt_why.as_deref(), Some("host-left-alone"));
    assert!(recipient.next_attempt_in_seconds.unwrap() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_released_from_the_hold_of_its_route_stays_released_after_a_restart() {
    let routes = || vec![("example.org".to_owned(), Route::Hold)];
    let world = World::new(routes());
    let id = world.send("", &["locked@example.org"]);
    let message = || world.queue.get(id).unwrap().unwrap();
    assert!(message().hold.is_held());
    world.dispatcher.act(Action::Release, id).unwrap();
    let attempts = || message().recipients[0].history.attempts;
    world.until("an attempt after the release", |_| attempts() == 1).await;
    world.stop.send(true).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let (queue, mailboxes) = (world.queue.clone(), world.mailboxes.clone());
    let restarted = dispatcher(queue, mailboxes, routes(), world.clock, folder.path());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(restarted.run(stopped));
    world.until("an attempt after the restart", |_| attempts() == 2).await;
    assert_eq!(message().hold, Hold::Released);
}

#[tokio::test(start_paused = true)]
async fn commands_take_effect_at_once() {
    let (port, heard) = peer(|secs, line| match line.starts_with("RCPT") && secs < 30_000 {
        true => "452 4.2.2 mailbox full".to_owned(),
        false => willing(line),
    })
    .await;
    let world = World::new(routed(port));
    let id = world.send("a@example.org", &["b@example.net"]);
    world.until("the first attempt", |_| count(&heard, "RCPT") == 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.dispatcher.act(Action::Retry, id).unwrap();
    world.until("the attempt that was asked for", |_| count(&heard, "RCPT") == 2).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.dispatcher.act(Action::Hold, id).unwrap();
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert_eq!(count(&heard, "RCPT"), 2, "held");
    world.dispatcher.act(Action::Release, id).unwrap();
    world.until_empty().await;
    assert_eq!(count(&heard, "RCPT"), 3);
    let gone = world.dispatcher.act(Action::Remove, id).unwrap_err();
    assert!(matches!(gone, ActError::NoSuchMessage(_)));
}

#[tokio::test(start_paused = true)]
async fn a_full_spool_does_not_lose_a_notification() {
    let (port, _) = peer(|_, line| match line.starts_with("RCPT") {
        true => "550 5.1.1 no such mailbox".to_owned(),
        false => willing(line),
    })
    .await;
    let world = World::new(routed(port));
    *lock(&world.queue.full) = false;
    let id = world.send("a@example.org", &["b@example.net"]);
    *lock(&world.queue.full) = true;
    let tried = |world: &World| {
        world.queue.get(id).unwrap().is_some_and(|m| m.recipients[0].history.attempts == 1)
    };
    world.until("the refusal", tried).await;
    assert_eq!(world.mail(), []);
    *lock(&world.queue.full) = false;
    world.until_empty().await;
    assert_eq!(world.mail().len(), 1, "told once there was room");
}

#[tokio::test(start_paused = true)]
async fn connections_are_reused_and_a_restart_takes_up_what_waits() {
    let (port, heard) = peer(|_, line| willing(line)).await;
    let world = World::new(routed(port));
    let _ = world.stop.send(true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    for number in 0..200 {
        world.send("a@example.org", &[&format!("b{number}@example.net")]);
    }
    assert_eq!(count(&heard, "EHLO"), 0, "it is stopped");
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(world.dispatcher.clone().run(stopped));
    world.until_empty().await;
    assert_eq!(count(&heard, "MAIL"), 200);
    let sessions = count(&heard, "EHLO");
    assert!(sessions <= 20, "{sessions} sessions");
}

#[tokio::test(start_paused = true)]
async fn the_real_spool_keeps_plans_across_a_restart_and_ends_empty() {
    let (port, heard) = peer(|secs, line| match line {
        line if line.contains("nobody@") => "550 5.1.1 no such mailbox".to_owned(),
        line if line.starts_with("RCPT") && secs < 3000 => "452 4.2.2 mailbox full".to_owned(),
        line => willing(line),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let (clock, mailboxes) = (Clock::starting_at(START), Arc::new(Mailboxes::default()));
    for run in 0..2 {
        let disk = store::FileSystem::new(folder.path().join("spool")).unwrap();
        let (spool, writer, _) = queue::Spool::open(disk).unwrap();
        let writing = std::thread::spawn(move || writer.run(|| {}));
        let backlog = Arc::new(spool.clone());
        let dispatcher = dispatcher(backlog, mailboxes.clone(), routed(port), clock, folder.path());
        if run == 0 {
            let to = ["b@example.net", "nobody@example.net"];
            spool.put_now(received("a@example.org", &to, clock.now()), MESSAGE).unwrap();
        }
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(dispatcher.run(stopped));
        let done = || match run {
            0 => spool.ids().len() == 1 && lock(&mailboxes.0).len() == 1,
            _ => spool.ids().is_empty(),
        };
        for _ in 0..20_000 {
            if done() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert!(done(), "run {run}");
        stop.send(true).unwrap();
        running.await.unwrap().unwrap();
        spool.close();
        writing.join().unwrap();
    }
    assert_eq!(count(&heard, "RCPT TO:<b@"), 2, "the plan of an hour was kept");
    assert_eq!(count(&heard, "RCPT TO:<nobody@"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_recipient_does_not_wait_for_a_clock_that_was_set_back_to_come_again() {
    let world = World::new(Vec::new());
    let to = ["locked@example.org", "locked@example.org"];
    let id = world.queue.put(received("a@example.org", &to, START), MESSAGE).unwrap();
    let mut message = world.queue.get(id).unwrap().unwrap();
    let tomorrow = START + Duration::from_secs(86_400);
    let tried = queue::retry::History { last_attempt: Some(tomorrow), ..Default::default() };
    message.recipients[1].history = tried;
    message.recipients[1].status = Status::Waiting { due: tomorrow + Duration::from_secs(60) };
    world.queue.update(&message, &message).unwrap();
    world.dispatcher.take(message);
    let attempts =
        |world: &World| world.queue.get(id).unwrap().unwrap().recipients[1].history.attempts;
    world.until("an attempt for the second", |world| attempts(world) > 0).await;
}

/// A dispatcher that does not run, and a lease on a message for `example.net`.
fn leased(folder: &std::path::Path) -> (Arc<Dispatcher>, Lease) {
    let (queue, mailboxes) = (Arc::new(Memory::default()), Arc::default());
    let clock = Clock::starting_at(START);
    let dispatcher = dispatcher(queue.clone(), mailboxes, routed(25), clock, folder);
    let id = queue.put(received("a@example.org", &["b@example.net"], START), MESSAGE).unwrap();
    dispatcher.schedule().insert(id, "example.net", START);
    let lease = dispatcher.schedule().due(START, 1).pop().unwrap();
    (dispatcher, lease)
}

#[tokio::test(start_paused = true)]
async fn what_was_planned_before_the_clock_was_set_back_is_due_as_soon_as_planned() {
    let folder = tempfile::tempdir().unwrap();
    let (dispatcher, lease) = leased(folder.path());
    let pause = Duration::from_secs(300);
    let shown = START + Duration::from_secs(86_400);
    let again = Some(Due { at: shown + pause, shown });
    dispatcher.give_back(lease, Outcome { again, pace: None }, false);
    assert_eq!(dispatcher.schedule().due(START, 1), []);
    assert_eq!(dispatcher.schedule().next_due(), Some(START + pause));
}

#[tokio::test(start_paused = true)]
async fn a_pause_by_a_clock_that_was_set_back_is_no_longer_than_any_plan() {
    let folder = tempfile::tempdir().unwrap();
    let (dispatcher, lease) = leased(folder.path());
    let again = Some(Due { at: START, shown: START });
    let until = START + Duration::from_secs(365 * 86_400);
    let pace = Some(Pace::SlowDown { until });
    dispatcher.give_back(lease, Outcome { again, pace }, false);
    let longest = RetryOptions::default().slow.longest_pause;
    assert_eq!(dispatcher.schedule().left_alone_until("example.net", START), Some(START + longest));
}
