//! The wiring of `serve`: what is opened in which order, what runs, how it stops.
//!
//! Nothing is decided here and no protocol is spoken; each part is made from its settings
//! and handed to those that need it.

mod banner;
mod descriptors;
mod handler;
mod life;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mta::clock::Clock;
use mta::control::{self, drop as drop_folder};
use mta::dispatcher::{self, Dispatcher, Voice};
use mta::events::{self, Events};
use mta::listener::{self, Connections, Service, Socket, bind, bind_unix};
use mta::mailbox::{MailboxOptions, Mailboxes, Registry};
use mta::reception::Reception;
use mta::resolver::Dns;
use mta::route_to::Ourselves;
use policy::{Listener as Door, Policy};
use queue::retry::LearnedStore;
use queue::schedule;
use queue::spool::{Driver, OpenError, SpoolRecovery};
use queue::{QueueId, Spool};
use reply::Timestamp;
use reply::explain::{Language, labelled, wrong};
use smtp::server::Protocol;
use smtp::syntax::Mailbox;
use store::{FileSystem, LoggedTable};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::banner::Banner;
use self::handler::Administration;
use self::life::Life;
use crate::cli::{Context, Failure, mailbox, system, user};
use config::load::RUNNING_NAME;
use config::settings::Listen;
use config::values::Addresses;
use config::{Config, Loaded};

/// How long what is in flight may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// How often tables are written: a crash forgets at most so much greylisting.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How often stories that are over are thrown away.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

type FileTable = LoggedTable<FileSystem>;

/// Runs the server until it is told to stop.
///
/// # Errors
/// Where something cannot be opened or bound; the error names it.
pub(crate) fn serve(loaded: &Loaded, context: &mut Context<'_>) -> Result<(), Failure> {
    let (clock, config) = (Clock::start(), &loaded.config);
    let data_dir = &context.global.data_dir;
    let language = context.global.language();
    let runtime = Runtime::new();
    let runtime = runtime.map_err(|error| Failure::of_part("reactor", &error, language))?;
    let storage = Storage::open(data_dir, clock.now(), runtime.handle(), language)?;
    let first_start = !data_dir.join(RUNNING_NAME).exists();
    if first_start {
        first_mailboxes(config, data_dir, language)?;
    }
    // Not before the spool is ours: a second daemon must not touch what the first one's
    // subcommands read.
    keep_running(loaded, data_dir, language)?;
    let served = runtime.block_on(run(config, clock, &storage, context));
    runtime.shutdown_timeout(GRACE);
    storage.close(clock.now());
    served
}

/// Writes down the settings for the subcommands. On a full disk the server starts all the
/// same: what is in the queue has to leave, and subcommands go by the last start's.
fn keep_running(loaded: &Loaded, data_dir: &Path, language: Language) -> Result<(), Failure> {
    let Err(error) = loaded.keep_running(data_dir) else { return Ok(()) };
    let file = data_dir.join(RUNNING_NAME);
    let file = format!("`{}`", file.display());
    if !store::disk::is_full(&error) {
        let values = [("what", &*file), ("error", &system::in_words(&error, language))];
        return Err(Failure::new(wrong(language, "not-written", &values)));
    }
    tracing::warn!("{file} cannot be written: {error}; it says what an earlier start was told");
    Ok(())
}

/// Why the spool cannot be opened. It holds the data directory: two servers on one would
/// destroy each other's work.
fn not_opened(data_dir: &Path, error: &OpenError, language: Language) -> Failure {
    match error {
        OpenError::Held(_) => {
            let place = format!("`{}`", data_dir.display());
            let told = wrong(language, "another-daemon", &[("place", &place)]);
            let help = [("option", "`--data-dir`")];
            Failure::new(told).help(wrong(language, "another-daemon-help", &help))
        }
        OpenError::Io(error) => {
            let error = system::in_words(error, language);
            Failure::new(wrong(language, "spool-not-opened", &[("error", &error)]))
        }
    }
}

fn disk(data_dir: &Path, name: &str) -> Result<FileSystem, Failure> {
    // What is wrong names the path.
    Ok(FileSystem::new(data_dir.join(name))?)
}

/// What is on disk, opened.
struct Storage {
    spool: Spool<FileSystem>,
    driver: Driver<FileSystem>,
    /// Of the thread that writes the spool.
    writer: Life,
    greylist: Arc<FileTable>,
    learned: Arc<FileTable>,
}

