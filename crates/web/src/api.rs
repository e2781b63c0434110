//! The JSON API: explain, compare, look up, search. Names are those of the command line's
//! `--json`; errors are problem details (RFC 9457); `openapi.json` describes it all.

mod lines;
mod openapi;
mod problem;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reply::Language;
use reply::compare::compare;
use reply::explain::entry::{Entry, Topic, entry};
use reply::heard::{Heard, read_any};
use serde::Serialize;
use serde_json::{Value, json};

use self::problem::Problem;
use crate::headers::{JSON, Keep, fields};
use crate::kept::{Kind, Varies};
use crate::pages::Given;
use crate::site::{MOST_MEGABYTES, Site, client};
use crate::{address, negotiate, search};

/// The content type of one JSON value per line.
const NDJSON: &str = "application/x-ndjson";

/// The routes below `/api/v1`.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/explain", get(explain_address).post(explain_body))
        .route("/compare", get(compare_two))
        .route("/codes", get(all_codes))
        .route("/codes/{code}", get(one))
        .route("/causes", get(all_causes))
        .route("/causes/{cause}", get(one))
        .route("/commands", get(all_commands))
        .route("/commands/{command}", get(one))
        .route("/search/{language}", get(search_names))
        .route("/texts/{language}", get(search_texts))
        .route("/openapi.json", get(openapi::document))
        .fallback(async || Problem::NotFound("there is no such resource".into()))
}

/// The answer to what was given, which nobody keeps.
fn answer(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(octets) => (fields(JSON, Keep::Never), octets).into_response(),
        Err(error) => Problem::Fault(error.to_string()).into_response(),
    }
}

/// What is the same for every reader: made once under `name`, and kept.
fn kept<T: Serialize>(
    site: &Site,
    request: &Request,
    name: &str,
    make: impl FnOnce() -> T,
) -> Response {
    let is_named = !given(request).octets("lang").is_empty();
    let varies = if is_named { Varies::Coding } else { Varies::CodingAndLanguage };
    let make = || serde_json::to_string(&make()).unwrap_or_default();
    kept_text(site, request.headers(), varies, name, make)
}

/// The same of JSON as a text.
fn kept_text(
    site: &Site,
    headers: &HeaderMap,
    varies: Varies,
    name: &str,
    make: impl FnOnce() -> String,
) -> Response {
    let kind = Kind { content_type: JSON, keep: Keep::AnHour, varies };
    // No public address of the site is empty, so that no page has this name.
    site.kept.find_or_make("", name, negotiate::coding(headers), make).answer(kind, headers)
}

/// The language of `lang=`, else the reader's own.
fn language(given: &Given, headers: &HeaderMap) -> Result<Language, Problem> {
    match given.text("lang").as_str() {
        "" => {
            let accept = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            Ok(negotiate::language(accept.unwrap_or_default()))
        }
        tag => tag.parse().map_err(|error: reply::explain::NoSuchLanguage| {
            Problem::BadRequest(error.to_string())
        }),
    }
}

fn given(request: &Request) -> Given {
    Given::parse(request.uri().query().unwrap_or_default().as_bytes())
}

