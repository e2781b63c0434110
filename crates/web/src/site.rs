//! The site as an HTTP service: which handler an address has, what is kept, how it is
//! served. What a page says stands in `pages`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, ALLOW, CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use mta::clock::Clock;
use reply::Language;
use tokio::net::TcpListener;

use crate::address::Page;
use crate::assets::assets;
use crate::headers::{HTML, Keep, fields};
use crate::kept::{Kept, Kind, Varies, only_reads};
use crate::pages::{self, Frame};
use crate::rate::Rates;
use crate::{api, negotiate, sitemap};

/// Most octets of what is pasted, in megabytes.
pub(crate) const MOST_MEGABYTES: usize = 4;

/// What the handlers share.
#[derive(Debug)]
pub struct Site {
    /// Where the site is for the world, as in `https://mx.example.org`; without it,
    /// addresses are made from the request's Host.
    pub origin: Option<String>,
    clock: Clock,
    rates: Rates,
    /// What was rendered before.
    pub(crate) kept: Kept,
}

impl Site {
    /// A site under that public address.
    pub fn new(origin: Option<String>) -> Site {
        let origin = origin.map(|origin| origin.trim_end_matches('/').to_owned());
        let (rates, kept) = (Rates::default(), Kept::default());
        Site { origin, clock: Clock::start(), rates, kept }
    }

    /// Whether `client` may have something explained now.
    pub(crate) fn admits(&self, client: IpAddr) -> bool {
        self.rates.admits(client, self.clock.steady())
    }
}

/// The whole site.
pub fn router(site: Arc<Site>) -> Router {
    Router::new()
        .nest("/api/v1", api::router())
        .route("/assets/{name}", get(asset))
        .route("/robots.txt", get(robots))
        .fallback(page)
        .layer(DefaultBodyLimit::max(MOST_MEGABYTES * 1024 * 1024))
        .with_state(site)
}

/// Serves the site until `stop` is ready.
///
/// # Errors
/// Those of the socket.
pub async fn serve(
    listener: TcpListener,
    site: Arc<Site>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router(site).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}

/// Who asks; loopback where no socket tells, as in tests.
pub(crate) fn client(request: &Request) -> IpAddr {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    address.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip())
}

async fn asset(State(site): State<Arc<Site>>, request: Request) -> Response {
    let path = request.uri().path();
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(asset) = assets().named(name) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = request.headers();
    let coding = negotiate::coding(headers);
    let found = site.kept.find_or_make("", path, coding, || asset.content.to_owned());
    found.answer(kind(asset.content_type, Keep::Forever), headers)
}

async fn robots(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let (origin, coding) = (origin(&site, &headers), negotiate::coding(&headers));
    let make = || sitemap::robots(&origin);
    let found = site.kept.find_or_make(&origin, "/robots.txt", coding, make);
    found.answer(kind("text/plain; charset=utf-8", Keep::AnHour), &headers)
}

/// What an address alone decides.
const fn kind(content_type: &'static str, keep: Keep) -> Kind {
    Kind { content_type, keep, varies: Varies::Coding }
}

/// The public address of the site, for links that have to be whole.
pub(crate) fn origin(site: &Site, headers: &HeaderMap) -> String {
    if let Some(origin) = &site.origin {
        return origin.clone();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_plain = |host: &&str| {
        host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".:-[]".contains(&octet))
    };
    format!("http://{}", host.filter(is_plain).unwrap_or("localhost"))
}