impl Storage {
    fn open(
        data_dir: &Path,
        now: Timestamp,
        runtime: &Handle,
        language: Language,
    ) -> Result<Storage, Failure> {
        let opened = Spool::open(disk(data_dir, "spool")?);
        let opened = opened.map_err(|error| not_opened(data_dir, &error, language));
        let (spool, writer, recovery) = opened?;
        report(&recovery);
        // Who is held up may be who looks for what comes in: something to do wakes another.
        let runtime = runtime.clone();
        let (alive, life) = Life::begin();
        let held_up = move || {
            let _lives = &alive;
            drop(runtime.spawn(async {}));
        };
        let driver = spool.start(writer, held_up);
        let driver = driver.map_err(|error| Failure::of_part("spool-thread", &error, language))?;
        let tables = disk(data_dir, "tables")?;
        let greylist = table(&tables, "greylist", now, language)?;
        let learned = table(&tables, "learned", now, language)?;
        Ok(Storage { spool, driver, writer: life, greylist, learned })
    }

    fn flush(&self, now: Timestamp) {
        for table in [&self.greylist, &self.learned] {
            if let Err(error) = table.flush(now.as_millis()) {
                tracing::warn!(%error, "a table cannot be written");
            }
        }
    }

    /// Writes what is not yet written, and waits for it.
    fn close(self, now: Timestamp) {
        self.flush(now);
        self.driver.stop();
    }
}

fn table(
    disk: &FileSystem,
    name: &str,
    now: Timestamp,
    language: Language,
) -> Result<Arc<FileTable>, Failure> {
    let opened = LoggedTable::open(disk.clone(), name, now.as_millis());
    let (table, _) = opened.map_err(|error| {
        let table = wrong(language, "part-table", &[("name", &format!("`{name}`"))]);
        Failure::of_thing(&table, &error, language)
    })?;
    Ok(Arc::new(table))
}

/// What a start found on disk, where it is worth a word.
fn report(recovery: &SpoolRecovery) {
    for damage in &recovery.damage {
        tracing::error!(%damage, "the spool is damaged; see `secondpost spool check`");
    }
    for torn in &recovery.torn {
        tracing::warn!(%torn, "an unfinished write was cut; nobody was told of it");
    }
    for id in &recovery.incomplete {
        tracing::error!(%id, "a message lost a part to damage and is set aside");
    }
    if recovery.messages > 0 {
        tracing::info!(messages = recovery.messages, "the queue was found again");
    }
}

/// The listening sockets.
struct Sockets {
    mx: Vec<TcpListener>,
    submission: Vec<TcpListener>,
    lmtp: Option<UnixListener>,
    web: Vec<TcpListener>,
}

impl Sockets {
    fn bind(config: &Config, data_dir: &Path, language: Language) -> Result<Sockets, Failure> {
        let listen = &config.listen;
        let no_listener = |error: &io::Error, key: &str| {
            let help = [("setting", &*format!("`{key}`"))];
            cannot_listen(error, language).help(wrong(language, "cannot-listen-setting", &help))
        };
        let all = |addresses: &Addresses, key: &str| {
            bind_all(addresses).map_err(|error| no_listener(&error, key))
        };
        let lmtp = listen.lmtp.below(data_dir);
        let lmtp = lmtp.map(|path| bind_unix(&path)).transpose();
        Ok(Sockets {
            mx: all(&listen.mx, "listen.mx")?,
            submission: all(&listen.submission, "listen.submission")?,
            lmtp: lmtp.map_err(|error| cannot_listen(&error, language))?,
            // The web pages are no reason not to take mail: where their usual port is taken
            // and nobody asked for it, they are left out.
            web: match bind_all(&listen.web) {
                Err(error) if listen.web == Listen::default().web => {
                    tracing::warn!("no web pages: cannot listen on {error}");
                    Vec::new()
                }
                bound => bound.map_err(|error| no_listener(&error, "listen.web"))?,
            },
        })
    }
}

fn bind_all(addresses: &Addresses) -> io::Result<Vec<TcpListener>> {
    addresses.0.iter().map(|address| bind(*address)).collect()
}