/// `GET /explain?text=…&lang=…`
async fn explain_address(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Problem> {
    let given = given(&request);
    let language = language(&given, request.headers())?;
    admitted(&site, &request)?;
    match given.octets("text") {
        [] => Err(Problem::BadRequest("`text` is missing: what shall be explained?".into())),
        text => Ok(answer(&explained(text, language))),
    }
}

/// `POST /explain`: the text itself, JSON with `text` and `lang`, or one text per line
/// (NDJSON), answered line by line.
async fn explain_body(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Problem> {
    let language = language(&given(&request), request.headers())?;
    admitted(&site, &request)?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("text/plain").split(';').next().unwrap_or_default().trim().to_owned();
    let octets = body(request).await?;
    match kind.as_str() {
        "application/json" => json_body(&octets, language),
        NDJSON => {
            Ok((fields(NDJSON, Keep::Never), lines::answers(octets, language)).into_response())
        }
        _ => Ok(answer(&explained(&octets, language))),
    }
}

fn admitted(site: &Site, request: &Request) -> Result<(), Problem> {
    if site.admits(client(request)) { Ok(()) } else { Err(Problem::TooMany) }
}

async fn body(request: Request) -> Result<Bytes, Problem> {
    let read = axum::body::to_bytes(request.into_body(), MOST_MEGABYTES * 1024 * 1024).await;
    read.map_err(|_| Problem::TooBig(format!("at most {MOST_MEGABYTES} MB are read")))
}

fn json_body(octets: &[u8], language: Language) -> Result<Response, Problem> {
    let wrong = |what: String| Problem::BadRequest(what);
    let body: Value = serde_json::from_slice(octets).map_err(|error| wrong(error.to_string()))?;
    let text = body["text"].as_str();
    let text = text.ok_or_else(|| wrong("`text` is missing, or no string".into()))?;
    let language = match body.get("lang").and_then(Value::as_str) {
        None => language,
        Some(tag) => {
            tag.parse().map_err(|e: reply::explain::NoSuchLanguage| wrong(e.to_string()))?
        }
    };
    Ok(answer(&explained(text.as_bytes(), language)))
}

/// What was heard in a text: each with its verdict and its explanation.
fn explained(octets: &[u8], language: Language) -> Value {
    let heard = read_any(octets);
    let results: Vec<Value> = heard.iter().map(|one| result(one, language)).collect();
    json!({ "language": language.tag(), "results": results })
}

/// The verdict's fields, the kind, the recipient, and the words.
fn result(heard: &Heard, language: Language) -> Value {
    let verdict = heard.verdict.as_ref();
    let mut object = verdict.map_or_else(|| json!({}), |verdict| json!(verdict));
    object["kind"] = json!(heard.kind.name());
    object["recipient"] = json!(heard.recipient);
    object["explanation"] = json!(verdict.map(|verdict| verdict.explain(language)));
    object
}

/// `GET /compare?a=450&b=502`
async fn compare_two(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Problem> {
    let given = given(&request);
    let language = language(&given, request.headers())?;
    let topic = |name: &str| {
        let text = given.text(name);
        if text.is_empty() {
            return Err(Problem::BadRequest(format!("`{name}` is missing: what is compared?")));
        }
        text.parse::<Topic>().map_err(|error| Problem::NotFound(error.to_string()))
    };
    let (a, b) = (topic("a")?, topic("b")?);
    let name = format!("{} {language}", address::Page::Pair(a, b).path());
    Ok(kept(&site, &request, &name, || compare(&a, &b, language)))
}

/// `GET /codes/450`, `/causes/greylisted`, `/commands/vrfy`
async fn one(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let language = language(&given(&request), request.headers())?;
    let topic: Topic = name.parse().map_err(|error: reply::explain::entry::NoSuchTopic| {
        Problem::NotFound(error.to_string())
    })?;
    let path = address::Page::Entry(topic).path();
    let asked = request.uri().path();
    let folder = path.split('/').next().unwrap_or_default();
    // A code below `/causes` is at another address.
    if !asked.contains(&format!("/{folder}/")) {
        return Err(Problem::NotFound(format!("`{topic}` is at /api/v1/{path}")));
    }
    Ok(kept(&site, &request, &format!("{path} {language}"), || entry(topic, language)))
}

/// Every entry of a folder.
fn entries(site: &Site, folder: &str, request: &Request) -> Result<Response, Problem> {
    let language = language(&given(request), request.headers())?;
    let is_in = |topic: &Topic| address::folder(*topic) == folder;
    let all = || {
        let topics = address::topics().into_iter().filter(is_in);
        topics.map(|topic| entry(topic, language)).collect::<Vec<Entry>>()
    };
    Ok(kept(site, request, &format!("{folder} {language}"), all))
}

async fn all_codes(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Problem> {
    entries(&site, "codes", &request)
}

async fn all_causes(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Problem> {
    entries(&site, "causes", &request)
}

async fn all_commands(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Problem> {
    entries(&site, "commands", &request)
}

/// `GET /search/de`: the names of everything that can be found, for results as one types.
async fn search_names(
    State(site): State<Arc<Site>>,
    Path(tag): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = tagged(&tag)?;
    let make = || serde_json::to_string(search::names(known)).unwrap_or_default();
    Ok(kept_text(&site, &headers, Varies::Coding, &format!("search {known}"), make))
}

/// `GET /texts/de`: what the entries say, in the order of their names.
async fn search_texts(
    State(site): State<Arc<Site>>,
    Path(tag): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = tagged(&tag)?;
    let make = || serde_json::to_string(&search::texts(known)).unwrap_or_default();
    Ok(kept_text(&site, &headers, Varies::Coding, &format!("texts {known}"), make))
}

/// The language of a tag in an address.
fn tagged(tag: &str) -> Result<Language, Problem> {
    let known = Language::COMPLETE.iter().find(|language| language.tag() == tag);
    known.copied().ok_or_else(|| Problem::NotFound(format!("there are no texts in `{tag}`")))
}
