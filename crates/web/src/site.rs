//! The site as an HTTP service: which handler an address has, what is kept, how it is
//! served. What a page says stands in `pages`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ALLOW, CONTENT_LANGUAGE, CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use mta::clock::Clock;
use reply::Language;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::address::Page;
use crate::assets::assets;
use crate::connections::{self, Patience};
use crate::headers::{HTML, Keep, fields};
use crate::kept::{Kept, Kind, Varies, only_reads};
use crate::pages::{self, Frame};
use crate::rate::Rates;
use crate::trouble::{self, Trouble};
use crate::{api, negotiate, sitemap};

/// Most octets of what is pasted, in megabytes.
pub(crate) const MOST_MEGABYTES: usize = 4;

/// What the handlers share.
#[derive(Debug)]
pub struct Site {
    /// Where the site is for the world, as in `https://mx.example.org`; without it,
    /// addresses are made from the request's Host.
    pub origin: Option<String>,
    /// How long a client may take.
    pub patience: Patience,
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
        Site { origin, patience: Patience::default(), clock: Clock::start(), rates, kept }
    }

    /// The whole body of a request, of at most so many octets.
    pub(crate) async fn body(&self, request: Request, most: usize) -> Result<Bytes, Trouble> {
        let read = axum::body::to_bytes(request.into_body(), most);
        match timeout(self.patience.body, read).await {
            Ok(read) => read.map_err(|_| Trouble::TooBig),
            Err(_) => Err(Trouble::TooSlow),
        }
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
        .method_not_allowed_fallback(not_allowed)
        .fallback(page)
        .layer(middleware::from_fn(within_limits))
        .with_state(site)
}

/// Serves the site until `stop` is ready.
pub async fn serve(listener: TcpListener, site: Arc<Site>, stop: impl Future<Output = ()>) {
    let patience = site.patience;
    connections::serve(listener, router(site), patience, stop).await;
}

async fn within_limits(request: Request, next: Next) -> Response {
    match trouble::outsized(&request) {
        Some(trouble) => trouble::answer(trouble, &request),
        None => next.run(request).await,
    }
}

async fn not_allowed(request: Request) -> Response {
    trouble::answer(Trouble::NotAllowed, &request)
}

/// Who asks; loopback where no socket tells, as in tests.
pub(crate) fn client(request: &Request) -> IpAddr {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    address.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip())
}

async fn asset(State(site): State<Arc<Site>>, request: Request) -> Response {
    let path = request.uri().path();
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(asset) = assets().named(name) else {
        return trouble::answer(Trouble::NotFound, &request);
    };
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
    Kind { content_type, keep, varies: Varies::Coding, language: None }
}

/// The same of a page.
const fn page_in(language: Language) -> Kind {
    Kind { language: Some(language), ..kind(HTML, Keep::AnHour) }
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
    let Some((language, rest)) = in_language(&path) else {
        return without_language(&path, request.uri().query(), trouble::preferred(headers));
    };
    let Some(page) = Page::parse(rest) else { return Trouble::NotFound.page(language) };
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
            found.answer(page_in(language), headers)
        }
        _ if !only_reads => refused(page, language),
        _ => {
            let render = || pages::render(page, &frame);
            let at = page.href(language);
            let found = site.kept.find_or_make(&frame.origin, &at, coding, render);
            found.answer(page_in(language), headers)
        }
    }
}

/// The language of a path, and what stands behind it.
fn in_language(path: &str) -> Option<(Language, &str)> {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let language = Language::COMPLETE.iter().find(|language| language.tag() == first)?;
    Some((*language, rest))
}

/// What is kept outside the API and the assets is a page or a sitemap.
fn of_address(address: &str) -> Kind {
    match in_language(address.trim_start_matches('/')) {
        Some((language, _)) => page_in(language),
        None => kind("application/xml", Keep::AnHour),
    }
}

/// A page that takes no such method.
fn refused(page: Page, language: Language) -> Response {
    let allowed = if page == Page::Explain { "GET, HEAD, POST" } else { "GET, HEAD" };
    let mut response = Trouble::NotAllowed.page(language);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Sends the reader to the same page in a language.
fn without_language(path: &str, query: Option<&str>, to: Language) -> Response {
    if Page::parse(path).is_none() {
        return Trouble::NotFound.page(to);
    }
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    let mut headers = fields(HTML, Keep::Never);
    // A path that parsed holds nothing that a header field may not.
    if let Ok(location) = HeaderValue::from_str(&format!("/{to}/{path}{query}")) {
        headers.insert(LOCATION, location);
    }
    (StatusCode::FOUND, headers).into_response()
}

/// Pages that depend on what the reader gave.
async fn asked_for(page: Page, frame: Frame, site: Arc<Site>, request: Request) -> Response {
    let (client, language) = (client(&request), frame.language);
    let query = request.uri().query().unwrap_or_default().to_owned();
    let form = match (request.method(), page) {
        (&Method::GET | &Method::HEAD, _) => query.into_bytes(),
        (&Method::POST, Page::Explain) => match posted(&site, request).await {
            Ok(body) => body,
            Err(trouble) => return trouble.page(language),
        },
        _ => return refused(page, language),
    };
    if !site.admits(client) {
        return Trouble::TooMany.page(language);
    }
    let given = pages::Given::parse(&form);
    if given.octets("text").len() > MOST_MEGABYTES * 1024 * 1024 {
        return Trouble::TooBig.page(language);
    }
    let mut headers = fields(HTML, Keep::Never);
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    match pages::answer(page, &given, &frame) {
        pages::Answered::Page(html) => (headers, html).into_response(),
        pages::Answered::Elsewhere(page) => {
            if let Ok(location) = HeaderValue::from_str(&page.href(language)) {
                headers.insert(LOCATION, location);
            }
            (StatusCode::SEE_OTHER, headers).into_response()
        }
    }
}

/// The posted form; an empty one where it is no form.
async fn posted(site: &Site, request: Request) -> Result<Vec<u8>, Trouble> {
    let is_form = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !is_form {
        return Ok(Vec::new());
    }
    // Percent signs make a form three times as long at most.
    site.body(request, 3 * MOST_MEGABYTES * 1024 * 1024).await.map(Vec::from)
}