fn cannot_listen(error: &io::Error, language: Language) -> Failure {
    let error = system::in_words(error, language);
    Failure::new(wrong(language, "cannot-listen", &[("error", &error)]))
}

async fn run(
    config: &Config,
    clock: Clock,
    storage: &Storage,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let (data_dir, language) = (&context.global.data_dir, context.global.language());
    // Before anybody can know that it runs: who does may stop it.
    let mut signals = Signals::catch(language)?;
    let mut sockets = Sockets::bind(config, data_dir, language)?;
    let reception = reception(config, data_dir, clock, storage, language)?;
    let (stop, stopped) = watch::channel(false);
    let wanted = config.limits.connections as usize;
    let connections = Connections::new(descriptors::connections_that_fit(wanted));
    let listeners = banner::listeners(&sockets, config, data_dir);
    let administration = Arc::new(Administration {
        reception: reception.clone(),
        connections: connections.clone(),
        listeners: listeners.iter().map(|(name, at)| format!("{name} {at}")).collect(),
        started_at: clock.now(),
        runtime: Handle::current(),
        stop: stop.clone(),
    });
    let socket = data_dir.join(control::client::SOCKET_NAME);
    let admin = control::Server::start(&socket, administration.clone())
        .map_err(|error| Failure::of_thing(&socket.display().to_string(), &error, language))?;
    // Nobody has to listen: a closed standard output does not stop the server.
    let mailbox = first_mailbox(config, data_dir);
    let banner = Banner { listeners: &listeners, data_dir, mailbox: &mailbox };
    drop(banner.print(language, context.out));

    let mut tasks = JoinSet::new();
    let (alive, sends) = Life::begin();
    let (dispatcher, told) = (reception.dispatcher.clone(), stopped.clone());
    let dispatcher = tokio::spawn(async move {
        let _lives = alive;
        dispatcher.run(told).await
    });
    let Sockets { web, .. } = &mut sockets;
    serve_pages(std::mem::take(web), config, &stopped, &mut tasks);
    listen(sockets, config, &reception, &connections, &stopped, &mut tasks);
    pick_up(data_dir, administration).await;
    let stopped = tokio::select! {
        // Told to stop, the dispatcher ends as it should.
        biased;
        () = until_stopped(config, &reception, storage, stopped.clone(), &mut signals) => Ok(()),
        broken = broken(storage, &sends, &mut tasks, language) => Err(broken),
    };
    stop.send_replace(true);
    drop(admin);
    let ended = tokio::select! {
        ended = end(tasks, dispatcher, language) => ended.and(stopped),
        () = signals.stop() => {
            tracing::warn!("told to stop once more: what is under way is broken off");
            stopped
        }
    };
    tokio::task::block_in_place(|| reception.events.flush());
    ended
}

/// Ends where a part that everything hangs on has come to its end by itself, which it never
/// should: a server that goes on without it takes mail that nobody sends, or none. Started
/// again it has lost nothing.
async fn broken(
    storage: &Storage,
    dispatcher: &Life,
    listeners: &mut JoinSet<()>,
    language: Language,
) -> Failure {
    let part = tokio::select! {
        () = storage.writer.ended() => "spool-thread",
        () = dispatcher.ended() => "dispatcher",
        Some(_) = listeners.join_next() => "listener",
    };
    tracing::error!("the {part} has ended by itself: stopping");
    let part = wrong(language, &format!("part-{part}"), &[]);
    let told = labelled(&part, &wrong(language, "ended-by-itself", &[]), language);
    Failure::new(told).help(wrong(language, "ended-by-itself-help", &[]))
}

/// Lets what is under way come to its end, for as long as it may take.
async fn end(
    mut tasks: JoinSet<()>,
    dispatcher: JoinHandle<io::Result<()>>,
    language: Language,
) -> Result<(), Failure> {
    let ended = timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!("sessions that did not end in time were closed");
    }
    match dispatcher.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::of_part("queue", &error, language)),
        Err(error) => Err(Failure::of_part("dispatcher", &error.into(), language)),
    }
}

/// What tells a server to stop. Caught once, so that a second one is not lost.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn catch(language: Language) -> Result<Signals, Failure> {
        let failure = |error| Failure::of_part("signals", &error, language);
        let on = |kind| signal(kind).map_err(failure);
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Signals { terminate: on(terminate)?, interrupt: on(interrupt)? })
    }

    /// Ends with the next one.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The parts that take mail in and send it out.
