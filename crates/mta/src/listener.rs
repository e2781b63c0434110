//! Listening sockets: every connection is counted, shed where a limit is reached, and
//! given to a task that drives its session.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use policy::Listener as Door;
use reply::catalogue;
use smtp::server::Options;
use store::disk::naming;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::reception::{Client, Reception};
use crate::session_driver::{close, drive};

/// How long to wait after a failed accept: descriptors may be free by then.
const AFTER_FAILURE: Duration = Duration::from_millis(50);
/// How long a connection that is shed may take to hear so.
const SHED: Duration = Duration::from_secs(1);
/// How many may take that time at once; others are closed without a word.
const SHED_AT_ONCE: usize = 32;

/// Counts connections, by client and in all.
#[derive(Debug)]
pub struct Connections {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
    shed: Arc<Semaphore>,
}

impl Connections {
    /// At most `limit` in all.
    pub fn new(limit: usize) -> Arc<Connections> {
        let shed = Arc::new(Semaphore::new(SHED_AT_ONCE));
        Arc::new(Connections { limit, open: Mutex::default(), shed })
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more of `client`; `None` where there are too many in all.
    fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Entered> {
        let mut open = self.lock();
        if open.values().sum::<usize>() >= self.limit {
            return None;
        }
        let count = open.entry(client).or_default();
        *count += 1;
        Some(Entered { connections: self.clone(), client, count: *count })
    }
}

/// One counted connection, until it is dropped.
struct Entered {
    connections: Arc<Connections>,
    client: IpAddr,
    count: usize,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

/// What every session of a listener is given.
#[derive(Clone)]
pub struct Service {
    /// Protocol and limits.
    pub options: Arc<Options>,
    /// Which door it is.
    pub door: Door,
    /// What sessions ask.
    pub reception: Arc<Reception>,
    /// The counts, shared by all listeners.
    pub connections: Arc<Connections>,
    /// Becomes true when the server stops.
    pub stop: watch::Receiver<bool>,
}

/// Binds a TCP listener.
///
/// # Errors
/// Where the address cannot be had; the error names it.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    const BACKLOG: u32 = 1024;
    let named = |error| naming(address, error);
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
    }
    .map_err(named)?;
    socket.set_reuseaddr(true).map_err(named)?;
    socket.bind(address).map_err(named)?;
    socket.listen(BACKLOG).map_err(named)
}

/// Binds a unix socket in place of one that a dead server left.
///
/// # Errors
/// Where it cannot be had; the error names the path.
pub fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let named = |error| naming(path.display(), error);
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(error)),
        _ => UnixListener::bind(path).map_err(named),
    }
}

/// A listening socket.
pub enum Socket {
    /// For other hosts and programs.
    Tcp(TcpListener),
    /// For programs of this machine.
    Unix(UnixListener),
}

impl Socket {
    /// Takes one connection and gives it its session. Nothing is lost where it is
    /// cancelled.
    async fn accept(&self, service: &Service, sessions: &mut JoinSet<()>) -> io::Result<()> {
        match self {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Replies are short and wait for nothing; a failure only costs time.
                drop(stream.set_nodelay(true));
                admit(stream, peer.ip().to_canonical(), service, sessions);
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                admit(stream, IpAddr::V4(Ipv4Addr::LOCALHOST), service, sessions);
            }
        }
        Ok(())
    }
}

/// Accepts until the server stops, then waits until the sessions have ended.
pub async fn serve(socket: Socket, service: Service) {
    let mut sessions = JoinSet::new();
    let mut stop = service.stop.clone();
    let mut accepts = true;
    while !*stop.borrow() {
        tokio::select! {
            _ = stop.changed() => {}
            accepted = socket.accept(&service, &mut sessions) => {
                note(&accepted, accepts);
                accepts = accepted.is_ok();
                if !accepts {
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
        while sessions.try_join_next().is_some() {}
    }
    drop(socket);
    while sessions.join_next().await.is_some() {}
}

/// Tells the log of the first failure in a row and of its end: what is out of descriptors
/// fails many times a second.
fn note(accepted: &io::Result<()>, accepted_before: bool) {
    match accepted {
        Err(error) if accepted_before => {
            tracing::warn!(%error, "connections wait: none can be accepted")
        }
        Ok(()) if !accepted_before => tracing::info!("connections are accepted again"),
        _ => {}
    }
}

/// Gives a connection its session, or tells it that there are too many.
fn admit<S>(stream: S, peer: IpAddr, service: &Service, sessions: &mut JoinSet<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(entered) = service.connections.enter(peer) else {
        if let Ok(place) = service.connections.shed.clone().try_acquire_owned() {
            sessions.spawn(async move {
                shed(stream).await;
                drop(place);
            });
        }
        return;
    };
    let service = service.clone();
    sessions.spawn(async move {
        let connections = entered.count;
        let client = Client { address: peer, listener: service.door, connections, hello: None };
        let Service { options, reception, stop, .. } = service;
        if let Err(error) = drive(stream, options, reception, client, stop).await {
            tracing::debug!(client = %peer, %error, "the connection was lost");
        }
        drop(entered);
    });
}

async fn shed<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let told = async {
        stream.write_all(&catalogue::server_busy().to_bytes()).await?;
        close(&mut stream).await
    };
    // It may not listen; then it hears nothing.
    drop(timeout(SHED, told).await);
}