/// Every address that is neither the API nor an asset.
async fn page(State(site): State<Arc<Site>>, request: Request) -> Response {
    let headers = request.headers();
    let (origin, coding) = (origin(&site, headers), negotiate::coding(headers));
    let only_reads = only_reads(request.method());
    let address = request.uri().path();
    if let Some(found) = site.kept.find(&origin, address, coding).filter(|_| only_reads) {
        return found.answer(of_address(address), headers);
    }
    let path = address.trim_start_matches('/').to_owned();
    if let Some(xml) = sitemap::at(&path, &origin).filter(|_| only_reads) {
        let found = site.kept.find_or_make(&origin, address, coding, || xml);
        return found.answer(of_address(address), headers);
    }
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let preferred = negotiate::language(asked.unwrap_or_default());
    let (first, rest) = path.split_once('/').unwrap_or((path.as_str(), ""));
    let Some(language) = Language::COMPLETE.iter().copied().find(|one| one.tag() == first) else {
        return without_language(&path, request.uri().query(), preferred, &origin);
    };
    let Some(page) = Page::parse(rest) else { return not_found(language, &origin) };
    let frame = Frame { language, page: Some(page), origin };
    match page {
        Page::Search | Page::Compare | Page::Explain => {
            // The question mark keeps what answers no question apart from what answers one.
            if !only_reads || request.uri().query().is_some_and(|query| !query.is_empty()) {
                return asked_for(page, frame, site, request).await;
            }
            let at = format!("{}?", page.href(language));
            let render = || pages::unasked(page, &frame);
            let found = site.kept.find_or_make(&frame.origin, &at, coding, render);
            found.answer(kind(HTML, Keep::AnHour), headers)
        }
        _ if !only_reads => not_allowed(),
        _ => {
            let render = || pages::render(page, &frame);
            let at = page.href(language);
            let found = site.kept.find_or_make(&frame.origin, &at, coding, render);
            found.answer(kind(HTML, Keep::AnHour), headers)
        }
    }
}

/// What is kept outside the API and the assets is a page or a sitemap.
fn of_address(address: &str) -> Kind {
    let content_type = if address.ends_with(".xml") { "application/xml" } else { HTML };
    kind(content_type, Keep::AnHour)
}

fn not_allowed() -> Response {
    let mut headers = fields(HTML, Keep::Never);
    headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    (StatusCode::METHOD_NOT_ALLOWED, headers).into_response()
}

/// Sends the reader to the same page in a language.
fn without_language(path: &str, query: Option<&str>, to: Language, origin: &str) -> Response {
    if Page::parse(path).is_none() {
        return not_found(to, origin);
    }
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    let mut headers = fields(HTML, Keep::Never);
    // A path that parsed holds nothing that a header field may not.
    if let Ok(location) = HeaderValue::from_str(&format!("/{to}/{path}{query}")) {
        headers.insert(LOCATION, location);
    }
    (StatusCode::FOUND, headers).into_response()
}

fn not_found(language: Language, origin: &str) -> Response {
    let frame = Frame { language, page: None, origin: origin.to_owned() };
    let html = pages::trouble("not-found", &frame);
    (StatusCode::NOT_FOUND, fields(HTML, Keep::Never), html).into_response()
}

/// Pages that depend on what the reader gave.
async fn asked_for(page: Page, frame: Frame, site: Arc<Site>, request: Request) -> Response {
    let client = client(&request);
    let query = request.uri().query().unwrap_or_default().to_owned();
    let form = match (request.method(), page) {
        (&Method::POST, Page::Explain) => match posted(request).await {
            Some(body) => body,
            None => return too_big(&frame),
        },
        _ => query.into_bytes(),
    };
    if !site.admits(client) {
        let html = pages::trouble("too-many", &frame);
        return (StatusCode::TOO_MANY_REQUESTS, fields(HTML, Keep::Never), html).into_response();
    }
    let given = pages::Given::parse(&form);
    match pages::answer(page, &given, &frame) {
        pages::Answered::Page(html) => (fields(HTML, Keep::Never), html).into_response(),
        pages::Answered::Elsewhere(page) => {
            let mut headers = fields(HTML, Keep::Never);
            if let Ok(location) = HeaderValue::from_str(&page.href(frame.language)) {
                headers.insert(LOCATION, location);
            }
            (StatusCode::SEE_OTHER, headers).into_response()
        }
    }
}

/// The posted form; nothing where it is too big or no form.
async fn posted(request: Request) -> Option<Vec<u8>> {
    let is_form = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !is_form {
        return Some(Vec::new());
    }
    // Percent signs make a form three times as long at most.
    let most = 3 * MOST_MEGABYTES * 1024 * 1024;
    axum::body::to_bytes(request.into_body(), most).await.ok().map(Vec::from)
}

fn too_big(frame: &Frame) -> Response {
    let html = pages::trouble("too-big", frame);
    (StatusCode::PAYLOAD_TOO_LARGE, fields(HTML, Keep::Never), html).into_response()
}