fn reception(
    config: &Config,
    data_dir: &Path,
    clock: Clock,
    storage: &Storage,
    language: Language,
) -> Result<Arc<Reception>, Failure> {
    let options = MailboxOptions {
        hostname: config.hostname(),
        lock_wait: config.mailbox.lock_wait,
        deliveries: config.mailbox.deliveries as usize,
        ..MailboxOptions::default()
    };
    let mailboxes = Mailboxes::open(data_dir, options, clock.now());
    let mailboxes = Arc::new(mailboxes.map_err(|error| mailbox::failure(&error, language))?);
    let folder = data_dir.join(events::FOLDER_NAME).display().to_string();
    let events = Events::open(data_dir);
    let events = events.map_err(|error| Failure::of_thing(&folder, &error, language))?;
    let events = Arc::new(events);
    let resolver = Dns::from_system().map_err(io::Error::other);
    let resolver = resolver.map_err(|error| Failure::of_part("resolver", &error, language))?;
    let parts = dispatcher::Parts {
        backlog: Arc::new(storage.spool.clone()),
        router: config.router(),
        resolver: Arc::new(resolver),
        local: mailboxes.clone(),
        learned: LearnedStore::new(storage.learned.clone(), &config.retry),
        events: events.clone(),
        clock,
    };
    let policy = Policy {
        access: config.access(),
        rates: config.rates(Arc::new(store::MemoryTable::default())),
        greylist: policy::Greylist::new(config.greylist_options(), storage.greylist.clone()),
        connections_per_client: config.limits.connections_per_client as usize,
    };
    Ok(Arc::new(Reception {
        clock,
        hostname: config.hostname(),
        domains: config.domains(),
        own_networks: config.own_networks.0.clone(),
        policy,
        directory: mailboxes,
        router: config.router(),
        spool: storage.spool.clone(),
        events,
        dispatcher: Dispatcher::new(dispatcher_options(config), parts),
    }))
}

fn dispatcher_options(config: &Config) -> dispatcher::Options {
    let limits = &config.limits;
    let addresses = config.listen.mx.0.iter().map(std::net::SocketAddr::ip).collect();
    dispatcher::Options {
        retry: config.retry.clone(),
        limits: schedule::Limits::new(
            limits.destination_connections as usize,
            limits.outgoing_connections as usize,
            &config.retry,
        ),
        session: config.client_options(),
        mx_port: 25,
        voice: Voice {
            hostname: config.hostname(),
            language: Language::En,
            offset_minutes: 0,
            lifetime: config.retry.give_up_after,
        },
        ourselves: Ourselves {
            names: vec![config.hostname()],
            addresses,
            loopback_is_another: false,
        },
        grace: GRACE,
    }
}

/// At the first start there is a mailbox for the postmaster and one for who starts it.
fn first_mailboxes(config: &Config, data_dir: &Path, language: Language) -> Result<(), Failure> {
    let of = |name: &str| {
        let domains = config.domains();
        domains.iter().map(|domain| format!("{name}@{domain}")).collect::<Vec<_>>()
    };
    let mut addresses = of("postmaster");
    let user = user::invoking();
    // What is a user's name on a machine need not be a local part.
    match of(&user).iter().all(|address| address.parse::<Mailbox>().is_ok()) {
        true => addresses.extend(of(&user)),
        false => tracing::warn!(user, "this name cannot be a mailbox; none was made for it"),
    }
    let created = Registry::in_dir(data_dir).create_missing(&addresses);
    created.map_err(|error| mailbox::failure(&error, language))
}

/// A mailbox of an own domain, best that of who starts the server.
fn first_mailbox(config: &Config, data_dir: &Path) -> String {
    let domains = config.domains();
    let all = Registry::in_dir(data_dir).read().unwrap_or_default();
    let ours = |address: &str| domains.iter().any(|ours| address.ends_with(&format!("@{ours}")));
    let mut all = all.into_iter().map(|mailbox| mailbox.address).filter(|one| ours(one));
    let user = user::invoking().to_lowercase();
    let wanted = domains.first().map(|domain| format!("{user}@{domain}"));
    let exists = wanted.filter(|wanted| Registry::in_dir(data_dir).find(wanted).is_ok());
    exists.or_else(|| all.next()).unwrap_or_else(|| "postmaster@localhost".to_owned())
}

