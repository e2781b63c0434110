//! Connections: how many there are at once, and how long each may keep us waiting. What is
//! answered on them stands in `site`.
//!
//! Whoever opens a connection and then says nothing, or says it octet by octet, or takes no
//! answer, holds one of a bounded number of places and a bounded buffer, for a bounded time.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Most connections at once; who comes then waits until one ends.
const MOST_CONNECTIONS: usize = 1024;
/// Octets of the buffer of one connection. A head that does not fit is answered with 431 and
/// no page; what we answer in words is shorter (`trouble`).
const BUFFER_OCTETS: usize = 64 * 1024;
/// How long to wait where the system has no socket left to give.
const NO_SOCKET_PAUSE: Duration = Duration::from_millis(100);

/// How long a client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the head of a request, and between two requests of one connection.
    pub head: Duration,
    /// For the body of a request: 4 MB come in that time over half a megabit a second.
    pub body: Duration,
    /// For a connection in all: longer than anything that we send takes over a slow line.
    pub connection: Duration,
    /// For the answers that are on their way when the site or the connection is to end.
    pub last: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            head: Duration::from_secs(15),
            body: Duration::from_secs(60),
            connection: Duration::from_secs(600),
            last: Duration::from_secs(5),
        }
    }
}

/// Serves `router` until `stop` is ready; then what is being answered is answered, if its
/// reader takes it in time.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (stopping, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = next(&listener, &places) => match accepted {
                Ok((socket, client, place)) => {
                    let service = Attended { router: TowerToHyperService::new(router.clone()), client };
                    open.spawn(attend(socket, service, patience, stopped.clone(), place));
                }
                Err(_) => sleep(NO_SOCKET_PAUSE).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let ended = async { while open.join_next().await.is_some() {} };
    // Who is not done by then is cut off as the set is dropped.
    let _ = timeout(patience.last, ended).await;
}

/// The next client, once there is a place for one.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (socket, client) = listener.accept().await?;
    Ok((socket, client, place))
}

/// Answers on one connection until it ends or has lasted long enough.
async fn attend(
    socket: TcpStream,
    service: Attended,
    patience: Patience,
    mut stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Without it the end of an answer may wait for the reader's acknowledgement.
    let _ = socket.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(BUFFER_OCTETS);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
    tokio::select! {
        // A connection that breaks concerns nobody here.
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = sleep(patience.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(patience.last, connection).await;
}

/// The site as one client sees it.
struct Attended {
    router: TowerToHyperService<Router>,
    client: SocketAddr,
}

impl Service<Request<Incoming>> for Attended {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.client));
        self.router.call(request)
    }
}