fn listen(
    sockets: Sockets,
    config: &Config,
    reception: &Arc<Reception>,
    connections: &Arc<Connections>,
    stop: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) {
    let service = |door, protocol| Service {
        options: Arc::new(config.session_options(protocol)),
        door,
        reception: reception.clone(),
        connections: connections.clone(),
        stop: stop.clone(),
    };
    for socket in sockets.mx {
        let service = service(Door::Mx, Protocol::Smtp);
        tasks.spawn(listener::serve(Socket::Tcp(socket), service));
    }
    for socket in sockets.submission {
        let service = service(Door::Submission, Protocol::Submission);
        tasks.spawn(listener::serve(Socket::Tcp(socket), service));
    }
    if let Some(socket) = sockets.lmtp {
        let service = service(Door::Lmtp, Protocol::Lmtp);
        tasks.spawn(listener::serve(Socket::Unix(socket), service));
    }
}

/// The pages that explain replies, until the server stops.
fn serve_pages(
    sockets: Vec<TcpListener>,
    config: &Config,
    stop: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) {
    let site = Arc::new(web::Site::new(config.web.address.address().map(str::to_owned)));
    for socket in sockets {
        let mut stop = stop.clone();
        let stopped = async move { while !*stop.borrow() && stop.changed().await.is_ok() {} };
        tasks.spawn(web::serve(socket, site.clone(), stopped));
    }
}

/// Takes what was left in the drop folder while no server ran.
async fn pick_up(data_dir: &Path, administration: Arc<Administration>) {
    let folder = data_dir.to_owned();
    let picked =
        tokio::task::spawn_blocking(move || drop_folder::pick_up(&folder, &*administration));
    match picked.await {
        // What became of each file is in the log already.
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(%error, "the drop folder cannot be read"),
        Err(error) => tracing::error!(%error, "the drop folder was not read to its end"),
    }
}

/// Does what comes again and again until a signal or the control socket says stop.
async fn until_stopped(
    config: &Config,
    reception: &Arc<Reception>,
    storage: &Storage,
    mut stopped: watch::Receiver<bool>,
    signals: &mut Signals,
) {
    let (mut flush, mut prune) = (interval(FLUSH_EVERY), interval(PRUNE_EVERY));
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = signals.stop() => break,
            _ = stopped.changed() => break,
            _ = flush.tick() => {
                let now = reception.clock.now();
                tokio::task::block_in_place(|| storage.flush(now));
                memory::give_back();
            }
            _ = prune.tick() => prune_stories(config, reception),
        }
    }
    tracing::info!("stopping");
}

fn prune_stories(config: &Config, reception: &Arc<Reception>) {
    let (keep, reception) = (config.history.keep, reception.clone());
    tokio::task::spawn_blocking(move || {
        let live: std::collections::HashSet<QueueId> = reception.spool.ids().into_iter().collect();
        let now = reception.clock.now();
        let pruned = reception.events.stories().prune(now, keep, |id| live.contains(&id));
        if let Err(error) = pruned {
            tracing::warn!(%error, "old stories cannot be removed");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_has_ended_by_itself_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let (now, language) = (Timestamp::from_secs(1_764_000_000), Language::En);
        let storage = Storage::open(folder.path(), now, &Handle::current(), language);
        let Ok(storage) = storage else { panic!("no storage") };
        let (alive, dispatcher) = Life::begin();
        let mut listeners = JoinSet::new();
        listeners.spawn(std::future::pending());
        let running = broken(&storage, &dispatcher, &mut listeners, language);
        assert!(timeout(Duration::ZERO, running).await.is_err());
        listeners.spawn(async { panic!("of the test") });
        let failure = broken(&storage, &dispatcher, &mut listeners, language).await;
        assert_eq!(failure.message(language), "a listener: ended unexpectedly");
        drop(alive);
        let failure = broken(&storage, &dispatcher, &mut listeners, language).await;
        assert_eq!(failure.message(language), "the dispatcher: ended unexpectedly");
        let (_alive, dispatcher) = Life::begin();
        storage.spool.close();
        let failure = broken(&storage, &dispatcher, &mut listeners, language).await;
        assert_eq!(failure.message(language), "the spool’s thread: ended unexpectedly");
    }
}
